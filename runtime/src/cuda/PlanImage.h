//===- PlanImage.h - The bytes of a plan, before they are copied -*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Everything of a plan but the device: what tasks there are, in which order, and
// where things lie. Knows nothing of the driver, so that tests see it.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_RUNTIME_CUDA_PLANIMAGE_H
#define GIRIH_RUNTIME_CUDA_PLANIMAGE_H

#include "girih-c/Cuda.h"

#include <vector>

namespace girih::cuda {

/// Bytes of K and V that a group of heads may have: about two thirds of the L2
/// cache of an H100, which also holds queries and outputs.
constexpr int64_t kGroupBytes = int64_t{32} << 20;

/// Tasks, then where the tasks of each block begin, then runs, then bound tables, then what the
/// tables point to, in one piece of memory; each part begins at a multiple of 256 bytes.
struct PlanImage {
  /// Where the lists of one table lie; -1 for none.
  struct TablePlaces {
    int64_t ids, indptr, indices;
  };

  std::vector<char> bytes;
  int64_t tasksAt = 0, blocksAt = 0, runsAt = 0, tablesAt = 0;
  int32_t numTasks = 0, numBlocks = 0;
  std::vector<GirihBoundTable> tables;
  std::vector<TablePlaces> places;

  /// Writes the bound tables for a copy of the bytes at `base`, which may be on
  /// a device.
  void relocate(const void *base);
};

/// Fills `image` from a forward map of `kernel` for `launch`. Runs that heads
/// share are stored once. `blocks` is how many blocks of threads share the tasks;
/// 0: one a task. Returns a GirihCode.
int buildPlanImage(const GirihKernelDesc &kernel, const GirihBlockMap &map,
                   const GirihMapProgram &program, const GirihLaunch &launch, int32_t blocks,
                   PlanImage &image, GirihStatus *status);

/// Gives each task, in the order of `tasks`, to the block that has the least to
/// do, and reorders them block by block. Returns where the tasks of each block
/// begin, and their end.
std::vector<int32_t> balanceTasks(std::vector<GirihCudaTask> &tasks, int32_t blocks);

/// Whether the numbers of tasks and runs fit the 32-bit fields of a task.
int checkPlanSize(int64_t tasks, int64_t runs, GirihStatus *status);

/// Tasks of a group: whole KV heads whose K and V fit kGroupBytes together (or
/// one that does not), groups as equal as can be. `rows` is q-tiles of a head.
int64_t planGroupSize(const GirihKernelDesc &kernel, const GirihLaunch &launch, int64_t rows);

} // namespace girih::cuda

#endif // GIRIH_RUNTIME_CUDA_PLANIMAGE_H
