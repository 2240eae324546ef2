//===- Bench.h - Timing launches --------------------------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_TOOLS_GIRIH_RUN_BENCH_H
#define GIRIH_TOOLS_GIRIH_RUN_BENCH_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/Error.h"

#include <cstdint>

namespace girih {

/// What `timeLaunches` measured.
struct BenchResult {
  double medianMs = 0;
  double peakGflops = 0;
  int64_t launches = 0;
};

/// Launches once. With `bench`, that was the warm-up: it launches on for about a
/// second and at least five times and takes the median. The peak is the best of
/// samples taken before, between and after, on as many threads: the clock of a
/// CPU moves, and a peak from another second would not be comparable.
llvm::Expected<BenchResult> timeLaunches(llvm::function_ref<llvm::Error()> launch, int threads,
                                         bool bench);

} // namespace girih

#endif // GIRIH_TOOLS_GIRIH_RUN_BENCH_H
