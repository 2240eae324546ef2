//===- IndexForm.h - Questions about index expressions ----------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Constraints of the normal form are AffineExprs over seven positions (see
// SetPosition). Inside the compiler all seven are symbols, because a product of
// two symbols can be said and a product of two dimensions cannot; girih.where
// shows them as dimensions and symbols whenever no product needs otherwise.
// Symbols from NumPositions on stand for the segment that holds the query (the
// key, in reverse terms): 2 t begin, 2 t + 1 end of the segment in table t.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_ANALYSIS_INDEXFORM_H
#define GIRIH_ANALYSIS_INDEXFORM_H

#include "girih/Pattern/Girih.h"

namespace girih {

/// The symbol of a position.
mlir::AffineExpr positionExpr(mlir::MLIRContext *context, unsigned position);

/// One constraint of a conjunction: expr >= 0, or expr == 0.
struct Constraint {
  mlir::AffineExpr expr;
  bool isEquality;
};

/// The set of a girih.where for these constraints (over symbols).
mlir::IntegerSet makeWhereSet(mlir::MLIRContext *context, llvm::ArrayRef<Constraint> constraints);

/// The constraints of a girih.where over symbols.
llvm::SmallVector<Constraint> whereConstraints(mlir::IntegerSet set);

/// Whether `expr` reads the position.
bool reads(mlir::AffineExpr expr, unsigned position);

/// Inclusive bounds of an expression.
struct ExprBounds {
  __int128 lower, upper;
};

/// Largest magnitude for which boundsOf succeeds.
inline constexpr __int128 maxIndexMagnitude = static_cast<__int128>(1) << 62;

/// Bounds of `expr` and, in `magnitude`, the largest absolute value of it and of
/// every subexpression, over positions within GIRIH_MAX_TOKENS and heads and
/// batches within GIRIH_MAX_HEADS. None when a value may exceed maxIndexMagnitude.
std::optional<ExprBounds> boundsOf(mlir::AffineExpr expr, __int128 *magnitude = nullptr);

/// How an expression moves when one position grows.
enum class Direction { Constant, Increasing, Decreasing, Unknown };
Direction directionIn(mlir::AffineExpr expr, unsigned position);

/// One addend of a sum: coefficient times a variable, floordiv, mod or product.
struct Addend {
  int64_t coefficient;
  mlir::AffineExpr atom; ///< null: the constant
};
/// Splits `expr` into addends with distinct atoms.
llvm::SmallVector<Addend> addendsOf(mlir::AffineExpr expr);

} // namespace girih

#endif // GIRIH_ANALYSIS_INDEXFORM_H
