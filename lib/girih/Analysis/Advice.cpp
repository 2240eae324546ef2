//===- Advice.cpp - What to know before running a pattern -----------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Analysis/Advice.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

using namespace girih;

// Below this share of masked pairs no tile is worth a remark.
static constexpr double littleMasked = 0.1;

std::string girih::groupedDigits(int64_t value) {
  std::string digits = std::to_string(value);
  int first = value < 0 ? 1 : 0;
  for (int i = static_cast<int>(digits.size()) - 3; i > first; i -= 3)
    digits.insert(i, ",");
  return digits;
}

/// A share as a percentage: 0 and 100 only when it is nothing or all.
static std::string percent(double share) {
  if (share <= 0 || share >= 1)
    return share <= 0 ? "0 %" : "100 %";
  if (share < 0.0001 || share > 0.9999)
    return share < 0.5 ? "less than 0.01 %" : "more than 99.99 %";
  if (share < 0.01 || share >= 0.995)
    return fmt::format("{:.2f} %", 100 * share);
  return fmt::format("{:.0f} %", 100 * share);
}

static std::string quoted(const Pattern &pattern) {
  std::string text = pattern.str();
  constexpr size_t longest = 60;
  if (text.size() > longest)
    text = text.substr(0, longest - 3) + "...";
  return "`" + text + "`";
}

namespace {

class Adviser {
public:
  explicit Adviser(const AdviceInput &input) : in(input) {
    if (in.stats.computed_pairs > 0)
      masked = 1 - static_cast<double>(in.stats.useful_pairs) /
                       static_cast<double>(in.stats.computed_pairs);
  }

  std::vector<Advice> run();

private:
  void say(const char *id, std::string text) { advice.push_back({id, std::move(text)}); }
  void emptyRows();
  void tileSize();
  void leaves(const PatternRef &ref, int64_t scale, bool negative);
  void columns(const PatternNode &node, const Pattern &pattern, int64_t scale);
  void stride(const Pattern &pattern, int64_t stride, int64_t scale);
  void blocks(const PatternNode &node, const Pattern &pattern);
  void noContribution();
  void longRow();
  void flow();

  const AdviceInput &in;
  double masked = 0; ///< share of computed pairs
  std::vector<Advice> advice;
};

} // namespace

void Adviser::emptyRows() {
  int64_t rows = in.params.batch * in.params.heads * in.params.num_q;
  if (in.stats.empty_rows > 0)
    say("empty-rows",
        fmt::format("{} of {} queries ({}) keep no key: their output is 0, their LSE -inf",
                    groupedDigits(in.stats.empty_rows), groupedDigits(rows),
                    percent(static_cast<double>(in.stats.empty_rows) / static_cast<double>(rows))));
}

void Adviser::tileSize() {
  constexpr double muchMasked = 0.25, clearlyFewer = 0.8, aboutAsFew = 1.1;
  if (masked < muchMasked)
    return;
  double least = 0;
  for (const TileSize &size : in.sizes)
    if (least == 0 || size.computedPairs < least)
      least = size.computedPairs;
  // Larger tiles are computed at a higher rate: the largest of those that are about
  // as good as the best.
  const TileSize *best = nullptr;
  for (const TileSize &size : in.sizes)
    if (size.computedPairs <= aboutAsFew * least && (!best || size.q * size.k > best->q * best->k))
      best = &size;
  auto now = static_cast<double>(in.stats.computed_pairs);
  if (!best || best->computedPairs <= 0 || best->computedPairs > clearlyFewer * now)
    return;
  say("tile-size",
      fmt::format("{} of computed pairs are masked with tiles of {} x {}; {} x {} would compute "
                  "{}{:.1f} times fewer pairs ({} masked), at a lower rate if tiles are smaller",
                  percent(masked), in.params.tile_q, in.params.tile_k, best->q, best->k,
                  best->exact ? "" : "about ", now / best->computedPairs,
                  percent(1 - best->efficiency)));
}

/// Share of the k-tiles of `tile` keys that hold one of the keys lo <= k % period < hi.
static double touchedShare(int64_t period, int64_t lo, int64_t hi, int64_t tile) {
  // Tiles begin at the multiples of the common divisor, each equally often.
  int64_t step = std::gcd(period, tile), touched = 0;
  for (int64_t begin = 0; begin < period; begin += step) {
    // The first kept key at or after the tile's begin.
    int64_t wait = begin < lo ? lo - begin : begin < hi ? 0 : period + lo - begin;
    touched += wait < tile;
  }
  return static_cast<double>(touched) / static_cast<double>(period / step);
}

// Periods beyond are far apart whatever the tile, and take long to walk through.
static constexpr int64_t longestPeriod = int64_t(1) << 20;

void Adviser::columns(const PatternNode &node, const Pattern &pattern, int64_t scale) {
  if (node.period > longestPeriod / scale)
    return;
  int64_t period = node.period * scale, lo = node.lo * scale, hi = node.hi * scale;
  double kept = static_cast<double>(hi - lo) / static_cast<double>(period);
  auto maskedWith = [&](int64_t tile) {
    double touched = touchedShare(period, lo, hi, tile);
    return touched > 0 ? 1 - kept / touched : 0;
  };
  int64_t tile = in.params.tile_k;
  double now = maskedWith(tile);
  if (now < 0.5)
    return;
  std::string text =
      fmt::format("period {} against k-tiles of {}: {} of the keys in tiles that {} touches are "
                  "masked",
                  period, tile, percent(now), quoted(pattern));
  // The widest that is clearly better.
  for (int64_t narrower : {64, 32, 16})
    if (narrower < tile && maskedWith(narrower) <= now - 0.1) {
      say("period", text + fmt::format("; k-tiles of {} touch {} of the keys and mask {}", narrower,
                                       percent(touchedShare(period, lo, hi, narrower)),
                                       percent(maskedWith(narrower))));
      return;
    }
  say("period", text);
}

void Adviser::stride(const Pattern &pattern, int64_t stride, int64_t scale) {
  int64_t tileQ = in.params.tile_q, tileK = in.params.tile_k;
  // Blocks of a lifted pattern fill tiles by themselves.
  if (scale != 1 || stride < 2 || stride > longestPeriod)
    return;
  // q - k of a tile takes every value of an interval of tileQ + tileK - 1.
  int64_t step = std::gcd(std::gcd(tileQ, tileK), stride), touched = 0;
  for (int64_t first = 0; first < stride; first += step) {
    int64_t lowest = first - (tileK - 1);
    int64_t wait = ((-lowest % stride) + stride) % stride;
    touched += wait < tileQ + tileK - 1;
  }
  double share = static_cast<double>(touched) / static_cast<double>(stride / step);
  double maskedShare = 1 - 1 / static_cast<double>(stride) / share;
  if (maskedShare < 0.5)
    return;
  say("period", fmt::format("stride {} against tiles of {} x {}: {} touches {} of the tiles in "
                            "its reach and {} of their pairs are masked; no size of contiguous "
                            "tiles helps much, as the keys of a query are {} apart",
                            stride, tileQ, tileK, quoted(pattern), percent(share),
                            percent(maskedShare), stride));
}

void Adviser::blocks(const PatternNode &node, const Pattern &pattern) {
  int64_t tileQ = in.params.tile_q, tileK = in.params.tile_k;
  if (node.size >= tileQ && node.size >= tileK)
    return;
  double filled = static_cast<double>(std::min(node.size, tileQ)) *
                  static_cast<double>(std::min(node.size, tileK)) /
                  static_cast<double>(tileQ * tileK);
  std::string text = fmt::format("a block of {0} x {0} in {1} fills {2} of a tile of {3} x {4}",
                                 node.size, quoted(pattern), percent(filled), tileQ, tileK);
  if (node.size % 16 == 0)
    text += fmt::format("; --tile {0}x{0} keeps blocks whole", node.size);
  say("block-size", text);
}

/// Remarks on single leaves that add pairs; of a complement they would be wrong.
void Adviser::leaves(const PatternRef &ref, int64_t scale, bool negative) {
  const PatternNode &node = *ref;
  for (size_t i = 0; i < node.children.size(); ++i) {
    bool flips =
        node.kind == PatternKind::Complement || (node.kind == PatternKind::Subtract && i > 0);
    int64_t size = node.kind == PatternKind::Blockwise ? node.size : 1;
    if (size <= longestPeriod / scale)
      leaves(node.children[i], scale * size, negative != flips);
  }
  if (negative)
    return;
  if (node.kind == PatternKind::Columns)
    columns(node, Pattern(ref), scale);
  else if (node.kind == PatternKind::Strided)
    stride(Pattern(ref), node.stride, scale);
  else if (node.kind == PatternKind::Dilated)
    stride(Pattern(ref), node.dilation, scale);
  else if (node.kind == PatternKind::RandomBlocks || node.kind == PatternKind::BlockTable)
    blocks(node, Pattern(ref));
}

void Adviser::noContribution() {
  int useless = -1; // depth of the operand whose own operands are not worth a word
  for (const Contribution &c : in.contributions.parts) {
    if (useless >= 0 && c.part.depth > useless)
      continue;
    useless = -1;
    if (!c.exclusive.exact || c.exclusive.pairs != 0)
      continue;
    useless = c.part.depth;
    say("no-contribution",
        fmt::format("{} {} at these lengths: without it the pattern is the same",
                    quoted(c.part.pattern),
                    c.part.removes ? "removes no pair that the rest keeps"
                                   : "adds no pair that the rest does not keep"));
  }
}

void Adviser::longRow() {
  constexpr int64_t farLonger = 8, leastTiles = 64;
  constexpr double largePart = 1.0 / 128;
  auto listed = static_cast<double>(in.stats.listed_full + in.stats.listed_partial);
  const RowLengths &rows = in.rows;
  if (rows.longest < leastTiles || rows.longest < farLonger * std::max<int64_t>(rows.median, 1))
    return;
  double share = static_cast<double>(rows.longest) / listed;
  if (share < largePart)
    return;
  say("long-row",
      fmt::format("q-tile {} lists {} k-tiles where the median q-tile lists {}: {} of all listed "
                  "tiles are in this one row, and more than {} workers wait for it unless it is "
                  "cut; launches cut such rows and merge the parts",
                  groupedDigits(rows.longestRow), groupedDigits(rows.longest),
                  groupedDigits(rows.median), percent(share), static_cast<int64_t>(1 / share)));
}

void Adviser::flow() {
  if (!in.reach)
    return;
  const Reachability &reach = *in.reach;
  int64_t n = in.params.num_q;
  if (reach.groups > 1)
    say("not-connected", fmt::format("the {} tokens form {} groups that never exchange information",
                                     groupedDigits(n), groupedDigits(reach.groups)));
  else if (!reach.stronglyConnected && !reach.causallyConnected)
    say("not-connected",
        fmt::format("{} of the pairs of tokens never exchange information, however many layers",
                    percent(1 - static_cast<double>(reach.reachablePairs) /
                                    (static_cast<double>(n) * static_cast<double>(n)))));
  if (in.layers && *in.layers < reach.layers)
    say("few-layers",
        fmt::format("after {} layer{} {} of the pairs of tokens that can exchange information have "
                    "done so; all have after {}",
                    *in.layers, *in.layers == 1 ? "" : "s",
                    percent(static_cast<double>(reach.pairsAfter(*in.layers)) /
                            static_cast<double>(reach.reachablePairs)),
                    reach.layers));
}

std::vector<Advice> Adviser::run() {
  if (in.stats.useful_pairs == 0) {
    say("empty-pattern", "the pattern keeps no pair: every output is 0, every LSE -inf");
    return std::move(advice);
  }
  emptyRows();
  tileSize();
  if (masked >= littleMasked)
    leaves(in.pattern.get(), 1, false);
  longRow();
  noContribution();
  flow();
  return std::move(advice);
}

std::vector<Advice> girih::advise(const AdviceInput &input) { return Adviser(input).run(); }
