//===- TilePictureTest.cpp - Pictures of tiles ----------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Support/TilePicture.h"

#include <gtest/gtest.h>

using namespace girih;

namespace {

TEST(TilePicture, a_cell_is_a_tile_while_they_fit) {
  TileGrid grid = TileGrid::create(2, 3, 4);
  EXPECT_EQ(grid.tilesPerCell, 1);
  grid.at(0, 0).full = 1;
  grid.at(1, 1).partial = 1;
  EXPECT_EQ(printAscii(grid, "> "), "> # . .\n> . + .\n");
}

TEST(TilePicture, border_cells_cover_fewer_tiles) {
  TileGrid grid = TileGrid::create(5, 7, 4);
  EXPECT_EQ(grid.tilesPerCell, 2);
  EXPECT_EQ(grid.rows, 3);
  EXPECT_EQ(grid.columns, 4);
  EXPECT_EQ(grid.at(0, 0).total, 4);
  EXPECT_EQ(grid.at(2, 3).total, 1);
  // Full only when every tile of the cell is.
  grid.at(0, 0).full = 3;
  grid.at(2, 3).full = 1;
  EXPECT_EQ(printAscii(grid), "+ . . .\n. . . .\n. . . #\n");
}

TEST(TilePicture, pairs_are_kept_or_not) {
  TileGrid grid = TileGrid::ofTokens(2, 3);
  grid.at(0, 0).full = 1;
  grid.at(0, 1).partial = 1; // masked: computed, but not kept
  EXPECT_EQ(printAscii(grid), "# . .\n. . .\n");
}

TEST(TilePicture, lines_have_100_characters_at_most) {
  std::string wide = printAscii(TileGrid::ofTokens(1, 48), "    ");
  EXPECT_EQ(wide.size(), 4 + 2 * 48u);
  EXPECT_EQ(wide.find("    . . ."), 0u);
  EXPECT_EQ(printAscii(TileGrid::ofTokens(1, 64), "    ").size(), 4 + 64 + 1u);
}

TEST(TilePicture, nothing_to_draw) { EXPECT_EQ(printAscii(TileGrid::create(0, 0, 8)), ""); }

} // namespace
