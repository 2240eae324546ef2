//===- ToleranceTest.cpp - Comparisons that can miss ----------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Proves that a wrong number, a NaN or an infinity is never taken for right.
//
//===----------------------------------------------------------------------===//

#include "girih/Reference/Tolerance.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <vector>

using namespace girih;

constexpr float inf = std::numeric_limits<float>::infinity();

static Comparison outputs(const std::vector<float> &actual, const std::vector<double> &expected,
                          GirihDType dtype = GIRIH_F32) {
  return compareOutputs(actual.data(), expected.data(), int64_t(expected.size()), dtype);
}

static Comparison lse(const std::vector<float> &actual, const std::vector<double> &expected) {
  return compareLse(actual.data(), expected.data(), int64_t(expected.size()), GIRIH_F32);
}

TEST(Tolerance, table) {
  EXPECT_EQ(tolerance(GIRIH_F32), 1e-5);
  EXPECT_EQ(tolerance(GIRIH_BF16), 6e-3);
  EXPECT_EQ(tolerance(GIRIH_F16), 1e-3);
}

TEST(Tolerance, errors_are_relative_by_norm) {
  Comparison c = outputs({3, 4.5F}, {3, 4}, GIRIH_BF16);
  EXPECT_DOUBLE_EQ(c.relError, 0.1);
  EXPECT_DOUBLE_EQ(c.maxError, 0.5);
  EXPECT_FALSE(c.good);
  EXPECT_TRUE(outputs({3, 4.02F}, {3, 4}, GIRIH_BF16).good);
  EXPECT_FALSE(outputs({3, 4.02F}, {3, 4}, GIRIH_F16).good);
  EXPECT_TRUE(outputs({3, 4.00001F}, {3, 4}).good);
  EXPECT_FALSE(outputs({3, 4.0001F}, {3, 4}).good);
  EXPECT_TRUE(outputs({}, {}).good);
}

TEST(Tolerance, zero_is_met_by_zero_only) {
  EXPECT_TRUE(outputs({0, -0.0F}, {0, 0}).good);
  EXPECT_FALSE(outputs({0, 1e-30F}, {0, 0}).good);
}

TEST(Tolerance, nan_and_infinity_miss) {
  for (float bad : {std::nanf(""), inf, -inf}) {
    Comparison c = outputs({1, bad}, {1, 2});
    EXPECT_FALSE(c.good);
    EXPECT_TRUE(std::isinf(c.relError));
    EXPECT_TRUE(std::isinf(c.maxError));
    EXPECT_EQ(c.mismatched, 1);
  }
  EXPECT_FALSE(outputs({1}, {double(NAN)}).good);
  EXPECT_FALSE(outputs({inf}, {double(NAN)}).good);
}

TEST(Tolerance, nan_is_met_by_nan_and_counted) {
  Comparison c = outputs({std::nanf(""), 1, -std::nanf("")}, {double(NAN), 1, double(NAN)});
  EXPECT_TRUE(c.good);
  EXPECT_EQ(c.relError, 0);
  EXPECT_EQ(c.mismatched, 0);
  EXPECT_EQ(c.bothNaN, 2);
  // The rest is compared still.
  EXPECT_FALSE(outputs({std::nanf(""), 2}, {double(NAN), 1}).good);
  EXPECT_FALSE(outputs({std::nanf(""), std::nanf("")}, {double(NAN), 1}).good);
}

TEST(Tolerance, lse_of_empty_rows_is_exact) {
  EXPECT_TRUE(lse({-inf, 2}, {-double(inf), 2}).good);
  EXPECT_FALSE(lse({-1e30F, 2}, {-double(inf), 2}).good);
  EXPECT_FALSE(lse({inf, 2}, {-double(inf), 2}).good);
  EXPECT_FALSE(lse({-inf, 2}, {-5, 2}).good);
  // A sum of exponentials near one has a log near zero.
  EXPECT_TRUE(lse({1e-6F}, {0}).good);
  EXPECT_FALSE(lse({1e-4F}, {0}).good);
}

TEST(Tolerance, both_must_be_good) {
  std::vector<float> out = {1, 2}, logs = {0.5F};
  std::vector<double> expectedOut = {1, 2}, expectedLogs = {0.5};
  auto both = [&] {
    return compare(out.data(), expectedOut.data(), 2, logs.data(), expectedLogs.data(), 1,
                   GIRIH_F32);
  };
  EXPECT_TRUE(both().good);
  logs[0] = 0.6F;
  EXPECT_FALSE(both().good);
  EXPECT_GT(both().relError, 1e-5);
  logs[0] = 0.5F;
  out[1] = std::nanf("");
  EXPECT_FALSE(both().good);
}
