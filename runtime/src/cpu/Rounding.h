//===- Rounding.h - f32 to the 16 bits of an output -------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// To nearest, ties to even; NaN stays NaN, what is too large becomes infinity, f16
// subnormals are kept. By integers: compilers of the runtime need not know bf16.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_RUNTIME_CPU_ROUNDING_H
#define GIRIH_RUNTIME_CPU_ROUNDING_H

#include <cstdint>
#include <cstring>

namespace girih {

/// `bits` without its lowest `count`, 0 < count < 32. A carry runs into the exponent,
/// which is the next power of two.
inline uint32_t roundedOff(uint32_t bits, uint32_t count) {
  uint32_t isOdd = bits >> count & 1;
  return (bits + (uint32_t{1} << (count - 1)) - 1 + isOdd) >> count;
}

inline uint32_t bitsOf(float value) {
  uint32_t bits = 0;
  std::memcpy(&bits, &value, sizeof(bits));
  return bits;
}

/// The upper half of an f32.
inline uint16_t toBf16(float value) {
  uint32_t bits = bitsOf(value);
  bool isNan = (bits & 0x7fffffffu) > 0x7f800000u;
  return static_cast<uint16_t>(isNan ? bits >> 16 | 0x40u : roundedOff(bits, 16));
}

/// 1 bit of sign, 5 of exponent (bias 15), 10 of fraction.
inline uint16_t toF16(float value) {
  uint32_t bits = bitsOf(value), magnitude = bits & 0x7fffffffu, sign = bits >> 16 & 0x8000u;
  uint32_t exponent = magnitude >> 23, half = 0;
  constexpr uint32_t kInfinity = 0x7c00, kQuietNan = 0x7e00, kBiases = 127 - 15;
  if (magnitude > 0x7f800000u)
    half = kQuietNan;
  else if (exponent > kBiases + 30)
    half = kInfinity;
  else if (exponent > kBiases)
    half = roundedOff(magnitude - (kBiases << 23), 13);
  else if (exponent > kBiases - 12) // a multiple of 2^-24, or half of the first one
    half = roundedOff((magnitude & 0x7fffffu) | 0x800000u, kBiases + 14 - exponent);
  return static_cast<uint16_t>(sign | half);
}

} // namespace girih

#endif // GIRIH_RUNTIME_CPU_ROUNDING_H
