//===- CudaLaunchTest.cpp - Launches on a driver that runs nothing --------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Proves what a launch enqueues: one kernel, and a second one where rows were
// split, with the arguments that the header promises; that kernels written after the
// header, here in plain loops, compute attention from them; and what is refused.
//
//===----------------------------------------------------------------------===//

#include "CudaLaunchTesting.h"

#include <unistd.h>

#include <cstdlib>
#include <fstream>
#include <string>

using namespace girih::testing;

TEST_F(CudaLaunch, SplitRowsAreMergedByASecondKernelOnTheSameStream) {
  emulate();
  prepare();
  ASSERT_EQ(plan->numMerges, kBatch * kHeads);
  int stream = 0;
  ASSERT_EQ(enqueue(&stream), GIRIH_OK) << status.message;
  ASSERT_EQ(driver->launches.size(), 2u);
  const FakeLaunch &main = driver->launches[0], &merge = driver->launches[1];
  EXPECT_EQ(main.function, "attention");
  EXPECT_EQ(main.grid[0], 132u);
  EXPECT_EQ(main.block[0], 384u);
  EXPECT_EQ(main.sharedBytes, 100000u);
  EXPECT_EQ(main.stream, &stream);
  EXPECT_EQ(main.maps[0].box[1], uint32_t{kTileQ});
  EXPECT_EQ(main.arguments.num_merges, plan->numMerges);
  EXPECT_EQ(main.arguments.heads_per_kv, 2);
  EXPECT_EQ(merge.function, "attention_merge");
  EXPECT_EQ(merge.grid[0], unsigned{kTileQ / 4});
  EXPECT_EQ(merge.grid[1], static_cast<unsigned>(plan->numMerges));
  EXPECT_EQ(merge.block[0], 128u);
  EXPECT_EQ(merge.sharedBytes, 0u);
  EXPECT_EQ(merge.stream, &stream);
  EXPECT_EQ(memcmp(&main.arguments, &merge.arguments, sizeof(GirihCudaArguments)), 0);
  expectAttention();
}

TEST_F(CudaLaunch, WithoutAMergeFunctionNothingIsSplit) {
  emulate();
  desc.merge_function = nullptr;
  prepare();
  ASSERT_EQ(enqueue(), GIRIH_OK) << status.message;
  ASSERT_EQ(driver->launches.size(), 1u);
  const GirihCudaArguments &arguments = driver->launches[0].arguments;
  EXPECT_EQ(arguments.num_merges, 0);
  EXPECT_EQ(arguments.merges, nullptr);
  EXPECT_EQ(arguments.partial_o, nullptr);
  EXPECT_EQ(arguments.partial_lse, nullptr);
  expectAttention();
}

TEST_F(CudaLaunch, ScalesMayBeZeroOrNegative) {
  emulate();
  prepare(-0.4f);
  ASSERT_EQ(enqueue(), GIRIH_OK) << status.message;
  expectAttention();
  launch.scale = 0;
  ASSERT_EQ(enqueue(), GIRIH_OK) << status.message;
  expectAttention();
}

TEST_F(CudaLaunch, KernelsWithoutTensorMapsGetPointers) {
  desc.function = "plain";
  desc.uses_tensor_maps = 0;
  prepare();
  ASSERT_EQ(enqueue(), GIRIH_OK) << status.message;
  const GirihCudaArguments &arguments = driver->launches[0].arguments;
  EXPECT_EQ(arguments.q, q.data);
  EXPECT_EQ(arguments.v, v.data);
  EXPECT_TRUE(std::equal(k.stride, k.stride + 3, arguments.k_stride));
  launch.k.stride[2] = 12;
  EXPECT_EQ(enqueue(), GIRIH_UNSUPPORTED);
  EXPECT_STREQ(status.message, "expected the token stride of k to be a multiple of 8 elements (16 "
                               "bytes), but got 12");
}

TEST_F(CudaLaunch, TimesBothKernels) {
  prepare();
  double milliseconds[2] = {};
  ASSERT_EQ(girihCudaTime(kernel, &launch, plan, 1, 2, milliseconds, &status), GIRIH_OK)
      << status.message;
  EXPECT_EQ(driver->launches.size(), 6u);
  EXPECT_EQ(milliseconds[1], 1.5);
}

TEST_F(CudaLaunch, ImagesMustHaveTheMergeFunction) {
  desc.merge_function = "combine";
  EXPECT_EQ(load(), GIRIH_INVALID);
  EXPECT_STREQ(status.message, "expected the image of kernel 'fake' to have function 'combine'");
  EXPECT_EQ(kernel, nullptr);
}

TEST_F(CudaLaunch, LoadsImagesFromFiles) {
  char folder[] = "/tmp/girih-image-XXXXXX";
  ASSERT_NE(mkdtemp(folder), nullptr);
  std::string path = std::string(folder) + "/fake.ptx";
  auto loadFile = [&](const char *contents) {
    std::ofstream(path) << contents;
    return girihCudaLoadFile(device, &desc, path.c_str(), &kernel, &status);
  };
  // Without its end the driver would read on.
  EXPECT_EQ(loadFile(".entry attention .entry attention_merge"), GIRIH_OK) << status.message;
  ASSERT_NE(kernel, nullptr);
  girihCudaUnload(kernel);
  EXPECT_EQ(loadFile(".entry plain .entry other"), GIRIH_INVALID);
  EXPECT_STREQ(status.message, "expected the image of kernel 'fake' to have function 'attention'");
  EXPECT_EQ(kernel, nullptr);
  EXPECT_EQ(loadFile(""), GIRIH_INVALID);
  EXPECT_STREQ(status.message, (path + ": expected a cubin or PTX, but got an empty file").c_str());
  unlink(path.c_str());
  EXPECT_EQ(girihCudaLoadFile(device, &desc, path.c_str(), &kernel, &status), GIRIH_INVALID);
  EXPECT_STREQ(status.message, (path + ": cannot be read: No such file or directory").c_str());
  EXPECT_EQ(girihCudaLoadFile(device, &desc, folder, &kernel, &status), GIRIH_INVALID);
  EXPECT_STREQ(status.message, (std::string(folder) + ": cannot be read: Is a directory").c_str());
  EXPECT_EQ(girihCudaLoadFile(device, &desc, nullptr, &kernel, &status), GIRIH_INVALID);
  EXPECT_STREQ(status.message, "expected the path of an image, but got null");
  EXPECT_EQ(kernel, nullptr);
  rmdir(folder);
}

TEST_F(CudaLaunch, RefusesWhatDoesNotBelongTogether) {
  prepare();
  const GirihLaunch good = launch;
  auto expectRefused = [&](auto change, int code, const char *part) {
    launch = good;
    change(launch);
    EXPECT_EQ(enqueue(), code);
    EXPECT_NE(strstr(status.message, part), nullptr) << status.message << " has no " << part;
    launch = good;
  };
  using Launch = GirihLaunch &;
  uint16_t host[8] = {};
  expectRefused([](Launch l) { l.o.dtype = GIRIH_BF16; }, GIRIH_INVALID,
                "expected o to have dtype f32, but got bf16");
  expectRefused([&](Launch l) { l.q.data = host; }, GIRIH_INVALID, "but got host memory");
  expectRefused([](Launch l) { l.k.data = static_cast<char *>(l.k.data) + 2; }, GIRIH_UNSUPPORTED,
                "aligned to 16 bytes");
  expectRefused([](Launch l) { l.o.stride[1] += 2; }, GIRIH_UNSUPPORTED,
                "the head stride of o to be a multiple of 4 elements");
  expectRefused([](Launch l) { --l.num_k; }, GIRIH_INVALID, "expected num_k of the block map");
  // Memory of the other device.
  GirihCudaDevice *second = nullptr;
  void *elsewhere = nullptr;
  ASSERT_EQ(girihCudaOpen(1, &second, &status), GIRIH_OK);
  ASSERT_EQ(girihCudaAllocate(second, 4096, &elsewhere, &status), GIRIH_OK);
  expectRefused([&](Launch l) { l.v.data = elsewhere; }, GIRIH_INVALID,
                "expected data of v to be memory of device 0, but got memory of device 1");
  girihCudaFree(second, elsewhere);
  girihCudaClose(second);
  // A plan with splits and a kernel that can't merge; one with another workspace.
  GirihCudaKernel *mergesToo = kernel;
  desc.merge_function = nullptr;
  ASSERT_EQ(load(), GIRIH_OK);
  expectRefused([](Launch) {}, GIRIH_INVALID,
                "expected a plan without split q-tiles for kernel 'fake', which has no merge "
                "function, but got 8");
  girihCudaUnload(kernel);
  kernel = mergesToo;
  plan->vDim = 4;
  expectRefused([](Launch) {}, GIRIH_INVALID, "head dim of v of the plan to be 8, but got 4");
  plan->vDim = 8;
  // Nothing of all this reached the driver, and what it refuses is reported.
  EXPECT_TRUE(driver->launches.empty());
  driver->launchResult = 701;
  expectRefused([](Launch) {}, GIRIH_INTERNAL,
                "kernel 'fake' could not be launched on device 0 (q [2, 4, 300, 8], k [2, 2, 300, "
                "8], 132 blocks of 384 threads, 100000 bytes of shared memory, 8 split q-tiles): a "
                "fake error (FAKE, 701)");
}
