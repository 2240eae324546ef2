//===- CopyKernel.h - Copy tensors that kernels cannot address --*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_CONVERSION_FRAGMENTS_COPYKERNEL_H
#define GIRIH_CONVERSION_FRAGMENTS_COPYKERNEL_H

#include "girih/Conversion/Fragments/ScalarBuilder.h"

namespace girih::gpu {

/// Emits, behind `kernel`, the function `<name>_copy` (GirihCudaKernelDesc::
/// copy_function) for tensors of at most `mostColumns`: element (batch, head, row,
/// column) of `to` becomes that of `from`, for any strides. Elements have 16 bits, or
/// 32 where `output`, the type of o, is f32. Leaves the builder of `a` elsewhere.
void emitCopyKernel(ScalarBuilder &a, mlir::LLVM::LLVMFuncOp kernel, mlir::Type output,
                    int64_t mostColumns);

} // namespace girih::gpu

#endif // GIRIH_CONVERSION_FRAGMENTS_COPYKERNEL_H
