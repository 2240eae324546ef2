//===- AdviceTest.cpp - Advice is given when true, and only then ----------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each remark has a pattern that triggers it, with the numbers worked out by hand,
// and a similar one that does not.
//
//===----------------------------------------------------------------------===//

#include "ReportTesting.h"

#include <gtest/gtest.h>

using namespace girih;

namespace {

/// The texts of the remarks with this id, one a line.
std::string textsOf(const std::string &id, const std::string &pattern,
                    const GirihMapParams &lengths, std::optional<int64_t> layers = {}) {
  std::string out;
  for (const Advice &advice : adviceFor(pattern, lengths, layers))
    if (advice.id == id)
      out += (out.empty() ? "" : "\n") + advice.text;
  return out;
}

TEST(Advice, empty_pattern) {
  EXPECT_EQ(textsOf("empty-pattern", "causal & { k > q }", lengthsOf(50, 50)),
            "the pattern keeps no pair: every output is 0, every LSE -inf");
  EXPECT_EQ(adviceFor("empty", lengthsOf(50, 50)).size(), 1u) << "and nothing else is said";
  EXPECT_EQ(textsOf("empty-pattern", "causal", lengthsOf(1, 1)), "");
}

TEST(Advice, empty_rows) {
  EXPECT_EQ(textsOf("empty-rows", "{ q >= 25 }", lengthsOf(100, 100, /*heads=*/2)),
            "50 of 200 queries (25 %) keep no key: their output is 0, their LSE -inf");
  EXPECT_EQ(textsOf("empty-rows", "causal", lengthsOf(100, 100)), "");
}

TEST(Advice, tile_size) {
  // 16 keys in 256: tiles of 16 keys compute a quarter of what tiles of 64 do.
  EXPECT_EQ(textsOf("tile-size", "columns(period=256, lo=0, hi=16)", lengthsOf(1024, 1024)),
            "75 % of computed pairs are masked with tiles of 64 x 64; 64 x 16 would compute 4.0 "
            "times fewer pairs (0 % masked), at a lower rate if tiles are smaller");
  // Nothing is masked, or no size is better.
  EXPECT_EQ(textsOf("tile-size", "chunk(size=128)", lengthsOf(1024, 1024)), "");
  EXPECT_EQ(textsOf("tile-size", "strided(stride=2)", lengthsOf(1024, 1024)), "");
}

TEST(Advice, period_of_columns) {
  GirihMapParams lengths = lengthsOf(1024, 1024);
  lengths.tile_k = 128;
  EXPECT_EQ(textsOf("period", "columns(period=128, lo=0, hi=4)", lengths),
            "period 128 against k-tiles of 128: 97 % of the keys in tiles that "
            "`columns(period=128, lo=0, hi=4)` touches are masked; k-tiles of 16 touch 12 % of the "
            "keys and mask 75 %");
  EXPECT_EQ(textsOf("period", "columns(period=128, lo=0, hi=4)", lengthsOf(1024, 1024)),
            "period 128 against k-tiles of 64: 94 % of the keys in tiles that "
            "`columns(period=128, lo=0, hi=4)` touches are masked; k-tiles of 16 touch 12 % of the "
            "keys and mask 75 %");
  // Whole tiles, or in blocks that are; taken away rather than added.
  EXPECT_EQ(textsOf("period", "causal & columns(period=128, lo=64, hi=128)", lengthsOf(1024, 1024)),
            "");
  EXPECT_EQ(textsOf("period", "causal & blockwise(columns(period=2, lo=0, hi=1), size=64)",
                    lengthsOf(1024, 1024)),
            "");
  EXPECT_EQ(textsOf("period", "strided(stride=2) - columns(period=128, lo=0, hi=4)",
                    lengthsOf(1024, 1024))
                .find("columns"),
            std::string::npos);
}

TEST(Advice, period_of_strides) {
  EXPECT_EQ(
      textsOf("period", "strided(stride=32)", lengthsOf(1024, 1024)),
      "stride 32 against tiles of 64 x 64: `strided(stride=32)` touches 100 % of the tiles in "
      "its reach and 97 % of their pairs are masked; no size of contiguous tiles helps much, "
      "as the keys of a query are 32 apart");
  // Of the tiles that begin 0, 64, ... 448 apart modulo 512, the diagonal goes through
  // 0 (which it shares with -63 to 63) alone.
  std::string rare = textsOf("period", "strided(stride=512)", lengthsOf(4096, 4096));
  EXPECT_NE(rare.find("touches 12 % of the tiles in its reach and 98 %"), std::string::npos)
      << rare;
  EXPECT_EQ(textsOf("period", "strided(stride=1)", lengthsOf(1024, 1024)), "");
  EXPECT_NE(textsOf("period", "dilated(left=20, right=20, dilation=4)", lengthsOf(1024, 1024)), "");
  EXPECT_EQ(textsOf("period", "window(left=300) - ~~strided(stride=32)", lengthsOf(1024, 1024)),
            "");
  EXPECT_NE(textsOf("period", "window(left=300) - ~strided(stride=32)", lengthsOf(1024, 1024)), "");
}

TEST(Advice, block_size) {
  EXPECT_EQ(
      textsOf("block-size", "random_blocks(size=32, count=3, seed=0)", lengthsOf(1024, 1024)),
      "a block of 32 x 32 in `random_blocks(size=32, count=3, seed=0)` fills 25 % of a tile of "
      "64 x 64; --tile 32x32 keeps blocks whole");
  EXPECT_EQ(textsOf("block-size", "random_blocks(size=64, count=3, seed=0)", lengthsOf(1024, 1024)),
            "");
}

TEST(Advice, no_contribution) {
  EXPECT_EQ(textsOf("no-contribution", "window(left=99, right=0) | window(left=9, right=0)",
                    lengthsOf(500, 500)),
            "`window(left=9, right=0)` adds no pair that the rest does not keep at these lengths: "
            "without it the pattern is the same");
  EXPECT_EQ(textsOf("no-contribution", "causal & window(left=500)", lengthsOf(500, 500)),
            "`window(left=500)` removes no pair that the rest keeps at these lengths: without it "
            "the pattern is the same");
  EXPECT_EQ(textsOf("no-contribution", "causal & window(left=498)", lengthsOf(500, 500)), "");
  // What is inside of a useless part needs no word of its own.
  EXPECT_EQ(textsOf("no-contribution", "full | (causal & chunk(size=5))", lengthsOf(500, 500)),
            "`causal & chunk(size=5)` adds no pair that the rest does not keep at these lengths: "
            "without it the pattern is the same");
}

TEST(Advice, long_row) {
  // 128 tile rows: the global one lists 128 tiles, the others 2 (the diagonal and the
  // global column).
  std::string text = textsOf("long-row", "chunk(size=64) | global(first=1)", lengthsOf(8192, 8192));
  EXPECT_EQ(text,
            "q-tile 0 lists 128 k-tiles where the median q-tile lists 2: 34 % of all listed "
            "tiles are in this one row, and more than 2 workers wait for it unless it is cut; "
            "launches cut such rows and merge the parts");
  EXPECT_EQ(textsOf("long-row", "causal", lengthsOf(8192, 8192)), "");
  EXPECT_EQ(textsOf("long-row", "chunk(size=64) | global(first=1)", lengthsOf(1024, 1024)), "")
      << "a row of 16 tiles is not long";
}

TEST(Advice, not_connected) {
  EXPECT_EQ(textsOf("not-connected", "chunk(size=100)", lengthsOf(1000, 1000)),
            "the 1,000 tokens form 10 groups that never exchange information");
  // One token hears nobody: its 99 others are a hundredth of all pairs.
  EXPECT_EQ(textsOf("not-connected", "{ q != 50 }", lengthsOf(100, 100)),
            "0.99 % of the pairs of tokens never exchange information, however many layers");
  EXPECT_EQ(textsOf("not-connected", "causal", lengthsOf(1000, 1000)), "");
  EXPECT_EQ(textsOf("not-connected", "window(left=1, right=1)", lengthsOf(1000, 1000)), "");
}

TEST(Advice, few_layers) {
  // After one layer a token knows at most 3: 3 * 100 - 2 of 10,000 pairs.
  EXPECT_EQ(textsOf("few-layers", "window(left=1, right=1)", lengthsOf(100, 100), 1),
            "after 1 layer 3 % of the pairs of tokens that can exchange information have done so; "
            "all have after 99");
  EXPECT_EQ(textsOf("few-layers", "window(left=1, right=1)", lengthsOf(100, 100), 99), "");
  EXPECT_EQ(textsOf("few-layers", "window(left=1, right=1)", lengthsOf(100, 100)), "");
}

TEST(Advice, dense_patterns_need_none) {
  for (const char *text : {"full", "causal", "causal & window(left=4095)"})
    EXPECT_TRUE(adviceFor(text, lengthsOf(8192, 8192)).empty()) << text;
}

TEST(GroupedDigits, have_commas) {
  EXPECT_EQ(groupedDigits(0), "0");
  EXPECT_EQ(groupedDigits(999), "999");
  EXPECT_EQ(groupedDigits(1234567), "1,234,567");
  EXPECT_EQ(groupedDigits(-123456), "-123,456");
}

} // namespace
