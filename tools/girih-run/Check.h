//===- Check.h - Comparing a run with the reference -------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_TOOLS_GIRIH_RUN_CHECK_H
#define GIRIH_TOOLS_GIRIH_RUN_CHECK_H

#include "Inputs.h"

#include "girih/Reference/Tolerance.h"

namespace girih {

/// The outcome of `--check`.
struct CheckResult {
  Comparison comparison;
  int64_t rows = 0, totalRows = 0;
};

/// Compares the outputs in `tensors` with the f64 reference on the same rounded
/// inputs. Every row when that takes seconds; otherwise the first and last rows
/// and rows on both sides of q-tile borders, then (up to 4096 queries) each query
/// in one of the heads, then random ones while time lasts.
CheckResult checkOutputs(const Request &request, Tensors &tensors, double scale,
                         const GirihMapStats &stats, int64_t tileQ, uint64_t seed);

} // namespace girih

#endif // GIRIH_TOOLS_GIRIH_RUN_CHECK_H
