//===- LaunchTest.cpp - Running tasks on the CPU --------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Proves with a hand-written kernel that every tile row of every head runs once
// with its own runs, with aligned scratch of its own, on one thread and many.
//
//===----------------------------------------------------------------------===//

#include "MapTesting.h"
#include "girih-c/CpuFeatures.h"
#include "girih-c/Runtime.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <mutex>
#include <set>
#include <thread>

using namespace girih::testing;

namespace {

struct Record {
  int64_t batch, head, tile, tiles;
  std::thread::id thread;
};

/// Where the kernel below writes; passed through the q operand.
struct Recorder {
  std::mutex mutex;
  std::vector<Record> records;
  std::set<void *> scratches;
  bool misaligned = false;
  bool keptDenormal = false;
  const GirihBoundTable *tables = nullptr;
};

constexpr int64_t kScratch = 1000;

void recordTask(const GirihLaunch *launch, const GirihTask *task, void *scratch) {
  auto *recorder = static_cast<Recorder *>(launch->q.data);
  memset(scratch, 0x5A, kScratch);
  Record record{task->batch, task->head, task->q_tile, 0, std::this_thread::get_id()};
  for (int64_t i = 0; i < task->num_runs; ++i)
    record.tiles += task->runs[i].end - task->runs[i].begin;
  volatile float tiny = std::numeric_limits<float>::min();
  tiny = tiny * 0.25f;
  std::lock_guard<std::mutex> lock(recorder->mutex);
  recorder->records.push_back(record);
  recorder->scratches.insert(scratch);
  recorder->misaligned |= reinterpret_cast<uintptr_t>(scratch) % 64 != 0;
  recorder->keptDenormal |= tiny != 0.0f;
  recorder->tables = launch->tables;
}

struct LaunchCase {
  LaunchCase(int64_t batch, int64_t heads, int64_t kvHeads, int64_t numQ, int64_t numK) {
    int32_t causal = builder.ge(builder.q(), builder.k());
    // Queries below 20 see nothing.
    int32_t late = builder.ge0(builder.shift(builder.q(), -20));
    program = builder.program(builder.both(causal, late));
    kernel = {GIRIH_MAGIC, GIRIH_ABI_VERSION, "recorder", GIRIH_F32,  GIRIH_BOTTOM_RIGHT, 1, 1, 8,
              8,           kScratch,          &program,   recordTask, GIRIH_F32,          0, 0};
    GirihView q{&recorder, {batch, heads, numQ, 1}, {0, 0, 0, 1}, GIRIH_F32, 0};
    GirihView k{&recorder, {batch, kvHeads, numK, 1}, {0, 0, 0, 1}, GIRIH_F32, 0};
    GirihStatus status{};
    EXPECT_EQ(girihPrepareLaunch(&kernel, &q, &k, &k, &q, nullptr, 1.0f, &launch, &params, &status),
              GIRIH_OK)
        << status.message;
    map = buildMap(program, params);
  }
  int run(int32_t threads) {
    GirihCpuOptions options{threads, 0};
    return girihLaunchCpu(&kernel, &launch, map.get(), &options, &status);
  }
  void expectEachTaskOnce() {
    int64_t rows = girihBlockMapRows(map.get());
    std::set<std::vector<int64_t>> seen;
    for (const Record &record : recorder.records) {
      seen.insert({record.batch, record.head, record.tile});
      int64_t count = 0, tiles = 0;
      const GirihRun *runs =
          girihBlockMapRuns(map.get(), record.batch, record.head, record.tile, &count);
      for (int64_t i = 0; i < count; ++i)
        tiles += runs[i].end - runs[i].begin;
      EXPECT_EQ(record.tiles, tiles);
    }
    size_t expected = static_cast<size_t>(params.batch * params.heads * rows);
    EXPECT_EQ(recorder.records.size(), expected);
    EXPECT_EQ(seen.size(), expected);
    EXPECT_FALSE(recorder.misaligned);
  }

  ProgramBuilder builder;
  Recorder recorder;
  GirihMapProgram program{};
  GirihKernelDesc kernel{};
  GirihLaunch launch{};
  GirihMapParams params{};
  GirihStatus status{};
  Map map;
};

} // namespace

TEST(Launch, OneThreadRunsInOrderWhereItWasCalled) {
  LaunchCase s(2, 4, 2, 100, 100);
  ASSERT_EQ(s.run(1), GIRIH_OK) << s.status.message;
  s.expectEachTaskOnce();
  EXPECT_EQ(s.recorder.scratches.size(), 1u);
  int64_t before = -1;
  for (const Record &record : s.recorder.records) {
    EXPECT_EQ(record.thread, std::this_thread::get_id());
    int64_t number = (record.batch * 4 + record.head) * 13 + record.tile;
    EXPECT_EQ(number, before + 1);
    before = number;
  }
  // Rows that see nothing reach the kernel too.
  EXPECT_EQ(s.recorder.records.front().tiles, 0);
  EXPECT_EQ(s.recorder.tables, girihBlockMapTables(s.map.get()));
}

TEST(Launch, ManyThreadsRunEachTaskOnce) {
  for (int32_t threads : {0, 2, 3, 8}) {
    LaunchCase s(2, 6, 3, 333, 401);
    ASSERT_EQ(s.run(threads), GIRIH_OK) << s.status.message;
    s.expectEachTaskOnce();
    if (threads > 0) {
      EXPECT_LE(s.recorder.scratches.size(), static_cast<size_t>(threads));
    }
  }
}

TEST(Launch, LongTasksComeFirstWithinAKvHead) {
  LaunchCase s(1, 4, 2, 1000, 1000);
  ASSERT_EQ(s.run(2), GIRIH_OK);
  // Two threads record, so neighbours may swap; look at KV heads and halves.
  size_t half = s.recorder.records.size() / 2;
  std::set<int64_t> kvHeads;
  for (size_t i = 0; i + 4 < half; ++i)
    kvHeads.insert(s.recorder.records[i].head / 2);
  EXPECT_EQ(kvHeads.size(), 1u);
  EXPECT_GT(s.recorder.records[4].tiles, 120);
  EXPECT_LT(s.recorder.records[half - 4].tiles, 10);
}

TEST(Launch, FewerTasksThanThreads) {
  LaunchCase s(1, 1, 1, 3, 40);
  ASSERT_EQ(s.run(16), GIRIH_OK);
  s.expectEachTaskOnce();
}

TEST(Launch, SeveralThreadsMayLaunchAtOnce) {
  std::vector<std::unique_ptr<LaunchCase>> setups;
  for (int i = 0; i < 4; ++i)
    setups.push_back(std::make_unique<LaunchCase>(1, 4, 2, 300, 300));
  std::vector<std::thread> callers;
  for (auto &setup : setups)
    callers.emplace_back([&setup] { setup->run(2); });
  for (std::thread &caller : callers)
    caller.join();
  for (auto &setup : setups)
    setup->expectEachTaskOnce();
}

#if defined(__SSE2__) || defined(__aarch64__)
TEST(Launch, DenormalsAreFlushedInsideOnly) {
  for (int32_t threads : {1, 2}) {
    LaunchCase s(1, 1, 1, 100, 100);
    ASSERT_EQ(s.run(threads), GIRIH_OK);
    EXPECT_FALSE(s.recorder.keptDenormal);
  }
  volatile float tiny = std::numeric_limits<float>::min();
  tiny = tiny * 0.25f;
  EXPECT_NE(tiny, 0.0f);
}
#endif

TEST(Launch, RefusesWhatDoesNotFit) {
  LaunchCase s(1, 2, 1, 50, 50);
  EXPECT_EQ(s.run(-1), GIRIH_INVALID);
  EXPECT_STREQ(s.status.message, "expected threads to be 0 or positive, but got -1");
  s.map = buildMap(s.program, s.params, /*reverse=*/true);
  EXPECT_EQ(s.run(1), GIRIH_INVALID);
  EXPECT_STREQ(s.status.message, "expected a forward block map, but got a reverse one");
  GirihMapParams shorter = s.params;
  shorter.num_k = 40;
  s.map = buildMap(s.program, shorter);
  EXPECT_EQ(s.run(1), GIRIH_INVALID);
  EXPECT_STREQ(s.status.message, "expected num_k of the block map to be 50, but got 40");
  s.kernel.entry = nullptr;
  EXPECT_EQ(s.run(1), GIRIH_INVALID);
  EXPECT_STREQ(s.status.message, "expected the kernel to have a CPU entry, but got null");
  s.kernel.abi_version = 99;
  EXPECT_EQ(s.run(1), GIRIH_INVALID);
  EXPECT_STREQ(s.status.message, "expected a kernel of ABI version 4, but got magic 0x47495249 "
                                 "and version 99");
  s.map.reset();
  EXPECT_EQ(s.run(1), GIRIH_INVALID);
  EXPECT_STREQ(s.status.message, "expected a block map, but got null");
  EXPECT_TRUE(s.recorder.records.empty());
}

TEST(Launch, KernelForAnotherProcessorIsAnErrorThatNamesWhatIsMissing) {
  LaunchCase s(1, 1, 1, 20, 20);
  s.kernel.name = "swa";
  s.kernel.cpu_features = girihCpuFeatures();
  EXPECT_EQ(s.run(1), GIRIH_OK) << s.status.message;
  s.recorder.records.clear();
#define GIRIH_TRY(bit, feature)                                                                    \
  s.kernel.cpu_features = uint64_t{1} << bit;                                                      \
  if (girihCpuFeatures() >> bit & 1) {                                                             \
    EXPECT_EQ(s.run(1), GIRIH_OK) << feature << s.status.message;                                  \
  } else {                                                                                         \
    EXPECT_EQ(s.run(1), GIRIH_UNSUPPORTED) << feature;                                             \
    EXPECT_STREQ(s.status.message,                                                                 \
                 "expected a processor with what kernel 'swa' was compiled for, but this one "     \
                 "lacks " feature);                                                                \
  }
  GIRIH_CPU_FEATURES(GIRIH_TRY)
#undef GIRIH_TRY
  // From a compiler that knows more than this runtime.
  s.recorder.records.clear();
  s.kernel.cpu_features = uint64_t{1} << 62 | uint64_t{1} << 63;
  EXPECT_EQ(s.run(1), GIRIH_UNSUPPORTED);
  EXPECT_STREQ(s.status.message,
               "expected a processor with what kernel 'swa' was compiled for, but this one lacks "
               "feature 62, which this runtime does not know, feature 63, which this runtime does "
               "not know");
  EXPECT_TRUE(s.recorder.records.empty());
}

TEST(Launch, ScratchThatCannotBeAllocatedIsAnError) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers end the process on such a request";
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
  GTEST_SKIP() << "sanitizers end the process on such a request";
#endif
#endif
  LaunchCase s(1, 1, 1, 50, 50);
  s.kernel.scratch_bytes = int64_t{1} << 60;
  EXPECT_EQ(s.run(1), GIRIH_INTERNAL);
  EXPECT_STREQ(s.status.message, "out of memory: 1152921504606846976 bytes of "
                                 "scratch for a thread");
}

TEST(Peak, IsAPlausibleNumber) {
  EXPECT_GE(girihCpuThreads(), 1);
  double one = girihCpuPeakGflops(1);
  EXPECT_GT(one, 0.5);
  EXPECT_LT(one, 2000.0);
  printf("peak of one thread: %.1f GFLOP/s\n", one);
  EXPECT_GT(girihCpuPeakGflops(0), 0.5);
}
