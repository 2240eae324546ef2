//===- Session.cpp - Compile patterns to kernels --------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/JIT/Session.h"

#include "girih/Frontend/EmitIR.h"
#include "girih/JIT/Kernel.h"
#include "girih/JIT/KernelCache.h"
#include "girih/Pattern/Girih.h"
#include "girih/Pipelines/Pipelines.h"
#include "girih/Support/Error.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

#include <chrono>
#include <future>
#include <map>

using namespace girih;
using mlir::failed;

static constexpr const char *kernelName = "attention";

namespace {

using Clock = std::chrono::steady_clock;

double millisecondsSince(Clock::time_point start) {
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
  JitSession(CpuTarget host, std::shared_ptr<CodeLoader> code, const SessionOptions &options)
      : host(std::move(host)), code(std::move(code)), cache(options.cacheDir),
        context(mlir::MLIRContext::Threading::DISABLED) {
    mlir::DialectRegistry registry;
    registerDialects(registry);
    mlir::registerBuiltinDialectTranslation(registry);
    mlir::registerLLVMDialectTranslation(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
  }

  llvm::Expected<std::shared_ptr<CompiledKernel>>
  compile(const Pattern &pattern, const CompileOptions &options, bool *cacheHit) override;
  llvm::Expected<std::string> emit(const Pattern &pattern, const CompileOptions &options,
                                   llvm::StringRef stage) override;
  int64_t compilations() const override { return numCompilations; }

private:
  llvm::Error check(const Pattern &pattern, const CompileOptions &options) const;
  mlir::OwningOpRef<mlir::ModuleOp> emitL0(const Pattern &pattern, const CompileOptions &options);
  llvm::Expected<CpuTarget> targetOf(const CompileOptions &options) const;
  llvm::Expected<Outcome> build(mlir::ModuleOp module, const std::string &ir,
                                const CompileOptions &options, Clock::time_point start);
  llvm::Expected<CachedCode> generate(mlir::ModuleOp module, const PipelineOptions &pipeline,
                                      const CpuTarget &target);

  CpuTarget host;
  std::shared_ptr<CodeLoader> code;
  KernelCache cache;
  std::mutex contextMutex; ///< guards the context: one compilation at a time
  mlir::MLIRContext context;
  std::mutex kernelsMutex;
  std::map<std::string, std::shared_future<Outcome>> kernels;
  std::atomic<int64_t> numCompilations{0};
};

} // namespace

static int64_t vDimOf(const CompileOptions &options) {
  return options.vDim ? options.vDim : options.headDim;
}

llvm::Error JitSession::check(const Pattern &pattern, const CompileOptions &options) const {
  if (!pattern)
    return invalidError("expected a pattern, but got none");
  if (std::string problem = validate(pattern); !problem.empty())
    return invalidError(problem);
  if (options.dtype != GIRIH_F32 && options.dtype != GIRIH_BF16 && options.dtype != GIRIH_F16)
    return invalidError("expected dtype to be f32, bf16 or f16, but got " +
                        std::to_string(options.dtype));
  constexpr int64_t maxDim = 256;
  if (options.headDim < 1 || vDimOf(options) < 1)
    return invalidError("expected head dims of at least 1, but got dim " +
                        std::to_string(options.headDim) + " and v-dim " +
                        std::to_string(vDimOf(options)));
  if (options.headDim > maxDim || vDimOf(options) > maxDim)
    return unsupportedError("head dims " + std::to_string(options.headDim) + " and " +
                            std::to_string(vDimOf(options)) +
                            " are not supported; supported: 1 to 256");
  if (options.tileQ < 0 || options.tileK < 0 || options.tileQ % 16 || options.tileK % 8)
    return unsupportedError(
        "tile of " + std::to_string(options.tileQ) + " x " + std::to_string(options.tileK) +
        " is not supported; supported: rows a multiple of 16, keys a multiple of 8");
  if (options.tileQ > 256 || options.tileK > 1024)
    return unsupportedError("tile of " + std::to_string(options.tileQ) + " x " +
                            std::to_string(options.tileK) +
                            " is not supported; supported: up to 256 x 1024");
  return llvm::Error::success();
}

mlir::OwningOpRef<mlir::ModuleOp> JitSession::emitL0(const Pattern &pattern,
                                                     const CompileOptions &options) {
  mlir::Builder b(&context);
  KernelSpec spec;
  spec.name = kernelName;
  spec.element = options.dtype == GIRIH_F32    ? mlir::Type(b.getF32Type())
                 : options.dtype == GIRIH_BF16 ? mlir::Type(b.getBF16Type())
                                               : mlir::Type(b.getF16Type());
  spec.headDim = options.headDim;
  spec.vDim = vDimOf(options);
  spec.topLeft = options.align == GIRIH_TOP_LEFT;
  spec.score = options.score;
  return emitKernel(&context, pattern, spec);
}

llvm::Expected<CpuTarget> JitSession::targetOf(const CompileOptions &options) const {
  if (options.cpu.empty())
    return host;
  return CpuTarget::named(options.cpu);
}

static std::string tilingOf(const CompileOptions &options) {
  return std::to_string(options.tileQ) + "x" + std::to_string(options.tileK) + "|";
}

static std::string printed(mlir::Operation *op) {
  std::string text;
  llvm::raw_string_ostream os(text);
  op->print(os);
  return text;
}

llvm::Expected<std::shared_ptr<CompiledKernel>>
JitSession::compile(const Pattern &pattern, const CompileOptions &options, bool *cacheHit) {
  if (cacheHit)
    *cacheHit = false;
  if (llvm::Error error = check(pattern, options))
    return std::move(error);
  auto start = Clock::now();
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::string ir, key;
  {
    // The key is the L0 text, which has no lengths and no operand values.
    std::lock_guard<std::mutex> lock(contextMutex);
    Diagnostics diagnostics(&context);
    module = emitL0(pattern, options);
    if (failed(mlir::verify(*module))) {
      module = {};
      return diagnostics.take(internalError("the front end made IR that does not verify"));
    }
    ir = printed(*module);
    key = tilingOf(options) + options.cpu + "|" + ir;
  }

  std::promise<Outcome> promise;
  std::shared_future<Outcome> future;
  bool isMine = false;
  {
    std::lock_guard<std::mutex> lock(kernelsMutex);
    auto [it, isNew] = kernels.try_emplace(key);
    if (isNew)
      it->second = promise.get_future().share();
    future = it->second;
    isMine = isNew;
  }
  if (isMine) {
    Outcome outcome;
    {
      std::lock_guard<std::mutex> lock(contextMutex);
      Diagnostics diagnostics(&context);
      auto built = build(*module, ir, options, start);
      module = {};
      if (built)
        outcome = std::move(*built);
      else
        outcome.status = takeStatus(diagnostics.take(built.takeError()));
    }
    if (!outcome.kernel) {
      // A failure may be of the moment (memory); let the next request try again.
      std::lock_guard<std::mutex> lock(kernelsMutex);
      kernels.erase(key);
    }
    promise.set_value(outcome);
  } else {
    std::lock_guard<std::mutex> lock(contextMutex);
    module = {};
  }
  const Outcome &outcome = future.get();
  if (!outcome.kernel)
    return statusError(outcome.status);
  if (cacheHit)
    *cacheHit = !isMine || outcome.fromDisk;
  return std::shared_ptr<CompiledKernel>(outcome.kernel);
}

/// Runs the passes of one stage.
static llvm::Error runStage(mlir::ModuleOp module, const PipelineOptions &options,
                            void (*stage)(mlir::OpPassManager &, const PipelineOptions &)) {
  mlir::PassManager pm(module.getContext());
  pm.enableVerifier(false);
  stage(pm, options);
  if (failed(pm.run(module)))
    return internalError("a pass failed without saying why");
  return llvm::Error::success();
}

llvm::Expected<CachedCode> JitSession::generate(mlir::ModuleOp module,
                                                const PipelineOptions &pipeline,
                                                const CpuTarget &target) {
  CachedCode result;
  if (llvm::Error error = runStage(module, pipeline, buildTilePipeline))
    return std::move(error);
  auto scratch = lowerToLLVMDialect(module, kernelName, target);
  if (!scratch)
    return scratch.takeError();
  result.scratchBytes = *scratch;
  if (llvm::Error error = compileModule(module, target, /*assembly=*/false, result.object))
    return std::move(error);
  ++numCompilations;
  return result;
}

llvm::Expected<Outcome> JitSession::build(mlir::ModuleOp module, const std::string &ir,
                                          const CompileOptions &options, Clock::time_point start) {
  auto target = targetOf(options);
  if (!target)
    return target.takeError();
  PipelineOptions pipeline{options.tileQ, options.tileK, target->vectorWidth};
  if (llvm::Error error = runStage(module, pipeline, buildBlocksPipeline))
    return std::move(error);

  auto function = module.lookupSymbol<mlir::func::FuncOp>(kernelName);
  int32_t numOperands = function.getNumArguments() - firstOperandArgument;
  BlockMapOp map;
  function.walk([&](BlockMapOp op) { map = op; });
  std::unique_ptr<MapProgram> program = buildMapProgram(map.getPattern());
  if (!program)
    return internalError("the pattern did not reach its normal form");
  program->program.num_operands = numOperands;

  GirihKernelDesc descriptor{};
  descriptor.magic = GIRIH_MAGIC;
  descriptor.abi_version = GIRIH_ABI_VERSION;
  descriptor.name = kernelName;
  descriptor.dtype = options.dtype;
  descriptor.align = options.align;
  descriptor.head_dim = options.headDim;
  descriptor.v_dim = vDimOf(options);
  descriptor.tile_q = map.getTile()[0];
  descriptor.tile_k = map.getTile()[1];

  KernelKey key = KernelKey::of(ir, tilingOf(options), target->cpu, target->features);
  std::optional<CachedCode> generated = cache.lookup(key);
  bool fromDisk = generated.has_value();
  if (!fromDisk) {
    auto made = generate(module, pipeline, *target);
    if (!made)
      return made.takeError();
    generated = std::move(*made);
    cache.store(key, *generated);
  }
  auto entry = code->load(generated->object, kernelName);
  if (!entry)
    return entry.takeError();
  descriptor.scratch_bytes = generated->scratchBytes;
  descriptor.entry = *entry;
  Outcome outcome;
  outcome.fromDisk = fromDisk;
  outcome.kernel =
      std::make_shared<JitKernel>(descriptor, std::move(program), code, millisecondsSince(start));
  return outcome;
}

llvm::Expected<std::string> JitSession::emit(const Pattern &pattern, const CompileOptions &options,
                                             llvm::StringRef stage) {
  static constexpr llvm::StringLiteral stages[] = {"girih", "blocks", "tile", "cpu", "llvm", "asm"};
  if (!llvm::is_contained(stages, stage))
    return unsupportedError("stage '" + stage.str() + "' is not supported; supported: " +
                            llvm::join(llvm::ArrayRef(stages), ", "));
  if (llvm::Error error = check(pattern, options))
    return std::move(error);
  auto target = targetOf(options);
  if (!target)
    return target.takeError();
  std::lock_guard<std::mutex> lock(contextMutex);
  Diagnostics diagnostics(&context);
  mlir::OwningOpRef<mlir::ModuleOp> module = emitL0(pattern, options);
  if (failed(mlir::verify(*module)))
    return diagnostics.take(internalError("the front end made IR that does not verify"));
  PipelineOptions pipeline{options.tileQ, options.tileK, target->vectorWidth};
  auto run = [&](void (*passes)(mlir::OpPassManager &, const PipelineOptions &)) -> llvm::Error {
    if (llvm::Error error = runStage(*module, pipeline, passes))
      return diagnostics.take(std::move(error));
    return llvm::Error::success();
  };
  if (stage == "girih")
    return printed(*module);
  if (llvm::Error error = run(buildBlocksPipeline))
    return std::move(error);
  if (stage == "blocks")
    return printed(*module);
  if (llvm::Error error = run(buildTilePipeline))
    return std::move(error);
  if (stage == "tile")
    return printed(*module);
  if (stage == "cpu") {
    if (llvm::Error error = run(buildCpuPipeline))
      return std::move(error);
    return printed(*module);
  }
  auto scratch = lowerToLLVMDialect(*module, kernelName, *target);
  if (!scratch)
    return diagnostics.take(scratch.takeError());
  if (stage == "llvm")
    return printed(*module);
  llvm::SmallVector<char, 0> text;
  if (llvm::Error error = compileModule(*module, *target, /*assembly=*/true, text))
    return std::move(error);
  return std::string(text.begin(), text.end());
}

llvm::Expected<std::unique_ptr<Session>> Session::create(const SessionOptions &options) {
  auto host = CpuTarget::host();
  if (!host)
    return host.takeError();
  auto code = CodeLoader::create(*host);
  if (!code)
    return code.takeError();
  return std::make_unique<JitSession>(*host, *code, options);
}

std::vector<GirihOperand> girih::patternOperands(const Pattern &pattern) {
  std::vector<GirihOperand> operands;
  auto add = [&](const std::vector<int64_t> &values) {
    operands.push_back({values.data(), static_cast<int64_t>(values.size())});
  };
  for (const PatternNode *table : patternTables(pattern)) {
    if (table->kind == PatternKind::Segments) {
      add(table->offsets);
      continue;
    }
    add(table->indptr);
    add(table->indices);
  }
  return operands;
}

GirihMapParams girih::mapParams(int64_t batch, int64_t heads, int64_t numQ, int64_t numK,
                                GirihAlign align, llvm::ArrayRef<GirihOperand> operands,
                                const GirihKernelDesc &kernel) {
  bool topLeft = align == GIRIH_TOP_LEFT;
  GirihMapParams params{};
  params.batch = batch;
  params.heads = heads;
  params.num_q = numQ;
  params.num_k = numK;
  params.q_offset = topLeft ? 0 : numK - numQ;
  params.q_end = topLeft ? numQ : numK;
  params.tile_q = kernel.tile_q;
  params.tile_k = kernel.tile_k;
  params.operands = operands.data();
  params.num_operands = operands.size();
  return params;
}
