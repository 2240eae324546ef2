//===- Report.h - What girih-run prints -------------------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_TOOLS_GIRIH_RUN_REPORT_H
#define GIRIH_TOOLS_GIRIH_RUN_REPORT_H

#include "Check.h"

#include "girih/Support/TilePicture.h"

namespace girih {

/// Everything measured in one run.
struct RunReport {
  double timeMs = 0, compileMs = 0, mapMs = 0, peakGflops = 0, scale = 0;
  int64_t launches = 1; ///< that the time is the median of
  /// Host time of enqueuing one launch on an idle GPU, in microseconds; with --bench.
  std::optional<double> launchUs;
  /// Bytes of tensors that a launch copies because the kernel cannot address them.
  int64_t copiedBytes = 0;
  bool cacheHit = false;
  int threads = 0;
  std::string device; ///< of a GPU; empty: this processor
  GirihMapStats stats{};
  int32_t tileQ = 0, tileK = 0;
  std::optional<CheckResult> check;
  TileGrid picture; ///< of batch 0, head 0
};

/// One JSON object with the fields of the command-line contract, in its order.
std::string jsonReport(const Request &request, const RunReport &report);

/// A table and a picture for people.
std::string textReport(const Request &request, const RunReport &report);

/// The CPU's name and vector width.
std::string deviceName();

} // namespace girih

#endif // GIRIH_TOOLS_GIRIH_RUN_REPORT_H
