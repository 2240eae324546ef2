//===- MaskCost.h - What it takes to evaluate a pattern on a pair -*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_ANALYSIS_MASKCOST_H
#define GIRIH_ANALYSIS_MASKCOST_H

#include "mlir/IR/Value.h"

namespace girih {

/// Parts of a pattern in normal form, counted over its tree.
struct MaskCost {
  unsigned linear = 0; ///< constraints that are linear in the key: ranges of keys
  unsigned others = 0; ///< what divides the key or multiplies it: evaluated key by key
  unsigned tables = 0; ///< block tables, random blocks: looked up

  /// Whether the pattern is a few ranges of keys for each query.
  bool isCheap() const {
    constexpr unsigned mostRanges = 6;
    return !tables && !others && linear <= mostRanges;
  }
};

MaskCost maskCost(mlir::Value pattern);

} // namespace girih

#endif // GIRIH_ANALYSIS_MASKCOST_H
