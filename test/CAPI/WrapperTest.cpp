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
  Pattern pattern = session.pattern(text, {{"docs", {0, 4, 10}, {}, {}}});
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

  Kernel rebound = kernel.rebound(session.pattern(text, {{"docs", {0, 9, 10}, {}, {}}}));
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
            thrown([&] { session.pattern("full", {{"t", {1, 2, 3}, {2, 2}, {}}}); }));
  EXPECT_EQ("expected values or floats of table 't', but got both",
            thrown([&] { session.score("score", {{"t", {1}, {}, {1}}}); }));
  // In C the text would end there.
  EXPECT_EQ("expected a text without zero bytes, but got one at 6",
            thrown([&] { session.pattern(std::string("causal\0 & empty", 15)); }));
  EXPECT_EQ("expected the name of a table without zero bytes, but got one at 1", thrown([&] {
              session.pattern("segments(offsets=@t)", {{std::string("t\0u", 3), {0, 4}, {}, {}}});
            }));
  EXPECT_EQ("expected cacheDir without zero bytes, but got one at 4",
            thrown([] { Session(std::string("/tmp\0/x", 7)); }));
  EXPECT_EQ("expected chip without zero bytes, but got one at 5", thrown([&] {
              CompileOptions options;
              options.chip = std::string("sm_80\0a", 7);
              session.compile(session.pattern("full"), options);
            }));
  const int64_t huge = int64_t(1) << 40;
  EXPECT_EQ("expected the shape of table 't' to have up to 4 extents of 0 values together",
            thrown([&] { session.pattern("full", {{"t", {}, {huge, huge}, {}}}); }));
  EXPECT_EQ("expected lengths from 1 on with less than 2^63 pairs, but got 0",
            thrown([&] { session.pattern("full").mask({0, 4}); }));
}

TEST(Wrapper, ScoresMasksAndExplains) {
  Session session("");
  Pattern pattern = session.pattern("causal");
  EXPECT_EQ((std::vector<uint8_t>{1, 0, 1, 1}), pattern.mask({2, 2}));
  EXPECT_EQ((std::vector<uint8_t>{1, 1, 0, 1, 1, 1}), pattern.mask({2, 3}));
  EXPECT_NE(std::string::npos, session.explain(pattern, {1000, 1000}).find("coverage"));
  EXPECT_EQ('{', session.explain(pattern, {1000, 1000}, GIRIH_REPORT_JSON).at(0));

  // Queries of zeros, and a bias on the last key that leaves nothing of the others.
  auto lastRow = [&](Kernel &kernel) {
    std::vector<float> q(32, 0.0f), v(32), o(32);
    for (size_t i = 0; i != v.size(); ++i)
      v[i] = static_cast<float>(i / 8);
    kernel.attention(Tensor::f32(q.data(), {1, 1, 4, 8}), Tensor::f32(q.data(), {1, 1, 4, 8}),
                     Tensor::f32(v.data(), {1, 1, 4, 8}), Tensor::f32(o.data(), {1, 1, 4, 8}));
    return o[24];
  };
  const std::string text = "score + @bias[k]";
  Score score = session.score(text, {{"bias", {}, {}, {0, 0, 0, 200}}});
  CompileOptions options;
  options.headDim = 8;
  options.score = &score;
  Kernel kernel = session.compile(pattern, options);
  EXPECT_FLOAT_EQ(3.0f, lastRow(kernel));
  Score other = session.score(text, {{"bias", {}, {}, {0, 200, 0, 0}}});
  Kernel rebound = kernel.rebound(pattern, &other);
  EXPECT_FLOAT_EQ(1.0f, lastRow(rebound));
  EXPECT_FALSE(kernel.isCaptured());
  EXPECT_EQ(1, session.compilations());
}
