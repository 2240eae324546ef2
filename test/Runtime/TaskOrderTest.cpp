//===- TaskOrderTest.cpp - In which order tasks run -----------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Proves that every task runs once, heavy groups first, and long tasks first
// within each.
//
//===----------------------------------------------------------------------===//

#include "src/TaskOrder.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

using girih::orderTasks;
using Order = std::vector<uint32_t>;

TEST(TaskOrder, NothingIsNothing) { EXPECT_EQ(orderTasks({}, 4), Order{}); }

TEST(TaskOrder, LongestFirstAndEqualOnesByNumber) {
  EXPECT_EQ(orderTasks({1, 5, 0, 5, 2}, 5), (Order{1, 3, 4, 0, 2}));
  EXPECT_EQ(orderTasks({7, 7, 7}, 3), (Order{0, 1, 2}));
  EXPECT_EQ(orderTasks({0, 0}, 2), (Order{0, 1}));
}

TEST(TaskOrder, HeaviestGroupFirstAndTheLastMayBeShort) {
  EXPECT_EQ(orderTasks({1, 2, 3, 4, 9}, 2), (Order{4, 3, 2, 1, 0}));
  EXPECT_EQ(orderTasks({1, 2, 2, 1, 1}, 2), (Order{1, 0, 2, 3, 4}));
}

TEST(TaskOrder, LongCostsAreOrderedUpToAClass) {
  std::mt19937_64 random(7);
  std::vector<int64_t> costs(5000);
  for (int64_t &cost : costs)
    cost = static_cast<int64_t>(random() % 10'000'000);
  Order order = orderTasks(costs, 5000);
  Order sorted = order;
  std::sort(sorted.begin(), sorted.end());
  for (uint32_t i = 0; i < 5000; ++i)
    ASSERT_EQ(sorted[i], i);
  for (size_t i = 1; i < order.size(); ++i)
    EXPECT_LT(costs[order[i]], costs[order[i - 1]] + 10'000'000 / 1000);
}
