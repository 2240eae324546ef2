//===- Bf16Test.cpp - bf16 inputs on the CPU ------------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Proves that both ways to multiply bf16, as pairs where the processor can and
// widened everywhere, agree with the reference: odd head dims, which end in half a
// pair, lengths that end inside a tile and a pair of keys, strides, negative and zero
// scales, numbers that are not finite.
//
//===----------------------------------------------------------------------===//

#include "JitTesting.h"

#include "girih/Target/Cpu.h"

#include <algorithm>
#include <cmath>
#include <limits>

using namespace girih;
using namespace girih::testing;

namespace {

/// Tensors in bf16 whose rows lie `gap` elements apart.
class Bf16Tensors {
public:
  Bf16Tensors(const Sizes &sizes, int64_t gap) : rounded(sizes), gap(gap) {
    rounded.roundInputs(GIRIH_BF16);
  }

  std::string launch(CompiledKernel &kernel) {
    NarrowCopy q(rounded.q, GIRIH_BF16, gap), k(rounded.k, GIRIH_BF16, gap),
        v(rounded.v, GIRIH_BF16, gap);
    if (llvm::Error error = kernel.launch(q.view, k.view, v.view, rounded.o, rounded.lse.data(),
                                          rounded.scale, {}, 1))
      return llvm::toString(std::move(error));
    return "";
  }

  Tensors rounded; ///< f32 of the same values, and the outputs

private:
  int64_t gap;
};

class Bf16 : public ::testing::TestWithParam<const char *> {
protected:
  CompileOptions options(const Sizes &sizes) const {
    CompileOptions options = optionsFor(sizes);
    options.dtype = GIRIH_BF16;
    options.cpu = GetParam();
    return options;
  }
  std::unique_ptr<Session> session = makeSession();
};

} // namespace

static std::string compareBf16(const Tensors &t, const Pattern &pattern) {
  return compareWithReference(t, pattern, /*score=*/{}, /*topLeft=*/false, GIRIH_BF16);
}

TEST_P(Bf16, AgreesWithTheReference) {
  for (auto [dim, vDim] : {std::pair(64, 64), std::pair(33, 17), std::pair(1, 1),
                           std::pair(80, 100), std::pair(128, 31)}) {
    Sizes sizes{2, 4, 2, 131, 193, dim, vDim};
    auto kernel = compile(*session, causal(), options(sizes));
    ASSERT_TRUE(kernel);
    for (int64_t gap : {0, 1, 32}) {
      Bf16Tensors tensors(sizes, gap);
      ASSERT_EQ(tensors.launch(*kernel), "");
      EXPECT_EQ(compareBf16(tensors.rounded, causal()), "") << dim << " " << vDim << " " << gap;
    }
  }
}

TEST_P(Bf16, AnyScale) {
  Sizes sizes{1, 2, 1, 100, 100, 40, 24};
  auto kernel = compile(*session, window(30), options(sizes));
  ASSERT_TRUE(kernel);
  for (float scale : {-0.4f, 0.0f, 3.0f}) {
    Bf16Tensors tensors(sizes, 0);
    tensors.rounded.scale = scale;
    ASSERT_EQ(tensors.launch(*kernel), "");
    EXPECT_EQ(compareBf16(tensors.rounded, window(30)), "") << scale;
  }
}

TEST_P(Bf16, EqualScoresWeighTheSameInEveryTile) {
  // The running sum is scaled at each of 256 tiles, by 1: what is not quite 1 adds up. Scores of
  // 13 times a scale are not exact in f32.
  Sizes sizes{1, 1, 1, 2, 16384, 13, 16};
  auto kernel = compile(*session, full(), options(sizes));
  ASSERT_TRUE(kernel);
  for (float scale : {77.7f, 777.7f, -1234.5f}) {
    Bf16Tensors tensors(sizes, 0);
    Tensors &t = tensors.rounded;
    std::fill(t.qData.begin(), t.qData.end(), 1.0f);
    std::fill(t.kData.begin(), t.kData.end(), 1.0f);
    std::fill(t.vData.begin(), t.vData.end(), 0.0f);
    std::fill_n(t.vData.begin(), t.vData.size() / 2, 1.0f);
    t.scale = scale;
    ASSERT_EQ(tensors.launch(*kernel), "");
    EXPECT_EQ(compareBf16(t, full()), "") << scale;
  }
}

TEST_P(Bf16, NotANumberStaysInItsRows) {
  Sizes sizes{1, 1, 1, 100, 100, 16, 16};
  auto kernel = compile(*session, causal(), options(sizes));
  ASSERT_TRUE(kernel);
  Bf16Tensors tensors(sizes, 0);
  tensors.rounded.qData[37 * 16 + 5] = std::numeric_limits<float>::quiet_NaN();
  ASSERT_EQ(tensors.launch(*kernel), "");
  for (int64_t row = 0; row != 100; ++row)
    EXPECT_EQ(std::isnan(tensors.rounded.oData[row * 16]), row == 37) << row;
}

TEST_P(Bf16, RowsThatSeeNothing) {
  Sizes sizes{1, 1, 1, 70, 20, 8, 8};
  auto kernel = compile(*session, causal(), options(sizes));
  ASSERT_TRUE(kernel);
  Bf16Tensors tensors(sizes, 0);
  ASSERT_EQ(tensors.launch(*kernel), "");
  EXPECT_EQ(tensors.rounded.lse[49], -std::numeric_limits<float>::infinity());
  EXPECT_EQ(tensors.rounded.oData[49 * 8], 0.0f);
  EXPECT_EQ(compareBf16(tensors.rounded, causal()), "");
}

// The host, which multiplies pairs if it can, and processors that can't.
INSTANTIATE_TEST_SUITE_P(Cpus, Bf16, ::testing::Values("", "x86-64-v3", "x86-64"));

TEST(CpuTarget, KnowsWhoMultipliesPairs) {
  for (auto [cpu, width, pairs] :
       {std::tuple("x86-64", 4, false), std::tuple("x86-64-v3", 8, false),
        std::tuple("x86-64-v4", 16, false), std::tuple("znver4", 16, true),
        std::tuple("cooperlake", 16, true), std::tuple("skylake-avx512", 16, false)}) {
    auto target = CpuTarget::named(cpu);
    ASSERT_TRUE(bool(target)) << llvm::toString(target.takeError());
    EXPECT_EQ(target->vectorWidth, width) << cpu;
    EXPECT_EQ(target->bf16Dots, pairs) << cpu;
  }
}
