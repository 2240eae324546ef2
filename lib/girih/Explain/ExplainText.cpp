//===- ExplainText.cpp - The report for people ----------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Explain/Explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

using namespace girih;

static constexpr size_t lineWidth = 100;

/// Breaks text at spaces; lines after the first start with `indent`. Words that are
/// longer than a line are broken too.
static std::string wrapped(const std::string &first, const std::string &text,
                           const std::string &indent) {
  std::string out = first;
  size_t room = lineWidth - first.size(), begin = 0;
  while (text.size() - begin > room) {
    size_t end = text.rfind(' ', begin + room);
    bool atSpace = end != std::string::npos && end > begin;
    if (!atSpace)
      end = begin + room;
    out += text.substr(begin, end - begin) + "\n" + indent;
    begin = end + atSpace;
    room = lineWidth - indent.size();
  }
  return out + text.substr(begin) + "\n";
}

static std::string cut(const std::string &text, size_t width) {
  return text.size() <= width ? text : text.substr(0, width - 3) + "...";
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

/// Pairs with digits in groups; a sampled count starts with a tilde.
static std::string pairs(const PairCount &count) {
  return (count.exact ? "" : "~") + groupedDigits(std::llround(count.pairs));
}

static std::string reachText(const Problem &r, const Explanation &e) {
  if (!e.reach)
    return r.numQ != r.numK ? "not computed: queries and keys are not the same tokens"
                            : fmt::format("not computed beyond {} tokens", maxReachabilityTokens);
  int64_t layers = e.reach->layers;
  std::string after = fmt::format("after {} layer{}", layers, layers == 1 ? "" : "s");
  if (e.reach->stronglyConnected)
    return "every token reads every other " + after;
  if (e.reach->causallyConnected)
    return "every token reads every earlier one " + after + "; not the later ones all";
  double all = static_cast<double>(r.numQ) * static_cast<double>(r.numK);
  return fmt::format("not connected: {:.2f} % of all pairs {}, and no more ever",
                     100 * static_cast<double>(e.reach->reachablePairs) / all, after);
}

static std::string modelText(const Problem &r, const Explanation &e) {
  double all = static_cast<double>(r.numQ) * static_cast<double>(r.numK);
  return fmt::format("{} layer{}: a token reads {:.4g} % of the tokens on average", *e.layers,
                     *e.layers == 1 ? "" : "s",
                     100 * static_cast<double>(e.reach->pairsAfter(*e.layers)) / all);
}

static std::string coverageText(const Problem &r, const Explanation &e) {
  std::string out = fmt::format("{:.4g} % of all pairs", 100 * e.cost.coverage);
  if (e.causalPairs > 0)
    out += fmt::format(", {}{:.4g} % of the causal ones (k <= q)", e.causalKept.exact ? "" : "~",
                       100 * e.causalKept.pairs / static_cast<double>(e.causalPairs));
  out = row("coverage", out);
  if (e.heads.size() < 2)
    return out;
  for (const HeadCoverage &group : e.heads)
    out += fmt::format("    {:<14} {}{:.4g} %\n", "head " + headRange(group),
                       group.kept.exact ? "" : "~", 100 * coverageOf(r, group));
  if (e.headsOmitted > 0)
    out += fmt::format("    {} more heads\n", e.headsOmitted);
  return out;
}

static std::string sizesText(const Explanation &e) {
  std::string out = fmt::format("\n  {:<26}{:>14}{:>14}{:>24}{:>12}\n", "tile size", "full",
                                "partial", "computed pairs", "efficiency");
  bool sampled = false;
  for (const TileSize &size : e.sizes) {
    std::string marks = size.cpu ? "  cpu" : "";
    marks += size.hopper ? "  hopper" : "";
    bool here = size.q == e.tileQ && size.k == e.tileK;
    const char *tilde = size.exact ? "" : "~";
    auto number = [&](double value) { return tilde + groupedDigits(std::llround(value)); };
    out += fmt::format("  {:<26}{:>14}{:>14}{:>24}{:>10}{:.1f} %\n",
                       fmt::format("{} {:>3} x {:<3}{}", here ? "*" : " ", size.q, size.k, marks),
                       number(size.full), number(size.partial), number(size.computedPairs), tilde,
                       100 * size.efficiency);
    sampled |= !size.exact;
  }
  out += sampled ? "  * this report; ~ from a sample of the tile rows\n" : "  * this report\n";
  return out;
}

static std::string contributionsText(const Contributions &contributions) {
  if (contributions.parts.empty())
    return "";
  std::string out = fmt::format("\n  {:<44}{:>22}{:>30}\n", "part", "keeps alone", "only it");
  bool sampled = false;
  for (const Contribution &c : contributions.parts) {
    std::string name = std::string(2 * c.part.depth, ' ') + c.part.label;
    out += fmt::format("  {:<44}{:>22}{:>8}{:>22}\n", cut(name, 43), pairs(c.alone),
                       c.part.removes ? "removes" : "adds", pairs(c.exclusive));
    sampled |= !c.alone.exact || !c.exclusive.exact;
  }
  if (contributions.omitted > 0)
    out += fmt::format("  {} more parts were not counted\n", contributions.omitted);
  return out + (sampled ? "  ~ from a sample of the queries\n" : "");
}

static std::string tableText(const Problem &r, const Explanation &e) {
  const GirihMapStats &s = e.stats;
  int64_t listed = s.listed_full + s.listed_partial;
  std::string out;
  out +=
      row("problem",
          fmt::format(
              "{} queries x {} keys, batch {}, heads {}/{}, dim {}/{}, {}{}", groupedDigits(r.numQ),
              groupedDigits(r.numK), r.batch, r.heads, r.kvHeads, r.dim, r.vDim, dtypeName(r.dtype),
              r.outDtype() != r.dtype ? std::string(", o ") + dtypeName(r.outDtype()) : ""));
  if (r.cuda)
    out += row("target", "cuda, " + r.compileOptions().chip);
  if (r.score)
    out += row("score", r.score.str());
  out +=
      row("useful pairs", fmt::format("{} ({:.4g} % of {})", groupedDigits(s.useful_pairs),
                                      100 * e.cost.coverage, r.numQ == r.numK ? "N^2" : "q x k"));
  out += coverageText(r, e);
  out += row("computed pairs",
             fmt::format("{}, tile efficiency {:.1f} %", groupedDigits(s.computed_pairs),
                         100 * e.cost.tileEfficiency));
  out += row("tiles",
             fmt::format("{} full + {} partial = {} of {} ({} x {} tokens)",
                         groupedDigits(s.listed_full), groupedDigits(s.listed_partial),
                         groupedDigits(listed), groupedDigits(e.cost.gridTiles), e.tileQ, e.tileK));
  if (e.minimalTiles && *e.minimalTiles > 0)
    out += row("minimal tiles",
               fmt::format("{} if they could start anywhere: listed / minimal {:.3f}",
                           groupedDigits(*e.minimalTiles),
                           static_cast<double>(listed) / static_cast<double>(*e.minimalTiles)));
  else
    out += row("minimal tiles", e.minimalTiles ? "0" : "not computed: too many partial tiles");
  out += row("empty rows", fmt::format("{} queries see nothing", groupedDigits(s.empty_rows)));
  out += row("work", fmt::format("{} useful, {} computed", scaled(e.cost.usefulFlops, "FLOP"),
                                 scaled(e.cost.computedFlops, "FLOP")));
  out += row("memory", fmt::format("{} for q, k, v, o, lse and the map",
                                   scaled(static_cast<double>(e.cost.bytes), "B")));
  out +=
      row("block map", fmt::format("{:.2f} ms, {}, {} list{} ({})", e.mapMs,
                                   scaled(static_cast<double>(s.map_bytes), "B"), s.distinct_lists,
                                   s.distinct_lists == 1 ? "" : "s", tierName(s.tier)));
  out += row("reach", reachText(r, e));
  if (e.layers && e.reach)
    out += row("model", modelText(r, e));
  return out;
}

std::string girih::textExplanation(const Problem &r, const Explanation &e) {
  std::string out = wrapped("", cut(r.pattern.str(), 3 * lineWidth - 6), "  ");
  out += tableText(r, e) + sizesText(e) + contributionsText(e.contributions);
  if (!e.advice.empty())
    out += "\n  advice\n";
  for (const Advice &advice : e.advice)
    out += wrapped("  - ", advice.text + " [" + advice.id + "]", "    ");
  out += e.picture.tokens
             ? fmt::format("\n  # kept   . not   (one query and key a cell, tiles of {} x {}",
                           e.tileQ, e.tileK)
         : e.picture.tilesPerCell == 1
             ? "\n  . empty   + partial   # full   (one tile a cell"
             : fmt::format("\n  . empty   + partial   # full   ({0} x {0} tiles a cell",
                           e.picture.tilesPerCell);
  out += e.stats.distinct_lists > 1 ? fmt::format(", head {})\n\n", e.pictureHead) : ")\n\n";
  return out + printAscii(e.picture, "    ");
}
