//===- SessionObject.cpp - Compile patterns to object files ---------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Ahead of time: the same steps as for a kernel of this process, but the object is
// handed out instead of loaded.
//
//===----------------------------------------------------------------------===//

#include "girih/JIT/SessionImpl.h"

#include "llvm/IR/Module.h"

using namespace girih;

llvm::Expected<CpuCode> JitSession::compileObject(const Pattern &pattern,
                                                  const CompileOptions &options,
                                                  ObjectFinisher finish) {
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

  CpuCode code;
  code.id = KernelKey::of(printed(*module), tilingOf(options), target->cpu, target->features).hex;
  code.cpu = target->cpu;
  code.features = target->features;
  PipelineOptions pipeline = cpuPipelineOf(options, *target);
  if (llvm::Error error = runStage(*module, pipeline, buildBlocksPipeline))
    return diagnostics.take(std::move(error));
  auto program = describe(*module, options, code.desc);
  if (!program)
    return diagnostics.take(program.takeError());
  code.program = std::move(*program);
  code.desc.map = &code.program->get();
  code.desc.cpu_features = target->featureBits;
  if (llvm::Error error = runStage(*module, pipeline, buildTilePipeline))
    return diagnostics.take(std::move(error));
  auto scratch = lowerToLLVMDialect(*module, kernelName, *target);
  if (!scratch)
    return diagnostics.take(scratch.takeError());
  code.desc.scratch_bytes = *scratch;
  llvm::SmallVector<char, 0> object;
  auto addData = [&](llvm::Module &llvmModule) {
    return finish(*llvmModule.getFunction(kernelName), code);
  };
  if (llvm::Error error = compileModule(*module, *target, /*assembly=*/false, object, addData))
    return std::move(error);
  code.object = std::move(object);
  ++numCompilations;
  return code;
}
