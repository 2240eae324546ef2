//===- Session.cpp - Compile patterns to kernels --------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/JIT/SessionImpl.h"

#include "girih-c/CpuFeatures.h"
#include "girih/Conversion/TileToAmpere/Config.h"
#include "girih/Conversion/TileToCpu/TileLimits.h"
#include "girih/Frontend/EmitIR.h"
#include "girih/Pattern/Girih.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Verifier.h"
#include "llvm/ADT/StringExtras.h"

using namespace girih;
using mlir::failed;

int64_t girih::vDimOf(const CompileOptions &options) {
  return options.vDim ? options.vDim : options.headDim;
}

static const char *nameOf(GirihDType dtype) {
  return dtype == GIRIH_F32 ? "f32" : dtype == GIRIH_BF16 ? "bf16" : "f16";
}

llvm::Error JitSession::check(const Pattern &pattern, const CompileOptions &options) const {
  if (!pattern)
    return invalidError("expected a pattern, but got none");
  if (std::string problem = validate(pattern); !problem.empty())
    return invalidError(problem);
  if (std::string problem = options.score ? validate(options.score) : ""; !problem.empty())
    return invalidError("score: " + problem);
  if (options.dtype != GIRIH_F32 && options.dtype != GIRIH_BF16 && options.dtype != GIRIH_F16)
    return invalidError("expected dtype to be f32, bf16 or f16, but got " +
                        std::to_string(options.dtype));
  if (GirihDType o = options.oDtype.value_or(options.dtype); o != GIRIH_F32 && o != options.dtype) {
    std::string supported =
        options.dtype == GIRIH_F32 ? "" : std::string(" or ") + nameOf(options.dtype);
    return invalidError("expected the dtype of o to be f32" + supported + ", but got " +
                        (o == GIRIH_BF16 || o == GIRIH_F16 ? nameOf(o) : std::to_string(o)));
  }
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
  if (options.tileQ > cpu::maxTileQ || options.tileK > cpu::maxTileK)
    return unsupportedError("tile of " + std::to_string(options.tileQ) + " x " +
                            std::to_string(options.tileK) + " is not supported; supported: up to " +
                            std::to_string(cpu::maxTileQ) + " x " + std::to_string(cpu::maxTileK));
  return llvm::Error::success();
}

llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>>
JitSession::emitL0(const Pattern &pattern, const CompileOptions &options, bool cuda) {
  mlir::Builder b(&context);
  KernelSpec spec;
  spec.name = kernelName;
  auto typeOf = [&](GirihDType dtype) -> mlir::Type {
    return dtype == GIRIH_F32    ? mlir::Type(b.getF32Type())
           : dtype == GIRIH_BF16 ? mlir::Type(b.getBF16Type())
                                 : mlir::Type(b.getF16Type());
  };
  spec.element = typeOf(options.dtype);
  spec.output = typeOf(options.oDtype.value_or(cuda ? options.dtype : GIRIH_F32));
  spec.headDim = options.headDim;
  spec.vDim = vDimOf(options);
  spec.topLeft = options.align == GIRIH_TOP_LEFT;
  spec.score = options.score;
  auto module = emitKernel(&context, pattern, spec);
  if (failed(mlir::verify(*module)))
    return internalError("the front end made IR that does not verify");
  return module;
}

llvm::Expected<CpuTarget> JitSession::targetOf(const CompileOptions &options) const {
  if (options.cpu.empty())
    return host;
  return CpuTarget::named(options.cpu);
}

std::string girih::tilingOf(const CompileOptions &options) {
  return std::to_string(options.tileQ) + "x" + std::to_string(options.tileK) + "|";
}

KernelLabel girih::labelOf(const Pattern &pattern, const CompileOptions &options,
                           llvm::StringRef kind, llvm::StringRef target) {
  std::string signature = nameOf(options.dtype) + (", dim " + std::to_string(options.headDim));
  if (vDimOf(options) != options.headDim)
    signature += ", v-dim " + std::to_string(vDimOf(options));
  if (options.oDtype)
    signature += std::string(", out ") + nameOf(*options.oDtype);
  std::string source = pattern.str();
  if (options.score)
    source += ", score " + options.score.str();
  return {kind.str(), target.str(), signature, source};
}

std::string girih::printed(mlir::Operation *op) {
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
    auto emitted = emitL0(pattern, options, /*cuda=*/false);
    if (!emitted)
      return diagnostics.take(emitted.takeError());
    module = std::move(*emitted);
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
      auto built = build(*module, pattern, ir, options, start);
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

llvm::Error girih::runStage(mlir::ModuleOp module, const PipelineOptions &options,
                            void (*stage)(mlir::OpPassManager &, const PipelineOptions &)) {
  mlir::PassManager pm(module.getContext());
  pm.enableVerifier(false);
  stage(pm, options);
  if (failed(pm.run(module)))
    return internalError("a pass failed without saying why");
  return llvm::Error::success();
}

llvm::Expected<std::unique_ptr<MapProgram>>
girih::describe(mlir::ModuleOp module, const CompileOptions &options, GirihKernelDesc &descriptor) {
  auto function = module.lookupSymbol<mlir::func::FuncOp>(kernelName);
  BlockMapOp map;
  function.walk([&](BlockMapOp op) { map = op; });
  mlir::ValueRange reads;
  function.walk([&](AttentionOp op) { reads = op.getReads(); });
  std::unique_ptr<MapProgram> program = buildMapProgram(map.getPattern(), reads);
  if (!program)
    return internalError("the pattern did not reach its normal form");
  program->program.num_operands = function.getNumArguments() - firstOperandArgument;
  descriptor.magic = GIRIH_MAGIC;
  descriptor.abi_version = GIRIH_ABI_VERSION;
  descriptor.name = kernelName;
  descriptor.dtype = options.dtype;
  mlir::Type output = mlir::getElementTypeOrSelf(function.getResultTypes()[0]);
  descriptor.o_dtype = output.isF32() ? GIRIH_F32 : options.dtype;
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

PipelineOptions girih::cpuPipelineOf(const CompileOptions &options, const CpuTarget &target) {
  PipelineOptions pipeline;
  pipeline.tileQ = options.tileQ;
  pipeline.tileK = options.tileK;
  pipeline.vectorWidth = target.vectorWidth;
  pipeline.bf16Dots = target.bf16Dots;
  pipeline.amx = target.amx;
  return pipeline;
}

llvm::Expected<Outcome> JitSession::build(mlir::ModuleOp module, const Pattern &pattern,
                                          const std::string &ir, const CompileOptions &options,
                                          Clock::time_point start) {
  auto target = targetOf(options);
  if (!target)
    return target.takeError();
  PipelineOptions pipeline = cpuPipelineOf(options, *target);
  if (llvm::Error error = runStage(module, pipeline, buildBlocksPipeline))
    return std::move(error);

  GirihKernelDesc descriptor{};
  auto program = describe(module, options, descriptor);
  if (!program)
    return program.takeError();
  KernelKey key = KernelKey::of(ir, tilingOf(options), target->cpu, target->features);
  bool fromDisk = false;
  auto generated = cache.getOrMake(
      key,
      [&] {
        auto made = generate(module, pipeline, *target);
        if (made)
          made->label = labelOf(pattern, options, "object", target->cpu);
        return made;
      },
      fromDisk);
  if (!generated)
    return generated.takeError();
  descriptor.cpu_features = target->featureBits;
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
// Stages as text
//===----------------------------------------------------------------------===//

llvm::Expected<std::string> JitSession::emit(const Pattern &pattern, const CompileOptions &given,
                                             llvm::StringRef stage, bool cuda) {
  CompileOptions options = given;
  if (llvm::Error error = check(pattern, options))
    return std::move(error);
  std::vector<std::string> stages{"girih", "blocks", "tile", "llvm", cuda ? "ptx" : "asm"};
  bool isAmpere = ampere::findChip(options.chip);
  if (!cuda || !isAmpere)
    stages.insert(stages.begin() + 3, cuda ? "ws" : "cpu");
  if (!llvm::is_contained(stages, stage))
    return unsupportedError(
        "stage '" + stage.str() +
        "' is not supported for this target; supported: " + llvm::join(stages, ", "));
  if (cuda) {
    auto sized = cudaOptions(options);
    if (!sized)
      return sized.takeError();
    options = *sized;
  }
  if (stage == "ptx") {
    // Straight from the compiler, whatever the disk cache has.
    auto session = Session::create(SessionOptions::uncached());
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
  auto emitted = emitL0(pattern, options, cuda);
  if (!emitted)
    return diagnostics.take(emitted.takeError());
  mlir::OwningOpRef<mlir::ModuleOp> module = std::move(*emitted);
  PipelineOptions pipeline = cpuPipelineOf(options, *target);
  if (cuda)
    pipeline = {options.tileQ, options.tileK, target->vectorWidth, /*tensorCores=*/true,
                options.chip};
  struct Step {
    llvm::StringRef after;
    void (*passes)(mlir::OpPassManager &, const PipelineOptions &);
  };
  const Step cpuSteps[] = {
      {"blocks", buildBlocksPipeline}, {"tile", buildTilePipeline}, {"cpu", buildCpuPipeline}};
  const Step hopperSteps[] = {{"blocks", buildBlocksPipeline},
                              {"tile", buildTilePipeline},
                              {"ws", buildWsPipeline},
                              {"llvm", buildHopperPipeline}};
  const Step ampereSteps[] = {
      {"blocks", buildBlocksPipeline}, {"tile", buildTilePipeline}, {"llvm", buildAmperePipeline}};
  llvm::ArrayRef<Step> steps = cpuSteps;
  if (cuda)
    steps = isAmpere ? llvm::ArrayRef<Step>(ampereSteps) : llvm::ArrayRef<Step>(hopperSteps);
  if (stage == "girih")
    return printed(*module);
  for (const Step &step : steps) {
    if (step.after == "cpu" && stage != "cpu")
      break;
    llvm::Error error = cuda && step.after == "blocks" ? buildCudaBlocks(*module, pattern, options)
                                                       : runStage(*module, pipeline, step.passes);
    if (error)
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
  // LLVM does not ask the operating system for AMX, the runtime does.
  auto host = CpuTarget::host(girihCpuFeatures());
  if (!host)
    return host.takeError();
  auto code = CodeLoader::create(*host);
  if (!code)
    return code.takeError();
  std::string folder = options.cacheDir ? *options.cacheDir : defaultCacheFolder();
  llvm::Expected<uint64_t> limit = options.cacheBytes ? *options.cacheBytes : cacheLimit();
  if (!limit)
    return limit.takeError();
  return std::make_unique<JitSession>(*host, *code, std::move(folder), *limit);
}

GirihOperand girih::tableOperand(const TableData &table) {
  GirihOperand operand{};
  operand.data = table.isFloat ? static_cast<const void *>(table.floats.data()) : table.ints.data();
  operand.size = table.elements();
  operand.name = table.name.c_str();
  operand.type = table.isFloat ? GIRIH_OPERAND_F32 : GIRIH_OPERAND_I64;
  operand.rank = static_cast<int32_t>(table.shape.size());
  std::copy(table.shape.begin(), table.shape.end(), operand.shape);
  return operand;
}

std::vector<GirihOperand> girih::patternOperands(const Pattern &pattern, const Score &score) {
  std::vector<GirihOperand> operands;
  auto add = [&](const std::vector<int64_t> &values) {
    GirihOperand operand{};
    operand.data = values.data();
    operand.size = static_cast<int64_t>(values.size());
    operands.push_back(operand);
  };
  for (const PatternNode *table : patternTables(pattern)) {
    if (table->kind == PatternKind::Segments) {
      add(table->offsets);
      continue;
    }
    add(table->indptr);
    add(table->indices);
  }
  for (const TableRef &table : kernelLookups(pattern, score))
    operands.push_back(tableOperand(*table));
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
