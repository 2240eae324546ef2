//===- TablesTest.cpp - Segments, block lists and random blocks -----------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Proves that patterns with tables give the maps of a brute-force scan, that
// the CSR tier is used where it should be, and that lookups of generated code
// agree with the map.
//
//===----------------------------------------------------------------------===//

#include "MapTesting.h"

#include "girih/Reference/Dice.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

using namespace girih::testing;

namespace {

class Generator : public girih::Dice {
public:
  using Dice::Dice;

  int64_t segments(ProgramBuilder &p, const GirihMapParams &params) {
    int64_t unit = pick({1, 1, 4, 7});
    int64_t units = (params.num_k + unit - 1) / unit;
    std::vector<int64_t> offsets{0};
    while (offsets.back() < units)
      offsets.push_back(std::min(units, offsets.back() + pick({0, 1, 2, 5, 20})));
    return p.segments(unit, std::move(offsets));
  }

  int64_t blocks(ProgramBuilder &p, const GirihMapParams &params) {
    int64_t unit = pick({1, 5, 8, 16, 40});
    int64_t units = (params.num_k + unit - 1) / unit;
    int64_t rows = (std::max<int64_t>(params.q_end, 0) + unit - 1) / unit + pick({0, 0, 2});
    int64_t heads = pick({int64_t{1}, params.heads});
    int64_t share = pick({0, 20, 50, 90, 100});
    std::vector<int64_t> indptr, indices;
    for (int64_t h = 0; h < heads; ++h) {
      indptr.push_back(static_cast<int64_t>(indices.size()));
      for (int64_t row = 0; row < rows; ++row) {
        for (int64_t u = 0; u < units; ++u)
          if (between(0, 99) < share)
            indices.push_back(u);
        indptr.push_back(static_cast<int64_t>(indices.size()));
      }
    }
    return p.blocks(unit, heads, std::move(indptr), std::move(indices));
  }

  int64_t drawn(ProgramBuilder &p) {
    return p.random(pick({1, 4, 8, 30}), between(0, 4), static_cast<uint64_t>(between(0, 1 << 30)));
  }

  int32_t atom(ProgramBuilder &p, const GirihMapParams &params) {
    switch (between(0, 2)) {
    case 0:
      return p.add(GIRIH_MAP_SAME_SEGMENT, -1, -1, segments(p, params));
    case 1:
      return p.add(GIRIH_MAP_IN_TABLE, -1, -1, blocks(p, params));
    default:
      return p.add(GIRIH_MAP_IN_TABLE, -1, -1, drawn(p));
    }
  }

  int32_t pattern(ProgramBuilder &p, const GirihMapParams &params, int depth) {
    if (depth <= 0)
      return pick({0, 1, 1}) ? atom(p, params) : p.ge(p.q(), p.k());
    int32_t a = pattern(p, params, depth - 1);
    int32_t b = pattern(p, params, depth - 1);
    switch (between(0, 4)) {
    case 0:
      return a;
    case 1:
      return p.either(a, b);
    case 2:
      return p.both(a, p.negate(b));
    default:
      return p.both(a, b);
    }
  }
};

struct Attached {
  Attached(const ProgramBuilder &builder, GirihMapParams &params) : operands(builder.operands()) {
    params.operands = operands.data();
    params.num_operands = static_cast<int64_t>(operands.size());
  }
  std::vector<GirihOperand> operands;
};

} // namespace

TEST(Tables, RandomPatternsMatchBruteForce) {
  uint64_t seed = testSeed();
  int64_t cases = testCases(5000);
  for (int64_t i = 0; i < cases; ++i) {
    uint64_t own = seed + static_cast<uint64_t>(i);
    std::mt19937_64 random(own);
    Generator generate(random);
    int64_t longest = generate.pick<int64_t>({5, 30, 64, 150});
    int64_t numQ = generate.between(1, longest);
    int64_t numK = generate.pick({0, 1}) ? numQ : generate.between(1, longest);
    GirihMapParams params =
        makeParams(numQ, numK, generate.pick({true, false}), generate.pick({1, 3, 8, 16, 64}),
                   generate.pick({1, 3, 8, 16, 64}), generate.pick({1, 2, 3}));
    ProgramBuilder builder;
    int32_t root = generate.pattern(builder, params, generate.pick({0, 1, 2}));
    GirihMapProgram program = builder.program(root);
    Attached attached(builder, params);
    std::string difference = compareWithOracle(program, params);
    ASSERT_TRUE(difference.empty()) << "GIRIH_TEST_SEED=" << own << " GIRIH_TEST_CASES=1\n"
                                    << difference << describe(program, params);
  }
}

static int32_t tierOf(ProgramBuilder &p, int32_t root, GirihMapParams params) {
  GirihMapProgram program = p.program(root);
  Attached attached(p, params);
  Map map = buildMap(program, params);
  GirihMapStats stats{};
  EXPECT_EQ(girihBlockMapStats(map.get(), &program, &params, &stats, nullptr), GIRIH_OK);
  return stats.tier;
}

TEST(Tables, TierIsCsrForOneRunTimeTable) {
  GirihMapParams params = makeParams(64, 64, true, 16, 16);
  ProgramBuilder blocks;
  int64_t table = blocks.blocks(32, 1, {0, 1, 2}, {0, 1});
  EXPECT_EQ(tierOf(blocks, blocks.add(GIRIH_MAP_IN_TABLE, -1, -1, table), params), GIRIH_TIER_CSR);
  ProgramBuilder drawn;
  table = drawn.random(16, 2, 1);
  EXPECT_EQ(tierOf(drawn, drawn.add(GIRIH_MAP_IN_TABLE, -1, -1, table), params),
            GIRIH_TIER_QUADTREE);
}

TEST(Tables, LanesAgreeWithContains) {
  GirihMapParams params = makeParams(150, 200, true, 16, 16, /*heads=*/2);
  ProgramBuilder p;
  int32_t root = p.add(GIRIH_MAP_IN_TABLE, -1, -1, p.random(7, 9, 3));
  GirihMapProgram program = p.program(root);
  Map map = buildMap(program, params);
  const GirihBoundTable *table = girihBlockMapTables(map.get());
  for (int64_t h = 0; h < 2; ++h) {
    for (int32_t lanes : {1, 5, 16, 32}) {
      for (int64_t q = params.q_offset; q + lanes <= 200; q += 3) {
        for (int64_t k = 0; k < 200; k += 5) {
          uint32_t expected = 0;
          for (int32_t i = 0; i < lanes; ++i)
            expected |= static_cast<uint32_t>(
                            girihMapContains(map.get(), &program, &params, 0, h, q + i, k))
                        << i;
          ASSERT_EQ(girihTableLanes(table, h, q, k, lanes), expected);
        }
      }
    }
  }
}

TEST(Tables, LanesOutsideTheTableAreZero) {
  GirihMapParams params = makeParams(8, 8, true, 8, 8);
  ProgramBuilder p;
  int32_t root = p.add(GIRIH_MAP_IN_TABLE, -1, -1, p.blocks(4, 1, {0, 2, 4}, {0, 1, 0, 1}));
  GirihMapProgram program = p.program(root);
  Attached attached(p, params);
  Map map = buildMap(program, params);
  const GirihBoundTable *table = girihBlockMapTables(map.get());
  EXPECT_EQ(girihTableLanes(table, 0, -3, 0, 32), 0x7F8u);
  EXPECT_EQ(girihTableLanes(table, 0, 8, 0, 32), 0u);
}

TEST(Tables, EqualListsOfHeadsAreStoredOnce) {
  ProgramBuilder p;
  int32_t h = p.var(GIRIH_VAR_H);
  p.usesHead = true;
  int32_t causal = p.ge(p.q(), p.k());
  int32_t narrow = p.both(causal, p.ge(p.shift(p.k(), 10), p.q()));
  int32_t first = p.ge0(p.shift(p.times(h, -1), 3));
  int32_t root = p.either(p.both(first, causal), p.both(p.negate(first), narrow));
  GirihMapProgram program = p.program(root);
  GirihMapParams params = makeParams(100, 100, true, 16, 16, /*heads=*/8);
  Map map = buildMap(program, params);
  GirihMapStats stats{};
  ASSERT_EQ(girihBlockMapStats(map.get(), &program, &params, &stats, nullptr), GIRIH_OK);
  EXPECT_EQ(stats.distinct_lists, 2);
  EXPECT_EQ(compareWithOracle(program, params), "");
}

//===----------------------------------------------------------------------===//
// girihRandomBlocks
//===----------------------------------------------------------------------===//

TEST(RandomBlocks, DrawsDistinctAscendingBlocks) {
  // Both sides of the switch from insertion to bitmap.
  for (int64_t count : {0, 1, 3, 255, 256, 257, 299, 300, 400}) {
    std::vector<int64_t> drawn(400, -1);
    int64_t size = girihRandomBlocks(5, 1, 2, 300, count, drawn.data());
    ASSERT_EQ(size, std::min<int64_t>(count, 300));
    for (int64_t i = 0; i < size; ++i) {
      EXPECT_GE(drawn[i], i == 0 ? 0 : drawn[i - 1] + 1);
      EXPECT_LT(drawn[i], 300);
    }
  }
}

TEST(RandomBlocks, RowsDependOnEveryArgument) {
  auto draw = [](uint64_t seed, int64_t head, int64_t row) {
    std::vector<int64_t> drawn(8);
    girihRandomBlocks(seed, head, row, 1 << 20, 8, drawn.data());
    return drawn;
  };
  std::set<std::vector<int64_t>> rows{
      draw(0, 0, 0), draw(1, 0, 0),  draw(uint64_t{1} << 32, 0, 0), draw(0, 1, 0),
      draw(0, 0, 1), draw(0, 0, -1), draw(0, int64_t{1} << 32, 0)};
  EXPECT_EQ(rows.size(), 7u);
  EXPECT_EQ(draw(9, 4, 2), draw(9, 4, 2));
}

/// Every subset of three out of five is as likely as another.
TEST(RandomBlocks, SubsetsAreUniform) {
  std::vector<int64_t> counts(1 << 5, 0);
  constexpr int64_t draws = 100000;
  for (int64_t row = 0; row < draws; ++row) {
    int64_t drawn[3];
    girihRandomBlocks(1, 2, row, 5, 3, drawn);
    ++counts[1 << drawn[0] | 1 << drawn[1] | 1 << drawn[2]];
  }
  // Chi-squared with 9 degrees of freedom: above 33.7 once in 10,000.
  double chi = 0, expected = draws / 10.0;
  for (int64_t count : counts)
    if (count > 0)
      chi += (count - expected) * (count - expected) / expected;
  EXPECT_LT(chi, 33.7);
}

/// The stream is part of what a pattern means: it must never change. The values
/// come from a Philox4x32-10 written apart from this one and checked against the
/// known answers of its authors.
TEST(RandomBlocks, StreamIsFixed) {
  std::vector<int64_t> drawn(4);
  girihRandomBlocks(0, 0, 0, 1000, 4, drawn.data());
  EXPECT_EQ(drawn, (std::vector<int64_t>{37, 361, 604, 877}));
  drawn.resize(5);
  girihRandomBlocks(7, 3, -2, 100, 5, drawn.data());
  EXPECT_EQ(drawn, (std::vector<int64_t>{25, 74, 78, 86, 97}));
}
