//===- CudaSplitTest.cpp - Long rows in parts -----------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Proves that q-tiles are cut where that lets a launch end earlier and nowhere
// else, that parts are about equal and neither longer than a block's share nor
// tiny, and, on random maps, that parts together are what was cut.
//
//===----------------------------------------------------------------------===//

#include "PlanTesting.h"
#include "src/TaskSplit.h"

#include "girih/Reference/Dice.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>
#include <random>

using namespace girih;
using cuda::kSplitCosts;
using namespace girih::testing;

namespace {

constexpr int64_t kOneGroup = int64_t{1} << 40;

/// Work of the block that ends last.
int64_t endOf(const std::vector<int64_t> &tiles, const TaskSchedule &schedule, int32_t blocks) {
  WorkerLoads loads(blocks, kSplitCosts);
  for (uint32_t task : schedule.order)
    for (int32_t part = 0; part < schedule.parts[task]; ++part)
      loads.take(partBegin(tiles[task], schedule.parts[task], part + 1) -
                 partBegin(tiles[task], schedule.parts[task], part));
  return loads.longest();
}

int64_t averageOf(const std::vector<int64_t> &tiles, int32_t blocks) {
  int64_t total = std::accumulate(tiles.begin(), tiles.end(), int64_t{0}) +
                  kSplitCosts.ramp * static_cast<int64_t>(tiles.size());
  return (total + blocks - 1) / blocks;
}

} // namespace

TEST(TaskSplit, PartsCoverATaskInEqualShares) {
  for (int64_t tiles : {8, 9, 100, 8191})
    for (int64_t parts : {1, 2, 3, 7, 8}) {
      EXPECT_EQ(partBegin(tiles, parts, 0), 0);
      EXPECT_EQ(partBegin(tiles, parts, parts), tiles);
      for (int64_t part = 0; part < parts; ++part) {
        int64_t share = partBegin(tiles, parts, part + 1) - partBegin(tiles, parts, part);
        EXPECT_GE(share, tiles / parts);
        EXPECT_LE(share, tiles / parts + 1);
      }
    }
}

TEST(TaskSplit, NothingIsCutWhereBalancingIsEnough) {
  // Causal, 16 heads of 128 q-tiles; equal tasks; a few long ones among many.
  std::vector<int64_t> causal, mixed(2048, 5);
  for (int64_t i = 0; i < 16 * 128; ++i)
    causal.push_back(i % 128 + 1);
  for (int64_t i = 0; i < 16; ++i)
    mixed[i * 128] = 128;
  for (const auto &tiles : {causal, mixed, std::vector<int64_t>(500, 40)}) {
    TaskSchedule schedule = scheduleTasks(tiles, kOneGroup, 132, true, kSplitCosts);
    EXPECT_EQ(*std::max_element(schedule.parts.begin(), schedule.parts.end()), 1);
  }
}

TEST(TaskSplit, ARowThatSetsTheTimeIsCut) {
  // A window of one head, and its global row.
  std::vector<int64_t> tiles(256, 6);
  tiles[0] = 256;
  TaskSchedule whole = scheduleTasks(tiles, kOneGroup, 132, false, kSplitCosts);
  EXPECT_EQ(whole.parts, std::vector<int32_t>(256, 1));
  EXPECT_EQ(endOf(tiles, whole, 132), 256 + kSplitCosts.ramp);
  TaskSchedule cut = scheduleTasks(tiles, kOneGroup, 132, true, kSplitCosts);
  EXPECT_GT(cut.parts[0], 8);
  EXPECT_EQ(std::accumulate(cut.parts.begin() + 1, cut.parts.end(), 0), 255);
  EXPECT_LT(endOf(tiles, cut, 132), 36);
}

TEST(TaskSplit, FewTasksFillAllBlocks) {
  // One query row over a long context, then 8 and 64 of them.
  for (auto [tasks, length] : {std::pair(1, 8192), std::pair(8, 2048), std::pair(64, 512)}) {
    std::vector<int64_t> tiles(static_cast<size_t>(tasks), length);
    TaskSchedule schedule = scheduleTasks(tiles, kOneGroup, 132, true, kSplitCosts);
    int64_t ideal = int64_t{tasks} * length / 132;
    EXPECT_LT(endOf(tiles, schedule, 132), ideal * 11 / 10 + 2 * kSplitCosts.ramp) << tasks;
  }
}

TEST(TaskSplit, ShortTasksAreNotWorthMerging) {
  for (int64_t length : {1, 4, 7, 8})
    EXPECT_EQ(scheduleTasks({length}, kOneGroup, 132, true, kSplitCosts).parts,
              (std::vector<int32_t>{1}));
}

TEST(TaskSplit, TasksLongerThanTheirGroupComeFirst) {
  // Four groups, each with one long row, which fits the average load of a block.
  std::vector<int64_t> tiles(2048, 6);
  for (int64_t group = 0; group < 4; ++group)
    tiles[group * 512 + 7] = 128;
  TaskSchedule schedule = scheduleTasks(tiles, 512, 132, true, kSplitCosts);
  for (size_t i = 0; i < 4; ++i)
    EXPECT_EQ(schedule.order[i] % 512, 7u);
  // The groups themselves still follow each other.
  for (size_t i = 5; i < 2048; ++i)
    EXPECT_LE(schedule.order[i - 1] / 512, schedule.order[i] / 512);
  EXPECT_LE(endOf(tiles, schedule, 132), averageOf(tiles, 132) + 6 + kSplitCosts.ramp);
}

TEST(TaskSplit, RandomTasksEndNoLaterAndPartsKeepTheirBounds) {
  uint64_t seed = testSeed();
  std::mt19937_64 random(seed);
  girih::Dice dice(random);
  for (int64_t turn = 0, cases = testCases(300); turn < cases; ++turn) {
    std::vector<int64_t> tiles(static_cast<size_t>(dice.between(1, 400)));
    int64_t common = dice.between(1, 30), rare = dice.between(1, 2000);
    for (int64_t &count : tiles)
      count = dice.between(0, 20) == 0 ? dice.between(1, rare) : dice.between(1, common);
    auto blocks = static_cast<int32_t>(dice.between(1, 300));
    int64_t group = dice.between(1, 500);
    TaskSchedule whole = scheduleTasks(tiles, group, blocks, false, kSplitCosts);
    TaskSchedule cut = scheduleTasks(tiles, group, blocks, true, kSplitCosts);
    std::vector<uint32_t> numbers = cut.order;
    std::sort(numbers.begin(), numbers.end());
    for (size_t i = 0; i < tiles.size(); ++i)
      ASSERT_EQ(numbers[i], i);
    EXPECT_LE(endOf(tiles, cut, blocks), endOf(tiles, whole, blocks)) << "turn " << turn;
    int64_t most = std::max(averageOf(tiles, blocks) * 10 / 8, kSplitCosts.leastPart);
    bool isCut = *std::max_element(cut.parts.begin(), cut.parts.end()) > 1;
    for (size_t i = 0; i < tiles.size(); ++i) {
      if (cut.parts[i] > 1) {
        EXPECT_GE(tiles[i] / cut.parts[i], kSplitCosts.leastPart);
      }
      // A task of up to twice the least part can't be cut.
      if (isCut && tiles[i] >= 2 * kSplitCosts.leastPart) {
        EXPECT_LE(tiles[i] / cut.parts[i], std::max(most, 2 * kSplitCosts.leastPart));
      }
    }
  }
}

TEST(CudaSplit, AGlobalRowBecomesPartsWithRunsOfTheirOwn) {
  // A window, and a first q-tile that sees every key: one run of full tiles.
  ProgramBuilder builder;
  int32_t window =
      builder.both(builder.ge(builder.q(), builder.k()),
                   builder.ge0(builder.shift(builder.minus(builder.k(), builder.q()), 40)));
  int32_t global = builder.ge0(builder.shift(builder.times(builder.q(), -1), 63));
  PlanCase s(builder.program(builder.either(window, global)), 2, 2, 1, 4000, 4000);
  s.blocks = 132;
  ASSERT_EQ(s.build(), GIRIH_OK) << s.status.message;
  s.expectEachTileOnce();
  EXPECT_EQ(s.image.numMerges, 0);
  std::vector<int64_t> wholeLoads = s.loads();
  int64_t before = *std::max_element(wholeLoads.begin(), wholeLoads.end());
  int64_t wholeRuns = s.numRuns();

  s.maySplit = true;
  ASSERT_EQ(s.build(), GIRIH_OK) << s.status.message;
  s.expectEachTileOnce();
  EXPECT_EQ(s.image.numMerges, 4);
  std::vector<int64_t> loads = s.loads();
  EXPECT_LT(*std::max_element(loads.begin(), loads.end()) * 4, before);
  // Batches and heads share the parts, a run for each.
  EXPECT_EQ(s.numRuns(), wholeRuns + s.merge(0).num_slots);
  // The workspace lies behind the bytes: one row of o and a number for each row.
  EXPECT_EQ(s.image.partialOAt, static_cast<int64_t>(s.image.bytes.size()));
  EXPECT_GE(s.image.partialLseAt - s.image.partialOAt, int64_t{s.image.numSlots} * 64 * 64 * 4);
  EXPECT_GE(s.image.totalBytes - s.image.partialLseAt, int64_t{s.image.numSlots} * 64 * 4);
}

TEST(CudaSplit, EmptyRowsAreTasksBesideSplitOnes) {
  // Q-tile 1 sees everything, the others nothing.
  ProgramBuilder builder;
  auto table = builder.blocks(64, 1, {0, 0, 40, 40, 40}, [] {
    std::vector<int64_t> all(40);
    std::iota(all.begin(), all.end(), 0);
    return all;
  }());
  int32_t listed = builder.add(GIRIH_MAP_IN_TABLE, -1, -1, table);
  GirihMapProgram program = builder.program(listed);
  PlanCase s(program, 1, 1, 1, 256, 2560, builder.operands(), GIRIH_TOP_LEFT);
  s.blocks = 132;
  s.maySplit = true;
  ASSERT_EQ(s.build(), GIRIH_OK) << s.status.message;
  s.expectEachTileOnce();
  EXPECT_EQ(s.image.numMerges, 1);
  EXPECT_EQ(s.merge(0).q_tile, 1);
  EXPECT_EQ(s.image.numTasks, 3 + s.image.numSlots);
}

TEST(CudaSplit, PartialTilesCostMoreThanFullOnes) {
  // Q-tiles 0 to 3 see every key, 4 to 7 every other: as many tiles, all partial.
  ProgramBuilder builder;
  int32_t early = builder.ge0(builder.shift(builder.times(builder.q(), -1), 255));
  int32_t even = builder.eq0(builder.mod(builder.k(), 2));
  PlanCase s(builder.program(builder.either(early, even)), 1, 1, 1, 512, 512);
  s.blocks = 1;
  ASSERT_EQ(s.build(), GIRIH_OK) << s.status.message;
  s.expectEachTileOnce();
  // The longest task comes first.
  for (int32_t i = 0; i < 8; ++i) {
    EXPECT_EQ(s.task(i).num_tiles, s.task(0).num_tiles);
    EXPECT_EQ(s.task(i).q_tile >= 4, i < 4) << "task " << i;
  }
}

TEST(CudaSplit, RandomMapsAreCoveredOnce) {
  uint64_t seed = testSeed();
  std::mt19937_64 random(seed);
  girih::Dice dice(random);
  int64_t merges = 0, cases = testCases(120);
  for (int64_t turn = 0; turn < cases; ++turn) {
    SCOPED_TRACE("turn " + std::to_string(turn));
    // Random block lists: most rows short, some long, some empty.
    ProgramBuilder builder;
    int64_t kvHeads = dice.between(1, 2), heads = kvHeads * dice.between(1, 3),
            batch = dice.between(1, 2);
    int64_t numQ = dice.between(1, 700), numK = dice.between(1, 4000);
    int64_t rows = (numQ + 63) / 64, columns = (numK + 63) / 64;
    int64_t sets = dice.between(0, 1) ? heads : 1;
    std::vector<int64_t> indptr, indices;
    for (int64_t set = 0; set < sets; ++set) {
      indptr.push_back(static_cast<int64_t>(indices.size()));
      for (int64_t row = 0; row < rows; ++row) {
        int64_t kind = dice.between(0, 7), chance = kind == 0   ? 0
                                                    : kind == 1 ? 100
                                                                : dice.between(1, 20);
        for (int64_t column = 0; column < columns; ++column)
          if (dice.between(1, 100) <= chance)
            indices.push_back(column);
        indptr.push_back(static_cast<int64_t>(indices.size()));
      }
    }
    builder.usesHead = sets > 1;
    auto table = builder.blocks(64, sets, indptr, indices);
    int32_t root = builder.add(GIRIH_MAP_IN_TABLE, -1, -1, table);
    if (dice.between(0, 1)) // partial tiles among the full ones
      root = builder.both(
          root, builder.negate(builder.eq0(builder.mod(builder.k(), dice.between(40, 200)))));
    PlanCase s(builder.program(root), batch, heads, kvHeads, numQ, numK, builder.operands(),
               GIRIH_TOP_LEFT);
    s.blocks = static_cast<int32_t>(dice.between(1, 200));
    s.maySplit = true;
    ASSERT_EQ(s.build(), GIRIH_OK) << s.status.message;
    s.expectEachTileOnce();
    merges += s.image.numMerges;
  }
  EXPECT_TRUE(merges > 0 || cases < 20) << "no map was split";
}
