//===- LaunchTest.cpp - Results of launches -------------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "JitTesting.h"

#include "girih-c/CpuFeatures.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <thread>

using namespace girih;
using namespace girih::testing;

static bool sameBits(const std::vector<float> &a, const std::vector<float> &b) {
  return a.size() == b.size() && !std::memcmp(a.data(), b.data(), a.size() * sizeof(float));
}

TEST(Launch, LseMayBeNull) {
  auto session = makeSession();
  Sizes sizes;
  auto kernel = compile(*session, causal(), optionsFor(sizes));
  ASSERT_TRUE(kernel);
  Tensors with(sizes), without(sizes);
  ASSERT_EQ(launch(*kernel, with, causal()), "");
  llvm::Error error =
      kernel->launch(without.q, without.k, without.v, without.o, nullptr, without.scale, {}, 1);
  ASSERT_EQ(llvm::toString(std::move(error)), "");
  EXPECT_TRUE(sameBits(with.oData, without.oData));
  for (float value : without.lse)
    EXPECT_TRUE(std::isnan(value));
}

TEST(Launch, RowsThatSeeNothing) {
  auto session = makeSession();
  Sizes sizes{1, 1, 1, 70, 20, 8, 8};
  // Queries before the first key, at negative positions, see nothing.
  auto kernel = compile(*session, causal(), optionsFor(sizes));
  ASSERT_TRUE(kernel);
  Tensors tensors(sizes);
  ASSERT_EQ(launch(*kernel, tensors, causal()), "");
  for (int64_t row = 0; row != 50; ++row) {
    EXPECT_EQ(tensors.lse[row], -std::numeric_limits<float>::infinity());
    for (int64_t i = 0; i != 8; ++i)
      EXPECT_EQ(tensors.oData[row * 8 + i], 0.0f);
  }
  EXPECT_EQ(compareWithReference(tensors, causal()), "");
}

TEST(Launch, SameInputsGiveTheSameBits) {
  auto session = makeSession();
  Sizes sizes{2, 4, 2, 333, 333, 40, 24};
  Pattern pattern = causal() & (window(100) | strided(7));
  auto kernel = compile(*session, pattern, optionsFor(sizes));
  ASSERT_TRUE(kernel);
  Tensors first(sizes);
  ASSERT_EQ(launch(*kernel, first, pattern, 1), "");
  EXPECT_EQ(compareWithReference(first, pattern), "");
  for (int threads : {1, 2, 2, 5, 0}) {
    Tensors again(sizes);
    ASSERT_EQ(launch(*kernel, again, pattern, threads), "");
    EXPECT_TRUE(sameBits(first.oData, again.oData)) << threads << " threads";
    EXPECT_TRUE(sameBits(first.lse, again.lse)) << threads << " threads";
  }
}

TEST(Launch, FromSeveralThreadsAtOnce) {
  auto session = makeSession();
  Sizes sizes{1, 2, 1, 150, 150, 32, 32};
  Pattern pattern = segments({0, 70, 150}) & causal();
  auto kernel = compile(*session, pattern, optionsFor(sizes));
  ASSERT_TRUE(kernel);
  std::vector<std::string> problems(8);
  std::vector<std::thread> threads;
  for (size_t i = 0; i != problems.size(); ++i)
    threads.emplace_back([&, i] {
      // Every thread with operands of its own: they must not be mixed up.
      Pattern mine = segments({0, int64_t(10 + i * 15), 150}) & causal();
      for (int round = 0; round != 5 && problems[i].empty(); ++round) {
        Tensors tensors(sizes, i);
        problems[i] = launch(*kernel, tensors, mine, round % 3);
        if (problems[i].empty())
          problems[i] = compareWithReference(tensors, mine);
      }
    });
  for (std::thread &thread : threads)
    thread.join();
  for (const std::string &problem : problems)
    EXPECT_EQ(problem, "");
}

//===----------------------------------------------------------------------===//
// Processors
//===----------------------------------------------------------------------===//

TEST(Processors, KernelsOfThisOneNeedOnlyWhatItHas) {
  auto session = makeSession();
  Sizes sizes{1, 1, 1, 10, 10, 16, 16};
  auto kernel = compile(*session, causal(), optionsFor(sizes));
  ASSERT_TRUE(kernel);
  EXPECT_EQ(kernel->desc().cpu_features & ~girihCpuFeatures(), 0u);
}

TEST(Processors, KernelsOfAnotherAreRefused) {
  auto session = makeSession();
  Sizes sizes{1, 1, 1, 10, 10, 16, 16};
  CompileOptions options = optionsFor(sizes);
  options.cpu = "bdver4"; // fma4 and xop never came back
  auto kernel = compile(*session, causal(), options);
  ASSERT_TRUE(kernel);
  Tensors tensors(sizes);
  EXPECT_EQ(launch(*kernel, tensors, causal()),
            "expected a processor with what kernel 'attention' was compiled for, but this one "
            "lacks fma4, xop");
}

//===----------------------------------------------------------------------===//
// NaN and infinity: seen, never swallowed
//===----------------------------------------------------------------------===//

namespace {

class NotFinite : public ::testing::TestWithParam<const char *> {
protected:
  void SetUp() override {
    session = makeSession();
    CompileOptions options = optionsFor(sizes);
    options.cpu = GetParam();
    kernel = compile(*session, causal(), options);
    ASSERT_TRUE(kernel);
  }

  float out(const Tensors &t, int64_t row, int64_t column) {
    return t.oData[row * sizes.vDim + column];
  }

  static constexpr float nan = std::numeric_limits<float>::quiet_NaN();
  static constexpr float infinity = std::numeric_limits<float>::infinity();
  Sizes sizes{1, 1, 1, 100, 100, 16, 16};
  std::unique_ptr<Session> session;
  std::shared_ptr<CompiledKernel> kernel;
};

} // namespace

TEST_P(NotFinite, QueryPoisonsItsRowOnly) {
  Tensors clean(sizes), t(sizes);
  ASSERT_EQ(launch(*kernel, clean, causal()), "");
  t.qData[37 * sizes.dim + 5] = nan;
  ASSERT_EQ(launch(*kernel, t, causal()), "");
  EXPECT_TRUE(std::isnan(t.lse[37]));
  for (int64_t row = 0; row != sizes.numQ; ++row)
    for (int64_t i = 0; i != sizes.vDim; ++i)
      if (row == 37)
        EXPECT_TRUE(std::isnan(out(t, row, i)));
      else
        EXPECT_EQ(out(t, row, i), out(clean, row, i));
}

TEST_P(NotFinite, KeyPoisonsRowsThatSeeIt) {
  Tensors clean(sizes), t(sizes);
  ASSERT_EQ(launch(*kernel, clean, causal()), "");
  t.kData[20 * sizes.dim + 1] = nan;
  ASSERT_EQ(launch(*kernel, t, causal()), "");
  for (int64_t row = 0; row != sizes.numQ; ++row) {
    EXPECT_EQ(std::isnan(t.lse[row]), row >= 20) << row;
    for (int64_t i = 0; i != sizes.vDim; ++i)
      EXPECT_EQ(std::isnan(out(t, row, i)), row >= 20) << row;
  }
}

TEST_P(NotFinite, ValueReachesTheOutput) {
  Tensors t(sizes);
  t.vData[20 * sizes.vDim + 3] = nan;
  ASSERT_EQ(launch(*kernel, t, causal()), "");
  for (int64_t row = 20; row != sizes.numQ; ++row)
    EXPECT_TRUE(std::isnan(out(t, row, 3))) << row;
  for (int64_t row = 0; row != sizes.numQ; ++row)
    EXPECT_FALSE(std::isnan(out(t, row, 4))) << row;
}

TEST_P(NotFinite, InfiniteScores) {
  Tensors t(sizes);
  // +inf * q is +inf or -inf: a row with +inf has no meaning, one with -inf does
  // not see the key.
  t.kData[20 * sizes.dim] = infinity;
  ASSERT_EQ(launch(*kernel, t, causal()), "");
  for (int64_t row = 20; row != sizes.numQ; ++row)
    EXPECT_EQ(std::isnan(out(t, row, 0)), t.qData[row * sizes.dim] > 0) << row;
}

INSTANTIATE_TEST_SUITE_P(Cpus, NotFinite, ::testing::Values("", "x86-64-v3", "x86-64"));
