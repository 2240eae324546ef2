//===- ReachabilityTest.cpp - Reach, covers and costs vs brute force ------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Programs are written by hand, so that nothing but the analysis is tested.
//
//===----------------------------------------------------------------------===//

#include "girih/Analysis/Reachability.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <memory>
#include <vector>

using namespace girih;

namespace {

/// A map program under construction, and the map built from it.
class Problem {
public:
  int add(int op, int a = -1, int b = -1, int64_t imm = 0) {
    nodes.push_back({op, a, b, 0, imm});
    return static_cast<int>(nodes.size()) - 1;
  }
  int constant(int64_t value) { return add(GIRIH_MAP_CONST, -1, -1, value); }
  int variable(GirihMapVar which) { return add(GIRIH_MAP_VAR, -1, -1, which); }
  int difference(int a, int b) {
    return add(GIRIH_MAP_ADD, a, add(GIRIH_MAP_MUL, b, constant(-1)));
  }
  int atLeastZero(int a) { return add(GIRIH_MAP_GE0, a); }

  /// -right <= q - k <= left.
  void window(int64_t left, int64_t right) {
    int q = variable(GIRIH_VAR_Q), k = variable(GIRIH_VAR_K);
    int below = atLeastZero(add(GIRIH_MAP_ADD, difference(k, q), constant(left)));
    int above = atLeastZero(add(GIRIH_MAP_ADD, difference(q, k), constant(right)));
    add(GIRIH_MAP_AND, below, above);
  }
  /// q / size == k / size.
  void chunk(int64_t size) {
    int q = add(GIRIH_MAP_FLOORDIV, variable(GIRIH_VAR_Q), -1, size);
    int k = add(GIRIH_MAP_FLOORDIV, variable(GIRIH_VAR_K), -1, size);
    add(GIRIH_MAP_EQ0, difference(q, k));
  }
  /// Head 0 keeps k <= q, head 1 the rest.
  void split() {
    int before = atLeastZero(difference(variable(GIRIH_VAR_Q), variable(GIRIH_VAR_K)));
    int first = add(GIRIH_MAP_EQ0, variable(GIRIH_VAR_H));
    int a = add(GIRIH_MAP_AND, first, before);
    int b = add(GIRIH_MAP_AND, add(GIRIH_MAP_NOT, first), add(GIRIH_MAP_NOT, before));
    add(GIRIH_MAP_OR, a, b);
    program.uses_head = 1;
  }

  MapView build(int64_t numQ, int64_t numK, int64_t heads = 1, int32_t tileQ = 16,
                int32_t tileK = 16) {
    program.nodes = nodes.data();
    program.num_nodes = static_cast<int32_t>(nodes.size());
    program.root = program.num_nodes - 1;
    params = {};
    params.batch = 1;
    params.heads = heads;
    params.num_q = numQ;
    params.num_k = numK;
    params.q_offset = numK - numQ;
    params.q_end = numK;
    params.tile_q = tileQ;
    params.tile_k = tileK;
    GirihStatus status{};
    GirihBlockMap *built = nullptr;
    EXPECT_EQ(girihBlockMapBuild(&program, &params, &built, &status), GIRIH_OK) << status.message;
    map.reset(built);
    return {map.get(), &program, &params};
  }

  GirihMapParams params{};

private:
  struct Free {
    void operator()(GirihBlockMap *map) const { girihBlockMapFree(map); }
  };
  std::vector<GirihMapNode> nodes;
  GirihMapProgram program{};
  std::unique_ptr<GirihBlockMap, Free> map;
};

TEST(Reachability, window_takes_as_many_layers_as_windows_fit) {
  Problem p;
  p.window(10, 10);
  auto reach = reachability(p.build(101, 101));
  ASSERT_TRUE(reach);
  EXPECT_EQ(reach->layers, 10);
  EXPECT_TRUE(reach->stronglyConnected);
  EXPECT_EQ(reach->reachablePairs, 101 * 101);
}

TEST(Reachability, causal_window_reaches_earlier_tokens_only) {
  Problem p;
  p.window(10, 0);
  auto reach = reachability(p.build(100, 100));
  ASSERT_TRUE(reach);
  EXPECT_EQ(reach->layers, 10); // 99 / 10, rounded up
  EXPECT_FALSE(reach->stronglyConnected);
  EXPECT_TRUE(reach->causallyConnected);
  EXPECT_EQ(reach->reachablePairs, 100 * 101 / 2);
}

TEST(Reachability, chunks_never_meet) {
  Problem p;
  p.chunk(25);
  auto reach = reachability(p.build(100, 100));
  ASSERT_TRUE(reach);
  EXPECT_EQ(reach->layers, 1);
  EXPECT_FALSE(reach->causallyConnected);
  EXPECT_EQ(reach->reachablePairs, 4 * 25 * 25);
  EXPECT_EQ(reach->groups, 4);
}

TEST(Reachability, counts_pairs_layer_by_layer) {
  // After t layers token q knows those at most 3 t before it and t behind.
  Problem p;
  p.window(3, 1);
  constexpr int64_t n = 200; // more than three words of 64 tokens
  auto reach = reachability(p.build(n, n));
  ASSERT_TRUE(reach);
  EXPECT_EQ(reach->layers, n - 1);
  EXPECT_EQ(reach->groups, 1);
  ASSERT_EQ(static_cast<int64_t>(reach->pairsByLayer.size()), n);
  for (int64_t t = 0; t < n; ++t) {
    int64_t pairs = 0;
    for (int64_t q = 0; q < n; ++q)
      pairs += std::min(q + t, n - 1) - std::max<int64_t>(q - 3 * t, 0) + 1;
    EXPECT_EQ(reach->pairsAfter(t), pairs) << t;
  }
  EXPECT_EQ(reach->pairsAfter(10 * n), n * n) << "more layers add nothing";
}

TEST(Reachability, one_token_knows_itself) {
  Problem p;
  p.window(0, 0);
  auto reach = reachability(p.build(1, 1));
  ASSERT_TRUE(reach);
  EXPECT_EQ(reach->layers, 0);
  EXPECT_TRUE(reach->stronglyConnected);
}

TEST(Reachability, heads_of_a_layer_add_up) {
  Problem p;
  p.split();
  auto reach = reachability(p.build(50, 50, /*heads=*/2));
  ASSERT_TRUE(reach);
  EXPECT_EQ(reach->layers, 1);
  EXPECT_TRUE(reach->stronglyConnected);
}

TEST(Reachability, declines_long_and_unequal_sequences) {
  Problem p;
  p.window(1, 1);
  EXPECT_FALSE(reachability(p.build(10, 12)));
  EXPECT_FALSE(reachability(p.build(4097, 4097)));
}

TEST(MinimalTiles, covers_may_start_anywhere) {
  // 16 queries of a tile touch 16 + 2 * 8 keys: two tiles from anywhere, where
  // aligned tiles need three.
  Problem p;
  p.window(8, 8);
  MapView view = p.build(1600, 1600);
  GirihMapStats stats{};
  GirihStatus status{};
  ASSERT_EQ(girihBlockMapStats(view.map, view.program, view.params, &stats, &status), GIRIH_OK);
  EXPECT_EQ(stats.listed_full + stats.listed_partial, 3 * 100 - 2);
  auto minimal = minimalTiles(view, 1 << 24);
  ASSERT_TRUE(minimal);
  EXPECT_EQ(*minimal, 2 * 100);
  EXPECT_FALSE(minimalTiles(view, 10)) << "beyond the budget";
}

TEST(SampleTiles, counts_every_listed_tile_once) {
  Problem p;
  p.window(40, 3);
  MapView view = p.build(1003, 1003);
  GirihMapStats stats{};
  GirihStatus status{};
  ASSERT_EQ(girihBlockMapStats(view.map, view.program, view.params, &stats, &status), GIRIH_OK);
  for (int64_t cells : {1, 2, 7, 63, 1000}) {
    TileGrid grid = sampleTiles(view, 0, 0, cells);
    int64_t full = 0, partial = 0, total = 0;
    for (const TileCell &cell : grid.cells) {
      full += cell.full;
      partial += cell.partial;
      total += cell.total;
    }
    EXPECT_EQ(full, stats.listed_full);
    EXPECT_EQ(partial, stats.listed_partial);
    EXPECT_EQ(total, 63 * 63);
    EXPECT_LE(grid.rows, cells);
  }
}

TEST(DrawTokens, tells_kept_masked_and_skipped_pairs) {
  Problem p;
  p.window(2, 0);
  MapView view = p.build(40, 40);
  TileGrid grid = drawTokens(view, 0, 0);
  ASSERT_TRUE(grid.tokens);
  ASSERT_EQ(grid.rows, 40);
  ASSERT_EQ(grid.columns, 40);
  const int64_t tileQ = view.params->tile_q, tileK = view.params->tile_k;
  for (int64_t q = 0; q < 40; ++q)
    for (int64_t k = 0; k < 40; ++k) {
      bool kept = k <= q && q - k <= 2;
      // A tile is computed when its last query sees past its first key, and its first
      // query not beyond its last key.
      int64_t lastQ = q / tileQ * tileQ + tileQ - 1, firstK = k / tileK * tileK;
      bool computed = firstK <= lastQ && q / tileQ * tileQ - 2 <= firstK + tileK - 1;
      EXPECT_EQ(grid.at(q, k).full, kept) << q << " " << k;
      EXPECT_EQ(grid.at(q, k).partial, computed && !kept) << q << " " << k;
    }
}

TEST(MapCost, counts_work_and_bytes) {
  GirihMapStats stats{};
  stats.useful_pairs = 300;
  stats.computed_pairs = 400;
  stats.total_pairs = 1000;
  stats.map_bytes = 7;
  Problem p;
  p.window(1, 1);
  MapView view = p.build(20, 50);
  MapCost cost =
      mapCost(stats, *view.params, {/*batch=*/2, /*heads=*/4, /*kvHeads=*/2, 20, 50, 8, 16, 2, 4});
  EXPECT_DOUBLE_EQ(cost.coverage, 0.3);
  EXPECT_DOUBLE_EQ(cost.tileEfficiency, 0.75);
  EXPECT_DOUBLE_EQ(cost.usefulFlops, 2.0 * 24 * 300);
  EXPECT_EQ(cost.gridTiles, 2 * 4 * 2 * 4);
  EXPECT_EQ(cost.bytes, 2 * ((4 * 20 * 8 + 2 * 50 * 24) * 2 + 4 * 20 * 17 * 4) + 7);
  // lse stays f32 when o has the dtype of the inputs.
  cost = mapCost(stats, *view.params, {2, 4, 2, 20, 50, 8, 16, 2, 2});
  EXPECT_EQ(cost.bytes, 2 * ((4 * 20 * 8 + 2 * 50 * 24) * 2 + 4 * 20 * (16 * 2 + 4)) + 7);
}

} // namespace
