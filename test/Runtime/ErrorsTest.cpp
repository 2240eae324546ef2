//===- ErrorsTest.cpp - What the runtime refuses, and how it says so ------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One case for each message of building maps and preparing launches.
//
//===----------------------------------------------------------------------===//

#include "MapTesting.h"
#include "girih-c/Runtime.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

using namespace girih::testing;

//===----------------------------------------------------------------------===//
// Maps
//===----------------------------------------------------------------------===//

static void expectBuildError(const GirihMapProgram &program, const GirihMapParams &params, int code,
                             const std::string &message) {
  for (bool isReverse : {false, true}) {
    GirihBlockMap *map = nullptr;
    GirihStatus status{};
    EXPECT_EQ(isReverse ? girihBlockMapBuildReverse(&program, &params, &map, &status)
                        : girihBlockMapBuild(&program, &params, &map, &status),
              code);
    EXPECT_EQ(map, nullptr);
    EXPECT_EQ(status.code, code);
    EXPECT_EQ(std::string(status.message), message);
  }
}

TEST(BuildErrors, Lengths) {
  ProgramBuilder p;
  GirihMapProgram program = p.program(p.add(GIRIH_MAP_TRUE));
  GirihMapParams good = makeParams(10, 10, true, 4, 4);
  auto check = [&](std::function<void(GirihMapParams &)> change, int code,
                   const std::string &message) {
    GirihMapParams params = good;
    change(params);
    expectBuildError(program, params, code, message);
  };
  check([](auto &p) { p.batch = 0; }, GIRIH_INVALID, "expected batch to be positive, but got 0");
  check([](auto &p) { p.heads = -2; }, GIRIH_INVALID, "expected heads to be positive, but got -2");
  check([](auto &p) { p.num_q = 0; }, GIRIH_INVALID, "expected num_q to be positive, but got 0");
  check([](auto &p) { p.num_k = -1; }, GIRIH_INVALID, "expected num_k to be positive, but got -1");
  check([](auto &p) { p.tile_q = 0; }, GIRIH_INVALID, "expected tile_q to be positive, but got 0");
  check([](auto &p) { p.tile_k = 0; }, GIRIH_INVALID, "expected tile_k to be positive, but got 0");
  check([](auto &p) { p.num_k = GIRIH_MAX_TOKENS + 1; }, GIRIH_UNSUPPORTED,
        "expected num_k to be at most 67108864, but got 67108865");
  for (int64_t length : {(int64_t{1} << 31) - 1, int64_t{1} << 31, INT64_MAX})
    check([&](auto &p) { p.num_q = p.num_k = length; }, GIRIH_UNSUPPORTED,
          "expected num_q to be at most 67108864, but got " + std::to_string(length));
  check([](auto &p) { p.q_offset = INT64_MIN; }, GIRIH_UNSUPPORTED,
        "expected queries to stand within 67108864 positions, but got 10 of "
        "them from -9223372036854775808");
  check([](auto &p) { p.q_offset = GIRIH_MAX_TOKENS; }, GIRIH_UNSUPPORTED,
        "expected queries to stand within 67108864 positions, but got 10 of "
        "them from 67108864");
  check([](auto &p) { p.q_end = 2 * GIRIH_MAX_TOKENS; }, GIRIH_UNSUPPORTED,
        "expected q_end to be within 67108864, but got 134217728");
  check([](auto &p) { p.batch = GIRIH_MAX_HEADS + 1; }, GIRIH_UNSUPPORTED,
        "expected batch to be at most 1048576, but got 1048577");
  check([](auto &p) { p.heads = INT64_MAX; }, GIRIH_UNSUPPORTED,
        "expected heads to be at most 1048576, but got 9223372036854775807");
  check(
      [](auto &p) {
        p.batch = p.heads = GIRIH_MAX_HEADS;
        p.num_q = p.num_k = GIRIH_MAX_TOKENS;
        p.q_offset = 0;
      },
      GIRIH_UNSUPPORTED,
      "expected batch * heads * num_q * num_k to fit 64 bits, but got "
      "1048576 * 1048576 * 67108864 * 67108864");
}

TEST(BuildErrors, TermsThatDoNotLieBehindEachOther) {
  GirihMapParams params = makeParams(10, 10, true, 4, 4);
  for (int32_t first : {1000000000, INT32_MAX, -1, 1}) {
    ProgramBuilder p;
    int32_t q = p.q(), causal = p.ge(q, p.k());
    p.term(p.forward, {}, {}, {q});
    p.forward[0].first = first;
    expectBuildError(
        p.program(causal), params, GIRIH_INVALID,
        "malformed map program: expected the nodes of forward term 0 at 0, behind those "
        "of the term before it, but got " +
            std::to_string(first));
  }
  // Counts whose sum overflows 32 bits, of which the first node is bad.
  ProgramBuilder p;
  int32_t q = p.q(), causal = p.ge(q, p.k());
  p.term(p.forward, {}, {}, {q});
  p.term(p.reverse, {q}, {}, {});
  p.reverse[0].num_guards = p.reverse[0].num_upper = INT32_MAX;
  expectBuildError(p.program(causal), params, GIRIH_INVALID,
                   "malformed map program: reverse term 0 has a bad node " + std::to_string(q));
}

TEST(BuildErrors, RandomBlocksBeyondMemory) {
  ProgramBuilder p;
  int32_t root = p.add(GIRIH_MAP_IN_TABLE, -1, -1, p.random(1, GIRIH_MAX_TOKENS, 1));
  GirihMapProgram program = p.program(root);
  GirihMapParams params = makeParams(GIRIH_MAX_TOKENS, GIRIH_MAX_TOKENS, true, 64, 64);
  GirihBlockMap *map = nullptr;
  GirihStatus status{};
  EXPECT_EQ(girihBlockMapBuild(&program, &params, &map, &status), GIRIH_UNSUPPORTED);
  std::string message = status.message;
  EXPECT_EQ(message.find("expected random blocks that fit in this machine's memory ("), 0u)
      << message;
  EXPECT_NE(
      message.find("67108864 for each of 67108864 rows of 1 heads, which need 16777216.5 GiB"),
      std::string::npos)
      << message;
}

TEST(BuildErrors, MalformedPrograms) {
  GirihMapParams params = makeParams(10, 10, true, 4, 4);
  auto check = [&](std::function<int32_t(ProgramBuilder &)> write, const std::string &reason) {
    ProgramBuilder p;
    int32_t root = write(p);
    expectBuildError(p.program(root), params, GIRIH_INVALID, "malformed map program: " + reason);
  };
  check([](auto &p) { return p.add(99); }, "node 0 has an unknown operation");
  check([](auto &p) { return p.add(GIRIH_MAP_NOT, 0); },
        "node 0 has an operand that is not an earlier node");
  check([](auto &p) { return p.ge0(p.ge0(p.q())); }, "node 2 has an operand of the wrong type");
  check([](auto &p) { return p.ge0(p.add(GIRIH_MAP_VAR, -1, -1, 7)); },
        "node 0 has an unknown variable");
  check([](auto &p) { return p.ge0(p.div(p.q(), 0)); },
        "node 1 has a divisor that is not positive");
  check([](auto &p) { return p.add(GIRIH_MAP_SAME_SEGMENT); }, "node 0 has an unknown table");
  check(
      [](auto &p) {
        p.random(4, 1, 0);
        return p.add(GIRIH_MAP_SAME_SEGMENT);
      },
      "node 0 has a table of the wrong kind");
  check(
      [](auto &p) {
        p.random(4, 1, 0);
        return p.eq0(p.lookup(0, {p.q()}));
      },
      "node 1 has a table of the wrong kind");
  check(
      [](auto &p) {
        p.array({2, 2}, {0, 0, 0, 0});
        return p.eq0(p.lookup(0, {p.q()})); // one index of two
      },
      "node 1 has a place that is not of its table");
  check(
      [](auto &p) {
        p.array({4}, {0, 0, 0, 0});
        return p.eq0(p.add(GIRIH_MAP_PLACE, p.q(), p.q(), 4 * 0 + 1));
      },
      "node 2 has an unknown dimension");
  check(
      [](auto &p) {
        p.array({4}, {0, 0, 0, 0});
        p.tables[0].kind = GIRIH_TABLE_LOOKUP_F32;
        return p.eq0(p.lookup(0, {p.q()}));
      },
      "node 2 has an operand of the wrong type");
  check(
      [](auto &p) {
        p.array({4}, {0, 0, 0, 0});
        p.tables[0].count = 5;
        return p.add(GIRIH_MAP_TRUE);
      },
      "table 0 has kind 3, unit 1, count 5 and operand 0");
  check([](auto &p) { return p.q(); }, "root 0 is not a boolean node");
  check(
      [](auto &p) {
        p.random(0, 1, 0);
        return p.add(GIRIH_MAP_TRUE);
      },
      "table 0 has kind 2, unit 0, count 1 and operand -1");
  check(
      [](auto &p) {
        p.term(p.forward, {}, {p.k()}, {});
        return p.add(GIRIH_MAP_TRUE);
      },
      "forward term 0 has a bad node 0");
  check(
      [](auto &p) {
        p.reverse.push_back({0, -1, 0, 0});
        return p.add(GIRIH_MAP_TRUE);
      },
      "reverse term 0 has a negative count");
}

static void expectSegmentsError(std::vector<int64_t> offsets, const std::string &message) {
  ProgramBuilder p;
  int32_t root = p.add(GIRIH_MAP_SAME_SEGMENT, -1, -1, p.segments(2, std::move(offsets)));
  GirihMapParams params = makeParams(9, 9, true, 4, 4);
  std::vector<GirihOperand> operands = p.operands();
  params.operands = operands.data();
  params.num_operands = 1;
  expectBuildError(p.program(root), params, GIRIH_INVALID, message);
}

TEST(BuildErrors, SegmentOffsets) {
  expectSegmentsError({0}, "expected segment offsets (operand 0) to have at "
                           "least 2 values, but got 1");
  expectSegmentsError({1, 5}, "expected segment offsets (operand 0) to start "
                              "at 0, but got 1");
  expectSegmentsError({0, 4, 3, 5}, "expected segment offsets (operand 0) not to decrease, "
                                    "but got 3 after 4 at index 2");
  expectSegmentsError({0, 4}, "expected segment offsets (operand 0) to end at "
                              "5 (9 keys in units of 2), but got 4");
}

static void expectBlocksError(int64_t heads, std::vector<int64_t> indptr,
                              std::vector<int64_t> indices, const std::string &message) {
  ProgramBuilder p;
  int32_t root =
      p.add(GIRIH_MAP_IN_TABLE, -1, -1, p.blocks(4, heads, std::move(indptr), std::move(indices)));
  GirihMapParams params = makeParams(8, 8, true, 4, 4, /*heads=*/2);
  std::vector<GirihOperand> operands = p.operands();
  params.operands = operands.data();
  params.num_operands = 2;
  expectBuildError(p.program(root), params, GIRIH_INVALID, message);
}

TEST(BuildErrors, BlockTables) {
  expectBlocksError(3, {0, 0, 0}, {},
                    "expected the block table (operand 0) to have rows for 1 or "
                    "2 heads, but got 3");
  expectBlocksError(1, {0, 0}, {},
                    "expected indptr (operand 0) to have 1 x (2 + 1) values, "
                    "but got 2");
  expectBlocksError(1, {1, 1, 1}, {0},
                    "expected indptr (operand 0) of head 0 to start at 0, but "
                    "got 1");
  expectBlocksError(2, {0, 1, 1, 0, 1, 1}, {0},
                    "expected indptr (operand 0) of head 1 to start at 1, but "
                    "got 0");
  expectBlocksError(1, {0, 2, 1}, {0, 1},
                    "expected indptr (operand 0) not to decrease, but got 1 "
                    "after 2 at index 2");
  expectBlocksError(1, {0, 1, 3}, {0, 1},
                    "expected indptr (operand 0) to end at 2, the size of "
                    "indices, but got 3");
  expectBlocksError(1, {0, 1, 1}, {0, 1},
                    "expected indptr (operand 0) to end at 2, the size of "
                    "indices, but got 1");
  expectBlocksError(1, {0, 1, 2}, {0, 2},
                    "expected indices (operand 1) to name blocks below 2, but "
                    "got 2 at index 1");
  expectBlocksError(1, {0, 2, 2}, {1, 1},
                    "expected indices (operand 1) of a row to ascend, but got 1 "
                    "after 1 at index 1");
}

TEST(BuildErrors, MissingOperands) {
  ProgramBuilder p;
  int32_t root = p.add(GIRIH_MAP_SAME_SEGMENT, -1, -1, p.segments(2, {0, 5}));
  expectBuildError(p.program(root), makeParams(9, 9, true, 4, 4), GIRIH_INVALID,
                   "expected 1 run-time operands, but got 0");
}

TEST(BuildErrors, StatsOfOtherLengths) {
  ProgramBuilder p;
  GirihMapProgram program = p.program(p.add(GIRIH_MAP_TRUE));
  GirihMapParams params = makeParams(9, 9, true, 4, 4);
  Map map = buildMap(program, params);
  params.num_k = 8;
  GirihMapStats stats{};
  GirihStatus status{};
  EXPECT_EQ(girihBlockMapStats(map.get(), &program, &params, &stats, &status), GIRIH_INVALID);
  EXPECT_STREQ(status.message, "expected the lengths that the block map was built with");
}

//===----------------------------------------------------------------------===//
// Launches
//===----------------------------------------------------------------------===//

namespace {

struct LaunchCase {
  LaunchCase() {
    program = builder.program(builder.add(GIRIH_MAP_TRUE));
    kernel = {GIRIH_MAGIC,
              GIRIH_ABI_VERSION,
              "test",
              GIRIH_F16,
              GIRIH_BOTTOM_RIGHT,
              16,
              24,
              8,
              8,
              100,
              &program,
              nullptr,
              GIRIH_F32,
              0,
              0};
    q = view(2, 4, 10, 16, GIRIH_F16);
    k = view(2, 2, 20, 16, GIRIH_F16);
    v = view(2, 2, 20, 24, GIRIH_F16);
    o = view(2, 4, 10, 24, GIRIH_F32);
  }
  static GirihView view(int64_t b, int64_t h, int64_t n, int64_t d, int32_t dtype) {
    static float data;
    return {&data, {b, h, n, d}, {h * n * d, n * d, d, 1}, dtype, 0};
  }
  int prepare() {
    return girihPrepareLaunch(&kernel, &q, &k, &v, &o, nullptr, scale, &launch, &params, &status);
  }

  ProgramBuilder builder;
  GirihMapProgram program{};
  GirihKernelDesc kernel{};
  GirihView q{}, k{}, v{}, o{};
  float scale = 0.25f;
  GirihLaunch launch{};
  GirihMapParams params{};
  GirihStatus status{};
};

} // namespace

TEST(PrepareLaunch, FillsLaunchAndLengths) {
  LaunchCase s;
  ASSERT_EQ(s.prepare(), GIRIH_OK) << s.status.message;
  EXPECT_STREQ(s.status.message, "");
  EXPECT_EQ(s.launch.num_q, 10);
  EXPECT_EQ(s.launch.num_k, 20);
  EXPECT_EQ(s.launch.q_offset, 10);
  EXPECT_EQ(s.launch.q_end, 20);
  EXPECT_EQ(s.launch.heads_per_kv, 2);
  EXPECT_EQ(s.launch.scale, 0.25f);
  EXPECT_EQ(s.params.batch, 2);
  EXPECT_EQ(s.params.heads, 4);
  EXPECT_EQ(s.params.q_offset, 10);
  EXPECT_EQ(s.params.tile_q, 8);
  s.kernel.align = GIRIH_TOP_LEFT;
  ASSERT_EQ(s.prepare(), GIRIH_OK) << s.status.message;
  EXPECT_EQ(s.launch.q_offset, 0);
  EXPECT_EQ(s.launch.q_end, 10);
}

TEST(PrepareLaunch, TakesTheOutputOfTheKernel) {
  LaunchCase s;
  s.kernel.o_dtype = s.o.dtype = GIRIH_F16;
  ASSERT_EQ(s.prepare(), GIRIH_OK) << s.status.message;
  EXPECT_EQ(s.launch.o.dtype, GIRIH_F16);
}

TEST(PrepareLaunch, AcceptsAnyStrideForGpus) {
  LaunchCase s; // without an entry
  s.k.stride[3] = -2;
  s.o.stride[3] = 20;
  EXPECT_EQ(s.prepare(), GIRIH_OK) << s.status.message;
}

TEST(PrepareLaunch, AcceptsAnyOuterStride) {
  LaunchCase s;
  s.kernel.entry = [](const GirihLaunch *, const GirihTask *, void *) {};
  s.k.stride[0] = 0;
  s.k.stride[1] = -5000;
  s.q.stride[2] = 1;
  EXPECT_EQ(s.prepare(), GIRIH_OK) << s.status.message;
}

TEST(PrepareLaunch, NamesWhatIsWrong) {
  auto check = [](std::function<void(LaunchCase &)> change, int code, const char *message) {
    LaunchCase s;
    change(s);
    EXPECT_EQ(s.prepare(), code);
    EXPECT_STREQ(s.status.message, message);
  };
  check([](LaunchCase &s) { s.kernel.magic = 1; }, GIRIH_INVALID,
        "expected kernel magic 0x47495249, but got 0x00000001");
  check([](LaunchCase &s) { s.kernel.abi_version = 7; }, GIRIH_INVALID,
        "expected kernel ABI version 4, but got 7");
  check([](LaunchCase &s) { s.kernel.dtype = 9; }, GIRIH_INVALID,
        "expected the kernel's dtype to be f32, bf16 or f16, but got 9");
  check([](LaunchCase &s) { s.kernel.align = 9; }, GIRIH_INVALID,
        "expected the kernel's align to be 0 or 1, but got 9");
  check([](LaunchCase &s) { s.kernel.map = nullptr; }, GIRIH_INVALID,
        "malformed kernel descriptor: head dims 16 and 24, tiles 8 x 8, scratch "
        "100, no map program");
  check([](LaunchCase &s) { s.v.data = nullptr; }, GIRIH_INVALID,
        "expected v to have data, but got null");
  check([](LaunchCase &s) { s.k.dtype = GIRIH_F32; }, GIRIH_INVALID,
        "expected k to have dtype f16, but got f32");
  check([](LaunchCase &s) { s.o.dtype = GIRIH_BF16; }, GIRIH_INVALID,
        "expected o to have dtype f32, but got bf16");
  check([](LaunchCase &s) { s.kernel.o_dtype = GIRIH_F16; }, GIRIH_INVALID,
        "expected o to have dtype f16, but got f32");
  check([](LaunchCase &s) { s.kernel.o_dtype = GIRIH_BF16; }, GIRIH_INVALID,
        "expected the kernel's o_dtype to be f32 (0) or its dtype f16 (2), but got 1");
  check([](LaunchCase &s) { s.q.dtype = 5; }, GIRIH_INVALID,
        "expected q to have dtype f16, but got unknown dtype 5");
  check([](LaunchCase &s) { s.q.shape[2] = 0; }, GIRIH_INVALID,
        "expected extent 2 of q to be positive, but got 0");
  check(
      [](LaunchCase &s) {
        s.k.stride[3] = 2;
        s.kernel.entry = [](const GirihLaunch *, const GirihTask *, void *) {};
      },
      GIRIH_INVALID, "expected the innermost stride of k to be 1, but got 2");
  check([](LaunchCase &s) { s.v.stride[0] = INT64_MAX; }, GIRIH_INVALID,
        "expected v to fit 64-bit offsets, but got shape 2 x 2 x 20 x 24");
  check([](LaunchCase &s) { s.k.shape[0] = 3; }, GIRIH_INVALID,
        "expected the batch of k to be 2, but got 3");
  check(
      [](LaunchCase &s) {
        s.q.shape[1] = s.o.shape[1] = 6;
        s.k.shape[1] = s.v.shape[1] = 4;
      },
      GIRIH_INVALID, "expected heads of q to be a multiple of heads of k, but got 6 and 4");
  check([](LaunchCase &s) { s.v.shape[1] = 4; }, GIRIH_INVALID,
        "expected the heads of v to be 2, but got 4");
  check([](LaunchCase &s) { s.q.shape[3] = 8; }, GIRIH_INVALID,
        "expected the head dim of q to be 16, but got 8");
  check([](LaunchCase &s) { s.v.shape[3] = 16; }, GIRIH_INVALID,
        "expected the head dim of v to be 24, but got 16");
  check([](LaunchCase &s) { s.v.shape[2] = 21; }, GIRIH_INVALID,
        "expected the length of v to be 20, but got 21");
  check([](LaunchCase &s) { s.o.shape[2] = 20; }, GIRIH_INVALID,
        "expected the length of o to be 10, but got 20");
  check([](LaunchCase &s) { s.scale = NAN; }, GIRIH_INVALID,
        "expected scale to be finite, but got nan");
  check([](LaunchCase &s) { s.scale = -INFINITY; }, GIRIH_INVALID,
        "expected scale to be finite, but got -inf");
  check([](LaunchCase &s) { s.k.shape[2] = s.v.shape[2] = GIRIH_MAX_TOKENS + 1; },
        GIRIH_UNSUPPORTED, "expected the length of k to be at most 67108864, but got 67108865");
}
