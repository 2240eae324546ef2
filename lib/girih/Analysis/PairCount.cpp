//===- PairCount.cpp - How many pairs a pattern keeps ---------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Analysis/PairCount.h"

#include <algorithm>

using namespace girih;

// What an exact count may take, each well below a second: rows of closed forms,
// pairs of partial tiles that are evaluated one by one, and runs.
static constexpr int64_t maxRows = int64_t(1) << 22, maxScannedPairs = int64_t(1) << 26,
                         maxRuns = int64_t(1) << 18;
// What all exact counts of a report may take together, in such pairs.
static constexpr double reportBudget = double(int64_t(1) << 28);
static constexpr int32_t countingTile = 64;
// A sample: 64 queries at either end and 192 between.
static constexpr int64_t edgeQueries = 64, drawnQueries = 192;

struct PairCounter::Entry {
  Pattern pattern;
  BoundPattern bound;
  std::optional<int64_t> exact;
  std::vector<int64_t> values; ///< kept pairs of each band; empty until sampled
};

PairCounter::PairCounter(PatternSource source, const GirihMapParams &params)
    : source(std::move(source)), params(params),
      bands(drawBands(params.num_q, edgeQueries, drawnQueries)), budget(reportBudget) {
  this->params.tile_q = this->params.tile_k = countingTile;
}

PairCounter::~PairCounter() = default;

/// (batch, head) combinations that the map engine tells apart.
static int64_t combinations(const GirihMapProgram &program, const GirihMapParams &params) {
  return (program.uses_batch ? params.batch : 1) * (program.uses_head ? params.heads : 1);
}

static GirihMapParams withOperands(GirihMapParams params, const BoundPattern &bound) {
  params.operands = bound.operands.data();
  params.num_operands = static_cast<int64_t>(bound.operands.size());
  return params;
}

/// Extrapolates runs and partial tiles from some tile rows, and takes the work from
/// the budget if there is enough.
llvm::Expected<bool> PairCounter::spend(const BoundPattern &bound) {
  const GirihMapProgram &program = *bound.program;
  int64_t lists = combinations(program, params);
  if (params.num_q > maxRows / lists)
    return false;
  if (program.num_forward > 0)
    return true;
  int64_t rows = (params.num_q + countingTile - 1) / countingTile;
  BandProgram part(program, withOperands(params, bound));
  double runs = 0, scanned = 0;
  for (const Band &band : drawBands(rows, /*edge=*/2, /*draws=*/28)) {
    int64_t begin = band.begin * countingTile;
    GirihMapParams lengths =
        part.params(begin, std::min(band.count * countingTile, params.num_q - begin));
    auto map = buildMap(part.get(), lengths);
    if (!map)
      return map.takeError();
    TileCount tiles = countTiles(map->get(), part.get(), lengths);
    // The engine counts lists that are equal by construction once.
    double copies = static_cast<double>(params.batch * params.heads) / static_cast<double>(lists);
    runs += band.weight * static_cast<double>(tiles.runs) / copies;
    scanned += band.weight * static_cast<double>(tiles.partial) / copies *
               static_cast<double>(countingTile * countingTile);
  }
  if (runs > maxRuns || scanned > maxScannedPairs || scanned > budget)
    return false;
  budget -= scanned;
  return true;
}

llvm::Expected<PairCounter::Entry *> PairCounter::add(const Pattern &pattern) {
  auto bound = source(pattern);
  if (!bound)
    return bound.takeError();
  auto entry = std::make_unique<Entry>();
  entry->pattern = pattern;
  entry->bound = std::move(*bound);
  entries.push_back(std::move(entry));
  return entries.back().get();
}

llvm::Error PairCounter::know(const Pattern &pattern, int64_t pairs) {
  auto entry = add(pattern);
  if (!entry)
    return entry.takeError();
  (*entry)->exact = pairs;
  return llvm::Error::success();
}

llvm::Expected<PairCounter::Entry *> PairCounter::entryOf(const Pattern &pattern) {
  for (const std::unique_ptr<Entry> &entry : entries)
    if (entry->pattern == pattern)
      return entry.get();
  auto entry = add(pattern);
  if (!entry)
    return entry;
  const BoundPattern &bound = (*entry)->bound;
  auto affordable = spend(bound);
  if (!affordable)
    return affordable.takeError();
  if (!*affordable)
    return entry;
  GirihMapParams lengths = withOperands(params, bound);
  auto map = buildMap(*bound.program, lengths);
  if (!map)
    return map.takeError();
  auto stats = mapStats(map->get(), *bound.program, lengths);
  if (!stats)
    return stats.takeError();
  (*entry)->exact = stats->useful_pairs;
  return entry;
}

llvm::Error PairCounter::sample(Entry &entry) const {
  if (!entry.values.empty())
    return llvm::Error::success();
  BandProgram part(*entry.bound.program, withOperands(params, entry.bound));
  for (const Band &band : bands) {
    GirihMapParams lengths = part.params(band.begin, band.count);
    lengths.tile_q = static_cast<int32_t>(std::min<int64_t>(band.count, countingTile));
    auto map = buildMap(part.get(), lengths);
    if (!map)
      return map.takeError();
    auto stats = mapStats(map->get(), part.get(), lengths);
    if (!stats)
      return stats.takeError();
    entry.values.push_back(stats->useful_pairs);
  }
  return llvm::Error::success();
}

llvm::Expected<PairCount> PairCounter::count(const Pattern &pattern) {
  auto entry = entryOf(pattern);
  if (!entry)
    return entry.takeError();
  if ((*entry)->exact)
    return PairCount{static_cast<double>(*(*entry)->exact), true, 0};
  if (llvm::Error error = sample(**entry))
    return std::move(error);
  Estimate total = estimate(bands, (*entry)->values);
  return PairCount{total.total, false, total.error};
}

llvm::Expected<PairCount> PairCounter::difference(const Pattern &larger, const Pattern &smaller) {
  auto first = entryOf(larger);
  if (!first)
    return first.takeError();
  auto second = entryOf(smaller);
  if (!second)
    return second.takeError();
  Entry &a = **first, &b = **second;
  if (a.exact && b.exact)
    return PairCount{static_cast<double>(*a.exact - *b.exact), true, 0};
  for (Entry *entry : {&a, &b})
    if (llvm::Error error = sample(*entry))
      return std::move(error);
  std::vector<int64_t> values;
  for (auto [more, fewer] : llvm::zip_equal(a.values, b.values))
    values.push_back(more - fewer);
  Estimate total = estimate(bands, values);
  return PairCount{total.total, false, total.error};
}
