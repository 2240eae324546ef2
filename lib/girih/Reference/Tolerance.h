//===- Tolerance.h - How close is close enough ------------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The one tolerance table. Tools and tests compare through here and nowhere else.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_REFERENCE_TOLERANCE_H
#define GIRIH_REFERENCE_TOLERANCE_H

#include "girih-c/Runtime.h"

#include <cstdint>

namespace girih {

/// Largest accepted error relative by norm: f32 1e-5, bf16 6e-3, f16 1e-3.
double tolerance(GirihDType dtype);

/// The outcome of a comparison.
struct Comparison {
  /// ||actual - expected|| / ||expected||, 2-norms, of finite values; infinite when a value
  /// is NaN or infinite where the other is not, or when only `expected` is all zero.
  double relError = 0;
  /// Largest |actual - expected|; infinite in the same cases of NaN and infinity.
  double maxError = 0;
  /// Values that are NaN or infinite where the other is not the same.
  int64_t mismatched = 0;
  /// Values that are NaN in both, as they should be where an input or the score function
  /// makes them so.
  int64_t bothNaN = 0;
  /// Whether relError is within the tolerance.
  bool good = true;
};

/// Compares outputs of a kernel with the reference.
Comparison compareOutputs(const float *actual, const double *expected, int64_t size,
                          GirihDType dtype);

/// Compares log-sum-exps. Minus infinity must be met exactly. A log has no scale
/// of its own, so each value counts as at least 1 in ||expected||.
Comparison compareLse(const float *actual, const double *expected, int64_t size, GirihDType dtype);

/// The worse of both: errors of the outputs, and good only when both are.
Comparison compare(const float *out, const double *expectedOut, int64_t outSize, const float *lse,
                   const double *expectedLse, int64_t lseSize, GirihDType dtype);

} // namespace girih

#endif // GIRIH_REFERENCE_TOLERANCE_H
