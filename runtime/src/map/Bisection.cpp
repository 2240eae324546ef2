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

#include <utility>

using namespace girih;

/// Boxes of so many pairs are scanned.
static constexpr int64_t kScannedPairs = 256;

Bisection::Bisection(const Program &program, const Plan &plan, const Grid &grid,
                     Evaluator &evaluator)
    : plan(plan), root(program.source().root), grid(grid), evaluator(evaluator) {
  uint8_t column = grid.reverse ? kOnQ : kOnK;
  for (int32_t index : plan.boxes)
    if (isLeaf(program.node(index).op) && (program.dependence(index) & column))
      columnLeaves.push_back(index);
}

Bisection::Bisection(const Program &program, const Plan &plan, const Cells &cells,
                     KnownCells &known, Evaluator &evaluator)
    : Bisection(program, plan, cells.grid(), evaluator) {
  this->cells = &cells;
  this->known = &known;
  cellWidth = cells.width();
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
  bool isRow = end - begin == 1;
  if (last - first > (isRow ? 1 : std::max(end - begin, cellWidth)) && columnsMatter()) {
    if (isRow && isCell(first, last))
      return refineCell(begin, first, last, out);
    return refineHalves(begin, end, first, last, out);
  }
  Segment::State state = Segment::Unknown;
  if (isRow && !scanTile(begin, first, state))
    return;
  out.push_back({first, last, state});
}

/// Cuts between cells while there are several.
void Bisection::refineHalves(int64_t begin, int64_t end, int64_t first, int64_t last,
                             Segments &out) {
  int64_t cell = first / cellWidth, lastCell = (last - 1) / cellWidth;
  int64_t middle =
      cell == lastCell ? splitPoint(first, last) : splitPoint(cell, lastCell + 1) * cellWidth;
  refine(begin, end, first, middle, out);
  refine(begin, end, middle, last, out);
}

void Bisection::refineCell(int64_t index, int64_t first, int64_t last, Segments &out) {
  BoxKey key;
  if (!cells->symmetry().keyOf(grid.box(index, index + 1, first, last), evaluator, key))
    return refineHalves(index, index + 1, first, last, out);
  auto it = known->find(key);
  if (it == known->end()) {
    Segments segments;
    refineHalves(index, index + 1, first, last, segments);
    for (Segment &segment : segments) {
      segment.begin -= first;
      segment.end -= first;
    }
    if (known->size() >= kMaxKnownCells)
      known->clear();
    it = known->emplace(key, std::move(segments)).first;
  }
  for (const Segment &segment : it->second)
    out.push_back({segment.begin + first, segment.end + first, segment.state});
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

bool Bisection::differs(Evaluator::Along along, int64_t first, int64_t last, int64_t other,
                        bool from) {
  for (; first <= last; first += Evaluator::kLanes) {
    int64_t count = std::min(Evaluator::kLanes, last - first + 1);
    evaluator.range(plan, along, first, count, other);
    const int64_t *lanes = evaluator.lanes(root);
    if (std::find(lanes, lanes + count, !from) != lanes + count)
      return true;
  }
  return false;
}

bool Bisection::scanTile(int64_t i, int64_t j, Segment::State &state) {
  Box box = grid.box(i, i + 1, j, j + 1);
  // Probes settle most partial tiles: corners those that an edge crosses, two lines through the
  // middle those that a band crosses.
  bool first = truth(box.q0, box.k0);
  state = Segment::Partial;
  if (truth(box.q1, box.k1) != first || truth(box.q0, box.k1) != first ||
      truth(box.q1, box.k0) != first ||
      differs(Evaluator::Along::Q, box.q0, box.q1, (box.k0 + box.k1) >> 1, first) ||
      differs(Evaluator::Along::K, box.k0, box.k1, (box.q0 + box.q1) >> 1, first))
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

/// In lines along the longer side.
Bounds Bisection::scan(const Box &box) {
  bool first = truth(box.q0, box.k0);
  auto along = Evaluator::Along::K;
  int64_t begin = box.k0, end = box.k1, line = box.q0, last = box.q1;
  if (box.q1 - box.q0 > box.k1 - box.k0) {
    along = Evaluator::Along::Q;
    std::swap(begin, line);
    std::swap(end, last);
  }
  for (; line <= last; ++line)
    if (differs(along, begin, end, line, first))
      return {0, 1};
  return {first, first};
}
