//===- ExpandVectorMath.cpp - Polynomials for vector math -----------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Conversion/Passes.h"

#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace girih {
#define GEN_PASS_DEF_EXPANDVECTORMATH
#include "girih/Conversion/Passes.h.inc"
} // namespace girih

namespace {

struct ExpandVectorMath : girih::impl::ExpandVectorMathBase<ExpandVectorMath> {
  void runOnOperation() override {
    SmallVector<Operation *> ops;
    getOperation().walk([&](Operation *op) {
      bool isVector = op->getNumResults() == 1 && isa<VectorType>(op->getResult(0).getType());
      if (isVector && isa<math::MathDialect>(*op->getDialect()) &&
          !isa<math::RoundEvenOp, math::FmaOp, math::AbsFOp, math::SqrtOp, math::FloorOp,
               math::CeilOp>(op))
        ops.push_back(op);
    });
    if (ops.empty())
      return;
    RewritePatternSet patterns(&getContext());
    populateMathPolynomialApproximationPatterns(patterns, MathPolynomialApproximationOptions{});
    if (failed(applyOpPatternsGreedily(ops, std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
