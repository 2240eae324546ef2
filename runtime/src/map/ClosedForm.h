//===- ClosedForm.h - Block maps from closed-form terms ---------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The RANGES tier. A row of a term is one interval, so a tile row is the union
// of its rows' intervals (what is touched) and their intersection (what is
// full). Both are known from the first and the last row almost always; where
// they are not, all rows of the tile row decide.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_RUNTIME_MAP_CLOSEDFORM_H
#define GIRIH_RUNTIME_MAP_CLOSEDFORM_H

#include "Intervals.h"

namespace girih {

/// Plans shared by every thread.
struct ClosedFormPlans {
  ClosedFormPlans(const Program &program, bool reverse);

  const GirihMapTerm *terms;
  int32_t numTerms;
  const int32_t *nodes;
  Plan guards;
  Plan bounds;
  Plan all;
};

/// Derives rows of one (batch, head); one object serves one thread.
class ClosedForm {
public:
  /// `evaluator` is bound to a (batch, head) by the caller.
  ClosedForm(const ClosedFormPlans &plans, const Grid &grid, Evaluator &evaluator);

  /// Appends tile row `index`.
  void appendTileRow(int64_t index, RowLists &rows);

  /// Calls `visit(list)` with the columns of each row in [first, last].
  template <typename Visit> void forEachRow(int64_t first, int64_t last, Visit visit);

private:
  /// Adds the interval of `term` at the row that was evaluated last.
  void addCurrent(const GirihMapTerm &term, Intervals &list) const;
  /// Whether the first and last row settle the tile row; then its tiles are in
  /// `touched` and `covered`.
  bool fromEnds(int64_t index);
  void fromAllRows(int64_t index);
  void pointAt(const Plan &plan, int64_t position);

  const ClosedFormPlans &plans;
  const Grid &grid;
  Evaluator &evaluator;
  /// Bounds without any lower or upper node: every column.
  Interval everything;
  Intervals touched, covered;
  Intervals touchedAtMost, touchedAtLeast, coveredAtLeast, coveredAtMost;
  Intervals firstRow, lastRow, scratch, tilesA, tilesB;
  std::vector<uint8_t> active;
  std::vector<int64_t> ends;
  std::vector<Interval> rowIntervals;
};

template <typename Visit> void ClosedForm::forEachRow(int64_t first, int64_t last, Visit visit) {
  constexpr int64_t lanes = Evaluator::kLanes;
  auto along = grid.reverse ? Evaluator::Along::K : Evaluator::Along::Q;
  rowIntervals.resize(static_cast<size_t>(plans.numTerms) * lanes);
  Intervals list;
  for (int64_t at = first; at <= last; at += lanes) {
    int64_t count = std::min(lanes, last - at + 1);
    evaluator.range(plans.all, along, at, count, 0);
    for (int32_t t = 0; t < plans.numTerms; ++t) {
      const GirihMapTerm &term = plans.terms[t];
      const int32_t *node = plans.nodes + term.first;
      Interval *out = rowIntervals.data() + t * lanes;
      std::fill(out, out + count, everything);
      for (int32_t i = 0; i < term.num_guards; ++i) {
        const int64_t *guard = evaluator.lanes(*node++);
        for (int64_t r = 0; r < count; ++r)
          out[r].hi = guard[r] ? out[r].hi : INT64_MIN;
      }
      for (int32_t i = 0; i < term.num_lower; ++i) {
        const int64_t *lower = evaluator.lanes(*node++);
        for (int64_t r = 0; r < count; ++r)
          out[r].lo = std::max(out[r].lo, lower[r]);
      }
      for (int32_t i = 0; i < term.num_upper; ++i) {
        const int64_t *upper = evaluator.lanes(*node++);
        for (int64_t r = 0; r < count; ++r)
          out[r].hi = std::min(out[r].hi, upper[r]);
      }
    }
    for (int64_t r = 0; r < count; ++r) {
      list.clear();
      for (int32_t t = 0; t < plans.numTerms; ++t) {
        Interval columns = rowIntervals[t * lanes + r];
        addInterval(list, columns.lo, columns.hi);
      }
      normalize(list);
      visit(list);
    }
  }
}

} // namespace girih

#endif // GIRIH_RUNTIME_MAP_CLOSEDFORM_H
