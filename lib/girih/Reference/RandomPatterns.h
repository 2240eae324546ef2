//===- RandomPatterns.h - Patterns drawn from the grammar -------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Test inputs: random valid patterns from the whole language, and simpler
// candidates for one that failed.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_REFERENCE_RANDOMPATTERNS_H
#define GIRIH_REFERENCE_RANDOMPATTERNS_H

#include "girih/Frontend/Pattern.h"

#include <random>
#include <vector>

namespace girih {

/// What may be drawn, and for which lengths it must be valid.
struct DrawOptions {
  Shape shape;
  int maxDepth = 4;        ///< operators and calls above a leaf
  bool allowTables = true; ///< segments and block_table: run-time operands
  bool allowRandomBlocks = true;
  bool allowHeads = true;
  bool allowPredicates = true;
  bool allowNeighborhoods = true;
  bool allowBlockwise = true;
  /// Products of two variables in predicates.
  bool allowNonAffine = false;
};

/// Draws a pattern that passes `validateShape` for `options.shape`. The same
/// generator state gives the same pattern on every host.
Pattern drawPattern(std::mt19937_64 &random, const DrawOptions &options);

/// Patterns that are simpler than `pattern`: its parts, smaller numbers, fewer
/// entries, the simplest first. Each passes `validate`, not always
/// `validateShape`. Replacing a pattern by a candidate, again and again, ends.
std::vector<Pattern> shrink(const Pattern &pattern);

} // namespace girih

#endif // GIRIH_REFERENCE_RANDOMPATTERNS_H
