//===- PairCount.h - How many pairs a pattern keeps -------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Counts kept pairs of many related patterns at one set of lengths: exactly where
// the map engine can within a budget of work, otherwise on a sample of queries
// (Bands.h). The budget is counted in work, not in time, so that a report says
// the same on every machine.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_ANALYSIS_PAIRCOUNT_H
#define GIRIH_ANALYSIS_PAIRCOUNT_H

#include "girih/Analysis/Bands.h"
#include "girih/Frontend/Pattern.h"

#include <functional>
#include <optional>

namespace girih {

/// A pattern as the map engine takes it; operands are borrowed from its tree.
struct BoundPattern {
  std::shared_ptr<const GirihMapProgram> program;
  std::vector<GirihOperand> operands;
};

/// Pairs over batch and heads, query and key.
struct PairCount {
  double pairs = 0; ///< a whole number up to 2^53 when exact
  bool exact = true;
  double error = 0; ///< of a sampled count: two standard errors, in pairs
};

/// Makes a BoundPattern of a pattern; the compiler's front half.
using PatternSource = std::function<llvm::Expected<BoundPattern>(const Pattern &)>;

/// Counts patterns, each once. Not thread-safe.
class PairCounter {
public:
  /// Lengths are those of `params`, whose tile and operands are not read.
  PairCounter(PatternSource source, const GirihMapParams &params);
  ~PairCounter();

  const GirihMapParams &lengths() const { return params; }

  /// Takes the exact count of a pattern from elsewhere.
  llvm::Error know(const Pattern &pattern, int64_t pairs);

  llvm::Expected<PairCount> count(const Pattern &pattern);

  /// Pairs of `larger` that `smaller`, which must be a part of it, does not keep.
  /// Sampled on the same queries when either can't be counted exactly.
  llvm::Expected<PairCount> difference(const Pattern &larger, const Pattern &smaller);

private:
  struct Entry;
  llvm::Expected<Entry *> add(const Pattern &pattern);
  llvm::Expected<Entry *> entryOf(const Pattern &pattern);
  llvm::Expected<bool> spend(const BoundPattern &bound);
  llvm::Error sample(Entry &entry) const;

  PatternSource source;
  GirihMapParams params;
  std::vector<Band> bands; ///< of queries
  double budget;           ///< pairs that may still be evaluated one by one
  std::vector<std::unique_ptr<Entry>> entries;
};

} // namespace girih

#endif // GIRIH_ANALYSIS_PAIRCOUNT_H
