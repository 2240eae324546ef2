//===- SpecTest.cpp - Spec files and the files that they name -------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Proves that definitions, parameters and table files mean what they say, and
// that each mistake in them has a message.
//
//===----------------------------------------------------------------------===//

#include "girih/Frontend/Parser.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

using namespace girih;
namespace fs = std::filesystem;

namespace {
/// A folder of its own for each test.
class Spec : public testing::Test {
protected:
  void SetUp() override {
    std::string name = testing::TempDir() + "girih-spec-XXXXXX";
    ASSERT_NE(mkdtemp(name.data()), nullptr);
    folder = name;
  }
  void TearDown() override { fs::remove_all(folder); }

  std::string write(const std::string &name, const std::string &text) {
    fs::create_directories((folder / name).parent_path());
    std::ofstream(folder / name, std::ios::binary) << text;
    return (folder / name).string();
  }

  fs::path folder;
};
} // namespace

static std::string firstLine(const std::string &text) { return text.substr(0, text.find('\n')); }

static std::string specError(const std::string &text) {
  SpecResult result = parseSpec(text, "s");
  EXPECT_FALSE(result) << text;
  return firstLine(result.error);
}

static std::string printed(const SpecResult &spec) {
  std::string text = spec.error;
  for (const NamedPattern &entry : spec.patterns)
    text += entry.name + " = " + entry.pattern.str() + "\n";
  return text;
}

TEST_F(Spec, definitions_call_earlier_ones) {
  EXPECT_EQ(printed(parseSpec("# a comment\n"
                              "pattern local(P: 64, R: -(-1)) = window(left=P - 1, right=R)\n"
                              "  | { q % P == 0 && q / (2 * P) > R }\n"
                              "pattern plain = causal & local\n"
                              "pattern named = causal & local(R=0, P=32) pattern\n"
                              "positional(N: 8) = local(N) - local(N * 2, 3)\n"
                              "pattern last = positional(5) | plain()\n",
                              "s")),
            "local = window(left=63, right=1) | { q % 64 == 0 && q / 128 > 1 }\n"
            "plain = causal & (window(left=63, right=1) | { q % 64 == 0 && q / 128 > 1 "
            "})\n"
            "named = causal & (window(left=31, right=0) | { q % 32 == 0 && q / 64 > 0 "
            "})\n"
            "positional = window(left=7, right=1) | { q % 8 == 0 && q / 16 > 1 } - "
            "(window(left=15, right=3) | { q % 16 == 0 && q / 32 > 3 })\n"
            "last = window(left=4, right=1) | { q % 5 == 0 && q / 10 > 1 } - "
            "(window(left=9, right=3) | { q % 10 == 0 && q / 20 > 3 }) | causal & "
            "(window(left=63, right=1) | { q % 64 == 0 && q / 128 > 1 })\n");
}

TEST_F(Spec, a_definition_may_hide_a_built_in) {
  EXPECT_EQ(printed(parseSpec("pattern dilated = dilated(left=8, right=8, dilation=4)\n"
                              "pattern both = dilated | causal",
                              "s")),
            "dilated = dilated(left=8, right=8, dilation=4)\n"
            "both = dilated(left=8, right=8, dilation=4) | causal\n");
}

TEST_F(Spec, examples_of_the_language_parse) {
  write("docs.txt", "0, 10\n 20 # ten each\n\t30");
  std::string path = write("all.girih", R"(
pattern mistral      = causal & window(left=4095)
pattern longformer   = window(left=256, right=256) | global(first=16)
pattern bigbird      = blockwise(window(left=1, right=1) | global(first=1, last=1), size=64) | random_blocks(size=64, count=3, seed=0)
pattern sparse_strided = causal & (window(left=127) | strided(stride=128))
pattern sparse_fixed = causal & (chunk(size=128) | columns(period=128, lo=96, hi=128))
pattern streaming    = causal & (window(left=1023) | global_columns(first=4))
pattern packed       = causal & segments(offsets=@docs.txt)
pattern prefix_lm    = causal | global_columns(first=2048)
pattern dilated      = dilated(left=128, right=128, dilation=4)
pattern mixed        = heads(0..7: causal, 8..15: causal & window(left=511))
pattern custom       = { q >= k && (q - k < 700 || (k / 96) % 5 == 2) }
)");
  ParseResult packed = parseSpecFile(path, "packed");
  ASSERT_TRUE(packed) << packed.error;
  EXPECT_EQ(packed.pattern->children[1]->offsets, (std::vector<int64_t>{0, 10, 20, 30}));
  EXPECT_EQ(packed.pattern->children[1]->file, folder.string() + "/docs.txt");
  ParseResult again = parsePattern(packed.pattern.str());
  EXPECT_TRUE(again && again.pattern == packed.pattern) << again.error;
  EXPECT_TRUE(parseSpecFile(path, "custom"));
  EXPECT_EQ(parseSpecFile(path, "bigbrd").error,
            "unknown pattern 'bigbrd' of '" + path + "'; did you mean 'bigbird'?");
  EXPECT_EQ(parseSpecFile(path).error.find("expected the name of a pattern of"), 0u);
}

TEST_F(Spec, an_only_pattern_needs_no_name) {
  std::string path = write("one.girih", "pattern only = causal");
  EXPECT_TRUE(parseSpecFile(path));
  EXPECT_TRUE(parseSpecFile(path, "only"));
  EXPECT_EQ(parseSpecFile(path, "elsewhere").error,
            "unknown pattern 'elsewhere' of '" + path + "'; it holds: only");
  path = write("two.girih", "pattern a = causal pattern b = full");
  EXPECT_EQ(parseSpecFile(path).error,
            "expected the name of a pattern of '" + path + "', which holds several: a, b");
}

TEST_F(Spec, mistakes_in_definitions) {
  EXPECT_EQ(specError(""), "s:1:1: error: expected 'pattern NAME = ...', but got an empty spec");
  EXPECT_EQ(specError("causal"), "s:1:1: error: expected 'pattern NAME = ...', but got 'causal'");
  EXPECT_EQ(specError("pattern = causal"),
            "s:1:9: error: expected the name of the pattern, but got '='");
  EXPECT_EQ(specError("pattern pattern = causal"),
            "s:1:9: error: expected the name of the pattern, but got 'pattern'");
  EXPECT_EQ(specError("pattern a causal"), "s:1:11: error: expected '=', but got "
                                           "'causal'");
  EXPECT_EQ(specError("pattern a ="),
            "s:1:12: error: expected a pattern, but got the end of the input");
  EXPECT_EQ(specError("pattern a = causal\ncausal"),
            "s:2:1: error: expected 'pattern' or the end of the input, but got "
            "'causal'");
  EXPECT_EQ(specError("pattern a = causal\npattern a = full"),
            "s:2:9: error: expected patterns of different names, but got 'a' again");
  EXPECT_EQ(specError("pattern a = b\npattern b = full").substr(0, 38),
            "s:1:13: error: unknown pattern 'b'; kn");
  EXPECT_EQ(specError("pattern mine = full\npattern a = mien | a"),
            "s:2:13: error: unknown pattern 'mien'; did you mean 'mine'?");
}

TEST_F(Spec, mistakes_in_parameters) {
  EXPECT_EQ(specError("pattern a() = full"),
            "s:1:11: error: expected a parameter name, but got ')'");
  EXPECT_EQ(specError("pattern a(P) = full"), "s:1:12: error: expected ':', but got "
                                              "')'");
  EXPECT_EQ(specError("pattern a(P: x) = full"), "s:1:14: error: expected an integer, but got 'x'");
  EXPECT_EQ(specError("pattern a(P: 1 = full"), "s:1:16: error: expected ')', but got "
                                                "'='");
  EXPECT_EQ(specError("pattern a(P: 1, P: 2) = full"),
            "s:1:17: error: expected parameters of different names, but got 'P' again");
  EXPECT_EQ(specError("pattern a(nq: 1) = full"),
            "s:1:11: error: expected a parameter name, but got 'nq', which has a "
            "meaning of its own");
  EXPECT_EQ(specError("pattern a(Size: 1) = chunk(Sise)"),
            "s:1:28: error: unknown name 'Sise'; did you mean 'Size'?");
  EXPECT_EQ(specError("pattern a(P: 1) = chunk(P)\npattern c = a(Q=2)"),
            "s:2:15: error: unknown argument 'Q' of 'a'; it takes P");
  EXPECT_EQ(specError("pattern a(P: 1) = chunk(P)\npattern c = a(1, 2)"),
            "s:2:18: error: expected at most 1 arguments of 'a', but got more");
  EXPECT_EQ(specError("pattern a(P: 0) = chunk(P)"),
            "s:1:19: error: expected size to be at least 1, but got 0");
}

TEST_F(Spec, a_bad_argument_points_at_body_and_call) {
  EXPECT_EQ(parseSpec("pattern a(P: 1) = chunk(P)\n"
                      "pattern c = a(P=-2)",
                      "s")
                .error,
            "s:1:19: error: expected size to be at least 1, but got -2\n"
            "pattern a(P: 1) = chunk(P)\n"
            "                  ^~~~~~~~\n"
            "s:2:13: note: in 'a', called here\n"
            "pattern c = a(P=-2)\n"
            "            ^~~~~~~");
}

TEST_F(Spec, expansion_is_bounded) {
  // Each line doubles the tree of the one before.
  std::string text = "pattern p0(N: 1) = chunk(N)\n";
  for (int i = 1; i < 64; ++i) {
    std::string before = "p" + std::to_string(i - 1);
    text +=
        "pattern p" + std::to_string(i) + "(N: 1) = " + before + "(2*N) - " + before + "(2*N+1)\n";
  }
  EXPECT_NE(specError(text), "");
  text = "pattern p0 = causal\n";
  for (int i = 1; i < 64; ++i)
    text += "pattern p" + std::to_string(i) + " = p" + std::to_string(i - 1) + " | p" +
            std::to_string(i - 1) + "\n";
  EXPECT_NE(specError(text).find("expected at most 131072 nodes"), std::string::npos);
  text = "pattern p0 = causal\n";
  for (int i = 1; i < 2000; ++i)
    text += "pattern p" + std::to_string(i) + " = ~p" + std::to_string(i - 1) + "\n";
  EXPECT_NE(specError(text).find("expected at most 256 levels"), std::string::npos);
  text = "pattern p0(N: 1) = chunk(N)\n";
  for (int i = 1; i < 2000; ++i)
    text += "pattern p" + std::to_string(i) + "(N: 1) = p" + std::to_string(i - 1) + "(N + 1)\n";
  SpecResult deep = parseSpec(text, "s");
  EXPECT_FALSE(deep);
  EXPECT_NE(deep.error.find("expected at most 256 levels"), std::string::npos);
}

TEST_F(Spec, files_that_cannot_be_read) {
  std::string missing = folder.string() + "/missing";
  EXPECT_EQ(parseSpecFile(missing).error,
            "cannot open '" + missing + "': No such file or directory");
  EXPECT_EQ(parseSpecFile(folder.string()).error,
            "expected a file, but '" + folder.string() + "' is a directory");
  EXPECT_EQ(firstLine(parsePattern("segments(@" + missing + ")", "t").error),
            "t:1:10: error: cannot open '" + missing + "': No such file or directory");
  EXPECT_EQ(firstLine(parsePattern("block_table(@" + folder.string() + ")", "t").error),
            "t:1:13: error: expected a file, but '" + folder.string() + "' is a directory");
}

TEST_F(Spec, file_names_are_quoted_where_needed) {
  std::string path = write("two words/\"a\\b\".txt", "0 4");
  std::string quoted = folder.string() + "/two words/\\\"a\\\\b\\\".txt";
  ParseResult parsed = parsePattern("segments(@\"" + quoted + "\")");
  ASSERT_TRUE(parsed) << parsed.error;
  EXPECT_EQ(parsed.pattern->file, path);
  EXPECT_EQ(parsed.pattern.str(), "segments(offsets=@\"" + quoted + "\")");
  EXPECT_TRUE(parsePattern(parsed.pattern.str()).pattern == parsed.pattern);
}

TEST_F(Spec, relative_files_start_at_the_base_folder) {
  write("sub/o.txt", "0 4");
  ParseOptions options;
  options.baseDir = folder.string();
  EXPECT_TRUE(parsePattern("segments(@sub/o.txt)", "t", options));
  EXPECT_FALSE(parsePattern("segments(@sub/o.txt)", "t"));
}

TEST_F(Spec, mistakes_in_offsets) {
  auto error = [&](const std::string &text) {
    std::string path = write("o.txt", text);
    std::string message = firstLine(parsePattern("segments(@" + path + ")", "t").error);
    size_t at = message.find(path);
    return at == std::string::npos ? message : message.substr(at + path.size());
  };
  EXPECT_EQ(error("0 4 x"), ":1: expected an integer, but got 'x'");
  EXPECT_EQ(error("0\n4.5"), ":2: expected an integer, but got '4.5'");
  EXPECT_EQ(error("0 # 1\n\n99999999999999999999"),
            ":3: expected an integer of 64 bits, but got '99999999999999999999'");
  EXPECT_EQ(error(""), "t:1:1: error: expected offsets to start at 0, but got an empty "
                       "list");
  EXPECT_EQ(error("1 2"), "t:1:1: error: expected offsets to start at 0, but got 1");
  EXPECT_EQ(error("0 3 2"), "t:1:1: error: expected offsets not to decrease, but got 2 after 3");
}

TEST_F(Spec, block_tables_from_files) {
  std::string path = write("t.json", " {\"size\": 64, \"heads\": 2,\n \"indptr\": [0, 1, "
                                     "1 , 3],\"indices\":[0,0,\n1]}\n");
  ParseResult parsed = parsePattern("causal & block_table(@" + path + ")");
  ASSERT_TRUE(parsed) << parsed.error;
  const PatternNode &table = *parsed.pattern->children[1];
  EXPECT_EQ(table.size, 64);
  EXPECT_EQ(table.tableHeads, 2);
  EXPECT_EQ(table.indptr, (std::vector<int64_t>{0, 1, 1, 3}));
  EXPECT_EQ(table.indices, (std::vector<int64_t>{0, 0, 1}));
  EXPECT_EQ(parsed.pattern.str(), "causal & block_table(@" + path + ")");
  EXPECT_TRUE(parsePattern("block_table(file=@" + path + ")"));
  std::string none = write("none.json", R"({"indices": [], "indptr": [0], "size": 1})");
  EXPECT_TRUE(parsePattern("block_table(@" + none + ")"));
}

TEST_F(Spec, mistakes_in_block_tables) {
  auto error = [&](const std::string &text) {
    std::string path = write("t.json", text);
    std::string message = firstLine(parsePattern("block_table(@" + path + ")", "t").error);
    size_t at = message.find(path);
    return at == std::string::npos ? message : message.substr(at + path.size());
  };
  EXPECT_EQ(error(""), ":1: expected '{', but got the end of the file");
  EXPECT_EQ(error("[1]"), ":1: expected '{', but got '[1]'");
  EXPECT_EQ(error("{}"), ": expected \"size\", but it is missing");
  EXPECT_EQ(error("{size: 1}"), ":1: expected a name in quotes, but got 'size:'");
  EXPECT_EQ(error("{\"sise\": 1}"),
            ":1: expected \"size\", \"heads\", \"indptr\" or \"indices\", but got "
            "'\"sise\":'");
  EXPECT_EQ(error("{\"size"), ":1: expected \"size\", \"heads\", \"indptr\" or "
                              "\"indices\", but got '\"size'");
  EXPECT_EQ(error("{\"size\": 1, \"size\": 2}"), ": expected \"size\" once, but got it again");
  EXPECT_EQ(error("{\"size\" 1}"), ":1: expected ':', but got '1}'");
  EXPECT_EQ(error("{\"size\": 1.5}"), ":1: expected an integer, but got '1.5}'");
  EXPECT_EQ(error("{\"size\": [1]}"), ":1: expected an integer, but got '[1]}'");
  EXPECT_EQ(error("{\"size\": 1 \"x\"}"), ":1: expected ',' or '}', but got '\"x\"}'");
  EXPECT_EQ(error("{\"size\": 1, \"indptr\": 3}"), ":1: expected '[', but got '3}'");
  EXPECT_EQ(error("{\"size\": 1, \"indptr\": [3 4]}"), ":1: expected ',' or ']', but got '4]}'");
  EXPECT_EQ(error("{\"size\": 1, \"indptr\": [" + std::string(20000, '[')),
            ":1: expected an integer, but got '[[[[[[[[[[[[[[[[[[[['");
  EXPECT_EQ(error("{\"size\":1,\"indptr\":[0],\"indices\":[]} x"),
            ":1: expected the end of the file, but got 'x'");
  EXPECT_EQ(error("{\"size\":0,\"indptr\":[0],\"indices\":[]}"),
            "t:1:1: error: expected size to be at least 1, but got 0");
}
