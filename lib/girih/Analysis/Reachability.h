//===- Reachability.h - What a pattern connects, skips and costs *- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Questions about a pattern at given lengths that a user asks before running
// it: how much of N^2 it keeps, what that costs, how its tiles lie, and whether
// information can flow from every token to every other. Answers come from the
// block map; only `reachability`, which is for short sequences, holds a bit for
// every pair.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_ANALYSIS_REACHABILITY_H
#define GIRIH_ANALYSIS_REACHABILITY_H

#include "girih-c/BlockMap.h"
#include "girih/Support/TilePicture.h"

#include <cstdint>
#include <optional>
#include <vector>

namespace girih {

/// A block map together with what it was built from; all borrowed.
struct MapView {
  const GirihBlockMap *map;
  const GirihMapProgram *program;
  const GirihMapParams *params;
};

/// Head dims and sizes that `mapCost` needs.
struct CostShape {
  int64_t batch, heads, kvHeads, numQ, numK, dim, vDim;
  int64_t elementBytes; ///< of q, k and v
  int64_t outBytes;     ///< of an element of o; lse is f32
};

/// Work and traffic of one launch.
struct MapCost {
  double coverage;       ///< useful / total pairs
  double tileEfficiency; ///< useful / computed pairs; 1 when nothing is computed
  double usefulFlops;    ///< 2 * (D + Dv) for each useful pair
  double computedFlops;  ///< the same for each computed pair
  int64_t bytes;         ///< q, k, v read once, o and lse written once, the map
  int64_t gridTiles;     ///< tiles of a dense map
};

MapCost mapCost(const GirihMapStats &stats, const GirihMapParams &params, const CostShape &shape);

/// The tiles of (batch, head) as a picture of at most `maxCells` by `maxCells`
/// cells, in time proportional to runs and the cells that they touch.
TileGrid sampleTiles(const MapView &view, int64_t batch, int64_t head, int64_t maxCells);

/// The same with a cell for each pair of tokens, which asks every pair: for lengths of a
/// few hundred at most.
TileGrid drawTokens(const MapView &view, int64_t batch, int64_t head);

/// The fewest k-tiles of this size, starting anywhere, that cover every key that
/// a q-tile touches, summed over q-tiles, heads and batch (greedy interval cover,
/// which is optimal). None when finding out would take more than `budget` boxes
/// of pairs.
std::optional<int64_t> minimalTiles(const MapView &view, int64_t budget);

/// The directed graph in which a query reads its keys, each token keeps its own
/// state (the residual stream), and heads of a layer add up.
struct Reachability {
  /// Layers after which no token learns of more tokens: how far information has to
  /// flow, the longest of all shortest paths.
  int64_t layers = 0;
  int64_t reachablePairs = 0;     ///< pairs (q, k) with q reading k after that many
  int64_t groups = 0;             ///< sets of tokens between which nothing ever flows
  bool stronglyConnected = false; ///< every token reads every other
  bool causallyConnected = false; ///< every token reads every earlier one
  /// Pairs (q, k) with q reading k after 0, 1, ... `layers` layers.
  std::vector<int64_t> pairsByLayer;

  /// The same after any number of layers.
  int64_t pairsAfter(int64_t count) const {
    return pairsByLayer[static_cast<size_t>(count < layers ? count : layers)];
  }
};

/// Longest sequence that `reachability` takes.
inline constexpr int64_t maxReachabilityTokens = 4096;

/// Reachability of batch 0. None beyond `maxReachabilityTokens`, or when queries
/// and keys are not the same tokens (num_q differs from num_k).
std::optional<Reachability> reachability(const MapView &view);

} // namespace girih

#endif // GIRIH_ANALYSIS_REACHABILITY_H
