//===- Explain.h - The report of girih-explain ------------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a pattern keeps, skips and costs at given lengths: counted once, then written
// as text, JSON or SVG. Nothing here touches a tensor or every pair, so a million
// tokens take seconds.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_EXPLAIN_EXPLAIN_H
#define GIRIH_EXPLAIN_EXPLAIN_H

#include "girih/Analysis/Advice.h"
#include "girih/JIT/Problem.h"
#include "girih/Support/TileSvg.h"

namespace girih {

/// What is asked beyond the pattern and its lengths.
struct ExplainOptions {
  std::optional<int64_t> pictureHead; ///< none: head 0 as text, each group as SVG
  std::optional<int64_t> layers;      ///< of the model
  bool svg = false;                   ///< whether `drawing` is wanted
};

/// Everything that the report says.
struct Explanation {
  int32_t tileQ = 0, tileK = 0;
  GirihMapStats stats{};
  MapCost cost{};
  double mapMs = 0, statsMs = 0;
  std::optional<int64_t> minimalTiles; ///< none: would have taken too long
  std::optional<Reachability> reach;   ///< none: too long, or q and k differ
  std::optional<int64_t> layers;
  PairCount causalKept; ///< kept pairs with k <= q
  int64_t causalPairs = 0;
  std::vector<HeadCoverage> heads;
  int64_t headsOmitted = 0;
  std::vector<TileSize> sizes;
  Contributions contributions;
  std::vector<Advice> advice;
  int64_t pictureHead = 0;
  TileGrid picture;    ///< for the terminal
  TileDrawing drawing; ///< for SVG
};

/// Derives maps and counts; compiles no code. Fails as `checkProblem` does, and with
/// GIRIH_INVALID for a picture of a head, or a number of layers, that there is not.
llvm::Expected<Explanation> explain(Session &session, const Problem &problem,
                                    const ExplainOptions &options);

/// One JSON object.
std::string jsonExplanation(const Problem &problem, const Explanation &explanation);

/// Tables and a picture for people, in 100 columns.
std::string textExplanation(const Problem &problem, const Explanation &explanation);

/// An SVG document, of an explanation for which `ExplainOptions::svg` was set.
std::string svgExplanation(const Explanation &explanation);

/// Kept over all pairs of a group of heads.
double coverageOf(const Problem &problem, const HeadCoverage &heads);
/// How a map was derived, a GirihMapTier.
const char *tierName(int32_t tier);
/// "3" or "0..7".
std::string headRange(const HeadCoverage &heads);

} // namespace girih

#endif // GIRIH_EXPLAIN_EXPLAIN_H
