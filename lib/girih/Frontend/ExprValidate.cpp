//===- ExprValidate.cpp - Checks of predicates and scores -----------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Types, divisors, depth, and the ranges of integers, so that neither the oracle
// nor a kernel can leave int64.
//
//===----------------------------------------------------------------------===//

#include "girih/Frontend/PatternDetail.h"

#include "girih-c/BlockMap.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <set>

using namespace girih;
using detail::IntRange;

//===----------------------------------------------------------------------===//
// Ranges
//===----------------------------------------------------------------------===//

using Wide = __int128;

static IntRange variableRange(Var var) {
  switch (var) {
  case Var::B:
  case Var::H:
    return {0, GIRIH_MAX_HEADS};
  case Var::Q:
    return {-GIRIH_MAX_TOKENS, GIRIH_MAX_TOKENS};
  case Var::K:
  case Var::NQ:
  case Var::NK:
    return {0, GIRIH_MAX_TOKENS};
  }
  return {};
}

static Wide floorDiv(Wide a, Wide b) { return a / b - (a % b < 0); }

IntRange detail::rangeOf(const Expr &expr, IntRange a, IntRange b) {
  switch (expr.kind) {
  case ExprKind::Constant:
    return {expr.value, expr.value};
  case ExprKind::Variable:
    return variableRange(expr.var);
  case ExprKind::Add:
    return {a.lo + b.lo, a.hi + b.hi};
  case ExprKind::Sub:
    return {a.lo - b.hi, a.hi - b.lo};
  case ExprKind::Mul: {
    auto corners = {a.lo * b.lo, a.lo * b.hi, a.hi * b.lo, a.hi * b.hi};
    return {std::min(corners), std::max(corners)};
  }
  case ExprKind::Div:
    return {floorDiv(a.lo, b.lo), floorDiv(a.hi, b.lo)};
  case ExprKind::Mod:
    return {0, b.lo - 1};
  case ExprKind::Min:
    return {std::min(a.lo, b.lo), std::min(a.hi, b.hi)};
  case ExprKind::Max:
    return {std::max(a.lo, b.lo), std::max(a.hi, b.hi)};
  case ExprKind::Neg:
    return {-a.hi, -a.lo};
  case ExprKind::Abs:
    return {a.lo > 0 ? a.lo : a.hi < 0 ? -a.hi : Wide(0), std::max(-a.lo, a.hi)};
  case ExprKind::Lookup: // whatever its values are now: others compile nothing
    return {std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max()};
  case ExprKind::Where:
    return {std::min(a.lo, b.lo), std::max(a.hi, b.hi)};
  default:
    return {};
  }
}

//===----------------------------------------------------------------------===//
// The checker
//===----------------------------------------------------------------------===//

namespace {

class ExprChecker {
public:
  explicit ExprChecker(bool isScore) : isScore(isScore) {}

  IntRange check(const ExprRef &expr, int depth);

  std::string error;

private:
  IntRange checkNumber(const ExprRef &expr, int depth);
  void checkCondition(const ExprRef &expr, int depth);
  IntRange checkLookup(const Expr &expr, int depth);
  IntRange rangeOf(const Expr &expr, IntRange a, IntRange b) const;
  IntRange checkInteger(const ExprRef &expr, IntRange a, IntRange b);
  /// `range`, unless it is beyond 62 bits: the compiler's limit (maxIndexMagnitude of
  /// Analysis/IndexForm.h), where it would name an op that the user did not write.
  IntRange bounded(const ExprRef &expr, IntRange range);
  IntRange fail(std::string message) {
    if (error.empty())
      error = std::move(message);
    return {};
  }

  bool isScore;
  int lookups = 0; ///< around what is checked
  int64_t budget = maxNodes;
  std::set<const TableData *> checkedTables;
};

} // namespace

/// A printed expression that is short enough for a message.
static std::string brief(const ExprRef &expr) {
  std::string text = detail::printExpr(expr);
  if (text.size() > 60)
    text = text.substr(0, 57) + "...";
  return text;
}

/// "the integer 'q + k'".
static std::string typed(const ExprRef &expr) {
  return fmt::format("the {} '{}'", detail::typeName(expr->type), brief(expr));
}

static bool isScoreOnly(const Expr &expr) {
  return expr.type == ExprType::Float || expr.kind == ExprKind::Where;
}

IntRange ExprChecker::checkNumber(const ExprRef &expr, int depth) {
  IntRange range = check(expr, depth);
  if (error.empty() && isBoolean(expr->kind))
    return fail(
        fmt::format("expected {}, but got {}", isScore ? "a number" : "an integer", typed(expr)));
  return range;
}

void ExprChecker::checkCondition(const ExprRef &expr, int depth) {
  check(expr, depth);
  if (error.empty() && !isBoolean(expr->kind))
    fail(fmt::format("expected a condition, but got {}", typed(expr)));
}

IntRange ExprChecker::checkLookup(const Expr &expr, int depth) {
  if (!expr.table)
    return fail("expected a lookup to name a table, but got none");
  if (expr.table->isFloat && !isScore)
    return fail(fmt::format("expected table @{} to hold integers, but got f32, which score "
                            "functions alone look up",
                            expr.table->name));
  if (checkedTables.insert(expr.table.get()).second)
    if (std::string problem = validateLookup(*expr.table); !problem.empty())
      return fail(problem);
  if (expr.indices.size() != expr.table->shape.size())
    return fail(fmt::format("expected {} indices of table @{}, one for each dimension, but got {}",
                            expr.table->shape.size(), expr.table->name, expr.indices.size()));
  for (const ExprRef &index : expr.indices) {
    ++lookups;
    checkNumber(index, depth + 1);
    --lookups;
    if (error.empty() && index->type == ExprType::Float)
      return fail(fmt::format("expected an integer as an index of @{}, but got {}",
                              expr.table->name, typed(index)));
  }
  return expr.table->isFloat ? IntRange() : detail::rangeOf(expr, {}, {});
}

IntRange ExprChecker::check(const ExprRef &expr, int depth) {
  if (!error.empty())
    return {};
  if (!expr)
    return fail("expected an expression, but got none");
  if (depth > maxDepth)
    return fail(fmt::format("expected at most {} levels of nesting, but got more", maxDepth));
  if (--budget < 0)
    return fail(fmt::format("expected at most {} nodes, but got more", maxNodes));
  if (expr->kind == ExprKind::Lookup)
    return checkLookup(*expr, depth);
  if (!isScore && isScoreOnly(*expr))
    return fail(fmt::format("expected an integer in a predicate, but got {}", typed(expr)));

  ExprKind kind = expr->kind;
  switch (kind) {
  case ExprKind::Constant:
  case ExprKind::Variable:
    return bounded(expr, detail::rangeOf(*expr, {}, {}));
  case ExprKind::Literal:
    if (std::isnan(expr->real))
      return fail("expected a number, but got nan");
    return {};
  case ExprKind::Score:
  case ExprKind::True:
  case ExprKind::False:
    return {};
  case ExprKind::Not:
    checkCondition(expr->lhs, depth + 1);
    return {};
  case ExprKind::And:
  case ExprKind::Or:
    checkCondition(expr->lhs, depth + 1);
    checkCondition(expr->rhs, depth + 1);
    return {};
  case ExprKind::Where:
    checkCondition(expr->condition, depth + 1);
    break;
  default:
    break;
  }

  IntRange a = checkNumber(expr->lhs, depth + 1), b;
  if (!detail::isUnary(kind))
    b = checkNumber(expr->rhs, depth + 1);
  if (!error.empty())
    return {};
  if (kind == ExprKind::Mod)
    for (const ExprRef &side : {expr->lhs, expr->rhs})
      if (side->type == ExprType::Float)
        return fail(fmt::format("expected integers beside '%', but got {}", typed(side)));
  bool isInteger = expr->type == ExprType::Integer;
  if (isBoolean(kind))
    isInteger = expr->lhs->type == ExprType::Integer && expr->rhs->type == ExprType::Integer;
  return isInteger ? checkInteger(expr, a, b) : IntRange();
}

/// In predicates and in indices the compiler takes the cases of minima and maxima apart, so what
/// is made of either side must fit, unless ranges exclude that side.
IntRange ExprChecker::rangeOf(const Expr &expr, IntRange a, IntRange b) const {
  if (expr.kind == ExprKind::Abs)
    b = {-a.hi, -a.lo};
  bool isExtremum =
      expr.kind == ExprKind::Min || expr.kind == ExprKind::Max || expr.kind == ExprKind::Abs;
  bool excludes = a.hi <= b.lo || b.hi <= a.lo;
  if ((isScore && !lookups) || !isExtremum || excludes)
    return detail::rangeOf(expr, a, b);
  return {std::min(a.lo, b.lo), std::max(a.hi, b.hi)};
}

IntRange ExprChecker::checkInteger(const ExprRef &expr, IntRange a, IntRange b) {
  ExprKind kind = expr->kind;
  if (kind == ExprKind::Div || kind == ExprKind::Mod) {
    std::optional<int64_t> divisor = detail::foldConstant(expr->rhs);
    if (!divisor || *divisor <= 0)
      return fail(fmt::format("expected the right side of '{}' to be a positive "
                              "constant, but got {}{}",
                              kind == ExprKind::Div ? '/' : '%',
                              divisor ? std::to_string(*divisor) : "'" + brief(expr->rhs) + "'",
                              isScore && kind == ExprKind::Div ? detail::realDivisionHint : ""));
    b = {*divisor, *divisor};
  }
  // Operands are within 62 bits, so that nothing overflows 128 bits. Comparisons are
  // decided by the sign of the difference.
  IntRange r = isBoolean(kind) ? IntRange{a.lo - b.hi, a.hi - b.lo} : rangeOf(*expr, a, b);
  r = bounded(expr, r);
  return isBoolean(kind) ? IntRange() : r;
}

IntRange ExprChecker::bounded(const ExprRef &expr, IntRange range) {
  constexpr Wide limit = Wide(1) << 62;
  if (range.lo >= -limit && range.hi <= limit)
    return range;
  return fail(fmt::format("expected index arithmetic to stay within 62 bits for "
                          "positions up to {}, but '{}' may not",
                          GIRIH_MAX_TOKENS, brief(expr)));
}

std::string detail::validatePredicate(const ExprRef &expr) {
  ExprChecker checker(/*isScore=*/false);
  checker.check(expr, 2);
  if (checker.error.empty() && !isBoolean(expr->kind))
    return fmt::format("expected a condition, but got {}", typed(expr));
  return checker.error;
}

std::string detail::validateScore(const ExprRef &expr) {
  ExprChecker checker(/*isScore=*/true);
  checker.check(expr, 2);
  if (checker.error.empty() && isBoolean(expr->kind))
    return fmt::format("expected a number as the score, but got {}", typed(expr));
  return checker.error;
}
