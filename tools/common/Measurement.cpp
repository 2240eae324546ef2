//===- Measurement.cpp - What running a request showed --------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "common/Measurement.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/TargetParser/Host.h"

using namespace girih;

double Measurement::gflops(const Request &request, int64_t pairs) const {
  double flops = 2.0 * static_cast<double>(request.dim + request.vDim) * static_cast<double>(pairs);
  return timeMs > 0 ? flops / timeMs * 1e-6 : 0;
}

double Measurement::tileEfficiency() const {
  return stats.computed_pairs == 0
             ? 1
             : static_cast<double>(stats.useful_pairs) / static_cast<double>(stats.computed_pairs);
}

std::string girih::cpuName() {
  std::string name = llvm::sys::getHostCPUName().str();
  auto features = llvm::sys::getHostCPUFeatures();
  for (const char *feature : {"avx512bf16", "avx512f", "avx2"})
    if (features.lookup(feature))
      return name + " (" + feature + ")";
  return name;
}
