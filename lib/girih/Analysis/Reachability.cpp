//===- Reachability.cpp - What a pattern connects, skips and costs --------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Analysis/Reachability.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/BitVector.h"
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
  int64_t written = shape.heads * shape.numQ * (shape.vDim + 1);
  cost.bytes = shape.batch * (read * shape.elementBytes + written * 4) + stats.map_bytes;
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

std::optional<Reachability> girih::reachability(const MapView &view) {
  const GirihMapParams &p = *view.params;
  if (p.num_q != p.num_k || p.num_q > maxReachabilityTokens)
    return std::nullopt;
  int64_t n = p.num_q;
  std::vector<llvm::BitVector> reads = adjacency(view);
  std::vector<llvm::BitVector> known(n, llvm::BitVector(n));
  for (int64_t q = 0; q < n; ++q)
    known[q].set(q);

  Reachability result{};
  for (bool changed = true; changed;) {
    changed = false;
    std::vector<llvm::BitVector> next = known;
    for (int64_t q = 0; q < n; ++q) {
      if (known[q].all())
        continue;
      for (unsigned k : reads[q].set_bits())
        next[q] |= known[k];
      changed |= next[q] != known[q];
    }
    known.swap(next);
    result.layers += changed;
  }

  result.stronglyConnected = result.causallyConnected = true;
  for (int64_t q = 0; q < n; ++q) {
    result.reachablePairs += known[q].count();
    result.stronglyConnected &= known[q].all();
    int unread = known[q].find_first_unset();
    result.causallyConnected &= unread < 0 || unread > q;
  }
  return result;
}
