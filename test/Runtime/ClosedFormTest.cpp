//===- ClosedFormTest.cpp - Block maps from closed-form terms -------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Proves that the RANGES tier gives what a brute-force scan gives, and what the
// QUADTREE tier gives: each case is written both as terms and as a boolean.
//
//===----------------------------------------------------------------------===//

#include "MapTesting.h"

#include "girih/Reference/Dice.h"

#include <gtest/gtest.h>

#include <algorithm>

using namespace girih::testing;

namespace {

/// Random unions of conjunctions of monotone bounds.
class Generator : public girih::Dice {
public:
  using Dice::Dice;

  /// Forward terms bound K by Q; reverse terms bound Q by K.
  int32_t pattern(ProgramBuilder &p, const GirihMapParams &params, bool isReverse) {
    row = isReverse ? GIRIH_VAR_K : GIRIH_VAR_Q;
    column = isReverse ? GIRIH_VAR_Q : GIRIH_VAR_K;
    int64_t unit = between(1, 9);
    table = p.segments(unit, offsets((params.num_k + unit - 1) / unit));
    int32_t root = p.add(GIRIH_MAP_FALSE);
    for (int64_t terms = between(1, 4); terms > 0; --terms) {
      std::vector<int32_t> guards, lower, upper;
      for (int64_t i = pick({0, 0, 0, 1, 2}); i > 0; --i)
        guards.push_back(guard(p));
      for (int64_t i = pick({0, 1, 1, 2}); i > 0; --i)
        lower.push_back(bound(p, unit));
      for (int64_t i = pick({0, 1, 1, 2}); i > 0; --i)
        upper.push_back(bound(p, unit));
      p.term(isReverse ? p.reverse : p.forward, guards, lower, upper);
      int32_t all = p.add(GIRIH_MAP_TRUE);
      for (int32_t node : guards)
        all = p.both(all, node);
      for (int32_t node : lower)
        all = p.both(all, p.ge(p.var(column), node));
      for (int32_t node : upper)
        all = p.both(all, p.ge(node, p.var(column)));
      root = p.either(root, all);
    }
    return root;
  }

private:
  std::vector<int64_t> offsets(int64_t units) {
    std::vector<int64_t> result{0};
    while (result.back() < units)
      result.push_back(std::min(units, result.back() + between(0, 7)));
    return result;
  }
  int32_t x(ProgramBuilder &p) { return p.var(row); }
  int32_t guard(ProgramBuilder &p) {
    switch (between(0, 4)) {
    case 0:
      return p.ge0(p.shift(x(p), between(-60, 10)));
    case 1:
      return p.ge0(p.shift(p.times(x(p), -1), between(0, 60)));
    case 2:
      return p.eq0(p.mod(x(p), between(1, 3)));
    case 3:
      p.usesHead = true;
      return p.ge0(p.shift(p.var(GIRIH_VAR_H), -1));
    default:
      return p.negate(p.eq0(p.div(x(p), between(1, 30))));
    }
  }
  int32_t bound(ProgramBuilder &p, int64_t unit) {
    switch (between(0, 9)) {
    case 0:
      return p.constant(between(-10, 60));
    case 1:
      return p.shift(p.times(x(p), -1), between(0, 80));
    case 2:
      return p.shift(p.times(p.div(x(p), between(1, 20)), between(-9, 20)), between(-20, 20));
    case 3:
      return p.times(p.add(GIRIH_MAP_SEG_BEGIN, p.div(x(p), unit), -1, table), unit);
    case 4:
      return p.shift(
          p.times(p.shift(p.add(GIRIH_MAP_SEG_END, p.div(x(p), unit), -1, table), 1), unit), -1);
    case 5:
      return p.shift(p.var(pick({GIRIH_VAR_NK, GIRIH_VAR_END})), between(-50, 0));
    case 6:
      return p.div(p.shift(p.times(x(p), between(-2, 3)), between(-9, 9)), between(1, 4));
    default:
      return p.shift(x(p), between(-25, 25));
    }
  }

  GirihMapVar row = GIRIH_VAR_Q, column = GIRIH_VAR_K;
  int64_t table = 0;
};

} // namespace

static void runRandomTerms(bool isReverse) {
  uint64_t seed = testSeed();
  int64_t cases = testCases(6000);
  for (int64_t i = 0; i < cases; ++i) {
    uint64_t own = seed + static_cast<uint64_t>(i);
    std::mt19937_64 random(own);
    Generator generate(random);
    int64_t longest = generate.pick<int64_t>({5, 30, 64, 64, 150});
    int64_t numQ = generate.between(1, longest);
    int64_t numK = generate.pick({0, 1}) ? numQ : generate.between(1, longest);
    GirihMapParams params =
        makeParams(numQ, numK, generate.pick({true, false}), generate.pick({1, 3, 8, 16, 64, 128}),
                   generate.pick({1, 3, 8, 16, 64, 128}), generate.pick({1, 2}));
    ProgramBuilder builder;
    int32_t root = generate.pattern(builder, params, isReverse);
    std::vector<GirihOperand> operands = builder.operands();
    params.operands = operands.data();
    params.num_operands = static_cast<int64_t>(operands.size());

    GirihMapProgram program = builder.program(root);
    std::string difference = compareWithOracle(program, params);
    ASSERT_TRUE(difference.empty()) << "GIRIH_TEST_SEED=" << own << " GIRIH_TEST_CASES=1\n"
                                    << difference << describe(program, params);

    GirihMapStats stats{};
    Map map = buildMap(program, params, isReverse);
    ASSERT_EQ(girihBlockMapStats(map.get(), &program, &params, &stats, nullptr), GIRIH_OK);
    EXPECT_EQ(stats.tier, GIRIH_TIER_RANGES);

    program.num_forward = program.num_reverse = 0;
    difference = compareWithOracle(program, params);
    ASSERT_TRUE(difference.empty())
        << "without terms, GIRIH_TEST_SEED=" << own << " GIRIH_TEST_CASES=1\n"
        << difference << describe(program, params);
  }
}

TEST(ClosedForm, ForwardTermsMatchBruteForceAndBisection) { runRandomTerms(/*isReverse=*/false); }

TEST(ClosedForm, ReverseTermsMatchBruteForceAndBisection) { runRandomTerms(/*isReverse=*/true); }

/// Terms that only together cover a tile: k <= q or k > q.
TEST(ClosedForm, TilesCoveredByTwoTermsAreFull) {
  ProgramBuilder p;
  int32_t q = p.q();
  int32_t after = p.shift(q, 1);
  p.term(p.forward, {}, {}, {q});
  p.term(p.forward, {}, {after}, {});
  int32_t root = p.either(p.ge(q, p.k()), p.ge(p.k(), after));
  GirihMapProgram program = p.program(root);
  GirihMapParams params = makeParams(1000, 1000, true, 64, 64);
  Map map = buildMap(program, params);
  GirihMapStats stats{};
  ASSERT_EQ(girihBlockMapStats(map.get(), &program, &params, &stats, nullptr), GIRIH_OK);
  // All but the last k-tile of each row, which is cut.
  EXPECT_EQ(stats.listed_full, 16 * 15);
  EXPECT_EQ(stats.listed_partial, 16);
  EXPECT_EQ(stats.useful_pairs, 1000 * 1000);
}
