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

#include "FakeDriver.h"
#include "MapTesting.h"
#include "src/cuda/Plan.h"

#include <gtest/gtest.h>

#include <dlfcn.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <random>

using namespace girih::testing;

namespace {

constexpr int64_t kDim = 8, kTileQ = 16, kTileK = 8;

float fromBf16(uint16_t bits) {
  uint32_t wide = uint32_t{bits} << 16;
  float value;
  memcpy(&value, &wide, sizeof(value));
  return value;
}

/// Queries see the keys of a window, the first q-tile every key, queries from 60
/// to 79 none.
bool sees(int64_t q, int64_t k) {
  return (q < 60 || q >= 80) && (q < kTileQ || (k <= q && q - k <= 20));
}
int32_t seesNode(ProgramBuilder &b) {
  int32_t window = b.both(b.ge(b.q(), b.k()), b.ge0(b.shift(b.minus(b.k(), b.q()), 20)));
  int32_t first = b.ge0(b.shift(b.times(b.q(), -1), kTileQ - 1));
  int32_t gap = b.both(b.ge0(b.shift(b.q(), -60)), b.ge0(b.shift(b.times(b.q(), -1), 79)));
  return b.both(b.negate(gap), b.either(first, window));
}

/// Element (b, h, token, column) of a tensor map; zero beyond the ends.
float element(const FakeTensorMap &map, int64_t b, int64_t h, int64_t token, int64_t column) {
  if (token >= static_cast<int64_t>(map.dims[1]))
    return 0;
  const char *row = static_cast<const char *>(map.data) + b * static_cast<int64_t>(map.strides[2]) +
                    h * static_cast<int64_t>(map.strides[1]) +
                    token * static_cast<int64_t>(map.strides[0]);
  uint16_t bits;
  memcpy(&bits, row + column * 2, sizeof(bits));
  return fromBf16(bits);
}

/// One row of o of a task, normalised, and its log-sum-exp.
float attendRow(const FakeLaunch &launch, const GirihCudaTask &task, int64_t q, double *o) {
  const GirihCudaArguments &a = launch.arguments;
  double sum = 0;
  std::fill(o, o + kDim, 0.0);
  int32_t left = task.num_tiles;
  for (const GirihRun *run = a.runs + task.first_run; left > 0; ++run)
    for (int64_t tile = run->begin; tile < run->end && left > 0; ++tile, --left)
      for (int64_t k = tile * kTileK; k < (tile + 1) * kTileK; ++k) {
        if (run->state == GIRIH_TILE_PARTIAL && (k >= a.num_k || !sees(a.q_offset + q, k)))
          continue;
        double score = 0;
        for (int64_t d = 0; d < kDim; ++d)
          score += double{element(launch.maps[0], task.batch, task.head, q, d)} *
                   double{element(launch.maps[1], task.batch, task.kv_head, k, d)};
        double weight = std::exp(score * double{a.scale});
        sum += weight;
        for (int64_t d = 0; d < kDim; ++d)
          o[d] += weight * double{element(launch.maps[2], task.batch, task.kv_head, k, d)};
      }
  for (int64_t d = 0; d < kDim; ++d)
    o[d] = sum > 0 ? o[d] / sum : 0;
  return static_cast<float>(sum > 0 ? std::log(sum) : -INFINITY);
}

void writeRow(const GirihCudaArguments &a, int64_t b, int64_t h, int64_t q, const double *o,
              float lse) {
  float *row =
      static_cast<float *>(a.o) + b * a.o_stride[0] + h * a.o_stride[1] + q * a.o_stride[2];
  std::copy(o, o + kDim, row);
  a.lse[(b * a.heads + h) * a.num_q + q] = lse;
}

/// What a generated kernel and its merge kernel do.
void emulate(const FakeLaunch &launch) {
  const GirihCudaArguments &a = launch.arguments;
  double o[kDim];
  if (launch.function == "attention") {
    for (unsigned block = 0; block < launch.grid[0]; ++block)
      for (int32_t i = a.block_begin[block]; i < a.block_begin[block + 1]; ++i)
        for (int64_t r = 0; r < kTileQ; ++r) {
          const GirihCudaTask &task = a.tasks[i];
          int64_t q = task.q_tile * kTileQ + r;
          float lse = attendRow(launch, task, q, o);
          if (task.slot >= 0) {
            int64_t row = task.slot * kTileQ + r;
            std::copy(o, o + kDim, a.partial_o + row * kDim);
            a.partial_lse[row] = lse;
          } else if (q < a.num_q) {
            writeRow(a, task.batch, task.head, q, o, lse);
          }
        }
    return;
  }
  for (unsigned index = 0; index < launch.grid[1]; ++index)
    for (int64_t r = 0; r < int64_t{launch.grid[0]} * 4; ++r) {
      const GirihCudaMerge &merge = a.merges[index];
      int64_t q = merge.q_tile * kTileQ + r;
      if (q >= a.num_q)
        continue;
      double sum = 0;
      std::fill(o, o + kDim, 0.0);
      for (int64_t slot = merge.first_slot; slot < merge.first_slot + merge.num_slots; ++slot) {
        double weight = std::exp(double{a.partial_lse[slot * kTileQ + r]});
        sum += weight;
        for (int64_t d = 0; d < kDim; ++d)
          o[d] += weight * double{a.partial_o[(slot * kTileQ + r) * kDim + d]};
      }
      for (int64_t d = 0; d < kDim; ++d)
        o[d] = sum > 0 ? o[d] / sum : 0;
      writeRow(a, merge.batch, merge.head, q, o,
               static_cast<float>(sum > 0 ? std::log(sum) : -INFINITY));
    }
}

/// Device, kernel, operands and plan on the fake driver.
class CudaLaunch : public ::testing::Test {
protected:
  static constexpr int64_t kBatch = 2, kHeads = 4, kKvHeads = 2, kNumQ = 300, kNumK = 300;

  void SetUp() override {
    void *library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
    auto entry =
        reinterpret_cast<FakeDriverEntry>(library ? dlsym(library, "girihFakeDriver") : nullptr);
    if (!entry)
      GTEST_SKIP() << "another libcuda.so.1 comes before the fake one";
    driver = entry();
    *driver = FakeDriver{};
    program = builder.program(seesNode(builder));
    desc.base = {GIRIH_MAGIC,
                 GIRIH_ABI_VERSION,
                 "fake",
                 GIRIH_BF16,
                 GIRIH_BOTTOM_RIGHT,
                 kDim,
                 kDim,
                 kTileQ,
                 kTileK,
                 0,
                 &program,
                 nullptr,
                 GIRIH_F32,
                 0};
    desc.function = "attention";
    desc.merge_function = "attention_merge";
    desc.threads = 384;
    desc.shared_bytes = 100000;
    desc.box_q = kTileQ;
    desc.box_k = kTileK;
    desc.box_cols = 64;
    desc.blocks_per_multiprocessor = 2;
    desc.uses_tensor_maps = 1;
    ASSERT_EQ(girihCudaOpen(0, &device, &status), GIRIH_OK) << status.message;
    q = makeView(kHeads, kNumQ, GIRIH_BF16);
    k = makeView(kKvHeads, kNumK, GIRIH_BF16);
    v = makeView(kKvHeads, kNumK, GIRIH_BF16);
    o = makeView(kHeads, kNumQ, GIRIH_F32);
    lse = static_cast<float *>(allocate(kBatch * kHeads * kNumQ * 4));
    std::mt19937 random(3);
    for (const GirihView *view : {&q, &k, &v})
      for (int64_t i = 0; i < kBatch * view->shape[1] * view->shape[2] * kDim; ++i)
        static_cast<uint16_t *>(view->data)[i] =
            static_cast<uint16_t>((random() & 0x80ff) | 0x3f00); // 0.5 to 2, either sign
  }
  void TearDown() override {
    if (!driver)
      return;
    girihCudaPlanFree(plan);
    girihCudaUnload(kernel);
    for (void *memory : allocated)
      girihCudaFree(device, memory);
    girihCudaClose(device);
    EXPECT_EQ(driver->allocations, 0);
    *driver = FakeDriver{};
  }

  void *allocate(int64_t bytes) {
    void *memory = nullptr;
    EXPECT_EQ(girihCudaAllocate(device, bytes, &memory, &status), GIRIH_OK) << status.message;
    allocated.push_back(memory);
    return memory;
  }
  GirihView makeView(int64_t heads, int64_t tokens, int32_t dtype) {
    int64_t bytes = kBatch * heads * tokens * kDim * (dtype == GIRIH_F32 ? 4 : 2);
    return {allocate(bytes),
            {kBatch, heads, tokens, kDim},
            {heads * tokens * kDim, tokens * kDim, kDim, 1},
            dtype,
            0};
  }
  int load() {
    static constexpr char image[] = ".entry attention .entry plain .entry attention_merge";
    return girihCudaLoad(device, &desc, image, sizeof(image), &kernel, &status);
  }
  void prepare(float scale = 0.3f) {
    ASSERT_EQ(load(), GIRIH_OK) << status.message;
    GirihMapParams params{};
    ASSERT_EQ(girihPrepareLaunch(&desc.base, &q, &k, &v, &o, lse, scale, &launch, &params, &status),
              GIRIH_OK)
        << status.message;
    Map map = buildMap(program, params);
    ASSERT_EQ(girihCudaPlanCreate(device, &desc, map.get(), &program, &launch, &plan, &status),
              GIRIH_OK)
        << status.message;
  }
  int enqueue(void *stream = nullptr) {
    return girihCudaLaunch(kernel, &launch, plan, stream, &status);
  }
  /// Compares o and lse with loops over every pair.
  void expectAttention() {
    for (int64_t b = 0; b < kBatch; ++b)
      for (int64_t h = 0; h < kHeads; ++h)
        for (int64_t i = 0; i < kNumQ; ++i) {
          auto value = [&](const GirihView &view, int64_t head, int64_t token, int64_t d) {
            return double{fromBf16(static_cast<uint16_t *>(
                view.data)[b * view.stride[0] + head * view.stride[1] + token * kDim + d])};
          };
          double sum = 0, row[kDim] = {};
          for (int64_t j = 0; j < kNumK; ++j) {
            if (!sees(i, j))
              continue;
            double score = 0;
            for (int64_t d = 0; d < kDim; ++d)
              score += value(q, h, i, d) * value(k, h / 2, j, d);
            double weight = std::exp(score * double{launch.scale});
            sum += weight;
            for (int64_t d = 0; d < kDim; ++d)
              row[d] += weight * value(v, h / 2, j, d);
          }
          int64_t at = (b * kHeads + h) * kNumQ + i;
          for (int64_t d = 0; d < kDim; ++d)
            ASSERT_NEAR(static_cast<float *>(o.data)[at * kDim + d], sum > 0 ? row[d] / sum : 0,
                        1e-4)
                << "batch " << b << " head " << h << " query " << i;
          if (sum > 0) {
            ASSERT_NEAR(lse[at], std::log(sum), 1e-4);
          } else {
            ASSERT_EQ(lse[at], -INFINITY);
          }
        }
  }

  FakeDriver *driver = nullptr;
  ProgramBuilder builder;
  GirihMapProgram program{};
  GirihCudaKernelDesc desc{};
  GirihCudaDevice *device = nullptr;
  GirihCudaKernel *kernel = nullptr;
  GirihCudaPlan *plan = nullptr;
  std::vector<void *> allocated;
  GirihView q{}, k{}, v{}, o{};
  float *lse = nullptr;
  GirihLaunch launch{};
  GirihStatus status{};
};

} // namespace

TEST_F(CudaLaunch, SplitRowsAreMergedByASecondKernelOnTheSameStream) {
  driver->run = emulate;
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
  driver->run = emulate;
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
  driver->run = emulate;
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
  plan->vDim = kDim;
  // Nothing of all this reached the driver, and what it refuses is reported.
  EXPECT_TRUE(driver->launches.empty());
  driver->launchResult = 701;
  expectRefused([](Launch) {}, GIRIH_INTERNAL,
                "kernel 'fake' could not be launched on device 0 (q [2, 4, 300, 8], k [2, 2, 300, "
                "8], 132 blocks of 384 threads, 100000 bytes of shared memory, 8 split q-tiles): a "
                "fake error (FAKE, 701)");
}
