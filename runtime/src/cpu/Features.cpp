//===- Features.cpp - Whether this processor runs a kernel ----------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Features.h"

#include "../Error.h"

#include "girih-c/CpuFeatures.h"

#include <cstring>
#include <string>

#if defined(__x86_64__) && defined(__linux__)
#include <sys/syscall.h>
#include <unistd.h>
#endif

using namespace girih;

#if defined(__x86_64__)
/// Asks the operating system for the 8 KiB of AMX tiles, which it gives a process that
/// wants them, for good.
static bool mayUseTiles() {
#if defined(__linux__)
  constexpr long kRequestPermission = 0x1023, kTileData = 18; // of arch_prctl, of XCR0
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}

/// Asks the compiler's support library, which knows of the registers that the operating
/// system saves, too; tiles are saved for those only that have asked.
static uint64_t detect() {
  __builtin_cpu_init();
  uint64_t features = 0;
#define GIRIH_DETECT(bit, name) features |= uint64_t{__builtin_cpu_supports(name) != 0} << (bit);
  GIRIH_CPU_FEATURES(GIRIH_DETECT)
#undef GIRIH_DETECT
  uint64_t tiles = 0;
#define GIRIH_TILES(bit, name)                                                                     \
  if (std::strncmp(name, "amx-", 4) == 0)                                                          \
    tiles |= uint64_t{1} << (bit);
  GIRIH_CPU_FEATURES(GIRIH_TILES)
#undef GIRIH_TILES
  if ((features & tiles) != 0 && !mayUseTiles())
    features &= ~tiles;
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
