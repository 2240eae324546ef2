//===- Bisection.h - Block maps of any program by bisection -----*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The QUADTREE tier: boxes of tiles are halved until interval arithmetic
// decides them; a single tile that stays open is probed, then halved further down
// to some hundred pairs that are scanned. Runs come out row by row, so nothing is
// sorted.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_RUNTIME_MAP_BISECTION_H
#define GIRIH_RUNTIME_MAP_BISECTION_H

#include "Grid.h"

namespace girih {

/// Tile columns [begin, end) that are full for every row at hand, or of unknown
/// state.
struct Segment {
  int64_t begin;
  int64_t end;
  enum State { Unknown, Partial, Full } state;
};
using Segments = std::vector<Segment>;

/// Derives rows of one (batch, head); one object serves one thread.
class Bisection {
public:
  /// `plan` is that of the program's root; `evaluator` is bound by the caller.
  Bisection(const Program &program, const Plan &plan, const Grid &grid, Evaluator &evaluator);

  /// Appends tile rows [begin, end). Tiles outside `candidates` are known to be
  /// empty.
  void appendTileRows(int64_t begin, int64_t end, const Segments &candidates, RowLists &rows);

private:
  void refine(int64_t begin, int64_t end, int64_t first, int64_t last, Segments &out);
  void writeRow(int64_t index, const Segments &segments, RowLists &rows) const;
  /// Whether tiles of the box that was evaluated last may differ from column to column.
  bool columnsMatter() const;
  /// The exact state of one tile; false when it is empty.
  bool scanTile(int64_t i, int64_t j, Segment::State &state);
  /// What the pairs of a box are: none true, all, or some of either.
  Bounds exactTruth(const Box &box);
  Bounds scan(const Box &box);
  bool truth(int64_t q, int64_t k);

  const Plan &plan;
  int32_t root;
  const Grid &grid;
  Evaluator &evaluator;
  std::vector<int32_t> columnLeaves; ///< comparisons and lookups that depend on the column
};

} // namespace girih

#endif // GIRIH_RUNTIME_MAP_BISECTION_H
