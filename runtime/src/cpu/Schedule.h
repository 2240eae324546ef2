//===- Schedule.h - The order in which tasks run ----------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The tasks of a launch as threads take them; src/TaskSplit.h cuts and orders them.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_RUNTIME_CPU_SCHEDULE_H
#define GIRIH_RUNTIME_CPU_SCHEDULE_H

#include "girih-c/Runtime.h"

#include <vector>

namespace girih {

/// What a thread computes at a time: a q-tile with its list, or one part of both.
struct Piece {
  GirihTask task;
  int32_t slot;  ///< of a part: where its results go; -1 for a whole q-tile
  int32_t split; ///< of a part: which of splits() it belongs to
};

/// A q-tile whose list is cut.
struct Split {
  uint32_t number; ///< of the task
  int32_t firstSlot, numSlots;
};

/// Tasks of a launch, numbered (batch * heads + head) * rows + row.
class Schedule {
public:
  /// With one thread tasks run in their natural order and whole, which needs no memory.
  Schedule(const GirihBlockMap &map, int64_t batch, int64_t heads, int64_t headsPerKv,
           int32_t threads);

  /// Pieces.
  int64_t size() const { return pieces.empty() ? total : static_cast<int64_t>(pieces.size()); }
  /// What runs as number `place`.
  Piece piece(int64_t place) const;
  const std::vector<Split> &splits() const { return cuts; }
  /// Parts of all splits.
  int64_t numSlots() const { return static_cast<int64_t>(slots.size()); }
  /// Memory of the lists.
  int64_t bytes() const;

private:
  struct Entry {
    uint32_t number;
    int32_t slot;
  };
  /// A part: its split and where its runs are.
  struct Slot {
    int32_t split;
    int64_t firstRun, numRuns;
  };

  int64_t cost(int64_t number) const;
  GirihTask task(int64_t number) const;
  void cut(uint32_t number, int64_t tiles, int32_t parts);

  const GirihBlockMap &map;
  int64_t heads;
  int64_t rows;
  int64_t total;
  std::vector<Entry> pieces;
  std::vector<Split> cuts;
  std::vector<Slot> slots;
  std::vector<GirihRun> runs; ///< of the parts
};

} // namespace girih

#endif // GIRIH_RUNTIME_CPU_SCHEDULE_H
