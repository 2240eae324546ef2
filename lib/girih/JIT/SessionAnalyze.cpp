//===- SessionAnalyze.cpp - Patterns to map programs ----------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/JIT/SessionImpl.h"

using namespace girih;

llvm::Expected<PatternProgram> JitSession::analyze(const Pattern &pattern,
                                                   const CompileOptions &options) {
  if (llvm::Error error = check(pattern, options))
    return std::move(error);
  auto target = targetOf(options);
  if (!target)
    return target.takeError();
  std::lock_guard<std::mutex> lock(contextMutex);
  Diagnostics diagnostics(&context);
  auto emitted = emitL0(pattern, options, /*cuda=*/false);
  if (!emitted)
    return diagnostics.take(emitted.takeError());
  mlir::OwningOpRef<mlir::ModuleOp> module = std::move(*emitted);
  PipelineOptions pipeline = cpuPipelineOf(options, *target);
  if (llvm::Error error = runStage(*module, pipeline, buildBlocksPipeline))
    return diagnostics.take(std::move(error));
  GirihKernelDesc descriptor{};
  auto made = describe(*module, options, descriptor);
  if (!made)
    return diagnostics.take(made.takeError());
  std::shared_ptr<MapProgram> owner = std::move(*made);
  PatternProgram result;
  result.program = {owner, &owner->get()};
  result.operands = patternOperands(pattern);
  result.tileQ = descriptor.tile_q;
  result.tileK = descriptor.tile_k;
  return result;
}
