//===- Explain.cpp - The report of girih-explain --------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Explain.h"

#include "common/Json.h"

#include "girih/Support/Error.h"

#include <fmt/format.h>

#include <chrono>

using namespace girih;

/// Boxes that finding the minimal cover may look at: about a second.
static constexpr int64_t coverBudget = int64_t(1) << 22;

llvm::Expected<Explanation> girih::explain(Session &session, const Request &r, int64_t head) {
  auto kernel = session.compile(r.pattern, r.compileOptions());
  if (!kernel)
    return kernel.takeError();
  const GirihKernelDesc &desc = (*kernel)->desc();
  std::vector<GirihOperand> operands = patternOperands(r.pattern);
  GirihMapParams params = mapParams(r.batch, r.heads, r.numQ, r.numK, r.align, operands, desc);

  Explanation result;
  auto map = (*kernel)->blockMap(params, &result.mapMs);
  if (!map)
    return map.takeError();
  GirihStatus status{};
  auto start = std::chrono::steady_clock::now();
  if (girihBlockMapStats(map->get(), desc.map, &params, &result.stats, &status) != GIRIH_OK)
    return statusError(status);
  std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - start;
  result.statsMs = elapsed.count();
  MapView view{map->get(), desc.map, &params};
  result.tileQ = desc.tile_q;
  result.tileK = desc.tile_k;
  result.cost = mapCost(
      result.stats, params,
      {r.batch, r.heads, r.kvHeads, r.numQ, r.numK, r.dim, r.vDim, r.dtype == GIRIH_F32 ? 4 : 2});
  result.minimalTiles = minimalTiles(view, coverBudget);
  result.reach = reachability(view);
  result.picture = sampleTiles(view, 0, head, 48);
  result.largePicture = sampleTiles(view, 0, head, 256);
  return result;
}

static const char *tierName(int32_t tier) {
  switch (tier) {
  case GIRIH_TIER_RANGES:
    return "ranges";
  case GIRIH_TIER_QUADTREE:
    return "quadtree";
  case GIRIH_TIER_PERIODIC:
    return "periodic";
  default:
    return "csr";
  }
}

std::string girih::jsonExplanation(const Request &r, const Explanation &e) {
  return writeJson([&](llvm::json::OStream &json) {
    json.attribute("pattern", r.pattern.str());
    json.attribute("batch", r.batch);
    json.attribute("heads", r.heads);
    json.attribute("kv_heads", r.kvHeads);
    json.attribute("q_len", r.numQ);
    json.attribute("k_len", r.numK);
    json.attribute("dim", r.dim);
    json.attribute("v_dim", r.vDim);
    json.attribute("dtype", r.dtypeName);
    json.attribute("tile_q", e.tileQ);
    json.attribute("tile_k", e.tileK);
    json.attribute("useful_pairs", e.stats.useful_pairs);
    json.attribute("computed_pairs", e.stats.computed_pairs);
    json.attribute("total_pairs", e.stats.total_pairs);
    json.attribute("tile_efficiency", jsonNumber(e.cost.tileEfficiency));
    json.attribute("coverage", jsonNumber(e.cost.coverage));
    json.attribute("tiles_full", e.stats.listed_full);
    json.attribute("tiles_partial", e.stats.listed_partial);
    json.attribute("tiles_listed", e.stats.listed_full + e.stats.listed_partial);
    json.attribute("tiles_grid", e.cost.gridTiles);
    const llvm::json::Value none(nullptr);
    json.attribute("tiles_minimal", e.minimalTiles ? llvm::json::Value(*e.minimalTiles) : none);
    // What aligned tiles cost: none where listed tiles are as few as can be.
    json.attribute("tiles_excess", e.minimalTiles
                                       ? llvm::json::Value(e.stats.listed_full +
                                                           e.stats.listed_partial - *e.minimalTiles)
                                       : none);
    json.attribute("empty_rows", e.stats.empty_rows);
    json.attribute("useful_flops", jsonNumber(e.cost.usefulFlops));
    json.attribute("computed_flops", jsonNumber(e.cost.computedFlops));
    json.attribute("bytes", e.cost.bytes);
    json.attribute("map_tier", tierName(e.stats.tier));
    json.attribute("map_copied_rows", e.stats.copied_rows);
    json.attribute("map_lists", e.stats.distinct_lists);
    json.attribute("map_bytes", e.stats.map_bytes);
    json.attribute("map_ms", jsonNumber(e.mapMs));
    json.attribute("stats_ms", jsonNumber(e.statsMs));
    if (!e.reach) {
      json.attribute("reachability", none);
      return;
    }
    json.attributeObject("reachability", [&] {
      json.attribute("layers", e.reach->layers);
      json.attribute("reachable_pairs", e.reach->reachablePairs);
      json.attribute("strongly_connected", e.reach->stronglyConnected);
      json.attribute("causally_connected", e.reach->causallyConnected);
    });
  });
}

/// 1234567 as 1,234,567.
static std::string grouped(int64_t value) {
  std::string digits = std::to_string(value);
  for (int i = static_cast<int>(digits.size()) - 3; i > 0; i -= 3)
    digits.insert(i, ",");
  return digits;
}

/// A quantity with a decimal prefix: 1.23 M.
static std::string scaled(double value, const char *unit) {
  const char *prefixes[] = {"", "k", "M", "G", "T", "P", "E"};
  int step = 0;
  for (; value >= 1000 && step < 6; ++step)
    value /= 1000;
  return fmt::format("{:.4g} {}{}", value, prefixes[step], unit);
}

static std::string row(const char *name, const std::string &value) {
  return fmt::format("  {:<16} {}\n", name, value);
}

static std::string reachText(const Request &r, const Explanation &e) {
  if (!e.reach)
    return r.numQ != r.numK ? "not computed: queries and keys are not the same tokens"
                            : fmt::format("not computed beyond {} tokens", maxReachabilityTokens);
  int64_t layers = e.reach->layers;
  std::string after = fmt::format("after {} layer{}", layers, layers == 1 ? "" : "s");
  if (e.reach->stronglyConnected)
    return "every token reads every other " + after;
  if (e.reach->causallyConnected)
    return "every token reads every earlier one " + after + "; not the later ones all";
  double pairs = static_cast<double>(r.numQ) * static_cast<double>(r.numK);
  return fmt::format("not connected: {:.2f} % of all pairs {}, and no more ever",
                     100 * static_cast<double>(e.reach->reachablePairs) / pairs, after);
}

std::string girih::textExplanation(const Request &r, const Explanation &e, int64_t head) {
  const GirihMapStats &s = e.stats;
  int64_t listed = s.listed_full + s.listed_partial;
  std::string pattern = r.pattern.str();
  if (pattern.size() > 200)
    pattern = pattern.substr(0, 197) + "...";
  std::string out = pattern + "\n";
  out += row("problem", fmt::format("{} queries x {} keys, batch {}, heads {}/{}, dim {}/{}, {}",
                                    grouped(r.numQ), grouped(r.numK), r.batch, r.heads, r.kvHeads,
                                    r.dim, r.vDim, r.dtypeName));
  out += row("useful pairs",
             fmt::format("{} ({:.4g} % of N^2)", grouped(s.useful_pairs), 100 * e.cost.coverage));
  out += row("computed pairs", fmt::format("{}, tile efficiency {:.1f} %",
                                           grouped(s.computed_pairs), 100 * e.cost.tileEfficiency));
  out += row("tiles", fmt::format("{} full + {} partial = {} of {} ({} x {} tokens)",
                                  grouped(s.listed_full), grouped(s.listed_partial),
                                  grouped(listed), grouped(e.cost.gridTiles), e.tileQ, e.tileK));
  if (e.minimalTiles && *e.minimalTiles > 0)
    out += row("minimal tiles",
               fmt::format("{} if they could start anywhere: listed / minimal {:.3f}",
                           grouped(*e.minimalTiles),
                           static_cast<double>(listed) / static_cast<double>(*e.minimalTiles)));
  else
    out += row("minimal tiles", e.minimalTiles ? "0" : "not computed: too many partial tiles");
  out += row("empty rows", fmt::format("{} queries see nothing", grouped(s.empty_rows)));
  out += row("work", fmt::format("{} useful, {} computed", scaled(e.cost.usefulFlops, "FLOP"),
                                 scaled(e.cost.computedFlops, "FLOP")));
  out += row("memory", fmt::format("{} for q, k, v, o, lse and the map",
                                   scaled(static_cast<double>(e.cost.bytes), "B")));
  out +=
      row("block map", fmt::format("{:.2f} ms, {}, {} list{} ({})", e.mapMs,
                                   scaled(static_cast<double>(s.map_bytes), "B"), s.distinct_lists,
                                   s.distinct_lists == 1 ? "" : "s", tierName(s.tier)));
  out += row("reach", reachText(r, e));
  out += e.picture.tilesPerCell == 1
             ? "\n  . empty   + partial   # full   (one tile a cell"
             : fmt::format("\n  . empty   + partial   # full   ({0} x {0} tiles a cell",
                           e.picture.tilesPerCell);
  out += s.distinct_lists > 1 ? fmt::format(", head {})\n\n", head) : ")\n\n";
  return out + printAscii(e.picture, "    ");
}
