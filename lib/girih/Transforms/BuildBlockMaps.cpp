//===- BuildBlockMaps.cpp - A block map for every attention ---------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Analysis/ClosedForm.h"
#include "girih/Transforms/Passes.h"

using namespace mlir;

namespace girih {
#define GEN_PASS_DEF_BUILDBLOCKMAPS
#include "girih/Transforms/Passes.h.inc"
} // namespace girih

using namespace girih;

namespace {

/// Dimensions (b, h, q), symbols (nq, nk, n, segment bounds...): positions
/// without k, as #girih.range prints them.
class RangePrinter {
public:
  RangePrinter(MLIRContext *context, unsigned numTables) : context(context) {
    numSymbols = 3 + 2 * numTables;
    unsigned nextSymbol = 0;
    for (unsigned position = 0; position != NumPositions + 2 * numTables; ++position) {
      if (position < PosK)
        symbols.push_back(getAffineDimExpr(position, context));
      else if (position == PosK)
        symbols.push_back(getAffineConstantExpr(0, context));
      else
        symbols.push_back(getAffineSymbolExpr(nextSymbol++, context));
    }
  }

  RangeAttr print(const ClosedTerm &term) {
    SmallVector<AffineExpr> lower{getAffineConstantExpr(0, context)}, upper;
    for (AffineExpr expr : term.lower)
      lower.push_back(expr.replaceSymbols(symbols));
    for (AffineExpr expr : term.upper)
      upper.push_back(expr.replaceSymbols(symbols));
    upper.push_back(getAffineSymbolExpr(1, context) - 1); // k <= nk - 1
    IntegerSetAttr guard;
    if (!term.guards.empty()) {
      SmallVector<AffineExpr> exprs;
      SmallVector<bool> equalities;
      for (const Constraint &constraint : term.guards) {
        exprs.push_back(constraint.expr.replaceSymbols(symbols));
        equalities.push_back(constraint.isEquality);
      }
      guard = IntegerSetAttr::get(IntegerSet::get(3, numSymbols, exprs, equalities));
    }
    return RangeAttr::get(context, mapOf(lower), mapOf(upper), guard);
  }

private:
  AffineMapAttr mapOf(ArrayRef<AffineExpr> exprs) {
    return AffineMapAttr::get(AffineMap::get(3, numSymbols, exprs, context));
  }

  MLIRContext *context;
  unsigned numSymbols;
  SmallVector<AffineExpr> symbols;
};

/// Whether dimensions can stand for the positions of `expr`.
bool isPrintable(AffineExpr expr, const TermSymbols &symbols) {
  bool printable = true;
  expr.walk([&](AffineExpr e) {
    if (e.getKind() == AffineExprKind::Mul)
      printable &= isa<AffineConstantExpr>(cast<AffineBinaryOpExpr>(e).getRHS());
    else if (isa<AffineSymbolExpr>(e))
      printable &= !symbols.termOf(e);
  });
  return printable;
}

bool isPrintable(const ClosedTerm &term, const TermSymbols &symbols) {
  auto printable = [&](AffineExpr e) { return isPrintable(e, symbols); };
  return llvm::all_of(term.lower, printable) && llvm::all_of(term.upper, printable) &&
         llvm::all_of(term.guards, [&](const Constraint &c) { return printable(c.expr); });
}

struct BuildBlockMaps : girih::impl::BuildBlockMapsBase<BuildBlockMaps> {
  void runOnOperation() override {
    WalkResult result = getOperation().walk([&](AttentionOp op) {
      if (op.getMap())
        return WalkResult::advance();
      if (!op.getTile()) {
        op.emitOpError("expected a tile; run girih-choose-tiling first");
        return WalkResult::interrupt();
      }
      OpBuilder builder(op);
      Value pattern = op.getPattern();
      Provider provider = Provider::Table;
      ArrayAttr ranges;
      TermSymbols symbols;
      if (pattern.getDefiningOp<BlockTableOp>()) {
        provider = Provider::Csr;
      } else if (auto terms = solveClosedForm(pattern, PosK, symbols);
                 terms && !terms->empty() && llvm::all_of(*terms, [&](const ClosedTerm &t) {
                   return isPrintable(t, symbols);
                 })) {
        provider = Provider::Ranges;
        RangePrinter printer(&getContext(), collectTables(pattern).size());
        SmallVector<Attribute> printed;
        for (const ClosedTerm &term : *terms)
          printed.push_back(printer.print(term));
        ranges = builder.getArrayAttr(printed);
      }
      auto map = BlockMapOp::create(builder, op.getLoc(), builder.getType<BlockMapType>(), pattern,
                                    builder.getDenseI64ArrayAttr(*op.getTile()),
                                    ProviderAttr::get(&getContext(), provider), ranges,
                                    /*qView=*/AffineMapAttr(), /*kView=*/AffineMapAttr());
      op.getMapMutable().assign(map);
      return WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }
};

} // namespace
