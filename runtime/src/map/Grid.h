//===- Grid.h - Tile rows and columns, and the runs written for them -*- C++ -*-//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The forward and the reverse map are one algorithm: tile rows times tile
// columns. Only this file knows which of them are queries.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_RUNTIME_MAP_GRID_H
#define GIRIH_RUNTIME_MAP_GRID_H

#include "girih-c/BlockMap.h"

#include "Evaluator.h"

#include <algorithm>
#include <vector>

namespace girih {

/// Absolute positions [origin, origin + length) in tiles of `tile`.
struct Axis {
  int64_t origin;
  int64_t length;
  int64_t tile;
  int64_t tiles() const { return ceilDiv(length, tile); }
  int64_t last() const { return origin + length - 1; }
  int64_t tileBegin(int64_t index) const { return origin + index * tile; }
  /// Last position of tile `index`, cut at the length.
  int64_t tileLast(int64_t index) const {
    return origin + std::min((index + 1) * tile, length) - 1;
  }
  bool isCut(int64_t index) const { return (index + 1) * tile > length; }
  /// Positions of tiles [begin, end), cut at the length.
  int64_t span(int64_t begin, int64_t end) const {
    return tileLast(end - 1) - tileBegin(begin) + 1;
  }
};

struct Grid {
  Grid(const GirihMapParams &params, bool reverse) : reverse(reverse) {
    Axis q{params.q_offset, params.num_q, params.tile_q};
    Axis k{0, params.num_k, params.tile_k};
    row = reverse ? k : q;
    column = reverse ? q : k;
  }

  /// A tile cut at num_k is never full: the kernel has to mask its end. One cut
  /// at num_q may be: the rows beyond are never stored.
  /// Returns the end of the columns of tile row `index` that may be full.
  int64_t fullColumns(int64_t index) const {
    if (reverse)
      return row.isCut(index) ? 0 : column.tiles();
    return column.tiles() - column.isCut(column.tiles() - 1);
  }

  /// Tiles [i0, i1) x [j0, j1) as positions.
  Box box(int64_t i0, int64_t i1, int64_t j0, int64_t j1) const {
    return ranges(row.tileBegin(i0), row.tileLast(i1 - 1), column.tileBegin(j0),
                  column.tileLast(j1 - 1));
  }
  /// Row positions [r0, r1] x column positions [c0, c1].
  Box ranges(int64_t r0, int64_t r1, int64_t c0, int64_t c1) const {
    return reverse ? Box{c0, c1, r0, r1} : Box{r0, r1, c0, c1};
  }

  bool reverse;
  Axis row;
  Axis column;
};

/// The power-of-two boundary that splits [begin, end), end - begin > 1; of either sign.
inline int64_t splitPoint(int64_t begin, int64_t end) {
  auto last = static_cast<uint64_t>(end - 1);
  uint64_t step = uint64_t{1} << (63 - __builtin_clzll(static_cast<uint64_t>(begin) ^ last));
  return static_cast<int64_t>(last & ~(step - 1));
}

/// Runs of consecutive tile rows, in order.
struct RowLists {
  std::vector<GirihRun> runs;
  std::vector<int64_t> offsets{0};

  /// Appends tiles to the open row, after those it already has.
  void append(int64_t begin, int64_t end, GirihTileState state) {
    if (begin >= end)
      return;
    bool open = static_cast<int64_t>(runs.size()) > offsets.back();
    if (open && runs.back().end == begin && runs.back().state == state) {
      runs.back().end = static_cast<int32_t>(end);
      return;
    }
    runs.push_back({static_cast<int32_t>(begin), static_cast<int32_t>(end), state, 0});
  }
  /// Appends full tiles, of which those from `limit` on are cut.
  void appendFull(int64_t begin, int64_t end, int64_t limit) {
    int64_t middle = std::max(begin, std::min(end, limit));
    append(begin, middle, GIRIH_TILE_FULL);
    append(middle, end, GIRIH_TILE_PARTIAL);
  }
  void closeRow() { offsets.push_back(static_cast<int64_t>(runs.size())); }
  /// Appends the rows of `other`.
  void append(const RowLists &other) {
    int64_t base = offsets.back();
    for (size_t row = 1; row < other.offsets.size(); ++row)
      offsets.push_back(base + other.offsets[row]);
    runs.insert(runs.end(), other.runs.begin(), other.runs.end());
  }
  void clear() {
    runs.clear();
    offsets.assign(1, 0);
  }
  int64_t rows() const { return static_cast<int64_t>(offsets.size()) - 1; }
};

} // namespace girih

#endif // GIRIH_RUNTIME_MAP_GRID_H
