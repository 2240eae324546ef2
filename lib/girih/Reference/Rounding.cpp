//===- Rounding.cpp - f32 to bf16 and f16 and back ------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// No compiler or CPU support for half types is assumed.
//
//===----------------------------------------------------------------------===//

#include "girih/Reference/Rounding.h"

#include <cmath>
#include <cstring>

using namespace girih;

static uint32_t bitsOf(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

static float floatOf(uint32_t bits) {
  float value;
  std::memcpy(&value, &bits, sizeof value);
  return value;
}

/// Drops the low `count` bits, 0 < count < 32, to nearest with ties to even. A
/// carry runs into the exponent, which is what rounding up to the next power of
/// two means.
static uint32_t roundOff(uint32_t bits, int count) {
  uint32_t half = uint32_t(1) << (count - 1);
  uint32_t odd = bits >> count & 1;
  return (bits + half - 1 + odd) >> count;
}

uint16_t girih::toBf16(float value) {
  uint32_t bits = bitsOf(value);
  if (std::isnan(value))
    return uint16_t(bits >> 16 | 0x40);
  return uint16_t(roundOff(bits, 16));
}

float girih::fromBf16(uint16_t bits) { return floatOf(uint32_t(bits) << 16); }

uint16_t girih::toF16(float value) {
  uint32_t bits = bitsOf(value);
  auto sign = uint16_t(bits >> 16 & 0x8000);
  uint32_t magnitude = bits & 0x7FFFFFFF;
  if (magnitude > 0x7F800000)
    return sign | 0x7E00;
  int exponent = int(magnitude >> 23) - 127;
  if (exponent > 15)
    return sign | 0x7C00;
  if (exponent >= -14) {
    // Moves the bias from 127 to 15; what rounds beyond 65504 carries into
    // infinity.
    return uint16_t(sign | roundOff(magnitude - (uint32_t(112) << 23), 13));
  }
  // Subnormal: multiples of 2^-24, the significand with its leading one.
  int drop = -exponent - 1;
  if (drop > 25)
    return sign;
  uint32_t significand = (magnitude & 0x7FFFFF) | 0x800000;
  return uint16_t(sign | roundOff(significand, drop));
}

float girih::fromF16(uint16_t bits) {
  uint32_t sign = uint32_t(bits & 0x8000) << 16;
  uint32_t exponent = bits >> 10 & 31, fraction = bits & 0x3FF;
  if (exponent == 31)
    return floatOf(sign | 0x7F800000 | fraction << 13);
  if (exponent)
    return floatOf(sign | (exponent + 112) << 23 | fraction << 13);
  float magnitude = float(fraction) * 0x1p-24F;
  return floatOf(sign | bitsOf(magnitude));
}

float girih::roundTo(float value, GirihDType dtype) {
  switch (dtype) {
  case GIRIH_BF16:
    return fromBf16(toBf16(value));
  case GIRIH_F16:
    return fromF16(toF16(value));
  default:
    return value;
  }
}
