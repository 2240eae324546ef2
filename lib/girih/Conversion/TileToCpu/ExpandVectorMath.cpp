//===- ExpandVectorMath.cpp - Polynomials for vector math -----------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Conversion/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace girih {
#define GEN_PASS_DEF_EXPANDVECTORMATH
#include "girih/Conversion/Passes.h.inc"
} // namespace girih

namespace {

/// 2^x = 2^n * 2^f, n = round(x), |f| <= 1/2; 2^f by the polynomial of degree 5
/// through the six Chebyshev nodes, relative error 2.7e-7 with f32 rounding. 0
/// far below the smallest number, infinity above the largest, NaN stays NaN.
struct ExpandExp2 : OpRewritePattern<math::Exp2Op> {
  ExpandExp2(MLIRContext *context, bool avx512)
      : OpRewritePattern<math::Exp2Op>(context), avx512(avx512) {}

  LogicalResult matchAndRewrite(math::Exp2Op op, PatternRewriter &rewriter) const override {
    auto type = dyn_cast<VectorType>(op.getType());
    if (!type || !type.getElementType().isF32() || type.isScalable())
      return rewriter.notifyMatchFailure(op, "is not on a vector of f32");
    Location loc = op.getLoc();
    auto constant = [&](float value) -> Value {
      return arith::ConstantOp::create(rewriter, loc, DenseElementsAttr::get(type, value));
    };
    bool scales = avx512 && type.getShape() == ArrayRef<int64_t>{16};
    // vscalef rounds to zero by itself; adding to the exponent needs one to stay.
    Value low = constant(scales ? -160 : -126), high = constant(128);
    Value x = op.getOperand();
    Value isLow = arith::CmpFOp::create(rewriter, loc, arith::CmpFPredicate::OLT, x, low);
    Value clamped = arith::SelectOp::create(rewriter, loc, isLow, low, x);
    Value isHigh = arith::CmpFOp::create(rewriter, loc, arith::CmpFPredicate::OGT, clamped, high);
    clamped = arith::SelectOp::create(rewriter, loc, isHigh, high, clamped);
    Value n = math::RoundEvenOp::create(rewriter, loc, clamped);
    Value f = arith::SubFOp::create(rewriter, loc, clamped, n);
    static constexpr float coefficients[] = {1.339086331e-03f, 9.676031768e-03f, 5.550356954e-02f,
                                             2.402210683e-01f, 6.931471825e-01f, 1.0f};
    Value p = constant(coefficients[0]);
    for (float coefficient : ArrayRef(coefficients).drop_front())
      p = vector::FMAOp::create(rewriter, loc, p, f, constant(coefficient));
    if (scales) {
      Value everyLane = arith::ConstantOp::create(rewriter, loc, rewriter.getI16IntegerAttr(-1));
      constexpr int32_t currentRounding = 4;
      Value rounding =
          arith::ConstantOp::create(rewriter, loc, rewriter.getI32IntegerAttr(currentRounding));
      rewriter.replaceOpWithNewOp<LLVM::CallIntrinsicOp>(
          op, type, rewriter.getStringAttr("llvm.x86.avx512.mask.scalef.ps.512"),
          ValueRange{p, n, p, everyLane, rounding});
      return success();
    }
    VectorType ints = type.clone(rewriter.getI32Type());
    Value exponent = arith::FPToSIOp::create(rewriter, loc, ints, n);
    Value shift =
        arith::ConstantOp::create(rewriter, loc, DenseElementsAttr::get(ints, int32_t(23)));
    Value bits = arith::BitcastOp::create(rewriter, loc, ints, p);
    bits = arith::AddIOp::create(rewriter, loc, bits,
                                 arith::ShLIOp::create(rewriter, loc, exponent, shift));
    Value result = arith::BitcastOp::create(rewriter, loc, type, bits);
    rewriter.replaceOpWithNewOp<arith::SelectOp>(op, isLow, constant(0), result);
    return success();
  }

  bool avx512;
};

struct ExpandVectorMath : girih::impl::ExpandVectorMathBase<ExpandVectorMath> {
  using ExpandVectorMathBase::ExpandVectorMathBase;

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
    patterns.add<ExpandExp2>(&getContext(), avx512);
    populateMathPolynomialApproximationPatterns(patterns, MathPolynomialApproximationOptions{});
    if (failed(applyOpPatternsGreedily(ops, std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
