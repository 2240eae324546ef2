//===- Cpu.h - Run a request on this processor ------------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_TOOLS_COMMON_CPU_H
#define GIRIH_TOOLS_COMMON_CPU_H

#include "common/Flags.h"
#include "common/Measurement.h"
#include "common/Tensors.h"
#include "common/Timing.h"

namespace girih {

/// Adds `--threads`, as many as GIRIH_NUM_THREADS may ask for.
void addThreadsFlag(Flags &flags, std::optional<int64_t> &threads);

/// `--threads`, or what GIRIH_NUM_THREADS says where that is 0 or not given; 0: every core.
llvm::Expected<int> launchThreads(std::optional<int64_t> given);

/// Compiles, derives the block map, launches on `threads` threads (0: every core) and
/// times as `budget` says; fills `tensors`' outputs and `result`.
llvm::Error runCpu(Session &session, const Request &request, Tensors &tensors, float scale,
                   int threads, const TimingBudget &budget, Measurement &result);

} // namespace girih

#endif // GIRIH_TOOLS_COMMON_CPU_H
