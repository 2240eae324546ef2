//===- Measure.h - Running the workload in rounds ---------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_TOOLS_GIRIH_BENCH_MEASURE_H
#define GIRIH_TOOLS_GIRIH_BENCH_MEASURE_H

#include "Results.h"

#include "llvm/ADT/ArrayRef.h"

namespace girih {

struct MeasureOptions {
  int threads = 0;     ///< 0: every core
  int64_t rounds = 5;  ///< samples of a row
  double seconds = 3;  ///< that a row's launches on the CPU take in all rounds together
  RequestFlags common; ///< cache flags
};

/// Times all rows once a round, so that the samples of a row lie apart and a machine
/// that changes in between shows. On the CPU a sample is the median of the launches
/// that fit in a round's share of the time, one at least, after a warm-up; on a GPU
/// of 30. Says on stderr how far it is. What one row cannot do is its trouble and
/// stops no other.
llvm::Expected<BenchResults> measureRows(llvm::ArrayRef<WorkloadRow> rows,
                                         const MeasureOptions &options);

} // namespace girih

#endif // GIRIH_TOOLS_GIRIH_BENCH_MEASURE_H
