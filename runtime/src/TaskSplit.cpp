//===- TaskSplit.cpp - Cutting long tasks, and who computes what ----------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A few schedules are made and the one that would end first is taken: what makes a
// cut pay (whole rounds of workers, ramps, merging, cache groups) is easier to add
// up than to put into one formula.
//
//===----------------------------------------------------------------------===//

#include "TaskSplit.h"

#include "TaskOrder.h"
#include "map/Integer.h"

#include <algorithm>
#include <numeric>

using namespace girih;

void girih::appendTiles(const GirihRun *runs, int64_t numRuns, int64_t begin, int64_t end,
                        std::vector<GirihRun> &out) {
  int64_t at = 0; // tiles before the run
  for (int64_t i = 0; i < numRuns && at < end; ++i) {
    GirihRun run = runs[i];
    int64_t count = run.end - run.begin;
    int64_t from = std::max<int64_t>(begin - at, 0), until = std::min(end - at, count);
    if (from < until) {
      run.end = static_cast<int32_t>(run.begin + until);
      run.begin = static_cast<int32_t>(run.begin + from);
      out.push_back(run);
    }
    at += count;
  }
}

/// Orders tasks by the cost of a part, as scheduleTasks says.
static std::vector<uint32_t> orderParts(const std::vector<int64_t> &tiles,
                                        const std::vector<int32_t> &parts, int64_t groupSize,
                                        int32_t workers, const SplitCosts &split) {
  size_t count = tiles.size();
  std::vector<int64_t> costs(count);
  std::vector<int64_t> ofGroup(count / static_cast<size_t>(groupSize) + 1);
  for (size_t i = 0; i < count; ++i) {
    costs[i] = ceilDiv(tiles[i], parts[i]) + split.ramp;
    ofGroup[i / static_cast<size_t>(groupSize)] += tiles[i] + split.ramp * parts[i];
  }
  std::vector<uint32_t> first, rest;
  for (uint32_t task : orderTasks(costs, groupSize)) {
    bool isLong = costs[task] * workers > ofGroup[task / static_cast<size_t>(groupSize)];
    (isLong ? first : rest).push_back(task);
  }
  first.insert(first.end(), rest.begin(), rest.end());
  return first;
}

/// When the last worker ends, in tiles, merging included.
static int64_t endOf(const TaskSchedule &schedule, const std::vector<int64_t> &tiles,
                     int32_t workers, const SplitCosts &costs) {
  WorkerLoads loads(workers, costs);
  int64_t slots = 0;
  for (uint32_t task : schedule.order) {
    int64_t parts = schedule.parts[task];
    for (int64_t part = 0; part < parts; ++part)
      loads.take(partBegin(tiles[task], parts, part + 1) - partBegin(tiles[task], parts, part));
    slots += parts > 1 ? parts : 0;
  }
  int64_t merge = slots > 0 ? costs.merge + ceilDiv(slots * costs.slot, int64_t{workers}) : 0;
  return loads.longest() + merge;
}

TaskSchedule girih::scheduleTasks(const std::vector<int64_t> &tiles, int64_t groupSize,
                                  int32_t workers, bool maySplit, const SplitCosts &costs) {
  TaskSchedule best;
  best.parts.assign(tiles.size(), 1);
  best.order = orderParts(tiles, best.parts, groupSize, workers, costs);
  if (!maySplit || tiles.empty())
    return best;
  int64_t longest = *std::max_element(tiles.begin(), tiles.end());
  int64_t total = std::accumulate(tiles.begin(), tiles.end(), int64_t{0}) +
                  costs.ramp * static_cast<int64_t>(tiles.size());
  int64_t average = ceilDiv(total, int64_t{workers});
  if (longest + costs.ramp <= average)
    return best;
  int64_t bestEnd = endOf(best, tiles, workers, costs);
  // Nothing that is cut ends before this: no search when balancing does as well.
  if (bestEnd <= average + costs.merge)
    return best;
  // Eighths of the average load. Shorter parts than half of it only add ramps, and
  // longer ones than about all of it are what was to be avoided; between the two,
  // how many rounds of parts fill the workers decides.
  for (int64_t eighths : {8, 9, 7, 10, 6, 5, 4}) {
    int64_t most = std::max(average * eighths / 8, costs.leastPart);
    TaskSchedule tried;
    tried.parts.reserve(tiles.size());
    for (int64_t count : tiles)
      tried.parts.push_back(static_cast<int32_t>(
          std::max<int64_t>(1, std::min(ceilDiv(count, most), count / costs.leastPart))));
    tried.order = orderParts(tiles, tried.parts, groupSize, workers, costs);
    if (int64_t end = endOf(tried, tiles, workers, costs); end < bestEnd) {
      bestEnd = end;
      best = std::move(tried);
    }
    // Little is left to gain, and a million tokens have many tasks to go through.
    if (bestEnd <= average + average / 16 + costs.merge)
      break;
  }
  return best;
}
