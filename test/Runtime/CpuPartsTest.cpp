//===- CpuPartsTest.cpp - Tasks that several CPU threads share ------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Proves with an attention kernel in plain loops, which knows nothing of parts, that
// a q-tile cut into parts gives what it gives whole: with one thread nothing is cut.
//
//===----------------------------------------------------------------------===//

#include "MapTesting.h"
#include "girih-c/Runtime.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <cmath>
#include <limits>
#include <random>

using namespace girih::testing;

namespace {

constexpr int64_t kDim = 4, kVDim = 3, kTile = 8;

/// Tasks computed since it was set to 0.
std::atomic<int64_t> numTasks;

/// Queries see a causal window of 20 keys, the first q-tile every key, queries from 40
/// to 59 none.
bool sees(int64_t q, int64_t k) {
  return (q < 40 || q >= 60) && (q < kTile || (k <= q && q - k <= 20));
}
int32_t seesNode(ProgramBuilder &b) {
  int32_t window = b.both(b.ge(b.q(), b.k()), b.ge0(b.shift(b.minus(b.k(), b.q()), 20)));
  int32_t first = b.ge0(b.shift(b.times(b.q(), -1), kTile - 1));
  int32_t gap = b.both(b.ge0(b.shift(b.q(), -40)), b.ge0(b.shift(b.times(b.q(), -1), 59)));
  return b.both(b.negate(gap), b.either(first, window));
}

const float *rowOf(const GirihView &view, int64_t b, int64_t h, int64_t row) {
  return static_cast<const float *>(view.data) + b * view.stride[0] + h * view.stride[1] +
         row * view.stride[2];
}

void attend(const GirihLaunch *launch, const GirihTask *task, void *) {
  ++numTasks;
  int64_t kvHead = task->head / launch->heads_per_kv;
  for (int64_t q = task->q_tile * kTile; q < (task->q_tile + 1) * kTile && q < launch->num_q; ++q) {
    double sum = 0, o[kVDim] = {};
    for (int64_t run = 0; run < task->num_runs; ++run)
      for (int64_t k = task->runs[run].begin * kTile; k < task->runs[run].end * kTile; ++k) {
        if (k >= launch->num_k || !sees(q, k))
          continue;
        double score = 0;
        for (int64_t d = 0; d < kDim; ++d)
          score += double{rowOf(launch->q, task->batch, task->head, q)[d]} *
                   double{rowOf(launch->k, task->batch, kvHead, k)[d]};
        double weight = std::exp(score * double{launch->scale});
        sum += weight;
        for (int64_t e = 0; e < kVDim; ++e)
          o[e] += weight * double{rowOf(launch->v, task->batch, kvHead, k)[e]};
      }
    auto *out = const_cast<float *>(rowOf(launch->o, task->batch, task->head, q));
    for (int64_t e = 0; e < kVDim; ++e)
      out[e] = static_cast<float>(sum > 0 ? o[e] / sum : o[e]);
    if (launch->lse)
      launch->lse[(task->batch * launch->q.shape[1] + task->head) * launch->num_q + q] =
          static_cast<float>(std::log(sum));
  }
}

/// Two batches, four heads over two of keys; outputs with gaps between their rows.
class CpuParts : public ::testing::Test {
protected:
  static constexpr int64_t kBatch = 2, kHeads = 4, kKvHeads = 2, kLength = 1003, kGap = 5;

  void SetUp() override {
    program = builder.program(seesNode(builder));
    kernel = {
        GIRIH_MAGIC, GIRIH_ABI_VERSION, "attend", GIRIH_F32, GIRIH_TOP_LEFT, kDim, kVDim, kTile,
        kTile,       kScratch,          &program, attend,    GIRIH_F32,      0,    0};
    std::mt19937_64 random(testSeed());
    for (auto *data : {&q, &k, &v}) {
      data->resize(static_cast<size_t>(kBatch * kHeads * kLength * kDim));
      for (float &value : *data)
        value = static_cast<float>(random() >> 40) * 0x1p-24f * 4 - 2;
    }
  }

  static GirihView view(std::vector<float> &data, int64_t heads, int64_t dim, int64_t row) {
    return {data.data(),
            {kBatch, heads, kLength, dim},
            {heads * kLength * row, kLength * row, row, 1},
            GIRIH_F32,
            0};
  }

  /// Launches into fresh outputs that hold 7.
  void run(int32_t threads, bool withLse = true) {
    o.assign(static_cast<size_t>(kBatch * kHeads * kLength * (kVDim + kGap)), 7);
    lse.assign(static_cast<size_t>(kBatch * kHeads * kLength), 7);
    GirihView views[] = {view(q, kHeads, kDim, kDim), view(k, kKvHeads, kDim, kDim),
                         view(v, kKvHeads, kVDim, kVDim), view(o, kHeads, kVDim, kVDim + kGap)};
    GirihStatus status{};
    ASSERT_EQ(girihPrepareLaunch(&kernel, &views[0], &views[1], &views[2], &views[3],
                                 withLse ? lse.data() : nullptr, 1.0f, &launch, &params, &status),
              GIRIH_OK)
        << status.message;
    map = buildMap(program, params);
    GirihCpuOptions options{threads, 0};
    numTasks = 0;
    ASSERT_EQ(girihLaunchCpu(&kernel, &launch, map.get(), &options, &status), GIRIH_OK)
        << status.message;
    ASSERT_EQ(girihCpuWorkspace(&kernel, &launch, map.get(), &options, &workspace, &status),
              GIRIH_OK)
        << status.message;
  }

  static void expectNear(const std::vector<float> &actual, const std::vector<float> &expected) {
    ASSERT_EQ(actual.size(), expected.size());
    for (size_t i = 0; i < actual.size(); ++i) {
      if (std::isnan(expected[i]))
        ASSERT_TRUE(std::isnan(actual[i])) << i;
      else if (std::isinf(expected[i]))
        ASSERT_EQ(actual[i], expected[i]) << i;
      else
        ASSERT_NEAR(actual[i], expected[i], 2e-6 * (1 + std::fabs(double{expected[i]}))) << i;
    }
  }

  static constexpr int64_t kScratch = 512;
  int64_t tiles() const { return kBatch * kHeads * girihBlockMapRows(map.get()); }

  ProgramBuilder builder;
  GirihMapProgram program{};
  GirihKernelDesc kernel{};
  std::vector<float> q, k, v, o, lse;
  GirihLaunch launch{};
  GirihMapParams params{};
  Map map;
  int64_t workspace = 0;
};

} // namespace

TEST_F(CpuParts, GiveWhatWholeTasksGive) {
  run(1);
  EXPECT_EQ(numTasks, tiles());
  EXPECT_EQ(workspace, kScratch);
  std::vector<float> wholeO = o, wholeLse = lse;
  // Rows of the gap, for whether it is tested at all.
  EXPECT_EQ(lse[50], -std::numeric_limits<float>::infinity());
  // Eight q-tiles of 126 tiles, and about 4 for each of 1,000 others.
  for (int32_t threads : {2, 5, 16, 64, 300}) {
    run(threads);
    if (threads < 16)
      EXPECT_EQ(numTasks, tiles()) << "nothing sets the time of " << threads << " threads";
    if (threads > 40)
      EXPECT_GE(numTasks, tiles() + kBatch * kHeads) << threads << " threads";
    expectNear(o, wholeO);
    expectNear(lse, wholeLse);
  }
}

TEST_F(CpuParts, WorkWithoutLse) {
  run(1);
  std::vector<float> whole = o;
  run(64, /*withLse=*/false);
  EXPECT_GT(numTasks, tiles());
  expectNear(o, whole);
  EXPECT_EQ(lse, std::vector<float>(lse.size(), 7));
}

TEST_F(CpuParts, SameThreadsGiveTheSameBits) {
  run(64);
  std::vector<float> firstO = o, firstLse = lse;
  for (int turn = 0; turn < 3; ++turn) {
    run(64);
    EXPECT_EQ(o, firstO);
    EXPECT_EQ(lse, firstLse);
  }
}

TEST_F(CpuParts, CarryNotANumber) {
  // A query of a cut q-tile, and a value that all of that q-tile sees.
  q[3 * kDim] = std::numeric_limits<float>::quiet_NaN();
  v[800 * kVDim + 1] = std::numeric_limits<float>::quiet_NaN();
  run(1);
  std::vector<float> wholeO = o, wholeLse = lse;
  EXPECT_TRUE(std::isnan(lse[3]));
  EXPECT_TRUE(std::isnan(o[1]));
  run(64);
  EXPECT_GT(numTasks, tiles());
  expectNear(o, wholeO);
  expectNear(lse, wholeLse);
}

TEST_F(CpuParts, MemoryIsThatOfThreadsNotOfLengths) {
  for (int32_t threads : {2, 16, 64}) {
    run(threads);
    int64_t slot = kTile * (kVDim + 1) * int64_t{sizeof(float)};
    int64_t list = tiles() * 8; // the order of the tasks
    EXPECT_GE(workspace, threads * kScratch);
    // No part is shorter than half of a thread's share.
    EXPECT_LE(workspace, threads * kScratch + list + 4 * threads * (slot + 64)) << threads;
  }
}

TEST_F(CpuParts, ThreadsThatFindNothingToDoCostNothing) {
  run(1);
  GirihStatus status{};
  GirihCpuOptions options{100000000, 0};
  auto start = std::chrono::steady_clock::now();
  ASSERT_EQ(girihCpuWorkspace(&kernel, &launch, map.get(), &options, &workspace, &status), GIRIH_OK)
      << status.message;
  // Loads of so many threads alone would take seconds and gigabytes.
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(2));
  EXPECT_LE(workspace, int64_t{16} << 20);
}

TEST(CpuWorkspace, RefusesWhatALaunchRefuses) {
  GirihStatus status{};
  int64_t bytes = 0;
  EXPECT_EQ(girihCpuWorkspace(nullptr, nullptr, nullptr, nullptr, &bytes, &status), GIRIH_INVALID);
  EXPECT_STREQ(status.message, "expected a kernel descriptor, but got null");
}
