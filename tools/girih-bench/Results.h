//===- Results.h - What a run of the workload measured ----------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_TOOLS_GIRIH_BENCH_RESULTS_H
#define GIRIH_TOOLS_GIRIH_BENCH_RESULTS_H

#include "Workload.h"

#include "common/Measurement.h"

#include <vector>

namespace girih {

/// The samples of one row, one a round, each the median of some launches.
struct RowResult {
  std::string title;
  std::string pattern; ///< the expression
  std::string device;  ///< Measurement::device
  int threads = 0;     ///< 0 on a GPU
  std::vector<double> samplesMs;
  /// FMA peaks around each sample: the best and the lowest; none on a GPU.
  std::vector<double> peaks, lowestPeaks;
  double usefulGflops = 0, computedGflops = 0; ///< in the median time
  double tileEfficiency = 0;

  double timeMs() const;      ///< the median sample
  double leastMs() const;     ///< the smallest
  double mostMs() const;      ///< the largest
  double spread() const;      ///< (largest - smallest) / median
  double peakGflops() const;  ///< the best peak; 0 on a GPU
  double shareOfPeak() const; ///< computed / peak; 0 on a GPU
};

/// A row as it was run, beyond what comparing needs.
struct RowRecord : RowResult {
  WorkloadRow row;
  Measurement last;    ///< counts, compile and map times; of the last round
  std::string trouble; ///< why it has no samples
  int code = 0;        ///< what girih-run would exit with
};

struct BenchResults {
  std::string date; ///< UTC
  int processors = 0;
  double loadBefore = 0, loadAfter = 0;
  double seconds = 0; ///< that it took
  double others = 0;  ///< processors that other programs used meanwhile
  std::vector<RowRecord> rows;
};

/// One JSON object that `readEarlier` reads.
std::string jsonResults(const BenchResults &results, const std::vector<std::string> &noise);

/// What an earlier run wrote.
struct EarlierResults {
  std::string file, date;
  bool noisy = false;
  std::vector<RowResult> rows;
};

/// Reads what `jsonResults` wrote to `file`. A file that cannot be read or is
/// something else fails with GIRIH_INVALID.
llvm::Expected<EarlierResults> readEarlier(const std::string &file);

} // namespace girih

#endif // GIRIH_TOOLS_GIRIH_BENCH_RESULTS_H
