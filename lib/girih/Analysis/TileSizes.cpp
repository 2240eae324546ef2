//===- TileSizes.cpp - Tile sizes side by side ----------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Analysis/TileSizes.h"

#include <algorithm>

using namespace girih;

// A sample: the tile rows of the first and last 128 queries, and 120 between.
static constexpr int64_t edgeQueries = 128, drawnRows = 120;
// Tile rows of closed forms, and listed tiles otherwise, that are counted in full.
static constexpr int64_t maxClosedRows = int64_t(1) << 19, maxTiles = int64_t(1) << 17;

/// Adds up what `bands` of tile rows list.
static llvm::Error addBands(const BandProgram &part, const GirihMapParams &params,
                            llvm::ArrayRef<Band> bands, TileSize &size) {
  for (const Band &band : bands) {
    int64_t begin = band.begin * params.tile_q;
    int64_t count = std::min(band.count * params.tile_q, params.num_q - begin);
    GirihMapParams lengths = part.params(begin, count);
    auto map = buildMap(part.get(), lengths);
    if (!map)
      return map.takeError();
    TileCount tiles = countTiles(map->get(), part.get(), lengths);
    size.full += band.weight * static_cast<double>(tiles.full);
    size.partial += band.weight * static_cast<double>(tiles.partial);
    size.computedPairs += band.weight * static_cast<double>(tiles.computedPairs);
  }
  return llvm::Error::success();
}

llvm::Expected<TileSize> girih::tileSize(const BoundPattern &pattern, const GirihMapParams &lengths,
                                         int32_t q, int32_t k, double usefulPairs) {
  GirihMapParams params = lengths;
  params.tile_q = q;
  params.tile_k = k;
  params.operands = pattern.operands.data();
  params.num_operands = static_cast<int64_t>(pattern.operands.size());
  const GirihMapProgram &program = *pattern.program;
  BandProgram part(program, params);
  int64_t rows = (params.num_q + q - 1) / q;
  int64_t lists = (program.uses_batch ? params.batch : 1) * (program.uses_head ? params.heads : 1);
  const Band everything{0, rows, 1};

  TileSize size;
  size.q = q;
  size.k = k;
  bool inFull = program.num_forward > 0 && rows <= maxClosedRows / lists;
  if (!inFull) {
    std::vector<Band> bands = drawBands(rows, (edgeQueries + q - 1) / q, drawnRows);
    if (llvm::Error error = addBands(part, params, bands, size))
      return std::move(error);
    size.exact = bands.size() <= 1;
    inFull = !size.exact && size.listed() <= maxTiles;
  }
  if (inFull) {
    size.full = size.partial = size.computedPairs = 0;
    size.exact = true;
    if (llvm::Error error = addBands(part, params, everything, size))
      return std::move(error);
  }
  // A sample may miss pairs that are kept.
  size.efficiency = size.computedPairs > 0 ? std::min(1.0, usefulPairs / size.computedPairs) : 1;
  return size;
}

TileSize girih::countedSize(const GirihMapStats &stats, int32_t q, int32_t k) {
  TileSize size;
  size.q = q;
  size.k = k;
  size.full = static_cast<double>(stats.listed_full);
  size.partial = static_cast<double>(stats.listed_partial);
  size.computedPairs = static_cast<double>(stats.computed_pairs);
  if (stats.computed_pairs > 0)
    size.efficiency = static_cast<double>(stats.useful_pairs) / size.computedPairs;
  return size;
}

RowLengths girih::rowLengths(const GirihBlockMap *map, int64_t batch, int64_t head) {
  RowLengths result;
  result.rows = girihBlockMapRows(map);
  std::vector<int64_t> lengths(static_cast<size_t>(result.rows), 0);
  for (int64_t row = 0; row != result.rows; ++row) {
    int64_t count = 0;
    const GirihRun *runs = girihBlockMapRuns(map, batch, head, row, &count);
    for (int64_t i = 0; i != count; ++i)
      lengths[row] += runs[i].end - runs[i].begin;
    result.total += lengths[row];
  }
  if (lengths.empty())
    return result;
  auto longest = std::max_element(lengths.begin(), lengths.end());
  result.longest = *longest;
  result.longestRow = longest - lengths.begin();
  auto middle = lengths.begin() + static_cast<int64_t>(lengths.size() / 2);
  std::nth_element(lengths.begin(), middle, lengths.end());
  result.median = *middle;
  return result;
}
