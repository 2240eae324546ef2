//===- Timing.h - Timing launches on the CPU --------------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_TOOLS_COMMON_TIMING_H
#define GIRIH_TOOLS_COMMON_TIMING_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/Error.h"

#include <cstdint>

namespace girih {

/// How much to time after the warm-up: for `ms` milliseconds, and at least `least`
/// launches. With both 0 the warm-up is what is timed.
struct TimingBudget {
  double ms = 0;
  int64_t least = 0;
};

/// What `timeLaunches` measured.
struct Timing {
  double medianMs = 0;
  int64_t launches = 0;
  /// The best and the worst of the peak samples.
  double peakGflops = 0, lowestPeakGflops = 0;
};

/// Launches once as the warm-up, then as `budget` says, and takes the median. The
/// peak is sampled before, between and after on as many threads: the clock of a CPU
/// moves, and a peak from another second would not be comparable.
llvm::Expected<Timing> timeLaunches(llvm::function_ref<llvm::Error()> launch, int threads,
                                    const TimingBudget &budget);

} // namespace girih

#endif // GIRIH_TOOLS_COMMON_TIMING_H
