//===- TileLimits.h - Tiles that a CPU kernel is made for -------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_CONVERSION_TILETOCPU_TILELIMITS_H
#define GIRIH_CONVERSION_TILETOCPU_TILELIMITS_H

#include <cstdint>

namespace girih::cpu {

/// Queries and keys of the largest tile. Rows of a tile are vectors in registers, of
/// which the compiler makes instructions one by one.
constexpr int64_t maxTileQ = 256, maxTileK = 1024;

} // namespace girih::cpu

#endif // GIRIH_CONVERSION_TILETOCPU_TILELIMITS_H
