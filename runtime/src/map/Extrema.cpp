//===- Extrema.cpp - Least and greatest values of parts of a list ---------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Extrema.h"

#include <algorithm>

using namespace girih;

static Extrema::Range join(Extrema::Range a, Extrema::Range b) {
  return {std::min(a.lo, b.lo), std::max(a.hi, b.hi)};
}

static Extrema::Range scan(const int32_t *values, int64_t first, int64_t last) {
  int32_t lo = values[first], hi = lo;
  for (int64_t i = first + 1; i <= last; ++i) {
    lo = std::min(lo, values[i]);
    hi = std::max(hi, values[i]);
  }
  return {lo, hi};
}

void Extrema::build(const int32_t *list, int64_t count) {
  values = list;
  blocks = count / kBlock;
  levels.clear();
  for (int64_t i = 0; i < blocks; ++i)
    levels.push_back(scan(values, i * kBlock, (i + 1) * kBlock - 1));
  for (int64_t span = 1; 2 * span <= blocks; span *= 2) {
    auto below = static_cast<int64_t>(levels.size()) - blocks;
    for (int64_t i = 0; i < blocks; ++i)
      levels.push_back(join(levels[below + i], levels[below + std::min(i + span, blocks - 1)]));
  }
}

Extrema::Range Extrema::of(int64_t first, int64_t last) const {
  int64_t begin = (first + kBlock - 1) / kBlock, end = (last + 1) / kBlock;
  if (begin >= end)
    return scan(values, first, last);
  int64_t level = 63 - __builtin_clzll(static_cast<uint64_t>(end - begin));
  const Range *row = levels.data() + level * blocks;
  Range range = join(row[begin], row[end - (int64_t{1} << level)]);
  if (first < begin * kBlock)
    range = join(range, scan(values, first, begin * kBlock - 1));
  if (last >= end * kBlock)
    range = join(range, scan(values, end * kBlock, last));
  return range;
}
