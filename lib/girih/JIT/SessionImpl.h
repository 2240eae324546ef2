//===- SessionImpl.h - The session, for its own files -----------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Session.cpp compiles for the CPU and prints stages, SessionCuda.cpp compiles for
// GPUs, SessionAnalyze.cpp stops at block maps.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_JIT_SESSIONIMPL_H
#define GIRIH_JIT_SESSIONIMPL_H

#include "girih/JIT/Kernel.h"
#include "girih/JIT/KernelCache.h"
#include "girih/JIT/Session.h"
#include "girih/Pipelines/Pipelines.h"
#include "girih/Support/Error.h"
#include "girih/Target/Ptx.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "llvm/Support/raw_ostream.h"

#include <chrono>
#include <future>
#include <map>

namespace girih {

using Clock = std::chrono::steady_clock;

inline double millisecondsSince(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

/// A compiled kernel, or why there is none; what waiters of one key share.
struct Outcome {
  std::shared_ptr<JitKernel> kernel;
  bool fromDisk = false;
  GirihStatus status{};
};

/// Collects diagnostics of one compilation as an error.
class Diagnostics {
public:
  explicit Diagnostics(mlir::MLIRContext *context)
      : handler(context, [this](mlir::Diagnostic &diagnostic) {
          if (diagnostic.getSeverity() != mlir::DiagnosticSeverity::Error)
            return;
          llvm::raw_string_ostream os(text);
          if (!text.empty())
            os << "; ";
          os << diagnostic.str();
          for (mlir::Diagnostic &note : diagnostic.getNotes())
            os << "; " << note.str();
        }) {}

  /// Errors of passes are about the pattern: valid, but not supported.
  llvm::Error take(llvm::Error fallback) {
    if (text.empty())
      return fallback;
    llvm::consumeError(std::move(fallback));
    return unsupportedError(text);
  }

private:
  std::string text;
  mlir::ScopedDiagnosticHandler handler;
};

class JitSession : public Session {
public:
  JitSession(CpuTarget host, std::shared_ptr<CodeLoader> code, std::string cacheFolder,
             uint64_t cacheBytes)
      : host(std::move(host)), code(std::move(code)), cache(std::move(cacheFolder), cacheBytes),
        context(mlir::MLIRContext::Threading::DISABLED) {
    mlir::DialectRegistry registry;
    registerDialects(registry);
    mlir::registerBuiltinDialectTranslation(registry);
    mlir::registerLLVMDialectTranslation(registry);
    registerPtxTranslations(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
    context.printOpOnDiagnostic(false); // messages are for users, who wrote no IR
  }

  llvm::Expected<std::shared_ptr<CompiledKernel>>
  compile(const Pattern &pattern, const CompileOptions &options, bool *cacheHit) override;
  llvm::Expected<CpuCode> compileObject(const Pattern &pattern, const CompileOptions &options,
                                        ObjectFinisher finish) override;
  llvm::Expected<std::shared_ptr<const CudaCode>>
  compileCuda(const Pattern &pattern, const CompileOptions &options, bool *cacheHit) override;
  llvm::Expected<PatternProgram> analyze(const Pattern &pattern, const CompileOptions &options,
                                         bool cuda) override;
  llvm::Expected<std::string> emit(const Pattern &pattern, const CompileOptions &options,
                                   llvm::StringRef stage, bool cuda) override;
  int64_t compilations() const override { return numCompilations; }
  std::string cacheProblem() const override { return cache.problem(); }

private:
  llvm::Error check(const Pattern &pattern, const CompileOptions &options) const;
  /// The pattern's IR (L0), verified.
  llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>>
  emitL0(const Pattern &pattern, const CompileOptions &options, bool cuda);
  llvm::Expected<CpuTarget> targetOf(const CompileOptions &options) const;
  llvm::Expected<Outcome> build(mlir::ModuleOp module, const Pattern &pattern,
                                const std::string &ir, const CompileOptions &options,
                                Clock::time_point start);
  llvm::Error buildCudaBlocks(mlir::ModuleOp module, const Pattern &pattern,
                              CompileOptions &options);
  llvm::Error generateCuda(mlir::ModuleOp module, const CompileOptions &options, CudaCode &code);
  llvm::Expected<CachedCode> generate(mlir::ModuleOp module, const PipelineOptions &pipeline,
                                      const CpuTarget &target);

  CpuTarget host;
  std::shared_ptr<CodeLoader> code;
  KernelCache cache;
  std::mutex contextMutex; ///< guards the context: one compilation at a time
  mlir::MLIRContext context;
  std::mutex kernelsMutex;
  std::map<std::string, std::shared_future<Outcome>> kernels;
  std::map<std::string, std::shared_ptr<const CudaCode>> cudaKernels; ///< under contextMutex
  std::atomic<int64_t> numCompilations{0};
};

//===----------------------------------------------------------------------===//
// What both kinds of kernel share
//===----------------------------------------------------------------------===//

/// Name of the function from L0 to the symbol of an object or cubin.
inline constexpr const char *kernelName = "attention";
/// Of the GPU kernel that merges the parts of split q-tiles.
inline constexpr const char *mergeName = "attention_merge";
/// Of the GPU kernel that copies what the attention kernel cannot address.
inline constexpr const char *copyName = "attention_copy";

int64_t vDimOf(const CompileOptions &options);
std::string tilingOf(const CompileOptions &options);
/// How kernels for that processor are lowered, now and ahead of time.
PipelineOptions cpuPipelineOf(const CompileOptions &options, const CpuTarget &target);
/// What the disk cache tells people of a kernel; `kind` is "object" or "cubin".
KernelLabel labelOf(const Pattern &pattern, const CompileOptions &options, llvm::StringRef kind,
                    llvm::StringRef target);
std::string printed(mlir::Operation *op);
/// Runs the passes of one stage.
llvm::Error runStage(mlir::ModuleOp module, const PipelineOptions &options,
                     void (*stage)(mlir::OpPassManager &, const PipelineOptions &));
/// Fills what a descriptor says of a kernel at level L1 and flattens its pattern.
llvm::Expected<std::unique_ptr<MapProgram>>
describe(mlir::ModuleOp module, const CompileOptions &options, GirihKernelDesc &descriptor);
/// Checks what GPUs can't do and, for sm_8x, fills in tile sizes.
llvm::Expected<CompileOptions> cudaOptions(CompileOptions options);

} // namespace girih

#endif // GIRIH_JIT_SESSIONIMPL_H
