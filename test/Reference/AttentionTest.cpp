//===- AttentionTest.cpp - The reference against sums done by hand --------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Proves the reference on cases small enough to check by other means: averages,
// single keys, empty rows, huge scores, grouped heads, batches.
//
//===----------------------------------------------------------------------===//

#include "girih/Reference/Attention.h"

#include "TestSeed.h"
#include "girih/Reference/Membership.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <random>
#include <set>
#include <tuple>

using namespace girih;

namespace {
/// A problem that owns its inputs.
struct Owned {
  AttentionProblem problem;
  std::vector<float> q, k, v;

  Owned(const Pattern &pattern, const Shape &shape, int64_t kvHeads, int64_t dim, int64_t vDim,
        int64_t batch = 1) {
    problem.pattern = pattern;
    problem.shape = shape;
    problem.batch = batch;
    problem.kvHeads = kvHeads;
    problem.dim = dim;
    problem.vDim = vDim;
    problem.scale = 1 / std::sqrt(double(dim));
    q.resize(batch * shape.heads * shape.numQ * dim);
    k.resize(batch * kvHeads * shape.numK * dim);
    v.resize(batch * kvHeads * shape.numK * vDim);
    point();
  }
  void point() {
    problem.q = q.data();
    problem.k = k.data();
    problem.v = v.data();
  }
  void randomize(uint64_t seed) {
    std::mt19937_64 random(seed);
    for (auto *values : {&q, &k, &v})
      for (float &value : *values)
        value = float(int64_t(random() % 2001) - 1000) / 500.0F;
  }
  AttentionResult run(unsigned threads = 1) const {
    return referenceAttention(problem, allRows(problem), threads);
  }
};
} // namespace

constexpr double inf = std::numeric_limits<double>::infinity();

TEST(Attention, equal_scores_average_the_values) {
  Owned a(causal(), makeShape(3, 3, 1, false), 1, 2, 2);
  a.v = {1, 10, 2, 20, 6, 60};
  a.point();
  AttentionResult r = a.run();
  EXPECT_EQ(r.out, (std::vector<double>{1, 10, 1.5, 15, 3, 30}));
  EXPECT_DOUBLE_EQ(r.lse[0], 0);
  EXPECT_DOUBLE_EQ(r.lse[1], std::log(2));
  EXPECT_DOUBLE_EQ(r.lse[2], std::log(3));
}

TEST(Attention, rows_that_see_nothing_are_zero) {
  Owned a(causal(), makeShape(3, 1, 1, false), 1, 1, 2);
  a.randomize(1);
  AttentionResult r = a.run();
  for (int64_t row : {0, 1}) {
    EXPECT_EQ(r.out[row * 2], 0);
    EXPECT_EQ(r.out[row * 2 + 1], 0);
    EXPECT_EQ(r.lse[row], -inf);
  }
  EXPECT_DOUBLE_EQ(r.out[4], a.v[0]);
}

TEST(Attention, scores_follow_the_definition) {
  Owned a(full(), makeShape(1, 2, 1, false), 1, 2, 1);
  a.q = {1, 2};
  a.k = {3, -1, 0.5F, 4};
  a.v = {10, 20};
  a.problem.scale = 0.5;
  a.point();
  double s0 = 0.5 * 1, s1 = 0.5 * 8.5, sum = std::exp(s0) + std::exp(s1);
  AttentionResult r = a.run();
  EXPECT_NEAR(r.out[0], (10 * std::exp(s0) + 20 * std::exp(s1)) / sum, 1e-12);
  EXPECT_NEAR(r.lse[0], std::log(sum), 1e-12);
}

TEST(Attention, huge_scores_do_not_overflow) {
  Owned a(full(), makeShape(1, 2, 1, false), 1, 1, 1);
  a.q = {1e18F};
  a.k = {1e18F, -1e18F};
  a.v = {3, 5};
  a.point();
  AttentionResult r = a.run();
  EXPECT_EQ(r.out[0], 3);
  EXPECT_NEAR(r.lse[0] / 1e36, 1, 1e-6);
}

TEST(Attention, score_functions_see_absolute_positions) {
  Owned a(full(), makeShape(2, 3, 2, false), 2, 1, 1, 2);
  a.randomize(2);
  std::set<std::tuple<int64_t, int64_t, int64_t, int64_t>> seen;
  a.problem.score = [&](double s, int64_t b, int64_t h, int64_t q, int64_t k) {
    seen.insert({b, h, q, k});
    return k == 1 ? -inf : 2.0;
  };
  AttentionResult r = a.run();
  EXPECT_EQ(seen.size(), 2u * 2 * 2 * 3);
  EXPECT_EQ(std::get<2>(*seen.begin()), 1);
  EXPECT_DOUBLE_EQ(r.out[0], (double(a.v[0]) + double(a.v[2])) / 2);
  EXPECT_DOUBLE_EQ(r.lse[0], 2 + std::log(2));
}

TEST(Attention, scores_of_minus_infinity_hide_and_nan_shows) {
  Owned a(full(), makeShape(1, 3, 1, false), 1, 1, 1);
  a.randomize(3);
  a.problem.score = [](double, int64_t, int64_t, int64_t, int64_t) { return -inf; };
  EXPECT_EQ(a.run().out[0], 0);
  EXPECT_EQ(a.run().lse[0], -inf);
  for (int64_t at : {0, 1, 2}) {
    a.problem.score = [at](double s, int64_t, int64_t, int64_t, int64_t k) {
      return k == at ? NAN : s;
    };
    EXPECT_TRUE(std::isnan(a.run().out[0]));
    EXPECT_TRUE(std::isnan(a.run().lse[0]));
  }
}

TEST(Attention, heads_share_key_heads_in_groups) {
  // Values name the (batch, key head) they come from.
  Owned a(full(), makeShape(1, 2, 4, false), 2, 1, 1, 2);
  a.v = {0, 0, 1, 1, 10, 10, 11, 11};
  a.point();
  EXPECT_EQ(a.run().out, (std::vector<double>{0, 0, 1, 1, 10, 10, 11, 11}));
}

TEST(Attention, equals_a_naive_loop_on_random_inputs) {
  Shape shape = makeShape(13, 17, 4, false);
  Pattern pattern = (window(5, 2) & ~columns(3, 0, 1)) | global(1);
  Owned a(pattern, shape, 2, 11, 3, 2);
  a.randomize(test::seed());
  AttentionResult r = a.run();
  std::vector<RowIndex> rows = allRows(a.problem);
  ASSERT_EQ(rows.size(), size_t(2 * 4 * 13));
  for (size_t i = 0; i < rows.size(); ++i) {
    auto [b, h, q] = rows[i];
    double sum = 0, out[3] = {};
    for (int64_t k = 0; k < 17; ++k) {
      if (!contains(pattern, shape, b, h, q + 4, k))
        continue;
      double s = 0;
      for (int64_t d = 0; d < 11; ++d)
        s += double(a.q[((b * 4 + h) * 13 + q) * 11 + d]) *
             double(a.k[((b * 2 + h / 2) * 17 + k) * 11 + d]);
      double weight = std::exp(s / std::sqrt(11.0));
      sum += weight;
      for (int64_t d = 0; d < 3; ++d)
        out[d] += weight * double(a.v[((b * 2 + h / 2) * 17 + k) * 3 + d]);
    }
    EXPECT_NEAR(r.lse[i], std::log(sum), 1e-10);
    for (int64_t d = 0; d < 3; ++d)
      EXPECT_NEAR(r.out[i * 3 + d], out[d] / sum, 1e-10);
  }
}

TEST(Attention, threads_and_samples_change_nothing) {
  Owned a(causal() & randomBlocks(4, 2, 1), makeShape(40, 50, 4, false), 1, 8, 5, 2);
  a.randomize(7);
  AttentionResult one = a.run(), two = a.run(2);
  EXPECT_EQ(one.out, two.out);
  EXPECT_EQ(one.lse, two.lse);
  std::vector<RowIndex> rows = sampleRows(a.problem, 30, 9);
  ASSERT_EQ(rows.size(), 30u);
  AttentionResult part = referenceAttention(a.problem, rows, 2);
  std::set<std::tuple<int64_t, int64_t, int64_t>> distinct;
  for (size_t i = 0; i < rows.size(); ++i) {
    distinct.insert({rows[i].b, rows[i].h, rows[i].q});
    size_t index = size_t((rows[i].b * 4 + rows[i].h) * 40 + rows[i].q);
    EXPECT_EQ(part.lse[i], one.lse[index]);
    EXPECT_EQ(part.out[i * 5 + 4], one.out[index * 5 + 4]);
  }
  EXPECT_EQ(distinct.size(), 30u);
  EXPECT_EQ(distinct.count({1, 3, 0}), 1u);
  EXPECT_EQ(distinct.count({1, 3, 39}), 1u);
  EXPECT_EQ(sampleRows(a.problem, 5000, 9).size(), size_t(2 * 4 * 40));
}
