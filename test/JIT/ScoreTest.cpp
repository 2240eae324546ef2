//===- ScoreTest.cpp - Score functions ------------------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "JitTesting.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Builders.h"

#include <cmath>

using namespace girih;
using namespace girih::testing;
namespace arith = mlir::arith;

static mlir::Value real(mlir::OpBuilder &b, mlir::Location loc, float value) {
  return arith::ConstantOp::create(b, loc, b.getF32FloatAttr(value));
}

/// Compiles causal attention with `builder` and compares it with `score`.
static void expectScore(const ScoreBuilder &builder, const ScoreFunction &score,
                        const char *cpu = "") {
  auto session = makeSession();
  Sizes sizes{2, 4, 2, 77, 130, 24, 24};
  CompileOptions options = optionsFor(sizes);
  options.score = builder;
  options.cpu = cpu;
  auto kernel = compile(*session, causal(), options);
  ASSERT_TRUE(kernel);
  EXPECT_EQ(check(*kernel, causal(), sizes, score), "");
}

TEST(Score, Softcap) {
  for (float cap : {0.5f, 30.0f})
    for (const char *cpu : {"", "x86-64-v3", "x86-64"})
      expectScore(
          [cap](mlir::OpBuilder &b, mlir::Location loc, mlir::ValueRange in) -> mlir::Value {
            mlir::Value ratio = arith::DivFOp::create(b, loc, in[0], real(b, loc, cap));
            mlir::Value tanh = mlir::math::TanhOp::create(b, loc, ratio);
            return arith::MulFOp::create(b, loc, tanh, real(b, loc, cap));
          },
          [cap](double s, int64_t, int64_t, int64_t, int64_t) { return cap * std::tanh(s / cap); },
          cpu);
}

TEST(Score, Alibi) {
  expectScore(
      [](mlir::OpBuilder &b, mlir::Location loc, mlir::ValueRange in) -> mlir::Value {
        mlir::Value distance = arith::SubIOp::create(b, loc, in[4], in[3]);
        auto toReal = [&](mlir::Value index) -> mlir::Value {
          mlir::Value cast = arith::IndexCastOp::create(b, loc, b.getI32Type(), index);
          return arith::SIToFPOp::create(b, loc, b.getF32Type(), cast);
        };
        // 2^-(h + 1)
        mlir::Value power = arith::SubFOp::create(b, loc, real(b, loc, -1), toReal(in[2]));
        mlir::Value slope = mlir::math::Exp2Op::create(b, loc, power);
        mlir::Value bias = arith::MulFOp::create(b, loc, slope, toReal(distance));
        return arith::AddFOp::create(b, loc, in[0], bias);
      },
      [](double s, int64_t, int64_t h, int64_t q, int64_t k) {
        return s + std::exp2(-double(h + 1)) * double(k - q);
      });
}

TEST(Score, NeverReadsTheScore) {
  expectScore([](mlir::OpBuilder &b, mlir::Location loc,
                 mlir::ValueRange) -> mlir::Value { return real(b, loc, 0.5f); },
              [](double, int64_t, int64_t, int64_t, int64_t) { return 0.5; });
}

TEST(Score, ReturnsTheScore) {
  expectScore(
      [](mlir::OpBuilder &, mlir::Location, mlir::ValueRange in) -> mlir::Value { return in[0]; },
      [](double s, int64_t, int64_t, int64_t, int64_t) { return s; });
}

TEST(Score, UnsupportedOpsAreErrors) {
  auto session = makeSession();
  CompileOptions options;
  options.score = [](mlir::OpBuilder &b, mlir::Location loc, mlir::ValueRange in) -> mlir::Value {
    return mlir::LLVM::FAddOp::create(b, loc, in[0], in[0]);
  };
  int code = 0;
  std::string message = compileError(*session, causal(), options, &code);
  EXPECT_EQ(code, GIRIH_UNSUPPORTED) << message;
  EXPECT_NE(message.find("llvm.fadd"), std::string::npos) << message;
  EXPECT_NE(message.find("supported: arith and math ops"), std::string::npos) << message;
  // The session still works.
  options.score = {};
  EXPECT_TRUE(compile(*session, causal(), options));
}

TEST(Score, WrongResultTypeIsAnError) {
  auto session = makeSession();
  CompileOptions options;
  options.score = [](mlir::OpBuilder &, mlir::Location, mlir::ValueRange in) -> mlir::Value {
    return in[3];
  };
  std::string message = compileError(*session, causal(), options);
  EXPECT_NE(message.find("f32"), std::string::npos) << message;
  EXPECT_NE(message.find("index"), std::string::npos) << message;
}
