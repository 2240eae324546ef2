//===- Launch.cpp - Running a prepared launch on the CPU ------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Threads take pieces from one counter in the order of the schedule; they share
// nothing else but the slots of tasks that were cut.
//
//===----------------------------------------------------------------------===//

#include "girih-c/CpuFeatures.h"
#include "girih-c/Runtime.h"

#include "../Error.h"
#include "../LaunchChecks.h"
#include "../Parallel.h"
#include "../map/BlockMapImpl.h"
#include "Features.h"
#include "Parts.h"

#include <tbb/global_control.h>
#include <tbb/info.h>
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

/// How a launch runs.
struct LaunchPlan {
  LaunchPlan(const GirihKernelDesc &kernel, const GirihLaunch &launch, const GirihBlockMap &map,
             int32_t threads)
      : threads(threads == 0 ? girihCpuThreads() : threads),
        schedule(map, launch.q.shape[0], launch.q.shape[1], launch.heads_per_kv, this->threads),
        workers(static_cast<int32_t>(std::min<int64_t>(this->threads, schedule.size()))),
        bytes(workers * kernel.scratch_bytes + schedule.bytes() +
              Parts::size(kernel, schedule.numSlots()) * int64_t{sizeof(float)}) {}

  int32_t threads;
  Schedule schedule;
  int32_t workers;
  int64_t bytes; ///< of the schedule, of scratch and of slots
};

/// What the threads of one launch share.
struct Work {
  GirihCpuEntry entry;
  int64_t scratchBytes;
  const GirihLaunch &launch;
  const Schedule &schedule;
  Parts &parts;
  std::atomic<int64_t> next{0};
  std::atomic<bool> outOfMemory{false};

  /// Runs pieces until none is left.
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
      Piece piece = schedule.piece(place);
      if (piece.slot < 0) {
        entry(&launch, &piece.task, scratch.get());
      } else {
        GirihLaunch part = parts.launchOf(piece);
        entry(&part, &piece.task, scratch.get());
        parts.finish(piece);
      }
      place = next.fetch_add(1, std::memory_order_relaxed);
    }
  }
};

} // namespace

static int launchCpu(const GirihKernelDesc &kernel, const GirihLaunch &prepared,
                     const GirihBlockMap &map, int32_t threads, GirihStatus *status) {
  GirihLaunch launch = prepared;
  launch.tables = girihBlockMapTables(&map);
  launch.table_lanes = girihTableLanes;
  LaunchPlan plan(kernel, launch, map, threads);
  Parts parts(kernel, launch, plan.schedule);
  Work work{kernel.entry, kernel.scratch_bytes, launch, plan.schedule, parts};
  auto runAll = [&] {
    parallelFor(0, plan.workers, [&](int) { work.run(); }, tbb::simple_partitioner());
  };
  if (plan.workers == 1) {
    work.run();
  } else if (threads == 0) {
    runAll();
  } else {
    // oneTBB caps its threads at the cores; more were asked for.
    std::optional<tbb::global_control> raised;
    if (plan.workers > girihCpuThreads())
      raised.emplace(tbb::global_control::max_allowed_parallelism,
                     static_cast<size_t>(plan.workers));
    tbb::task_arena arena(plan.workers);
    arena.execute(runAll);
  }
  if (work.outOfMemory)
    return fail(status, GIRIH_INTERNAL, "out of memory: %" PRId64 " bytes of scratch for a thread",
                kernel.scratch_bytes);
  return succeed(status);
}

/// What both calls below refuse.
static int checkLaunch(const GirihKernelDesc *kernel, const GirihLaunch *launch,
                       const GirihBlockMap *map, int32_t threads, GirihStatus *status) {
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
  if (threads < 0)
    return fail(status, GIRIH_INVALID, "expected threads to be 0 or positive, but got %d", threads);
  if (map->grid.reverse)
    return fail(status, GIRIH_INVALID, "expected a forward block map, but got a reverse one");
  return checkMapLengths(*kernel, *launch, map->params, status);
}

int girihLaunchCpu(const GirihKernelDesc *kernel, const GirihLaunch *launch,
                   const GirihBlockMap *map, const GirihCpuOptions *options, GirihStatus *status) {
  int32_t threads = options ? options->threads : 0;
  if (int code = checkLaunch(kernel, launch, map, threads, status))
    return code;
  return guarded(status, [&] { return launchCpu(*kernel, *launch, *map, threads, status); });
}

int girihCpuWorkspace(const GirihKernelDesc *kernel, const GirihLaunch *launch,
                      const GirihBlockMap *map, const GirihCpuOptions *options, int64_t *bytes,
                      GirihStatus *status) {
  int32_t threads = options ? options->threads : 0;
  if (int code = checkLaunch(kernel, launch, map, threads, status))
    return code;
  if (!bytes)
    return fail(status, GIRIH_INVALID, "expected bytes, but got null");
  return guarded(status, [&] {
    *bytes = LaunchPlan(*kernel, *launch, *map, threads).bytes;
    return succeed(status);
  });
}

int32_t girihCpuThreads(void) { return tbb::info::default_concurrency(); }
