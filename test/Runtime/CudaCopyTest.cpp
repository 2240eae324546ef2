//===- CudaCopyTest.cpp - Tensors that kernels cannot address -------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Proves when tensors are copied, in which order and how much of them; that attention
// is right for head dims, strides and alignments of every kind; which launches a plan
// serves; and what is refused.
//
//===----------------------------------------------------------------------===//

#include "CudaLaunchTesting.h"
#include "src/cuda/Kernel.h"

using namespace girih::cuda;
using namespace girih::testing;

namespace {

constexpr std::array<int64_t, 4> kTokensOutside = {0, 2, 1, 3}; ///< [B, N, H, D] in memory

/// Kernels that store single elements of o, and a copy function.
class CudaCopy : public CudaLaunch {
protected:
  void SetUp() override {
    CudaLaunch::SetUp();
    if (!driver)
      return;
    desc.copy_function = "attention_copy";
    desc.store_bytes = 4;
  }
  std::vector<std::string> functions() const {
    std::vector<std::string> names;
    for (const FakeLaunch &launch : driver->launches)
      names.push_back(launch.function);
    return names;
  }
  using Names = std::vector<std::string>;
};

} // namespace

TEST_F(CudaCopy, NothingIsCopiedThatTheKernelCanAddress) {
  emulate();
  // Tokens outside of heads, rows with gaps: all of it in multiples of 16 bytes.
  k = makeView({kBatch, kKvHeads, kNumK, 8}, GIRIH_BF16, kTokensOutside, /*gap=*/8);
  prepare();
  ASSERT_EQ(enqueue(), GIRIH_OK) << status.message;
  EXPECT_EQ(functions(), (Names{"attention", "attention_merge"}));
  EXPECT_EQ(driver->launches[0].maps[1].data, k.data);
  EXPECT_EQ(girihCudaPlanCopiedBytes(plan), 0);
  EXPECT_EQ(plan->copies.bytes, (std::array<int64_t, 4>{}));
  expectAttention();
}

TEST_F(CudaCopy, HeadDimsOfAnySizeAreCopiedBeforeTheKernel) {
  for (auto [dim, vDim] : {std::pair(20, 5), std::pair(1, 1), std::pair(33, 16)}) {
    setHeadDims(dim, vDim);
    emulate();
    prepare(0.1f);
    int64_t allocations = driver->allocations;
    int stream = 0;
    driver->launches.clear();
    ASSERT_EQ(enqueue(&stream), GIRIH_OK) << status.message;
    EXPECT_EQ(driver->allocations, allocations);
    EXPECT_EQ(functions(), (Names{"attention_copy", "attention", "attention_merge"}));
    const FakeLaunch &copy = driver->launches[0], &main = driver->launches[1];
    EXPECT_EQ(copy.stream, &stream);
    EXPECT_EQ(copy.block[0], 128u);
    EXPECT_EQ(copy.sharedBytes, 0u);
    EXPECT_EQ(copy.grid[0], unsigned{kBatch * kHeads * 10}); // 300 tokens by 32
    EXPECT_EQ(copy.grid[1], vDim % 8 ? 3u : 2u);             // 16 columns need no copy
    // The kernel reads rows that begin at multiples of 16 bytes, and no padding.
    const FakeTensorMap &map = main.maps[0];
    EXPECT_EQ(map.dims[0], static_cast<uint64_t>(dim));
    EXPECT_EQ(map.strides[0], static_cast<uint64_t>((dim + 7) / 8 * 16));
    EXPECT_EQ(reinterpret_cast<uintptr_t>(map.data) % 16, 0u);
    EXPECT_NE(map.data, q.data);
    EXPECT_EQ(main.arguments.o, o.data);
    int64_t queries = kBatch * kHeads * kNumQ, keys = kBatch * kKvHeads * kNumK;
    EXPECT_EQ(girihCudaPlanCopiedBytes(plan),
              2 * (queries * dim + keys * dim + (vDim % 8 ? keys * vDim : 0)));
    expectAttention();
    girihCudaPlanFree(plan);
    girihCudaUnload(kernel);
    plan = nullptr;
    kernel = nullptr;
  }
}

TEST_F(CudaCopy, AnyStrideAndAlignmentOfElementsWillDo) {
  emulate();
  // Columns as far apart as tokens are many; a shifted start; rows backwards.
  q = makeView({kBatch, kHeads, kNumQ, 8}, GIRIH_BF16, {0, 1, 3, 2}, /*gap=*/1);
  k = makeView({kBatch, kKvHeads, kNumK, 8}, GIRIH_BF16, kTokensOutside, /*gap=*/0, /*shift=*/3);
  v.data = static_cast<uint16_t *>(v.data) + (kNumK - 1) * v.stride[2];
  v.stride[2] = -v.stride[2];
  prepare();
  ASSERT_EQ(enqueue(), GIRIH_OK) << status.message;
  EXPECT_EQ(functions(), (Names{"attention_copy", "attention", "attention_merge"}));
  EXPECT_EQ(driver->launches[0].grid[1], 3u);
  expectAttention();
}

TEST_F(CudaCopy, WhatAStrideOfZeroRepeatsIsCopiedOnce) {
  emulate();
  k = makeView({1, 1, kNumK, 8}, GIRIH_BF16, {0, 1, 2, 3}, /*gap=*/1);
  k.shape[0] = kBatch;
  k.shape[1] = kKvHeads;
  k.stride[0] = k.stride[1] = 0;
  prepare();
  ASSERT_EQ(enqueue(), GIRIH_OK) << status.message;
  EXPECT_EQ(functions(), (Names{"attention_copy", "attention", "attention_merge"}));
  EXPECT_EQ(girihCudaPlanCopiedBytes(plan), kNumK * 16);
  EXPECT_EQ(plan->copies.bytes[1], kNumK * 16);
  EXPECT_EQ(driver->launches[0].grid[0], 10u);
  EXPECT_EQ(driver->launches[1].maps[1].strides[1], 0u);
  expectAttention();
}

TEST_F(CudaCopy, AnOutputThatTheKernelCannotStoreToIsCopiedLast) {
  emulate();
  desc.store_bytes = 16;
  o = makeView({kBatch, kHeads, kNumQ, 8}, GIRIH_F32, kTokensOutside, /*gap=*/3, /*shift=*/1);
  prepare();
  ASSERT_EQ(enqueue(), GIRIH_OK) << status.message;
  EXPECT_EQ(functions(), (Names{"attention", "attention_merge", "attention_copy"}));
  const FakeLaunch &copy = driver->launches[2];
  EXPECT_EQ(copy.grid[1], 1u);
  EXPECT_EQ(copy.copies.copy[0].to, o.data);
  EXPECT_EQ(copy.copies.copy[0].element_bytes, 4);
  EXPECT_EQ(driver->launches[1].arguments.o, copy.copies.copy[0].from);
  EXPECT_EQ(girihCudaPlanCopiedBytes(plan), kBatch * kHeads * kNumQ * 8 * 4);
  expectAttention();
}

TEST_F(CudaCopy, KernelsWithoutTensorMapsReadTheCopy) {
  desc.function = "plain";
  desc.uses_tensor_maps = 0;
  setHeadDims(12, 8);
  prepare();
  ASSERT_EQ(enqueue(), GIRIH_OK) << status.message;
  const GirihCudaArguments &arguments = driver->launches[1].arguments;
  EXPECT_EQ(driver->launches[1].function, "plain");
  EXPECT_EQ(arguments.q, driver->launches[0].copies.copy[0].to);
  EXPECT_EQ(arguments.k, driver->launches[0].copies.copy[1].to);
  EXPECT_EQ(arguments.v, v.data);
  EXPECT_EQ(arguments.k_stride[2], 16);
  EXPECT_EQ(arguments.k_stride[1], kNumK * 16);
  EXPECT_EQ(arguments.k_stride[0], kKvHeads * kNumK * 16);
}

TEST_F(CudaCopy, APlanServesLaunchesThatNeedNoMoreRoom) {
  emulate();
  const GirihView aligned = k;
  k.stride[2] = 7; // rows that overlap: still 8 columns each
  prepare();
  // One that needs no copy at all, and one with other strides.
  launch.k = aligned;
  ASSERT_EQ(enqueue(), GIRIH_OK) << status.message;
  EXPECT_EQ(functions(), (Names{"attention", "attention_merge"}));
  k = launch.k = makeView({kBatch, kKvHeads, kNumK, 8}, GIRIH_BF16, kTokensOutside, /*gap=*/5);
  ASSERT_EQ(enqueue(), GIRIH_OK) << status.message;
  EXPECT_EQ(driver->launches.size(), 5u);
  expectAttention();
}

TEST_F(CudaCopy, RefusesLaunchesThatNeedMoreRoom) {
  prepare();
  const GirihLaunch good = launch;
  launch.k.stride[2] = 12;
  EXPECT_EQ(enqueue(), GIRIH_INVALID);
  EXPECT_STREQ(status.message,
               "expected the plan to have room for a copy of k of 19200 bytes, but got 0; the "
               "kernel does not take k as it is: expected the token stride of k to be a multiple "
               "of 8 elements (16 bytes), but got 12");
  launch = good;
  desc.store_bytes = kernel->desc.store_bytes = 16;
  launch.o.data = static_cast<char *>(launch.o.data) + 4;
  EXPECT_EQ(enqueue(), GIRIH_INVALID);
  EXPECT_NE(strstr(status.message, "room for a copy of o of 76800 bytes, but got 0"), nullptr)
      << status.message;
  // Half an element beside another no copy helps.
  launch = good;
  launch.q.data = static_cast<char *>(launch.q.data) + 1;
  EXPECT_EQ(enqueue(), GIRIH_UNSUPPORTED);
  EXPECT_NE(strstr(status.message, "expected data of q to be aligned to 2 bytes"), nullptr)
      << status.message;
  EXPECT_TRUE(driver->launches.empty());
}

TEST_F(CudaCopy, WhatTheDriverRefusesIsReportedOnce) {
  setHeadDims(20, 20);
  prepare();
  driver->launchResult = 701;
  EXPECT_EQ(enqueue(), GIRIH_INTERNAL);
  EXPECT_NE(strstr(status.message, "kernel 'fake' could not be launched"), nullptr)
      << status.message;
  EXPECT_TRUE(driver->launches.empty());
}

TEST_F(CudaCopy, ImagesMustHaveTheCopyFunction) {
  desc.copy_function = "move";
  EXPECT_EQ(load(), GIRIH_INVALID);
  EXPECT_STREQ(status.message, "expected the image of kernel 'fake' to have function 'move'");
}

TEST_F(CudaCopy, RefusesCopiesThatNoDeviceHolds) {
  CopyShape shape;
  const Operand &k = kOperands[1];
  GirihView view{nullptr, {1 << 20, 1 << 9, 1 << 7, 20}, {0, 0, 20, 1}, GIRIH_BF16, 0};
  view.stride[1] = 20 << 7;
  view.stride[0] = view.stride[1] << 9;
  EXPECT_EQ(describeCopy(k, view, shape, &status), GIRIH_UNSUPPORTED);
  EXPECT_STREQ(status.message,
               "expected k, which has to be copied, to have at most 2147483647 groups of 32 "
               "tokens, but got shape 1048576 x 512 x 128 x 20");
  // One fewer batch is the most; repeated ones do not count.
  --view.shape[0];
  EXPECT_EQ(describeCopy(k, view, shape, &status), GIRIH_OK) << status.message;
  EXPECT_EQ(shape.blocks, (int64_t{1} << 31) - 2048);
  EXPECT_EQ(shape.bytes, 48 * (((int64_t{1} << 20) - 1) << 16));
  EXPECT_EQ(shape.moved, 40 * (((int64_t{1} << 20) - 1) << 16));
  view.shape[0] = int64_t{1} << 40;
  view.stride[0] = 0;
  EXPECT_EQ(describeCopy(k, view, shape, &status), GIRIH_OK) << status.message;
  EXPECT_EQ(shape.bytes, 48 << 16);
  // More than the device has: the plan cannot be made.
  q = makeView({kBatch, kHeads, kNumQ, 8}, GIRIH_BF16);
  prepare();
  launch.k = view;
  launch.k.data = q.data;
  launch.k.shape[0] = 1 << 12;
  launch.k.stride[0] = launch.k.stride[1] << 9;
  GirihMapParams params = plan->params;
  Map map = buildMap(program, params);
  GirihCudaPlan *huge = nullptr;
  EXPECT_EQ(girihCudaPlanCreate(device, &desc, map.get(), &program, &launch, &huge, &status),
            GIRIH_INTERNAL);
  EXPECT_NE(strstr(status.message, "could not allocate"), nullptr) << status.message;
  EXPECT_EQ(huge, nullptr);
}
