//===- Machine.cpp - Was the machine quiet --------------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Machine.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <fstream>

using namespace girih;

double girih::loadAverage() {
  double load = 0;
  return getloadavg(&load, 1) == 1 ? load : 0;
}

/// Seconds of the processors that this program and those it started have used.
static double ownSeconds() {
  double seconds = 0;
  for (int who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
    rusage usage{};
    getrusage(who, &usage);
    for (const timeval &time : {usage.ru_utime, usage.ru_stime})
      seconds += static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  }
  return seconds;
}

double girih::secondsOfOthers() {
  // user nice system idle iowait irq softirq steal, of all processors, in ticks.
  std::ifstream file("/proc/stat");
  std::string name;
  std::array<double, 8> ticks{};
  file >> name;
  for (double &value : ticks)
    if (!(file >> value))
      return 0;
  double busy = ticks[0] + ticks[1] + ticks[2] + ticks[5] + ticks[6] + ticks[7];
  return busy / static_cast<double>(sysconf(_SC_CLK_TCK)) - ownSeconds();
}

std::vector<std::string> girih::noiseOf(const BenchResults &results) {
  constexpr double tolerated = 0.05; ///< of the processors, and of a peak
  // From the smallest to the largest of five: about twice a usual distance.
  constexpr double toleratedSpread = 0.10;
  std::vector<std::string> noise;
  if (results.others > tolerated * results.processors)
    noise.push_back(fmt::format("other programs used {:.2f} of {} processor{} meanwhile",
                                results.others, results.processors,
                                results.processors == 1 ? "" : "s"));

  std::vector<double> peaks;
  for (const RowRecord &row : results.rows)
    peaks.insert(peaks.end(), row.peaks.begin(), row.peaks.end());
  std::sort(peaks.begin(), peaks.end());
  double usual = peaks.empty() ? 0 : peaks[peaks.size() / 2];
  size_t samples = 0, weak = 0, rows = 0, wide = 0;
  for (const RowRecord &row : results.rows) {
    samples += row.lowestPeaks.size();
    weak += std::count_if(row.lowestPeaks.begin(), row.lowestPeaks.end(),
                          [&](double peak) { return peak < usual * (1 - tolerated); });
    if (row.samplesMs.empty())
      continue;
    ++rows;
    wide += row.spread() > toleratedSpread;
  }
  if (weak * 10 > samples)
    noise.push_back(fmt::format("the FMA peak fell more than {:.0f} % under {:.1f} GFLOP/s around "
                                "{} of {} samples",
                                100 * tolerated, usual, weak, samples));
  if (wide * 10 > rows)
    noise.push_back(fmt::format("the samples of {} of {} rows differ by more than {:.0f} %", wide,
                                rows, 100 * toleratedSpread));
  return noise;
}
