//===- Repetition.h - Tile rows that repeat earlier ones --------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The PERIODIC tier. In a band of tile rows the columns fall into pieces: empty, full, the same as
// one period of rows before, or the same but one period of columns further left. If all of them do,
// the rows of the band are copies, a few nanoseconds a run. What is left (the first rows, and rows
// where something begins or ends) is bisected.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_RUNTIME_MAP_REPETITION_H
#define GIRIH_RUNTIME_MAP_REPETITION_H

#include "Bisection.h"
#include "Symmetry.h"

#include <functional>

namespace girih {

/// Tile columns [begin, end) of a band of rows.
struct Piece {
  int64_t begin;
  int64_t end;
  enum Kind {
    Empty,
    Full,
    Same,    ///< as the same columns some rows before
    Shifted, ///< as the columns some tiles further left, some rows before
  } kind;
};
using Pieces = std::vector<Piece>;

/// Finds bands that repeat. Read only: serves every (batch, head) and thread.
class Repetition {
public:
  Repetition(const Program &program, const Plan &rootPlan, const Grid &grid);

  /// Derives all rows of one (batch, head) into `list`, with `direct(begin, end)` appending those
  /// that are no copies. `evaluator` is bound by the caller. Returns the number of copied rows.
  using Direct = std::function<void(int64_t begin, int64_t end)>;
  int64_t deriveRows(Evaluator &evaluator, const Direct &direct, RowLists &list) const;

private:
  friend class BandWalk;

  /// Whether tile rows [begin, end) follow from earlier ones; then `pieces` tells how. Takes what
  /// boxes it asks for from `credit`, and gives up without any.
  bool analyze(int64_t begin, int64_t end, Evaluator &evaluator, int64_t &credit,
               Pieces &pieces) const;
  bool classify(int64_t begin, int64_t end, int64_t first, int64_t last, Evaluator &evaluator,
                int64_t &credit, Pieces &pieces) const;
  /// Appends tile rows [begin, end), for which `analyze` gave `pieces`; `list` holds all before.
  void copyRows(int64_t begin, int64_t end, const Pieces &pieces, RowLists &list) const;

  const Plan &plan;
  int32_t root;
  const Grid &grid;
  Symmetry down, diagonal;
  Move along;            ///< the move along the rows of the grid
  int64_t sameRows;      ///< tile rows of a period of `down`
  int64_t rows, columns; ///< tiles of a period of `diagonal`
};

} // namespace girih

#endif // GIRIH_RUNTIME_MAP_REPETITION_H
