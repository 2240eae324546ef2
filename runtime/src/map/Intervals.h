//===- Intervals.h - Sorted lists of disjoint intervals ---------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What closed-form rows are made of. A normal list ascends, and between two
// intervals there is always a gap: so a tile is covered exactly when one
// interval covers it.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_RUNTIME_MAP_INTERVALS_H
#define GIRIH_RUNTIME_MAP_INTERVALS_H

#include "Grid.h"

namespace girih {

/// Inclusive.
struct Interval {
  int64_t lo;
  int64_t hi;
};
inline bool operator==(Interval a, Interval b) { return a.lo == b.lo && a.hi == b.hi; }
using Intervals = std::vector<Interval>;

/// Appends [lo, hi] unless it is empty.
void addInterval(Intervals &list, int64_t lo, int64_t hi);
/// Sorts and merges what overlaps or touches.
void normalize(Intervals &list);
/// The common part of two normal lists; a normal list. `result` is another list.
void intersect(const Intervals &a, const Intervals &b, Intervals &result);
/// Tiles that a normal list of positions touches, as inclusive tile ranges.
void touchedTiles(const Intervals &list, const Axis &axis, Intervals &tiles);
/// Tiles below `limit` that a normal list covers; a tile that is cut at the
/// length counts as covered when what remains of it is.
void coveredTiles(const Intervals &list, const Axis &axis, int64_t limit, Intervals &tiles);
/// Writes one row: `touched` tiles, of which `covered` are full.
void appendRow(const Intervals &touched, const Intervals &covered, RowLists &rows);

} // namespace girih

#endif // GIRIH_RUNTIME_MAP_INTERVALS_H
