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
#include "girih/Target/Ptx.h"
#include "girih/Target/Ptxas.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
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
    registerPtxTranslations(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
  }

  llvm::Expected<std::shared_ptr<CompiledKernel>>
  compile(const Pattern &pattern, const CompileOptions &options, bool *cacheHit) override;
  llvm::Expected<std::shared_ptr<const CudaCode>>
  compileCuda(const Pattern &pattern, const CompileOptions &options, bool *cacheHit) override;
  llvm::Expected<std::string> emit(const Pattern &pattern, const CompileOptions &options,
                                   llvm::StringRef stage, bool cuda) override;
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
  std::map<std::string, std::shared_ptr<const CudaCode>> cudaKernels; ///< under contextMutex
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

/// Fills what a descriptor says of a kernel at level L1 and flattens its pattern.
static llvm::Expected<std::unique_ptr<MapProgram>>
describe(mlir::ModuleOp module, const CompileOptions &options, GirihKernelDesc &descriptor) {
  auto function = module.lookupSymbol<mlir::func::FuncOp>(kernelName);
  BlockMapOp map;
  function.walk([&](BlockMapOp op) { map = op; });
  std::unique_ptr<MapProgram> program = buildMapProgram(map.getPattern());
  if (!program)
    return internalError("the pattern did not reach its normal form");
  program->program.num_operands = function.getNumArguments() - firstOperandArgument;
  descriptor.magic = GIRIH_MAGIC;
  descriptor.abi_version = GIRIH_ABI_VERSION;
  descriptor.name = kernelName;
  descriptor.dtype = options.dtype;
  descriptor.align = options.align;
  descriptor.head_dim = options.headDim;
  descriptor.v_dim = vDimOf(options);
  descriptor.tile_q = map.getTile()[0];
  descriptor.tile_k = map.getTile()[1];
  return program;
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
  result.memoryBytes = *scratch;
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

  GirihKernelDesc descriptor{};
  auto program = describe(module, options, descriptor);
  if (!program)
    return program.takeError();
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
  descriptor.scratch_bytes = generated->memoryBytes;
  descriptor.entry = *entry;
  Outcome outcome;
  outcome.fromDisk = fromDisk;
  outcome.kernel =
      std::make_shared<JitKernel>(descriptor, std::move(*program), code, millisecondsSince(start));
  return outcome;
}

//===----------------------------------------------------------------------===//
// Hopper
//===----------------------------------------------------------------------===//

/// Sizes that fit shared memory and the registers of two warpgroups (S, half of S
/// for the probabilities in flight, and O: at most 216 numbers a thread).
static llvm::Expected<CompileOptions> hopperOptions(CompileOptions options) {
  if (options.dtype == GIRIH_F32)
    return unsupportedError("dtype f32 is not supported on cuda; supported: bf16, f16");
  if (options.headDim % 8 || vDimOf(options) % 8)
    return unsupportedError("head dims " + std::to_string(options.headDim) + " and " +
                            std::to_string(vDimOf(options)) +
                            " are not supported on cuda; supported: multiples of 8 up to 256");
  int64_t widest = std::max(options.headDim, vDimOf(options));
  if (!options.tileQ)
    options.tileQ = widest <= 64 ? 192 : 128;
  if (!options.tileK)
    options.tileK = widest <= 128 ? 128 : widest <= 192 ? 96 : 80;
  return options;
}

llvm::Expected<std::shared_ptr<const CudaCode>>
JitSession::compileCuda(const Pattern &pattern, const CompileOptions &given, bool *cacheHit) {
  if (cacheHit)
    *cacheHit = false;
  if (llvm::Error error = check(pattern, given))
    return std::move(error);
  auto sized = hopperOptions(given);
  if (!sized)
    return sized.takeError();
  const CompileOptions &options = *sized;
  auto start = Clock::now();
  std::lock_guard<std::mutex> lock(contextMutex);
  Diagnostics diagnostics(&context);
  mlir::OwningOpRef<mlir::ModuleOp> module = emitL0(pattern, options);
  if (failed(mlir::verify(*module)))
    return diagnostics.take(internalError("the front end made IR that does not verify"));
  std::string ir = printed(*module), name = tilingOf(options) + ir;
  if (auto it = cudaKernels.find(name); it != cudaKernels.end()) {
    if (cacheHit)
      *cacheHit = true;
    return it->second;
  }

  PipelineOptions pipeline{options.tileQ, options.tileK, /*vectorWidth=*/16, /*tensorCores=*/true};
  if (llvm::Error error = runStage(*module, pipeline, buildBlocksPipeline))
    return diagnostics.take(std::move(error));
  auto result = std::make_shared<CudaCode>();
  GirihCudaKernelDesc &desc = result->desc;
  auto described = describe(*module, options, desc.base);
  if (!described)
    return diagnostics.take(described.takeError());
  result->program = std::move(*described);
  desc.base.map = &result->program->get();
  desc.function = kernelName;
  desc.box_q = desc.base.tile_q;
  desc.box_k = desc.base.tile_k;
  desc.box_cols = 64;
  desc.persistent = 1;

  PtxTarget target;
  KernelKey key =
      KernelKey::of(ir, tilingOf(options), target.chip, std::to_string(target.ptxVersion));
  if (std::optional<CachedCode> cached = cache.lookup(key)) {
    desc.shared_bytes = static_cast<int32_t>(cached->memoryBytes);
    desc.threads = static_cast<int32_t>(cached->threads);
    result->cubin.assign(cached->object.begin(), cached->object.end());
    if (cacheHit)
      *cacheHit = true;
  } else {
    if (llvm::Error error = runStage(*module, pipeline, buildTilePipeline))
      return diagnostics.take(std::move(error));
    if (llvm::Error error = runStage(*module, pipeline, buildHopperPipeline))
      return diagnostics.take(std::move(error));
    auto kernel = module->lookupSymbol<mlir::LLVM::LLVMFuncOp>(kernelName);
    desc.shared_bytes = kernel->getAttrOfType<mlir::IntegerAttr>("girih.shared_bytes").getInt();
    desc.threads = kernel->getAttrOfType<mlir::IntegerAttr>("girih.threads").getInt();
    kernel->removeAttr("girih.shared_bytes");
    kernel->removeAttr("girih.threads");
    llvm::LLVMContext llvmContext;
    auto llvmModule = translateToLLVM(*module, llvmContext);
    if (!llvmModule)
      return diagnostics.take(llvmModule.takeError());
    llvm::SmallString<0> ptx;
    if (llvm::Error error = emitPtx(**llvmModule, target, ptx))
      return std::move(error);
    result->ptx = std::string(ptx);
    ++numCompilations;
    llvm::SmallVector<char, 0> cubin;
    if (auto report = assemblePtx(result->ptx, target.chip, cubin)) {
      result->cubin.assign(cubin.begin(), cubin.end());
      result->complaints = report->complaints;
      CachedCode entry;
      entry.memoryBytes = desc.shared_bytes;
      entry.threads = desc.threads;
      entry.object.assign(cubin.begin(), cubin.end());
      cache.store(key, entry);
    } else {
      // Without ptxas the driver compiles the PTX when it is loaded.
      GirihStatus status = takeStatus(report.takeError());
      if (status.code != GIRIH_UNSUPPORTED)
        return statusError(status);
    }
  }
  result->compileMs = millisecondsSince(start);
  cudaKernels[name] = result;
  return std::shared_ptr<const CudaCode>(result);
}

//===----------------------------------------------------------------------===//
// Stages as text
//===----------------------------------------------------------------------===//

llvm::Expected<std::string> JitSession::emit(const Pattern &pattern, const CompileOptions &given,
                                             llvm::StringRef stage, bool cuda) {
  CompileOptions options = given;
  if (llvm::Error error = check(pattern, options))
    return std::move(error);
  std::vector<std::string> stages{"girih", "blocks", "tile", "llvm", cuda ? "ptx" : "asm"};
  if (!cuda)
    stages.insert(stages.begin() + 3, "cpu");
  if (!llvm::is_contained(stages, stage))
    return unsupportedError(
        "stage '" + stage.str() +
        "' is not supported for this target; supported: " + llvm::join(stages, ", "));
  if (cuda) {
    auto sized = hopperOptions(options);
    if (!sized)
      return sized.takeError();
    options = *sized;
  }
  if (stage == "ptx") {
    // Straight from the compiler, whatever the disk cache has.
    SessionOptions fresh;
    auto session = Session::create(fresh);
    if (!session)
      return session.takeError();
    auto code = (*session)->compileCuda(pattern, options);
    if (!code)
      return code.takeError();
    return (*code)->ptx;
  }
  auto target = targetOf(options);
  if (!target)
    return target.takeError();
  std::lock_guard<std::mutex> lock(contextMutex);
  Diagnostics diagnostics(&context);
  mlir::OwningOpRef<mlir::ModuleOp> module = emitL0(pattern, options);
  if (failed(mlir::verify(*module)))
    return diagnostics.take(internalError("the front end made IR that does not verify"));
  PipelineOptions pipeline{options.tileQ, options.tileK, target->vectorWidth, cuda};
  struct Step {
    llvm::StringRef after;
    void (*passes)(mlir::OpPassManager &, const PipelineOptions &);
  };
  const Step cpuSteps[] = {
      {"blocks", buildBlocksPipeline}, {"tile", buildTilePipeline}, {"cpu", buildCpuPipeline}};
  const Step cudaSteps[] = {
      {"blocks", buildBlocksPipeline}, {"tile", buildTilePipeline}, {"llvm", buildHopperPipeline}};
  if (stage == "girih")
    return printed(*module);
  for (const Step &step : cuda ? llvm::ArrayRef(cudaSteps) : llvm::ArrayRef(cpuSteps)) {
    if (step.after == "cpu" && stage != "cpu")
      break;
    if (llvm::Error error = runStage(*module, pipeline, step.passes))
      return diagnostics.take(std::move(error));
    if (step.after == stage)
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
