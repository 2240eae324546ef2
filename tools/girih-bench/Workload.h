//===- Workload.h - The problems that are timed -----------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The table is data, workload.json, built into the program; test/GPU reads the
// same file. What depends on lengths and heads is filled in here.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_TOOLS_GIRIH_BENCH_WORKLOAD_H
#define GIRIH_TOOLS_GIRIH_BENCH_WORKLOAD_H

#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <string>
#include <vector>

namespace girih {

/// One problem: self-attention of `n` tokens under a pattern.
struct WorkloadRow {
  std::string target; ///< cpu or cuda
  std::string name;   ///< of the pattern in the table
  std::string expression;
  std::string dtype;
  int64_t n = 0, batch = 0, heads = 0, dim = 0;

  /// What tells it from every other row, such as "cpu causal f32 N=4096 B=1 H=8 D=64".
  std::string title() const;
};

/// The rows of a target ("cpu" or "cuda"). With `quick`, short sequences and distances
/// instead; rows that become equal appear once.
std::vector<WorkloadRow> workloadRows(llvm::StringRef target, bool quick);

} // namespace girih

#endif // GIRIH_TOOLS_GIRIH_BENCH_WORKLOAD_H
