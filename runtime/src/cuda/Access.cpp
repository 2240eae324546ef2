//===- Access.cpp - What kernels ask of the memory of tensors -------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Access.h"

#include "../Error.h"

#include <algorithm>
#include <cinttypes>

using namespace girih;
using namespace girih::cuda;

static int checkAlignment(const char *name, const GirihView &view, int64_t bytes,
                          GirihStatus *status) {
  auto address = reinterpret_cast<uintptr_t>(view.data);
  if (address % static_cast<uintptr_t>(bytes) == 0)
    return GIRIH_OK;
  return fail(status, GIRIH_UNSUPPORTED,
              "expected data of %s to be aligned to %" PRId64 " bytes, but got address 0x%" PRIxPTR,
              name, bytes, address);
}

int cuda::checkElements(const char *name, const GirihView &view, GirihStatus *status) {
  return checkAlignment(name, view, elementBytes(view), status);
}

int cuda::checkColumns(const char *name, const GirihView &view, GirihStatus *status) {
  if (view.stride[3] == 1 || view.shape[3] == 1)
    return GIRIH_OK;
  return fail(status, GIRIH_UNSUPPORTED,
              "expected the innermost stride of %s to be 1, but got %" PRId64, name,
              view.stride[3]);
}

int cuda::checkStores(const char *name, const GirihView &view, int32_t bytes, GirihStatus *status) {
  if (int code = checkAlignment(name, view, bytes, status))
    return code;
  if (int code = checkColumns(name, view, status))
    return code;
  const int64_t elements = std::max<int64_t>(1, bytes / elementBytes(view));
  static constexpr const char *kDimensions[] = {"batch", "head", "token"};
  for (int i = 0; i < 3; ++i)
    if (view.shape[i] > 1 && view.stride[i] % elements != 0)
      return fail(status, GIRIH_UNSUPPORTED,
                  "expected the %s stride of %s to be a multiple of %" PRId64
                  " elements (%d bytes), but got %" PRId64,
                  kDimensions[i], name, elements, bytes, view.stride[i]);
  return GIRIH_OK;
}
