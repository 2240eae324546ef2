//===- TileSizes.h - Tile sizes side by side --------------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_ANALYSIS_TILESIZES_H
#define GIRIH_ANALYSIS_TILESIZES_H

#include "girih/Analysis/PairCount.h"

namespace girih {

/// What tiles of one size list, over batch and heads.
struct TileSize {
  int32_t q = 0, k = 0;
  double full = 0, partial = 0, computedPairs = 0; ///< whole numbers when exact
  double efficiency = 1; ///< useful / computed pairs; 1 when nothing is computed
  bool exact = true;
  bool cpu = false, hopper = false; ///< what kernels for these have

  double listed() const { return full + partial; }
};

/// Counts the tiles of `q` by `k`. All tile rows where that is quick (a closed form,
/// or few runs), a sample of them otherwise. `usefulPairs` is what the pattern
/// keeps.
llvm::Expected<TileSize> tileSize(const BoundPattern &pattern, const GirihMapParams &lengths,
                                  int32_t q, int32_t k, double usefulPairs);

/// The same from statistics of a map with such tiles.
TileSize countedSize(const GirihMapStats &stats, int32_t q, int32_t k);

/// How many k-tiles the tile rows list: the longest row, the median one, and all.
struct RowLengths {
  int64_t longest = 0, longestRow = 0, median = 0, rows = 0, total = 0;
};
/// Of one (batch, head).
RowLengths rowLengths(const GirihBlockMap *map, int64_t batch, int64_t head);

} // namespace girih

#endif // GIRIH_ANALYSIS_TILESIZES_H
