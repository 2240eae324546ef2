//===- Bisection.h - Block maps of any program by bisection -----*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The QUADTREE tier: boxes of tiles are halved until interval arithmetic
// decides them; a single tile that stays open is probed, then halved further down
// to some hundred pairs that are scanned. What cells of a row hold is taken from cells
// like them. Runs come out row by row, so nothing is sorted.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_RUNTIME_MAP_BISECTION_H
#define GIRIH_RUNTIME_MAP_BISECTION_H

#include "Cells.h"

namespace girih {

/// Derives rows of one (batch, head); one object serves one thread.
class Bisection {
public:
  /// `plan` is that of the program's root; `evaluator` is bound by the caller.
  Bisection(const Program &program, const Plan &plan, const Grid &grid, Evaluator &evaluator);
  /// The same in granules; `known` is of the evaluator's (batch, head).
  Bisection(const Program &program, const Plan &plan, const Cells &cells, KnownCells &known,
            Evaluator &evaluator);

  /// Appends tile rows [begin, end). Tiles outside `candidates` are known to be
  /// empty.
  void appendTileRows(int64_t begin, int64_t end, const Segments &candidates, RowLists &rows);

private:
  void refine(int64_t begin, int64_t end, int64_t first, int64_t last, Segments &out);
  void refineHalves(int64_t begin, int64_t end, int64_t first, int64_t last, Segments &out);
  /// Columns [first, last) of a row, of which the evaluator holds the box.
  void refineCell(int64_t index, int64_t first, int64_t last, Segments &out);
  bool isCell(int64_t first, int64_t last) const {
    return cells && cellWidth > 1 && first % cellWidth == 0 &&
           (last - first == cellWidth || (last - first < cellWidth && last == grid.column.tiles()));
  }
  void writeRow(int64_t index, const Segments &segments, RowLists &rows) const;
  /// Whether tiles of the box that was evaluated last may differ from column to column.
  bool columnsMatter() const;
  /// The exact state of one tile; false when it is empty.
  bool scanTile(int64_t i, int64_t j, Segment::State &state);
  /// Whether a pair of a line, [first, last] of one variable, has not the truth `from`.
  bool differs(Evaluator::Along along, int64_t first, int64_t last, int64_t other, bool from);
  /// What the pairs of a box are: none true, all, or some of either.
  Bounds exactTruth(const Box &box);
  Bounds scan(const Box &box);
  bool truth(int64_t q, int64_t k);

  const Plan &plan;
  int32_t root;
  const Grid &grid;
  Evaluator &evaluator;
  const Cells *cells = nullptr;
  KnownCells *known = nullptr;
  int64_t cellWidth = 1;
  std::vector<int32_t> columnLeaves; ///< comparisons and lookups that depend on the column
};

} // namespace girih

#endif // GIRIH_RUNTIME_MAP_BISECTION_H
