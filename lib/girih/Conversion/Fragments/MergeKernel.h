//===- MergeKernel.h - Merge the parts of split lists -----------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_CONVERSION_FRAGMENTS_MERGEKERNEL_H
#define GIRIH_CONVERSION_FRAGMENTS_MERGEKERNEL_H

#include "girih/Conversion/Fragments/ScalarBuilder.h"

namespace girih::gpu {

/// Emits, behind `kernel`, the function `<name>_merge` (GirihCudaKernelDesc::
/// merge_function): parts o_i with lse_i of a row become
/// lse = log(sum of exp(lse_i)), o = sum of exp(lse_i - lse) o_i. Leaves the
/// builder of `a` elsewhere.
void emitMergeKernel(ScalarBuilder &a, mlir::LLVM::LLVMFuncOp kernel, mlir::Type output,
                     int64_t tileQ, int64_t vDim);

} // namespace girih::gpu

#endif // GIRIH_CONVERSION_FRAGMENTS_MERGEKERNEL_H
