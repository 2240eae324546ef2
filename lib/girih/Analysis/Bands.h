//===- Bands.h - Counting on some of the queries ----------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// At a million tokens some patterns take the map engine seconds to count, and a
// report asks about dozens of them. It then counts a sample: the first and last
// queries, where global tokens are, and one stretch drawn from each of many equal
// parts of the rest. Draws do not line up with any period, and are the same in
// every run.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_ANALYSIS_BANDS_H
#define GIRIH_ANALYSIS_BANDS_H

#include "girih-c/BlockMap.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"

#include <memory>
#include <vector>

namespace girih {

/// Units [begin, begin + count) that count `weight` times in a total. A unit is a
/// query, or the queries of a tile row.
struct Band {
  int64_t begin, count;
  double weight;
};

/// Bands over [0, units): `edge` units at either end, and `draws` single units from
/// as many equal parts between them. Everything, with weight 1, when that is as
/// many as there are. Weights times counts add up to `units`.
std::vector<Band> drawBands(int64_t units, int64_t edge, int64_t draws);

/// A total estimated from `values[i]`, counted on `bands[i]`.
struct Estimate {
  double total;
  double error; ///< two standard errors, from neighbouring draws; 0 for a full count
};
Estimate estimate(llvm::ArrayRef<Band> bands, llvm::ArrayRef<int64_t> values);

struct FreeBlockMap {
  void operator()(GirihBlockMap *map) const { girihBlockMapFree(map); }
};
using BlockMapPtr = std::unique_ptr<GirihBlockMap, FreeBlockMap>;

/// girihBlockMapBuild with its status as an error.
llvm::Expected<BlockMapPtr> buildMap(const GirihMapProgram &program, const GirihMapParams &params);
/// girihBlockMapStats with its status as an error.
llvm::Expected<GirihMapStats> mapStats(const GirihBlockMap *map, const GirihMapProgram &program,
                                       const GirihMapParams &params);

/// Tiles that a map lists, over batch and heads.
struct TileCount {
  int64_t full = 0, partial = 0;
  int64_t computedPairs = 0; ///< cut at the lengths
  int64_t runs = 0;
};
TileCount countTiles(const GirihBlockMap *map, const GirihMapProgram &program,
                     const GirihMapParams &params);

/// A program that sees the lengths of a whole launch while the map engine is given
/// only some of its queries. Borrows what it is made of.
class BandProgram {
public:
  BandProgram(const GirihMapProgram &program, const GirihMapParams &params);
  BandProgram(const BandProgram &) = delete;
  BandProgram &operator=(const BandProgram &) = delete;

  const GirihMapProgram &get() const { return program; }
  /// Lengths of queries [begin, begin + count) of the launch.
  GirihMapParams params(int64_t begin, int64_t count) const;

private:
  std::vector<GirihMapNode> nodes;
  GirihMapProgram program;
  GirihMapParams whole;
};

} // namespace girih

#endif // GIRIH_ANALYSIS_BANDS_H
