//===- Code.cpp - From a tile kernel to callable code ---------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/JIT/Code.h"

#include "girih/Pipelines/Pipelines.h"
#include "girih/Support/Error.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/ExecutionEngine/Orc/AbsoluteSymbols.h"
#include "llvm/ExecutionEngine/Orc/ExecutionUtils.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Target/TargetMachine.h"

using namespace girih;

llvm::Expected<int64_t> girih::lowerToLLVMDialect(mlir::ModuleOp module, llvm::StringRef name,
                                                  const CpuTarget &target) {
  PipelineOptions options;
  options.vectorWidth = target.vectorWidth;
  options.bf16Dots = target.bf16Dots;
  options.amx = target.amx;
  mlir::PassManager pm(module.getContext());
  pm.enableVerifier(false); // passes leave verified IR; tests run them with the verifier
  buildCpuPipeline(pm, options);
  if (failed(pm.run(module)))
    return internalError("lowering to the CPU failed");
  auto kernel = module.lookupSymbol<mlir::func::FuncOp>(name);
  auto scratch = kernel ? kernel->getAttrOfType<mlir::IntegerAttr>("girih.scratch_bytes")
                        : mlir::IntegerAttr();
  if (!scratch)
    return internalError("lowering to the CPU left no kernel");
  int64_t bytes = scratch.getInt();
  kernel->removeAttr("girih.scratch_bytes");
  mlir::PassManager toLLVM(module.getContext());
  toLLVM.enableVerifier(false);
  buildLLVMPipeline(toLLVM, options);
  if (failed(toLLVM.run(module)))
    return internalError("lowering to the LLVM dialect failed");
  return bytes;
}

llvm::Error girih::compileModule(mlir::ModuleOp module, const CpuTarget &target, bool assembly,
                                 llvm::SmallVectorImpl<char> &out, ModuleFinisher finish) {
  llvm::LLVMContext context;
  std::unique_ptr<llvm::Module> llvmModule = mlir::translateModuleToLLVMIR(module, context);
  if (!llvmModule)
    return internalError("translation to LLVM IR failed");
  auto machine = target.createMachine();
  if (!machine)
    return machine.takeError();
  optimizeModule(*llvmModule, target, **machine);
  if (finish)
    if (llvm::Error error = finish(*llvmModule))
      return error;
  return emitCode(*llvmModule, **machine, assembly, out);
}

CodeLoader::CodeLoader() = default;
CodeLoader::~CodeLoader() = default;

llvm::Expected<std::shared_ptr<CodeLoader>> CodeLoader::create(const CpuTarget &target) {
  auto machine = target.createMachine(); // registers the backend
  if (!machine)
    return machine.takeError();
  llvm::orc::JITTargetMachineBuilder builder((*machine)->getTargetTriple());
  builder.setCPU(target.cpu);
  auto jit = llvm::orc::LLJITBuilder().setJITTargetMachineBuilder(std::move(builder)).create();
  if (!jit)
    return jit.takeError();
  std::shared_ptr<CodeLoader> loader(new CodeLoader());
  loader->jit = std::move(*jit);
  return loader;
}

llvm::Expected<GirihCpuEntry> CodeLoader::load(llvm::ArrayRef<char> object, llvm::StringRef name) {
  // A library of its own for each kernel: names never clash.
  static std::atomic<uint64_t> counter{0};
  auto library = jit->createJITDylib("kernel" + std::to_string(counter++));
  if (!library)
    return library.takeError();
  // The scalar math library, and memset.
  auto process = llvm::orc::DynamicLibrarySearchGenerator::GetForCurrentProcess(
      jit->getDataLayout().getGlobalPrefix());
  if (!process)
    return process.takeError();
  library->addGenerator(std::move(*process));
  auto buffer =
      llvm::MemoryBuffer::getMemBufferCopy(llvm::StringRef(object.data(), object.size()), name);
  if (llvm::Error error = jit->addObjectFile(*library, std::move(buffer)))
    return std::move(error);
  auto address = jit->lookup(*library, name);
  if (!address)
    return address.takeError();
  return address->toPtr<GirihCpuEntry>();
}
