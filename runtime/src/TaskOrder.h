//===- TaskOrder.h - In which order the tasks of a launch run ---*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Two wishes: tasks that read the same keys run near each other, so that keys
// stay in cache, and long tasks come first, so that no worker is left with one
// at the end. CPU and GPU differ only in the size of a group.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_RUNTIME_TASKORDER_H
#define GIRIH_RUNTIME_TASKORDER_H

#include <cstdint>
#include <vector>

namespace girih {

/// Numbers of tasks in the order they should run: groups of `groupSize`
/// consecutive tasks, heaviest group first; within a group longest task first,
/// equal ones by number. The last tasks of a launch are then the shortest of
/// the lightest group. Costs are not negative; at most 2^32 of them.
std::vector<uint32_t> orderTasks(const std::vector<int64_t> &costs, int64_t groupSize);

} // namespace girih

#endif // GIRIH_RUNTIME_TASKORDER_H
