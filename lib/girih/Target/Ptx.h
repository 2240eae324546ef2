//===- Ptx.h - LLVM modules to PTX ------------------------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From a module of the LLVM and NVVM dialects to PTX text. Needs neither CUDA nor
// a GPU; Ptxas.h goes on from there where ptxas is installed.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_TARGET_PTX_H
#define GIRIH_TARGET_PTX_H

#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Error.h"

#include <memory>
#include <string>

namespace llvm {
class LLVMContext;
class Module;
} // namespace llvm

namespace mlir {
class DialectRegistry;
class ModuleOp;
} // namespace mlir

namespace girih {

/// An NVIDIA GPU that kernels are compiled for.
struct PtxTarget {
  std::string chip = "sm_90a"; ///< as ptxas names it
  int ptxVersion = 80;         ///< 10 x the PTX ISA version; 80 is CUDA 12.0's
};

/// Adds what translateToLLVM needs to know about the builtin, LLVM and NVVM
/// dialects.
void registerPtxTranslations(mlir::DialectRegistry &registry);

/// Translates `module`, which holds ops of the LLVM and NVVM dialects only; those
/// of NVVM that stand for inline PTX have gone through convert-nvvm-to-llvm. The
/// result lives in `context`. Fails with MLIR's diagnostics in the message.
llvm::Expected<std::unique_ptr<llvm::Module>> translateToLLVM(mlir::ModuleOp module,
                                                              llvm::LLVMContext &context);

/// Optimises `module` in place and appends its PTX to `ptxText`.
llvm::Error emitPtx(llvm::Module &module, const PtxTarget &target,
                    llvm::SmallVectorImpl<char> &ptxText);

} // namespace girih

#endif // GIRIH_TARGET_PTX_H
