//===- Parts.h - Results of the parts of cut tasks --------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels know nothing of parts: a part is a launch whose outputs are a slot.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_RUNTIME_CPU_PARTS_H
#define GIRIH_RUNTIME_CPU_PARTS_H

#include "Schedule.h"

#include <atomic>
#include <memory>

namespace girih {

/// A slot for each part of a schedule: its rows, normalised by their own sums, and
/// their log-sum-exp, both f32 whatever the output is.
class Parts {
public:
  Parts(const GirihKernelDesc &kernel, const GirihLaunch &launch, const Schedule &schedule);

  /// Floats of `slots` slots.
  static int64_t size(const GirihKernelDesc &kernel, int64_t slots) {
    return slots * kernel.tile_q * (int64_t{kernel.v_dim} + 1);
  }

  /// The launch of `piece`, a part: `launch` with the outputs of its slot.
  GirihLaunch launchOf(const Piece &piece) const;

  /// To be called when `piece` is computed: the last part of a split merges all of
  /// them into the outputs of the launch.
  void finish(const Piece &piece);

private:
  void merge(const Split &split, const GirihTask &task) const;
  float *rowsOf(int64_t slot) const { return memory.get() + slot * tileQ * vDim; }
  float *lseOf(int64_t slot) const { return memory.get() + numSlots * tileQ * vDim + slot * tileQ; }

  const GirihLaunch &launch;
  const Schedule &schedule;
  int64_t tileQ, vDim, numSlots;
  std::unique_ptr<float[]> memory;              ///< rows of all slots, then their log-sum-exp
  std::unique_ptr<std::atomic<int32_t>[]> left; ///< parts of each split to be computed
};

} // namespace girih

#endif // GIRIH_RUNTIME_CPU_PARTS_H
