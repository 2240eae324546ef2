//===- Bench.cpp - Timing launches ----------------------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Bench.h"

#include "girih-c/Runtime.h"

#include <algorithm>
#include <chrono>
#include <vector>

using namespace girih;

static llvm::Expected<double> timeOnce(llvm::function_ref<llvm::Error()> launch) {
  auto start = std::chrono::steady_clock::now();
  if (llvm::Error error = launch())
    return std::move(error);
  std::chrono::duration<double, std::milli> elapsed = std::chrono::steady_clock::now() - start;
  return elapsed.count();
}

llvm::Expected<BenchResult> girih::timeLaunches(llvm::function_ref<llvm::Error()> launch,
                                                int threads, bool bench) {
  BenchResult result;
  auto samplePeak = [&] {
    result.peakGflops = std::max(result.peakGflops, girihCpuPeakGflops(threads));
  };
  samplePeak();
  llvm::Expected<double> first = timeOnce(launch);
  if (!first)
    return first.takeError();
  result.medianMs = *first;
  result.launches = 1;
  if (!bench) {
    samplePeak();
    return result;
  }

  const double totalMs = 1000;
  std::vector<double> times;
  double spent = 0, nextPeak = totalMs / 3;
  while (times.size() < 5 || (spent < totalMs && times.size() < 10000)) {
    llvm::Expected<double> ms = timeOnce(launch);
    if (!ms)
      return ms.takeError();
    times.push_back(*ms);
    spent += *ms;
    if (spent > nextPeak) {
      samplePeak();
      nextPeak += totalMs / 3;
    }
  }
  samplePeak();
  std::nth_element(times.begin(), times.begin() + times.size() / 2, times.end());
  result.medianMs = times[times.size() / 2];
  result.launches = static_cast<int64_t>(times.size());
  return result;
}
