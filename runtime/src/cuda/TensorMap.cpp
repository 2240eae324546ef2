//===- TensorMap.cpp - Views as TMA tensor maps ---------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The encoder answers "invalid argument" to everything it dislikes; what it
// dislikes is said here.
//
//===----------------------------------------------------------------------===//

#include "TensorMap.h"

#include "../Error.h"
#include "Access.h"

#include <cinttypes>

using namespace girih;
using namespace girih::cuda;

/// The copy engine reads 16 bytes at a time.
static constexpr int64_t kAlign = 16;
static constexpr int64_t kElementBytes = 2;
/// Strides are stored in 36 bits, in units of 16 bytes.
static constexpr int64_t kMaxStrideBytes = int64_t{1} << 40;

int cuda::describeTensorMap(const char *name, const GirihView &view, int32_t boxRows,
                            int32_t boxCols, TensorMapShape &shape, GirihStatus *status) {
  auto address = reinterpret_cast<uintptr_t>(view.data);
  if (address % kAlign != 0)
    return fail(status, GIRIH_UNSUPPORTED,
                "expected data of %s to be aligned to %" PRId64
                " bytes, but got address 0x%" PRIxPTR,
                name, kAlign, address);
  if (int code = checkColumns(name, view, status))
    return code;
  int64_t rowBytes = (view.shape[3] * kElementBytes + kAlign - 1) / kAlign * kAlign;
  static constexpr const char *kDimensions[] = {"batch", "head", "token"};
  for (int i = 0; i < 3; ++i) {
    int64_t stride = view.stride[2 - i];
    const char *dimension = kDimensions[2 - i];
    shape.dims[i + 1] = static_cast<uint64_t>(view.shape[2 - i]);
    // Nothing ever steps along a single element; its stride may be anything.
    if (view.shape[2 - i] == 1) {
      shape.strides[i] = static_cast<uint64_t>(rowBytes);
      continue;
    }
    if (stride < 0)
      return fail(status, GIRIH_UNSUPPORTED,
                  "expected the %s stride of %s not to be negative, but got %" PRId64, dimension,
                  name, stride);
    if (stride % (kAlign / kElementBytes) != 0)
      return fail(status, GIRIH_UNSUPPORTED,
                  "expected the %s stride of %s to be a multiple of %" PRId64 " elements (%" PRId64
                  " bytes), but got %" PRId64,
                  dimension, name, kAlign / kElementBytes, kAlign, stride);
    if (stride >= kMaxStrideBytes / kElementBytes)
      return fail(status, GIRIH_UNSUPPORTED,
                  "expected the %s stride of %s to be below %" PRId64 " elements, but got %" PRId64,
                  dimension, name, kMaxStrideBytes / kElementBytes, stride);
    shape.strides[i] = static_cast<uint64_t>(stride * kElementBytes);
  }
  shape.dims[0] = static_cast<uint64_t>(view.shape[3]);
  for (int i = 0; i < 3; ++i)
    if (shape.dims[i + 1] > UINT32_MAX)
      return fail(status, GIRIH_UNSUPPORTED,
                  "expected extent %d of %s to be below 2^32, but got %" PRIu64, 2 - i, name,
                  shape.dims[i + 1]);
  shape.box[0] = static_cast<uint32_t>(boxCols);
  shape.box[1] = static_cast<uint32_t>(boxRows);
  shape.box[2] = shape.box[3] = 1;
  return GIRIH_OK;
}

int cuda::encodeTensorMap(const Driver &driver, const char *name, const GirihView &view,
                          int32_t boxRows, int32_t boxCols, TensorMap &map, GirihStatus *status) {
  TensorMapShape shape;
  if (int code = describeTensorMap(name, view, boxRows, boxCols, shape, status))
    return code;
  static constexpr uint32_t kEach[4] = {1, 1, 1, 1};
  int type = view.dtype == GIRIH_BF16 ? kTensorMapBFloat16 : kTensorMapFloat16;
  Result result =
      driver.cuTensorMapEncodeTiled(&map, type, 4, view.data, shape.dims, shape.strides, shape.box,
                                    kEach, kTensorMapInterleaveNone, kTensorMapSwizzle128B,
                                    kTensorMapL2Promotion256B, kTensorMapFillZero);
  if (result == 0)
    return GIRIH_OK;
  return failCall(driver, result, status,
                  "could not encode the tensor map of %s: extents [%" PRId64 ", %" PRId64
                  ", %" PRId64 ", %" PRId64 "], strides [%" PRId64 ", %" PRId64 ", %" PRId64
                  ", %" PRId64 "], boxes of %d x %d",
                  name, view.shape[0], view.shape[1], view.shape[2], view.shape[3], view.stride[0],
                  view.stride[1], view.stride[2], view.stride[3], boxRows, boxCols);
}
