//===- Bisection.cpp - Block maps of any program by bisection -------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A quadtree walked in row order: a band of rows first settles what it can in
// columns as wide as the band is high, then its halves go on with the rest.
//
//===----------------------------------------------------------------------===//

#include "Bisection.h"

#include <numeric>

using namespace girih;

/// Boxes of so many pairs are scanned.
static constexpr int64_t kScannedPairs = 64;

Bisection::Bisection(const Program &program, const Plan &plan, const Grid &grid,
                     Evaluator &evaluator)
    : plan(plan), root(program.source().root), grid(grid), evaluator(evaluator) {
  uint8_t column = grid.reverse ? kOnQ : kOnK;
  for (int32_t index : plan.boxes)
    if (isLeaf(program.node(index).op) && (program.dependence(index) & column))
      columnLeaves.push_back(index);
}

bool Bisection::columnsMatter() const {
  return std::any_of(columnLeaves.begin(), columnLeaves.end(), [&](int32_t leaf) {
    Bounds truth = evaluator.boundsOf(leaf);
    return truth.lo != truth.hi;
  });
}

void Bisection::appendTileRows(int64_t begin, int64_t end, const Segments &candidates,
                               RowLists &rows) {
  auto isOpen = [](const Segment &segment) { return segment.state == Segment::Unknown; };
  if (end - begin == 1 && std::none_of(candidates.begin(), candidates.end(), isOpen))
    return writeRow(begin, candidates, rows);
  Segments settled;
  for (const Segment &segment : candidates) {
    if (isOpen(segment))
      refine(begin, end, segment.begin, segment.end, settled);
    else
      settled.push_back(segment);
  }
  if (end - begin == 1)
    return writeRow(begin, settled, rows);
  int64_t middle = splitPoint(begin, end);
  appendTileRows(begin, middle, settled, rows);
  appendTileRows(middle, end, settled, rows);
}

void Bisection::refine(int64_t begin, int64_t end, int64_t first, int64_t last, Segments &out) {
  evaluator.box(plan, grid.box(begin, end, first, last));
  Bounds truth = evaluator.boundsOf(root);
  if (never(truth))
    return;
  if (always(truth)) {
    if (!out.empty() && out.back().state == Segment::Full && out.back().end == first)
      out.back().end = last;
    else
      out.push_back({first, last, Segment::Full});
    return;
  }
  // Where no open leaf depends on the column, one tile tells for all: a query that sees everything.
  if (last - first > end - begin && columnsMatter()) {
    int64_t middle = splitPoint(first, last);
    refine(begin, end, first, middle, out);
    refine(begin, end, middle, last, out);
    return;
  }
  Segment::State state = Segment::Unknown;
  if (end - begin == 1 && !scanTile(begin, first, state))
    return;
  out.push_back({first, last, state});
}

void Bisection::writeRow(int64_t index, const Segments &segments, RowLists &rows) const {
  for (const Segment &segment : segments) {
    if (segment.state == Segment::Full)
      rows.appendFull(segment.begin, segment.end, grid.fullColumns(index));
    else
      rows.append(segment.begin, segment.end, GIRIH_TILE_PARTIAL);
  }
  rows.closeRow();
}

bool Bisection::truth(int64_t q, int64_t k) {
  evaluator.point(plan, q, k);
  return evaluator.value(root) != 0;
}

bool Bisection::scanTile(int64_t i, int64_t j, Segment::State &state) {
  Box box = grid.box(i, i + 1, j, j + 1);
  // Five probes settle most partial tiles.
  bool first = truth(box.q0, box.k0);
  state = Segment::Partial;
  if (truth(box.q1, box.k1) != first || truth(box.q0, box.k1) != first ||
      truth(box.q1, box.k0) != first ||
      truth((box.q0 + box.q1) >> 1, (box.k0 + box.k1) >> 1) != first)
    return true;
  Bounds all = exactTruth(box);
  state = always(all) ? Segment::Full : Segment::Partial;
  return !never(all);
}

Bounds Bisection::exactTruth(const Box &box) {
  evaluator.box(plan, box);
  Bounds truth = evaluator.boundsOf(root);
  if (truth.lo == truth.hi)
    return truth;
  int64_t height = box.q1 - box.q0 + 1, width = box.k1 - box.k0 + 1;
  if (height * width <= kScannedPairs)
    return scan(box);
  Box low = box, high = box;
  if (height > width) {
    high.q0 = splitPoint(box.q0, box.q1 + 1);
    low.q1 = high.q0 - 1;
  } else {
    high.k0 = splitPoint(box.k0, box.k1 + 1);
    low.k1 = high.k0 - 1;
  }
  Bounds first = exactTruth(low);
  if (first.lo != first.hi)
    return first;
  Bounds second = exactTruth(high);
  return {std::min(first.lo, second.lo), std::max(first.hi, second.hi)};
}

Bounds Bisection::scan(const Box &box) {
  int64_t first = 0;
  for (int64_t q = box.q0; q <= box.q1; ++q) {
    for (int64_t k = box.k0; k <= box.k1; k += Evaluator::kLanes) {
      int64_t count = std::min(Evaluator::kLanes, box.k1 - k + 1);
      evaluator.range(plan, Evaluator::Along::K, k, count, q);
      const int64_t *lanes = evaluator.lanes(root);
      int64_t sum = std::accumulate(lanes, lanes + count, int64_t{0});
      if (q == box.q0 && k == box.k0)
        first = lanes[0];
      if (sum != (first ? count : 0))
        return {0, 1};
    }
  }
  return {first, first};
}
