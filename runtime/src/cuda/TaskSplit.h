//===- TaskSplit.h - Cutting long tasks, and who computes what --*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Decides from numbers of tiles alone how the tasks of a launch are cut, in which
// order their parts start, and which block computes which. Knows no maps and no
// memory.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_RUNTIME_CUDA_TASKSPLIT_H
#define GIRIH_RUNTIME_CUDA_TASKSPLIT_H

#include <cstdint>
#include <functional>
#include <queue>
#include <utility>
#include <vector>

namespace girih::cuda {

/// What a task costs besides its tiles, in tiles: the ramp of its pipeline and
/// its output.
constexpr int64_t kRampTiles = 3;
/// Fewest tiles of a part: below, more than half of its time is ramp and merge.
constexpr int64_t kLeastPartTiles = 4;
/// What merging costs a launch, in tiles (one is about 1.6 us for 128 x 128 and a
/// head dim of 128, half of it for 64): a second kernel, which starts and drains
/// when the first has ended...
constexpr int64_t kMergeTiles = 4;
/// ...and what a block writes and reads back for each part it has: 128 KB, most of
/// it from the L2 cache.
constexpr int64_t kSlotTiles = 2;

/// The work of each block, as tasks are handed to whoever has the least.
class BlockLoads {
public:
  explicit BlockLoads(int32_t blocks) {
    for (int32_t block = 0; block < blocks; ++block)
      loads.push({0, block});
  }
  /// Adds a task of so many tiles to the block with the least work (the first of
  /// equals), which is returned.
  int32_t take(int64_t tiles) {
    auto [work, block] = loads.top();
    loads.pop();
    work += tiles + kRampTiles;
    loads.push({work, block});
    most = work > most ? work : most;
    return block;
  }
  /// Work of the block that ends last.
  int64_t longest() const { return most; }

private:
  using Load = std::pair<int64_t, int32_t>; // work, block
  std::priority_queue<Load, std::vector<Load>, std::greater<Load>> loads;
  int64_t most = 0;
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

/// Schedules tasks that cost `tiles` full k-tiles each (at least one) on `blocks` blocks.
///
/// Order: groups of `groupSize` consecutive tasks, which share a cache, heaviest
/// first; longest task first in each. Before all of them come tasks that take longer
/// than their whole group does on all blocks: begun with a late group, they would
/// end long after everything else.
///
/// Cuts, with `maySplit`: only where a task costs more than the average load of a
/// block, since balancing is enough otherwise. Then several lengths of a part around
/// that average are tried, until one ends close to it, and the one that ends first is
/// taken, merging counted, if it ends before not cutting at all does. Tasks that are no longer than
/// a part stay whole.
TaskSchedule scheduleTasks(const std::vector<int64_t> &tiles, int64_t groupSize, int32_t blocks,
                           bool maySplit);

} // namespace girih::cuda

#endif // GIRIH_RUNTIME_CUDA_TASKSPLIT_H
