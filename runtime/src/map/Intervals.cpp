//===- Intervals.cpp - Sorted lists of disjoint intervals -----------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Lists here have a handful of entries; everything is a linear sweep.
//
//===----------------------------------------------------------------------===//

#include "Intervals.h"

using namespace girih;

void girih::addInterval(Intervals &list, int64_t lo, int64_t hi) {
  if (lo <= hi)
    list.push_back({lo, hi});
}

/// Appends to a list that ascends by `lo`, merging.
static void appendMerged(Intervals &list, int64_t lo, int64_t hi) {
  if (!list.empty() && lo <= list.back().hi + 1)
    list.back().hi = std::max(list.back().hi, hi);
  else
    list.push_back({lo, hi});
}

void girih::normalize(Intervals &list) {
  if (list.size() < 2)
    return;
  std::sort(list.begin(), list.end(), [](Interval a, Interval b) { return a.lo < b.lo; });
  size_t size = 1;
  for (size_t i = 1; i < list.size(); ++i) {
    Interval &back = list[size - 1];
    if (list[i].lo <= back.hi + 1)
      back.hi = std::max(back.hi, list[i].hi);
    else
      list[size++] = list[i];
  }
  list.resize(size);
}

void girih::intersect(const Intervals &a, const Intervals &b, Intervals &result) {
  result.clear();
  for (size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    addInterval(result, std::max(a[i].lo, b[j].lo), std::min(a[i].hi, b[j].hi));
    if (a[i].hi < b[j].hi)
      ++i;
    else
      ++j;
  }
}

void girih::touchedTiles(const Intervals &list, const Axis &axis, Intervals &tiles) {
  tiles.clear();
  for (Interval positions : list)
    appendMerged(tiles, (positions.lo - axis.origin) / axis.tile,
                 (positions.hi - axis.origin) / axis.tile);
}

void girih::coveredTiles(const Intervals &list, const Axis &axis, int64_t limit, Intervals &tiles) {
  tiles.clear();
  for (Interval positions : list) {
    int64_t begin = ceilDiv(positions.lo - axis.origin, axis.tile);
    int64_t end =
        positions.hi == axis.last() ? axis.tiles() : (positions.hi - axis.origin + 1) / axis.tile;
    end = std::min(end, limit);
    if (begin < end)
      appendMerged(tiles, begin, end - 1);
  }
}

void girih::appendRow(const Intervals &touched, const Intervals &covered, RowLists &rows) {
  size_t next = 0;
  for (Interval tiles : touched) {
    int64_t at = tiles.lo;
    for (; next < covered.size() && covered[next].lo <= tiles.hi; ++next) {
      rows.append(at, covered[next].lo, GIRIH_TILE_PARTIAL);
      rows.append(covered[next].lo, covered[next].hi + 1, GIRIH_TILE_FULL);
      at = covered[next].hi + 1;
    }
    rows.append(at, tiles.hi + 1, GIRIH_TILE_PARTIAL);
  }
  rows.closeRow();
}
