//===- Score.h - Score functions as trees, and the C++ builder --*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What becomes of a score before the softmax sees it: an expression over the score
// and the indices of its pair. It shares nodes, and the integers and conditions of
// its language, with predicates.
//
//   auto alibi = girih::score([](Real s, Index b, Index h, Index q, Index k) {
//     return s - exp2(-0.5 * (h + 1)) * abs(q - k);
//   });
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_FRONTEND_SCORE_H
#define GIRIH_FRONTEND_SCORE_H

#include "girih/Frontend/Pattern.h"

namespace girih {

//===----------------------------------------------------------------------===//
// Floats
//===----------------------------------------------------------------------===//

/// A float expression over the score, b, h, q, k, nq and nk. Arithmetic is of f32.
class Real {
public:
  /// The nearest f32; infinities are numbers, NaN is an error where it is compiled.
  Real(double value);
  /// Integers become floats.
  Real(Index value);
  explicit Real(ExprRef node) : node(std::move(node)) {}
  const ExprRef &get() const { return node; }

private:
  ExprRef node;
};

Real operator+(Real a, Real b);
Real operator-(Real a, Real b);
Real operator*(Real a, Real b);
Real operator/(Real a, Real b);
Real operator-(Real a);
Bool operator<(Real a, Real b);
Bool operator<=(Real a, Real b);
Bool operator>(Real a, Real b);
Bool operator>=(Real a, Real b);
Bool operator==(Real a, Real b);
Bool operator!=(Real a, Real b);
/// NaN if either is.
Real min(Real a, Real b);
Real max(Real a, Real b);
Real abs(Real a);
Real exp(Real a);
Real exp2(Real a);
Real log(Real a);
Real log2(Real a);
Real sqrt(Real a);
/// 1 / sqrt(a).
Real rsqrt(Real a);
Real tanh(Real a);
/// 1 / (1 + exp(-a)).
Real sigmoid(Real a);
Real erf(Real a);
Real sin(Real a);
Real cos(Real a);
Real floor(Real a);
Real pow(Real a, Real b);
/// `a` where the condition holds, else `b`. Both are computed.
Real where(Bool condition, Real a, Real b);
Index where(Bool condition, Index a, Index b);

//===----------------------------------------------------------------------===//
// Scores
//===----------------------------------------------------------------------===//

/// A score function: a shared pointer to an immutable expression, or none, which
/// leaves scores as they are.
class Score {
public:
  Score() = default;
  explicit Score(ExprRef node) : node(std::move(node)) {}
  const ExprRef &get() const { return node; }
  explicit operator bool() const { return node != nullptr; }

  /// The expression in the score language. Parsing it gives an equal tree.
  std::string str() const;

private:
  ExprRef node;
};

/// Structural equality.
bool operator==(const Score &a, const Score &b);

/// Tables that a pattern and a score look up, in the order of the kernel's arguments: those of
/// `patternLookups`, then what the score reads besides.
std::vector<TableRef> kernelLookups(const Pattern &pattern, const Score &score);

/// Whether two patterns, each with a score or none, differ in nothing but values and lengths
/// of run-time operands, so that one kernel serves both.
bool differInTablesOnly(const Pattern &a, const Pattern &b, const Score &scoreA = {},
                        const Score &scoreB = {});

Score score(Real expr);

/// Builds a score from a callable (score, b, h, q, k) -> Real. The score comes
/// after the scale; q and k are absolute positions, as in predicates.
template <
    typename Callable,
    std::enable_if_t<std::is_invocable_v<Callable, Real, Index, Index, Index, Index>, int> = 0>
Score score(Callable callable);

/// Checks what does not depend on lengths: types, divisors, depth within maxDepth,
/// nodes within maxNodes, integers within 62 bits. Returns an empty string, or what
/// is wrong: "expected ..., but got ...".
std::string validate(const Score &score);

//===----------------------------------------------------------------------===//
// Implementation of templates
//===----------------------------------------------------------------------===//

namespace detail {
Real scoreVariable();
} // namespace detail

template <typename Callable,
          std::enable_if_t<std::is_invocable_v<Callable, Real, Index, Index, Index, Index>, int>>
Score score(Callable callable) {
  return score(
      Real(callable(detail::scoreVariable(), detail::variable(Var::B), detail::variable(Var::H),
                    detail::variable(Var::Q), detail::variable(Var::K))));
}

} // namespace girih

#endif // GIRIH_FRONTEND_SCORE_H
