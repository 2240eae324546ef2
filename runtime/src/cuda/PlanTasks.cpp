//===- PlanTasks.cpp - Tasks, runs and merges of a plan -------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PlanTasks.h"

#include "../Error.h"
#include "../map/BlockMapImpl.h"

#include <algorithm>
#include <cinttypes>

using namespace girih;
using namespace girih::cuda;

int cuda::checkPlanSize(int64_t tasks, int64_t runs, GirihStatus *status) {
  if (tasks > INT32_MAX)
    return fail(status, GIRIH_UNSUPPORTED,
                "expected at most %d tasks (batch * heads * q-tiles), but got %" PRId64, INT32_MAX,
                tasks);
  if (runs > INT32_MAX)
    return fail(status, GIRIH_UNSUPPORTED,
                "expected the block map to have at most %d runs, but got %" PRId64, INT32_MAX,
                runs);
  return GIRIH_OK;
}

int64_t cuda::planGroupSize(const GirihKernelDesc &kernel, const GirihLaunch &launch,
                            int64_t rows) {
  int64_t elementBytes = kernel.dtype == GIRIH_F32 ? 4 : 2;
  int64_t headBytes = launch.num_k * (int64_t{kernel.head_dim} + kernel.v_dim) * elementBytes;
  int64_t kvHeads = launch.q.shape[0] * launch.q.shape[1] / launch.heads_per_kv;
  int64_t fit = std::max<int64_t>(1, kGroupBytes / headBytes);
  int64_t groups = ceilDiv(kvHeads, fit);
  return ceilDiv(kvHeads, groups) * launch.heads_per_kv * rows;
}

std::vector<int32_t> cuda::balanceTasks(std::vector<GirihCudaTask> &tasks,
                                        const std::vector<int64_t> &work, int32_t blocks) {
  WorkerLoads loads(blocks, kSplitCosts);
  std::vector<std::vector<GirihCudaTask>> lists(static_cast<size_t>(blocks));
  for (size_t i = 0; i < tasks.size(); ++i)
    lists[static_cast<size_t>(loads.take(work[i]))].push_back(tasks[i]);
  std::vector<int32_t> begin{0};
  tasks.clear();
  for (const auto &list : lists) {
    tasks.insert(tasks.end(), list.begin(), list.end());
    begin.push_back(static_cast<int32_t>(tasks.size()));
  }
  return begin;
}

namespace {

/// The runs of a plan as they are collected.
class RunStore {
public:
  /// Copies each distinct list of `map` once.
  explicit RunStore(const GirihBlockMap &map) : map(map), cuts(map.lists.size()) {
    for (const RowLists &list : map.lists) {
      first.push_back(static_cast<int64_t>(runs.size()));
      runs.insert(runs.end(), list.runs.begin(), list.runs.end());
    }
    // What every q-tile without keys is given.
    noKeys = static_cast<int64_t>(runs.size());
    runs.push_back({0, 1, GIRIH_TILE_PARTIAL, 0});
  }

  /// Tiles of a q-tile, at least the one that it is given.
  int64_t tiles(int32_t list, int64_t row) const {
    const RowLists &lists = map.lists[static_cast<size_t>(list)];
    int64_t tiles = 0;
    for (int64_t run = lists.offsets[row]; run < lists.offsets[row + 1]; ++run)
      tiles += lists.runs[run].end - lists.runs[run].begin;
    return std::max<int64_t>(tiles, 1);
  }

  /// What the tiles of a q-tile cost, in full tiles: a partial one takes a quarter
  /// more for its mask (128 x 128 tiles of head dim 128 on an H100).
  int64_t work(int32_t list, int64_t row) const {
    constexpr int64_t partialExtra = 4; // one part in four
    const RowLists &lists = map.lists[static_cast<size_t>(list)];
    int64_t partial = 0;
    for (int64_t run = lists.offsets[row]; run < lists.offsets[row + 1]; ++run)
      if (lists.runs[run].state == GIRIH_TILE_PARTIAL)
        partial += lists.runs[run].end - lists.runs[run].begin;
    return tiles(list, row) + ceilDiv(partial, partialExtra);
  }

  /// Where the whole list of a q-tile begins.
  int64_t whole(int32_t list, int64_t row) const {
    const std::vector<int64_t> &offsets = map.lists[static_cast<size_t>(list)].offsets;
    return offsets[row] == offsets[row + 1] ? noKeys
                                            : first[static_cast<size_t>(list)] + offsets[row];
  }

  /// Where each part of the list of a q-tile begins, after storing them the first
  /// time. Equal q-tiles have as many parts.
  const std::vector<int64_t> &cut(int32_t list, int64_t row, int64_t tiles, int32_t parts) {
    auto &rows = cuts[static_cast<size_t>(list)];
    rows.resize(static_cast<size_t>(map.grid.row.tiles()));
    std::vector<int64_t> &begins = rows[static_cast<size_t>(row)];
    if (!begins.empty())
      return begins;
    const RowLists &lists = map.lists[static_cast<size_t>(list)];
    for (int32_t part = 0; part < parts; ++part) {
      begins.push_back(static_cast<int64_t>(runs.size()));
      appendTiles(lists.runs.data() + lists.offsets[row],
                  lists.offsets[row + 1] - lists.offsets[row], partBegin(tiles, parts, part),
                  partBegin(tiles, parts, part + 1), runs);
    }
    return begins;
  }

  int64_t size() const { return static_cast<int64_t>(runs.size()); }
  std::vector<GirihRun> take() {
    runs.push_back({});
    return std::move(runs);
  }

private:
  const GirihBlockMap &map;
  std::vector<GirihRun> runs;
  std::vector<int64_t> first; ///< run of each list
  int64_t noKeys = 0;
  std::vector<std::vector<std::vector<int64_t>>> cuts; ///< [list][row][part]
};

} // namespace

int cuda::listPlanTasks(const GirihKernelDesc &kernel, const GirihBlockMap &map,
                        const GirihLaunch &launch, int32_t blocks, bool maySplit, PlanTasks &plan,
                        GirihStatus *status) {
  int64_t rows = map.grid.row.tiles(), heads = map.params.heads;
  Wide wholeTasks = Wide(map.params.batch) * heads * rows;
  int64_t numRuns = 0;
  for (const RowLists &list : map.lists)
    numRuns += static_cast<int64_t>(list.runs.size());
  if (int code = checkPlanSize(saturate(wholeTasks), numRuns, status))
    return code;

  RunStore runs(map);
  std::vector<std::vector<int64_t>> tilesOfList(map.lists.size()), workOfList(map.lists.size());
  for (size_t list = 0; list < map.lists.size(); ++list)
    for (int64_t row = 0; row < rows; ++row) {
      tilesOfList[list].push_back(runs.tiles(static_cast<int32_t>(list), row));
      workOfList[list].push_back(runs.work(static_cast<int32_t>(list), row));
    }
  auto listOf = [&](int64_t head) {
    return map.listOf[static_cast<size_t>(map.combination(head / heads, head % heads))];
  };
  std::vector<int64_t> tiles, work;
  tiles.reserve(static_cast<size_t>(wholeTasks));
  work.reserve(static_cast<size_t>(wholeTasks));
  for (int64_t head = 0; head < map.params.batch * heads; ++head) {
    const auto list = static_cast<size_t>(listOf(head));
    tiles.insert(tiles.end(), tilesOfList[list].begin(), tilesOfList[list].end());
    work.insert(work.end(), workOfList[list].begin(), workOfList[list].end());
  }
  // Never more parts than tiles: a part has the work of several.
  TaskSchedule schedule =
      scheduleTasks(work, planGroupSize(kernel, launch, rows), blocks, maySplit, kSplitCosts);

  plan = PlanTasks{};
  plan.tasks.reserve(tiles.size());
  std::vector<int64_t> workOfTask;
  workOfTask.reserve(tiles.size());
  for (uint32_t number : schedule.order) {
    int64_t head = number / rows, row = number % rows;
    GirihCudaTask task{};
    task.batch = static_cast<int32_t>(head / heads);
    task.head = static_cast<int32_t>(head % heads);
    task.kv_head = static_cast<int32_t>(head % heads / launch.heads_per_kv);
    task.q_tile = static_cast<int32_t>(row);
    int32_t parts = schedule.parts[number];
    if (parts == 1) {
      task.first_run = static_cast<int32_t>(runs.whole(listOf(head), row));
      task.num_tiles = static_cast<int32_t>(tiles[number]);
      task.slot = -1;
      plan.tasks.push_back(task);
      workOfTask.push_back(work[number]);
      continue;
    }
    plan.merges.push_back({task.batch, task.head, task.q_tile, plan.numSlots, parts, {}});
    const std::vector<int64_t> &begins = runs.cut(listOf(head), row, tiles[number], parts);
    for (int32_t part = 0; part < parts; ++part) {
      task.first_run = static_cast<int32_t>(begins[static_cast<size_t>(part)]);
      task.num_tiles = static_cast<int32_t>(partBegin(tiles[number], parts, part + 1) -
                                            partBegin(tiles[number], parts, part));
      task.slot = plan.numSlots++;
      plan.tasks.push_back(task);
      workOfTask.push_back(partBegin(work[number], parts, part + 1) -
                           partBegin(work[number], parts, part));
    }
  }
  if (int code = checkPlanSize(static_cast<int64_t>(plan.tasks.size()), runs.size() + 1, status))
    return code;
  plan.runs = runs.take();
  plan.blockBegin = balanceTasks(
      plan.tasks, workOfTask,
      static_cast<int32_t>(std::min<int64_t>(blocks, static_cast<int64_t>(plan.tasks.size()))));
  return GIRIH_OK;
}
