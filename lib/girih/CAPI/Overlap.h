//===- Overlap.h - Which strided tensors share memory -----------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_CAPI_OVERLAP_H
#define GIRIH_CAPI_OVERLAP_H

#include "girih-c/Runtime.h"

namespace girih::capi {

/// Whether elements share memory.
enum class Overlap {
  None,
  Some,
  Unknown, ///< strides for which finding out would take too long
};

/// Whether an element of `a` shares memory with one of `b`. Exact for what views of one
/// buffer are like: slices, columns, interleaved and reversed tensors.
Overlap findOverlap(const GirihView &a, const GirihView &b);

/// Whether two elements of one tensor share memory.
Overlap findSelfOverlap(const GirihView &view);

} // namespace girih::capi

#endif // GIRIH_CAPI_OVERLAP_H
