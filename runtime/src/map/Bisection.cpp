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

using namespace girih;

void Bisection::appendTileRows(int64_t begin, int64_t end, const Segments &candidates,
                               RowLists &rows) {
  Segments settled;
  for (const Segment &segment : candidates) {
    if (segment.state == Segment::Unknown)
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
  if (last - first > end - begin) {
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
  for (int64_t q = box.q0; q <= box.q1; ++q) {
    for (int64_t k = box.k0; k <= box.k1; k += Evaluator::kLanes) {
      int64_t count = std::min(Evaluator::kLanes, box.k1 - k + 1);
      evaluator.range(plan, Evaluator::Along::K, k, count, q);
      const int64_t *lanes = evaluator.lanes(root);
      int64_t sum = 0;
      for (int64_t lane = 0; lane < count; ++lane)
        sum += lanes[lane];
      if (sum != (first ? count : 0))
        return true;
    }
  }
  state = Segment::Full;
  return first;
}
