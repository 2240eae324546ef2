//===- PlanTasks.h - Tasks, runs and merges of a plan -----------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a block map to the lists that a GPU kernel reads, as vectors. Knows nothing
// of the device and of how the lists lie in memory.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_RUNTIME_CUDA_PLANTASKS_H
#define GIRIH_RUNTIME_CUDA_PLANTASKS_H

#include "../TaskSplit.h"
#include "girih-c/Cuda.h"

#include <vector>

namespace girih::cuda {

/// Bytes of K and V that a group of heads may have: about two thirds of the L2
/// cache of an H100, which also holds queries and outputs.
constexpr int64_t kGroupBytes = int64_t{32} << 20;

/// What tasks cost besides their tiles (one is about 1.6 us for 128 x 128 and a head
/// dim of 128, half of it for 64). Merging is a second kernel, which starts and drains
/// when the first has ended; a slot is 128 KB that a block writes and reads back, most
/// of it from the L2 cache.
constexpr SplitCosts kSplitCosts{/*ramp=*/3, /*leastPart=*/4, /*merge=*/4, /*slot=*/2};

struct PlanTasks {
  std::vector<GirihCudaTask> tasks; ///< block by block
  std::vector<int32_t> blockBegin;  ///< where those of each block begin, and the end
  /// Of every task. Lists that heads share are stored once, and so are the cuts of
  /// equal q-tiles. An empty run follows the last, since kernels read one ahead.
  std::vector<GirihRun> runs;
  std::vector<GirihCudaMerge> merges; ///< of the q-tiles that were cut
  int32_t numSlots = 0;               ///< parts of them all
};

/// Lists the tasks of `map`, which was built forward for `kernel` and `launch`, for
/// at most `blocks` blocks, as scheduleTasks cuts and orders them. A q-tile without
/// keys becomes a task of one partial tile. Returns a GirihCode: GIRIH_UNSUPPORTED
/// when there are too many tasks or runs.
int listPlanTasks(const GirihKernelDesc &kernel, const GirihBlockMap &map,
                  const GirihLaunch &launch, int32_t blocks, bool maySplit, PlanTasks &plan,
                  GirihStatus *status);

/// Gives each task, in the order of `tasks`, to the block that has the least to
/// do (`work` of each, in full tiles), and reorders them block by block. Returns where the tasks of
/// each block begin, and their end.
std::vector<int32_t> balanceTasks(std::vector<GirihCudaTask> &tasks,
                                  const std::vector<int64_t> &work, int32_t blocks);

/// Whether the numbers of tasks and runs fit the 32-bit fields of a task.
int checkPlanSize(int64_t tasks, int64_t runs, GirihStatus *status);

/// Tasks of a group: whole KV heads whose K and V fit kGroupBytes together (or
/// one that does not), groups as equal as can be. `rows` is q-tiles of a head.
int64_t planGroupSize(const GirihKernelDesc &kernel, const GirihLaunch &launch, int64_t rows);

} // namespace girih::cuda

#endif // GIRIH_RUNTIME_CUDA_PLANTASKS_H
