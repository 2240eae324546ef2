//===- Measurement.cpp - What running a request showed --------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "common/Measurement.h"

#include "girih-c/CpuFeatures.h"

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

/// Whether kernels may use a feature of CpuFeatures.h here.
static bool isUsable(llvm::StringRef feature) {
#define GIRIH_IS_USABLE(bit, name)                                                                 \
  if (feature == name)                                                                             \
    return girihCpuFeatures() >> (bit) & 1;
  GIRIH_CPU_FEATURES(GIRIH_IS_USABLE)
#undef GIRIH_IS_USABLE
  return false;
}

std::string girih::cpuName() {
  std::string name = llvm::sys::getHostCPUName().str();
  for (const char *feature : {"amx-bf16", "avx512bf16", "avx512f", "avx2"})
    if (isUsable(feature))
      return name + " (" + feature + ")";
  return name;
}
