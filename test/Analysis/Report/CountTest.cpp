//===- CountTest.cpp - Counting pairs and tiles, in full and on samples ---===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ReportTesting.h"

#include <gtest/gtest.h>

#include <cmath>

using namespace girih;

namespace {

constexpr int64_t million = 1 << 20;

TEST(Bands, cover_everything_when_that_is_few) {
  std::vector<Band> bands = drawBands(100, 10, 80);
  ASSERT_EQ(bands.size(), 1u);
  EXPECT_EQ(bands[0].count, 100);
  EXPECT_EQ(bands[0].weight, 1);
  EXPECT_TRUE(drawBands(0, 10, 80).empty());
}

TEST(Bands, are_disjoint_and_add_up) {
  for (int64_t units : {101, 1000, 12345, 1 << 26}) {
    std::vector<Band> bands = drawBands(units, 10, 80);
    ASSERT_EQ(bands.size(), 82u);
    double total = 0;
    int64_t end = 0;
    for (const Band &band : bands) {
      EXPECT_GE(band.begin, end);
      end = band.begin + band.count;
      total += band.weight * static_cast<double>(band.count);
    }
    EXPECT_EQ(end, units);
    EXPECT_EQ(total, static_cast<double>(units));
  }
}

TEST(Bands, errors_come_from_what_was_drawn) {
  std::vector<Band> bands{{0, 10, 1}, {20, 1, 5}, {30, 1, 5}, {40, 1, 5}};
  Estimate equal = estimate(bands, {100, 7, 7, 7});
  EXPECT_EQ(equal.total, 100 + 3 * 35);
  EXPECT_EQ(equal.error, 0);
  Estimate unequal = estimate(bands, {100, 7, 8, 7});
  EXPECT_DOUBLE_EQ(unequal.error, 2 * std::sqrt(25.0));
}

/// A band of a launch keeps what those queries keep in the whole.
TEST(Bands, see_the_lengths_of_the_whole_launch) {
  Pattern pattern = parsed("{ q >= nq / 2 && k < nq - 5 || q == nk - 1 } | global_rows(last=3)");
  GirihMapParams lengths = lengthsOf(190, 230);
  BoundPattern bound = llvm::cantFail(boundPattern(pattern));
  BandProgram program(*bound.program, lengths);
  int64_t pairs = 0;
  for (int64_t begin = 0; begin < 190; begin += 19) {
    GirihMapParams part = program.params(begin, 19);
    BlockMapPtr map = llvm::cantFail(buildMap(program.get(), part));
    pairs += llvm::cantFail(mapStats(map.get(), program.get(), part)).useful_pairs;
  }
  EXPECT_EQ(pairs, bruteForcePairs(pattern, lengths));
}

TEST(PairCounter, small_counts_are_exact) {
  PairCounter counter(boundPattern, lengthsOf(150, 200, /*heads=*/2, /*batch=*/3));
  for (const char *text : {"causal", "empty", "strided(stride=7)", "{ (q * k + h + b) % 3 == 0 }",
                           "random_blocks(size=16, count=2, seed=1)"}) {
    Pattern pattern = parsed(text);
    PairCount count = llvm::cantFail(counter.count(pattern));
    EXPECT_TRUE(count.exact) << text;
    EXPECT_EQ(count.pairs, bruteForcePairs(pattern, counter.lengths())) << text;
  }
}

TEST(PairCounter, closed_forms_are_exact_at_a_million) {
  PairCounter counter(boundPattern, lengthsOf(million, million));
  PairCount count = llvm::cantFail(counter.count(parsed("window(left=256, right=256)")));
  EXPECT_TRUE(count.exact);
  EXPECT_EQ(count.pairs, 537853696);
}

TEST(PairCounter, samples_say_how_far_off_they_may_be) {
  // What is kept is known: every 512th 64 keys, on 10 of the first rows everything.
  PairCounter counter(boundPattern, lengthsOf(million, million));
  Pattern pattern = parsed("columns(period=512, lo=0, hi=64) | global_rows(first=10)");
  PairCount count = llvm::cantFail(counter.count(pattern));
  EXPECT_FALSE(count.exact);
  double columns = static_cast<double>(million) / 8,
         truth = columns * (million - 10) + 10.0 * million;
  EXPECT_EQ(count.pairs, truth) << "rows in the middle are equal, those at the ends are counted";

  pattern = parsed("causal & columns(period=512, lo=0, hi=64)");
  count = llvm::cantFail(counter.count(pattern));
  EXPECT_FALSE(count.exact);
  truth = columns * million / 2;
  EXPECT_GT(count.error, 0);
  EXPECT_LT(count.error, 0.01 * truth);
  EXPECT_NEAR(count.pairs, truth, count.error);
}

TEST(PairCounter, differences_are_sampled_on_the_same_queries) {
  PairCounter counter(boundPattern, lengthsOf(million, million));
  Pattern columns = parsed("columns(period=512, lo=0, hi=64)");
  PairCount count = llvm::cantFail(
      counter.difference(columns | parsed("columns(period=512, lo=64, hi=65)"), columns));
  EXPECT_FALSE(count.exact);
  EXPECT_EQ(count.pairs, static_cast<double>(million / 512) * million);
  EXPECT_EQ(count.error, 0);
}

TEST(PairCounter, takes_counts_from_elsewhere) {
  PairCounter counter(boundPattern, lengthsOf(million, million));
  Pattern pattern = parsed("strided(stride=128)");
  llvm::cantFail(counter.know(pattern, 1234));
  PairCount count = llvm::cantFail(counter.count(pattern));
  EXPECT_TRUE(count.exact);
  EXPECT_EQ(count.pairs, 1234);
}

TEST(PairCounter, errors_come_through) {
  PairCounter counter(boundPattern, lengthsOf(100, 100));
  auto count = counter.count(segments({0, 50}));
  ASSERT_FALSE(count);
  EXPECT_NE(llvm::toString(count.takeError()).find("end at 100"), std::string::npos);
}

/// The same numbers as a map of that size has.
TEST(TileSizes, count_what_maps_list) {
  for (const char *text : {"causal", "strided(stride=7) & window(left=90)",
                           "heads(0: causal, 1: chunk(size=100))", "empty"}) {
    GirihMapParams lengths = lengthsOf(300, 350, /*heads=*/2, /*batch=*/2);
    BoundPattern bound = llvm::cantFail(boundPattern(parsed(text)));
    for (auto [q, k] : {std::pair(64, 64), std::pair(128, 96), std::pair(16, 64)}) {
      GirihMapParams params = lengths;
      params.tile_q = q;
      params.tile_k = k;
      BlockMapPtr map = llvm::cantFail(buildMap(*bound.program, params));
      GirihMapStats stats = llvm::cantFail(mapStats(map.get(), *bound.program, params));
      TileSize want = countedSize(stats, q, k);
      TileSize got =
          llvm::cantFail(tileSize(bound, lengths, q, k, static_cast<double>(stats.useful_pairs)));
      EXPECT_TRUE(got.exact) << text;
      EXPECT_EQ(got.full, want.full) << text;
      EXPECT_EQ(got.partial, want.partial) << text;
      EXPECT_EQ(got.computedPairs, want.computedPairs) << text;
      EXPECT_DOUBLE_EQ(got.efficiency, want.efficiency) << text;
    }
  }
}

TEST(TileSizes, long_lists_are_sampled) {
  // One diagonal in 128: every tile of 64 x 64 on or next to it.
  BoundPattern bound = llvm::cantFail(boundPattern(parsed("strided(stride=128)")));
  constexpr int64_t n = 1 << 17;
  double useful = static_cast<double>(n) * n / 128;
  TileSize size = llvm::cantFail(tileSize(bound, lengthsOf(n, n), 128, 128, useful));
  EXPECT_FALSE(size.exact);
  EXPECT_EQ(size.partial, static_cast<double>(n / 128) * (n / 128));
  EXPECT_DOUBLE_EQ(size.efficiency, 1.0 / 128);
}

TEST(RowLengths, find_the_longest_row) {
  BoundPattern bound = llvm::cantFail(boundPattern(parsed("chunk(size=64) | global_rows(last=1)")));
  GirihMapParams lengths = lengthsOf(640, 640);
  BlockMapPtr map = llvm::cantFail(buildMap(*bound.program, lengths));
  RowLengths rows = rowLengths(map.get(), 0, 0);
  EXPECT_EQ(rows.rows, 10);
  EXPECT_EQ(rows.longest, 10);
  EXPECT_EQ(rows.longestRow, 9);
  EXPECT_EQ(rows.median, 1);
  EXPECT_EQ(rows.total, 19);
}

} // namespace
