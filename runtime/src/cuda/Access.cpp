//===- Access.cpp - What kernels ask of what they store -------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Access.h"

#include "../Error.h"

#include <cinttypes>

using namespace girih;
using namespace girih::cuda;

int cuda::checkAccess(const char *name, const GirihView &view, GirihStatus *status) {
  auto address = reinterpret_cast<uintptr_t>(view.data);
  if (address % kAccessBytes != 0)
    return fail(status, GIRIH_UNSUPPORTED,
                "expected data of %s to be aligned to %d bytes, but got address 0x%" PRIxPTR, name,
                kAccessBytes, address);
  int elements = kAccessBytes / (view.dtype == GIRIH_F32 ? 4 : 2);
  static constexpr const char *kDimensions[] = {"batch", "head", "token"};
  for (int i = 0; i < 3; ++i)
    if (view.shape[i] > 1 && view.stride[i] % elements != 0)
      return fail(status, GIRIH_UNSUPPORTED,
                  "expected the %s stride of %s to be a multiple of %d elements (%d bytes), but "
                  "got %" PRId64,
                  kDimensions[i], name, elements, kAccessBytes, view.stride[i]);
  return GIRIH_OK;
}
