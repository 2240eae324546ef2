//===- Parallel.h - Loops over independent items ----------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The one place where the map engine meets oneTBB.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_RUNTIME_PARALLEL_H
#define GIRIH_RUNTIME_PARALLEL_H

#include <tbb/parallel_for.h>

#include <cstdint>

namespace girih {

/// Calls body(i) for i in [0, count), at once when `parallel`. Waking threads
/// costs some microseconds, which small maps are not worth.
template <typename Body> void forEachItem(int64_t count, bool parallel, const Body &body) {
  if (parallel && count > 1) {
    tbb::parallel_for(int64_t{0}, count, body);
    return;
  }
  for (int64_t i = 0; i < count; ++i)
    body(i);
}

} // namespace girih

#endif // GIRIH_RUNTIME_PARALLEL_H
