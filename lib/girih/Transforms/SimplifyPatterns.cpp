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
    patterns.add<ComplementOfWhere>(&getContext());
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
    for (Operation *op : ops)
      simplify(op, patterns);
  }

  /// One op whose operands are simple.
  static void simplify(Operation *op, const FrozenRewritePatternSet &patterns) {
    if (Operation *combination = complementedCombination(op)) {
      SmallVector<Operation *> parts;
      op = pushComplement(op, combination, parts);
      for (Operation *part : parts)
        simplify(part, patterns);
    }
    // What a rewrite makes is simplified with it; what it leaves without uses stays for the end.
    GreedyRewriteConfig config;
    config.setStrictness(GreedyRewriteStrictness::ExistingAndNewOps);
    (void)applyOpPatternsGreedily(op, patterns, config);
  }

  /// The union or intersection whose complement `op` is, or null.
  static Operation *complementedCombination(Operation *op) {
    Value inner;
    if (auto complement = dyn_cast<ComplementOp>(op))
      inner = complement.getPattern();
    else if (auto subtract = dyn_cast<SubtractOp>(op);
             subtract && subtract.getLhs().getDefiningOp<FullOp>())
      inner = subtract.getRhs();
    Operation *combination = inner ? inner.getDefiningOp() : nullptr;
    return isa_and_nonnull<UnionOp, IntersectOp>(combination) ? combination : nullptr;
  }

  /// not (a or b) = not a and not b, and the other way round: replaces `op`, the complement
  /// of `combination`, by what is returned, a combination of the complements `parts`. As a
  /// rewrite of the driver it would have all of that looked at again for each part.
  static Operation *pushComplement(Operation *op, Operation *combination,
                                   SmallVectorImpl<Operation *> &parts) {
    OpBuilder builder(op);
    SmallVector<Value> values;
    for (Value operand : combination->getOperands()) {
      values.push_back(ComplementOp::create(builder, op->getLoc(), operand));
      parts.push_back(values.back().getDefiningOp());
    }
    Operation *pushed = nullptr;
    if (isa<UnionOp>(combination))
      pushed = IntersectOp::create(builder, op->getLoc(), values);
    else
      pushed = UnionOp::create(builder, op->getLoc(), values);
    op->replaceAllUsesWith(pushed);
    op->erase();
    return pushed;
  }
};

} // namespace
