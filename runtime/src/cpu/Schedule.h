//===- Schedule.h - The order in which tasks run ----------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The tasks of a launch as threads take them; src/TaskOrder.h orders them.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_RUNTIME_CPU_SCHEDULE_H
#define GIRIH_RUNTIME_CPU_SCHEDULE_H

#include "girih-c/Runtime.h"

#include <vector>

namespace girih {

/// Tasks of a launch, numbered (batch * heads + head) * rows + row.
class Schedule {
public:
  /// With one thread tasks run in their natural order, which needs no memory.
  Schedule(const GirihBlockMap &map, int64_t batch, int64_t heads, int64_t headsPerKv,
           int32_t threads);

  int64_t size() const { return total; }
  /// The task that runs as number `place`.
  GirihTask task(int64_t place) const;

private:
  int64_t cost(int64_t number) const;

  const GirihBlockMap &map;
  int64_t heads;
  int64_t rows;
  int64_t total;
  std::vector<uint32_t> order;
};

} // namespace girih

#endif // GIRIH_RUNTIME_CPU_SCHEDULE_H
