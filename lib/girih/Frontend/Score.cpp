//===- Score.cpp - Builder functions of scores ----------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One function for each name and operator of the score language. They never fail:
// `validate` checks.
//
//===----------------------------------------------------------------------===//

#include "girih/Frontend/Score.h"

#include "girih/Frontend/PatternDetail.h"

using namespace girih;
using detail::makeExpr;

Real::Real(double value) : node(detail::makeLiteral(static_cast<float>(value))) {}
Real::Real(Index value) : node(makeExpr(ExprKind::ToFloat, value.get())) {}
Real detail::scoreVariable() { return Real(makeScoreVariable()); }

static Real call(ExprKind kind, const Real &a) { return Real(makeExpr(kind, a.get())); }
static Real arith(ExprKind kind, const Real &a, const Real &b) {
  return Real(makeExpr(kind, a.get(), b.get()));
}
static Bool test(ExprKind kind, const Real &a, const Real &b) {
  return Bool(makeExpr(kind, a.get(), b.get()));
}

Real girih::operator+(Real a, Real b) { return arith(ExprKind::Add, a, b); }
Real girih::operator-(Real a, Real b) { return arith(ExprKind::Sub, a, b); }
Real girih::operator*(Real a, Real b) { return arith(ExprKind::Mul, a, b); }
Real girih::operator/(Real a, Real b) { return arith(ExprKind::Div, a, b); }
Real girih::operator-(Real a) { return call(ExprKind::Neg, a); }
Bool girih::operator<(Real a, Real b) { return test(ExprKind::Lt, a, b); }
Bool girih::operator<=(Real a, Real b) { return test(ExprKind::Le, a, b); }
Bool girih::operator>(Real a, Real b) { return test(ExprKind::Gt, a, b); }
Bool girih::operator>=(Real a, Real b) { return test(ExprKind::Ge, a, b); }
Bool girih::operator==(Real a, Real b) { return test(ExprKind::Eq, a, b); }
Bool girih::operator!=(Real a, Real b) { return test(ExprKind::Ne, a, b); }
Real girih::min(Real a, Real b) { return arith(ExprKind::Min, a, b); }
Real girih::max(Real a, Real b) { return arith(ExprKind::Max, a, b); }
Real girih::abs(Real a) { return call(ExprKind::Abs, a); }
Real girih::exp(Real a) { return call(ExprKind::Exp, a); }
Real girih::exp2(Real a) { return call(ExprKind::Exp2, a); }
Real girih::log(Real a) { return call(ExprKind::Log, a); }
Real girih::log2(Real a) { return call(ExprKind::Log2, a); }
Real girih::sqrt(Real a) { return call(ExprKind::Sqrt, a); }
Real girih::rsqrt(Real a) { return call(ExprKind::Rsqrt, a); }
Real girih::tanh(Real a) { return call(ExprKind::Tanh, a); }
Real girih::sigmoid(Real a) { return call(ExprKind::Sigmoid, a); }
Real girih::erf(Real a) { return call(ExprKind::Erf, a); }
Real girih::sin(Real a) { return call(ExprKind::Sin, a); }
Real girih::cos(Real a) { return call(ExprKind::Cos, a); }
Real girih::floor(Real a) { return call(ExprKind::Floor, a); }
Real girih::pow(Real a, Real b) { return arith(ExprKind::Pow, a, b); }

Real girih::where(Bool condition, Real a, Real b) {
  return Real(detail::makeWhere(condition.get(), a.get(), b.get()));
}

Index girih::where(Bool condition, Index a, Index b) {
  return Index(detail::makeWhere(condition.get(), a.get(), b.get()));
}

Score girih::score(Real expr) { return Score(expr.get()); }

std::string Score::str() const { return detail::printExpr(node); }

bool girih::operator==(const Score &a, const Score &b) {
  return detail::equalExprs(a.get().get(), b.get().get());
}

std::string girih::validate(const Score &score) {
  if (!score)
    return "expected a score, but got none";
  return detail::validateScore(score.get());
}
