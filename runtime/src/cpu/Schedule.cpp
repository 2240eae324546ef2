//===- Schedule.cpp - The order in which tasks run ------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Groups of whole KV heads, heaviest group first; within a group longest task
// first. The last tasks of a launch are then the shortest of the lightest
// group.
//
//===----------------------------------------------------------------------===//

#include "Schedule.h"

#include <algorithm>

using namespace girih;

/// Tasks a thread should find in a group, so that its longest do not decide
/// when the group ends.
static constexpr int64_t kTasksPerThread = 16;

Schedule::Schedule(const GirihBlockMap &map, int64_t batch, int64_t heads, int64_t headsPerKv,
                   int32_t threads)
    : map(map), heads(heads), rows(girihBlockMapRows(&map)), total(batch * heads * rows) {
  if (threads == 1 || total > int64_t{UINT32_MAX})
    return;
  int64_t ofKvHead = headsPerKv * rows;
  int64_t kvHeads = (kTasksPerThread * threads + ofKvHead - 1) / ofKvHead;
  int64_t groupSize = std::min(kvHeads * ofKvHead, total);

  struct Group {
    int64_t begin, end, cost;
  };
  std::vector<Group> groups;
  for (int64_t begin = 0; begin < total; begin += groupSize) {
    Group group{begin, std::min(begin + groupSize, total), 0};
    for (int64_t i = group.begin; i < group.end; ++i)
      group.cost += cost(i);
    groups.push_back(group);
  }
  std::sort(groups.begin(), groups.end(), [](const Group &a, const Group &b) {
    return a.cost != b.cost ? a.cost > b.cost : a.begin < b.begin;
  });
  order.reserve(static_cast<size_t>(total));
  for (const Group &group : groups)
    sortGroup(group.begin, group.end);
}

/// Listed tiles.
int64_t Schedule::cost(int64_t number) const {
  int64_t combination = number / rows, numRuns = 0, tiles = 0;
  const GirihRun *runs =
      girihBlockMapRuns(&map, combination / heads, combination % heads, number % rows, &numRuns);
  for (int64_t i = 0; i < numRuns; ++i)
    tiles += runs[i].end - runs[i].begin;
  return tiles;
}

/// Appends tasks [begin, end) by descending cost: a stable counting sort over
/// at most kBuckets classes of cost.
void Schedule::sortGroup(int64_t begin, int64_t end) {
  constexpr int64_t kBuckets = 1024;
  std::vector<int64_t> costs;
  costs.reserve(static_cast<size_t>(end - begin));
  for (int64_t i = begin; i < end; ++i)
    costs.push_back(cost(i));
  int64_t highest = *std::max_element(costs.begin(), costs.end());
  auto bucketOf = [&](int64_t cost) {
    return highest < kBuckets ? highest - cost : (kBuckets - 1) - cost * (kBuckets - 1) / highest;
  };
  std::vector<int64_t> places(kBuckets + 1, 0);
  for (int64_t cost : costs)
    ++places[bucketOf(cost) + 1];
  for (int64_t i = 0; i < kBuckets; ++i)
    places[i + 1] += places[i];
  size_t base = order.size();
  order.resize(base + costs.size());
  for (size_t i = 0; i < costs.size(); ++i)
    order[base + static_cast<size_t>(places[bucketOf(costs[i])]++)] =
        static_cast<uint32_t>(begin) + static_cast<uint32_t>(i);
}

GirihTask Schedule::task(int64_t place) const {
  int64_t number = order.empty() ? place : int64_t{order[place]};
  int64_t combination = number / rows;
  GirihTask task;
  task.batch = combination / heads;
  task.head = combination % heads;
  task.q_tile = number % rows;
  task.runs = girihBlockMapRuns(&map, task.batch, task.head, task.q_tile, &task.num_runs);
  return task;
}
