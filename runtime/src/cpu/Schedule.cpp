//===- Schedule.cpp - The order in which tasks run ------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Groups of whole KV heads, as small as keeps every thread busy inside one.
//
//===----------------------------------------------------------------------===//

#include "Schedule.h"

#include "../TaskOrder.h"

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

  std::vector<int64_t> costs(static_cast<size_t>(total));
  for (int64_t i = 0; i < total; ++i)
    costs[i] = cost(i);
  order = orderTasks(costs, groupSize);
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
