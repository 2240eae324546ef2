//===- Copies.cpp - Copies of tensors that kernels cannot address ---------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Copies.h"

#include "../Error.h"
#include "../map/Integer.h"
#include "Access.h"
#include "TensorMap.h"

#include <algorithm>
#include <cinttypes>

using namespace girih;
using namespace girih::cuda;

/// Rows of copies begin at multiples of so many bytes.
static constexpr int64_t kRowAlign = 16;

int cuda::checkDirect(const GirihCudaKernelDesc &desc, const Operand &operand,
                      const GirihView &view, GirihStatus *status) {
  if (operand.isOutput)
    return checkStores(operand.name, view, desc.store_bytes, status);
  // Kernels that copy by cp.async ask of views what the copy engine does: 16 bytes
  // at a time.
  TensorMapShape shape;
  return describeTensorMap(operand.name, view, 1, 1, shape, status);
}

int cuda::describeCopy(const Operand &operand, const GirihView &view, CopyShape &shape,
                       GirihStatus *status) {
  const int64_t element = elementBytes(view), columns = view.shape[3];
  const int64_t rowBytes = ceilDiv(columns * element, kRowAlign) * kRowAlign;
  int64_t extents[3];
  Wide elements = rowBytes / element;
  shape.view = view;
  shape.view.data = nullptr;
  shape.view.stride[3] = 1;
  for (int i = 2; i >= 0; --i) {
    extents[i] = view.stride[i] == 0 && !operand.isOutput ? 1 : view.shape[i];
    // Elements of an operand fit int64, and rows grow by less than 16 bytes.
    shape.view.stride[i] = extents[i] == 1 ? 0 : saturate(elements);
    elements *= extents[i];
  }
  const Wide lines = Wide(extents[0]) * extents[1];
  shape.blocksPerLine = ceilDiv(extents[2], GIRIH_CUDA_COPY_ROWS);
  const Wide blocks = lines * shape.blocksPerLine;
  if (elements * element > INT64_MAX / 2 || blocks > INT32_MAX || extents[2] > INT32_MAX)
    return fail(status, GIRIH_UNSUPPORTED,
                "expected %s, which has to be copied, to have at most %d groups of %d tokens, but "
                "got shape %" PRId64 " x %" PRId64 " x %" PRId64 " x %" PRId64,
                operand.name, INT32_MAX, GIRIH_CUDA_COPY_ROWS, view.shape[0], view.shape[1],
                view.shape[2], view.shape[3]);
  shape.lines = static_cast<int64_t>(lines);
  shape.heads = extents[1];
  shape.rows = extents[2];
  shape.blocks = static_cast<int64_t>(blocks);
  shape.bytes = static_cast<int64_t>(elements * element);
  shape.moved = shape.lines * extents[2] * columns * element;
  return GIRIH_OK;
}

/// Adds the copy of `from` to `to`, which have the shape of `shape`.
static void addCopy(const CopyShape &shape, const GirihView &from, const GirihView &to,
                    CopyList &list) {
  GirihCudaCopy &copy = list.copies.copy[list.count++];
  copy.from = from.data;
  copy.to = to.data;
  std::copy(from.stride, from.stride + 4, copy.from_stride);
  std::copy(to.stride, to.stride + 4, copy.to_stride);
  copy.lines = static_cast<int32_t>(shape.lines);
  copy.heads = static_cast<int32_t>(shape.heads);
  copy.rows = static_cast<int32_t>(shape.rows);
  copy.columns = static_cast<int32_t>(shape.view.shape[3]);
  copy.element_bytes = static_cast<int32_t>(elementBytes(shape.view));
  copy.blocks_per_line = static_cast<int32_t>(shape.blocksPerLine);
  list.blocks = std::max(list.blocks, static_cast<unsigned>(shape.blocks));
}

int cuda::placeCopies(const GirihCudaKernelDesc &desc, const CopyRoom &room, GirihLaunch &launch,
                      CopyList &before, CopyList &after, GirihStatus *status) {
  for (int i = 0; i < kNumOperands; ++i) {
    const Operand &operand = kOperands[i];
    GirihView &view = launch.*operand.view;
    if (int code = checkElements(operand.name, view, status))
      return code;
    if (checkDirect(desc, operand, view, nullptr) == GIRIH_OK)
      continue;
    GirihStatus reason{};
    int code = checkDirect(desc, operand, view, &reason);
    if (!desc.copy_function)
      return fail(status, code, "%s", reason.message);
    CopyShape shape;
    if ((code = describeCopy(operand, view, shape, status)))
      return code;
    if (shape.bytes > room.bytes[i])
      return fail(status, GIRIH_INVALID,
                  "expected the plan to have room for a copy of %s of %" PRId64
                  " bytes, but got %" PRId64 "; the kernel does not take %s as it is: %s",
                  operand.name, shape.bytes, room.bytes[i], operand.name, reason.message);
    shape.view.data = room.memory[i];
    if (operand.isOutput)
      addCopy(shape, shape.view, view, after);
    else
      addCopy(shape, view, shape.view, before);
    view = shape.view;
  }
  return GIRIH_OK;
}
