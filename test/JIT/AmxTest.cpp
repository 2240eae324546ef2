//===- AmxTest.cpp - Kernels with AMX tiles -------------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Proves that products in AMX tiles agree with the reference, for head dims and tiles that
// end inside a tile register, lengths that end inside a tile of the kernel, strides, and
// several threads. Where the processor has AMX it runs them; elsewhere the emulator does,
// as long as the processor has the rest, such as AVX512-BF16.
//
//===----------------------------------------------------------------------===//

#include "AmxEmulator.h"
#include "JitTesting.h"

#include "girih-c/CpuFeatures.h"
#include "girih/Reference/Rounding.h"
#include "girih/Support/Error.h"
#include "girih/Target/Cpu.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <optional>

using namespace girih;
using namespace girih::testing;

namespace {

/// All that kernels of a processor with AMX use but what no processor has without it.
constexpr const char *amxCpu = "sapphirerapids,-avx512fp16";

class Amx : public ::testing::Test {
protected:
  void SetUp() override {
    auto target = CpuTarget::named(amxCpu);
    ASSERT_TRUE(bool(target)) << llvm::toString(target.takeError());
    ASSERT_TRUE(target->amx);
    uint64_t missing = target->featureBits & ~girihCpuFeatures();
    if (!missing)
      return;
    if (missing & ~amxBits() || !AmxEmulator::isSupported())
      GTEST_SKIP() << "no AMX, nor all that its emulator runs on";
    emulator.emplace();
  }
  void TearDown() override {
    if (emulator)
      EXPECT_EQ(emulator->unreleased(), 0);
  }

  static uint64_t amxBits() {
    uint64_t bits = 0;
#define GIRIH_AMX(bit, name)                                                                       \
  if (!std::strncmp(name, "amx-", 4))                                                              \
    bits |= uint64_t{1} << (bit);
    GIRIH_CPU_FEATURES(GIRIH_AMX)
#undef GIRIH_AMX
    return bits;
  }

  CompileOptions options(const Sizes &sizes) const {
    CompileOptions options = optionsFor(sizes);
    options.dtype = GIRIH_BF16;
    options.cpu = amxCpu;
    return options;
  }

  /// Launches with rows `gap` elements apart. The runtime rightly refuses kernels that need
  /// AMX where there is none: the emulator stands in for it, so the copy of the descriptor
  /// does not ask for it.
  std::string launch(CompiledKernel &kernel, Tensors &t, const Pattern &pattern, int64_t gap = 0,
                     int threads = 1) {
    NarrowCopy q(t.q, GIRIH_BF16, gap), k(t.k, GIRIH_BF16, gap), v(t.v, GIRIH_BF16, gap);
    GirihKernelDesc desc = kernel.desc();
    EXPECT_TRUE(desc.cpu_features & amxBits());
    if (emulator)
      desc.cpu_features &= ~amxBits();
    GirihStatus status{};
    GirihLaunch prepared{};
    GirihMapParams params{};
    if (girihPrepareLaunch(&desc, &q.view, &k.view, &v.view, &t.o, t.lse.data(), t.scale, &prepared,
                           &params, &status) != GIRIH_OK)
      return status.message;
    std::vector<GirihOperand> operands = patternOperands(pattern);
    params.operands = operands.data();
    params.num_operands = static_cast<int64_t>(operands.size());
    auto map = kernel.blockMap(params);
    if (!map)
      return llvm::toString(map.takeError());
    GirihCpuOptions cpuOptions{threads, 0};
    if (girihLaunchCpu(&desc, &prepared, map->get(), &cpuOptions, &status) != GIRIH_OK)
      return status.message;
    return "";
  }

  std::string check(CompiledKernel &kernel, const Pattern &pattern, const Sizes &sizes,
                    int64_t gap = 0, int threads = 1) {
    Tensors tensors(sizes);
    tensors.roundInputs(GIRIH_BF16);
    if (std::string problem = launch(kernel, tensors, pattern, gap, threads); !problem.empty())
      return problem;
    return compareWithReference(tensors, pattern, /*score=*/{}, /*topLeft=*/false, GIRIH_BF16);
  }

  std::unique_ptr<Session> session = makeSession();
  std::optional<AmxEmulator> emulator;
};

} // namespace

TEST_F(Amx, AgreesWithTheReference) {
  for (auto [dim, vDim] :
       {std::pair(64, 64), std::pair(32, 16), std::pair(33, 17), std::pair(1, 1),
        std::pair(80, 100), std::pair(128, 31), std::pair(24, 40), std::pair(256, 256)}) {
    Sizes sizes{1, 2, 1, 131, 193, dim, vDim};
    auto kernel = compile(*session, causal(), options(sizes));
    ASSERT_TRUE(kernel);
    for (int64_t gap : {0, 1, 32})
      EXPECT_EQ(check(*kernel, causal(), sizes, gap), "") << dim << " " << vDim << " " << gap;
  }
}

TEST_F(Amx, AnyTile) {
  // Keys that are no multiple of 16 are multiplied as pairs, those of 32 fill a register.
  for (auto [tileQ, tileK] : {std::pair(16, 16), std::pair(48, 48), std::pair(32, 24),
                              std::pair(64, 8), std::pair(80, 128), std::pair(128, 32)}) {
    Sizes sizes{1, 2, 2, 150, 170, 40, 24};
    CompileOptions sized = options(sizes);
    sized.tileQ = tileQ;
    sized.tileK = tileK;
    auto kernel = compile(*session, window(50), sized);
    ASSERT_TRUE(kernel);
    EXPECT_EQ(check(*kernel, window(50), sizes), "") << tileQ << " x " << tileK;
  }
}

TEST_F(Amx, ProductsAreThoseOfTheTiles) {
  // Two tiles of 64 x 64: scores are 4 x 4 results over a depth of 3 (80 of 96 columns),
  // outputs 4 x 2 over a depth of 2.
  Sizes sizes{1, 1, 1, 64, 128, 80, 32};
  auto kernel = compile(*session, full(), options(sizes));
  ASSERT_TRUE(kernel);
  EXPECT_EQ(check(*kernel, full(), sizes), "");
  if (!emulator)
    GTEST_SKIP() << "only the emulator counts";
  EXPECT_EQ(emulator->products(), 2 * (4 * 4 * 3 + 4 * 2 * 2));
  EXPECT_EQ(emulator->configurations(), 1);
}

TEST_F(Amx, ThreadsHaveTilesOfTheirOwn) {
  Sizes sizes{2, 4, 2, 200, 1100, 64, 48};
  auto pattern = window(300) | globalColumns(5);
  auto kernel = compile(*session, pattern, options(sizes));
  ASSERT_TRUE(kernel);
  EXPECT_EQ(check(*kernel, pattern, sizes, /*gap=*/0, /*threads=*/4), "");
}

TEST_F(Amx, CallsOfTheRuntimeInBetween) {
  // Partial tiles of a random pattern ask the runtime which pairs it keeps.
  Sizes sizes{1, 2, 1, 150, 150, 64, 64};
  auto pattern = randomBlocks(24, 2, 5) | window(10);
  auto kernel = compile(*session, pattern, options(sizes));
  ASSERT_TRUE(kernel);
  EXPECT_EQ(check(*kernel, pattern, sizes), "");
}

TEST_F(Amx, AnyScale) {
  Sizes sizes{1, 2, 1, 100, 100, 40, 24};
  auto kernel = compile(*session, window(30), options(sizes));
  ASSERT_TRUE(kernel);
  for (float scale : {-0.4f, 0.0f, 3.0f}) {
    Tensors tensors(sizes);
    tensors.roundInputs(GIRIH_BF16);
    tensors.scale = scale;
    ASSERT_EQ(launch(*kernel, tensors, window(30)), "");
    EXPECT_EQ(compareWithReference(tensors, window(30), {}, false, GIRIH_BF16), "") << scale;
  }
}

TEST_F(Amx, NotANumberStaysInItsRows) {
  Sizes sizes{1, 1, 1, 100, 100, 24, 24};
  auto kernel = compile(*session, causal(), options(sizes));
  ASSERT_TRUE(kernel);
  Tensors tensors(sizes);
  tensors.qData[37 * 24 + 5] = std::numeric_limits<float>::quiet_NaN();
  ASSERT_EQ(launch(*kernel, tensors, causal()), "");
  for (int64_t row = 0; row != 100; ++row)
    EXPECT_EQ(std::isnan(tensors.oData[row * 24]), row == 37) << row;
}

TEST(AmxTarget, IsChosenByFeatures) {
  for (auto [cpu, amx] :
       {std::pair("sapphirerapids", true), std::pair("graniterapids", true),
        std::pair("sapphirerapids,-amx-bf16", false), std::pair("sapphirerapids,-amx-tile", false),
        std::pair("znver5,+amx-tile,+amx-bf16", true), std::pair("znver5", false),
        std::pair("x86-64-v4,+amx-tile,+amx-bf16", false)}) {
    auto target = CpuTarget::named(cpu);
    ASSERT_TRUE(bool(target)) << llvm::toString(target.takeError());
    EXPECT_EQ(target->amx, amx) << cpu;
  }
}
