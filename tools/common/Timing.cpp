//===- Timing.cpp - Timing launches on the CPU ----------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "common/Timing.h"

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

llvm::Expected<Timing> girih::timeLaunches(llvm::function_ref<llvm::Error()> launch, int threads,
                                           const TimingBudget &budget) {
  constexpr int64_t mostLaunches = 10000;
  constexpr double peakEveryMs = 330;
  Timing result;
  auto samplePeak = [&] {
    double peak = girihCpuPeakGflops(threads);
    result.lowestPeakGflops =
        result.peakGflops == 0 ? peak : std::min(result.lowestPeakGflops, peak);
    result.peakGflops = std::max(result.peakGflops, peak);
  };
  samplePeak();
  llvm::Expected<double> first = timeOnce(launch);
  if (!first)
    return first.takeError();

  std::vector<double> times;
  double spent = 0, nextPeak = peakEveryMs;
  auto count = [&] { return static_cast<int64_t>(times.size()); };
  while (count() < budget.least || (spent < budget.ms && count() < mostLaunches)) {
    llvm::Expected<double> ms = timeOnce(launch);
    if (!ms)
      return ms.takeError();
    times.push_back(*ms);
    spent += *ms;
    if (spent > nextPeak) {
      samplePeak();
      nextPeak += peakEveryMs;
    }
  }
  samplePeak();
  if (times.empty())
    times.push_back(*first);
  std::nth_element(times.begin(), times.begin() + times.size() / 2, times.end());
  result.medianMs = times[times.size() / 2];
  result.launches = count();
  return result;
}
