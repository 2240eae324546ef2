//===- Advice.h - What to know before running a pattern ---------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sentences with numbers, each only when it is true at these lengths. They state
// pairs and tiles, which were counted, and no times, which were not.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_ANALYSIS_ADVICE_H
#define GIRIH_ANALYSIS_ADVICE_H

#include "girih/Analysis/Contribution.h"
#include "girih/Analysis/Reachability.h"
#include "girih/Analysis/TileSizes.h"

namespace girih {

/// A remark. Its id is one of
///   empty-pattern    nothing is kept
///   empty-rows       some queries keep no key
///   tile-size        most of what is computed is masked; another tile is better
///   period           columns, strides or dilations narrower than a tile
///   block-size       random or listed blocks smaller than a tile
///   no-contribution  an operand that changes nothing
///   long-row         one tile row is a large part of all work
///   not-connected    some tokens never hear of each other
///   few-layers       a model of so many layers is too shallow for what is reachable
struct Advice {
  std::string id, text;
};

/// What was counted; all borrowed.
struct AdviceInput {
  const Pattern &pattern;
  const GirihMapParams &params; ///< with the tile that was chosen
  const GirihMapStats &stats;
  llvm::ArrayRef<TileSize> sizes; ///< the chosen one among them
  const Contributions &contributions;
  RowLengths rows;
  const std::optional<Reachability> &reach;
  std::optional<int64_t> layers; ///< of the model, if it was told
};

std::vector<Advice> advise(const AdviceInput &input);

/// 1234567 as 1,234,567.
std::string groupedDigits(int64_t value);

} // namespace girih

#endif // GIRIH_ANALYSIS_ADVICE_H
