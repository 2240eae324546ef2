//===- WrapperTest.cpp - The C++ layer over the C API ------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Girih.h"

#include <gtest/gtest.h>

using namespace girih::api;

namespace {

/// The text of the Error that `body` throws; its code goes before it.
template <typename Body> std::string thrown(Body body) {
  try {
    body();
  } catch (const Error &error) {
    return std::to_string(error.code()) + ": " + error.what();
  } catch (const std::invalid_argument &error) {
    return error.what();
  }
  return "nothing";
}

} // namespace

TEST(Wrapper, ParsesCompilesLaunchesAndRebinds) {
  Session session("");
  const std::string text = "causal & segments(offsets=@docs)";
  Pattern pattern = session.pattern(text, {{"docs", {0, 4, 10}, {}}});
  EXPECT_EQ(text, pattern.text());
  CompileOptions options;
  options.headDim = 8;
  Kernel kernel = session.compile(pattern, options);
  EXPECT_GT(kernel.compileMs(), 0);

  std::vector<float> q(80, 0.0f), v(80), o(80), lse(10);
  for (size_t i = 0; i != v.size(); ++i)
    v[i] = static_cast<float>(i / 8);
  const Tensor lseTensor = Tensor::f32(lse.data(), {1, 1, 10});
  GirihAttentionReport report{};
  LaunchOptions launch;
  launch.lse = &lseTensor;
  launch.report = &report;
  auto attend = [&](Kernel &with) {
    // Columns of v in another order of dimensions: [tokens, heads, dim].
    with.attention(Tensor::f32(q.data(), {1, 1, 10, 8}), Tensor::f32(q.data(), {1, 1, 10, 8}),
                   Tensor(v.data(), GIRIH_F32, {1, 1, 10, 8}, {80, 8, 8, 1}),
                   Tensor::f32(o.data(), {1, 1, 10, 8}), launch);
  };
  attend(kernel);
  // Queries of zeros weigh alike what they see: 4 to 9.
  EXPECT_FLOAT_EQ(6.5f, o[9 * 8]);
  EXPECT_FLOAT_EQ(std::log(6.0f), lse[9]);
  EXPECT_GT(report.workspace_bytes, 0);

  Kernel rebound = kernel.rebound(session.pattern(text, {{"docs", {0, 9, 10}, {}}}));
  attend(rebound);
  EXPECT_FLOAT_EQ(9.0f, o[9 * 8]);
  EXPECT_EQ(1, session.compilations());
}

TEST(Wrapper, ThrowsWhatWentWrong) {
  Session session("");
  EXPECT_EQ(0u, thrown([&] { session.pattern("causl"); }).find("2: <pattern>:1:1: error: "));
  EXPECT_EQ("3: head dims 300 and 300 are not supported; supported: 1 to 256", thrown([&] {
              CompileOptions options;
              options.headDim = 300;
              session.compile(session.pattern("full"), options);
            }));
  EXPECT_EQ("expected as many strides as extents, 2, but got 1",
            thrown([] { Tensor(nullptr, GIRIH_F32, {1, 2}, {1}); }));
  EXPECT_EQ("expected the shape of table 't' to have up to 4 extents of 3 values together",
            thrown([&] { session.pattern("full", {{"t", {1, 2, 3}, {2, 2}}}); }));
}
