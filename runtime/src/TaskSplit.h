//===- TaskSplit.h - Cutting long tasks, and who computes what --*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Decides from numbers of tiles alone how the tasks of a launch are cut, in which
// order their parts start, and which worker computes which. Workers are the blocks
// of a GPU or the threads of a CPU, which differ in what a task costs. Knows no maps
// and no memory.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_RUNTIME_TASKSPLIT_H
#define GIRIH_RUNTIME_TASKSPLIT_H

#include "girih-c/BlockMap.h"

#include <cstdint>
#include <functional>
#include <queue>
#include <utility>
#include <vector>

namespace girih {

/// What tasks cost besides their tiles, in tiles.
struct SplitCosts {
  int64_t ramp;      ///< of each task: filling and draining its pipeline, its output
  int64_t leastPart; ///< fewest tiles of a part: below, ramp and merge are most of its time
  int64_t merge;     ///< of a launch that merges at all
  int64_t slot;      ///< of a worker, for each of its parts that is merged
};

/// The work of each worker, as tasks are handed to whoever has the least.
class WorkerLoads {
public:
  WorkerLoads(int32_t workers, const SplitCosts &costs) : ramp(costs.ramp) {
    for (int32_t worker = 0; worker < workers; ++worker)
      loads.push({0, worker});
  }
  /// Adds a task of so many tiles to the worker with the least work (the first of
  /// equals), which is returned.
  int32_t take(int64_t tiles) {
    auto [work, worker] = loads.top();
    loads.pop();
    work += tiles + ramp;
    loads.push({work, worker});
    most = work > most ? work : most;
    return worker;
  }
  /// Work of the one that ends last.
  int64_t longest() const { return most; }

private:
  using Load = std::pair<int64_t, int32_t>; // work, worker
  std::priority_queue<Load, std::vector<Load>, std::greater<Load>> loads;
  int64_t ramp, most = 0;
};

/// How the tasks of a launch are cut, and in which order they are handed out.
struct TaskSchedule {
  std::vector<int32_t> parts;  ///< of each task, at least one
  std::vector<uint32_t> order; ///< numbers of tasks; parts of one follow each other
};

/// First tile of part `part` of a task that is cut into `parts` about equal ones;
/// part = parts gives the end.
inline int64_t partBegin(int64_t tiles, int64_t parts, int64_t part) {
  return tiles * part / parts;
}

/// Appends tiles [begin, end) of a list of runs, counted over the list, to `out`.
void appendTiles(const GirihRun *runs, int64_t numRuns, int64_t begin, int64_t end,
                 std::vector<GirihRun> &out);

/// Schedules tasks that cost `tiles` full k-tiles each (at least one) on `workers` workers.
///
/// Order: groups of `groupSize` consecutive tasks, which share a cache, heaviest
/// first; longest task first in each. Before all of them come tasks that take longer
/// than their whole group does on all workers: begun with a late group, they would
/// end long after everything else.
///
/// Cuts, with `maySplit`: only where a task costs more than the average load of a
/// worker, since balancing is enough otherwise. Then several lengths of a part around
/// that average are tried, until one ends close to it, and the one that ends first is
/// taken, merging counted, if it ends before not cutting at all does. Tasks that are no longer than
/// a part stay whole.
TaskSchedule scheduleTasks(const std::vector<int64_t> &tiles, int64_t groupSize, int32_t workers,
                           bool maySplit, const SplitCosts &costs);

} // namespace girih

#endif // GIRIH_RUNTIME_TASKSPLIT_H
