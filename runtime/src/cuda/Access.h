//===- Access.h - What kernels ask of what they store -----------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Inputs are the business of TensorMap.h.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_RUNTIME_CUDA_ACCESS_H
#define GIRIH_RUNTIME_CUDA_ACCESS_H

#include "girih-c/Runtime.h"

namespace girih::cuda {

/// Bytes that a kernel stores at once.
constexpr int kAccessBytes = 16;

/// Whether kernels can store to `view`, operand `name` of f32, bf16 or f16: its
/// data and the strides of extents above 1 are multiples of kAccessBytes. Returns a
/// GirihCode.
int checkAccess(const char *name, const GirihView &view, GirihStatus *status);

} // namespace girih::cuda

#endif // GIRIH_RUNTIME_CUDA_ACCESS_H
