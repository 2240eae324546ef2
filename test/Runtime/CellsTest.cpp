//===- CellsTest.cpp - Maps of grids, in granules and cells ---------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Proves that maps are those of a brute-force scan where tiles do not divide the period of a
// pattern, so that rows are derived in parts of tiles and put together from cells.
//
//===----------------------------------------------------------------------===//

#include "src/map/Cells.h"
#include "MapTesting.h"

#include "girih/Reference/Dice.h"

#include <gtest/gtest.h>

using namespace girih;
using namespace girih::testing;

namespace {

/// Whether a coordinate of q and one of k are at most `radius` apart.
int32_t near(ProgramBuilder &p, int32_t q, int32_t k, int64_t radius) {
  int32_t d = p.minus(q, k);
  return p.both(p.ge0(p.shift(d, radius)), p.ge0(p.shift(p.times(d, -1), radius)));
}

/// Windows of a grid whose rows have `width` tokens, sometimes with what every query sees, what
/// repeats along rows alone, or an end.
int32_t gridWindows(ProgramBuilder &p, Dice &draw, int64_t width) {
  int32_t q = p.q(), k = p.k();
  int32_t root = p.both(near(p, p.div(q, width), p.div(k, width), draw.between(0, 3)),
                        near(p, p.mod(q, width), p.mod(k, width), draw.between(0, width / 3)));
  switch (draw.between(0, 5)) {
  case 0:
    return p.either(root, p.ge0(p.shift(p.times(k, -1), draw.between(0, 40))));
  case 1:
    return p.either(root, p.ge0(p.shift(p.mod(k, width), -draw.between(1, width))));
  case 2:
    return p.both(root, p.ge(q, k));
  case 3:
    return p.both(root, p.ge0(p.shift(p.times(q, -1), draw.between(100, 500))));
  case 4:
    return p.negate(root);
  default:
    return root;
  }
}

GirihMapParams gridParams(Dice &draw) {
  int64_t numK = draw.between(300, 640);
  int64_t numQ = draw.pick({0, 1, 1}) ? numK : draw.between(300, 640);
  return makeParams(numQ, numK, draw.pick({true, false}), draw.pick({1, 2, 4, 8}),
                    draw.pick({3, 5, 6, 9, 10, 12, 14, 20}));
}

} // namespace

TEST(Cells, MapsOfGridsMatchBruteForce) {
  uint64_t seed = testSeed();
  int64_t cases = testCases(60), inGranules = 0;
  for (int64_t i = 0; i < cases; ++i) {
    std::mt19937_64 random(seed + static_cast<uint64_t>(i));
    Dice draw(random);
    ProgramBuilder builder;
    int32_t root = gridWindows(builder, draw, draw.between(6, 36));
    GirihMapProgram program = builder.program(root);
    GirihMapParams params = gridParams(draw);
    std::string difference = compareWithOracle(program, params);
    ASSERT_TRUE(difference.empty())
        << "GIRIH_TEST_SEED=" << seed + static_cast<uint64_t>(i) << " GIRIH_TEST_CASES=1\n"
        << difference << describe(program, params);
    Program analyzed;
    ASSERT_EQ(analyzed.analyze(program, nullptr), GIRIH_OK);
    Grid grid(params, /*reverse=*/false);
    Cells cells(analyzed, grid);
    inGranules += cells.grid().column.tile < params.tile_k && cells.width() > 1;
  }
  printf("%lld of %lld maps were derived in granules\n", static_cast<long long>(inGranules),
         static_cast<long long>(cases));
  EXPECT_TRUE(cases < 60 || inGranules > cases / 5);
}

/// A tile is listed when one of its granules is, and full when all are; one that is cut at the last
/// key is never full.
TEST(Cells, GranulesMergeToTiles) {
  ProgramBuilder p;
  int32_t root = near(p, p.mod(p.q(), 1024), p.mod(p.k(), 1024), 6);
  GirihMapProgram program = p.program(root);
  Program analyzed;
  ASSERT_EQ(analyzed.analyze(program, nullptr), GIRIH_OK);
  GirihMapParams params = makeParams(1 << 20, (1 << 20) - 8, /*bottomRight=*/false, 128, 80);
  Grid tiles(params, /*reverse=*/false);
  Cells cells(analyzed, tiles);
  // 16 divides 80 and 1024; five of them are a tile.
  ASSERT_EQ(cells.grid().column.tile, 16);
  EXPECT_EQ(cells.width(), 64);

  int64_t all = cells.grid().column.tiles(); // 65536: 13107 tiles of 5, and one granule
  RowLists list;
  list.append(3, 4, GIRIH_TILE_PARTIAL);   // part of tile 0
  list.append(7, 22, GIRIH_TILE_FULL);     // tiles 1 and 4 in part; 2 and 3
  list.append(23, 25, GIRIH_TILE_PARTIAL); // the rest of tile 4
  list.append(26, 29, GIRIH_TILE_FULL);    // inside tile 5
  list.append(60, 65, GIRIH_TILE_FULL);    // tile 12
  list.append(all - 6, all, GIRIH_TILE_FULL);
  list.closeRow();
  list.closeRow();
  RowLists merged = cells.merged(std::move(list));
  ASSERT_EQ(merged.rows(), 2);
  const GirihRun expected[] = {
      {0, 2, GIRIH_TILE_PARTIAL, 0},      {2, 4, GIRIH_TILE_FULL, 0},
      {4, 6, GIRIH_TILE_PARTIAL, 0},      {12, 13, GIRIH_TILE_FULL, 0},
      {13106, 13107, GIRIH_TILE_FULL, 0}, {13107, 13108, GIRIH_TILE_PARTIAL, 0}};
  ASSERT_EQ(merged.offsets[1], static_cast<int64_t>(std::size(expected)));
  EXPECT_EQ(merged.offsets[2], merged.offsets[1]);
  for (size_t i = 0; i < std::size(expected); ++i) {
    EXPECT_EQ(merged.runs[i].begin, expected[i].begin) << i;
    EXPECT_EQ(merged.runs[i].end, expected[i].end) << i;
    EXPECT_EQ(merged.runs[i].state, expected[i].state) << i;
  }
}
