//===- Expression.cpp - What predicates and scores are worth --------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Reference/Expression.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>

using namespace girih;

/// Division and modulo round towards minus infinity.
static int64_t floorDiv(int64_t a, int64_t b) { return a / b - (a % b < 0); }
static int64_t floorMod(int64_t a, int64_t b) { return a - b * floorDiv(a, b); }

/// Where `@table[indices]` is in its table; none outside, which no launch reads.
static std::optional<int64_t> placeOf(const Expr &expr, const Point &point) {
  int64_t place = 0;
  for (size_t i = 0; i < expr.indices.size(); ++i) {
    int64_t index = integerValue(*expr.indices[i], point), extent = expr.table->shape[i];
    if (index < 0 || index >= extent)
      return std::nullopt;
    place = place * extent + index;
  }
  return place;
}

int64_t girih::integerValue(const Expr &expr, const Point &point) {
  if (expr.kind == ExprKind::Constant)
    return expr.value;
  if (expr.kind == ExprKind::Variable)
    return point.values[static_cast<int>(expr.var)];
  if (expr.kind == ExprKind::Lookup) {
    std::optional<int64_t> place = placeOf(expr, point);
    return place ? expr.table->ints[*place] : 0;
  }
  if (expr.kind == ExprKind::Where)
    return integerValue(holds(*expr.condition, point) ? *expr.lhs : *expr.rhs, point);
  int64_t a = integerValue(*expr.lhs, point);
  if (expr.kind == ExprKind::Neg)
    return -a;
  if (expr.kind == ExprKind::Abs)
    return std::abs(a);
  int64_t b = integerValue(*expr.rhs, point);
  switch (expr.kind) {
  case ExprKind::Add:
    return a + b;
  case ExprKind::Sub:
    return a - b;
  case ExprKind::Mul:
    return a * b;
  case ExprKind::Div:
    return floorDiv(a, b);
  case ExprKind::Mod:
    return floorMod(a, b);
  case ExprKind::Min:
    return std::min(a, b);
  default:
    return std::max(a, b);
  }
}

/// `a` or `b`, and NaN if either is.
static double least(double a, double b) { return std::isnan(a) || a < b ? a : b; }

static double binaryValue(ExprKind kind, double a, double b) {
  switch (kind) {
  case ExprKind::Add:
    return a + b;
  case ExprKind::Sub:
    return a - b;
  case ExprKind::Mul:
    return a * b;
  case ExprKind::Div:
    return a / b;
  case ExprKind::Min:
    return least(a, b);
  case ExprKind::Max:
    return -least(-a, -b);
  default:
    return std::pow(a, b);
  }
}

static double unaryValue(ExprKind kind, double a) {
  switch (kind) {
  case ExprKind::ToFloat:
    return a;
  case ExprKind::Neg:
    return -a;
  case ExprKind::Abs:
    return std::fabs(a);
  case ExprKind::Exp:
    return std::exp(a);
  case ExprKind::Exp2:
    return std::exp2(a);
  case ExprKind::Log:
    return std::log(a);
  case ExprKind::Log2:
    return std::log2(a);
  case ExprKind::Sqrt:
    return std::sqrt(a);
  case ExprKind::Rsqrt:
    return 1 / std::sqrt(a);
  case ExprKind::Tanh:
    return std::tanh(a);
  case ExprKind::Sigmoid:
    return 1 / (1 + std::exp(-a));
  case ExprKind::Erf:
    return std::erf(a);
  case ExprKind::Sin:
    return std::sin(a);
  case ExprKind::Cos:
    return std::cos(a);
  default:
    return std::floor(a);
  }
}

double girih::realValue(const Expr &expr, const Point &point) {
  if (expr.type == ExprType::Integer)
    return static_cast<double>(integerValue(expr, point));
  if (expr.kind == ExprKind::Literal)
    return expr.real;
  if (expr.kind == ExprKind::Score)
    return point.score;
  if (expr.kind == ExprKind::Lookup) {
    std::optional<int64_t> place = placeOf(expr, point);
    return place ? expr.table->floats[*place] : 0;
  }
  if (expr.kind == ExprKind::Where)
    return realValue(holds(*expr.condition, point) ? *expr.lhs : *expr.rhs, point);
  double a = realValue(*expr.lhs, point);
  return expr.rhs ? binaryValue(expr.kind, a, realValue(*expr.rhs, point))
                  : unaryValue(expr.kind, a);
}

template <typename T> static bool compare(ExprKind kind, T a, T b) {
  switch (kind) {
  case ExprKind::Lt:
    return a < b;
  case ExprKind::Le:
    return a <= b;
  case ExprKind::Gt:
    return a > b;
  case ExprKind::Ge:
    return a >= b;
  case ExprKind::Eq:
    return a == b;
  default:
    return a != b;
  }
}

bool girih::holds(const Expr &expr, const Point &point) {
  switch (expr.kind) {
  case ExprKind::True:
    return true;
  case ExprKind::False:
    return false;
  case ExprKind::Not:
    return !holds(*expr.lhs, point);
  case ExprKind::And:
    return holds(*expr.lhs, point) && holds(*expr.rhs, point);
  case ExprKind::Or:
    return holds(*expr.lhs, point) || holds(*expr.rhs, point);
  default:
    break;
  }
  if (expr.lhs->type == ExprType::Integer && expr.rhs->type == ExprType::Integer)
    return compare(expr.kind, integerValue(*expr.lhs, point), integerValue(*expr.rhs, point));
  return compare(expr.kind, realValue(*expr.lhs, point), realValue(*expr.rhs, point));
}
