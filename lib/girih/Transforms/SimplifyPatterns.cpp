//===- SimplifyPatterns.cpp - Canonicalise and push complements down ------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Analysis/IndexForm.h"
#include "girih/Transforms/Passes.h"

#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace girih {
#define GEN_PASS_DEF_SIMPLIFYPATTERNS
#include "girih/Transforms/Passes.h.inc"
} // namespace girih

using namespace girih;

namespace {

/// not (a or b) = not a and not b, and the other way round.
struct ComplementOfCombination : OpRewritePattern<ComplementOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ComplementOp op, PatternRewriter &rewriter) const override {
    Operation *inner = op.getPattern().getDefiningOp();
    if (!isa_and_nonnull<UnionOp, IntersectOp>(inner))
      return rewriter.notifyMatchFailure(op, "complements neither a union nor an intersection");
    SmallVector<Value> parts;
    for (Value operand : inner->getOperands())
      parts.push_back(ComplementOp::create(rewriter, op.getLoc(), operand));
    if (isa<UnionOp>(inner))
      rewriter.replaceOpWithNewOp<IntersectOp>(op, parts);
    else
      rewriter.replaceOpWithNewOp<UnionOp>(op, parts);
    return success();
  }
};

/// not (e >= 0) = (-e - 1 >= 0); not (e == 0) = (e - 1 >= 0) or (-e - 1 >= 0).
struct ComplementOfWhere : OpRewritePattern<ComplementOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ComplementOp op, PatternRewriter &rewriter) const override {
    auto where = op.getPattern().getDefiningOp<WhereOp>();
    if (!where)
      return rewriter.notifyMatchFailure(op, "does not complement a set");
    TermSymbols terms;
    SmallVector<Constraint> constraints = whereConstraints(where, terms);
    if (constraints.size() > maxConstraints)
      return rewriter.notifyMatchFailure(op, "the complement of a large set would grow");
    SmallVector<Value> parts;
    auto add = [&](AffineExpr expr) {
      parts.push_back(makeWhere(rewriter, op.getLoc(), Constraint{expr, false}, terms));
    };
    for (const Constraint &constraint : constraints) {
      add(-constraint.expr - 1);
      if (constraint.isEquality)
        add(constraint.expr - 1);
    }
    rewriter.replaceOpWithNewOp<UnionOp>(op, parts);
    return success();
  }

  static constexpr size_t maxConstraints = 8;
};

struct SimplifyPatterns : girih::impl::SimplifyPatternsBase<SimplifyPatterns> {
  void runOnOperation() override {
    RewritePatternSet patterns(&getContext());
    patterns.add<ComplementOfCombination, ComplementOfWhere>(&getContext());
    for (RegisteredOperationName op : getContext().getRegisteredOperations())
      if (isa<GirihDialect>(op.getDialect()))
        op.getCanonicalizationPatterns(patterns, &getContext());
    FrozenRewritePatternSet frozen(std::move(patterns));
    simplifyInOrder(frozen);
    if (failed(applyPatternsGreedily(getOperation(), frozen)))
      signalPassFailure();
  }

  /// Each op once, behind its operands. The driver alone would look at all of a union again
  /// whenever one of its operands has changed.
  void simplifyInOrder(const FrozenRewritePatternSet &patterns) {
    SmallVector<Operation *> ops;
    getOperation().walk([&](Operation *op) {
      if (op->getNumResults() == 1 && isa<PatternType>(op->getResult(0).getType()))
        ops.push_back(op);
    });
    // What a rewrite makes is simplified with it; what it leaves without uses stays for the end.
    GreedyRewriteConfig config;
    config.setStrictness(GreedyRewriteStrictness::ExistingAndNewOps);
    for (Operation *op : ops)
      (void)applyOpPatternsGreedily(op, patterns, config);
  }
};

} // namespace
