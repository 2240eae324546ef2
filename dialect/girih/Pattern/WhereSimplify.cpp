//===- WhereSimplify.cpp - Which affine sets hold no pair -----------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Asks MLIR's Presburger library whether the set of a girih.where is empty. The
// answer is exact, or the question is not asked.
//
//===----------------------------------------------------------------------===//

#include "girih/Pattern/Girih.h"

#include "mlir/Dialect/Affine/Analysis/AffineStructures.h"
#include "mlir/IR/PatternMatch.h"

using namespace mlir;
using namespace girih;

// Beyond these the search for an integer point may take long, so it isn't begun.
static constexpr unsigned maxConstraints = 48;
static constexpr unsigned maxDivisions = 8;
// Flattening counts in int64 and does not look for overflow.
static constexpr double maxCoefficient = double(int64_t(1) << 60);

// An upper bound of every coefficient that flattening `expr` makes; counts the
// divisions, each of which becomes a variable.
static double boundCoefficients(AffineExpr expr, unsigned &divisions) {
  if (auto constant = dyn_cast<AffineConstantExpr>(expr))
    return std::abs(double(constant.getValue()));
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return 1;
  double lhs = boundCoefficients(binary.getLHS(), divisions);
  double rhs = boundCoefficients(binary.getRHS(), divisions);
  if (expr.getKind() == AffineExprKind::Mul)
    return lhs * rhs;
  if (expr.getKind() != AffineExprKind::Add)
    ++divisions;
  return lhs + rhs;
}

// Whether no pair of any launch lies in `set`; false when that isn't known.
static bool isProvablyEmpty(IntegerSet set) {
  if (set.getNumConstraints() > maxConstraints)
    return false;
  unsigned divisions = 0;
  for (AffineExpr constraint : set.getConstraints())
    if (!constraint.isPureAffine() || boundCoefficients(constraint, divisions) > maxCoefficient)
      return false;
  if (divisions > maxDivisions)
    return false;
  affine::FlatAffineValueConstraints constraints(set);
  // What holds for every pair of a launch, in tokens as in blocks of tokens.
  auto addFact = [&](std::initializer_list<std::pair<unsigned, int64_t>> terms, int64_t constant) {
    SmallVector<int64_t> row(constraints.getNumCols(), 0);
    for (auto [position, coefficient] : terms)
      row[position] = coefficient;
    row.back() = constant;
    constraints.addInequality(row);
  };
  addFact({{PosB, 1}}, 0);
  addFact({{PosH, 1}}, 0);
  addFact({{PosK, 1}}, 0);
  addFact({{PosNk, 1}, {PosK, -1}}, -1);
  addFact({{PosNq, 1}}, -1);
  addFact({{PosEnd, 1}, {PosQ, -1}}, -1);
  return constraints.isIntegerEmpty();
}

// Drops constraints that always hold or that stand there twice, then asks
// whether any pair is left.
LogicalResult WhereOp::canonicalize(WhereOp op, PatternRewriter &rewriter) {
  IntegerSet set = op.getSet();
  SmallVector<AffineExpr> constraints;
  SmallVector<bool> equalities;
  llvm::DenseSet<std::pair<AffineExpr, int>> seen;
  for (unsigned i = 0, e = set.getNumConstraints(); i < e; ++i) {
    AffineExpr constraint = set.getConstraint(i);
    if (isa<AffineConstantExpr>(constraint) || !seen.insert({constraint, int(set.isEq(i))}).second)
      continue;
    constraints.push_back(constraint);
    equalities.push_back(set.isEq(i));
  }
  // A set of constants alone is the fold's business.
  if (constraints.empty())
    return rewriter.notifyMatchFailure(op, "the set is constant");
  IntegerSet smaller =
      IntegerSet::get(set.getNumDims(), set.getNumSymbols(), constraints, equalities);
  if (isProvablyEmpty(smaller)) {
    rewriter.replaceOpWithNewOp<EmptyOp>(op);
    return success();
  }
  if (smaller == set)
    return rewriter.notifyMatchFailure(op, "every constraint counts");
  rewriter.modifyOpInPlace(op, [&] { op.setSet(smaller); });
  return success();
}
