//===- ExpandScoreMathTest.cpp - What score functions compute on a GPU ----===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Expanded score functions are evaluated in f32, op by op, and compared with libm
// in double; exp2, log2 and fast divisions once exactly, and once each as far off
// to either side as PTX allows ex2.approx, lg2.approx and div.approx to be.
//
//===----------------------------------------------------------------------===//

#include "girih/Conversion/Passes.h"
#include "girih/Pipelines/Pipelines.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <string>

using namespace mlir;
using namespace girih;

namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();

class ExpandScoreMathTest : public testing::Test {
protected:
  ExpandScoreMathTest() {
    DialectRegistry registry;
    registerDialects(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
  }

  /// Expands a score function of %x (f32) and %q (index) that ends in %y.
  void expand(const std::string &ops) {
    std::string text = "func.func @f(%tile: tensor<16x16xf32>, %i: index) {\n"
                       "  %r = girih_tile.map %tile at [%i, %i, %i, %i] {\n"
                       "  ^bb0(%x: f32, %b: index, %h: index, %q: index, %k: index):\n" +
                       ops + "\n    girih.yield %y : f32\n  } : tensor<16x16xf32>\n  return\n}\n";
    module = parseSourceString<ModuleOp>(text, &context);
    ASSERT_TRUE(module) << ops;
    PassManager pm(&context);
    pm.nest<func::FuncOp>().addPass(createExpandScoreMath());
    ASSERT_TRUE(succeeded(pm.run(*module))) << ops;
    module->walk([&](tile::MapOp map) { body = &map.getBody().front(); });
    for (Operation &op : *body)
      if (isa<math::MathDialect>(*op.getDialect()))
        EXPECT_TRUE(
            (isa<math::Exp2Op, math::Log2Op, math::FmaOp, math::AbsFOp, math::SqrtOp, math::FloorOp,
                 math::CeilOp, math::CopySignOp, math::RoundEvenOp, math::TruncOp>(op)))
            << ops << " leaves " << op.getName().getStringRef().str();
  }

  Attribute real(float value) { return FloatAttr::get(Float32Type::get(&context), value); }

  static float of(Attribute value) { return cast<FloatAttr>(value).getValue().convertToFloat(); }

  /// One op on constants; `error` (-1, 0 or 1) is the side instructions err to.
  Attribute fold(Operation &op, ArrayRef<Attribute> in,
                 const llvm::DenseMap<Value, Attribute> &values, int error) {
    auto off = [&](double value, double relative) {
      return real(static_cast<float>(value * (1 + error * relative)));
    };
    if (isa<math::Exp2Op>(op))
      return off(std::exp2(of(in[0])), 0x1p-22);
    if (isa<math::Log2Op>(op)) {
      double log = std::log2(of(in[0]));
      bool isNearOne = of(in[0]) > 0.5 && of(in[0]) < 2;
      return isNearOne ? real(static_cast<float>(log + error * 0x1p-22)) : off(log, 0x1p-22);
    }
    if (auto division = dyn_cast<arith::DivFOp>(op))
      if (bitEnumContainsAll(division.getFastmath(), arith::FastMathFlags::afn))
        return off(static_cast<double>(of(in[0])) / of(in[1]), 0x1p-22);
    if (isa<math::FmaOp>(op))
      return real(std::fma(of(in[0]), of(in[1]), of(in[2])));
    if (isa<math::SqrtOp>(op))
      return real(std::sqrt(of(in[0])));
    if (isa<arith::TruncFOp>(op)) {
      APFloat value = cast<FloatAttr>(in[0]).getValue();
      auto type = cast<FloatType>(op.getResult(0).getType());
      bool lost;
      value.convert(type.getFloatSemantics(), APFloat::rmNearestTiesToEven, &lost);
      return FloatAttr::get(type, value);
    }
    SmallVector<OpFoldResult> results;
    if (failed(op.fold(in, results)) || results.empty())
      return {};
    if (auto attribute = dyn_cast<Attribute>(results[0]))
      return attribute;
    return values.lookup(cast<Value>(results[0]));
  }

  float evaluate(float x, int64_t q = 0, int error = 0) {
    Builder builder(&context);
    llvm::DenseMap<Value, Attribute> values;
    values[body->getArgument(0)] = real(x);
    for (unsigned i = 1; i != 5; ++i)
      values[body->getArgument(i)] = builder.getIndexAttr(q);
    auto find = [&](Value value) {
      Attribute attribute = values.lookup(value);
      if (!attribute)
        matchPattern(value, m_Constant(&attribute));
      return attribute;
    };
    for (Operation &op : body->without_terminator()) {
      SmallVector<Attribute> operands;
      for (Value operand : op.getOperands()) {
        operands.push_back(find(operand));
        values[operand] = operands.back();
      }
      Attribute result = fold(op, operands, values, error);
      if (!result) {
        ADD_FAILURE() << "cannot evaluate " << op.getName().getStringRef().str() << " at " << x;
        return 0;
      }
      values[op.getResult(0)] = result;
    }
    return of(find(body->getTerminator()->getOperand(0)));
  }

  /// Compares on 301 points of [low, high] with `reference`, in double.
  void expectNear(const std::string &ops, const std::function<double(double)> &reference,
                  double low, double high, double absolute, double relative = 0) {
    expand(ops);
    if (HasFatalFailure())
      return;
    for (int i = 0; i <= 300; ++i)
      for (int error : {-1, 0, 1}) {
        float x = static_cast<float>(low + (high - low) * i / 300);
        double expected = reference(x), got = evaluate(x, 0, error);
        double allowed = absolute + relative * std::abs(expected);
        if (!(std::abs(got - expected) <= allowed)) {
          ADD_FAILURE() << ops << ": expected " << expected << " at " << x << ", but got " << got
                        << " (instructions off by " << error << ")";
          return;
        }
      }
  }

  void expectUnary(const char *name, double (*reference)(double), double low, double high,
                   double absolute, double relative = 0) {
    expectNear(std::string("%y = math.") + name + " %x : f32", reference, low, high, absolute,
               relative);
  }

  MLIRContext context;
  OwningOpRef<ModuleOp> module;
  Block *body = nullptr;
};

TEST_F(ExpandScoreMathTest, SoftCappingIsAccurate) {
  expectUnary("tanh", std::tanh, -12, 12, 1e-6);
  expectUnary("tanh", std::tanh, -0.01, 0.01, 5e-7);
  for (float cap : {1.0f, 30.0f, 50.0f}) {
    std::string text = std::to_string(cap);
    expectNear(
        "%c = arith.constant " + text +
            " : f32\n%d = arith.divf %x, %c : f32\n%t = math.tanh %d : f32\n"
            "%y = arith.mulf %t, %c : f32",
        [=](double x) { return cap * std::tanh(x / cap); }, -200, 200, 1e-6 * cap);
  }
}

TEST_F(ExpandScoreMathTest, PowersAndLogarithms) {
  expectUnary("exp", std::exp, -10, 10, 0, 3e-6);
  expectUnary("exp", std::exp, -80, 80, 0, 2e-5);
  expectUnary("expm1", std::expm1, -5, 5, 1e-6, 3e-6);
  expectUnary("expm1", std::expm1, -1e-3, 1e-3, 0, 1e-6);
  expectUnary("log", std::log, 1e-6, 3, 5e-7, 5e-7);
  expectUnary("log", std::log, 1, 1e6, 5e-7, 5e-7);
  expectUnary("log10", std::log10, 0.1, 1e4, 5e-7, 5e-7);
  expectUnary("log2", std::log2, 0.1, 1e4, 5e-7, 5e-7);
  expectUnary("log1p", std::log1p, -0.9, 10, 1e-6, 1e-6);
  expectUnary("log1p", std::log1p, -1e-4, 1e-4, 1e-6);
  expectUnary("cbrt", std::cbrt, -100, 100, 1e-6, 1e-6);
  expectUnary("sqrt", std::sqrt, 0, 100, 0, 1e-7);
  expectNear(
      "%y = math.rsqrt %x : f32", [](double x) { return 1 / std::sqrt(x); }, 0.01, 100, 0, 1e-6);
}

TEST_F(ExpandScoreMathTest, Hyperbolic) {
  expectUnary("sinh", std::sinh, -8, 8, 1e-6, 3e-6);
  expectUnary("cosh", std::cosh, -8, 8, 1e-6, 3e-6);
  expectUnary("asinh", std::asinh, -1e4, 1e4, 1e-6, 1e-6);
  expectUnary("asinh", std::asinh, -2, 2, 1e-6, 1e-6);
  expectUnary("acosh", std::acosh, 1.01, 100, 2e-6, 1e-6);
  expectUnary("atanh", std::atanh, -0.99, 0.99, 4e-6, 1e-6);
}

TEST_F(ExpandScoreMathTest, Trigonometric) {
  expectUnary("tan", std::tan, -1.4, 1.4, 2e-6, 2e-6);
  expectUnary("asin", std::asin, -1, 1, 2e-6);
  expectUnary("acos", std::acos, -1, 1, 2e-6);
  expectUnary("atan", std::atan, -50, 50, 1e-6);
  expectNear(
      "%c = arith.constant -1.5 : f32\n%y = math.atan2 %x, %c : f32",
      [](double x) { return std::atan2(x, -1.5); }, -9, 9, 2e-6);
  expectNear(
      "%s, %c = math.sincos %x : f32\n%t = arith.mulf %s, %c : f32\n"
      "%y = arith.addf %t, %c : f32",
      [](double x) { return std::sin(x) * std::cos(x) + std::cos(x); }, -6, 6, 3e-6);
}

/// Right for every argument, on either side of where the reduction changes.
TEST_F(ExpandScoreMathTest, SineAndCosineOfAnything) {
  for (double bound : {1e-3, 1.0, 30.0, 3000.0, 65536.0, 1e5, 0x1p26, 1e9, 1e12, 1e30, 3.4e38}) {
    expectUnary("sin", std::sin, -bound, bound, 7.5e-8);
    expectUnary("cos", std::cos, -bound, bound, 7.5e-8);
  }
  expectUnary("sin", std::sin, -1e-3, 1e-3, 0, 1.3e-7);
  expectUnary("sin", std::sin, 65535, 65537, 7.5e-8);
  expectUnary("cos", std::cos, -65537, -65535, 7.5e-8);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const char *name : {"sin", "cos"}) {
    expand(std::string("%y = math.") + name + " %x : f32");
    for (float x : {infinity, -infinity, nan})
      EXPECT_TRUE(std::isnan(evaluate(x))) << name << " of " << x;
    // One of each power of two: exponents and windows of every offset.
    for (int exponent = -126; exponent != 128; ++exponent)
      for (double mantissa : {1.0, 1.2345678, -1.75}) {
        float x = static_cast<float>(std::ldexp(mantissa, exponent)), y = evaluate(x);
        EXPECT_NEAR(y, name[0] == 's' ? std::sin(double{x}) : std::cos(double{x}), 7.5e-8) << x;
        EXPECT_LE(std::abs(y), 1) << x;
        EXPECT_EQ(evaluate(-x), name[0] == 's' ? -y : y) << x;
      }
    // Of all floats those where errors are largest, and were when pi / 2 was a float.
    for (float x : {0x1.2e8686p+12f, 0x1.c23fdcp+17f, 0x1.f6816cp+1f, 0x1.288efap+37f,
                    -0x1.6e3fdcp+32f, 0x1.a8725ap+104f, -0x1.3dfd86p+126f, 0x1.8d036ep+79f})
      EXPECT_NEAR(evaluate(x), name[0] == 's' ? std::sin(double{x}) : std::cos(double{x}), 7.5e-8)
          << name << " of " << x;
  }
}

TEST_F(ExpandScoreMathTest, ErrorFunctions) {
  expectUnary("erf", std::erf, -5, 5, 1e-6);
  expectUnary("erfc", std::erfc, -5, 5, 1e-6);
}

TEST_F(ExpandScoreMathTest, Rounding) {
  expectUnary("round", std::round, -7.5, 7.5, 0);
  expectUnary("floor", std::floor, -7.5, 7.5, 0);
  expectUnary("ceil", std::ceil, -7.5, 7.5, 0);
  expectUnary("trunc", std::trunc, -7.5, 7.5, 0);
  expectUnary("roundeven", std::nearbyint, -7.5, 7.5, 0);
  expectNear(
      "%a = arith.constant -1.0 : f32\n%c = arith.constant 2.5 : f32\n"
      "%y = math.clampf %x to [%a, %c] : f32",
      [](double x) { return std::min(std::max(x, -1.0), 2.5); }, -7, 7, 0);
}

TEST_F(ExpandScoreMathTest, PowersOfNumbers) {
  auto power = [](const char *exponent) {
    return std::string("%e = arith.constant ") + exponent + " : f32\n%y = math.powf %x, %e : f32";
  };
  for (double e : {0.0, 1.0, 2.0, 3.0, 7.0, -1.0, -4.0})
    expectNear(
        power(std::to_string(e).c_str()), [=](double x) { return std::pow(x, e); }, -3.1, 3, 0,
        1e-6);
  for (double e : {0.5, 1.5, -0.75, 2.25})
    expectNear(
        power(std::to_string(e).c_str()), [=](double x) { return std::pow(x, e); }, 0.01, 30, 0,
        5e-6);
  // An exponent that is known at run time only: the score itself.
  for (double base : {0.5, 2.0, -2.0})
    for (double e : {-3.0, -2.0, 0.0, 1.0, 2.0, 5.0}) {
      expand("%c = arith.constant " + std::to_string(base) + " : f32\n%y = math.powf %c, %x : f32");
      EXPECT_NEAR(evaluate(static_cast<float>(e)), std::pow(base, e), 1e-5) << base << " ^ " << e;
      expand("%n = arith.index_cast %q : index to i32\n%y = math.fpowi %x, %n : f32, i32");
      EXPECT_NEAR(evaluate(static_cast<float>(base), static_cast<int64_t>(e)), std::pow(base, e),
                  1e-5);
    }
  expand("%n = arith.constant -3 : i32\n%y = math.fpowi %x, %n : f32, i32");
  EXPECT_FLOAT_EQ(evaluate(-2), -0.125f);
  expand("%c = arith.constant -2.0 : f32\n%y = math.powf %c, %x : f32");
  EXPECT_TRUE(std::isnan(evaluate(0.5)));
  expand("%c = arith.constant 0.0 : f32\n%y = math.powf %c, %x : f32");
  EXPECT_EQ(evaluate(0), 1);
  EXPECT_EQ(evaluate(0.5), 0);
  EXPECT_EQ(evaluate(-0.5), infinity);
}

TEST_F(ExpandScoreMathTest, EndsOfTheLine) {
  float nan = std::numeric_limits<float>::quiet_NaN();
  expand("%y = math.tanh %x : f32");
  EXPECT_EQ(evaluate(infinity), 1);
  EXPECT_EQ(evaluate(-infinity), -1);
  EXPECT_EQ(evaluate(1000), 1);
  EXPECT_EQ(evaluate(0), 0);
  EXPECT_TRUE(std::isnan(evaluate(nan)));
  expand("%y = math.exp %x : f32");
  EXPECT_EQ(evaluate(-infinity), 0);
  EXPECT_EQ(evaluate(infinity), infinity);
  expand("%y = math.log %x : f32");
  EXPECT_EQ(evaluate(0), -infinity);
  EXPECT_EQ(evaluate(infinity), infinity);
  EXPECT_TRUE(std::isnan(evaluate(-1)));
}

TEST_F(ExpandScoreMathTest, Classes) {
  auto classify = [&](const char *name, std::initializer_list<std::pair<float, bool>> points) {
    expand(std::string("%one = arith.constant 1.0 : f32\n%zero = arith.constant 0.0 : f32\n"
                       "%is = math.") +
           name + " %x : f32\n%y = arith.select %is, %one, %zero : f32");
    for (auto [x, expected] : points)
      EXPECT_EQ(evaluate(x), expected ? 1 : 0) << name << " of " << x;
  };
  float nan = std::numeric_limits<float>::quiet_NaN();
  float denormal = std::numeric_limits<float>::denorm_min();
  classify("isnan", {{nan, true}, {0, false}, {infinity, false}});
  classify("isinf", {{nan, false}, {0, false}, {infinity, true}, {-infinity, true}});
  classify("isfinite", {{nan, false}, {-3, true}, {denormal, true}, {-infinity, false}});
  classify("isnormal", {{nan, false}, {1, true}, {denormal, false}, {0, false}, {infinity, false}});
}

TEST_F(ExpandScoreMathTest, IntegersAndNarrowTypes) {
  expand("%n = arith.index_cast %q : index to i32\n%a = math.absi %n : i32\n"
         "%y = arith.sitofp %a : i32 to f32");
  EXPECT_EQ(evaluate(0, -7), 7);
  EXPECT_EQ(evaluate(0, 7), 7);
  expand("%n = arith.index_cast %q : index to i32\n%a = math.ctlz %n : i32\n"
         "%y = arith.sitofp %a : i32 to f32");
  EXPECT_EQ(evaluate(0, 1), 31);
  EXPECT_EQ(evaluate(0, 255), 24);
  expectNear(
      "%n = arith.truncf %x : f32 to bf16\n%t = math.tanh %n : bf16\n"
      "%y = arith.extf %t : bf16 to f32",
      [](double x) { return std::tanh(x); }, -3, 3, 1e-2);
}

} // namespace
