//===- MaskCost.cpp - What it takes to evaluate a pattern on a pair -------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Analysis/MaskCost.h"

#include "girih/Analysis/ClosedForm.h"
#include "girih/Analysis/IndexForm.h"
#include "girih/Pattern/Girih.h"

using namespace mlir;
using namespace girih;

/// Whether a constraint is one bound on the key.
static bool isLinearInKey(AffineExpr expr) {
  for (const Addend &addend : addendsOf(expr)) {
    if (!addend.atom || !reads(addend.atom, PosK))
      continue;
    auto symbol = dyn_cast<AffineSymbolExpr>(addend.atom);
    if (!symbol || symbol.getPosition() != PosK || std::abs(addend.coefficient) != 1)
      return false;
  }
  return true;
}

static void add(Value pattern, TermSymbols &terms, MaskCost &cost) {
  Operation *op = pattern.getDefiningOp();
  if (isa<SegmentsOp>(op)) {
    ++cost.linear; // a first key and a length for each query
  } else if (isa<BlockTableOp, RandomBlocksOp>(op)) {
    ++cost.tables;
  } else if (auto where = dyn_cast<WhereOp>(op)) {
    for (const Constraint &constraint : whereConstraints(where, terms))
      ++(isLinearInKey(constraint.expr) ? cost.linear : cost.others);
  }
  for (Value operand : op->getOperands())
    if (isa<PatternType>(operand.getType()))
      add(operand, terms, cost);
}

MaskCost girih::maskCost(Value pattern) {
  MaskCost cost;
  TermSymbols terms;
  add(pattern, terms, cost);
  return cost;
}
