//===- Features.cpp - Whether this processor runs a kernel ----------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Features.h"

#include "../Error.h"

#include "girih-c/CpuFeatures.h"

#include <string>

using namespace girih;

#if defined(__x86_64__)
/// Asks the compiler's support library, which knows of the registers that the operating
/// system saves, too.
static uint64_t detect() {
  __builtin_cpu_init();
  uint64_t features = 0;
#define GIRIH_DETECT(bit, name) features |= uint64_t{__builtin_cpu_supports(name) != 0} << (bit);
  GIRIH_CPU_FEATURES(GIRIH_DETECT)
#undef GIRIH_DETECT
  return features;
}
#else
static uint64_t detect() { return 0; }
#endif

uint64_t girihCpuFeatures(void) {
  static const uint64_t features = detect();
  return features;
}

/// Names of the features of a mask, and numbers of the bits that have none.
static std::string namesOf(uint64_t features) {
  std::string names;
  auto add = [&](const std::string &name) { names += (names.empty() ? "" : ", ") + name; };
#define GIRIH_NAME(bit, name)                                                                      \
  if (features >> (bit) & 1)                                                                       \
    add(name);                                                                                     \
  features &= ~(uint64_t{1} << (bit));
  GIRIH_CPU_FEATURES(GIRIH_NAME)
#undef GIRIH_NAME
  for (int bit = 0; bit < 64; ++bit)
    if (features >> bit & 1)
      add("feature " + std::to_string(bit) + ", which this runtime does not know");
  return names;
}

int girih::checkCpuFeatures(const GirihKernelDesc &kernel, uint64_t available,
                            GirihStatus *status) {
  uint64_t missing = kernel.cpu_features & ~available;
  if (!missing)
    return GIRIH_OK;
  return guarded(status, [&] {
    return fail(status, GIRIH_UNSUPPORTED,
                "expected a processor with what kernel '%s' was compiled for, but this one lacks "
                "%s",
                kernel.name ? kernel.name : "", namesOf(missing).c_str());
  });
}
