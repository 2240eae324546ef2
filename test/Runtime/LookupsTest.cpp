//===- LookupsTest.cpp - Programs that look up arrays ---------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Maps of random lookups against brute force, what a launch refuses, and that sorted
// document ids of a million tokens cost no square.
//
//===----------------------------------------------------------------------===//

#include "MapTesting.h"

#include "../../runtime/src/map/Extrema.h"

#include "girih/Reference/Dice.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>

using namespace girih::testing;

namespace {

struct Attached {
  Attached(const ProgramBuilder &builder, GirihMapParams &params) : operands(builder.operands()) {
    params.operands = operands.data();
    params.num_operands = static_cast<int64_t>(operands.size());
  }
  std::vector<GirihOperand> operands;
};

class Generator : public girih::Dice {
public:
  using Dice::Dice;

  /// An index that stays within `extent`.
  int32_t index(ProgramBuilder &p, int64_t extent, int depth) {
    int32_t x = integer(p, depth - 1);
    if (pick({0, 1}))
      return p.mod(x, extent);
    return p.min(p.max(x, p.constant(0)), p.constant(extent - 1));
  }

  int32_t lookup(ProgramBuilder &p, int depth) {
    std::vector<int64_t> shape, entries;
    int64_t size = 1;
    for (int64_t rank = between(1, 4); rank > 0; --rank) {
      shape.push_back(between(1, rank == 1 ? 90 : 6));
      size *= shape.back();
    }
    // Sorted ids, few values, or anything.
    int64_t form = between(0, 2), at = between(-3, 3);
    for (int64_t i = 0; i < size; ++i)
      entries.push_back(form == 0   ? at += between(0, 6) == 0
                        : form == 1 ? between(0, 2)
                                    : between(-60, 60));
    int64_t table = p.array(shape, std::move(entries));
    std::vector<int32_t> indices;
    for (int64_t extent : shape)
      indices.push_back(index(p, extent, depth));
    return p.lookup(table, indices);
  }

  int32_t integer(ProgramBuilder &p, int depth) {
    switch (between(0, depth <= 0 ? 3 : 8)) {
    case 0:
      return p.q();
    case 1:
      return p.k();
    case 2:
      p.usesHead = true;
      return p.var(GIRIH_VAR_H);
    case 3:
      return p.constant(between(-20, 20));
    case 4:
      return p.minus(integer(p, depth - 1), integer(p, depth - 1));
    case 5:
      return p.div(integer(p, depth - 1), between(1, 9));
    case 6:
      return p.max(integer(p, depth - 1), integer(p, depth - 1));
    default:
      return lookup(p, depth - 1);
    }
  }

  int32_t boolean(ProgramBuilder &p, int depth) {
    switch (between(0, depth <= 0 ? 3 : 6)) {
    case 0:
      return p.ge(p.q(), p.k());
    case 1:
      return p.eq0(p.minus(lookup(p, 1), lookup(p, 1)));
    case 2:
      return p.ge0(p.minus(lookup(p, 2), integer(p, 1)));
    case 3:
      return sameDocument(p);
    case 4:
      return p.both(boolean(p, depth - 1), boolean(p, depth - 1));
    case 5:
      return p.either(boolean(p, depth - 1), boolean(p, depth - 1));
    default:
      return p.negate(boolean(p, depth - 1));
    }
  }

private:
  int32_t sameDocument(ProgramBuilder &p) {
    std::vector<int64_t> ids(200, 0);
    for (size_t i = 1; i < ids.size(); ++i)
      ids[i] = ids[i - 1] + (between(0, 20) == 0);
    int64_t table = p.array({200}, std::move(ids));
    int32_t last = p.constant(199), first = p.constant(0);
    int32_t mine = p.lookup(table, {p.max(p.min(p.q(), last), first)});
    return p.eq0(p.minus(mine, p.lookup(table, {p.min(p.k(), last)})));
  }
};

} // namespace

TEST(Lookups, RandomProgramsMatchBruteForce) {
  uint64_t seed = testSeed();
  for (int64_t i = 0; i < testCases(4000); ++i) {
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
    int32_t root = generate.boolean(builder, generate.pick({0, 1, 2}));
    GirihMapProgram program = builder.program(root);
    Attached attached(builder, params);
    std::string difference = compareWithOracle(program, params);
    ASSERT_TRUE(difference.empty()) << "GIRIH_TEST_SEED=" << own << " GIRIH_TEST_CASES=1\n"
                                    << difference << describe(program, params);
  }
}

TEST(Lookups, ExtremaMatchAScan) {
  std::mt19937_64 random(testSeed());
  for (int64_t size : {1, 31, 32, 33, 64, 100, 1000, 4097}) {
    std::vector<int32_t> values(static_cast<size_t>(size));
    for (int32_t &value : values)
      value = static_cast<int32_t>(random());
    girih::Extrema extrema;
    extrema.build(values.data(), size);
    for (int i = 0; i < 2000; ++i) {
      auto first = static_cast<int64_t>(random() % static_cast<uint64_t>(size));
      auto last = first + static_cast<int64_t>(random() % static_cast<uint64_t>(size - first));
      auto range = extrema.of(first, last);
      auto [lo, hi] = std::minmax_element(values.begin() + first, values.begin() + last + 1);
      ASSERT_EQ(range.lo, *lo) << first << ".." << last;
      ASSERT_EQ(range.hi, *hi) << first << ".." << last;
    }
  }
}

//===----------------------------------------------------------------------===//
// What a launch refuses
//===----------------------------------------------------------------------===//

static std::string errorOf(ProgramBuilder &p, int32_t root, GirihMapParams params,
                           void (*change)(GirihOperand &) = nullptr) {
  GirihMapProgram program = p.program(root);
  Attached attached(p, params);
  if (change)
    change(attached.operands[0]);
  GirihBlockMap *map = nullptr;
  GirihStatus status{};
  if (girihBlockMapBuild(&program, &params, &map, &status) == GIRIH_OK) {
    girihBlockMapFree(map);
    return "";
  }
  EXPECT_EQ(status.code, GIRIH_INVALID);
  return status.message;
}

TEST(Lookups, IndicesThatCouldLeaveAreRefused) {
  auto check = [](std::vector<int64_t> shape, auto indices, GirihMapParams params,
                  const std::string &message) {
    ProgramBuilder p;
    int64_t size = 1;
    for (int64_t extent : shape)
      size *= extent;
    int64_t table = p.array(shape, std::vector<int64_t>(static_cast<size_t>(size), 0));
    int32_t root = p.eq0(p.lookup(table, indices(p)));
    EXPECT_EQ(errorOf(p, root, params), message);
  };
  using Nodes = std::vector<int32_t>;
  auto q = [](auto &p) { return Nodes{p.q()}; };
  check({16}, q, makeParams(16, 16, true, 4, 4), "");
  check({16}, q, makeParams(17, 17, true, 4, 4),
        "expected index 0 of table @t0, whose extent is 16, to lie in 0..15, but got 0..16");
  // More queries than keys: the first ones stand before position 0.
  check({16}, q, makeParams(16, 12, true, 4, 4),
        "expected index 0 of table @t0, whose extent is 16, to lie in 0..15, but got -4..11");
  check(
      {2, 16}, [](auto &p) { return Nodes{p.var(GIRIH_VAR_H), p.k()}; },
      makeParams(16, 16, true, 4, 4, /*heads=*/3),
      "expected index 0 of table @t0, whose extent is 2, to lie in 0..1, but got 0..2");
  check(
      {2, 4}, [](auto &p) { return Nodes{p.var(GIRIH_VAR_B), p.div(p.k(), 5)}; },
      makeParams(16, 30, true, 4, 4, /*heads=*/3, /*batch=*/2),
      "expected index 1 of table @t0, whose extent is 4, to lie in 0..3, but got 0..5");
  // What cancels is no reason to refuse.
  check(
      {31}, [](auto &p) { return Nodes{p.shift(p.minus(p.q(), p.k()), 15)}; },
      makeParams(16, 16, true, 4, 4), "");
  check(
      {1}, [](auto &p) { return Nodes{p.minus(p.q(), p.q())}; }, makeParams(16, 16, true, 4, 4),
      "");
  check(
      {0}, [](auto &p) { return Nodes{p.constant(0)}; }, makeParams(16, 16, true, 4, 4),
      "expected index 0 of table @t0, whose extent is 0, to lie in 0..-1, but got 0..0");
}

TEST(Lookups, EntriesBoundNestedLookups) {
  for (int64_t largest : {3, 4}) {
    ProgramBuilder p;
    int64_t outer = p.array({4}, {0, 1, 0, 1});
    int64_t inner = p.array({16}, std::vector<int64_t>(16, largest));
    int32_t root = p.eq0(p.lookup(outer, {p.lookup(inner, {p.k()})}));
    EXPECT_EQ(errorOf(p, root, makeParams(16, 16, true, 4, 4)),
              largest == 3 ? ""
                           : "expected index 0 of table @t0, whose extent is 4, to lie in 0..3, "
                             "but got 4..4");
  }
}

TEST(Lookups, ArraysOfAnotherKindAreRefused) {
  ProgramBuilder p;
  int64_t table = p.array({2, 8}, std::vector<int64_t>(16, 1));
  int32_t root = p.eq0(p.lookup(table, {p.constant(1), p.k()}));
  GirihMapParams params = makeParams(8, 8, true, 4, 4);
  auto check = [&](void (*change)(GirihOperand &), const std::string &message) {
    EXPECT_EQ(errorOf(p, root, params, change), message);
  };
  check([](GirihOperand &) {}, "");
  check([](GirihOperand &o) { o.rank = 1; },
        "expected table @t0 to hold int64 in 2 dimensions, but got int64 in 1");
  check([](GirihOperand &o) { o.type = GIRIH_OPERAND_F32; },
        "expected table @t0 to hold int64 in 2 dimensions, but got f32 in 2");
  check([](GirihOperand &o) { o.shape[0] = 3; },
        "expected table @t0 to have 24 values as its shape says, but got 16");
  check([](GirihOperand &o) { o.shape[0] = -3; },
        "expected extents of table @t0 to be at least 0, but got -3 in dimension 0");
  check([](GirihOperand &o) { o.data = nullptr; },
        "expected table @t0 to have 16 values as its shape says, but got 0");
  check(
      [](GirihOperand &o) {
        o.name = nullptr;
        o.rank = 3;
      },
      "expected table (operand 0) to hold int64 in 2 dimensions, but got int64 in 3");
  p.values[0][11] = int64_t{1} << 31;
  EXPECT_EQ(errorOf(p, root, params),
            "expected values of table @t0 to fit 32 bits, but got 2147483648 at element 11");
}

/// A list takes no array, and an array of f32 is checked though no pair depends on it.
TEST(Lookups, FloatsAreCheckedAlone) {
  ProgramBuilder p;
  int32_t root = p.add(GIRIH_MAP_TRUE);
  int64_t table = p.array({4}, {});
  p.tables[table].kind = GIRIH_TABLE_LOOKUP_F32;
  p.lookup(table, {p.k()});
  static const float bias[4] = {1, 2, 3, 4};
  auto asFloats = [](GirihOperand &o) {
    o.data = bias;
    o.size = 4;
    o.type = GIRIH_OPERAND_F32;
  };
  EXPECT_EQ(errorOf(p, root, makeParams(4, 4, true, 4, 4), asFloats), "");
  EXPECT_EQ(errorOf(p, root, makeParams(5, 5, true, 4, 4), asFloats),
            "expected index 0 of table @t0, whose extent is 4, to lie in 0..3, but got 0..4");
}

//===----------------------------------------------------------------------===//
// Scale
//===----------------------------------------------------------------------===//

/// causal && ids[q] == ids[k], ids sorted: documents of a million tokens.
TEST(Lookups, SortedDocumentsCostNoSquare) {
  for (auto [tokens, documents] : {std::pair<int64_t, int64_t>{16384, 16}, {1 << 20, 1000}}) {
    ProgramBuilder p;
    std::vector<int64_t> ids;
    int64_t pairs = 0, length = 0;
    for (int64_t i = 0; i < tokens; ++i) {
      ids.push_back(i * documents / tokens);
      length = i > 0 && ids[i] == ids[i - 1] ? length + 1 : 1;
      pairs += length;
    }
    int64_t table = p.array({tokens}, std::move(ids));
    int32_t q = p.q(), k = p.k();
    int32_t root = p.both(p.ge(q, k), p.eq0(p.minus(p.lookup(table, {q}), p.lookup(table, {k}))));
    GirihMapProgram program = p.program(root);
    GirihMapParams params = makeParams(tokens, tokens, true, 64, 64);
    Attached attached(p, params);
    auto start = std::chrono::steady_clock::now();
    Map map = buildMap(program, params);
    double ms =
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
    GirihMapStats stats{};
    ASSERT_EQ(girihBlockMapStats(map.get(), &program, &params, &stats, nullptr), GIRIH_OK);
    printf("%lld tokens, %lld documents: map %.2f ms, %lld full and %lld partial tiles\n",
           static_cast<long long>(tokens), static_cast<long long>(documents), ms,
           static_cast<long long>(stats.listed_full), static_cast<long long>(stats.listed_partial));
    EXPECT_EQ(stats.useful_pairs, pairs);
    // Tiles at the diagonal and at the ends of documents are partial, others are not.
    EXPECT_LE(stats.listed_partial, 4 * tokens / 64);
    EXPECT_GT(stats.listed_full, stats.listed_partial);
    EXPECT_LT(ms, 2000);
  }
}
