//===- PlanImage.cpp - The bytes of a plan, before they are copied --------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a block map to the task and run lists that a GPU kernel reads.
//
//===----------------------------------------------------------------------===//

#include "PlanImage.h"

#include "../Error.h"
#include "../LaunchChecks.h"
#include "../TaskOrder.h"
#include "../map/BlockMapImpl.h"

#include <algorithm>
#include <cinttypes>
#include <cstring>
#include <functional>
#include <queue>
#include <utility>

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

namespace {

/// Hands out places in the image.
class Layout {
public:
  /// Room for `bytes`; returns where it begins.
  int64_t add(int64_t bytes) {
    constexpr int64_t align = 256;
    int64_t at = size;
    size += ceilDiv(bytes, align) * align;
    return at;
  }
  int64_t size = 0;
};

} // namespace

/// Places the lists of `table`, whose lengths follow from its fields.
static PlanImage::TablePlaces placeTable(const GirihBoundTable &table, int64_t heads,
                                         Layout &layout) {
  if (table.kind == GIRIH_TABLE_SEGMENTS)
    return {layout.add(table.num_units * int64_t{sizeof(int32_t)}), -1, -1};
  int64_t offsets = (table.per_head ? heads : 1) * (table.rows + 1);
  int64_t listed = table.indptr[offsets - 1];
  int64_t indptr = layout.add(offsets * int64_t{sizeof(int64_t)});
  return {-1, indptr, layout.add(listed * int64_t{sizeof(int32_t)})};
}

/// Copies the lists of `table` to their places in `bytes`.
static void copyTable(const GirihBoundTable &table, const PlanImage::TablePlaces &places,
                      int64_t heads, char *bytes) {
  if (places.ids >= 0) {
    if (table.num_units > 0)
      memcpy(bytes + places.ids, table.ids, static_cast<size_t>(table.num_units) * sizeof(int32_t));
    return;
  }
  int64_t offsets = (table.per_head ? heads : 1) * (table.rows + 1);
  memcpy(bytes + places.indptr, table.indptr, static_cast<size_t>(offsets) * sizeof(int64_t));
  if (int64_t listed = table.indptr[offsets - 1])
    memcpy(bytes + places.indices, table.indices, static_cast<size_t>(listed) * sizeof(int32_t));
}

void PlanImage::relocate(const void *base) {
  for (size_t i = 0; i < tables.size(); ++i) {
    GirihBoundTable table = tables[i];
    auto address = [&](int64_t place) { return static_cast<const char *>(base) + place; };
    if (places[i].ids >= 0) {
      table.ids = reinterpret_cast<const int32_t *>(address(places[i].ids));
    } else {
      table.indptr = reinterpret_cast<const int64_t *>(address(places[i].indptr));
      table.indices = reinterpret_cast<const int32_t *>(address(places[i].indices));
    }
    memcpy(bytes.data() + tablesAt + i * sizeof(table), &table, sizeof(table));
  }
}

/// Writes the runs of each distinct list once; returns where each begins.
static std::vector<int64_t> copyRuns(const GirihBlockMap &map, char *to) {
  std::vector<int64_t> first;
  int64_t count = 0;
  for (const RowLists &list : map.lists) {
    first.push_back(count);
    if (!list.runs.empty())
      memcpy(to + count * int64_t{sizeof(GirihRun)}, list.runs.data(),
             list.runs.size() * sizeof(GirihRun));
    count += static_cast<int64_t>(list.runs.size());
  }
  return first;
}

/// The tasks in the order they should start.
static std::vector<GirihCudaTask>
listTasks(const GirihBlockMap &map, const std::vector<int64_t> &firstRun, int64_t groupSize) {
  int64_t rows = map.grid.row.tiles(), heads = map.params.heads;
  std::vector<std::vector<int64_t>> tilesOfRow(map.lists.size());
  for (size_t i = 0; i < map.lists.size(); ++i)
    for (int64_t row = 0; row < rows; ++row) {
      const RowLists &list = map.lists[i];
      int64_t tiles = 0;
      for (int64_t run = list.offsets[row]; run < list.offsets[row + 1]; ++run)
        tiles += list.runs[run].end - list.runs[run].begin;
      tilesOfRow[i].push_back(tiles);
    }
  std::vector<int64_t> costs;
  costs.reserve(static_cast<size_t>(map.params.batch * heads * rows));
  for (int64_t i = 0; i < map.params.batch * heads; ++i) {
    const auto &ofHead = tilesOfRow[map.listOf[map.combination(i / heads, i % heads)]];
    costs.insert(costs.end(), ofHead.begin(), ofHead.end());
  }
  std::vector<GirihCudaTask> tasks;
  tasks.reserve(costs.size());
  for (uint32_t number : orderTasks(costs, groupSize)) {
    int64_t head = number / rows, row = number % rows;
    int32_t index = map.listOf[map.combination(head / heads, head % heads)];
    const std::vector<int64_t> &offsets = map.lists[index].offsets;
    GirihCudaTask task;
    task.batch = static_cast<int32_t>(head / heads);
    task.head = static_cast<int32_t>(head % heads);
    task.q_tile = static_cast<int32_t>(row);
    task.first_run = static_cast<int32_t>(firstRun[index] + offsets[row]);
    task.num_runs = static_cast<int32_t>(offsets[row + 1] - offsets[row]);
    task.num_tiles = static_cast<int32_t>(costs[number]);
    tasks.push_back(task);
  }
  return tasks;
}

std::vector<int32_t> cuda::balanceTasks(std::vector<GirihCudaTask> &tasks, int32_t blocks) {
  // What a task costs besides its tiles: the ramp of its pipeline and its output.
  constexpr int64_t rampTiles = 3;
  using Load = std::pair<int64_t, int32_t>; // work, block
  std::priority_queue<Load, std::vector<Load>, std::greater<Load>> loads;
  for (int32_t block = 0; block < blocks; ++block)
    loads.push({0, block});
  std::vector<std::vector<GirihCudaTask>> lists(static_cast<size_t>(blocks));
  for (const GirihCudaTask &task : tasks) {
    auto [work, block] = loads.top();
    loads.pop();
    lists[static_cast<size_t>(block)].push_back(task);
    loads.push({work + task.num_tiles + rampTiles, block});
  }
  std::vector<int32_t> begin{0};
  tasks.clear();
  for (const auto &list : lists) {
    tasks.insert(tasks.end(), list.begin(), list.end());
    begin.push_back(static_cast<int32_t>(tasks.size()));
  }
  return begin;
}

int cuda::buildPlanImage(const GirihKernelDesc &kernel, const GirihBlockMap &map,
                         const GirihMapProgram &program, const GirihLaunch &launch, int32_t blocks,
                         PlanImage &image, GirihStatus *status) {
  if (map.grid.reverse)
    return fail(status, GIRIH_INVALID, "expected a forward block map, but got a reverse one");
  if (int code = checkMapLengths(kernel, launch, map.params, status))
    return code;
  if (program.num_tables != map.tables.size())
    return fail(status, GIRIH_INVALID,
                "expected the program of the block map, with %" PRId64 " tables, but got %d",
                map.tables.size(), program.num_tables);
  int64_t rows = map.grid.row.tiles();
  Wide tasks = Wide(map.params.batch) * map.params.heads * rows;
  int64_t runs = 0;
  for (const RowLists &list : map.lists)
    runs += static_cast<int64_t>(list.runs.size());
  if (int code = checkPlanSize(saturate(tasks), runs, status))
    return code;

  image.numTasks = static_cast<int32_t>(tasks);
  image.tables.assign(map.tables.data(), map.tables.data() + map.tables.size());
  Layout layout;
  image.tasksAt = layout.add(image.numTasks * int64_t{sizeof(GirihCudaTask)});
  image.numBlocks = blocks > 0 ? std::min(blocks, image.numTasks) : image.numTasks;
  image.blocksAt = layout.add((image.numBlocks + int64_t{1}) * int64_t{sizeof(int32_t)});
  // Kernels read one run ahead: an empty one closes the list.
  image.runsAt = layout.add((runs + 1) * int64_t{sizeof(GirihRun)});
  image.tablesAt = layout.add(map.tables.size() * int64_t{sizeof(GirihBoundTable)});
  for (const GirihBoundTable &table : image.tables)
    image.places.push_back(placeTable(table, map.params.heads, layout));
  // Zeros between the parts: initialised memory makes compute-sanitizer useful.
  image.bytes.assign(static_cast<size_t>(layout.size), '\0');

  char *bytes = image.bytes.data();
  std::vector<int64_t> firstRun = copyRuns(map, bytes + image.runsAt);
  std::vector<GirihCudaTask> listed = listTasks(map, firstRun, planGroupSize(kernel, launch, rows));
  std::vector<int32_t> begin = balanceTasks(listed, image.numBlocks);
  memcpy(bytes + image.tasksAt, listed.data(), listed.size() * sizeof(GirihCudaTask));
  memcpy(bytes + image.blocksAt, begin.data(), begin.size() * sizeof(int32_t));
  for (size_t i = 0; i < image.tables.size(); ++i)
    copyTable(image.tables[i], image.places[i], map.params.heads, bytes);
  return GIRIH_OK;
}
