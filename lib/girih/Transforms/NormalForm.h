//===- NormalForm.h - Build patterns in normal form -------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the expansion of named patterns and of predicates share: piecewise index
// expressions and a builder of normal-form ops.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_TRANSFORMS_NORMALFORM_H
#define GIRIH_TRANSFORMS_NORMALFORM_H

#include "girih/Analysis/IndexForm.h"
#include "mlir/IR/Builders.h"

#include <map>
#include <vector>

namespace girih {

/// An integer expression with minima and maxima: sums and floor divisions move
/// inwards over them, so that a comparison is an and/or of affine constraints
/// that stay monotone, and intervals stay intervals.
class IndexTree {
public:
  enum Kind { Leaf, Min, Max };
  IndexTree(mlir::AffineExpr expr) : kind(Leaf), expr(expr) {}
  IndexTree(Kind kind, std::vector<IndexTree> children)
      : kind(kind), children(std::move(children)) {}

  /// The extrema; a side that bounds exclude is left out.
  static IndexTree min(IndexTree a, IndexTree b) { return extremum(Min, a, b); }
  static IndexTree max(IndexTree a, IndexTree b) { return extremum(Max, a, b); }

  IndexTree operator+(const IndexTree &other) const;
  IndexTree operator-(const IndexTree &other) const { return *this + other * -1; }
  IndexTree operator+(int64_t constant) const;
  IndexTree operator*(int64_t factor) const;
  IndexTree floorDiv(int64_t divisor) const;

  /// Number of affine leaves.
  size_t size() const;
  bool isLeaf() const { return kind == Leaf; }

  Kind kind;
  mlir::AffineExpr expr; ///< of a leaf
  std::vector<IndexTree> children;

private:
  static IndexTree extremum(Kind kind, const IndexTree &a, const IndexTree &b);
};

/// Builds normal-form ops at one place, folding constants on the way.
class NormalFormBuilder {
public:
  NormalFormBuilder(mlir::OpBuilder &builder, mlir::Location loc) : builder(builder), loc(loc) {}

  mlir::Value constant(bool value);
  /// expr >= 0, and expr == 0.
  mlir::Value atLeastZero(const IndexTree &tree);
  mlir::Value equalsZero(const IndexTree &tree);
  mlir::Value conjunction(llvm::ArrayRef<mlir::Value> patterns);
  mlir::Value disjunction(llvm::ArrayRef<mlir::Value> patterns);
  mlir::Value complement(mlir::Value pattern);
  /// `table[indices]` as the symbol of a term; equal terms are made once.
  mlir::AffineExpr lookup(mlir::Value table, llvm::ArrayRef<mlir::AffineExpr> indices);
  /// The tree as one expression: its minima and maxima become terms.
  mlir::AffineExpr flat(const IndexTree &tree);

  TermSymbols terms;

  mlir::OpBuilder &getBuilder() { return builder; }
  mlir::Location getLoc() const { return loc; }
  mlir::MLIRContext *getContext() { return builder.getContext(); }

private:
  mlir::Value where(Constraint constraint);
  mlir::Value combine(llvm::ArrayRef<mlir::Value> patterns, bool isUnion);
  /// Adds the symbol of a term that `make(map, named)` makes unless `known` has it: by what it
  /// is of and its expressions.
  template <typename Make>
  mlir::AffineExpr term(const void *of, llvm::ArrayRef<mlir::AffineExpr> exprs, Make make);

  mlir::OpBuilder &builder;
  mlir::Location loc;
  std::map<std::pair<const void *, std::vector<const void *>>, mlir::AffineExpr> known;
};

/// What the positions stand for: the identity at the top, blocks of tokens
/// inside girih.blockwise. One expression for each SetPosition.
struct Positions {
  llvm::SmallVector<mlir::AffineExpr> exprs;
  int64_t unit = 1; ///< tokens of a block

  static Positions identity(mlir::MLIRContext *context);
  /// The same in blocks of `size`; lengths are rounded up. None when the unit
  /// would not fit.
  std::optional<Positions> inBlocks(int64_t size) const;
  mlir::AffineExpr operator[](unsigned position) const { return exprs[position]; }
};

/// Reads the region of `op` as a pattern in normal form over `positions`. Emits
/// an error and returns null when it is not index arithmetic.
mlir::Value readPredicate(PredicateOp op, const Positions &positions, NormalFormBuilder &builder);

/// The lookups of a score region as terms, without repetition. Their indices must be index
/// arithmetic over its arguments; emits an error and fails otherwise.
mlir::LogicalResult readScore(mlir::Region &score, NormalFormBuilder &builder,
                              llvm::SmallVectorImpl<mlir::Value> &terms);

} // namespace girih

#endif // GIRIH_TRANSFORMS_NORMALFORM_H
