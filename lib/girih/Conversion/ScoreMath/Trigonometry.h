//===- Trigonometry.h - Sine and cosine as arithmetic -----------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_CONVERSION_SCOREMATH_TRIGONOMETRY_H
#define GIRIH_CONVERSION_SCOREMATH_TRIGONOMETRY_H

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace girih {

enum class Circular { Sine, Cosine };

/// Builds the sine or cosine of `x` (radians), an f32 or a vector of them, from arith ops
/// and math.fma, which need not be fused. Right for every x: the absolute error is below
/// 9e-8 (7.5e-8 where it is fused), 1.7 units in the last place where the result is
/// above 0.01; results lie in [-1, 1]; sines are odd and cosines even; infinities and NaN
/// give NaN. The bounds are those found among all floats.
///
/// Beyond 2^16 the argument is reduced with a window of the digits of 2 / pi (Payne and
/// Hanek, 1983), about forty operations on integers: vectors of one dimension take a
/// branch (scf.if) to them when a lane needs them; all else computes and selects.
mlir::Value buildCircular(mlir::ImplicitLocOpBuilder &b, mlir::Value x, Circular function);

} // namespace girih

#endif // GIRIH_CONVERSION_SCOREMATH_TRIGONOMETRY_H
