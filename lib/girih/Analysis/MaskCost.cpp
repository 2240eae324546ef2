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

static void add(Value pattern, MaskCost &cost) {
  Operation *op = pattern.getDefiningOp();
  if (isa<SegmentsOp>(op)) {
    ++cost.linear; // a first key and a length for each query
  } else if (isa<BlockTableOp, RandomBlocksOp>(op)) {
    ++cost.tables;
  } else if (auto where = dyn_cast<WhereOp>(op)) {
    for (const Constraint &constraint : whereConstraints(where.getSet())) {
      bool isLinear = true;
      for (const Addend &addend : addendsOf(constraint.expr))
        if (addend.atom && reads(addend.atom, PosK))
          isLinear &= isa<AffineSymbolExpr>(addend.atom) && std::abs(addend.coefficient) == 1;
      ++(isLinear ? cost.linear : cost.others);
    }
  }
  for (Value operand : op->getOperands())
    if (isa<PatternType>(operand.getType()))
      add(operand, cost);
}

MaskCost girih::maskCost(Value pattern) {
  MaskCost cost;
  add(pattern, cost);
  return cost;
}
