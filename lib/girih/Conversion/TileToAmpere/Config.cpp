//===- Config.cpp - Sizes of kernels for sm_80, sm_86 and sm_89 -----------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Conversion/TileToAmpere/Config.h"

#include <algorithm>

using namespace girih::ampere;

/// Shared memory that the driver keeps of each block.
static constexpr int64_t reservedBytes = 1024;
static constexpr int64_t registersPerMultiprocessor = 65536;

const Chip *girih::ampere::findChip(llvm::StringRef name) {
  // CUDA C++ programming guide, "Compute Capabilities".
  static const Chip chips[] = {{"sm_80", 163 * 1024, 164 * 1024, 2048},
                               {"sm_86", 99 * 1024, 100 * 1024, 1536},
                               {"sm_89", 99 * 1024, 100 * 1024, 1536}};
  for (const Chip &chip : chips)
    if (chip.name == name)
      return &chip;
  return nullptr;
}

int64_t TileShape::swizzleBits() const {
  // Eight pieces are all banks. A row that is a multiple of eight pieces starts at
  // the same bank as every other; one of 4 n starts at one of two, of 2 n at one of
  // four: the rows that share a start are to be told apart.
  return pieces() % 8 == 0 ? 3 : pieces() % 4 == 0 ? 2 : 1;
}

int64_t Config::registers(bool hasWideMask) const {
  constexpr int64_t others = 48; // as ptxas uses them
  int64_t scores = tileK / 2, output = v().pieces() * 4;
  return scores + scores / 2 + output + others + (hasWideMask ? 16 : 0);
}

Config girih::ampere::chooseTiles(const Chip &chip, Config config) {
  const int64_t rows = config.tileQ, keys = config.tileK;
  for (int64_t tileQ : {128, 64})
    for (int64_t tileK : {64, 32, 16}) {
      config.tileQ = rows ? rows : tileQ;
      config.tileK = keys ? keys : tileK;
      // 16 keys a step are not worth 128 rows.
      bool isNarrow = config.tileQ > 64 && config.tileK < 32 && !rows && !keys;
      if (config.sharedBytes() <= chip.sharedPerBlock && !isNarrow)
        return config;
    }
  return config;
}

int64_t girih::ampere::residentBlocks(const Chip &chip, const Config &config, bool hasWideMask) {
  int64_t shared = chip.sharedPerMultiprocessor / (config.sharedBytes() + reservedBytes);
  int64_t threads = chip.threadsPerMultiprocessor / config.threads();
  int64_t registers =
      registersPerMultiprocessor / (config.threads() * config.registers(hasWideMask));
  return std::max<int64_t>(1, std::min({shared, threads, registers}));
}
