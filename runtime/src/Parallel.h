//===- Parallel.h - Loops over independent items ----------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The one place where the map engine meets oneTBB. ThreadSanitizer knows nothing of
// a oneTBB that was built without it, and takes every hand-over between its threads
// for a race: under it loops run on plain threads instead, so that what it finds in
// their bodies is true.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_RUNTIME_PARALLEL_H
#define GIRIH_RUNTIME_PARALLEL_H

#include <tbb/parallel_for.h>

#include <cstdint>

#if defined(__SANITIZE_THREAD__)
#define GIRIH_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define GIRIH_TSAN 1
#endif
#endif

#ifdef GIRIH_TSAN
#include <atomic>
#include <thread>
#include <vector>
#endif

namespace girih {

/// Calls body(i) for i in [begin, end), at once.
template <typename Index, typename Body, typename... Partitioner>
void parallelFor(Index begin, Index end, const Body &body, const Partitioner &...partitioner) {
#ifdef GIRIH_TSAN
  std::atomic<Index> next{begin};
  auto work = [&] {
    // Relaxed: bodies are not ordered among each other.
    for (Index i; (i = next.fetch_add(1, std::memory_order_relaxed)) < end;)
      body(i);
  };
  std::vector<std::thread> helpers;
  for (Index i = begin + 1; i < end && helpers.size() < 3; ++i)
    helpers.emplace_back(work);
  work();
  for (std::thread &helper : helpers)
    helper.join();
#else
  tbb::parallel_for(begin, end, body, partitioner...);
#endif
}

/// Calls body(i) for i in [0, count), at once when `parallel`. Waking threads
/// costs some microseconds, which small maps are not worth.
template <typename Body> void forEachItem(int64_t count, bool parallel, const Body &body) {
  if (parallel && count > 1) {
    parallelFor(int64_t{0}, count, body);
    return;
  }
  for (int64_t i = 0; i < count; ++i)
    body(i);
}

} // namespace girih

#endif // GIRIH_RUNTIME_PARALLEL_H
