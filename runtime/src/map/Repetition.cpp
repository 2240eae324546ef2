//===- Repetition.cpp - Tile rows that repeat earlier ones ----------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A pair and its image under a move agree if every leaf either is preserved by the move or is
// constant over a box that holds both. Neither needs a pair to be looked at.
//
//===----------------------------------------------------------------------===//

#include "Repetition.h"

#include <numeric>

using namespace girih;

/// Bands of fewer rows are not worth an analysis.
static constexpr int64_t kMinBand = 4;
/// Boxes that may be asked for, for each row of the map and again for each that was copied.
static constexpr int64_t kBoxesOfRow = 2;

Repetition::Repetition(const Program &program, const Plan &rootPlan, const Grid &grid)
    : plan(rootPlan), root(program.source().root), grid(grid),
      down(program, grid.row.tile, grid.row.length / kMinPeriods),
      diagonal(program, std::lcm(grid.row.tile, grid.column.tile), grid.row.length / kMinPeriods),
      along(grid.reverse ? kMoveK : kMoveQ), sameRows(down.period() / grid.row.tile),
      rows(diagonal.period() / grid.row.tile), columns(diagonal.period() / grid.column.tile) {}

static void addPiece(Pieces &pieces, int64_t begin, int64_t end, Piece::Kind kind) {
  if (!pieces.empty() && pieces.back().kind == kind)
    pieces.back().end = end;
  else
    pieces.push_back({begin, end, kind});
}

bool Repetition::classify(int64_t begin, int64_t end, int64_t first, int64_t last,
                          Evaluator &evaluator, int64_t &credit, Pieces &pieces) const {
  credit -= 3;
  if (credit < 0)
    return false;
  evaluator.box(plan, grid.box(begin, end, first, last));
  Bounds truth = evaluator.boundsOf(root);
  if (never(truth) || always(truth)) {
    addPiece(pieces, first, last, never(truth) ? Piece::Empty : Piece::Full);
    return true;
  }
  if (begin >= sameRows) {
    evaluator.box(plan, grid.box(begin - sameRows, end, first, last));
    if (down.movesOf(evaluator) & along) {
      addPiece(pieces, first, last, Piece::Same);
      return true;
    }
  }
  // A tile that is cut shows less than its image.
  if (begin >= rows && first >= columns && !grid.column.isCut(last - 1)) {
    evaluator.box(plan, grid.box(begin - rows, end, first - columns, last));
    if (diagonal.movesOf(evaluator) & kMoveBoth) {
      addPiece(pieces, first, last, Piece::Shifted);
      return true;
    }
  }
  if (last - first == 1)
    return false;
  int64_t middle = splitPoint(first, last);
  return classify(begin, end, first, middle, evaluator, credit, pieces) &&
         classify(begin, end, middle, last, evaluator, credit, pieces);
}

bool Repetition::analyze(int64_t begin, int64_t end, Evaluator &evaluator, int64_t &credit,
                         Pieces &pieces) const {
  pieces.clear();
  return classify(begin, end, 0, grid.column.tiles(), evaluator, credit, pieces);
}

void Repetition::copyRows(int64_t begin, int64_t end, const Pieces &pieces, RowLists &list) const {
  for (int64_t row = begin; row < end; ++row) {
    for (const Piece &piece : pieces) {
      if (piece.kind == Piece::Empty)
        continue;
      if (piece.kind == Piece::Full) {
        list.appendFull(piece.begin, piece.end, grid.fullColumns(row));
        continue;
      }
      bool isShifted = piece.kind == Piece::Shifted;
      int64_t shift = isShifted ? columns : 0, above = row - (isShifted ? rows : sameRows);
      int64_t sourceBegin = list.offsets[above], sourceEnd = list.offsets[above + 1];
      int64_t from = piece.begin - shift, to = piece.end - shift;
      auto source = list.runs.begin();
      int64_t at = std::partition_point(source + sourceBegin, source + sourceEnd,
                                        [&](const GirihRun &run) { return run.end <= from; }) -
                   source;
      for (; at < sourceEnd && list.runs[at].begin < to; ++at) {
        GirihRun run = list.runs[at];
        list.append(std::max<int64_t>(run.begin, from) + shift,
                    std::min<int64_t>(run.end, to) + shift, static_cast<GirihTileState>(run.state));
      }
    }
    list.closeRow();
  }
}

namespace girih {

/// One walk over the rows of a (batch, head), band by band.
class BandWalk {
public:
  BandWalk(const Repetition &repetition, Evaluator &evaluator, const Repetition::Direct &direct,
           RowLists &list)
      : repetition(repetition), evaluator(evaluator), direct(direct), list(list) {
    const Axis &axis = repetition.grid.row;
    credit = kBoxesOfRow * axis.tiles();
    uncut = axis.tiles() - axis.isCut(axis.tiles() - 1);
  }

  void visit(int64_t begin, int64_t end) {
    int64_t first = std::min(repetition.sameRows, repetition.rows);
    bool mayRepeat = begin >= first && end <= uncut;
    if (mayRepeat && repetition.analyze(begin, end, evaluator, credit, pieces)) {
      derivePending(begin);
      repetition.copyRows(begin, end, pieces, list);
      copied += end - begin;
      credit += kBoxesOfRow * (end - begin);
      return;
    }
    // Rows that are no copies wait for their neighbours: bisection shares what they have in common.
    if (end - begin <= kMinBand || end <= first || credit < 0)
      return;
    int64_t middle = splitPoint(begin, end);
    visit(begin, middle);
    visit(middle, end);
  }

  void derivePending(int64_t end) {
    if (list.rows() < end)
      direct(list.rows(), end);
  }

  int64_t copied = 0;

private:
  const Repetition &repetition;
  Evaluator &evaluator;
  const Repetition::Direct &direct;
  RowLists &list;
  Pieces pieces;
  int64_t uncut;
  int64_t credit;
};

} // namespace girih

int64_t Repetition::deriveRows(Evaluator &evaluator, const Direct &direct, RowLists &list) const {
  BandWalk walk(*this, evaluator, direct, list);
  if (2 * std::min(sameRows, rows) <= grid.row.tiles())
    walk.visit(0, grid.row.tiles());
  walk.derivePending(grid.row.tiles());
  return walk.copied;
}
