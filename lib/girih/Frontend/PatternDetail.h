//===- PatternDetail.h - Making and checking single nodes -------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the builder and the parser share so that both make the same tree for the
// same expression: node constructors, constant folding, and the checks of one
// node, which the parser runs at every call to point at it.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_FRONTEND_PATTERNDETAIL_H
#define GIRIH_FRONTEND_PATTERNDETAIL_H

#include "girih/Frontend/Pattern.h"

namespace girih::detail {

/// A fresh node of `kind` whose fields the caller fills.
std::shared_ptr<PatternNode> makeNode(PatternKind kind);

/// The name of `kind` in the language; operators give "union" and the like.
const char *kindName(PatternKind kind);

ExprRef makeConstant(int64_t value);
ExprRef makeLiteral(float value);
ExprRef makeVariable(Var var);
ExprRef makeScoreVariable();
ExprRef makeTruth(bool value);

/// An operation. The negation of a constant is a constant, a constant divisor of
/// integers is a single constant, as in what the printer writes, and a float is
/// not made one again.
ExprRef makeExpr(ExprKind kind, ExprRef lhs, ExprRef rhs = nullptr);
ExprRef makeWhere(ExprRef condition, ExprRef lhs, ExprRef rhs);

bool equalExprs(const Expr *a, const Expr *b);

/// Whether a number or a condition of this kind has a `lhs` alone.
bool isUnary(ExprKind kind);

/// What calls a node of this kind, such as "min"; null for operators and leaves.
const char *functionName(ExprKind kind);

/// "integer", "float" or "condition".
const char *typeName(ExprType type);

/// What a message about a divisor of integers that is no constant adds in scores.
inline constexpr const char *realDivisionHint = "; float(...) of either side divides as floats do";

/// `@table[indices]`.
ExprRef makeLookup(TableRef table, std::vector<ExprRef> indices);

/// The value of an expression without variables; none if it has some, divides
/// by something not positive, leaves int64, or is unreasonably large.
std::optional<int64_t> foldConstant(const ExprRef &expr);

/// Checks the values of this node alone, its predicate included, not its
/// children. Returns an empty string, or what is wrong.
std::string validateNode(const PatternNode &node);

/// What an integer expression may be worth, for all lengths, heads and batches.
/// Holds sums and products of two 64-bit integers.
struct IntRange {
  __int128 lo = 0, hi = 0;
};

/// The range of an integer node whose operands have ranges `a` and `b`.
IntRange rangeOf(const Expr &expr, IntRange a, IntRange b);

/// Checks operand types, divisors, depth and ranges of a predicate.
std::string validatePredicate(const ExprRef &expr);

/// The same of a score, which is a number.
std::string validateScore(const ExprRef &expr);

/// The expression in the language of predicates and scores, without braces.
std::string printExpr(const ExprRef &expr);

/// `@file` as the language writes it, quoted where it must be.
std::string printFile(const std::string &file);

} // namespace girih::detail

#endif // GIRIH_FRONTEND_PATTERNDETAIL_H
