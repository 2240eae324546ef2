//===- Plan.h - Task and run lists on a device ------------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What launches read of a plan.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_RUNTIME_CUDA_PLAN_H
#define GIRIH_RUNTIME_CUDA_PLAN_H

#include "Copies.h"
#include "Device.h"

#include <atomic>

struct GirihCudaPlan {
  GirihCudaDevice *device = nullptr;
  /// One allocation; everything below lies in it.
  void *memory = nullptr;
  const GirihCudaTask *tasks = nullptr;
  const int32_t *blockBegin = nullptr;
  const GirihRun *runs = nullptr;
  const GirihBoundTable *tables = nullptr;
  const GirihCudaMerge *merges = nullptr; ///< null, like the next two, without splits
  float *partialO = nullptr, *partialLse = nullptr;
  int32_t numTasks = 0, numBlocks = 0, numMerges = 0;
  int32_t vDim = 0; ///< columns of partialO
  /// Lengths of the map, without operands.
  GirihMapParams params{};
  int64_t headsPerKv = 0;
  girih::cuda::CopyRoom copies;
  int64_t copiedBytes = 0; ///< by a launch with the views that the plan was made for
  mutable std::atomic<bool> isEnqueued{false}; ///< set by its first launch, never reset
};

#endif // GIRIH_RUNTIME_CUDA_PLAN_H
