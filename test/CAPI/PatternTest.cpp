//===- PatternTest.cpp - Patterns, masks and reports ----------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CapiTesting.h"

#include <cstring>

using namespace girih::testing;

namespace {

/// A bool mask [batch, heads, numQ, numK].
struct Mask {
  Mask(int64_t batch, int64_t heads, int64_t numQ, int64_t numK)
      : shape{batch, heads, numQ, numK}, data(static_cast<size_t>(batch * heads * numQ * numK), 7) {
    tensor.data = data.data();
    tensor.device = {kDLCPU, 0};
    tensor.ndim = 4;
    tensor.dtype = {6, 8, 1};
    tensor.shape = shape;
  }
  int64_t shape[4];
  std::vector<uint8_t> data;
  DLTensor tensor{};
};

std::string parseError(const SessionHandle &session, const char *text) {
  GirihPattern *pattern = nullptr;
  GirihStatus status;
  std::string result =
      outcome(girihPatternParse(session.get(), text, nullptr, 0, &pattern, &status), status);
  EXPECT_EQ(nullptr, pattern);
  return result;
}

std::string maskError(const PatternHandle &pattern, const GirihLengths &lengths,
                      const DLTensor *mask) {
  GirihStatus status;
  return outcome(girihPatternMask(pattern.get(), &lengths, mask, &status), status);
}

std::string explained(const SessionHandle &session, const PatternHandle &pattern,
                      const GirihLengths &lengths, const GirihCompileOptions *options,
                      int32_t report) {
  GirihStatus status;
  char *text = nullptr;
  std::string result =
      outcome(girihExplain(session.get(), pattern.get(), &lengths, options, report, &text, &status),
              status);
  if (!text)
    return result;
  result = text;
  girihTextFree(text);
  return result;
}

constexpr GirihLengths squareOf(int64_t tokens) {
  return {sizeof(GirihLengths), GIRIH_BOTTOM_RIGHT, 1, 1, 1, tokens, tokens};
}

} // namespace

TEST(Pattern, SaysWhereATextIsWrong) {
  SessionHandle session = makeSession();
  EXPECT_EQ("2: <pattern>:1:10: error: unknown pattern 'windo'; did you mean 'window'?\n"
            "causal & windo(left=1)\n"
            "         ^~~~~",
            parseError(session, "causal & windo(left=1)"));
  EXPECT_EQ("2: expected the text of a pattern, but got null", parseError(session, nullptr));
  GirihStatus status;
  GirihPattern *pattern = nullptr;
  EXPECT_EQ("2: expected a session, but got null",
            outcome(girihPatternParse(nullptr, "full", nullptr, 0, &pattern, &status), status));
  EXPECT_EQ(
      "2: expected room for a pattern, but got null",
      outcome(girihPatternParse(session.get(), "full", nullptr, 0, nullptr, &status), status));
}

TEST(Pattern, TakesTables) {
  SessionHandle session = makeSession();
  std::vector<int64_t> indptr = {0, 1, 2}, indices = {0, 1};
  GirihTable tables[2] = {};
  tables[0] = {"ptr", indptr.data(), GIRIH_TABLE_I64, 1, {3}};
  tables[1] = {"idx", indices.data(), GIRIH_TABLE_I64, 1, {2}};
  const char *text = "block_table(size=2, indptr=@ptr, indices=@idx)";
  PatternHandle pattern = parse(session, text, {tables[0], tables[1]});
  indptr.assign(3, 77); // the pattern has copies
  Mask mask(1, 1, 4, 4);
  ASSERT_EQ("OK", maskError(pattern, squareOf(4), &mask.tensor));
  EXPECT_EQ((std::vector<uint8_t>{1, 1, 0, 0, 1, 1, 0, 0, 0, 0, 1, 1, 0, 0, 1, 1}), mask.data);

  auto refused = [&](auto change) {
    GirihTable table = tables[0];
    change(table);
    GirihPattern *made = nullptr;
    GirihStatus status;
    return outcome(
        girihPatternParse(session.get(), "segments(offsets=@ptr)", &table, 1, &made, &status),
        status);
  };
  EXPECT_EQ("2: expected the name of a table, but got null",
            refused([](GirihTable &t) { t.name = nullptr; }));
  EXPECT_EQ(
      "2: expected dtype of table 'ptr' to be GIRIH_TABLE_I64 (0) or GIRIH_TABLE_F32 (1), but "
      "got 2",
      refused([](GirihTable &t) { t.dtype = 2; }));
  EXPECT_EQ("2: expected rank of table 'ptr' to be from 1 to 4, but got 5",
            refused([](GirihTable &t) { t.rank = 5; }));
  EXPECT_EQ("2: expected extent 0 of table 'ptr' to be from 0 to 2^40, but got -1",
            refused([](GirihTable &t) { t.shape[0] = -1; }));
  EXPECT_EQ("2: expected the product of extents of table 'ptr' to be at most 2^40, but got more",
            refused([](GirihTable &t) {
              t.rank = 2;
              t.shape[0] = t.shape[1] = int64_t{1} << 30;
            }));
  EXPECT_EQ("2: expected data of table 'ptr' to be memory, but got null",
            refused([](GirihTable &t) { t.data = nullptr; }));
  GirihPattern *made = nullptr;
  GirihStatus status;
  EXPECT_EQ("2: expected 1 tables, but got null",
            outcome(girihPatternParse(session.get(), "full", nullptr, 1, &made, &status), status));
  EXPECT_EQ("2: expected -1 tables, but got a negative number",
            outcome(girihPatternParse(session.get(), "full", tables, -1, &made, &status), status));
}

TEST(Pattern, PrintsWhatItIs) {
  SessionHandle session = makeSession();
  PatternHandle pattern = parse(session, "( window( left = 3 ) )|global( first=2)");
  char *text = nullptr;
  GirihStatus status;
  ASSERT_EQ("OK", outcome(girihPatternText(pattern.get(), &text, &status), status));
  EXPECT_STREQ("window(left=3) | global(first=2)", text);
  girihTextFree(text);
  EXPECT_EQ("2: expected room for a text, but got null",
            outcome(girihPatternText(pattern.get(), nullptr, &status), status));
  EXPECT_EQ("2: expected a pattern, but got null",
            outcome(girihPatternText(nullptr, &text, &status), status));
}

TEST(Mask, KeepsWhatThePatternKeeps) {
  SessionHandle session = makeSession();
  PatternHandle pattern =
      parse(session, "{ k <= q && (h == 0 || q - k < 2) && (b == 0 || k > 0) }");
  GirihLengths lengths{sizeof(lengths), GIRIH_BOTTOM_RIGHT, 2, 2, 1, 3, 5};
  for (int align : {GIRIH_BOTTOM_RIGHT, GIRIH_TOP_LEFT}) {
    lengths.align = align;
    Mask mask(2, 2, 3, 5);
    ASSERT_EQ("OK", maskError(pattern, lengths, &mask.tensor));
    size_t at = 0;
    for (int b = 0; b != 2; ++b)
      for (int h = 0; h != 2; ++h)
        for (int i = 0; i != 3; ++i)
          for (int k = 0; k != 5; ++k) {
            const int q = align == GIRIH_TOP_LEFT ? i : i + 2;
            const bool kept = k <= q && (h == 0 || q - k < 2) && (b == 0 || k > 0);
            EXPECT_EQ(kept, mask.data[at++]) << b << " " << h << " " << i << " " << k;
          }
  }
}

TEST(Mask, LooksUpWhatLaunchesDo) {
  SessionHandle session = makeSession();
  std::vector<int64_t> limits = {2, 3, 4};
  GirihTable table{"limit", limits.data(), GIRIH_TABLE_I64, 1, {3}};
  PatternHandle pattern = parse(session, "{ k < @limit[q] }", {table});
  Mask mask(1, 1, 3, 4);
  GirihLengths lengths{sizeof(lengths), GIRIH_TOP_LEFT, 1, 1, 1, 3, 4};
  ASSERT_EQ("OK", maskError(pattern, lengths, &mask.tensor));
  EXPECT_EQ((std::vector<uint8_t>{1, 1, 0, 0, 1, 1, 1, 0, 1, 1, 1, 1}), mask.data);
  Mask larger(1, 1, 4, 4);
  EXPECT_EQ("2: expected index 0 of table @limit, whose extent is 3, to lie in 0..2, but got 0..3",
            maskError(pattern, squareOf(4), &larger.tensor));
  EXPECT_EQ(0, girihSessionCompilations(session.get()));
}

TEST(Mask, NamesWhatIsWrong) {
  SessionHandle session = makeSession();
  PatternHandle pattern = parse(session, "causal");
  Mask mask(1, 1, 4, 4);
  GirihLengths lengths = squareOf(4);
  lengths.align = 2;
  EXPECT_EQ("2: expected align of lengths to be 0 (bottom right) or 1 (top left), but got 2",
            maskError(pattern, lengths, &mask.tensor));
  EXPECT_EQ("2: expected mask, but got null", maskError(pattern, squareOf(4), nullptr));
  EXPECT_EQ("2: expected mask to have extent 5 in dimension 3, but got 4",
            maskError(pattern, squareOf(5), &mask.tensor));
  EXPECT_EQ("2: query length: expected at least 1, but got 0",
            maskError(pattern, squareOf(0), &mask.tensor));
  mask.tensor.dtype = {kDLFloat, 32, 1};
  EXPECT_EQ("2: expected mask to have dtype bool or uint8, but got float32",
            maskError(pattern, squareOf(4), &mask.tensor));
  mask.tensor.dtype = {kDLUInt, 8, 1};
  mask.tensor.device = {kDLCUDA, 1};
  EXPECT_EQ("2: expected mask to be on the CPU, but got one on CUDA device 1",
            maskError(pattern, squareOf(4), &mask.tensor));
  mask.tensor.device = {kDLCPU, 0};
  int64_t strides[] = {16, 16, 1, 4};
  mask.tensor.strides = strides;
  EXPECT_EQ("2: expected mask to be contiguous, stride 1 in dimension 3, but got 4",
            maskError(pattern, squareOf(4), &mask.tensor));
  mask.tensor.ndim = 3;
  EXPECT_EQ("2: expected mask to have 4 dimensions [batch, heads, num_q, num_k], but got 3",
            maskError(pattern, squareOf(4), &mask.tensor));
  EXPECT_EQ(std::vector<uint8_t>(16, 7), mask.data);
}

TEST(Explain, WritesTextJsonAndSvg) {
  SessionHandle session = makeSession();
  PatternHandle pattern = parse(session, "causal & window(left=100)");
  GirihCompileOptions options = cpuOptions();
  std::string text = explained(session, pattern, squareOf(1000), &options, GIRIH_REPORT_TEXT);
  EXPECT_NE(std::string::npos, text.find("coverage")) << text;
  std::string json = explained(session, pattern, squareOf(1000), nullptr, GIRIH_REPORT_JSON);
  EXPECT_EQ('{', json.at(0)) << json;
  EXPECT_NE(std::string::npos, json.find("\"dim\": 64")) << json;
  std::string svg = explained(session, pattern, squareOf(1000), &options, GIRIH_REPORT_SVG);
  EXPECT_NE(std::string::npos, svg.find("<svg")) << svg.substr(0, 200);
  EXPECT_EQ(0, girihSessionCompilations(session.get()));
}

TEST(Explain, TakesTheTilesOfTheDevice) {
  SessionHandle session = makeSession();
  PatternHandle pattern = parse(session, "causal");
  GirihCompileOptions options = cpuOptions();
  options.device = kDLCUDA;
  options.dtype = options.o_dtype = GIRIH_BF16;
  options.chip = "sm_90a";
  std::string json = explained(session, pattern, squareOf(1024), &options, GIRIH_REPORT_JSON);
  EXPECT_NE(std::string::npos, json.find("\"chip\": \"sm_90a\"")) << json;
  EXPECT_NE(std::string::npos, json.find("\"tile_q\": 192,\n  \"tile_k\": 128,")) << json;
}

TEST(Explain, NamesWhatIsWrong) {
  SessionHandle session = makeSession(), other = makeSession();
  PatternHandle pattern = parse(session, "causal");
  EXPECT_EQ("2: expected report to be text (0), JSON (1) or SVG (2), but got 3",
            explained(session, pattern, squareOf(10), nullptr, 3));
  EXPECT_EQ("2: expected a pattern of the same session, but got one of another",
            explained(other, pattern, squareOf(10), nullptr, 0));
  GirihCompileOptions options = cpuOptions();
  options.align = GIRIH_TOP_LEFT;
  EXPECT_EQ("2: expected align of options to be that of lengths, 0, but got 1",
            explained(session, pattern, squareOf(10), &options, 0));
  options = cpuOptions();
  options.chip = "nonsense";
  EXPECT_EQ(0u, explained(session, pattern, squareOf(10), &options, 0).find("2: "));
  options = cpuOptions();
  options.device = kDLCUDA;
  EXPECT_EQ("3: dtype f32 is not supported on cuda; supported: bf16, f16",
            explained(session, pattern, squareOf(10), &options, 0));
  EXPECT_EQ("2: query length: expected at least 1, but got 0",
            explained(session, pattern, squareOf(0), nullptr, 0));
}
