//===- TilePicture.h - Block maps as pictures -------------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A grid of tile counts, and the same as text (TileSvg.h draws it). Knows nothing of
// patterns: whoever has a block map fills the grid, down-sampled so that
// pictures stay small whatever the length.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_SUPPORT_TILEPICTURE_H
#define GIRIH_SUPPORT_TILEPICTURE_H

#include <cstdint>
#include <string>
#include <vector>

namespace girih {

/// How many tiles of each state a cell of a picture stands for.
struct TileCell {
  int64_t full = 0, partial = 0, total = 0;
};

/// A picture's cells, row by row. Each covers `tilesPerCell` by `tilesPerCell`
/// tiles, fewer at the right and lower border; or it is one pair of tokens, `full` when
/// the pair is kept and `partial` when it is masked within a tile that is computed.
struct TileGrid {
  int64_t rows = 0, columns = 0;         ///< cells
  int64_t tileRows = 0, tileColumns = 0; ///< tiles
  int64_t tilesPerCell = 1;
  bool tokens = false; ///< cells are pairs of tokens; there are no tiles then
  std::vector<TileCell> cells;

  /// A grid without listed tiles whose longer side has at most `maxCells` cells.
  static TileGrid create(int64_t tileRows, int64_t tileColumns, int64_t maxCells);

  /// A grid of pairs, none of them in a tile that is computed.
  static TileGrid ofTokens(int64_t numQ, int64_t numK);

  TileCell &at(int64_t row, int64_t column) { return cells[row * columns + column]; }
  const TileCell &at(int64_t row, int64_t column) const { return cells[row * columns + column]; }
};

/// One line for each row of cells: `.` no tile listed, `#` every tile full, `+`
/// anything else; of tokens `#` kept and `.` not. Lines start with `indent`. Cells are
/// square while a row of them fits a line of 100 characters.
std::string printAscii(const TileGrid &grid, const std::string &indent = "");

} // namespace girih

#endif // GIRIH_SUPPORT_TILEPICTURE_H
