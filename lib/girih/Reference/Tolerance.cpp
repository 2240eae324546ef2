//===- Tolerance.cpp - How close is close enough --------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// NaN compares false with everything, so each test is written to miss on NaN, but for the
// one that counts NaN which the reference has, too.
//
//===----------------------------------------------------------------------===//

#include "girih/Reference/Tolerance.h"

#include <algorithm>
#include <cmath>
#include <limits>

using namespace girih;

double girih::tolerance(GirihDType dtype) {
  switch (dtype) {
  case GIRIH_F32:
    return 1e-5;
  case GIRIH_BF16:
    return 6e-3;
  case GIRIH_F16:
    return 1e-3;
  }
  return 0;
}

/// Compares with `floor` as the least magnitude that an expected value counts.
static Comparison compareArrays(const float *actual, const double *expected, int64_t size,
                                GirihDType dtype, double floor) {
  Comparison result;
  double difference = 0, norm = 0;
  for (int64_t i = 0; i < size; ++i) {
    double a = actual[i], e = expected[i];
    if (!std::isfinite(a) || !std::isfinite(e)) {
      bool bothNaN = std::isnan(a) && std::isnan(e);
      result.bothNaN += bothNaN;
      result.mismatched += !bothNaN && !(a == e);
      continue;
    }
    result.maxError = std::max(result.maxError, std::fabs(a - e));
    difference += (a - e) * (a - e);
    double magnitude = std::max(std::fabs(e), floor);
    norm += magnitude * magnitude;
  }
  constexpr double infinity = std::numeric_limits<double>::infinity();
  result.relError = difference == 0 ? 0 : norm == 0 ? infinity : std::sqrt(difference / norm);
  if (result.mismatched)
    result.relError = result.maxError = infinity;
  result.good = result.relError <= tolerance(dtype);
  return result;
}

Comparison girih::compareOutputs(const float *actual, const double *expected, int64_t size,
                                 GirihDType dtype) {
  return compareArrays(actual, expected, size, dtype, 0);
}

Comparison girih::compareLse(const float *actual, const double *expected, int64_t size,
                             GirihDType dtype) {
  return compareArrays(actual, expected, size, dtype, 1);
}

Comparison girih::compare(const float *out, const double *expectedOut, int64_t outSize,
                          const float *lse, const double *expectedLse, int64_t lseSize,
                          GirihDType dtype) {
  Comparison result = compareOutputs(out, expectedOut, outSize, dtype);
  Comparison logs = compareLse(lse, expectedLse, lseSize, dtype);
  result.mismatched += logs.mismatched;
  result.bothNaN += logs.bothNaN;
  result.good &= logs.good;
  if (!logs.good && logs.relError > result.relError) {
    result.relError = logs.relError;
    result.maxError = std::max(result.maxError, logs.maxError);
  }
  return result;
}
