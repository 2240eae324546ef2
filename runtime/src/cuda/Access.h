//===- Access.h - What kernels ask of the memory of tensors -----*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What they ask of inputs besides is the business of TensorMap.h.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_RUNTIME_CUDA_ACCESS_H
#define GIRIH_RUNTIME_CUDA_ACCESS_H

#include "girih-c/Runtime.h"

namespace girih::cuda {

/// Bytes of an element of f32, bf16 or f16.
inline int64_t elementBytes(const GirihView &view) { return view.dtype == GIRIH_F32 ? 4 : 2; }

/// Whether data of operand `name` is aligned to its elements. Returns a GirihCode.
int checkElements(const char *name, const GirihView &view, GirihStatus *status);

/// Whether columns of operand `name` are next to each other. Returns a GirihCode.
int checkColumns(const char *name, const GirihView &view, GirihStatus *status);

/// Whether kernels that store `bytes` at once can store to `view`, operand `name`: its
/// columns are next to each other, and data and the strides of extents above 1 are
/// multiples of `bytes`. Returns a GirihCode.
int checkStores(const char *name, const GirihView &view, int32_t bytes, GirihStatus *status);

} // namespace girih::cuda

#endif // GIRIH_RUNTIME_CUDA_ACCESS_H
