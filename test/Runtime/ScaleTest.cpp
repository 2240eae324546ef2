//===- ScaleTest.cpp - Maps of a million tokens ---------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Proves that no tier is quadratic: maps of 1,048,576 tokens are derived and
// counted in well under a second. The limits are generous, since test machines
// are slow and shared; a quadratic step would miss them by far.
//
//===----------------------------------------------------------------------===//

#include "MapTesting.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>

using namespace girih::testing;

#if defined(__SANITIZE_THREAD__)
#define GIRIH_TEST_SLOW 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define GIRIH_TEST_SLOW 1
#endif
#endif

#if defined(GIRIH_TEST_SLOW)
// A hundred times slower: an eighth of the tokens still tells linear from quadratic.
static constexpr int64_t kTokens = 1 << 17;
#else
static constexpr int64_t kTokens = 1 << 20;
#endif
#if defined(__OPTIMIZE__) && !defined(GIRIH_TEST_SLOW)
static constexpr double kSlack = 4.0;
#else
static constexpr double kSlack = 40.0;
#endif

static double seconds(const std::function<void()> &body) {
  auto begin = std::chrono::steady_clock::now();
  body();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// Builds and counts; checks times in seconds and the map's memory.
static GirihMapStats measure(const char *name, const GirihMapProgram &program,
                             const GirihMapParams &params, double buildLimit, double statsLimit,
                             int64_t bytesLimit) {
  Map forward, reverse;
  GirihMapStats stats{};
  double build = seconds([&] { forward = buildMap(program, params); });
  double back = seconds([&] { reverse = buildMap(program, params, true); });
  double count = seconds([&] {
    EXPECT_EQ(girihBlockMapStats(forward.get(), &program, &params, &stats, nullptr), GIRIH_OK);
  });
  printf("%-22s build %7.1f ms, reverse %7.1f ms, stats %7.1f ms, %lld KiB\n", name, build * 1e3,
         back * 1e3, count * 1e3, static_cast<long long>(stats.map_bytes / 1024));
  EXPECT_LT(build, buildLimit * kSlack) << name;
  EXPECT_LT(back, buildLimit * kSlack) << name;
  EXPECT_LT(count, statsLimit * kSlack) << name;
  EXPECT_LT(stats.map_bytes, bytesLimit) << name;
  return stats;
}

/// Runs `measure` with terms and without.
static void measureBoth(const std::string &name, ProgramBuilder &p, int32_t root,
                        int64_t usefulPairs) {
  GirihMapProgram program = p.program(root);
  GirihMapParams params = makeParams(kTokens, kTokens, true, 64, 64);
  GirihMapStats closed = measure(name.c_str(), program, params, 0.3, 0.6, 4 << 20);
  EXPECT_EQ(closed.tier, GIRIH_TIER_RANGES);
  EXPECT_EQ(closed.useful_pairs, usefulPairs);
  program.num_forward = program.num_reverse = 0;
  GirihMapStats bisected =
      measure((name + ", bisected").c_str(), program, params, 2.0, 5.0, 4 << 20);
  EXPECT_EQ(bisected.tier, GIRIH_TIER_PERIODIC);
  EXPECT_GT(bisected.copied_rows, params.num_q / params.tile_q * 9 / 10);
  EXPECT_EQ(bisected.useful_pairs, usefulPairs);
  EXPECT_EQ(bisected.listed_full, closed.listed_full);
  EXPECT_EQ(bisected.listed_partial, closed.listed_partial);
}

TEST(Scale, Causal) {
  ProgramBuilder p;
  int32_t q = p.q(), k = p.k();
  p.term(p.forward, {}, {}, {q});
  p.term(p.reverse, {}, {k}, {});
  measureBoth("causal", p, p.ge(q, k), kTokens * (kTokens + 1) / 2);
}

TEST(Scale, CausalWindow) {
  ProgramBuilder p;
  int32_t q = p.q(), k = p.k();
  int32_t lower = p.shift(q, -1023), upper = p.shift(k, 1023);
  p.term(p.forward, {}, {lower}, {q});
  p.term(p.reverse, {}, {k}, {upper});
  measureBoth("causal & window", p, p.both(p.ge(q, k), p.ge(k, lower)),
              1024 * kTokens - 1023 * 1024 / 2);
}

TEST(Scale, Longformer) {
  ProgramBuilder p;
  int32_t q = p.q(), k = p.k(), last = p.constant(63);
  auto near = [&](int32_t x, std::vector<GirihMapTerm> &terms) {
    p.term(terms, {}, {p.shift(x, -256)}, {p.shift(x, 256)});
    p.term(terms, {}, {}, {last});
    p.term(terms, {p.ge(last, x)}, {}, {});
  };
  near(q, p.forward);
  near(k, p.reverse);
  int32_t window = p.both(p.ge(k, p.shift(q, -256)), p.ge(p.shift(q, 256), k));
  int32_t global = p.either(p.ge(last, k), p.ge(last, q));
  // Band, plus 64 rows and columns, less what lies in both.
  int64_t band = 513 * kTokens - 256 * 257;
  int64_t cross = 2 * 64 * kTokens - 64 * 64;
  int64_t common = 0;
  for (int64_t i = 0; i < 64; ++i)
    common += 2 * (i + 257);
  for (int64_t i = 0; i < 64; ++i)
    for (int64_t j = 0; j < 64; ++j)
      --common;
  measureBoth("longformer", p, p.either(window, global), band + cross - common);
}

TEST(Scale, PackedDocuments) {
  ProgramBuilder p;
  std::vector<int64_t> offsets{0};
  while (offsets.back() < kTokens)
    offsets.push_back(std::min(kTokens, offsets.back() + 100 + offsets.back() % 997));
  int64_t pairs = 0;
  for (size_t i = 0; i + 1 < offsets.size(); ++i) {
    int64_t length = offsets[i + 1] - offsets[i];
    pairs += length * (length + 1) / 2;
  }
  int64_t table = p.segments(1, offsets);
  int32_t q = p.q(), k = p.k();
  p.term(p.forward, {}, {p.add(GIRIH_MAP_SEG_BEGIN, q, -1, table)}, {q});
  p.term(p.reverse, {}, {k}, {p.add(GIRIH_MAP_SEG_END, k, -1, table)});
  int32_t root = p.both(p.ge(q, k), p.add(GIRIH_MAP_SAME_SEGMENT, -1, -1, table));
  GirihMapProgram program = p.program(root);
  GirihMapParams params = makeParams(kTokens, kTokens, true, 64, 64);
  std::vector<GirihOperand> operands = p.operands();
  params.operands = operands.data();
  params.num_operands = 1;
  EXPECT_EQ(measure("packed", program, params, 0.4, 0.6, 16 << 20).useful_pairs, pairs);
  program.num_forward = program.num_reverse = 0;
  EXPECT_EQ(measure("packed, bisected", program, params, 2.0, 5.0, 16 << 20).useful_pairs, pairs);
}

/// blockwise(window(1, 1) | global(1, 1), 64) | random_blocks(64, 3)
TEST(Scale, BigBird) {
  ProgramBuilder p;
  int64_t table = p.random(64, 3, 0);
  int32_t q = p.div(p.q(), 64), k = p.div(p.k(), 64);
  int32_t d = p.minus(q, k);
  int32_t window = p.both(p.ge0(p.shift(d, 1)), p.ge0(p.shift(p.times(d, -1), 1)));
  int64_t last = kTokens / 64 - 1;
  int32_t global = p.either(p.either(p.eq0(q), p.eq0(k)),
                            p.either(p.eq0(p.shift(q, -last)), p.eq0(p.shift(k, -last))));
  int32_t root = p.either(p.either(window, global), p.add(GIRIH_MAP_IN_TABLE, -1, -1, table));
  GirihMapProgram program = p.program(root);
  GirihMapParams params = makeParams(kTokens, kTokens, true, 64, 64);
  GirihMapStats stats = measure("bigbird", program, params, 4.0, 1.0, 8 << 20);
  EXPECT_EQ(stats.listed_partial, 0);
  EXPECT_EQ(stats.useful_pairs, stats.computed_pairs);
}

TEST(Scale, BlockTable) {
  ProgramBuilder p;
  std::vector<int64_t> indptr{0}, indices;
  constexpr int64_t stripe = kTokens / 64 / 8;
  for (int64_t row = 0; row < kTokens / 64; ++row) {
    for (int64_t i = 0; i < 8; ++i)
      indices.push_back((row * 7 + i) % stripe + i * stripe);
    indptr.push_back(static_cast<int64_t>(indices.size()));
  }
  int64_t listed = static_cast<int64_t>(indices.size());
  int32_t root =
      p.add(GIRIH_MAP_IN_TABLE, -1, -1, p.blocks(64, 1, std::move(indptr), std::move(indices)));
  GirihMapProgram program = p.program(root);
  GirihMapParams params = makeParams(kTokens, kTokens, true, 64, 64);
  std::vector<GirihOperand> operands = p.operands();
  params.operands = operands.data();
  params.num_operands = 2;
  GirihMapStats stats = measure("block table", program, params, 0.3, 0.3, 8 << 20);
  EXPECT_EQ(stats.tier, GIRIH_TIER_CSR);
  EXPECT_EQ(stats.listed_full, listed);
}

/// One query of a long context: decode.
TEST(Scale, OneQuery) {
  ProgramBuilder p;
  int32_t root = p.both(p.ge(p.q(), p.k()), p.ge(p.shift(p.k(), 5000), p.q()));
  GirihMapProgram program = p.program(root);
  GirihMapParams params = makeParams(1, GIRIH_MAX_TOKENS, true, 64, 64);
  GirihMapStats stats = measure("one query", program, params, 0.5, 0.1, 1 << 20);
  EXPECT_EQ(stats.useful_pairs, 5001);
}
