//===- Expression.h - What predicates and scores are worth ------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_REFERENCE_EXPRESSION_H
#define GIRIH_REFERENCE_EXPRESSION_H

#include "girih/Frontend/Score.h"

#include <cstdint>

namespace girih {

/// What an expression may read at one pair.
struct Point {
  int64_t values[6]; ///< indexed by Var
  double score = 0;  ///< of scores only
};

/// Whether a condition holds.
bool holds(const Expr &expr, const Point &point);

/// What a number is worth: integers exactly, floats in double precision.
int64_t integerValue(const Expr &expr, const Point &point);
double realValue(const Expr &expr, const Point &point);

} // namespace girih

#endif // GIRIH_REFERENCE_EXPRESSION_H
