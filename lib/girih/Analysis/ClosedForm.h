//===- ClosedForm.h - Key ranges of a query in closed form ------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Solves a pattern in normal form for the key: when it is a union of few
// conjunctions whose atoms each bound k by something monotone in q, the keys of
// a query are a few intervals, and so are the tiles of a q-tile (provider ranges
// of girih.block_map).
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_ANALYSIS_CLOSEDFORM_H
#define GIRIH_ANALYSIS_CLOSEDFORM_H

#include "girih/Analysis/IndexForm.h"

namespace girih {

/// One conjunctive term: guards hold, and max(lower) <= x <= min(upper), x the
/// solved position. No expression reads x.
struct ClosedTerm {
  llvm::SmallVector<Constraint> guards;
  llvm::SmallVector<mlir::AffineExpr> lower, upper;
};

/// Most terms that a closed form has; beyond, bisection is cheaper.
inline constexpr unsigned maxClosedTerms = 8;

/// The terms of `pattern` (in normal form) solved for `solved`, which is PosK or
/// PosQ; the other one is where bounds are monotone. None when some atom cannot
/// be solved, or there are more than maxClosedTerms terms. An empty list means
/// that the pattern keeps nothing.
std::optional<llvm::SmallVector<ClosedTerm>>
solveClosedForm(mlir::Value pattern, SetPosition solved, TermSymbols &terms);

/// Table ops that `pattern` reads. Map programs number them in this order behind the arrays
/// of `lookupTables`.
llvm::SmallVector<mlir::Operation *> collectTables(mlir::Value pattern);

/// Arrays that lookups in a function may read, in the order that map programs number them:
/// its arguments behind q, k, v and scale that are tensors of i32 or f32.
llvm::SmallVector<mlir::BlockArgument> lookupTables(mlir::Block &function);

/// The number of `table` in the map program; none when it is not one of `lookupTables`.
std::optional<unsigned> lookupTableIndex(mlir::Value table);

/// Arguments of a function from this one on are run-time operands; before it come
/// q, k, v and scale.
inline constexpr unsigned firstOperandArgument = 4;

} // namespace girih

#endif // GIRIH_ANALYSIS_CLOSEDFORM_H
