//===- Reachability.cpp - What a pattern connects, skips and costs --------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Analysis/Reachability.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/IntEqClasses.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/MathExtras.h"

#include <algorithm>
#include <vector>

using namespace girih;

static llvm::ArrayRef<GirihRun> runsOf(const MapView &view, int64_t batch, int64_t head,
                                       int64_t row) {
  int64_t count = 0;
  const GirihRun *runs = girihBlockMapRuns(view.map, batch, head, row, &count);
  return {runs, static_cast<size_t>(count)};
}

MapCost girih::mapCost(const GirihMapStats &stats, const GirihMapParams &params,
                       const CostShape &shape) {
  MapCost cost{};
  double flops = 2.0 * static_cast<double>(shape.dim + shape.vDim);
  cost.coverage = stats.total_pairs == 0 ? 0
                                         : static_cast<double>(stats.useful_pairs) /
                                               static_cast<double>(stats.total_pairs);
  cost.tileEfficiency = stats.computed_pairs == 0 ? 1
                                                  : static_cast<double>(stats.useful_pairs) /
                                                        static_cast<double>(stats.computed_pairs);
  cost.usefulFlops = flops * static_cast<double>(stats.useful_pairs);
  cost.computedFlops = flops * static_cast<double>(stats.computed_pairs);
  int64_t read =
      shape.heads * shape.numQ * shape.dim + shape.kvHeads * shape.numK * (shape.dim + shape.vDim);
  int64_t written = shape.heads * shape.numQ * (shape.vDim * shape.outBytes + 4);
  cost.bytes = shape.batch * (read * shape.elementBytes + written) + stats.map_bytes;
  cost.gridTiles = shape.batch * shape.heads *
                   static_cast<int64_t>(llvm::divideCeil(shape.numQ, int64_t(params.tile_q))) *
                   static_cast<int64_t>(llvm::divideCeil(shape.numK, int64_t(params.tile_k)));
  return cost;
}

TileGrid girih::sampleTiles(const MapView &view, int64_t batch, int64_t head, int64_t maxCells) {
  int64_t rows = girihBlockMapRows(view.map);
  int64_t columns = llvm::divideCeil(view.params->num_k, int64_t(view.params->tile_k));
  TileGrid grid = TileGrid::create(rows, columns, maxCells);
  for (int64_t row = 0; row < rows; ++row) {
    for (const GirihRun &run : runsOf(view, batch, head, row)) {
      for (int64_t begin = run.begin; begin < run.end;) {
        int64_t cell = begin / grid.tilesPerCell;
        int64_t end = std::min<int64_t>(run.end, (cell + 1) * grid.tilesPerCell);
        TileCell &target = grid.at(row / grid.tilesPerCell, cell);
        (run.state == GIRIH_TILE_FULL ? target.full : target.partial) += end - begin;
        begin = end;
      }
    }
  }
  return grid;
}

TileGrid girih::drawTokens(const MapView &view, int64_t batch, int64_t head) {
  const GirihMapParams &p = *view.params;
  TileGrid grid = TileGrid::ofTokens(p.num_q, p.num_k);
  for (int64_t q = 0; q < p.num_q; ++q)
    for (const GirihRun &run : runsOf(view, batch, head, q / p.tile_q))
      for (int64_t k = int64_t(run.begin) * p.tile_k,
                   end = std::min<int64_t>(int64_t(run.end) * p.tile_k, p.num_k);
           k < end; ++k) {
        bool kept =
            run.state == GIRIH_TILE_FULL ||
            girihMapContains(view.map, view.program, view.params, batch, head, q + p.q_offset, k);
        ++(kept ? grid.at(q, k).full : grid.at(q, k).partial);
      }
  return grid;
}

//===----------------------------------------------------------------------===//
// Minimal tiles
//===----------------------------------------------------------------------===//

std::optional<int64_t> girih::minimalTiles(const MapView &view, int64_t budget) {
  int64_t tiles = -1;
  int code = girihBlockMapMinimalTiles(view.map, view.program, budget, &tiles, nullptr);
  return code == GIRIH_OK && tiles >= 0 ? std::optional<int64_t>(tiles) : std::nullopt;
}

//===----------------------------------------------------------------------===//
// Reachability
//===----------------------------------------------------------------------===//

/// Row q of the graph: which keys any head of batch 0 keeps, and q itself.
static std::vector<llvm::BitVector> adjacency(const MapView &view) {
  const GirihMapParams &p = *view.params;
  std::vector<llvm::BitVector> rows(p.num_q, llvm::BitVector(p.num_k));
  int64_t heads = view.program->uses_head ? p.heads : 1;
  for (int64_t head = 0; head < heads; ++head) {
    for (int64_t tile = 0; tile < girihBlockMapRows(view.map); ++tile) {
      int64_t qBegin = tile * p.tile_q, qEnd = std::min(qBegin + p.tile_q, p.num_q);
      for (const GirihRun &run : runsOf(view, 0, head, tile)) {
        int64_t kBegin = int64_t(run.begin) * p.tile_k;
        int64_t kEnd = std::min(int64_t(run.end) * p.tile_k, p.num_k);
        for (int64_t q = qBegin; q < qEnd; ++q) {
          if (run.state == GIRIH_TILE_FULL) {
            rows[q].set(kBegin, kEnd);
            continue;
          }
          for (int64_t k = kBegin; k < kEnd; ++k)
            if (!rows[q].test(k) &&
                girihMapContains(view.map, view.program, view.params, 0, head, q + p.q_offset, k))
              rows[q].set(k);
        }
      }
    }
  }
  for (int64_t q = 0; q < p.num_q; ++q)
    rows[q].set(q);
  return rows;
}

/// How many sets of tokens there are between which no edge goes.
static int64_t countGroups(llvm::ArrayRef<llvm::BitVector> reads) {
  llvm::IntEqClasses groups(reads.size());
  for (unsigned q = 0; q != reads.size(); ++q)
    for (unsigned k : reads[q].set_bits())
      groups.join(q, k);
  groups.compress();
  return groups.getNumClasses();
}

namespace {

/// Sets of tokens, one for each token, that grow layer by layer. A layer looks only
/// at what the one before has added, as words of 64 tokens: with narrow
/// windows that is a word or two, however much is known already.
class Flow {
public:
  explicit Flow(llvm::ArrayRef<llvm::BitVector> reads);
  /// Lets every token read its neighbours once. Returns how many pairs were added.
  int64_t layer();
  bool knows(int64_t q, int64_t k) const { return known[q * words + k / 64] >> (k % 64) & 1; }

private:
  struct Word {
    uint32_t place;
    uint64_t bits;
  };
  llvm::ArrayRef<llvm::BitVector> reads;
  int64_t words;
  std::vector<uint64_t> known; ///< a row of `words` for each token
  std::vector<int64_t> missing;
  std::vector<std::vector<Word>> fresh;
};

} // namespace

Flow::Flow(llvm::ArrayRef<llvm::BitVector> reads)
    : reads(reads), words(llvm::divideCeil(reads.size(), 64)), known(reads.size() * words, 0),
      missing(reads.size(), static_cast<int64_t>(reads.size()) - 1), fresh(reads.size()) {
  for (size_t q = 0; q != reads.size(); ++q) {
    uint64_t bit = uint64_t(1) << (q % 64);
    known[q * words + q / 64] = bit;
    fresh[q] = {{static_cast<uint32_t>(q / 64), bit}};
  }
}

int64_t Flow::layer() {
  std::vector<std::vector<Word>> next(reads.size());
  std::vector<uint64_t> found(words, 0);
  int64_t added = 0;
  for (size_t q = 0; q != reads.size(); ++q) {
    if (missing[q] == 0)
      continue;
    for (unsigned k : reads[q].set_bits())
      for (const Word &word : fresh[k])
        found[word.place] |= word.bits;
    uint64_t *row = known.data() + q * words;
    for (int64_t i = 0; i != words; ++i) {
      uint64_t bits = found[i] & ~row[i];
      found[i] = 0;
      if (!bits)
        continue;
      row[i] |= bits;
      missing[q] -= llvm::popcount(bits);
      added += llvm::popcount(bits);
      next[q].push_back({static_cast<uint32_t>(i), bits});
    }
  }
  fresh.swap(next);
  return added;
}

std::optional<Reachability> girih::reachability(const MapView &view) {
  const GirihMapParams &p = *view.params;
  if (p.num_q != p.num_k || p.num_q > maxReachabilityTokens)
    return std::nullopt;
  int64_t n = p.num_q;
  std::vector<llvm::BitVector> reads = adjacency(view);
  Flow flow(reads);
  Reachability result;
  result.groups = countGroups(reads);
  result.pairsByLayer.push_back(n);
  while (int64_t added = flow.layer())
    result.pairsByLayer.push_back(result.pairsByLayer.back() + added);
  result.layers = static_cast<int64_t>(result.pairsByLayer.size()) - 1;
  result.reachablePairs = result.pairsByLayer.back();
  result.stronglyConnected = result.reachablePairs == n * n;
  result.causallyConnected = true;
  for (int64_t q = 0; q < n && result.causallyConnected; ++q)
    for (int64_t k = 0; k < q && result.causallyConnected; ++k)
      result.causallyConnected = flow.knows(q, k);
  return result;
}
