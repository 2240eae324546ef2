//===- Schedule.cpp - The order in which tasks run ------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Groups of whole KV heads, as small as keeps every thread busy inside one.
//
//===----------------------------------------------------------------------===//

#include "Schedule.h"

#include "../TaskSplit.h"

#include <algorithm>

using namespace girih;

/// Tasks a thread should find in a group, so that its longest do not decide
/// when the group ends.
static constexpr int64_t kTasksPerThread = 16;

/// A task packs its queries and writes its output, which takes about as long as a
/// tile of 64 x 64; the rows of a part are written and read once more.
static constexpr SplitCosts kSplitCosts{/*ramp=*/1, /*leastPart=*/8, /*merge=*/1, /*slot=*/1};

Schedule::Schedule(const GirihBlockMap &map, int64_t batch, int64_t heads, int64_t headsPerKv,
                   int32_t threads)
    : map(map), heads(heads), rows(girihBlockMapRows(&map)), total(batch * heads * rows) {
  if (threads == 1 || total > int64_t{UINT32_MAX})
    return;
  std::vector<int64_t> costs(static_cast<size_t>(total));
  int64_t mostPieces = 0; // when every task is cut as short as it may be
  for (int64_t i = 0; i < total; ++i) {
    costs[i] = std::max<int64_t>(cost(i), 1);
    mostPieces += std::max<int64_t>(costs[i] / kSplitCosts.leastPart, 1);
  }
  threads = static_cast<int32_t>(std::min<int64_t>(threads, mostPieces));
  int64_t ofKvHead = headsPerKv * rows;
  int64_t kvHeads = (kTasksPerThread * threads + ofKvHead - 1) / ofKvHead;
  int64_t groupSize = std::min(kvHeads * ofKvHead, total);

  TaskSchedule schedule = scheduleTasks(costs, groupSize, threads, /*maySplit=*/true, kSplitCosts);
  pieces.reserve(costs.size());
  for (uint32_t number : schedule.order) {
    if (int32_t parts = schedule.parts[number]; parts > 1)
      cut(number, costs[number], parts);
    else
      pieces.push_back({number, -1});
  }
}

void Schedule::cut(uint32_t number, int64_t tiles, int32_t parts) {
  GirihTask whole = task(number);
  auto split = static_cast<int32_t>(cuts.size());
  cuts.push_back({number, static_cast<int32_t>(slots.size()), parts});
  for (int32_t part = 0; part < parts; ++part) {
    auto first = static_cast<int64_t>(runs.size());
    appendTiles(whole.runs, whole.num_runs, partBegin(tiles, parts, part),
                partBegin(tiles, parts, part + 1), runs);
    pieces.push_back({number, static_cast<int32_t>(slots.size())});
    slots.push_back({split, first, static_cast<int64_t>(runs.size()) - first});
  }
}

/// Listed tiles.
int64_t Schedule::cost(int64_t number) const {
  GirihTask whole = task(number);
  int64_t tiles = 0;
  for (int64_t i = 0; i < whole.num_runs; ++i)
    tiles += whole.runs[i].end - whole.runs[i].begin;
  return tiles;
}

GirihTask Schedule::task(int64_t number) const {
  int64_t combination = number / rows;
  GirihTask task;
  task.batch = combination / heads;
  task.head = combination % heads;
  task.q_tile = number % rows;
  task.runs = girihBlockMapRuns(&map, task.batch, task.head, task.q_tile, &task.num_runs);
  return task;
}

Piece Schedule::piece(int64_t place) const {
  if (pieces.empty())
    return {task(place), -1, -1};
  Entry entry = pieces[static_cast<size_t>(place)];
  Piece piece{task(entry.number), entry.slot, -1};
  if (entry.slot >= 0) {
    const Slot &slot = slots[static_cast<size_t>(entry.slot)];
    piece.split = slot.split;
    piece.task.runs = runs.data() + slot.firstRun;
    piece.task.num_runs = slot.numRuns;
  }
  return piece;
}

int64_t Schedule::bytes() const {
  return static_cast<int64_t>(pieces.capacity() * sizeof(Entry) + cuts.capacity() * sizeof(Split) +
                              slots.capacity() * sizeof(Slot) + runs.capacity() * sizeof(GirihRun));
}
