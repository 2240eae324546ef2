//===- Machine.h - Was the machine quiet ------------------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_TOOLS_GIRIH_BENCH_MACHINE_H
#define GIRIH_TOOLS_GIRIH_BENCH_MACHINE_H

#include "Results.h"

namespace girih {

/// The load average of the last minute; 0 where there is none.
double loadAverage();

/// Seconds that other programs have used the processors, all together, since an origin
/// that stays the same while this one runs. The load average would not do: it remembers
/// what ended a minute ago. 0 where /proc/stat is missing.
double secondsOfOthers();

/// What speaks against the numbers in `results`, one clause each; empty on a quiet
/// machine: others that used more than 5 % of the processors; FMA peaks more than 5 %
/// under their median around more than a tenth of the samples; more than a tenth of the
/// rows whose samples differ by more than 10 %.
std::vector<std::string> noiseOf(const BenchResults &results);

} // namespace girih

#endif // GIRIH_TOOLS_GIRIH_BENCH_MACHINE_H
