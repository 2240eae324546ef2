//===- TrigonometryTest.cpp - How exact sines and cosines are -------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Checks the bounds that Trigonometry.h states, with and without fused multiply-adds:
// math.sin and math.cos are compiled for a processor of either kind, and compared with
// libm in double over floats of every exponent.
//
//===----------------------------------------------------------------------===//

#include "girih/Conversion/Passes.h"
#include "girih/JIT/Code.h"
#include "girih/Pipelines/Pipelines.h"
#include "girih/Target/Ptx.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/bit.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <limits>

using namespace girih;

namespace {

/// The largest error of a function: in all, and in units in the last place of results
/// above 0.01. Where it is, too.
struct Worst {
  double error = 0, units = 0;
  float errorAt = 0, unitsAt = 0;

  void add(float x, float y, double exact) {
    double off = std::abs(y - exact);
    if (!(off <= error)) {
      error = off;
      errorAt = x;
    }
    if (std::abs(exact) <= 0.01)
      return;
    double unit = std::ldexp(1, std::ilogb(static_cast<float>(exact)) - 23);
    if (!(off <= units * unit)) {
      units = off / unit;
      unitsAt = x;
    }
  }
};

/// How many floats are computed at a time: numbers and, as many, their opposites.
constexpr int width = 8;

/// From `width` numbers to their sines and cosines.
using Function = void (*)(const float *x, float *sines, float *cosines);

class Trigonometry : public testing::Test {
protected:
  /// Compiles for a processor; null after a failure.
  Function compile(llvm::StringRef cpu) {
    auto target = CpuTarget::named(cpu);
    if (!target)
      return fail(target.takeError());
    mlir::DialectRegistry registry;
    registerDialects(registry);
    registerPtxTranslations(registry);
    mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
    auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
    mlir::PassManager passes(&context);
    passes.nest<mlir::func::FuncOp>().addPass(createExpandVectorMath());
    buildLLVMPipeline(passes, {});
    if (!module || failed(passes.run(*module)))
      return fail(llvm::createStringError("the module does not compile"));
    llvm::SmallVector<char, 0> object;
    if (llvm::Error error = compileModule(*module, *target, /*assembly=*/false, object))
      return fail(std::move(error));
    auto created = CodeLoader::create(*target);
    if (!created)
      return fail(created.takeError());
    loader = std::move(*created);
    auto entry = loader->load(object, "circular");
    return entry ? reinterpret_cast<Function>(*entry) : fail(entry.takeError());
  }

  static Function fail(llvm::Error error) {
    ADD_FAILURE() << llvm::toString(std::move(error));
    return nullptr;
  }

  /// Numbers that are not negative, and as many as fill half of a vector. That a sine is
  /// odd and a cosine even is exact.
  void add(Function function, const std::array<float, width / 2> &numbers) {
    float x[width], sines[width], cosines[width];
    for (int i = 0; i != width / 2; ++i) {
      x[2 * i] = numbers[i];
      x[2 * i + 1] = -numbers[i];
    }
    function(x, sines, cosines);
    for (int i = 0; i != width; i += 2) {
      sine.add(x[i], sines[i], std::sin(double{x[i]}));
      cosine.add(x[i], cosines[i], std::cos(double{x[i]}));
      asymmetric += sines[i + 1] != -sines[i] || cosines[i + 1] != cosines[i];
      outside += std::abs(sines[i]) > 1 || std::abs(cosines[i]) > 1;
    }
  }

  /// One in `step` of all floats, and those where errors were largest among all.
  void expectBounds(llvm::StringRef cpu, double most) {
    Function function = compile(cpu);
    ASSERT_TRUE(function);
    constexpr uint32_t step = 2003, infinity = 0x7f800000;
    for (uint32_t bits = 0; bits < infinity - step * width; bits += step * width / 2) {
      std::array<float, width / 2> numbers;
      for (uint32_t i = 0; i != width / 2; ++i)
        numbers[i] = llvm::bit_cast<float>(bits + i * step);
      add(function, numbers);
    }
    add(function, {0x1.6e3fdcp+32f, 0x1.a8725ap+104f, 0x1.3dfd86p+126f, 0x1.fffffep+127f});
    add(function, {0x1.51b29cp+7f, 0x1.89c53p+64f, 0x1.f566a4p+1f, 0x1.5c9a6p+47f});
    add(function, {0x1.d7cbd6p+12f, 0x1.d25c08p+61f, 0x1.83cf9ap+14f, 0x1.828cfcp+47f});
    add(function, {0x1.2e8686p+12f, 0x1.c23fdcp+17f, 0x1.f6816cp+1f, 0x1.288efap+37f});
    add(function, {0x1.e6ef7ep+6f, 0x1.0cb01ap+71f, 0x1.d8387cp+10f, 0x1.3edf7cp+90f});
    add(function, {0x1p16f, 0x1.000002p16f, 0x1.fffffep15f, std::numeric_limits<float>::min()});
    for (auto [name, worst] : {std::pair("sine", sine), std::pair("cosine", cosine)}) {
      EXPECT_LT(worst.error, most) << name << " of " << worst.errorAt;
      EXPECT_LT(worst.units, 1.7) << name << " of " << worst.unitsAt;
      EXPECT_GT(worst.units, 0.5) << name; // else nothing was compared
    }
    EXPECT_EQ(asymmetric, 0);
    EXPECT_EQ(outside, 0);
  }

  static constexpr const char *text = R"(
    func.func @circular(%from: !llvm.ptr, %sines: !llvm.ptr, %cosines: !llvm.ptr) {
      %x = llvm.load %from {alignment = 4 : i64} : !llvm.ptr -> vector<8xf32>
      %sine = math.sin %x : vector<8xf32>
      %cosine = math.cos %x : vector<8xf32>
      llvm.store %sine, %sines {alignment = 4 : i64} : vector<8xf32>, !llvm.ptr
      llvm.store %cosine, %cosines {alignment = 4 : i64} : vector<8xf32>, !llvm.ptr
      return
    })";

  std::shared_ptr<CodeLoader> loader;
  Worst sine, cosine;
  int64_t asymmetric = 0, outside = 0;
};

} // namespace

TEST_F(Trigonometry, WithoutFusedMultiplyAdds) { expectBounds("x86-64", 9e-8); }

TEST_F(Trigonometry, WithFusedMultiplyAdds) {
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma"))
    GTEST_SKIP() << "needs AVX2 and FMA";
  expectBounds("x86-64-v3", 7.5e-8);
}
