//===- SessionAnalyze.cpp - Patterns to map programs ----------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/JIT/SessionImpl.h"

using namespace girih;

llvm::Expected<PatternProgram> JitSession::analyze(const Pattern &pattern,
                                                   const CompileOptions &given, bool cuda) {
  if (llvm::Error error = check(pattern, given))
    return std::move(error);
  auto sized = cuda ? cudaOptions(given) : given;
  if (!sized)
    return sized.takeError();
  CompileOptions &options = *sized;
  auto target = targetOf(options);
  if (!target)
    return target.takeError();
  std::lock_guard<std::mutex> lock(contextMutex);
  Diagnostics diagnostics(&context);
  auto emitted = emitL0(pattern, options, cuda);
  if (!emitted)
    return diagnostics.take(emitted.takeError());
  mlir::OwningOpRef<mlir::ModuleOp> module = std::move(*emitted);
  if (llvm::Error error =
          cuda ? buildCudaBlocks(*module, pattern, options)
               : runStage(*module, cpuPipelineOf(options, *target), buildBlocksPipeline))
    return diagnostics.take(std::move(error));
  GirihKernelDesc descriptor{};
  auto made = describe(*module, options, descriptor);
  if (!made)
    return diagnostics.take(made.takeError());
  std::shared_ptr<MapProgram> owner = std::move(*made);
  PatternProgram result;
  result.program = {owner, &owner->get()};
  result.operands = patternOperands(pattern, options.score);
  result.tileQ = descriptor.tile_q;
  result.tileK = descriptor.tile_k;
  return result;
}
