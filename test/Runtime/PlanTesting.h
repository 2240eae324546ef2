//===- PlanTesting.h - Reading the bytes of a plan --------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A plan of a launch whose operands nothing reads, and what must hold of every
// plan. Reads the image as a kernel would, where it was made.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_TEST_RUNTIME_PLANTESTING_H
#define GIRIH_TEST_RUNTIME_PLANTESTING_H

#include "MapTesting.h"
#include "src/cuda/PlanImage.h"
#include "src/cuda/PlanTasks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <tuple>
#include <utility>
#include <vector>

namespace girih::testing {

/// Operands that nothing reads, lengths that everything does.
struct PlanCase {
  PlanCase(const GirihMapProgram &program, int64_t batch, int64_t heads, int64_t kvHeads,
           int64_t numQ, int64_t numK, std::vector<GirihOperand> given = {},
           GirihAlign align = GIRIH_BOTTOM_RIGHT)
      : program(program), operands(std::move(given)) {
    kernel = {GIRIH_MAGIC, GIRIH_ABI_VERSION, "plan",  GIRIH_BF16, align, 64, 64, 64, 32,
              0,           &this->program,    nullptr, GIRIH_BF16, 0,     0};
    GirihView q{this, {batch, heads, numQ, 64}, {0, 0, 64, 1}, GIRIH_BF16, 0};
    GirihView k{this, {batch, kvHeads, numK, 64}, {0, 0, 64, 1}, GIRIH_BF16, 0};
    GirihView o = q;
    EXPECT_EQ(girihPrepareLaunch(&kernel, &q, &k, &k, &o, nullptr, 1.0f, &launch, &params, &status),
              GIRIH_OK)
        << status.message;
    params.operands = operands.data();
    params.num_operands = static_cast<int64_t>(operands.size());
    map = buildMap(this->program, params);
  }
  int32_t blocks = 1000000; ///< one a task
  bool maySplit = false;

  int build() {
    image = cuda::PlanImage{};
    int code =
        cuda::buildPlanImage(kernel, *map, program, launch, blocks, maySplit, image, &status);
    if (code == GIRIH_OK)
      image.relocate(image.bytes.data());
    return code;
  }
  const GirihCudaTask &task(int64_t i) const {
    return reinterpret_cast<const GirihCudaTask *>(image.bytes.data() + image.tasksAt)[i];
  }
  const GirihRun *runs() const {
    return reinterpret_cast<const GirihRun *>(image.bytes.data() + image.runsAt);
  }
  int64_t numRuns() const { return image.numRuns; }
  const GirihBoundTable *tables() const {
    return reinterpret_cast<const GirihBoundTable *>(image.bytes.data() + image.tablesAt);
  }
  /// Whether [data, data + bytes) lies in the image.
  bool holds(const void *data, int64_t bytes) const {
    const char *begin = image.bytes.data(), *at = static_cast<const char *>(data);
    return at >= begin && at + bytes <= begin + image.bytes.size();
  }
  const GirihCudaMerge &merge(int64_t i) const {
    return reinterpret_cast<const GirihCudaMerge *>(image.bytes.data() + image.mergesAt)[i];
  }
  /// Where the tasks of each block begin, and the end.
  std::vector<int32_t> blockBegin() const {
    const auto *begin = reinterpret_cast<const int32_t *>(image.bytes.data() + image.blocksAt);
    return {begin, begin + image.numBlocks + 1};
  }

  using QTile = std::tuple<int32_t, int32_t, int32_t>;
  /// The tasks of each q-tile, by slot.
  std::map<QTile, std::map<int32_t, GirihCudaTask>> tasksOfTiles() const {
    std::map<QTile, std::map<int32_t, GirihCudaTask>> tasks;
    for (int32_t i = 0; i < image.numTasks; ++i) {
      const GirihCudaTask &t = task(i);
      EXPECT_EQ(t.kv_head, t.head / launch.heads_per_kv);
      bool isNew = tasks[{t.batch, t.head, t.q_tile}].insert({t.slot, t}).second;
      EXPECT_TRUE(isNew) << "slot " << t.slot;
    }
    return tasks;
  }
  using Tiles = std::vector<std::pair<int32_t, int32_t>>; ///< index and state
  static void append(const GirihRun &run, int64_t most, Tiles &tiles) {
    for (int32_t tile = run.begin; tile < run.end && most > 0; ++tile, --most)
      tiles.push_back({tile, run.state});
  }
  /// What the map lists for a q-tile; one partial tile if nothing.
  Tiles expectedTiles(const QTile &at) const {
    int64_t count = 0;
    const GirihRun *listed =
        girihBlockMapRuns(map.get(), std::get<0>(at), std::get<1>(at), std::get<2>(at), &count);
    Tiles tiles;
    for (int64_t i = 0; i < count; ++i)
      append(listed[i], INT64_MAX, tiles);
    return tiles.empty() ? Tiles{{0, GIRIH_TILE_PARTIAL}} : tiles;
  }
  /// What the kernel computes for a task, as it reads the list: run by run, until it
  /// has as many tiles as it was told; where the list is cut, its runs are too.
  Tiles tilesOf(const GirihCudaTask &t) const {
    Tiles tiles;
    for (int64_t run = t.first_run; static_cast<int32_t>(tiles.size()) < t.num_tiles; ++run) {
      if (run >= numRuns() || runs()[run].begin >= runs()[run].end) {
        ADD_FAILURE() << "run " << run << " of " << numRuns() << " is empty or beyond the list";
        return tiles;
      }
      append(runs()[run], INT64_MAX, tiles);
    }
    EXPECT_EQ(static_cast<int32_t>(tiles.size()), t.num_tiles);
    return tiles;
  }

  /// Each k-tile of each q-tile once and in order, whole or in slots that one merge
  /// collects; blocks in order, none without work.
  void expectEachTileOnce() const {
    std::map<QTile, GirihCudaMerge> merges;
    int32_t slots = 0;
    for (int32_t i = 0; i < image.numMerges; ++i) {
      EXPECT_GE(merge(i).num_slots, 2);
      EXPECT_EQ(merge(i).first_slot, slots);
      slots += merge(i).num_slots;
      merges[{merge(i).batch, merge(i).head, merge(i).q_tile}] = merge(i);
    }
    EXPECT_EQ(slots, image.numSlots);
    EXPECT_EQ(merges.size(), static_cast<size_t>(image.numMerges));
    auto tasks = tasksOfTiles();
    int64_t rows = girihBlockMapRows(map.get());
    ASSERT_EQ(static_cast<int64_t>(tasks.size()), params.batch * params.heads * rows);
    size_t merged = 0;
    for (const auto &[at, parts] : tasks) {
      Tiles tiles;
      for (const auto &[slot, part] : parts) {
        EXPECT_GE(part.num_tiles, 1);
        Tiles more = tilesOf(part);
        tiles.insert(tiles.end(), more.begin(), more.end());
      }
      ASSERT_EQ(tiles, expectedTiles(at));
      auto found = merges.find(at);
      if (found == merges.end()) {
        EXPECT_EQ(parts.size(), 1u);
        EXPECT_EQ(parts.begin()->first, -1);
        continue;
      }
      ++merged;
      EXPECT_EQ(static_cast<int32_t>(parts.size()), found->second.num_slots);
      EXPECT_EQ(parts.begin()->first, found->second.first_slot);
      EXPECT_EQ(parts.rbegin()->first, found->second.first_slot + found->second.num_slots - 1);
    }
    EXPECT_EQ(merged, merges.size());
    std::vector<int32_t> begin = blockBegin();
    EXPECT_EQ(begin.front(), 0);
    EXPECT_EQ(begin.back(), image.numTasks);
    EXPECT_EQ(image.numBlocks, std::min(blocks, image.numTasks));
    for (size_t i = 1; i < begin.size(); ++i)
      EXPECT_LT(begin[i - 1], begin[i]);
    // One empty run follows the last.
    const GirihRun &last = runs()[numRuns() - 1];
    EXPECT_TRUE(last.begin == 0 && last.end == 0);
  }
  /// Work of each block: tiles and ramps.
  std::vector<int64_t> loads() const {
    std::vector<int64_t> sums;
    std::vector<int32_t> begin = blockBegin();
    for (size_t block = 0; block + 1 < begin.size(); ++block) {
      sums.push_back(0);
      for (int32_t i = begin[block]; i < begin[block + 1]; ++i)
        sums.back() += task(i).num_tiles + cuda::kSplitCosts.ramp;
    }
    return sums;
  }

  GirihMapProgram program;
  std::vector<GirihOperand> operands;
  GirihKernelDesc kernel{};
  GirihLaunch launch{};
  GirihMapParams params{};
  GirihStatus status{};
  Map map;
  cuda::PlanImage image;
};

} // namespace girih::testing

#endif // GIRIH_TEST_RUNTIME_PLANTESTING_H
