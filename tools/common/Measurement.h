//===- Measurement.h - What running a request showed ------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_TOOLS_COMMON_MEASUREMENT_H
#define GIRIH_TOOLS_COMMON_MEASUREMENT_H

#include "common/Request.h"

#include "girih/Support/TilePicture.h"

namespace girih {

/// Everything measured in one run, on the CPU or a GPU.
struct Measurement {
  double timeMs = 0, compileMs = 0, mapMs = 0;
  int64_t launches = 1; ///< that the time is the median of
  /// Of the FMA peak samples taken around the launches; 0 on a GPU.
  double peakGflops = 0, lowestPeakGflops = 0;
  /// Host time of enqueuing one launch on an idle GPU, in microseconds; when timed.
  std::optional<double> launchUs;
  /// Bytes of tensors that a launch copies because the kernel cannot address them.
  int64_t copiedBytes = 0;
  std::optional<int64_t> workspaceBytes; ///< memory of a launch, on the CPU
  bool cacheHit = false;
  int threads = 0;    ///< 0 on a GPU
  std::string device; ///< the GPU's name, or the CPU's and its vector width
  GirihMapStats stats{};
  int32_t tileQ = 0, tileK = 0;
  TileGrid picture; ///< of batch 0, head 0

  /// GFLOP/s of so many pairs of `request` in the measured time: 2 (D + Dv) FLOP each.
  double gflops(const Request &request, int64_t pairs) const;
  /// Useful / computed pairs; a launch that computes nothing wastes nothing.
  double tileEfficiency() const;
};

/// The CPU's name and vector width.
std::string cpuName();

} // namespace girih

#endif // GIRIH_TOOLS_COMMON_MEASUREMENT_H
