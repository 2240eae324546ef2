//===- Launch.cpp - Running a prepared launch on the CPU ------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Threads take tasks from one counter in the order of the schedule; nothing
// else is shared between them.
//
//===----------------------------------------------------------------------===//

#include "girih-c/CpuFeatures.h"
#include "girih-c/Runtime.h"

#include "../Error.h"
#include "../LaunchChecks.h"
#include "../map/BlockMapImpl.h"
#include "Features.h"
#include "Schedule.h"

#include <tbb/global_control.h>
#include <tbb/info.h>
#include <tbb/parallel_for.h>
#include <tbb/task_arena.h>

#include <algorithm>
#include <atomic>
#include <cinttypes>
#include <cstdlib>
#include <optional>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

using namespace girih;

namespace {

/// Flushes denormals to zero while it lives: a masked tail of tiny
/// probabilities must not run at a hundredth of the speed.
class FlushDenormals {
public:
#if defined(__SSE2__)
  FlushDenormals() : saved(_mm_getcsr()) {
    // Flush-to-zero and denormals-are-zero.
    _mm_setcsr(saved | 0x8040u);
  }
  ~FlushDenormals() { _mm_setcsr(saved); }

private:
  unsigned saved;
#elif defined(__aarch64__)
  FlushDenormals() {
    __asm__ volatile("mrs %0, fpcr" : "=r"(saved));
    __asm__ volatile("msr fpcr, %0" ::"r"(saved | uint64_t{1} << 24));
  }
  ~FlushDenormals() { __asm__ volatile("msr fpcr, %0" ::"r"(saved)); }

private:
  uint64_t saved;
#endif
public:
  FlushDenormals(const FlushDenormals &) = delete;
  FlushDenormals &operator=(const FlushDenormals &) = delete;
};

/// 64-byte aligned memory of one thread; null when there is none.
class Scratch {
public:
  explicit Scratch(int64_t bytes)
      : memory(aligned_alloc(64, static_cast<size_t>(bytes / 64 + 1) * 64)) {}
  ~Scratch() { free(memory); }
  Scratch(const Scratch &) = delete;
  Scratch &operator=(const Scratch &) = delete;
  void *get() const { return memory; }

private:
  void *memory;
};

/// What the threads of one launch share.
struct Work {
  GirihCpuEntry entry;
  int64_t scratchBytes;
  const GirihLaunch &launch;
  const Schedule &schedule;
  std::atomic<int64_t> next{0};
  std::atomic<bool> outOfMemory{false};

  /// Runs tasks until none is left.
  void run() {
    int64_t place = next.fetch_add(1, std::memory_order_relaxed);
    if (place >= schedule.size())
      return;
    Scratch scratch(scratchBytes);
    if (!scratch.get()) {
      outOfMemory = true;
      return;
    }
    FlushDenormals flush;
    while (place < schedule.size()) {
      GirihTask task = schedule.task(place);
      entry(&launch, &task, scratch.get());
      place = next.fetch_add(1, std::memory_order_relaxed);
    }
  }
};

} // namespace

static int launchCpu(const GirihKernelDesc &kernel, const GirihLaunch &prepared,
                     const GirihBlockMap &map, int32_t threads, GirihStatus *status) {
  if (map.grid.reverse)
    return fail(status, GIRIH_INVALID, "expected a forward block map, but got a reverse one");
  if (int code = checkMapLengths(kernel, prepared, map.params, status))
    return code;
  GirihLaunch launch = prepared;
  launch.tables = girihBlockMapTables(&map);
  int32_t available = threads == 0 ? girihCpuThreads() : threads;
  Schedule schedule(map, launch.q.shape[0], launch.q.shape[1], launch.heads_per_kv, available);
  auto workers = static_cast<int32_t>(std::min<int64_t>(available, schedule.size()));
  Work work{kernel.entry, kernel.scratch_bytes, launch, schedule};
  auto runAll = [&] {
    tbb::parallel_for(0, workers, [&](int) { work.run(); }, tbb::simple_partitioner());
  };
  if (workers == 1) {
    work.run();
  } else if (threads == 0) {
    runAll();
  } else {
    // oneTBB caps its threads at the cores; more were asked for.
    std::optional<tbb::global_control> raised;
    if (workers > girihCpuThreads())
      raised.emplace(tbb::global_control::max_allowed_parallelism, static_cast<size_t>(workers));
    tbb::task_arena arena(workers);
    arena.execute(runAll);
  }
  if (work.outOfMemory)
    return fail(status, GIRIH_INTERNAL, "out of memory: %" PRId64 " bytes of scratch for a thread",
                kernel.scratch_bytes);
  return succeed(status);
}

int girihLaunchCpu(const GirihKernelDesc *kernel, const GirihLaunch *launch,
                   const GirihBlockMap *map, const GirihCpuOptions *options, GirihStatus *status) {
  if (!kernel || !launch || !map)
    return fail(status, GIRIH_INVALID, "expected %s, but got null",
                !kernel   ? "a kernel descriptor"
                : !launch ? "a prepared launch"
                          : "a block map");
  if (kernel->magic != GIRIH_MAGIC || kernel->abi_version != GIRIH_ABI_VERSION)
    return fail(status, GIRIH_INVALID,
                "expected a kernel of ABI version %u, but got magic 0x%08x and "
                "version %u",
                GIRIH_ABI_VERSION, kernel->magic, kernel->abi_version);
  if (!kernel->entry)
    return fail(status, GIRIH_INVALID, "expected the kernel to have a CPU entry, but got null");
  if (int code = checkCpuFeatures(*kernel, girihCpuFeatures(), status))
    return code;
  int32_t threads = options ? options->threads : 0;
  if (threads < 0)
    return fail(status, GIRIH_INVALID, "expected threads to be 0 or positive, but got %d", threads);
  return guarded(status, [&] { return launchCpu(*kernel, *launch, *map, threads, status); });
}

int32_t girihCpuThreads(void) { return tbb::info::default_concurrency(); }
