//===- Cells.h - Stretches of tile rows that look alike ---------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a pattern keeps of one tile row often repeats along the row: a query of a grid sees the
// same columns of every grid row in its window. A cell is a stretch of columns as wide as a period
// of the program; what cells of one key (Symmetry.h) hold is derived once.
//
// Edges of tiles rarely line up with a period: 80 keys do not divide 1024. So bisection works in
// granules, parts of a tile that do, and merges them to tiles at the end: a tile is listed when one
// of its granules is, and full when all are.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_RUNTIME_MAP_CELLS_H
#define GIRIH_RUNTIME_MAP_CELLS_H

#include "Grid.h"
#include "Symmetry.h"

#include <unordered_map>

namespace girih {

/// Tile columns [begin, end) that are full for every row at hand, or of unknown
/// state.
struct Segment {
  int64_t begin;
  int64_t end;
  enum State { Unknown, Partial, Full } state;
};
using Segments = std::vector<Segment>;

/// How a grid divides into granules and cells. Read only: serves every (batch, head) and thread.
class Cells {
public:
  Cells(const Program &program, const Grid &tiles);

  /// The grid whose columns are granules.
  const Grid &grid() const { return granules; }
  /// Granules of a cell; 1 when there are no cells worth the name.
  int64_t width() const { return cellWidth; }
  const Symmetry &symmetry() const { return moves; }

  /// Rows of granules as rows of tiles.
  RowLists merged(RowLists list) const;

private:
  const Grid &tiles;
  Symmetry moves;
  Grid granules;
  int64_t cellWidth = 1;
};

/// What is known of cells of one (batch, head), columns counted from the first of the cell; serves
/// one thread.
using KnownCells = std::unordered_map<BoxKey, Segments, BoxKeyHash>;

/// Cells that are remembered: some MiB.
constexpr size_t kMaxKnownCells = 1 << 13;

} // namespace girih

#endif // GIRIH_RUNTIME_MAP_CELLS_H
