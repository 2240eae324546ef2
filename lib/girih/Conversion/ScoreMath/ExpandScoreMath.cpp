//===- ExpandScoreMath.cpp - Score functions in a GPU's instructions ------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Errors are absolute where a score is small: a score is an exponent, and what
// changes it by 1e-6 changes a probability by one part in a million.
//
//===----------------------------------------------------------------------===//

#include "girih/Conversion/Passes.h"
#include "girih/Conversion/ScoreMath/Trigonometry.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/Transforms/Passes.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

#include <cmath>
#include <limits>

using namespace mlir;
using namespace girih;

namespace girih {
#define GEN_PASS_DEF_EXPANDSCOREMATH
#include "girih/Conversion/Passes.h.inc"
} // namespace girih

namespace {

constexpr double log2E = 1.4426950408889634, ln2 = 0.69314718055994531;

/// Makes f32 arithmetic at the place of an op.
struct Scalar {
  PatternRewriter &rewriter;
  Location loc;

  Scalar(PatternRewriter &rewriter, Operation *op) : rewriter(rewriter), loc(op->getLoc()) {}

  Value real(double value) const {
    return arith::ConstantOp::create(rewriter, loc,
                                     rewriter.getF32FloatAttr(static_cast<float>(value)));
  }
  Value add(Value x, Value y) const { return arith::AddFOp::create(rewriter, loc, x, y); }
  Value sub(Value x, Value y) const { return arith::SubFOp::create(rewriter, loc, x, y); }
  Value mul(Value x, Value y) const { return arith::MulFOp::create(rewriter, loc, x, y); }
  Value fma(Value x, Value y, Value z) const { return math::FmaOp::create(rewriter, loc, x, y, z); }
  /// x / y, two units in the last place off at most: what the GPU divides fast.
  Value quotient(Value x, Value y) const {
    return arith::DivFOp::create(rewriter, loc, x, y, arith::FastMathFlags::afn);
  }
  Value abs(Value x) const { return math::AbsFOp::create(rewriter, loc, x); }
  Value sqrt(Value x) const { return math::SqrtOp::create(rewriter, loc, x); }
  Value exp2(Value x) const { return math::Exp2Op::create(rewriter, loc, x); }
  Value log2(Value x) const { return math::Log2Op::create(rewriter, loc, x); }
  Value copySign(Value x, Value sign) const {
    return math::CopySignOp::create(rewriter, loc, x, sign);
  }
  Value compare(arith::CmpFPredicate predicate, Value x, Value y) const {
    return arith::CmpFOp::create(rewriter, loc, predicate, x, y);
  }
  Value select(Value condition, Value x, Value y) const {
    return arith::SelectOp::create(rewriter, loc, condition, x, y);
  }
  Value both(Value x, Value y) const { return arith::AndIOp::create(rewriter, loc, x, y); }
};

/// An op all of whose operands and results are f32.
bool isF32(Operation *op) {
  auto f32 = [](Type type) { return type.isF32(); };
  return llvm::all_of(op->getOperandTypes(), f32) && llvm::all_of(op->getResultTypes(), f32);
}

/// Replaces `Op` on f32 by what `make(scalar, operands)` computes.
template <typename Op> struct Expand : OpRewritePattern<Op> {
  using Make = Value (*)(const Scalar &, ValueRange);

  Expand(MLIRContext *context, Make make) : OpRewritePattern<Op>(context), make(make) {}

  LogicalResult matchAndRewrite(Op op, PatternRewriter &rewriter) const override {
    if (!isF32(op))
      return rewriter.notifyMatchFailure(op, "is not on f32");
    rewriter.replaceOp(op, make(Scalar(rewriter, op), op->getOperands()));
    return success();
  }

  Make make;
};

Value expandExp(const Scalar &s, ValueRange in) { return s.exp2(s.mul(in[0], s.real(log2E))); }

Value expandLog(const Scalar &s, ValueRange in) { return s.mul(s.log2(in[0]), s.real(ln2)); }

Value expandLog10(const Scalar &s, ValueRange in) {
  return s.mul(s.log2(in[0]), s.real(std::log10(2.0)));
}

/// 1 - 2 / (e^2x + 1): right at both ends without a clamp (the power is 0 or
/// infinite there). Absolute error 2e-7, which soft-capping multiplies by its cap.
Value expandTanh(const Scalar &s, ValueRange in) {
  Value power = s.exp2(s.mul(in[0], s.real(2 * log2E)));
  return s.fma(s.quotient(s.real(1), s.add(power, s.real(1))), s.real(-2), s.real(1));
}

/// e^x - 1 loses all digits near 0, where the series serves: |x| < 1/2, 7 terms.
Value expandExpM1(const Scalar &s, ValueRange in) {
  Value x = in[0], series = s.real(1.0 / 5040);
  for (double factorial : {720., 120., 24., 6., 2., 1.})
    series = s.fma(series, x, s.real(1 / factorial));
  Value isSmall = s.compare(arith::CmpFPredicate::OLT, s.abs(x), s.real(0.5));
  return s.select(isSmall, s.mul(series, x), s.sub(expandExp(s, in), s.real(1)));
}

/// log(|x| + sqrt(x^2 + 1)) with the sign of x, where upstream's form cancels for
/// negative x. Infinite from 1.8e19 on.
Value expandAsinh(const Scalar &s, ValueRange in) {
  Value size = s.abs(in[0]);
  Value root = s.sqrt(s.fma(size, size, s.real(1)));
  Value sum = s.add(size, root);
  return s.copySign(expandLog(s, sum), in[0]);
}

Value expandSin(const Scalar &s, ValueRange in) {
  ImplicitLocOpBuilder builder(s.loc, s.rewriter);
  return buildCircular(builder, in[0], Circular::Sine);
}

Value expandCos(const Scalar &s, ValueRange in) {
  ImplicitLocOpBuilder builder(s.loc, s.rewriter);
  return buildCircular(builder, in[0], Circular::Cosine);
}

/// Upstream's form takes the two bounds for each other, which leaves one of them.
Value expandClamp(const Scalar &s, ValueRange in) {
  Value atLeast = arith::MaximumFOp::create(s.rewriter, s.loc, in[0], in[1]);
  return arith::MinimumFOp::create(s.rewriter, s.loc, atLeast, in[2]);
}

/// x^y as of libm, by 2^(y log2 |x|): upstream's form makes NaN of every negative x.
Value expandPow(const Scalar &s, ValueRange in) {
  Value x = in[0], y = in[1], zero = s.real(0), one = s.real(1);
  Value power = s.exp2(s.mul(y, s.log2(s.abs(x))));
  // A negative base: NaN, or for an integer y the sign of its parity.
  auto isWhole = [&](Value value) {
    Value whole = math::FloorOp::create(s.rewriter, s.loc, value);
    return s.compare(arith::CmpFPredicate::OEQ, whole, value);
  };
  Value negative = s.sub(zero, power), nan = s.real(std::numeric_limits<double>::quiet_NaN());
  Value isEven = isWhole(s.mul(y, s.real(0.5)));
  Value ofNegative = s.select(isWhole(y), s.select(isEven, power, negative), nan);
  Value isNegative = s.compare(arith::CmpFPredicate::OLT, x, zero);
  Value result = s.select(isNegative, ofNegative, power);
  Value isOne =
      arith::OrIOp::create(s.rewriter, s.loc, s.compare(arith::CmpFPredicate::OEQ, x, one),
                           s.compare(arith::CmpFPredicate::OEQ, y, zero));
  return s.select(isOne, one, result);
}

/// x^n by repeated squaring, n > 0.
Value powerOf(const Scalar &s, Value x, uint64_t n) {
  Value result;
  for (; n; n /= 2, x = n ? s.mul(x, x) : x)
    if (n % 2)
      result = result ? s.mul(result, x) : x;
  return result;
}

/// Powers whose exponent is a small constant integer, as a float or an integer.
template <typename Op> struct ExpandConstantPower : OpRewritePattern<Op> {
  explicit ExpandConstantPower(MLIRContext *context)
      : OpRewritePattern<Op>(context, /*benefit=*/2) {}

  LogicalResult matchAndRewrite(Op op, PatternRewriter &rewriter) const override {
    Attribute attr;
    if (!op.getType().isF32() || !matchPattern(op.getRhs(), m_Constant(&attr)))
      return rewriter.notifyMatchFailure(op, "is not a constant power of an f32");
    double exponent = 0;
    if (auto real = dyn_cast<FloatAttr>(attr))
      exponent = real.getValueAsDouble();
    else if (auto integer = dyn_cast<IntegerAttr>(attr))
      exponent = static_cast<double>(integer.getValue().getSExtValue());
    if (exponent != std::floor(exponent) || std::abs(exponent) > 64)
      return rewriter.notifyMatchFailure(op, "has no small whole exponent");
    Scalar s(rewriter, op);
    Value result = s.real(1);
    if (exponent != 0)
      result = powerOf(s, op.getLhs(), static_cast<uint64_t>(std::abs(exponent)));
    if (exponent < 0)
      result = arith::DivFOp::create(rewriter, s.loc, s.real(1), result);
    rewriter.replaceOp(op, result);
    return success();
  }
};

/// x^n of an integer that is no constant.
struct ExpandFPowI : OpRewritePattern<math::FPowIOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(math::FPowIOp op, PatternRewriter &rewriter) const override {
    if (!op.getType().isF32())
      return rewriter.notifyMatchFailure(op, "is not on f32");
    Value n = arith::SIToFPOp::create(rewriter, op.getLoc(), op.getType(), op.getRhs());
    rewriter.replaceOpWithNewOp<math::PowFOp>(op, op.getLhs(), n);
    return success();
  }
};

struct ExpandSincos : OpRewritePattern<math::SincosOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(math::SincosOp op, PatternRewriter &rewriter) const override {
    Value x = op.getOperand();
    Value sin = math::SinOp::create(rewriter, op.getLoc(), x);
    Value cos = math::CosOp::create(rewriter, op.getLoc(), x);
    rewriter.replaceOp(op, {sin, cos});
    return success();
  }
};

/// isnan, isinf, isfinite and isnormal: the size of x lies between two bounds.
template <typename Op> struct ExpandClass : OpRewritePattern<Op> {
  using OpRewritePattern<Op>::OpRewritePattern;

  LogicalResult matchAndRewrite(Op op, PatternRewriter &rewriter) const override {
    Value x = op.getOperand();
    if (!x.getType().isF32())
      return rewriter.notifyMatchFailure(op, "is not on f32");
    Scalar s(rewriter, op);
    Value size = s.abs(x), infinity = s.real(std::numeric_limits<double>::infinity());
    Value result;
    if (isa<math::IsNaNOp>(op))
      result = s.compare(arith::CmpFPredicate::UNO, x, x);
    else if (isa<math::IsInfOp>(op))
      result = s.compare(arith::CmpFPredicate::OEQ, size, infinity);
    else
      result = s.compare(arith::CmpFPredicate::OLT, size, infinity);
    if (isa<math::IsNormalOp>(op))
      result = s.both(result, s.compare(arith::CmpFPredicate::OGE, size,
                                        s.real(std::numeric_limits<float>::min())));
    rewriter.replaceOp(op, result);
    return success();
  }
};

struct ExpandAbsI : OpRewritePattern<math::AbsIOp> {
  using OpRewritePattern::OpRewritePattern;

  LogicalResult matchAndRewrite(math::AbsIOp op, PatternRewriter &rewriter) const override {
    Value x = op.getOperand();
    Value zero =
        arith::ConstantOp::create(rewriter, op.getLoc(), rewriter.getZeroAttr(x.getType()));
    Value negative = arith::SubIOp::create(rewriter, op.getLoc(), zero, x);
    rewriter.replaceOpWithNewOp<arith::MaxSIOp>(op, x, negative);
    return success();
  }
};

/// Math on f16 and bf16 is done in f32.
struct Widen : RewritePattern {
  explicit Widen(MLIRContext *context)
      : RewritePattern(MatchAnyOpTypeTag(), /*benefit=*/3, context) {}

  static bool isNarrow(Type type) { return type.isF16() || type.isBF16(); }

  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    if (!isa<math::MathDialect>(*op->getDialect()) ||
        llvm::none_of(op->getOperandTypes(), isNarrow))
      return rewriter.notifyMatchFailure(op, "is not math on f16 or bf16");
    auto widened = [&](Type type) { return isNarrow(type) ? rewriter.getF32Type() : type; };
    OperationState state(op->getLoc(), op->getName());
    state.addAttributes(op->getAttrs());
    for (Value operand : op->getOperands())
      state.addOperands(
          isNarrow(operand.getType())
              ? arith::ExtFOp::create(rewriter, op->getLoc(), rewriter.getF32Type(), operand)
              : operand);
    for (Type type : op->getResultTypes())
      state.addTypes(widened(type));
    Operation *wide = rewriter.create(state);
    SmallVector<Value> results;
    for (auto [result, type] : llvm::zip(wide->getResults(), op->getResultTypes()))
      results.push_back(isNarrow(type)
                            ? arith::TruncFOp::create(rewriter, op->getLoc(), type, result)
                            : Value(result));
    rewriter.replaceOp(op, results);
    return success();
  }
};

/// What a GPU has an instruction for. The powers of two exist for f32 alone.
bool hasInstruction(Operation *op) {
  if (isa<math::Exp2Op, math::Log2Op>(op))
    return isF32(op);
  return isa<math::FmaOp, math::AbsFOp, math::SqrtOp, math::FloorOp, math::CeilOp, math::CopySignOp,
             math::RoundEvenOp, math::TruncOp>(op) &&
         !llvm::any_of(op->getOperandTypes(), Widen::isNarrow);
}

struct ExpandScoreMath : girih::impl::ExpandScoreMathBase<ExpandScoreMath> {
  using ExpandScoreMathBase::ExpandScoreMathBase;

  static void addPatterns(RewritePatternSet &patterns) {
    MLIRContext *context = patterns.getContext();
    patterns.add<Expand<math::ExpOp>>(context, expandExp);
    patterns.add<Expand<math::LogOp>>(context, expandLog);
    patterns.add<Expand<math::Log10Op>>(context, expandLog10);
    patterns.add<Expand<math::TanhOp>>(context, expandTanh);
    patterns.add<Expand<math::ExpM1Op>>(context, expandExpM1);
    patterns.add<Expand<math::AsinhOp>>(context, expandAsinh);
    patterns.add<Expand<math::SinOp>>(context, expandSin);
    patterns.add<Expand<math::CosOp>>(context, expandCos);
    patterns.add<Expand<math::ClampFOp>>(context, expandClamp);
    patterns.add<Expand<math::PowFOp>>(context, expandPow);
    patterns.add<ExpandConstantPower<math::PowFOp>, ExpandConstantPower<math::FPowIOp>, ExpandFPowI,
                 ExpandSincos, ExpandAbsI, ExpandClass<math::IsNaNOp>, ExpandClass<math::IsInfOp>,
                 ExpandClass<math::IsFiniteOp>, ExpandClass<math::IsNormalOp>, Widen>(context);
    math::populateExpansionPatterns(
        patterns, {"sinh", "cosh", "tan", "acosh", "atanh", "round", "rsqrt", "ctlz"});
    populateMathPolynomialApproximationPatterns(patterns, [](StringRef name) {
      name.consume_front("math.");
      return llvm::is_contained<StringRef>(
          {"atan", "atan2", "log1p", "erf", "erfc", "cbrt", "asin", "acos"}, name);
    });
  }

  void runOnOperation() override {
    SmallVector<Operation *> ops;
    auto collect = [&] {
      ops.clear();
      getOperation().walk([&](tile::MapOp map) {
        map.getBody().walk([&](Operation *op) {
          if (isa<math::MathDialect>(*op->getDialect()) && !hasInstruction(op))
            ops.push_back(op);
        });
      });
    };
    collect();
    if (ops.empty())
      return;
    RewritePatternSet patterns(&getContext());
    addPatterns(patterns);
    GreedyRewriteConfig config;
    config.setStrictness(GreedyRewriteStrictness::ExistingAndNewOps);
    if (failed(applyOpPatternsGreedily(ops, std::move(patterns), config)))
      return signalPassFailure();
    collect();
    for (Operation *op : ops) {
      InFlightDiagnostic error = op->emitOpError("on ");
      llvm::interleaveComma(op->getOperandTypes(), error);
      error << " is not supported in a score function on a GPU; supported: arith ops, and on f32, "
               "f16 and bf16 all math ops but ipowi, cttz and ctpop";
      signalPassFailure();
    }
  }
};

} // namespace
