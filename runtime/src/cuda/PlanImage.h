//===- PlanImage.h - The bytes of a plan, before they are copied -*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Everything of a plan but the device: its lists, and where they lie. Knows nothing
// of the driver, so that tests see it.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_RUNTIME_CUDA_PLANIMAGE_H
#define GIRIH_RUNTIME_CUDA_PLANIMAGE_H

#include "girih-c/Cuda.h"

#include <vector>

namespace girih::cuda {

/// Tasks, where the tasks of each block begin, merges, runs, bound tables, and what the
/// tables point to, in one piece of memory; then, not among the bytes, the workspace
/// of the parts of split q-tiles. Each begins at a multiple of 256 bytes.
struct PlanImage {
  /// Where the lists of one table lie; -1 for none.
  struct TablePlaces {
    int64_t ids, indptr, indices;
  };

  std::vector<char> bytes;
  int64_t tasksAt = 0, blocksAt = 0, mergesAt = 0, runsAt = 0, tablesAt = 0;
  /// f32 [numSlots, tile_q, v_dim rounded up to a multiple of 8] and [numSlots, tile_q];
  /// uninitialised.
  int64_t partialOAt = 0, partialLseAt = 0;
  int64_t totalBytes = 0; ///< with the workspace
  int32_t numTasks = 0, numBlocks = 0, numMerges = 0, numSlots = 0;
  int64_t numRuns = 0; ///< with the empty one
  std::vector<GirihBoundTable> tables;
  std::vector<TablePlaces> places;

  /// Room for `bytes` more behind all else, not among the bytes; returns where it begins.
  int64_t addWorkspace(int64_t bytes);

  /// Writes the bound tables for a copy of the bytes at `base`, which may be on
  /// a device.
  void relocate(const void *base);
};

/// Fills `image` from a forward map of `kernel` for `launch`. At most `blocks`
/// blocks of threads share the tasks, as many as there are tasks if fewer; with
/// `maySplit` long tasks may be cut (listPlanTasks). Returns a GirihCode.
int buildPlanImage(const GirihKernelDesc &kernel, const GirihBlockMap &map,
                   const GirihMapProgram &program, const GirihLaunch &launch, int32_t blocks,
                   bool maySplit, PlanImage &image, GirihStatus *status);

} // namespace girih::cuda

#endif // GIRIH_RUNTIME_CUDA_PLANIMAGE_H
