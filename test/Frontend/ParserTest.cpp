//===- ParserTest.cpp - Messages of the pattern language ------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Proves that each mistake has its message, at its place.
//
//===----------------------------------------------------------------------===//

#include "girih/Frontend/Parser.h"

#include <algorithm>
#include <gtest/gtest.h>

using namespace girih;

static std::string errorOf(const std::string &text) {
  ParseResult result = parsePattern(text, "t");
  EXPECT_FALSE(result) << text;
  EXPECT_FALSE(bool(result.pattern));
  return result.error;
}

/// The first line of the message for a one-line `text` is
/// "t:1:COLUMN: error: MESSAGE".
static void expectError(const std::string &text, int column, const std::string &message) {
  std::string error = errorOf(text);
  EXPECT_EQ(error.substr(0, error.find('\n')),
            "t:1:" + std::to_string(column) + ": error: " + message);
}

TEST(Parser, shows_line_caret_and_note) {
  EXPECT_EQ(errorOf("causal &\n  windw(left=3)\n"),
            "t:2:3: error: unknown pattern 'windw'; did you mean 'window'?\n"
            "  windw(left=3)\n"
            "  ^~~~~");
  EXPECT_EQ(errorOf("full & (causal\r\n"), "t:1:15: error: expected ')', but got the "
                                           "end of the input\n"
                                           "full & (causal\n"
                                           "              ^\n"
                                           "t:1:8: note: to close this '('\n"
                                           "full & (causal\n"
                                           "       ^");
  EXPECT_EQ(errorOf("{ é"), "t:1:3: error: unknown character 'é'\n"
                            "{ é\n"
                            "  ^");
  EXPECT_EQ(errorOf("# ü\n\t{ q }"),
            "t:2:4: error: expected a condition as a predicate, but got the integer "
            "'q'\n"
            " { q }\n"
            "   ^");
}

TEST(Parser, cuts_long_lines_around_the_caret) {
  std::string padding(500, ' ');
  std::string error = errorOf("causal &" + padding + "wat" + padding + "& full");
  EXPECT_LT(error.size(), 600u);
  EXPECT_NE(error.find("\n..."), std::string::npos);
  EXPECT_NE(error.find("wat"), std::string::npos);
}

TEST(Parser, unknown_names) {
  expectError("windw(left=3)", 1, "unknown pattern 'windw'; did you mean 'window'?");
  expectError("Causal", 1, "unknown pattern 'Causal'; did you mean 'causal'?");
  expectError("random_block(1)", 1,
              "unknown pattern 'random_block'; did you mean 'random_blocks'?");
  expectError("xyz", 1,
              "unknown pattern 'xyz'; known: full, empty, causal, window, dilated, "
              "strided, chunk, columns, global_columns, global_rows, global, "
              "blockwise, segments, random_blocks, block_table, neighborhood, heads");
  expectError("window(lft=3)", 8, "unknown argument 'lft' of 'window'; did you mean 'left'?");
  expectError("window(zzzz=3)", 8, "unknown argument 'zzzz' of 'window'; it takes left, right");
  expectError("causal(x=3)", 8, "unknown argument 'x' of 'causal'; it takes none");
  expectError("{ mn(q, k) < 1 }", 3, "unknown name 'mn'; did you mean 'min'?");
  expectError("{ position < 1 }", 3,
              "unknown name 'position'; known here: b, h, q, k, nq, nk, min, max, "
              "abs, true, false");
}

TEST(Parser, structure) {
  expectError("", 1, "expected a pattern, but got an empty expression");
  expectError("  # only a comment", 19,
              "expected a pattern, but got an empty "
              "expression");
  expectError("causal |", 9, "expected a pattern, but got the end of the input");
  expectError("causal | | full", 10, "expected a pattern, but got '|'");
  expectError("| causal", 1, "expected a pattern, but got '|'");
  expectError("causal causal", 8, "expected an operator or the end of the input, but got 'causal'");
  expectError("causal )", 8, "expected an operator or the end of the input, but got ')'");
  expectError("(causal", 8, "expected ')', but got the end of the input");
  expectError("~", 2, "expected a pattern, but got the end of the input");
  expectError("3", 1, "expected a pattern, but got '3'");
  expectError("causal || full", 8, "expected '|' for a union, but got '||'");
  expectError("causal && full", 8, "expected '&' for an intersection, but got '&&'");
  expectError("pattern x = causal", 1,
              "expected an expression, but got a definition, which belongs in a spec "
              "file");
}

TEST(Parser, characters) {
  expectError("causal $", 8, "unknown character '$'");
  expectError("causal \xff", 8, "unknown character '\\xFF'");
  expectError(std::string("causal \0", 8), 8, "unknown character '\\x00'");
  expectError("causal \x1b[1m", 8, "unknown character '\\x1B'");
  expectError("window(left=1.5)", 13, "expected an integer, but got '1.5'");
  expectError("window(left=1e5)", 13, "expected an integer, but got '1e5'");
  expectError("window(left=0x10)", 13, "expected a number, but got '0x10'");
  expectError("segments(@)", 10, "expected a file name after '@', but got none");
  expectError("segments(@\"docs)", 10,
              "expected '\"' at the end of the file name, but got the end of the "
              "input");
  expectError(std::string("segments(@\"d\0\")", 15), 10,
              "expected a file name, but got a zero byte in it");
}

TEST(Parser, integers) {
  expectError("window(left=9223372036854775808)", 13,
              "expected an integer of 64 bits, but got '9223372036854775808'");
  expectError("window(left=99999999999999999999999)", 13,
              "expected an integer of 64 bits, but got '99999999999999999999999'");
  expectError("{ q > -9223372036854775809 }", 7,
              "expected an integer of 64 bits, but got '-9223372036854775809'");
  expectError("window(left=9223372036854775807 + 1)", 13,
              "expected a constant of 64 bits, but got '9223372036854775807 + 1'");
  expectError("window(left=1/0)", 15,
              "expected the right side of '/' to be a positive constant, but got 0");
  expectError("random_blocks(size=1, count=1, seed=99999999999999999999)", 37,
              "expected an integer of 64 bits, but got '99999999999999999999'");
  expectError("random_blocks(size=1, count=1, seed=-1)", 37,
              "expected seed to be at least 0, but got -1");
}

TEST(Parser, arguments) {
  expectError("chunk", 1, "expected argument 'size' of 'chunk', but it is missing");
  expectError("dilated(1, 2)", 1, "expected argument 'dilation' of 'dilated', but it is missing");
  expectError("window(1, 2, 3)", 14, "expected at most 2 arguments of 'window', but got more");
  expectError("causal(3)", 8, "expected at most 0 arguments of 'causal', but got more");
  expectError("window(left=1, left=2)", 16, "expected argument 'left' once, but got it again");
  expectError("window(1, left=2)", 11, "expected argument 'left' once, but got it again");
  expectError("window(left=1, 2)", 16, "expected a named argument after a named one, but got '2'");
  expectError("window(left=1", 14, "expected ')', but got the end of the input");
  expectError("window(left=1; right=2)", 14, "unknown character ';'");
  expectError("window(left=)", 13, "expected an integer, but got ')'");
  expectError("window(left=[1])", 13, "expected an integer, but got '['");
  expectError("window(left=causal)", 13, "expected an integer, but got 'causal'");
  expectError("window(left=q)", 13, "expected a constant, but got the variable 'q'");
  expectError("window(left=true)", 13, "expected an integer, but got 'true'");
  expectError("window(left=!3)", 14, "expected a condition after '!', but got the integer '3'");
  expectError("window(left=3 < 4)", 15, "expected ')', but got '<'");
  expectError("blockwise(3, size=2)", 11, "expected a pattern, but got '3'");
  expectError("neighborhood(grid=8, kernel=[3])", 19, "expected a list '[...]', but got '8'");
  expectError("neighborhood(grid=[8, kernel=[3])", 23, "expected an integer, but got 'kernel'");
  expectError("neighborhood(grid=[8 8], kernel=[3])", 22, "expected ']', but got '8'");
  expectError("neighborhood(grid=[8], kernel=[3], causal=[2])", 44,
              "expected true or false, but got '2'");
  expectError("neighborhood(grid=[8], kernel=[3], causal=true)", 43,
              "expected a list '[...]', but got 'true'");
  expectError("global()", 1,
              "expected argument 'first' or 'last' of 'global', but both are missing");
  expectError("segments(offsets=3)", 18,
              "expected a list '[...]' or '@file', but got "
              "'3'");
  expectError("block_table(file=3)", 18, "expected '@file', but got '3'");
  expectError("block_table(size=3)", 1,
              "expected either '@file', or size, indptr and indices of "
              "'block_table'");
  expectError("block_table(@x, size=3)", 1,
              "expected either '@file', or size, indptr and indices of "
              "'block_table'");
  expectError("block_table(@x, @y)", 17, "cannot open 'y': No such file or directory");
}

TEST(Parser, heads) {
  expectError("heads", 6, "expected '(', but got the end of the input");
  expectError("heads()", 1, "expected heads to have a pattern or more, but got none");
  expectError("heads([])", 1, "expected heads to have a pattern or more, but got none");
  expectError("heads([causal", 14, "expected ']', but got the end of the input");
  expectError("heads(0..3 causal)", 12, "expected '..' or ':' after the head, but got 'causal'");
  expectError("heads(causal)", 7, "expected an integer, but got 'causal'");
  expectError("heads(3..0: causal)", 1, "expected a head range to ascend, but got 3..0");
  expectError("heads(-1..0: causal)", 1, "expected a head to be at least 0, but got -1");
  expectError("heads(0..4: causal, 3..5: full)", 1,
              "expected head ranges not to overlap, but 3 lies in 0..4 and 3..5");
}

TEST(Parser, predicates) {
  expectError("{ }", 3, "expected an integer or a condition, but got '}'");
  expectError("{ q < k", 8, "expected '}', but got the end of the input");
  expectError("{ q < k k }", 9, "expected '}', but got 'k'");
  expectError("{ q }", 3, "expected a condition as a predicate, but got the integer 'q'");
  expectError("{ q = k }", 5, "expected '==', but got '='");
  expectError("{ q < k | k < 3 }", 9, "expected '||', but got '|'");
  expectError("{ q < k & k < 3 }", 9, "expected '&&', but got '&'");
  expectError("{ q < k < 3 }", 9,
              "expected one comparison, but got a chain; write 'a < b && b < c'");
  expectError("{ q && k < 3 }", 3,
              "expected a condition on the left of '&&', but got the integer 'q'");
  expectError("{ q < 3 || 7 }", 12,
              "expected a condition on the right of '||', but got the integer '7'");
  expectError("{ (q < k) + 1 < 3 }", 3,
              "expected an integer on the left of '+', but got the condition "
              "'(q < k)'");
  expectError("{ q == (k < 1) }", 8,
              "expected an integer on the right of '==', but got the condition "
              "'(k < 1)'");
  expectError("{ !q }", 4, "expected a condition after '!', but got the integer 'q'");
  expectError("{ -(q < k) < 1 }", 4,
              "expected an integer after '-', but got the condition '(q < k)'");
  expectError("{ abs(q < k) < 1 }", 7,
              "expected an integer in 'abs', but got the condition 'q < k'");
  expectError("{ abs((q < k)) < 1 }", 7,
              "expected an integer in 'abs', but got the condition '(q < k)'");
  expectError("{ min(q) < 1 }", 8, "expected ',' and a second integer, but got ')'");
  expectError("{ abs(q, k) < 1 }", 8, "expected ')', but got ','");
  expectError("{ min < 1 }", 7, "expected '(', but got '<'");
}

TEST(Parser, divisors) {
  expectError("{ q / k == 1 }", 7,
              "expected the right side of '/' to be a positive constant, but got 'k'");
  expectError("{ q % 0 == 1 }", 7,
              "expected the right side of '%' to be a positive constant, but got 0");
  expectError("{ q % -3 == 1 }", 7,
              "expected the right side of '%' to be a positive constant, but got -3");
  expectError("{ q / (2 - 2) == 1 }", 7,
              "expected the right side of '/' to be a positive constant, but got 0");
  EXPECT_TRUE(parsePattern("{ q / (2*32) == 1 }"));
}

TEST(Parser, values_are_checked_at_the_call) {
  expectError("full & window(left=-1)", 8, "expected left to be at least 0, but got -1");
  expectError("window(right=-2)", 1, "expected right to be at least 0, but got -2");
  expectError("chunk(0)", 1, "expected size to be at least 1, but got 0");
  expectError("strided(-4)", 1, "expected stride to be at least 1, but got -4");
  expectError("full | blockwise(causal, 0)", 8, "expected size to be at least 1, but got 0");
  expectError("segments([1, 2])", 1, "expected offsets to start at 0, but got 1");
  expectError("{ q * q * q * q < 1 }", 1,
              "expected index arithmetic to stay within 62 bits for positions up to "
              "67108864, but 'q * q * q' may not");
}

static std::string repeat(const std::string &part, int count) {
  std::string text;
  for (int i = 0; i < count; ++i)
    text += part;
  return text;
}

TEST(Parser, deep_nesting_is_an_error) {
  for (const char *part : {"(", "~", "blockwise(", "heads([", "heads(0:", "window("}) {
    std::string error = errorOf(repeat(part, 20000) + "causal");
    if (std::string(part) == "window(")
      continue; // takes integers, so it ends at once
    EXPECT_NE(error.find("expected at most 256 levels of nesting, but got more"), std::string::npos)
        << part;
  }
  for (const char *part : {"(", "!", "-", "abs(", "min(1, ", "!(", "- - "})
    for (const char *open : {"{", "chunk("})
      errorOf(open + repeat(part, 20000) + "q");
  EXPECT_NE(errorOf("{" + repeat("!", 20000) + "true}").find("256 levels"), std::string::npos);
  EXPECT_NE(errorOf("{" + repeat("-", 20000) + "q < 1}").find("256 levels"), std::string::npos);
}

TEST(Parser, long_chains_end_well) {
  EXPECT_NE(errorOf("causal" + repeat(" - causal", 50000)).find("256 levels"), std::string::npos);
  EXPECT_NE(errorOf("{ q" + repeat(" + q", 50000) + " < 1 }").find("256 levels"),
            std::string::npos);
  EXPECT_NE(errorOf("{ q < k" + repeat(" || q < k", 50000) + " }").find("256 levels"),
            std::string::npos);
  EXPECT_NE(errorOf("causal" + repeat(" | causal", 140000)).find("131072 nodes"),
            std::string::npos);
  EXPECT_TRUE(parsePattern("causal" + repeat(" & causal", 50000)));
}

TEST(Parser, accepts_the_deepest_tree) {
  for (const std::string &text :
       {repeat("~", 255) + "causal", repeat("~", 254) + "{ true }",
        "{ " + repeat("-", 253) + "q < 1 }", "causal" + repeat(" - causal", 255),
        repeat("full - (", 254) + "full - causal" + repeat(")", 254)}) {
    ParseResult parsed = parsePattern(text);
    ASSERT_TRUE(parsed) << parsed.error;
    EXPECT_EQ(parsed.pattern.str(), text);
    EXPECT_EQ(validate(parsed.pattern), "");
  }
}

TEST(Parser, written_forms_of_one_tree) {
  auto same = [](const char *a, const char *b) {
    ParseResult x = parsePattern(a), y = parsePattern(b);
    EXPECT_TRUE(x && y && x.pattern == y.pattern) << a << " vs " << b << x.error << y.error;
  };
  same("causal()", "causal");
  same("window(256, 256)", "window(right=256, left=256)");
  same("global(16)", "global(first=16, last=0)");
  same("window(left=2*64-1)", "window(left=127)");
  same("chunk(size=-(-3))", "chunk(3)");
  same("neighborhood([8], [3], causal=[0])", "neighborhood(grid=[8], kernel=[3])");
  same("neighborhood([8], [3], causal=[1])",
       "neighborhood(grid=[8], kernel=[3], dilation=[1], stride=[1], causal=[true])");
  same("blockwise(pattern=causal, size=3)", "blockwise(causal, 3)");
  same("random_blocks(64, 3)", "random_blocks(size=64, count=3, seed=0)");
  same("causal # all of it\n & full", "causal&full");
}

TEST(Parser, survives_damaged_text) {
  // Every prefix, and every single-byte change, ends in a tree or a message.
  const std::string text = "heads(0..7: causal & ~window(left=3), 8: blockwise(global(1) "
                           "- {q>=k&&(q-k<7||abs(k/9)%5==-2)}, size=2)) | "
                           "segments(offsets=[0, 4])";
  ASSERT_TRUE(parsePattern(text));
  auto check = [](const std::string &damaged) {
    ParseResult result = parsePattern(damaged);
    EXPECT_EQ(bool(result), bool(result.pattern));
    EXPECT_TRUE(!result || parsePattern(result.pattern.str()).pattern == result.pattern);
  };
  for (size_t i = 0; i < text.size(); ++i) {
    check(text.substr(0, i));
    check(text.substr(i));
    for (char c : std::string("()[]{},=:|&~-+*/%<>!.@#\"\n09a \x80\xff", 31)) {
      std::string damaged = text;
      damaged[i] = c;
      check(damaged);
    }
  }
}
