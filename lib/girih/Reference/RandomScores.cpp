//===- RandomScores.cpp - Scores drawn from the grammar -------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A score is a chain of changes to `score`, each with a slope of about one, and
// with biases: floats that depend on the pair alone. Only raw generator output is
// used, and no expression draws twice: the order of arguments is the compiler's.
//
//===----------------------------------------------------------------------===//

#include "girih/Reference/RandomScores.h"

#include "girih/Frontend/PatternDetail.h"
#include "girih/Reference/Dice.h"
#include "girih/Reference/Expression.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

using namespace girih;

static constexpr double infinity = std::numeric_limits<double>::infinity();

namespace {

class Drawer : public Dice {
public:
  using Dice::Dice;

  Real change(Real s, int depth, bool isLast);

private:
  Index integer(int depth);
  Bool condition(int depth);
  Real bias(int depth);
  Real lookup();
};

} // namespace

Index Drawer::integer(int depth) {
  if (depth <= 0 || oneIn(4)) {
    if (oneIn(5))
      return between(-3, 9);
    // The lengths come last: they are the same for every pair.
    static constexpr Var variables[] = {Var::Q, Var::K, Var::H,  Var::B, Var::Q,
                                        Var::K, Var::H, Var::NQ, Var::NK};
    return detail::variable(variables[between(0, 8)]);
  }
  int64_t kind = between(0, 9);
  Index a = integer(depth - 1);
  switch (kind) {
  case 0:
    return a + integer(depth - 1);
  case 1:
  case 2:
    return a - integer(depth - 1);
  case 3:
    return a * between(-3, 7);
  case 4:
    return a / between(1, 16);
  case 5:
    return a % between(1, 33);
  case 6:
    return oneIn(2) ? min(a, integer(depth - 1)) : max(a, integer(depth - 1));
  case 7:
    return abs(a);
  case 8:
    return -a;
  default: {
    Bool holds = condition(depth - 1);
    return where(holds, a, integer(depth - 1));
  }
  }
}

Bool Drawer::condition(int depth) {
  int64_t kind = between(0, depth > 0 ? 8 : 5);
  if (kind == 6)
    return !condition(depth - 1);
  if (kind > 6) {
    Bool a = condition(depth - 1), b = condition(depth - 1);
    return kind == 7 ? a && b : a || b;
  }
  Index a = integer(depth - 1), b = integer(depth - 1);
  // Floats of integers compare exactly.
  if (oneIn(5))
    return kind < 3 ? Real(a) * 0.5 < b : Real(a) >= 0.25 * b;
  switch (kind) {
  case 0:
    return a < b;
  case 1:
    return a <= b;
  case 2:
    return a > b;
  case 3:
    return a >= b;
  case 4:
    return a == b;
  default:
    return a != b;
  }
}

/// A float or an integer of a table, at indices that never leave it.
Real Drawer::lookup() {
  int64_t rows = between(1, 5), columns = between(1, 40);
  std::vector<int64_t> ints;
  std::vector<float> floats;
  for (int64_t i = 0; i != rows * columns; ++i) {
    ints.push_back(between(-8, 8));
    floats.push_back(static_cast<float>(ints.back()) * 0.125f);
  }
  // Names tell tables apart when the score is parsed again.
  std::string name = "t" + std::to_string(random() % 1000000007);
  std::vector<int64_t> shape = {rows, columns};
  bool isFloat = oneIn(2);
  Table table = isFloat ? Table::ofFloats(name, std::move(floats), shape)
                        : Table(name, std::move(ints), shape);
  Index a = integer(0), b = integer(0);
  Index row = oneIn(2) ? integer(0) % rows : min(max(a - b, 0), rows - 1);
  Index column = oneIn(2) ? (a - b) % columns : (a + 3 * b) / 4 % columns;
  return isFloat ? Real(table(row, column)) : 0.25 * Real(table(row, column));
}

/// At most a few units, and no steeper where its argument is large.
Real Drawer::bias(int depth) {
  Index i = integer(depth - 1);
  Real size = Real(abs(i));
  switch (between(0, 18)) {
  case 0:
    return pick<double>({0.0625, -0.01}) * Real(i);
  case 1:
    return 0.25 * Real(i % between(1, 9));
  case 2:
    return tanh(0.03125 * i);
  case 3:
    return exp(-0.05 * size);
  case 4:
    return exp2(-0.5 * size);
  case 5:
    return 0.25 * log(1.0 + size);
  case 6:
    return 0.25 * log2(1.0 + size);
  case 7:
    return 0.125 * sqrt(size);
  case 8:
    return rsqrt(1.0 + size);
  case 9:
    return sigmoid(0.125 * i);
  case 10:
    return erf(0.125 * i);
  case 11:
    return oneIn(2) ? sin(0.25 * Real(i)) : cos(0.25 * Real(i));
  case 12:
    return 0.125 * floor(0.25 * (i % 64));
  case 13:
    return pow(pick<double>({0.5, 1.25}), Real(i % 5));
  case 14:
    return Real(i) / (1.0 + size);
  case 15:
    return where(condition(depth - 1), -rsqrt(1.0 + size), 0.5);
  case 16:
    return min(0.0625 * i, pick<double>({1.5, 0.0})) + max(-0.0625 * Real(i), -1.5);
  case 17:
    return lookup();
  default:
    return abs(0.5 - 0.03125 * Real(i)) * Real(integer(0) % 3);
  }
}

/// Only the last change makes infinities: a later one could make NaN of them.
Real Drawer::change(Real s, int depth, bool isLast) {
  switch (between(0, 15)) {
  case 0:
  case 1:
  case 2:
  case 3:
    return s + bias(depth);
  case 4: {
    double cap = pick<double>({0.5, 5, 30});
    return cap * tanh(s / cap);
  }
  case 5:
    return s * pick<double>({0.25, -0.75, 1.25});
  case 6:
    return where(condition(depth), s, s * 0.5);
  case 7: {
    Bool holds = condition(depth);
    return where(holds, s, isLast ? -infinity : 0.0);
  }
  case 8:
    return oneIn(2) ? max(s, -0.5) : min(s, bias(depth));
  case 9:
    return where(s < 0, 0.25 * s, s);
  case 10:
    return oneIn(2) ? 2 * sigmoid(s) : erf(s);
  case 11:
    return oneIn(2) ? sin(s) : cos(s);
  case 12:
    return oneIn(2) ? log(1 + s * s) : log2(1 + abs(s));
  case 13:
    return oneIn(2) ? sqrt(1 + s * s) : rsqrt(1 + s * s);
  case 14:
    return oneIn(2) ? exp(-abs(s)) : exp2(min(s, 1.0));
  default:
    return oneIn(2) ? pow(1 + abs(s), pick<double>({0.75, -0.5})) : s / (1 + abs(s));
  }
}

Score girih::drawScore(std::mt19937_64 &random, int depth) {
  Drawer drawer(random);
  Real s = detail::scoreVariable();
  for (int64_t changes = drawer.between(1, 3); changes > 0; --changes)
    s = drawer.change(s, depth, changes == 1);
  return score(s);
}

static double magnitudeOf(const Expr &expr, const Point &point) {
  double result = 0;
  if (expr.type == ExprType::Float) {
    double value = std::fabs(realValue(expr, point));
    if (std::isfinite(value))
      result = value;
  }
  for (const ExprRef &child : {expr.lhs, expr.rhs, expr.condition})
    if (child)
      result = std::max(result, magnitudeOf(*child, point));
  return result;
}

double girih::largestMagnitude(const Score &score, const Shape &shape, int64_t batch,
                               double largestScore, int points) {
  std::mt19937_64 random(shape.numQ);
  auto below = [&](int64_t end) { return static_cast<int64_t>(random() % uint64_t(end)); };
  double largest = 0;
  for (int i = 0; i != points; ++i) {
    // Corners as often as what lies between.
    int64_t q = i % 2 ? below(shape.numQ) : i / 2 % 2 * (shape.numQ - 1);
    int64_t k = i % 2 ? below(shape.numK) : i / 4 % 2 * (shape.numK - 1);
    Point point{{below(batch), below(shape.heads), q + shape.qOffset, k, shape.numQ, shape.numK},
                i % 3 ? largestScore : -largestScore};
    largest = std::max(largest, magnitudeOf(*score.get(), point));
  }
  return largest;
}

/// Expressions with a node less: an operand in place of its operation.
static std::vector<ExprRef> simplerOf(const ExprRef &expr) {
  std::vector<ExprRef> result;
  const ExprRef children[] = {expr->lhs, expr->rhs, expr->condition};
  for (const ExprRef &child : children)
    if (child && (child->type == expr->type ||
                  (expr->type == ExprType::Float && child->type == ExprType::Integer)))
      result.push_back(child);
  for (int i = 0; i != 3; ++i) {
    if (!children[i])
      continue;
    for (const ExprRef &simpler : simplerOf(children[i])) {
      ExprRef changed[] = {children[0], children[1], children[2]};
      changed[i] = simpler;
      result.push_back(changed[2] ? detail::makeWhere(changed[2], changed[0], changed[1])
                                  : detail::makeExpr(expr->kind, changed[0], changed[1]));
    }
  }
  return result;
}

std::vector<Score> girih::shrink(const Score &score) {
  std::vector<Score> result;
  if (score)
    for (const ExprRef &expr : simplerOf(score.get()))
      if (Score candidate(expr); validate(candidate).empty())
        result.push_back(candidate);
  return result;
}
