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
ExprRef makeVariable(Var var);
ExprRef makeTruth(bool value);

/// An operation. The negation of a constant is a constant, and a constant
/// divisor is a single constant, as in what the printer writes.
ExprRef makeExpr(ExprKind kind, ExprRef lhs, ExprRef rhs = nullptr);

/// `@table[indices]`.
ExprRef makeLookup(TableRef table, std::vector<ExprRef> indices);

/// The value of an expression without variables; none if it has some, divides
/// by something not positive, leaves int64, or is unreasonably large.
std::optional<int64_t> foldConstant(const ExprRef &expr);

/// Checks the values of this node alone, its predicate included, not its
/// children. Returns an empty string, or what is wrong.
std::string validateNode(const PatternNode &node);

/// Checks operand types, divisors, depth and ranges of a predicate.
std::string validatePredicate(const ExprRef &expr);

/// The expression in the predicate language, without braces.
std::string printExpr(const ExprRef &expr);

/// `@file` as the language writes it, quoted where it must be.
std::string printFile(const std::string &file);

} // namespace girih::detail

#endif // GIRIH_FRONTEND_PATTERNDETAIL_H
