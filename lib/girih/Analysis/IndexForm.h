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

#include "mlir/IR/Builders.h"

namespace girih {

/// The symbol of a position.
mlir::AffineExpr positionExpr(mlir::MLIRContext *context, unsigned position);

/// One constraint of a conjunction: expr >= 0, or expr == 0.
struct Constraint {
  mlir::AffineExpr expr;
  bool isEquality;
};

/// Terms as symbols of affine expressions, numbered behind those of positions and of
/// segments. The number of a symbol says which positions its term reads, so that the
/// functions below need no more than the expression. Expressions of one object of this
/// class belong together.
class TermSymbols {
public:
  mlir::AffineExpr symbolOf(mlir::Value term);
  /// The term of a symbol; null for a position or the bound of a segment.
  mlir::Value termOf(mlir::AffineExpr symbol) const;

private:
  llvm::DenseMap<mlir::Value, unsigned> symbols;
  llvm::SmallVector<mlir::Value> terms;
};

/// Makes a girih.where for these constraints (over symbols).
WhereOp makeWhere(mlir::OpBuilder &builder, mlir::Location loc,
                  llvm::ArrayRef<Constraint> constraints, TermSymbols &terms);

/// The constraints of a girih.where over symbols.
llvm::SmallVector<Constraint> whereConstraints(WhereOp where, TermSymbols &terms);

/// A map of girih.term_lookup or girih.term_extremum for these expressions (over
/// symbols), and the terms that it names.
mlir::AffineMap makeTermMap(mlir::MLIRContext *context, llvm::ArrayRef<mlir::AffineExpr> exprs,
                            TermSymbols &terms, llvm::SmallVectorImpl<mlir::Value> &named);

/// The expressions of the map of a term over symbols.
llvm::SmallVector<mlir::AffineExpr> termExprs(mlir::Operation *term, TermSymbols &terms);

/// Whether `expr` reads the position, itself or by a term. Terms are known for b, h, q and k.
bool reads(mlir::AffineExpr expr, unsigned position);

/// Inclusive bounds of an expression.
struct ExprBounds {
  __int128 lower, upper;
};

/// Largest magnitude for which boundsOf succeeds.
inline constexpr __int128 maxIndexMagnitude = static_cast<__int128>(1) << 62;

/// Bounds of `expr` and, in `magnitude`, the largest absolute value of it and of
/// every subexpression, over positions within GIRIH_MAX_TOKENS and heads and
/// batches within GIRIH_MAX_HEADS; terms are taken for 32-bit integers. None when a value may
/// exceed maxIndexMagnitude.
std::optional<ExprBounds> boundsOf(mlir::AffineExpr expr, __int128 *magnitude = nullptr);

/// Two sides that compare as `expr` does with 0. A term stands alone on its side: the
/// difference of two 32-bit integers would need 64 bits.
struct Sides {
  mlir::AffineExpr lhs, rhs;
};
Sides sidesOf(mlir::AffineExpr expr);

/// Whether integers up to `limit` hold `expr` and every subexpression, or 32 bits a term that
/// it is.
bool fitsWithin(mlir::AffineExpr expr, int64_t limit);

/// The terms that a pattern in normal form reads, each behind those that it reads itself.
llvm::SmallVector<mlir::Operation *> collectTerms(mlir::Value pattern);

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
