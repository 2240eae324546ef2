//===- CudaLaunchTesting.h - Launches on a driver that runs nothing -*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A problem on the fake driver, and kernels written after girih-c/Cuda.h in plain
// loops: what they compute from a launch says whether its arguments are right.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_TEST_RUNTIME_CUDALAUNCHTESTING_H
#define GIRIH_TEST_RUNTIME_CUDALAUNCHTESTING_H

#include "FakeDriver.h"
#include "MapTesting.h"
#include "src/cuda/Plan.h"

#include <gtest/gtest.h>

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <random>
#include <vector>

namespace girih::testing {

constexpr int64_t kTileQ = 16, kTileK = 8;

inline float fromBf16(uint16_t bits) {
  uint32_t wide = uint32_t{bits} << 16;
  float value;
  memcpy(&value, &wide, sizeof(value));
  return value;
}

/// Queries see the keys of a window, the first q-tile every key, queries from 60
/// to 79 none.
inline bool sees(int64_t q, int64_t k) {
  return (q < 60 || q >= 80) && (q < kTileQ || (k <= q && q - k <= 20));
}
inline int32_t seesNode(ProgramBuilder &b) {
  int32_t window = b.both(b.ge(b.q(), b.k()), b.ge0(b.shift(b.minus(b.k(), b.q()), 20)));
  int32_t first = b.ge0(b.shift(b.times(b.q(), -1), kTileQ - 1));
  int32_t gap = b.both(b.ge0(b.shift(b.q(), -60)), b.ge0(b.shift(b.times(b.q(), -1), 79)));
  return b.both(b.negate(gap), b.either(first, window));
}

/// Element (b, h, token, column) of a tensor map; zero beyond the ends.
inline float element(const FakeTensorMap &map, int64_t b, int64_t h, int64_t token,
                     int64_t column) {
  if (token >= static_cast<int64_t>(map.dims[1]))
    return 0;
  const char *row = static_cast<const char *>(map.data) + b * static_cast<int64_t>(map.strides[2]) +
                    h * static_cast<int64_t>(map.strides[1]) +
                    token * static_cast<int64_t>(map.strides[0]);
  uint16_t bits;
  memcpy(&bits, row + column * 2, sizeof(bits));
  return fromBf16(bits);
}

/// The kernels of head dims `dim` and `vDim`, with an o of f32.
struct Emulation {
  int64_t dim, vDim;
  int64_t pitch() const { return (vDim + 7) / 8 * 8; }

  /// One row of o of a task, normalised, and its log-sum-exp.
  float attendRow(const FakeLaunch &launch, const GirihCudaTask &task, int64_t q,
                  std::vector<double> &o) const {
    const GirihCudaArguments &a = launch.arguments;
    double sum = 0;
    o.assign(static_cast<size_t>(vDim), 0.0);
    int32_t left = task.num_tiles;
    for (const GirihRun *run = a.runs + task.first_run; left > 0; ++run)
      for (int64_t tile = run->begin; tile < run->end && left > 0; ++tile, --left)
        for (int64_t k = tile * kTileK; k < (tile + 1) * kTileK; ++k) {
          if (run->state == GIRIH_TILE_PARTIAL && (k >= a.num_k || !sees(a.q_offset + q, k)))
            continue;
          double score = 0;
          for (int64_t d = 0; d < dim; ++d)
            score += double{element(launch.maps[0], task.batch, task.head, q, d)} *
                     double{element(launch.maps[1], task.batch, task.kv_head, k, d)};
          double weight = std::exp(score * double{a.scale});
          sum += weight;
          for (int64_t d = 0; d < vDim; ++d)
            o[d] += weight * double{element(launch.maps[2], task.batch, task.kv_head, k, d)};
        }
    for (double &value : o)
      value = sum > 0 ? value / sum : 0;
    return static_cast<float>(sum > 0 ? std::log(sum) : -INFINITY);
  }

  static void writeRow(const GirihCudaArguments &a, int64_t b, int64_t h, int64_t q,
                       const std::vector<double> &o, float lse) {
    float *row =
        static_cast<float *>(a.o) + b * a.o_stride[0] + h * a.o_stride[1] + q * a.o_stride[2];
    std::copy(o.begin(), o.end(), row);
    a.lse[(b * a.heads + h) * a.num_q + q] = lse;
  }

  void attend(const FakeLaunch &launch) const {
    const GirihCudaArguments &a = launch.arguments;
    std::vector<double> o;
    for (unsigned block = 0; block < launch.grid[0]; ++block)
      for (int32_t i = a.block_begin[block]; i < a.block_begin[block + 1]; ++i)
        for (int64_t r = 0; r < kTileQ; ++r) {
          const GirihCudaTask &task = a.tasks[i];
          int64_t q = task.q_tile * kTileQ + r;
          float lse = attendRow(launch, task, q, o);
          if (task.slot >= 0) {
            int64_t row = task.slot * kTileQ + r;
            std::copy(o.begin(), o.end(), a.partial_o + row * pitch());
            a.partial_lse[row] = lse;
          } else if (q < a.num_q) {
            writeRow(a, task.batch, task.head, q, o, lse);
          }
        }
  }

  void merge(const FakeLaunch &launch) const {
    const GirihCudaArguments &a = launch.arguments;
    for (unsigned index = 0; index < launch.grid[1]; ++index)
      for (int64_t r = 0; r < int64_t{launch.grid[0]} * 4; ++r) {
        const GirihCudaMerge &merge = a.merges[index];
        int64_t q = merge.q_tile * kTileQ + r;
        if (q >= a.num_q)
          continue;
        double sum = 0;
        std::vector<double> o(static_cast<size_t>(vDim), 0.0);
        for (int64_t slot = merge.first_slot; slot < merge.first_slot + merge.num_slots; ++slot) {
          double weight = std::exp(double{a.partial_lse[slot * kTileQ + r]});
          sum += weight;
          for (int64_t d = 0; d < vDim; ++d)
            o[d] += weight * double{a.partial_o[(slot * kTileQ + r) * pitch() + d]};
        }
        for (double &value : o)
          value = sum > 0 ? value / sum : 0;
        writeRow(a, merge.batch, merge.head, q, o,
                 static_cast<float>(sum > 0 ? std::log(sum) : -INFINITY));
      }
  }

  /// Block by block, as the header says.
  static void copy(const FakeLaunch &launch) {
    for (unsigned y = 0; y < launch.grid[1]; ++y)
      for (int64_t x = 0; x < int64_t{launch.grid[0]}; ++x) {
        const GirihCudaCopy &c = launch.copies.copy[y];
        int64_t line = x / c.blocks_per_line, first = x % c.blocks_per_line * GIRIH_CUDA_COPY_ROWS;
        if (line >= c.lines)
          continue;
        for (int64_t row = first; row < std::min<int64_t>(first + GIRIH_CUDA_COPY_ROWS, c.rows);
             ++row)
          for (int64_t column = 0; column < c.columns; ++column) {
            auto at = [&](const int64_t *stride) {
              return (line / c.heads * stride[0] + line % c.heads * stride[1] + row * stride[2] +
                      column * stride[3]) *
                     c.element_bytes;
            };
            memcpy(static_cast<char *>(c.to) + at(c.to_stride),
                   static_cast<const char *>(c.from) + at(c.from_stride),
                   static_cast<size_t>(c.element_bytes));
          }
      }
  }

  void operator()(const FakeLaunch &launch) const {
    if (launch.function == "attention")
      attend(launch);
    else if (launch.function == "attention_merge")
      merge(launch);
    else
      copy(launch);
  }
};

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
                 0,
                 0,
                 kTileQ,
                 kTileK,
                 0,
                 &program,
                 nullptr,
                 GIRIH_F32,
                 0,
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
    desc.store_bytes = 16;
    ASSERT_EQ(girihCudaOpen(0, &device, &status), GIRIH_OK) << status.message;
    setHeadDims(8, 8);
    lse = static_cast<float *>(allocate(kBatch * kHeads * kNumQ * 4));
  }
  /// Makes the operands, contiguous; from the start in a fresh allocation.
  void setHeadDims(int32_t dim, int32_t vDim) {
    desc.base.head_dim = dim;
    desc.base.v_dim = vDim;
    q = makeView({kBatch, kHeads, kNumQ, dim}, GIRIH_BF16);
    k = makeView({kBatch, kKvHeads, kNumK, dim}, GIRIH_BF16);
    v = makeView({kBatch, kKvHeads, kNumK, vDim}, GIRIH_BF16);
    o = makeView({kBatch, kHeads, kNumQ, vDim}, GIRIH_F32);
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
    EXPECT_EQ(driver->streams, 0);
    *driver = FakeDriver{};
  }

  void *allocate(int64_t bytes) {
    void *memory = nullptr;
    EXPECT_EQ(girihCudaAllocate(device, bytes, &memory, &status), GIRIH_OK) << status.message;
    allocated.push_back(memory);
    return memory;
  }
  using Sizes = std::array<int64_t, 4>;
  /// A view whose dimensions lie in `order`, the outermost first, with `gap` elements
  /// behind each run of the innermost, and `shift` before the first; random bf16 numbers.
  GirihView makeView(Sizes shape, int32_t dtype, Sizes order = {0, 1, 2, 3}, int64_t gap = 0,
                     int64_t shift = 0) {
    GirihView view{nullptr, {shape[0], shape[1], shape[2], shape[3]}, {}, dtype, 0};
    int64_t elements = 1;
    for (int i = 3; i >= 0; --i) {
      view.stride[order[i]] = elements;
      elements = elements * shape[order[i]] + (i == 3 ? gap : 0);
    }
    const int64_t size = dtype == GIRIH_F32 ? 4 : 2;
    char *memory = static_cast<char *>(allocate((elements + shift) * size));
    view.data = memory + shift * size;
    if (dtype == GIRIH_F32)
      return view;
    for (int64_t i = 0; i < elements; ++i) {
      auto bits = static_cast<uint16_t>((random() & 0x80ff) | 0x3f00); // 0.5 to 2, either sign
      memcpy(static_cast<char *>(view.data) + i * 2, &bits, 2);
    }
    return view;
  }
  int load() {
    static constexpr char image[] = ".entry attention .entry plain .entry attention_merge "
                                    ".entry attention_copy";
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
    const int64_t dim = desc.base.head_dim, vDim = desc.base.v_dim;
    const double scale = double{launch.scale};
    for (int64_t b = 0; b < kBatch; ++b)
      for (int64_t h = 0; h < kHeads; ++h)
        for (int64_t i = 0; i < kNumQ; ++i) {
          auto place = [&](const GirihView &view, int64_t head, int64_t token, int64_t d) {
            return b * view.stride[0] + head * view.stride[1] + token * view.stride[2] +
                   d * view.stride[3];
          };
          auto value = [&](const GirihView &view, int64_t head, int64_t token, int64_t d) {
            return double{
                fromBf16(static_cast<uint16_t *>(view.data)[place(view, head, token, d)])};
          };
          double sum = 0;
          std::vector<double> row(static_cast<size_t>(vDim));
          for (int64_t j = 0; j < kNumK; ++j) {
            if (!sees(i, j))
              continue;
            double score = 0;
            for (int64_t d = 0; d < dim; ++d)
              score += value(q, h, i, d) * value(k, h / 2, j, d);
            double weight = std::exp(score * scale);
            sum += weight;
            for (int64_t d = 0; d < vDim; ++d)
              row[d] += weight * value(v, h / 2, j, d);
          }
          for (int64_t d = 0; d < vDim; ++d)
            ASSERT_NEAR(static_cast<float *>(o.data)[place(o, h, i, d)], sum > 0 ? row[d] / sum : 0,
                        1e-4)
                << "batch " << b << " head " << h << " query " << i;
          int64_t at = (b * kHeads + h) * kNumQ + i;
          if (sum > 0) {
            ASSERT_NEAR(lse[at], std::log(sum), 1e-4);
          } else {
            ASSERT_EQ(lse[at], -INFINITY);
          }
        }
  }
  /// Lets launches compute.
  void emulate() { driver->run = Emulation{desc.base.head_dim, desc.base.v_dim}; }

  std::mt19937 random{3};
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

} // namespace girih::testing

#endif // GIRIH_TEST_RUNTIME_CUDALAUNCHTESTING_H
