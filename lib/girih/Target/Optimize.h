//===- Optimize.h - LLVM's default pipeline ---------------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The set-up that running LLVM's middle end takes, shared by the targets.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_TARGET_OPTIMIZE_H
#define GIRIH_TARGET_OPTIMIZE_H

#include "llvm/Passes/PassBuilder.h"

namespace girih {

/// Runs the default pipeline of `level` over `module` for the machine. Sets the
/// module's triple and data layout.
void runDefaultPipeline(llvm::Module &module, llvm::TargetMachine &machine,
                        const llvm::PipelineTuningOptions &tuning, llvm::OptimizationLevel level);

} // namespace girih

#endif // GIRIH_TARGET_OPTIMIZE_H
