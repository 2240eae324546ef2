//===- TilePicture.cpp - Block maps as pictures ---------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Support/TilePicture.h"

#include "llvm/Support/MathExtras.h"

#include <algorithm>

using namespace girih;

TileGrid TileGrid::create(int64_t tileRows, int64_t tileColumns, int64_t maxCells) {
  TileGrid grid;
  grid.tileRows = tileRows;
  grid.tileColumns = tileColumns;
  int64_t longer = std::max({tileRows, tileColumns, int64_t(1)});
  grid.tilesPerCell = llvm::divideCeil(longer, maxCells);
  grid.rows = llvm::divideCeil(tileRows, grid.tilesPerCell);
  grid.columns = llvm::divideCeil(tileColumns, grid.tilesPerCell);
  grid.cells.resize(grid.rows * grid.columns);
  for (int64_t row = 0; row < grid.rows; ++row) {
    for (int64_t column = 0; column < grid.columns; ++column) {
      int64_t height = std::min(grid.tilesPerCell, tileRows - row * grid.tilesPerCell);
      int64_t width = std::min(grid.tilesPerCell, tileColumns - column * grid.tilesPerCell);
      grid.at(row, column).total = height * width;
    }
  }
  return grid;
}

TileGrid TileGrid::ofTokens(int64_t numQ, int64_t numK) {
  TileGrid grid;
  grid.rows = numQ;
  grid.columns = numK;
  grid.tokens = true;
  grid.cells.assign(numQ * numK, TileCell{0, 0, 1});
  return grid;
}

std::string girih::printAscii(const TileGrid &grid, const std::string &indent) {
  // Characters are about twice as high as wide: a space keeps cells square.
  const bool spaced = static_cast<int64_t>(indent.size()) + 2 * grid.columns <= 100;
  std::string out;
  for (int64_t row = 0; row < grid.rows; ++row) {
    out += indent;
    for (int64_t column = 0; column < grid.columns; ++column) {
      const TileCell &cell = grid.at(row, column);
      if (column != 0 && spaced)
        out += ' ';
      bool blank = cell.full == 0 && (cell.partial == 0 || grid.tokens);
      out += blank ? '.' : cell.full == cell.total ? '#' : '+';
    }
    out += '\n';
  }
  return out;
}
