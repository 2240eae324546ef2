//===- ExpandVectorMath.cpp - Polynomials for vector math -----------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Conversion/Passes.h"
#include "girih/Conversion/ScoreMath/Trigonometry.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

using namespace mlir;

namespace girih {
#define GEN_PASS_DEF_EXPANDVECTORMATH
#include "girih/Conversion/Passes.h.inc"
} // namespace girih

namespace {

/// p(f) by Horner's rule, `coefficients` from the highest degree on.
Value polynomial(PatternRewriter &rewriter, Location loc, Value f, ArrayRef<float> coefficients) {
  auto constant = [&](float value) -> Value {
    auto type = cast<VectorType>(f.getType());
    return arith::ConstantOp::create(rewriter, loc, DenseElementsAttr::get(type, value));
  };
  Value p = constant(coefficients.front());
  for (float coefficient : coefficients.drop_front())
    p = vector::FMAOp::create(rewriter, loc, p, f, constant(coefficient));
  return p;
}

/// 2^x = 2^n * 2^f with a polynomial of degree 5 for 2^f. 0 far below the smallest
/// number, infinity above the largest, NaN stays NaN.
struct ExpandExp2 : OpRewritePattern<math::Exp2Op> {
  ExpandExp2(MLIRContext *context, bool avx512)
      : OpRewritePattern<math::Exp2Op>(context), avx512(avx512) {}

  LogicalResult matchAndRewrite(math::Exp2Op op, PatternRewriter &rewriter) const override {
    auto type = dyn_cast<VectorType>(op.getType());
    if (!type || !type.getElementType().isF32() || type.isScalable())
      return rewriter.notifyMatchFailure(op, "is not on a vector of f32");
    if (avx512 && type.getShape() == ArrayRef<int64_t>{16})
      rewriter.replaceOp(op, scaled(op.getLoc(), op.getOperand(), type, rewriter));
    else
      rewriter.replaceOp(op, shifted(op.getLoc(), op.getOperand(), type, rewriter));
    return success();
  }

  /// AVX-512: n = floor(x), f = x - n in [0, 1) by vreduceps, 2^n by vscalefps, which
  /// takes the floor itself. Both know infinities (f = 0, and 0 or infinity) and NaN,
  /// so nothing is clamped. The polynomial has the least maximum of the relative
  /// error among those with p(0) = 1: 1.5e-7 with f32 rounding.
  static Value scaled(Location loc, Value x, VectorType type, PatternRewriter &rewriter) {
    static constexpr float coefficients[] = {1.867136103e-03f, 9.017017670e-03f, 5.579992384e-02f,
                                             2.401644439e-01f, 6.931512952e-01f, 1.0f};
    auto i32 = [&](int32_t value) -> Value {
      return arith::ConstantOp::create(rewriter, loc, rewriter.getI32IntegerAttr(value));
    };
    Value everyLane = arith::ConstantOp::create(rewriter, loc, rewriter.getI16IntegerAttr(-1));
    constexpr int32_t floorWithoutExceptions = 9, currentRounding = 4;
    Value f = LLVM::CallIntrinsicOp::create(
                  rewriter, loc, type, rewriter.getStringAttr("llvm.x86.avx512.mask.reduce.ps.512"),
                  ValueRange{x, i32(floorWithoutExceptions), x, everyLane, i32(currentRounding)})
                  .getResult(0);
    Value p = polynomial(rewriter, loc, f, coefficients);
    return LLVM::CallIntrinsicOp::create(
               rewriter, loc, type, rewriter.getStringAttr("llvm.x86.avx512.mask.scalef.ps.512"),
               ValueRange{p, x, p, everyLane, i32(currentRounding)})
        .getResult(0);
  }

  /// Elsewhere: n = round(x), |f| <= 1/2. Adding 1.5 * 2^23 rounds, and leaves n in the
  /// low bits of the sum; neither takes an instruction that SSE2 lacks. The polynomial
  /// goes through the six Chebyshev nodes: relative error 2.7e-7 with f32 rounding.
  static Value shifted(Location loc, Value x, VectorType type, PatternRewriter &rewriter) {
    static constexpr float coefficients[] = {1.339086331e-03f, 9.676031768e-03f, 5.550356954e-02f,
                                             2.402210683e-01f, 6.931471825e-01f, 1.0f};
    VectorType ints = type.clone(rewriter.getI32Type());
    auto constant = [&](float value) -> Value {
      return arith::ConstantOp::create(rewriter, loc, DenseElementsAttr::get(type, value));
    };
    auto integer = [&](int32_t value) -> Value {
      return arith::ConstantOp::create(rewriter, loc, DenseElementsAttr::get(ints, value));
    };
    Value low = constant(-126), high = constant(128), magic = constant(0x1.8p23f);
    Value isLow = arith::CmpFOp::create(rewriter, loc, arith::CmpFPredicate::OLT, x, low);
    Value clamped = arith::SelectOp::create(rewriter, loc, isLow, low, x);
    Value isHigh = arith::CmpFOp::create(rewriter, loc, arith::CmpFPredicate::OGT, clamped, high);
    clamped = arith::SelectOp::create(rewriter, loc, isHigh, high, clamped);
    Value sum = arith::AddFOp::create(rewriter, loc, clamped, magic);
    Value n = arith::SubFOp::create(rewriter, loc, sum, magic);
    Value f = arith::SubFOp::create(rewriter, loc, clamped, n);
    Value p = polynomial(rewriter, loc, f, coefficients);
    // n + 127 in the exponent: 2^n, and infinity for 128.
    Value bits = arith::BitcastOp::create(rewriter, loc, ints, sum);
    bits = arith::ShLIOp::create(rewriter, loc, bits, integer(23));
    bits = arith::AddIOp::create(rewriter, loc, bits, integer(127 << 23));
    Value power = arith::BitcastOp::create(rewriter, loc, type, bits);
    Value result = arith::MulFOp::create(rewriter, loc, p, power);
    return arith::SelectOp::create(rewriter, loc, isLow, constant(0), result);
  }

  bool avx512;
};

/// Sines and cosines of our own: upstream's are wrong for large arguments.
template <typename Op, girih::Circular function> struct ExpandCircular : OpRewritePattern<Op> {
  explicit ExpandCircular(MLIRContext *context) : OpRewritePattern<Op>(context, /*benefit=*/2) {}

  LogicalResult matchAndRewrite(Op op, PatternRewriter &rewriter) const override {
    auto type = dyn_cast<VectorType>(op.getType());
    if (!type || !type.getElementType().isF32() || type.isScalable())
      return rewriter.notifyMatchFailure(op, "is not on a vector of f32");
    ImplicitLocOpBuilder builder(op.getLoc(), rewriter);
    rewriter.replaceOp(op, girih::buildCircular(builder, op.getOperand(), function));
    return success();
  }
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
    patterns.add<ExpandCircular<math::SinOp, girih::Circular::Sine>,
                 ExpandCircular<math::CosOp, girih::Circular::Cosine>>(&getContext());
    populateMathPolynomialApproximationPatterns(patterns, MathPolynomialApproximationOptions{});
    if (failed(applyOpPatternsGreedily(ops, std::move(patterns))))
      signalPassFailure();
  }
};

} // namespace
