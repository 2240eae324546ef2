//===- Contribution.h - What parts of a pattern contribute ------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Takes a pattern tree apart: for each operand of a union, intersection or
// difference, what it keeps alone, and what would change if it were dropped. An
// operand is dropped by putting what does nothing in its place: `empty` in unions
// and differences, `full` in intersections. The pattern then grows or shrinks, but
// never both, so that counting the two patterns gives the pairs that depend on
// the operand.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_ANALYSIS_CONTRIBUTION_H
#define GIRIH_ANALYSIS_CONTRIBUTION_H

#include "girih/Analysis/PairCount.h"

namespace girih {

/// An operand somewhere in a pattern tree.
struct PatternPart {
  Pattern pattern; ///< as written
  /// As a line of the whole: with its operator in front, or its heads, and in
  /// parentheses where it needs them.
  std::string label;
  int depth = 0;        ///< of nested operators
  bool removes = false; ///< whether it takes pairs away from the whole pattern
  Pattern alone;        ///< `pattern` within its heads and blocks, nothing else
  Pattern without;      ///< the whole pattern, this operand dropped
};

/// The operands in the order that they are written, outer ones before their own
/// operands; none for a pattern without operators. At most `maxParts`; `omitted`
/// says how many more there are.
std::vector<PatternPart> partsOf(const Pattern &pattern, size_t maxParts, int64_t &omitted);

/// A counted operand.
struct Contribution {
  PatternPart part;
  PairCount alone;     ///< pairs of `part.alone`
  PairCount exclusive; ///< pairs of the whole that it alone adds, or removes
};

/// Most operands that `contributions` counts.
inline constexpr size_t maxContributions = 16;

struct Contributions {
  std::vector<Contribution> parts;
  int64_t omitted = 0;
};

llvm::Expected<Contributions> contributions(PairCounter &counter, const Pattern &pattern);

/// Heads [first, last] that see the same kept pairs as far as the tree tells, and
/// how many those are, over batch and these heads.
struct HeadCoverage {
  int64_t first = 0, last = 0;
  PairCount kept;
};

/// Most groups of heads that are told apart.
inline constexpr size_t maxHeadGroups = 16;

/// Heads in groups, by the ranges of `heads(...)`, or one by one where a predicate
/// reads `h` or blocks are drawn or listed for each head. One group when
/// heads do not differ. `omitted` says how many heads come after the last group.
std::vector<HeadCoverage> headGroups(const Pattern &pattern, int64_t heads, int64_t &omitted);

/// Counts the kept pairs of each group.
llvm::Error countHeads(PairCounter &counter, const Pattern &pattern,
                       std::vector<HeadCoverage> &groups);

/// The pattern's pairs with k <= q: the pattern itself where its tree shows that it has
/// no others, so that nothing has to be counted again.
Pattern causalPart(const Pattern &pattern);

/// Pairs (q, k) with k <= q among `lengths`, over batch and heads.
int64_t causalPairs(const GirihMapParams &lengths);

} // namespace girih

#endif // GIRIH_ANALYSIS_CONTRIBUTION_H
