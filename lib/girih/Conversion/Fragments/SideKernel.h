//===- SideKernel.h - Small kernels beside the one of attention -*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the runtime launches before or after the attention kernel is in its module,
// so that one image has everything. Such a kernel has one parameter: a struct of
// girih-c/Cuda.h by value.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_CONVERSION_FRAGMENTS_SIDEKERNEL_H
#define GIRIH_CONVERSION_FRAGMENTS_SIDEKERNEL_H

#include "girih/Conversion/Fragments/ScalarBuilder.h"

namespace girih::gpu {

/// An LLVM function and what its emitters have in common.
class SideKernel {
protected:
  /// Makes, behind `kernel`, the function `<name>_<suffix>` for blocks of `threads`,
  /// and leaves the builder of `a` in its entry block.
  SideKernel(ScalarBuilder &a, mlir::LLVM::LLVMFuncOp kernel, llvm::StringRef suffix,
             int32_t threads, size_t argumentBytes);

  mlir::Block *addBlock(llvm::ArrayRef<mlir::Type> types = {});
  /// Loads a field of the parameter.
  mlir::Value argument(size_t offset, mlir::Type type) { return a.load(arguments, offset, type); }
  /// Emits `body` behind a branch, which leaves the builder behind both.
  void guarded(mlir::Value condition, llvm::function_ref<void()> body);
  /// Ends the current block; the kernel returns unless `condition` holds.
  void returnUnless(mlir::Value condition);

  ScalarBuilder &a;
  mlir::OpBuilder &b;
  mlir::Location loc;
  mlir::Type i32, i64, f32, pointer;
  mlir::LLVM::LLVMFuncOp function;
  mlir::Value arguments; ///< pointer to the parameter
};

} // namespace girih::gpu

#endif // GIRIH_CONVERSION_FRAGMENTS_SIDEKERNEL_H
