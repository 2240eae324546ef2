//===- PatternLimits.h - How large rewrites let numbers grow ----*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_PATTERN_PATTERNLIMITS_H
#define GIRIH_PATTERN_PATTERNLIMITS_H

#include "llvm/Support/MathExtras.h"

#include <cstdint>
#include <optional>

namespace girih {

/// Largest size that a rewrite makes out of smaller ones: the largest that the
/// pattern language accepts, so that no rewrite turns a valid program invalid.
inline constexpr int64_t maxRewrittenSize = int64_t(1) << 40;

/// The product of two positive numbers, if it is at most `maxRewrittenSize`.
inline std::optional<int64_t> boundedProduct(int64_t a, int64_t b) {
  int64_t product;
  if (llvm::MulOverflow(a, b, product) || product > maxRewrittenSize)
    return std::nullopt;
  return product;
}

} // namespace girih

#endif // GIRIH_PATTERN_PATTERNLIMITS_H
