//===- ExplainJson.cpp - The report as JSON -------------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Explain/Explain.h"

#include "girih/Support/Json.h"

#include <algorithm>
#include <cmath>

using namespace girih;

static const llvm::json::Value none(nullptr);

static int64_t whole(double value) { return std::llround(value); }

/// NAME and, for a sample, NAME_error: two standard errors.
static void writeCount(llvm::json::OStream &json, const std::string &name, const PairCount &count) {
  json.attribute(name, whole(count.pairs));
  json.attribute(name + "_exact", count.exact);
  if (!count.exact)
    json.attribute(name + "_error", whole(count.error));
}

static void writeHeads(llvm::json::OStream &json, const Problem &r, const Explanation &e) {
  json.attributeArray("coverage_by_head", [&] {
    for (const HeadCoverage &group : e.heads)
      json.object([&] {
        json.attribute("first_head", group.first);
        json.attribute("last_head", group.last);
        writeCount(json, "useful_pairs", group.kept);
        json.attribute("coverage", jsonNumber(coverageOf(r, group)));
      });
  });
  json.attribute("heads_omitted", e.headsOmitted);
}

static void writeSizes(llvm::json::OStream &json, const Explanation &e) {
  json.attributeArray("tile_sizes", [&] {
    for (const TileSize &size : e.sizes)
      json.object([&] {
        json.attribute("tile_q", size.q);
        json.attribute("tile_k", size.k);
        json.attribute("tiles_full", whole(size.full));
        json.attribute("tiles_partial", whole(size.partial));
        json.attribute("tiles_listed", whole(size.listed()));
        json.attribute("computed_pairs", whole(size.computedPairs));
        json.attribute("tile_efficiency", jsonNumber(size.efficiency));
        json.attribute("exact", size.exact);
        json.attributeArray("chosen_by", [&] {
          if (size.cpu)
            json.value("cpu");
          if (size.hopper)
            json.value("hopper");
        });
      });
  });
}

static void writeContributions(llvm::json::OStream &json, const Contributions &contributions) {
  json.attributeArray("contributions", [&] {
    for (const Contribution &c : contributions.parts)
      json.object([&] {
        json.attribute("pattern", jsonText(c.part.pattern.str()));
        json.attribute("label", jsonText(c.part.label));
        json.attribute("depth", c.part.depth);
        json.attribute("effect", c.part.removes ? "removes" : "adds");
        writeCount(json, "alone_pairs", c.alone);
        writeCount(json, "exclusive_pairs", c.exclusive);
      });
  });
  json.attribute("contributions_omitted", contributions.omitted);
}

static void writeReach(llvm::json::OStream &json, const Explanation &e) {
  if (!e.reach)
    return json.attribute("reachability", none);
  json.attributeObject("reachability", [&] {
    const Reachability &reach = *e.reach;
    json.attribute("layers", reach.layers);
    json.attribute("reachable_pairs", reach.reachablePairs);
    json.attribute("strongly_connected", reach.stronglyConnected);
    json.attribute("causally_connected", reach.causallyConnected);
    json.attribute("groups", reach.groups);
    // Enough to draw a curve; narrow windows have thousands.
    constexpr size_t most = 64;
    json.attributeArray("pairs_by_layer", [&] {
      for (size_t i = 0; i < std::min(most, reach.pairsByLayer.size()); ++i)
        json.value(reach.pairsByLayer[i]);
    });
    if (e.layers) {
      json.attribute("model_layers", *e.layers);
      json.attribute("model_pairs", reach.pairsAfter(*e.layers));
    }
  });
}

std::string girih::jsonExplanation(const Problem &r, const Explanation &e) {
  return writeJson([&](llvm::json::OStream &json) {
    json.attribute("pattern", jsonText(r.pattern.str()));
    json.attribute("batch", r.batch);
    json.attribute("heads", r.heads);
    json.attribute("kv_heads", r.kvHeads);
    json.attribute("q_len", r.numQ);
    json.attribute("k_len", r.numK);
    json.attribute("dim", r.dim);
    json.attribute("v_dim", r.vDim);
    json.attribute("dtype", dtypeName(r.dtype));
    json.attribute("o_dtype", dtypeName(r.outDtype()));
    json.attribute("target", r.cuda ? "cuda" : "cpu");
    if (r.cuda)
      json.attribute("chip", r.compileOptions().chip);
    if (r.score)
      json.attribute("score", jsonText(r.score.str()));
    json.attribute("tile_q", e.tileQ);
    json.attribute("tile_k", e.tileK);
    json.attribute("useful_pairs", e.stats.useful_pairs);
    json.attribute("computed_pairs", e.stats.computed_pairs);
    json.attribute("total_pairs", e.stats.total_pairs);
    json.attribute("tile_efficiency", jsonNumber(e.cost.tileEfficiency));
    json.attribute("coverage", jsonNumber(e.cost.coverage));
    json.attribute("causal_pairs", e.causalPairs);
    writeCount(json, "causal_useful_pairs", e.causalKept);
    json.attribute(
        "causal_coverage",
        e.causalPairs ? jsonNumber(e.causalKept.pairs / static_cast<double>(e.causalPairs)) : none);
    writeHeads(json, r, e);
    json.attribute("tiles_full", e.stats.listed_full);
    json.attribute("tiles_partial", e.stats.listed_partial);
    json.attribute("tiles_listed", e.stats.listed_full + e.stats.listed_partial);
    json.attribute("tiles_grid", e.cost.gridTiles);
    json.attribute("tiles_minimal", e.minimalTiles ? llvm::json::Value(*e.minimalTiles) : none);
    // What aligned tiles cost: none where listed tiles are as few as can be.
    json.attribute("tiles_excess", e.minimalTiles
                                       ? llvm::json::Value(e.stats.listed_full +
                                                           e.stats.listed_partial - *e.minimalTiles)
                                       : none);
    writeSizes(json, e);
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
    writeContributions(json, e.contributions);
    writeReach(json, e);
    json.attributeArray("advice", [&] {
      for (const Advice &advice : e.advice)
        json.object([&] {
          json.attribute("id", advice.id);
          json.attribute("text", jsonText(advice.text));
        });
    });
  });
}
