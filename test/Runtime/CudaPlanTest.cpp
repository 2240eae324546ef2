//===- CudaPlanTest.cpp - Task and run lists for a device -----------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Proves what a plan holds, by reading its bytes where they were made: each k-tile
// of each q-tile and head once, in the state of its map, in tasks that are whole or
// merged, long ones first, and tables that point into the plan. Needs no device.
//
//===----------------------------------------------------------------------===//

#include "PlanTesting.h"
#include "src/cuda/Access.h"
#include "src/cuda/Kernel.h"
#include "src/cuda/PlanTasks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

using namespace girih::cuda;
using namespace girih::testing;

namespace {

/// Keys up to the query, from query 100 on.
GirihMapProgram lateCausal(ProgramBuilder &builder) {
  int32_t causal = builder.ge(builder.q(), builder.k());
  return builder.program(builder.both(causal, builder.ge0(builder.shift(builder.q(), -100))));
}

} // namespace

TEST(CudaPlan, HoldsEachTaskOnceLongestFirst) {
  ProgramBuilder builder;
  PlanCase s(lateCausal(builder), 2, 4, 2, 333, 333);
  ASSERT_EQ(s.build(), GIRIH_OK) << s.status.message;
  s.expectEachTileOnce();
  // All heads fit one group.
  for (int32_t i = 1; i < s.image.numTasks; ++i)
    EXPECT_LE(s.task(i).num_tiles, s.task(i - 1).num_tiles);
  // Rows that see nothing reach the kernel too, with a tile to mask.
  const GirihCudaTask &last = s.task(s.image.numTasks - 1);
  EXPECT_EQ(last.num_tiles, 1);
  EXPECT_EQ(s.runs()[last.first_run].state, GIRIH_TILE_PARTIAL);
}

TEST(CudaPlan, EqualHeadsShareTheirRuns) {
  ProgramBuilder builder;
  PlanCase one(lateCausal(builder), 1, 1, 1, 333, 333);
  PlanCase many(lateCausal(builder), 4, 8, 1, 333, 333);
  ASSERT_EQ(one.build(), GIRIH_OK);
  ASSERT_EQ(many.build(), GIRIH_OK);
  EXPECT_EQ(one.numRuns(), many.numRuns());
}

TEST(CudaPlan, HeadsWithListsOfTheirOwn) {
  ProgramBuilder builder;
  builder.usesHead = true;
  int32_t even = builder.eq0(builder.mod(builder.var(GIRIH_VAR_H), 2));
  int32_t causal = builder.ge(builder.q(), builder.k());
  PlanCase s(builder.program(builder.either(even, causal)), 1, 6, 6, 300, 500);
  ASSERT_EQ(s.build(), GIRIH_OK) << s.status.message;
  s.expectEachTileOnce();
  EXPECT_EQ(s.task(0).head, 0);
  EXPECT_EQ(s.task(0).num_tiles, 16);
}

TEST(CudaPlan, BlocksShareTheWork) {
  ProgramBuilder builder;
  PlanCase s(builder.program(builder.ge(builder.q(), builder.k())), 1, 8, 8, 4096, 4096);
  s.blocks = 24;
  ASSERT_EQ(s.build(), GIRIH_OK) << s.status.message;
  s.expectEachTileOnce();
  std::vector<int64_t> loads = s.loads();
  EXPECT_EQ(loads.size(), 24u);
  auto [least, most] = std::minmax_element(loads.begin(), loads.end());
  EXPECT_LT(static_cast<double>(*most), 1.1 * static_cast<double>(*least));
}

TEST(CudaPlan, NothingAttends) {
  ProgramBuilder builder;
  PlanCase s(builder.program(builder.add(GIRIH_MAP_FALSE)), 1, 2, 2, 65, 40);
  ASSERT_EQ(s.build(), GIRIH_OK) << s.status.message;
  s.expectEachTileOnce();
  EXPECT_EQ(s.image.numTasks, 4);
  // One list for all, and the empty run that closes it.
  EXPECT_EQ(s.numRuns(), 2);
  for (int32_t i = 0; i < 4; ++i)
    EXPECT_EQ(s.task(i).first_run, 0);
}

TEST(CudaPlan, TablesPointIntoThePlan) {
  ProgramBuilder builder;
  auto segments = builder.segments(1, {0, 100, 100, 230});
  auto random = builder.random(32, 2, 5);
  auto blocks = builder.blocks(64, 1, {0, 2, 2, 3, 4}, {0, 3, 1, 2});
  auto array = builder.array({2, 3}, {5, -1, 7, 8, 9, 2});
  int32_t odd = builder.eq0(builder.lookup(array, {builder.constant(1), builder.constant(2)}));
  int32_t same = builder.add(GIRIH_MAP_SAME_SEGMENT, -1, -1, segments);
  int32_t drawn = builder.add(GIRIH_MAP_IN_TABLE, -1, -1, random);
  int32_t listed = builder.add(GIRIH_MAP_IN_TABLE, -1, -1, blocks);
  builder.usesHead = true;
  int32_t root = builder.either(odd, builder.either(same, builder.either(drawn, listed)));
  PlanCase s(builder.program(root), 1, 3, 3, 230, 230, builder.operands());
  ASSERT_EQ(s.build(), GIRIH_OK) << s.status.message;
  s.expectEachTileOnce();
  const GirihBoundTable *expected = girihBlockMapTables(s.map.get());
  for (int64_t i = 0; i < 4; ++i) {
    const GirihBoundTable &table = s.tables()[i];
    EXPECT_EQ(table.kind, expected[i].kind);
    EXPECT_EQ(table.unit, expected[i].unit);
    EXPECT_EQ(table.per_head, expected[i].per_head);
    if (table.kind == GIRIH_TABLE_LOOKUP) {
      ASSERT_TRUE(s.holds(table.ids, 6 * 4));
      EXPECT_EQ(std::vector<int32_t>(table.ids, table.ids + 6),
                (std::vector<int32_t>{5, -1, 7, 8, 9, 2}));
      EXPECT_EQ(std::vector<int64_t>(table.extent, table.extent + 4),
                (std::vector<int64_t>{2, 3, 1, 1}));
      EXPECT_EQ(table.indptr, nullptr);
      EXPECT_EQ(table.indices, nullptr);
      continue;
    }
    if (table.kind == GIRIH_TABLE_SEGMENTS) {
      EXPECT_EQ(table.num_units, 230);
      ASSERT_TRUE(s.holds(table.ids, 230 * 4));
      EXPECT_EQ(memcmp(table.ids, expected[i].ids, 230 * 4), 0);
      // Where segments begin and end, one of no units included.
      ASSERT_EQ(table.rows, 3);
      EXPECT_EQ(table.row0, 0);
      ASSERT_TRUE(s.holds(table.indptr, 4 * 8));
      EXPECT_EQ(memcmp(table.indptr, expected[i].indptr, 4 * 8), 0);
      EXPECT_EQ(std::vector<int64_t>(table.indptr, table.indptr + 4),
                (std::vector<int64_t>{0, 100, 100, 230}));
      EXPECT_EQ(table.indices, nullptr);
      continue;
    }
    EXPECT_EQ(table.rows, expected[i].rows);
    EXPECT_EQ(table.ids, nullptr);
    int64_t offsets = (table.per_head ? 3 : 1) * (table.rows + 1);
    ASSERT_TRUE(s.holds(table.indptr, offsets * 8));
    EXPECT_EQ(memcmp(table.indptr, expected[i].indptr, static_cast<size_t>(offsets) * 8), 0);
    int64_t size = table.indptr[offsets - 1];
    ASSERT_TRUE(s.holds(table.indices, size * 4));
    EXPECT_EQ(memcmp(table.indices, expected[i].indices, static_cast<size_t>(size) * 4), 0);
    EXPECT_NE(static_cast<const void *>(table.indices), expected[i].indices);
  }
}

TEST(CudaPlan, GroupsAreKvHeadsThatFitTheCache) {
  ProgramBuilder builder;
  GirihMapProgram program = lateCausal(builder);
  PlanCase s(program, 1, 32, 16, 64, 64);
  // 64 + 64 columns of 2 bytes: 131072 keys are 32 MB.
  s.launch.num_k = 131072;
  EXPECT_EQ(planGroupSize(s.kernel, s.launch, 10), 2 * 10);
  s.launch.num_k = 131073;
  EXPECT_EQ(planGroupSize(s.kernel, s.launch, 10), 2 * 10);
  s.launch.num_k = 131072 / 4;
  EXPECT_EQ(planGroupSize(s.kernel, s.launch, 10), 4 * 2 * 10);
  // Seven would fit: groups of 6, 6 and 4.
  s.launch.num_k = 131072 / 7;
  EXPECT_EQ(planGroupSize(s.kernel, s.launch, 10), 6 * 2 * 10);
  s.launch.num_k = 1;
  EXPECT_EQ(planGroupSize(s.kernel, s.launch, 10), 32 * 10);
}

TEST(CudaPlan, GroupsFollowEachOther) {
  ProgramBuilder builder;
  GirihMapProgram program = lateCausal(builder);
  PlanCase s(program, 1, 4, 4, 640, 200000);
  ASSERT_EQ(s.build(), GIRIH_OK) << s.status.message;
  s.expectEachTileOnce();
  for (int32_t i = 0; i < s.image.numTasks; ++i)
    EXPECT_EQ(s.task(i).head, i / 10);
}

TEST(CudaPlan, RefusesWhatDoesNotFit) {
  GirihStatus status{};
  EXPECT_EQ(checkPlanSize(INT32_MAX, INT32_MAX, &status), GIRIH_OK);
  EXPECT_EQ(checkPlanSize(int64_t{1} << 31, 0, &status), GIRIH_UNSUPPORTED);
  EXPECT_STREQ(status.message, "expected at most 2147483647 tasks (batch * heads * q-tiles), but "
                               "got 2147483648");
  EXPECT_EQ(checkPlanSize(1, int64_t{1} << 31, &status), GIRIH_UNSUPPORTED);
  EXPECT_STREQ(status.message,
               "expected the block map to have at most 2147483647 runs, but got 2147483648");

  ProgramBuilder builder;
  PlanCase s(lateCausal(builder), 1, 2, 1, 200, 200);
  s.map = buildMap(s.program, s.params, /*reverse=*/true);
  EXPECT_EQ(s.build(), GIRIH_INVALID);
  EXPECT_STREQ(s.status.message, "expected a forward block map, but got a reverse one");
  GirihMapParams other = s.params;
  other.tile_q = 128;
  s.map = buildMap(s.program, other);
  EXPECT_EQ(s.build(), GIRIH_INVALID);
  EXPECT_STREQ(s.status.message, "expected tile_q of the block map to be 64, but got 128");
  s.map = buildMap(s.program, s.params);
  s.program.num_tables = 1;
  EXPECT_EQ(s.build(), GIRIH_INVALID);
  EXPECT_STREQ(s.status.message, "expected the program of the block map, with 0 tables, but got 1");
}

TEST(CudaKernel, DescriptorsAreChecked) {
  ProgramBuilder builder;
  PlanCase s(lateCausal(builder), 1, 1, 1, 64, 64);
  const GirihCudaKernelDesc good{s.kernel, "attention", "merge", 384, 200000, 128,
                                 128,      64,          1,       1,   8,      "copy"};
  GirihStatus status{};
  EXPECT_EQ(checkCudaKernel(&good, &status), GIRIH_OK) << status.message;
  auto expectRefused = [&](auto change, int code, const char *message) {
    GirihCudaKernelDesc desc = good;
    change(desc);
    EXPECT_EQ(checkCudaKernel(&desc, &status), code);
    EXPECT_STREQ(status.message, message);
  };
  using Desc = GirihCudaKernelDesc &;
  expectRefused([](Desc d) { d.base.dtype = d.base.o_dtype = GIRIH_F32; }, GIRIH_UNSUPPORTED,
                "expected the dtype of a CUDA kernel to be bf16 or f16, but got f32");
  expectRefused([](Desc d) { d.base.magic = 7; }, GIRIH_INVALID,
                "expected kernel magic 0x47495249, but got 0x00000007");
  expectRefused([](Desc d) { d.function = nullptr; }, GIRIH_INVALID,
                "expected the kernel's function to have a name, but got null");
  expectRefused([](Desc d) { d.threads = 100; }, GIRIH_INVALID,
                "expected threads of the kernel to be a multiple of 32 up to 1024, but got 100");
  expectRefused([](Desc d) { d.shared_bytes = -1; }, GIRIH_INVALID,
                "expected shared_bytes of the kernel not to be negative, but got -1");
  expectRefused([](Desc d) { d.box_q = 0; }, GIRIH_INVALID,
                "expected box_q of the kernel to be between 1 and 256, but got 0");
  expectRefused([](Desc d) { d.box_k = 320; }, GIRIH_INVALID,
                "expected box_k of the kernel to be between 1 and 256, but got 320");
  expectRefused([](Desc d) { d.box_cols = 128; }, GIRIH_INVALID,
                "expected box_cols of the kernel to be 64, but got 128");
  expectRefused([](Desc d) { d.blocks_per_multiprocessor = 0; }, GIRIH_INVALID,
                "expected blocks_per_multiprocessor of the kernel to be between 1 and 32, but got "
                "0");
  expectRefused([](Desc d) { d.base.o_dtype = GIRIH_F16; }, GIRIH_INVALID,
                "expected the kernel's o_dtype to be f32 (0) or its dtype bf16 (1), but got 2");
  expectRefused([](Desc d) { d.base.tile_q = 90; }, GIRIH_INVALID,
                "expected tile_q of a kernel with a merge function to be a multiple of 4, but got "
                "90");
  for (int32_t bytes : {0, 1, 6, 32})
    expectRefused(
        [&](Desc d) { d.store_bytes = bytes; }, GIRIH_INVALID,
        ("expected store_bytes of the kernel to be a power of two from 2 to 16, but got " +
         std::to_string(bytes))
            .c_str());
  expectRefused([](Desc d) { d.base.o_dtype = GIRIH_F32, d.store_bytes = 2; }, GIRIH_INVALID,
                "expected store_bytes of the kernel to be a power of two from 4 to 16, but got 2");
  GirihCudaKernelDesc plain = good;
  plain.uses_tensor_maps = plain.box_q = plain.box_cols = 0;
  EXPECT_EQ(checkCudaKernel(&plain, &status), GIRIH_OK) << status.message;
  GirihCudaKernelDesc alone = good;
  alone.merge_function = nullptr;
  alone.base.o_dtype = GIRIH_F32;
  EXPECT_EQ(checkCudaKernel(&alone, &status), GIRIH_OK) << status.message;
  EXPECT_EQ(checkCudaKernel(nullptr, &status), GIRIH_INVALID);
  EXPECT_STREQ(status.message, "expected a kernel descriptor, but got null");
}

TEST(CudaAccess, IsSoManyBytesAtATime) {
  GirihStatus status{};
  auto check = [&](uintptr_t address, int32_t dtype, int64_t heads, int64_t headStride,
                   int64_t tokenStride, int32_t bytes = 16, int64_t columnStride = 1) {
    GirihView o{reinterpret_cast<void *>(address),
                {1, heads, 8, 4},
                {3, headStride, tokenStride, columnStride},
                dtype,
                0};
    status = GirihStatus{};
    return checkStores("o", o, bytes, &status);
  };
  EXPECT_EQ(check(0x70, GIRIH_F32, 2, 32, 4), GIRIH_OK) << status.message;
  EXPECT_EQ(check(0x70, GIRIH_BF16, 2, 64, 8), GIRIH_OK) << status.message;
  // The stride of a single element is not read.
  EXPECT_EQ(check(0x70, GIRIH_F16, 1, 5, 8), GIRIH_OK) << status.message;
  EXPECT_EQ(check(0x78, GIRIH_F32, 2, 32, 4), GIRIH_UNSUPPORTED);
  EXPECT_STREQ(status.message,
               "expected data of o to be aligned to 16 bytes, but got address 0x78");
  EXPECT_EQ(check(0x70, GIRIH_BF16, 2, 64, 4), GIRIH_UNSUPPORTED);
  EXPECT_STREQ(status.message, "expected the token stride of o to be a multiple of 8 elements (16 "
                               "bytes), but got 4");
  EXPECT_EQ(check(0x70, GIRIH_F32, 2, 30, 4), GIRIH_UNSUPPORTED);
  EXPECT_STREQ(status.message, "expected the head stride of o to be a multiple of 4 elements (16 "
                               "bytes), but got 30");
  EXPECT_EQ(check(0x70, GIRIH_BF16, 2, 64, 8, 16, 2), GIRIH_UNSUPPORTED);
  EXPECT_STREQ(status.message, "expected the innermost stride of o to be 1, but got 2");
  // Two elements at a time, and one.
  EXPECT_EQ(check(0x74, GIRIH_BF16, 2, 66, 6, 4), GIRIH_OK) << status.message;
  EXPECT_EQ(check(0x74, GIRIH_BF16, 2, 66, 5, 4), GIRIH_UNSUPPORTED);
  EXPECT_EQ(check(0x72, GIRIH_BF16, 2, 66, 6, 4), GIRIH_UNSUPPORTED);
  EXPECT_EQ(check(0x72, GIRIH_F16, 2, -3, 7, 2), GIRIH_OK) << status.message;
  EXPECT_EQ(check(0x71, GIRIH_F16, 2, 3, 7, 2), GIRIH_UNSUPPORTED);
}
