//===- Bands.cpp - Counting on some of the queries ------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Analysis/Bands.h"

#include "girih/Support/Error.h"

#include <algorithm>
#include <cmath>
#include <random>

using namespace girih;

std::vector<Band> girih::drawBands(int64_t units, int64_t edge, int64_t draws) {
  if (units <= 2 * edge + draws)
    return units > 0 ? std::vector<Band>{{0, units, 1}} : std::vector<Band>{};
  std::vector<Band> bands;
  if (edge > 0)
    bands.push_back({0, edge, 1});
  int64_t middle = units - 2 * edge;
  std::mt19937_64 generator(1);
  for (int64_t i = 0; i < draws; ++i) {
    int64_t begin = middle / draws * i + middle % draws * i / draws;
    int64_t end = middle / draws * (i + 1) + middle % draws * (i + 1) / draws;
    auto size = static_cast<uint64_t>(end - begin);
    auto drawn = static_cast<int64_t>(generator() % size);
    bands.push_back({edge + begin + drawn, 1, static_cast<double>(size)});
  }
  if (edge > 0)
    bands.push_back({units - edge, edge, 1});
  return bands;
}

Estimate girih::estimate(llvm::ArrayRef<Band> bands, llvm::ArrayRef<int64_t> values) {
  Estimate result{0, 0};
  double variance = 0;
  const Band *previous = nullptr;
  int64_t before = 0;
  for (auto [band, value] : llvm::zip_equal(bands, values)) {
    result.total += band.weight * static_cast<double>(value);
    if (band.weight == 1)
      continue;
    // Collapsed strata (Cochran, Sampling Techniques, 5A.12): with one draw in each,
    // neighbours tell how much draws differ. Each pair is counted from both sides.
    if (previous) {
      double apart = (band.weight + previous->weight) / 2 * static_cast<double>(value - before);
      variance += apart * apart / 2;
    }
    previous = &band;
    before = value;
  }
  result.error = 2 * std::sqrt(variance);
  return result;
}

llvm::Expected<BlockMapPtr> girih::buildMap(const GirihMapProgram &program,
                                            const GirihMapParams &params) {
  GirihStatus status{};
  GirihBlockMap *made = nullptr;
  if (girihBlockMapBuild(&program, &params, &made, &status) != GIRIH_OK)
    return statusError(status);
  return BlockMapPtr(made);
}

llvm::Expected<GirihMapStats> girih::mapStats(const GirihBlockMap *map,
                                              const GirihMapProgram &program,
                                              const GirihMapParams &params) {
  GirihStatus status{};
  GirihMapStats stats{};
  if (girihBlockMapStats(map, &program, &params, &stats, &status) != GIRIH_OK)
    return statusError(status);
  return stats;
}

TileCount girih::countTiles(const GirihBlockMap *map, const GirihMapProgram &program,
                            const GirihMapParams &params) {
  int64_t batches = program.uses_batch ? params.batch : 1;
  int64_t heads = program.uses_head ? params.heads : 1;
  TileCount count;
  for (int64_t list = 0; list != batches * heads; ++list) {
    for (int64_t row = 0; row != girihBlockMapRows(map); ++row) {
      int64_t height = std::min<int64_t>(params.tile_q, params.num_q - row * params.tile_q);
      int64_t size = 0;
      const GirihRun *runs = girihBlockMapRuns(map, list / heads, list % heads, row, &size);
      for (const GirihRun &run : llvm::ArrayRef(runs, static_cast<size_t>(size))) {
        (run.state == GIRIH_TILE_FULL ? count.full : count.partial) += run.end - run.begin;
        int64_t last = std::min(int64_t(run.end) * params.tile_k, params.num_k);
        count.computedPairs += height * (last - int64_t(run.begin) * params.tile_k);
        ++count.runs;
      }
    }
  }
  int64_t copies = (params.batch / batches) * (params.heads / heads);
  for (int64_t *value : {&count.full, &count.partial, &count.computedPairs, &count.runs})
    *value *= copies;
  return count;
}

BandProgram::BandProgram(const GirihMapProgram &source, const GirihMapParams &params)
    : nodes(source.nodes, source.nodes + source.num_nodes), program(source), whole(params) {
  for (GirihMapNode &node : nodes)
    if (node.op == GIRIH_MAP_VAR && node.imm == GIRIH_VAR_NQ)
      node = {GIRIH_MAP_CONST, -1, -1, 0, params.num_q};
  program.nodes = nodes.data();
}

GirihMapParams BandProgram::params(int64_t begin, int64_t count) const {
  GirihMapParams params = whole;
  params.q_offset += begin;
  params.num_q = count;
  return params;
}
