//===- Integer.h - Integer arithmetic without undefined cases ---*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Values of a map program fit int64 for every position (its compiler proves
// it); bounds of values over a box may not. Points wrap, bounds saturate.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_RUNTIME_MAP_INTEGER_H
#define GIRIH_RUNTIME_MAP_INTEGER_H

#include <cstdint>

namespace girih {

using Wide = __int128;

inline int64_t wrapAdd(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}

inline int64_t wrapMul(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) * static_cast<uint64_t>(b));
}

/// floor(a / divisor), divisor > 0.
inline int64_t floorDiv(int64_t a, int64_t divisor) {
  int64_t quotient = a / divisor;
  return quotient - (a % divisor < 0);
}

/// a - divisor * floor(a / divisor), divisor > 0.
inline int64_t floorMod(int64_t a, int64_t divisor) {
  int64_t rest = a % divisor;
  return rest < 0 ? rest + divisor : rest;
}

/// ceil(a / divisor), a >= 0, divisor > 0.
inline int64_t ceilDiv(int64_t a, int64_t divisor) { return a / divisor + (a % divisor != 0); }

/// The nearest int64.
inline int64_t saturate(Wide value) {
  if (value > INT64_MAX)
    return INT64_MAX;
  if (value < INT64_MIN)
    return INT64_MIN;
  return static_cast<int64_t>(value);
}

} // namespace girih

#endif // GIRIH_RUNTIME_MAP_INTEGER_H
