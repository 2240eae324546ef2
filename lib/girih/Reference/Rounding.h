//===- Rounding.h - f32 to bf16 and f16 and back ----------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Conversions by bit manipulation, so that the inputs of kernel and reference are
// the same numbers on every host. To nearest, ties to even; NaN stays NaN, what
// is too large becomes infinity, f16 subnormals are kept.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_REFERENCE_ROUNDING_H
#define GIRIH_REFERENCE_ROUNDING_H

#include "girih-c/Runtime.h"

#include <cstdint>

namespace girih {

uint16_t toBf16(float value);
float fromBf16(uint16_t bits);
uint16_t toF16(float value);
float fromF16(uint16_t bits);

/// The f32 value of `value` rounded to `dtype`.
float roundTo(float value, GirihDType dtype);

} // namespace girih

#endif // GIRIH_REFERENCE_ROUNDING_H
