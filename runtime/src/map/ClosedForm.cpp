//===- ClosedForm.cpp - Block maps from closed-form terms -----------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// For rows [a, b] of a term whose bounds are monotone (notes: Tier A), writing
// L and U for the bounds of a row:
//   intersection of the rows = [max L, min U], exact from a and b;
//   union of the rows is within [min L, max U], and contains rows a and b.
//
//===----------------------------------------------------------------------===//

#include "ClosedForm.h"

using namespace girih;

ClosedFormPlans::ClosedFormPlans(const Program &program, bool reverse) {
  const GirihMapProgram &source = program.source();
  terms = reverse ? source.reverse : source.forward;
  numTerms = reverse ? source.num_reverse : source.num_forward;
  nodes = source.term_nodes;
  std::vector<int32_t> guardNodes, boundNodes, allNodes;
  for (int32_t t = 0; t < numTerms; ++t) {
    const int32_t *first = nodes + terms[t].first;
    const int32_t *middle = first + terms[t].num_guards;
    const int32_t *last = middle + terms[t].num_lower + terms[t].num_upper;
    guardNodes.insert(guardNodes.end(), first, middle);
    boundNodes.insert(boundNodes.end(), middle, last);
    allNodes.insert(allNodes.end(), first, last);
  }
  guards = program.plan(guardNodes);
  bounds = program.plan(boundNodes);
  all = program.plan(allNodes);
}

ClosedForm::ClosedForm(const ClosedFormPlans &plans, const Grid &grid, Evaluator &evaluator)
    : plans(plans), grid(grid), evaluator(evaluator),
      everything{grid.column.origin, grid.column.last()},
      active(static_cast<size_t>(plans.numTerms)) {}

void ClosedForm::appendTileRow(int64_t index, RowLists &rows) {
  if (!fromEnds(index))
    fromAllRows(index);
  appendRow(touched, covered, rows);
}

void ClosedForm::pointAt(const Plan &plan, int64_t position) {
  // Terms read one variable only; both get the position.
  evaluator.point(plan, position, position);
}

/// The two columns bounds of one term from the values of one row.
static Interval currentBounds(const GirihMapTerm &term, const int32_t *nodes, Interval everything,
                              const Evaluator &evaluator) {
  Interval result = everything;
  const int32_t *node = nodes + term.first + term.num_guards;
  for (int32_t i = 0; i < term.num_lower; ++i)
    result.lo = std::max(result.lo, evaluator.value(*node++));
  for (int32_t i = 0; i < term.num_upper; ++i)
    result.hi = std::min(result.hi, evaluator.value(*node++));
  return result;
}

void ClosedForm::addCurrent(const GirihMapTerm &term, Intervals &list) const {
  Interval columns = currentBounds(term, plans.nodes, everything, evaluator);
  addInterval(list, columns.lo, columns.hi);
}

bool ClosedForm::fromEnds(int64_t index) {
  int64_t first = grid.row.tileBegin(index), last = grid.row.tileLast(index);
  Box rows = grid.ranges(first, last, grid.column.origin, grid.column.origin);
  evaluator.box(plans.guards, rows);
  for (int32_t t = 0; t < plans.numTerms; ++t) {
    const GirihMapTerm &term = plans.terms[t];
    Bounds truth{1, 1};
    for (int32_t i = 0; i < term.num_guards; ++i) {
      Bounds guard = evaluator.boundsOf(plans.nodes[term.first + i]);
      truth = {truth.lo & guard.lo, truth.hi & guard.hi};
    }
    if (!always(truth) && !never(truth))
      return false;
    active[t] = always(truth);
  }

  pointAt(plans.bounds, first);
  firstRow.clear();
  touchedAtMost.clear();
  coveredAtLeast.clear();
  scratch.clear();
  // Bounds at the first row, kept until those of the last are known.
  ends.clear();
  for (int32_t t = 0; t < plans.numTerms; ++t) {
    if (!active[t])
      continue;
    addCurrent(plans.terms[t], firstRow);
    const GirihMapTerm &term = plans.terms[t];
    const int32_t *node = plans.nodes + term.first + term.num_guards;
    for (int32_t i = 0; i < term.num_lower + term.num_upper; ++i)
      ends.push_back(evaluator.value(*node++));
  }
  pointAt(plans.bounds, last);
  lastRow.clear();
  const int64_t *end = ends.data();
  for (int32_t t = 0; t < plans.numTerms; ++t) {
    if (!active[t])
      continue;
    const GirihMapTerm &term = plans.terms[t];
    addCurrent(term, lastRow);
    Interval outer = everything, inner = everything;
    const int32_t *node = plans.nodes + term.first + term.num_guards;
    for (int32_t i = 0; i < term.num_lower; ++i) {
      auto range = std::minmax({*end++, evaluator.value(*node++)});
      outer.lo = std::max(outer.lo, range.first);
      inner.lo = std::max(inner.lo, range.second);
    }
    for (int32_t i = 0; i < term.num_upper; ++i) {
      auto range = std::minmax({*end++, evaluator.value(*node++)});
      outer.hi = std::min(outer.hi, range.second);
      inner.hi = std::min(inner.hi, range.first);
    }
    addInterval(touchedAtMost, outer.lo, outer.hi);
    addInterval(coveredAtLeast, inner.lo, inner.hi);
  }

  normalize(touchedAtMost);
  normalize(coveredAtLeast);
  normalize(firstRow);
  normalize(lastRow);
  intersect(firstRow, lastRow, coveredAtMost);
  touchedAtLeast = firstRow;
  touchedAtLeast.insert(touchedAtLeast.end(), lastRow.begin(), lastRow.end());
  normalize(touchedAtLeast);
  touchedTiles(touchedAtMost, grid.column, touched);
  touchedTiles(touchedAtLeast, grid.column, tilesA);
  if (touched != tilesA)
    return false;
  int64_t limit = grid.fullColumns(index);
  coveredTiles(coveredAtLeast, grid.column, limit, covered);
  coveredTiles(coveredAtMost, grid.column, limit, tilesB);
  return covered == tilesB;
}

void ClosedForm::fromAllRows(int64_t index) {
  Intervals &any = touchedAtLeast, &all = coveredAtLeast;
  any.clear();
  all.assign(1, everything);
  forEachRow(grid.row.tileBegin(index), grid.row.tileLast(index), [&](const Intervals &row) {
    any.insert(any.end(), row.begin(), row.end());
    intersect(all, row, scratch);
    all.swap(scratch);
  });
  normalize(any);
  touchedTiles(any, grid.column, touched);
  int64_t limit = grid.fullColumns(index);
  coveredTiles(all, grid.column, limit, covered);
}
