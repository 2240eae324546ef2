//===- Extrema.h - Least and greatest values of parts of a list -*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What boxes ask of a table that is looked up: the bounds of values [first,
// last]. Blocks of values have their extrema in a sparse table (every power of
// two of blocks from every block on; Bender and Farach-Colton, LATIN 2000), so an
// answer reads two of its entries and the ends of the range.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_RUNTIME_MAP_EXTREMA_H
#define GIRIH_RUNTIME_MAP_EXTREMA_H

#include <stddef.h>
#include <stdint.h>
#include <vector>

namespace girih {

class Extrema {
public:
  struct Range {
    int32_t lo, hi;
  };

  /// Prepares for `count` values, which stay where they are.
  void build(const int32_t *values, int64_t count);
  /// Of values `first` to `last`, which are among them.
  Range of(int64_t first, int64_t last) const;
  size_t bytes() const { return levels.size() * sizeof(Range); }

private:
  static constexpr int64_t kBlock = 32;

  const int32_t *values = nullptr;
  int64_t blocks = 0;
  /// `blocks` entries a level: entry i of level l bounds blocks [i, i + 2^l).
  std::vector<Range> levels;
};

} // namespace girih

#endif // GIRIH_RUNTIME_MAP_EXTREMA_H
