//===- TaskOrder.cpp - In which order the tasks of a launch run -----------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Sorting is by classes of cost, in linear time: a launch of a million tokens
// has many thousand tasks and is ordered each time.
//
//===----------------------------------------------------------------------===//

#include "TaskOrder.h"

#include <algorithm>
#include <numeric>

using namespace girih;

/// Writes tasks [begin, end) by descending cost to `order`: a stable counting
/// sort over at most kBuckets classes of cost.
static void sortGroup(const std::vector<int64_t> &costs, int64_t begin, int64_t end,
                      uint32_t *order) {
  constexpr int64_t kBuckets = 1024;
  int64_t highest = *std::max_element(costs.begin() + begin, costs.begin() + end);
  auto bucketOf = [&](int64_t cost) {
    return highest < kBuckets ? highest - cost : (kBuckets - 1) - cost * (kBuckets - 1) / highest;
  };
  int64_t places[kBuckets + 1] = {};
  for (int64_t i = begin; i < end; ++i)
    ++places[bucketOf(costs[i]) + 1];
  for (int64_t i = 0; i < kBuckets; ++i)
    places[i + 1] += places[i];
  for (int64_t i = begin; i < end; ++i)
    order[places[bucketOf(costs[i])]++] = static_cast<uint32_t>(i);
}

std::vector<uint32_t> girih::orderTasks(const std::vector<int64_t> &costs, int64_t groupSize) {
  struct Group {
    int64_t begin, end, cost;
  };
  auto total = static_cast<int64_t>(costs.size());
  std::vector<Group> groups;
  for (int64_t begin = 0; begin < total; begin += groupSize) {
    int64_t end = std::min(begin + groupSize, total);
    groups.push_back(
        {begin, end, std::accumulate(costs.begin() + begin, costs.begin() + end, int64_t{0})});
  }
  std::sort(groups.begin(), groups.end(), [](const Group &a, const Group &b) {
    return a.cost != b.cost ? a.cost > b.cost : a.begin < b.begin;
  });
  std::vector<uint32_t> order(costs.size());
  uint32_t *next = order.data();
  for (const Group &group : groups) {
    sortGroup(costs, group.begin, group.end, next);
    next += group.end - group.begin;
  }
  return order;
}
