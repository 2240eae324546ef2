//===- Compare.h - Results against earlier ones -----------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_TOOLS_GIRIH_BENCH_COMPARE_H
#define GIRIH_TOOLS_GIRIH_BENCH_COMPARE_H

#include "Results.h"

namespace girih {

/// How a row does against the same row of an earlier run.
struct RowComparison {
  const RowResult *earlier = nullptr; ///< null: it did not have this row of this pattern
  double ratio = 0;                   ///< earlier / present time: above 1 is faster
  enum class Verdict {
    Within,   ///< the samples of both overlap, or their medians are within 1 %
    Faster,   ///< every sample is below every earlier one
    Slower,   ///< every sample is above every earlier one
    TooFew,   ///< not judged: a side has fewer than three samples
    NotThere, ///< one of them has no numbers
  } verdict = Verdict::NotThere;
};

RowComparison compareRow(const RowResult &now, const EarlierResults &earlier);

/// Lines below the table: how many rows changed, by how much altogether, and what
/// makes the runs hard to compare.
std::string summarize(const BenchResults &now, const EarlierResults &earlier);

} // namespace girih

#endif // GIRIH_TOOLS_GIRIH_BENCH_COMPARE_H
