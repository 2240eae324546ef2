//===- RandomProgramsTest.cpp - Block maps of random programs -------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Proves that maps derived by bisection, forward and reverse, and their
// statistics are those of a brute-force scan, for programs, lengths and tiles
// drawn at random.
//
//===----------------------------------------------------------------------===//

#include "MapTesting.h"

#include "girih/Reference/Dice.h"

#include <gtest/gtest.h>

using namespace girih::testing;

namespace {

class Generator : public girih::Dice {
public:
  using Dice::Dice;

  int64_t below(int64_t bound) { return between(0, bound - 1); }

  GirihMapParams params() {
    int64_t longest = pick<int64_t>({3, 17, 40, 40, 70, 70, 200});
    int64_t numQ = between(1, longest);
    int64_t numK = pick({0, 1}) ? numQ : between(1, longest);
    return makeParams(numQ, numK, pick({true, false}), pick({1, 3, 8, 8, 16, 64, 128}),
                      pick({1, 3, 8, 8, 16, 64, 128}), pick({1, 1, 2, 3}), pick({1, 1, 1, 2}));
  }

  int32_t integer(ProgramBuilder &p, int depth) {
    switch (below(depth <= 0 ? 6 : 14)) {
    case 0:
    case 1:
      return p.q();
    case 2:
    case 3:
      return p.k();
    case 4:
      return leaf(p);
    case 5:
      return p.constant(between(-40, 40));
    case 6:
    case 7:
      return p.plus(integer(p, depth - 1), integer(p, depth - 1));
    case 8:
      return p.minus(integer(p, depth - 1), integer(p, depth - 1));
    case 9:
      return p.times(integer(p, depth - 1), between(-3, 3));
    case 10:
      return p.div(integer(p, depth - 1), between(1, 20));
    case 11:
    case 12:
      return p.mod(integer(p, depth - 1), between(1, 20));
    default: {
      int32_t a = integer(p, depth - 2);
      int32_t b = integer(p, depth - 2);
      return p.add(GIRIH_MAP_MUL, a, b);
    }
    }
  }

  int32_t boolean(ProgramBuilder &p, int depth) {
    switch (below(depth <= 0 ? 5 : 11)) {
    case 0:
      return p.ge(p.q(), p.k());
    case 1:
      return window(p);
    case 2:
      return p.ge0(integer(p, 3));
    case 3:
      return p.eq0(integer(p, 3));
    case 4:
      return congruence(p);
    case 5:
    case 6:
    case 7:
      return p.both(boolean(p, depth - 1), boolean(p, depth - 1));
    case 8:
    case 9:
      return p.either(boolean(p, depth - 1), boolean(p, depth - 1));
    default:
      return p.negate(boolean(p, depth - 1));
    }
  }

  /// What repeats along rows or diagonals, with what ends it somewhere; sometimes a table beside
  /// it.
  int32_t repeating(ProgramBuilder &p, int depth) {
    if (depth > 0) {
      int32_t a = repeating(p, depth - 1), b = repeating(p, depth - 1);
      return pick({0, 1, 2}) ? p.either(a, b) : p.both(a, p.negate(b));
    }
    int32_t q = p.q(), k = p.k();
    int64_t m = pick({1, 2, 3, 4, 6, 8, 12});
    switch (below(9)) {
    case 0:
      return p.ge(q, k);
    case 1:
    case 2:
      return window(p);
    case 3: // columns of a period
      return p.ge0(p.shift(p.mod(k, m), -below(m + 1)));
    case 4: // dilated
      return p.both(window(p), p.eq0(p.mod(p.minus(q, k), m)));
    case 5: // first columns, or last rows
      return pick({true, false}) ? p.ge0(p.shift(p.times(k, -1), between(0, 9)))
                                 : p.ge0(p.shift(q, -between(50, 250)));
    case 6: // windows of blocks
      return p.ge0(p.shift(p.minus(p.div(k, m), p.div(q, m)), between(0, 2)));
    case 7: // rows of a grid
      return p.both(window(p), p.ge(p.mod(q, 4 * m), p.mod(k, 4 * m)));
    default:
      return p.add(GIRIH_MAP_IN_TABLE, -1, -1, p.random(m, between(1, 3), 7));
    }
  }

private:
  int32_t leaf(ProgramBuilder &p) {
    GirihMapVar v = pick({GIRIH_VAR_H, GIRIH_VAR_B, GIRIH_VAR_NQ, GIRIH_VAR_NK, GIRIH_VAR_END});
    p.usesHead |= v == GIRIH_VAR_H;
    p.usesBatch |= v == GIRIH_VAR_B;
    return p.var(v);
  }
  int32_t window(ProgramBuilder &p) {
    int32_t d = p.minus(p.q(), p.k());
    int32_t low = p.ge0(p.shift(d, between(-5, 30)));
    return p.both(low, p.ge0(p.shift(p.times(d, -1), between(-5, 30))));
  }
  int32_t congruence(ProgramBuilder &p) {
    int64_t m = between(1, 40);
    switch (below(4)) {
    case 0:
      return p.eq0(p.mod(p.minus(p.q(), p.k()), m));
    case 1:
      return p.eq0(p.minus(p.mod(integer(p, 1), m), p.mod(integer(p, 1), m)));
    case 2: {
      int32_t a = p.mod(integer(p, 1), m), b = p.mod(integer(p, 1), m);
      return p.eq0(p.shift(p.minus(a, b), between(-5, 5)));
    }
    default:
      return p.eq0(p.shift(p.times(p.mod(integer(p, 1), m), pick({1, -1, 2})), between(-20, 20)));
    }
  }
};

} // namespace

TEST(RandomPrograms, MapsAndStatsMatchBruteForce) {
  uint64_t seed = testSeed();
  int64_t cases = testCases(20000);
  for (int64_t i = 0; i < cases; ++i) {
    std::mt19937_64 random(seed + static_cast<uint64_t>(i));
    Generator generate(random);
    ProgramBuilder builder;
    int depth = generate.pick({0, 1, 2, 3});
    int32_t root = generate.boolean(builder, depth);
    GirihMapProgram program = builder.program(root);
    GirihMapParams params = generate.params();
    std::string difference = compareWithOracle(program, params);
    ASSERT_TRUE(difference.empty())
        << "GIRIH_TEST_SEED=" << seed + static_cast<uint64_t>(i) << " GIRIH_TEST_CASES=1\n"
        << difference << describe(program, params);
  }
}

/// The same for what is copied from row to row: longer, in small tiles, so that it happens often.
TEST(RandomPrograms, RepeatingMapsMatchBruteForce) {
  uint64_t seed = testSeed();
  int64_t cases = testCases(20000) / 40, copied = 0;
  for (int64_t i = 0; i < cases; ++i) {
    std::mt19937_64 random(seed + static_cast<uint64_t>(i));
    Generator generate(random);
    ProgramBuilder builder;
    int32_t root = generate.repeating(builder, generate.pick({0, 1, 2}));
    GirihMapProgram program = builder.program(root);
    int64_t numK = generate.between(60, 300);
    int64_t numQ = generate.pick({0, 1}) ? numK : generate.between(60, 300);
    GirihMapParams params =
        makeParams(numQ, numK, generate.pick({true, false}), generate.pick({1, 2, 4, 8}),
                   generate.pick({1, 2, 4, 8}), generate.pick({1, 1, 2}));
    std::string difference = compareWithOracle(program, params);
    ASSERT_TRUE(difference.empty())
        << "GIRIH_TEST_SEED=" << seed + static_cast<uint64_t>(i) << " GIRIH_TEST_CASES=40\n"
        << difference << describe(program, params);
    GirihMapStats stats{};
    Map map = buildMap(program, params);
    ASSERT_EQ(girihBlockMapStats(map.get(), &program, &params, &stats, nullptr), GIRIH_OK);
    copied += stats.tier == GIRIH_TIER_PERIODIC;
  }
  printf("%lld of %lld maps were copied in part\n", static_cast<long long>(copied),
         static_cast<long long>(cases));
  EXPECT_TRUE(cases < 100 || copied > cases / 4);
}

TEST(RandomPrograms, ContainsMatchesTheOracle) {
  uint64_t seed = testSeed();
  for (int64_t i = 0; i < testCases(20000) / 20; ++i) {
    std::mt19937_64 random(seed + static_cast<uint64_t>(i));
    Generator generate(random);
    ProgramBuilder builder;
    int32_t root = generate.boolean(builder, 3);
    GirihMapProgram program = builder.program(root);
    GirihMapParams params = generate.params();
    Map map = buildMap(program, params);
    ASSERT_TRUE(map);
    Oracle oracle(program, params);
    for (int64_t q = params.q_offset; q < params.q_offset + params.num_q; q += 5)
      for (int64_t k = 0; k < params.num_k; k += 3)
        ASSERT_EQ(girihMapContains(map.get(), &program, &params, 0, 0, q, k),
                  oracle.contains(0, 0, q, k))
            << describe(program, params);
  }
}

/// Divisions along a range are done in floating point: they must not be one off,
/// for any divisor, on either side of zero.
TEST(Ranges, DivisionIsExact) {
  constexpr int64_t keys = 20000;
  for (int64_t divisor = 1; divisor < 1000; ++divisor) {
    ProgramBuilder p;
    // The last key of each group of `divisor`, seen from both operations.
    int32_t x = p.shift(p.times(p.k(), -1), 5000);
    int32_t rest = p.eq0(p.mod(x, divisor));
    int32_t quotient = p.negate(p.eq0(p.minus(p.div(x, divisor), p.div(p.shift(x, -1), divisor))));
    int32_t root = p.both(rest, quotient);
    GirihMapProgram program = p.program(root);
    GirihMapParams params = makeParams(1, keys, true, 1, 128);
    Map map = buildMap(program, params);
    GirihMapStats stats{};
    ASSERT_EQ(girihBlockMapStats(map.get(), &program, &params, &stats, nullptr), GIRIH_OK);
    // Multiples of the divisor in (5000 - keys, 5000].
    EXPECT_EQ(stats.useful_pairs, 5000 / divisor + 1 + (keys - 5001) / divisor) << divisor;
  }
}

/// Multiples of a divisor whose product with the rounded inverse falls below the
/// quotient.
TEST(Ranges, DivisionOfMultiplesIsNotOneTooLow) {
  for (int64_t divisor : {int64_t{27879861968}, int64_t{12345678901}, int64_t{49000000001}}) {
    ProgramBuilder p;
    int32_t x = p.times(p.k(), divisor);
    int32_t exact = p.eq0(p.minus(p.div(x, divisor), p.k()));
    int32_t root = p.both(p.eq0(p.mod(x, divisor)), exact);
    GirihMapProgram program = p.program(root);
    // A longer tile than there are keys is partial, so its pairs are counted one by one.
    GirihMapParams params = makeParams(1, 22, true, 1, 32);
    Map map = buildMap(program, params);
    GirihMapStats stats{};
    ASSERT_EQ(girihBlockMapStats(map.get(), &program, &params, &stats, nullptr), GIRIH_OK);
    EXPECT_EQ(stats.useful_pairs, 22) << divisor;
  }
}
