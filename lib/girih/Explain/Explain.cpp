//===- Explain.cpp - The report of girih-explain --------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Explain/Explain.h"

#include "girih/JIT/HopperTiles.h"
#include "girih/Support/Error.h"

#include <fmt/format.h>

#include <chrono>
#include <set>

using namespace girih;

/// Boxes that finding the minimal cover may look at: about a second.
static constexpr int64_t coverBudget = int64_t(1) << 22;

double girih::coverageOf(const Problem &r, const HeadCoverage &heads) {
  return heads.kept.pairs /
         (static_cast<double>(r.batch) * static_cast<double>(heads.last - heads.first + 1) *
          static_cast<double>(r.numQ) * static_cast<double>(r.numK));
}

std::string girih::headRange(const HeadCoverage &heads) {
  return heads.first == heads.last ? std::to_string(heads.first)
                                   : fmt::format("{}..{}", heads.first, heads.last);
}

const char *girih::tierName(int32_t tier) {
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

/// The sizes that everybody asks for, and what kernels of this pattern have.
static llvm::Error compareSizes(Session &session, const Problem &r, const PatternProgram &program,
                                const GirihMapParams &params, Explanation &e) {
  std::set<std::pair<int32_t, int32_t>> sizes{{16, 64},  {64, 16},  {64, 32},  {64, 64},
                                              {64, 128}, {128, 64}, {128, 96}, {128, 128}};
  CompileOptions options = r.compileOptions();
  options.tileQ = options.tileK = 0;
  options.score = {}; // what it looks up has no part in the choice
  auto chosen = session.analyze(r.pattern, options);
  if (!chosen)
    return chosen.takeError();
  const std::pair cpu(chosen->tileQ, chosen->tileK);
  const HopperTile tile = chooseHopperTile(r.pattern, *chosen->program, r.dim, r.vDim);
  const std::pair hopper(static_cast<int32_t>(tile.q), static_cast<int32_t>(tile.k));
  sizes.insert(hopper);
  sizes.insert(cpu);
  sizes.insert({e.tileQ, e.tileK});
  for (auto [q, k] : sizes) {
    auto useful = static_cast<double>(e.stats.useful_pairs);
    llvm::Expected<TileSize> size =
        q == e.tileQ && k == e.tileK
            ? llvm::Expected<TileSize>(countedSize(e.stats, q, k))
            : tileSize({program.program, program.operands}, params, q, k, useful);
    if (!size)
      return size.takeError();
    size->cpu = cpu == std::pair(q, k);
    size->hopper = hopper == std::pair(q, k);
    e.sizes.push_back(*size);
  }
  return llvm::Error::success();
}

/// Counts what parts of the pattern keep, and what it keeps for some heads.
static llvm::Error countParts(PairCounter &counter, const Problem &r, Explanation &e) {
  if (llvm::Error error = counter.know(r.pattern, e.stats.useful_pairs))
    return error;
  auto causalKept = counter.count(causalPart(r.pattern));
  if (!causalKept)
    return causalKept.takeError();
  e.causalKept = *causalKept;
  e.causalPairs = causalPairs(counter.lengths());
  e.heads = headGroups(r.pattern, r.heads, e.headsOmitted);
  if (llvm::Error error = countHeads(counter, r.pattern, e.heads))
    return error;
  auto parts = contributions(counter, r.pattern);
  if (!parts)
    return parts.takeError();
  e.contributions = std::move(*parts);
  return llvm::Error::success();
}

/// Every pair where there are at most `tokens` on a side, else tiles in up to `cells`.
static TileGrid pictureOf(const MapView &view, int64_t head, int64_t tokens, int64_t cells) {
  return std::max(view.params->num_q, view.params->num_k) <= tokens
             ? drawTokens(view, 0, head)
             : sampleTiles(view, 0, head, cells);
}

/// Panels: the head that was asked for, or the first of each group.
static TileDrawing draw(const Problem &r, const MapView &view, const ExplainOptions &options,
                        const Explanation &e) {
  std::vector<std::pair<int64_t, std::string>> heads;
  bool differ = e.heads.size() > 1;
  if (options.pictureHead)
    heads.emplace_back(*options.pictureHead, fmt::format("head {}", *options.pictureHead));
  else
    for (const HeadCoverage &group : e.heads)
      heads.emplace_back(group.first, differ ? fmt::format("head {}: {}{:.3g} %", headRange(group),
                                                           group.kept.exact ? "" : "about ",
                                                           100 * coverageOf(r, group))
                                             : "");
  TileDrawing drawing;
  drawing.title = r.pattern.str();
  drawing.lines.push_back(fmt::format(
      "{} queries x {} keys, tiles of {} x {}: {} full + {} partial, tile efficiency {:.1f} %",
      groupedDigits(r.numQ), groupedDigits(r.numK), e.tileQ, e.tileK,
      groupedDigits(e.stats.listed_full), groupedDigits(e.stats.listed_partial),
      100 * e.cost.tileEfficiency));
  if (e.headsOmitted > 0 && !options.pictureHead)
    drawing.lines.push_back(fmt::format("{} more heads are not drawn", e.headsOmitted));
  drawing.numQ = r.numQ;
  drawing.numK = r.numK;
  drawing.firstQuery = view.params->q_offset;
  drawing.tileQ = e.tileQ;
  drawing.tileK = e.tileK;
  auto panels = static_cast<int64_t>(heads.size());
  for (auto &[head, title] : heads)
    drawing.panels.push_back(
        {pictureOf(view, head, tokensOfPanel(panels), cellsOfPanel(panels)), title});
  return drawing;
}

llvm::Expected<Explanation> girih::explain(Session &session, const Problem &r,
                                           const ExplainOptions &options) {
  if (llvm::Error error = checkProblem(r))
    return std::move(error);
  if (int64_t head = options.pictureHead.value_or(0); head < 0 || head >= r.heads)
    return invalidError(
        fmt::format("picture head: expected 0 to {}, but got {}", r.heads - 1, head));
  if (int64_t layers = options.layers.value_or(1); layers < 1)
    return invalidError(fmt::format("layers: expected at least 1, but got {}", layers));
  auto program = session.analyze(r.pattern, r.compileOptions(), r.cuda);
  if (!program)
    return program.takeError();
  GirihKernelDesc tile{};
  tile.tile_q = program->tileQ;
  tile.tile_k = program->tileK;
  GirihMapParams params =
      mapParams(r.batch, r.heads, r.numQ, r.numK, r.align, program->operands, tile);

  Explanation e;
  e.tileQ = program->tileQ;
  e.tileK = program->tileK;
  e.layers = options.layers;
  using Clock = std::chrono::steady_clock;
  using Milliseconds = std::chrono::duration<double, std::milli>;
  auto start = Clock::now();
  auto map = buildMap(*program->program, params);
  if (!map)
    return map.takeError();
  e.mapMs = Milliseconds(Clock::now() - start).count();
  start = Clock::now();
  auto stats = mapStats(map->get(), *program->program, params);
  if (!stats)
    return stats.takeError();
  e.statsMs = Milliseconds(Clock::now() - start).count();
  e.stats = *stats;
  e.cost = mapCost(e.stats, params,
                   {r.batch, r.heads, r.kvHeads, r.numQ, r.numK, r.dim, r.vDim, dtypeBytes(r.dtype),
                    dtypeBytes(r.outDtype())});
  MapView view{map->get(), program->program.get(), &params};
  e.minimalTiles = minimalTiles(view, coverBudget);
  e.reach = reachability(view);
  e.pictureHead = options.pictureHead.value_or(0);
  e.picture = pictureOf(view, e.pictureHead, tokensOfPanel(1), 48);

  // Parts are counted, not computed: neither scores nor tiles matter to them.
  CompileOptions partOptions = r.compileOptions();
  partOptions.score = {};
  partOptions.tileQ = partOptions.tileK = 0;
  PairCounter counter(
      [&](const Pattern &part) -> llvm::Expected<BoundPattern> {
        auto made = session.analyze(part, partOptions);
        if (!made)
          return made.takeError();
        return BoundPattern{made->program, std::move(made->operands)};
      },
      params);
  if (llvm::Error error = countParts(counter, r, e))
    return std::move(error);
  if (llvm::Error error = compareSizes(session, r, *program, params, e))
    return std::move(error);
  RowLengths rows;
  for (const HeadCoverage &group : e.heads)
    if (RowLengths other = rowLengths(map->get(), 0, group.first); other.longest > rows.longest)
      rows = other;
  e.advice =
      advise({r.pattern, params, e.stats, e.sizes, e.contributions, rows, e.reach, e.layers});
  if (options.svg)
    e.drawing = draw(r, view, options, e);
  return e;
}

std::string girih::svgExplanation(const Explanation &e) { return printSvg(e.drawing); }
