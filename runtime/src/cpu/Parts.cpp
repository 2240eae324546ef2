//===- Parts.cpp - Results of the parts of cut tasks ----------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Parts.h"

#include "Rounding.h"

#include <algorithm>
#include <cmath>

using namespace girih;

Parts::Parts(const GirihKernelDesc &kernel, const GirihLaunch &launch, const Schedule &schedule)
    : launch(launch), schedule(schedule), tileQ(kernel.tile_q), vDim(kernel.v_dim),
      numSlots(schedule.numSlots()),
      memory(new float[static_cast<size_t>(size(kernel, schedule.numSlots()))]),
      left(new std::atomic<int32_t>[schedule.splits().size()]) {
  for (size_t i = 0; i < schedule.splits().size(); ++i)
    left[i] = schedule.splits()[i].numSlots;
}

/// The address that `elements` floats behind which `first` lies; not one that may be
/// read itself.
static float *addressBefore(float *first, int64_t elements) {
  // Pointers may not be moved out of their array, numbers may.
  // NOLINTNEXTLINE(performance-no-int-to-ptr)
  return reinterpret_cast<float *>(reinterpret_cast<uintptr_t>(first) -
                                   static_cast<uintptr_t>(elements) * sizeof(float));
}

GirihLaunch Parts::launchOf(const Piece &piece) const {
  const GirihTask &task = piece.task;
  int64_t row = task.q_tile * tileQ, line = task.batch * launch.q.shape[1] + task.head;
  GirihLaunch part = launch;
  // Kernels add the offset of the row themselves.
  part.o.data = addressBefore(rowsOf(piece.slot), row * vDim);
  part.o.stride[0] = part.o.stride[1] = 0;
  part.o.stride[2] = vDim;
  part.o.dtype = GIRIH_F32;
  part.lse = addressBefore(lseOf(piece.slot), line * launch.num_q + row);
  return part;
}

void Parts::finish(const Piece &piece) {
  // Whoever finds itself last sees what the others wrote.
  if (left[piece.split].fetch_sub(1, std::memory_order_acq_rel) == 1)
    merge(schedule.splits()[static_cast<size_t>(piece.split)], piece.task);
}

/// Writes `count` numbers as elements of `o`, from element `first` on.
static void store(const float *values, int64_t count, const GirihView &o, int64_t first) {
  if (o.dtype == GIRIH_F32) {
    std::copy(values, values + count, static_cast<float *>(o.data) + first);
    return;
  }
  auto *out = static_cast<uint16_t *>(o.data) + first;
  std::transform(values, values + count, out, o.dtype == GIRIH_BF16 ? toBf16 : toF16);
}

/// o = sum of w[i] * o[i] with w[i] = exp(lse[i] - lse), exp(lse) = sum of exp(lse[i]).
/// Parts that saw nothing have lse -inf and weight 0. The sum is made in the first slot.
void Parts::merge(const Split &split, const GirihTask &task) const {
  int64_t first = task.q_tile * tileQ, count = std::min(tileQ, launch.num_q - first);
  int64_t end = split.firstSlot + split.numSlots;
  for (int64_t r = 0; r < count; ++r) {
    float highest = -INFINITY;
    for (int64_t slot = split.firstSlot; slot < end; ++slot)
      highest = std::max(highest, lseOf(slot)[r]);
    float base = highest == -INFINITY ? 0 : highest, sum = 0;
    for (int64_t slot = split.firstSlot; slot < end; ++slot)
      sum += std::exp(lseOf(slot)[r] - base);
    float scale = sum == 0 ? 0 : 1 / sum;
    float *total = rowsOf(split.firstSlot) + r * vDim;
    for (int64_t slot = split.firstSlot; slot < end; ++slot) {
      float weight = std::exp(lseOf(slot)[r] - base) * scale;
      const float *part = rowsOf(slot) + r * vDim;
      for (int64_t e = 0; e < vDim; ++e)
        total[e] = (slot == split.firstSlot ? 0 : total[e]) + weight * part[e];
    }
    store(total, vDim, launch.o,
          task.batch * launch.o.stride[0] + task.head * launch.o.stride[1] +
              (first + r) * launch.o.stride[2]);
    if (launch.lse)
      launch.lse[(task.batch * launch.q.shape[1] + task.head) * launch.num_q + first + r] =
          base + std::log(sum);
  }
}
