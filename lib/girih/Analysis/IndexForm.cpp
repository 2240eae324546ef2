//===- IndexForm.cpp - Questions about index expressions ------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Analysis/IndexForm.h"

#include "girih-c/BlockMap.h"

#include <algorithm>

using namespace mlir;
using namespace girih;

AffineExpr girih::positionExpr(MLIRContext *context, unsigned position) {
  return getAffineSymbolExpr(position, context);
}

/// Whether every product has a constant factor.
static bool isAffine(AffineExpr expr) {
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return true;
  if (binary.getKind() == AffineExprKind::Mul && !isa<AffineConstantExpr>(binary.getLHS()) &&
      !isa<AffineConstantExpr>(binary.getRHS()))
    return false;
  return isAffine(binary.getLHS()) && isAffine(binary.getRHS());
}

IntegerSet girih::makeWhereSet(MLIRContext *context, ArrayRef<Constraint> constraints) {
  bool affine = llvm::all_of(constraints, [](const Constraint &c) { return isAffine(c.expr); });
  SmallVector<AffineExpr> exprs, symbols;
  SmallVector<bool> equalities;
  for (unsigned i = 0; i != NumPositions; ++i)
    symbols.push_back(i < numSetDims ? getAffineDimExpr(i, context)
                                     : getAffineSymbolExpr(i - numSetDims, context));
  for (const Constraint &constraint : constraints) {
    exprs.push_back(affine ? constraint.expr.replaceSymbols(symbols) : constraint.expr);
    equalities.push_back(constraint.isEquality);
  }
  return affine ? IntegerSet::get(numSetDims, numSetSymbols, exprs, equalities)
                : IntegerSet::get(0, NumPositions, exprs, equalities);
}

SmallVector<Constraint> girih::whereConstraints(IntegerSet set) {
  SmallVector<Constraint> constraints;
  SmallVector<AffineExpr> dims, symbols;
  MLIRContext *context = set.getConstraints()[0].getContext();
  for (unsigned i = 0; i != set.getNumDims(); ++i)
    dims.push_back(positionExpr(context, i));
  for (unsigned i = 0; i != set.getNumSymbols(); ++i)
    symbols.push_back(positionExpr(context, set.getNumDims() + i));
  for (auto [expr, equality] : llvm::zip(set.getConstraints(), set.getEqFlags()))
    constraints.push_back({expr.replaceDimsAndSymbols(dims, symbols), equality});
  return constraints;
}

bool girih::reads(AffineExpr expr, unsigned position) { return expr.isFunctionOfSymbol(position); }

static int64_t constantOf(AffineExpr expr) { return cast<AffineConstantExpr>(expr).getValue(); }

static __int128 floorDiv(__int128 a, __int128 b) { return a / b - (a % b != 0 && a < 0); }

static std::optional<ExprBounds> boundsImpl(AffineExpr expr, __int128 &magnitude) {
  constexpr __int128 tokens = GIRIH_MAX_TOKENS, heads = GIRIH_MAX_HEADS;
  ExprBounds result{};
  switch (expr.getKind()) {
  case AffineExprKind::Constant:
    result = {constantOf(expr), constantOf(expr)};
    break;
  case AffineExprKind::DimId:
    return std::nullopt;
  case AffineExprKind::SymbolId: {
    unsigned position = cast<AffineSymbolExpr>(expr).getPosition();
    if (position == PosB || position == PosH)
      result = {0, heads};
    else if (position == PosQ || position >= NumPositions)
      result = {-tokens, tokens};
    else
      result = {0, tokens};
    break;
  }
  default: {
    auto binary = cast<AffineBinaryOpExpr>(expr);
    auto a = boundsImpl(binary.getLHS(), magnitude), b = boundsImpl(binary.getRHS(), magnitude);
    if (!a || !b)
      return std::nullopt;
    switch (expr.getKind()) {
    case AffineExprKind::Add:
      result = {a->lower + b->lower, a->upper + b->upper};
      break;
    case AffineExprKind::Mul: {
      __int128 products[] = {a->lower * b->lower, a->lower * b->upper, a->upper * b->lower,
                             a->upper * b->upper};
      result = {*std::min_element(products, products + 4),
                *std::max_element(products, products + 4)};
      break;
    }
    case AffineExprKind::FloorDiv:
      result = {floorDiv(a->lower, b->lower), floorDiv(a->upper, b->lower)};
      break;
    case AffineExprKind::CeilDiv:
      result = {-floorDiv(-a->lower, b->lower), -floorDiv(-a->upper, b->lower)};
      break;
    default:
      result = {0, b->lower - 1};
      break;
    }
  }
  }
  if (result.lower < -maxIndexMagnitude || result.upper > maxIndexMagnitude)
    return std::nullopt;
  magnitude = std::max({magnitude, -result.lower, result.upper});
  return result;
}

std::optional<ExprBounds> girih::boundsOf(AffineExpr expr, __int128 *magnitude) {
  __int128 largest = 0;
  auto bounds = boundsImpl(expr, largest);
  if (magnitude)
    *magnitude = largest;
  return bounds;
}

static Direction flip(Direction direction) {
  if (direction == Direction::Increasing)
    return Direction::Decreasing;
  return direction == Direction::Decreasing ? Direction::Increasing : direction;
}

Direction girih::directionIn(AffineExpr expr, unsigned position) {
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr)) {
    // Segment bounds never decrease along the tokens.
    return symbol.getPosition() == position || symbol.getPosition() >= NumPositions
               ? Direction::Increasing
               : Direction::Constant;
  }
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return Direction::Constant;
  Direction lhs = directionIn(binary.getLHS(), position);
  Direction rhs = directionIn(binary.getRHS(), position);
  if (lhs == Direction::Constant && rhs == Direction::Constant)
    return Direction::Constant;
  switch (expr.getKind()) {
  case AffineExprKind::Add:
    if (lhs == Direction::Constant || lhs == rhs)
      return rhs;
    return rhs == Direction::Constant ? lhs : Direction::Unknown;
  case AffineExprKind::Mul:
    if (auto constant = dyn_cast<AffineConstantExpr>(binary.getRHS()))
      return constant.getValue() >= 0 ? lhs : flip(lhs);
    return Direction::Unknown;
  case AffineExprKind::FloorDiv:
  case AffineExprKind::CeilDiv:
    return lhs; // by a positive constant
  default:
    return Direction::Unknown;
  }
}

static void addAddends(AffineExpr expr, int64_t factor, SmallVectorImpl<Addend> &addends) {
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (expr.getKind() == AffineExprKind::Add) {
    addAddends(binary.getLHS(), factor, addends);
    addAddends(binary.getRHS(), factor, addends);
    return;
  }
  if (expr.getKind() == AffineExprKind::Mul) {
    if (auto constant = dyn_cast<AffineConstantExpr>(binary.getRHS())) {
      addAddends(binary.getLHS(), factor * constant.getValue(), addends);
      return;
    }
  }
  AffineExpr atom = expr;
  int64_t coefficient = factor;
  if (auto constant = dyn_cast<AffineConstantExpr>(expr)) {
    atom = AffineExpr();
    coefficient = factor * constant.getValue();
  }
  for (Addend &addend : addends) {
    if (addend.atom == atom) {
      addend.coefficient += coefficient;
      return;
    }
  }
  addends.push_back({coefficient, atom});
}

SmallVector<Addend> girih::addendsOf(AffineExpr expr) {
  SmallVector<Addend> addends;
  addAddends(expr, 1, addends);
  llvm::erase_if(addends, [](const Addend &a) { return a.coefficient == 0; });
  return addends;
}
