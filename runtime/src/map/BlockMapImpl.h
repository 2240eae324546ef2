//===- BlockMapImpl.h - What a GirihBlockMap holds --------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Private to the runtime: building, counting and launching share it.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_RUNTIME_MAP_BLOCKMAPIMPL_H
#define GIRIH_RUNTIME_MAP_BLOCKMAPIMPL_H

#include "girih-c/BlockMap.h"

#include "Grid.h"
#include "Tables.h"

/// One list for each distinct (batch, head); equal lists are stored once.
struct GirihBlockMap {
  GirihBlockMap(const GirihMapParams &params, bool reverse)
      : params(params), grid(params, reverse) {}

  /// Lengths only: the operands belong to the caller and are not read again.
  GirihMapParams params;
  girih::Grid grid;
  girih::BoundTables tables;
  bool perBatch = false;
  bool perHead = false;
  GirihMapTier tier = GIRIH_TIER_QUADTREE;
  int64_t copiedRows = 0; ///< tile rows that were copied from earlier ones
  std::vector<girih::RowLists> lists;
  /// Index into `lists` of each combination.
  std::vector<int32_t> listOf;

  int64_t numBatches() const { return perBatch ? params.batch : 1; }
  int64_t numHeads() const { return perHead ? params.heads : 1; }
  /// Combinations of batch and head that may differ, and how many launches of
  /// the same list each stands for.
  int64_t combinations() const { return numBatches() * numHeads(); }
  int64_t copies() const { return params.batch / numBatches() * (params.heads / numHeads()); }
  int64_t combination(int64_t batch, int64_t head) const {
    return (perBatch ? batch : 0) * numHeads() + (perHead ? head : 0);
  }
  const girih::RowLists &list(int64_t combination) const {
    return lists[static_cast<size_t>(listOf[combination])];
  }
};

namespace girih {

/// Checks the lengths of a launch. Returns a GirihCode.
int checkParams(const GirihMapParams &params, GirihStatus *status);

/// Tile rows that one thread derives or counts at a time.
constexpr int64_t kRowsPerItem = 64;
/// Tile rows below which a map is derived by the calling thread.
constexpr int64_t kParallelRows = 256;

} // namespace girih

#endif // GIRIH_RUNTIME_MAP_BLOCKMAPIMPL_H
