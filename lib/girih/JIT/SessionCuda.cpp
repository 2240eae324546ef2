//===- SessionCuda.cpp - Compile patterns to kernels for NVIDIA GPUs ------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/JIT/SessionImpl.h"

#include "girih/Conversion/Fragments/Fragments.h"
#include "girih/Conversion/TileToAmpere/Config.h"
#include "girih/JIT/HopperTiles.h"
#include "girih/Pattern/Girih.h"
#include "girih/Target/Ptxas.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"

using namespace girih;

static ampere::Config ampereConfig(const CompileOptions &options) {
  ampere::Config config;
  config.tileQ = options.tileQ;
  config.tileK = options.tileK;
  config.dim = options.headDim;
  config.vDim = vDimOf(options);
  return config;
}

static PipelineOptions pipelineOf(const CompileOptions &options) {
  return {options.tileQ, options.tileK, /*vectorWidth=*/16, /*tensorCores=*/true, options.chip};
}

/// Checks tile sizes that were asked for; 0 stays, for buildCudaBlocks to choose.
static llvm::Expected<CompileOptions> hopperOptions(CompileOptions options) {
  int64_t dim = options.headDim, vDim = vDimOf(options);
  auto fits = [&](int64_t q, int64_t k) { return fitsHopper(q, k, dim, vDim); };
  if (!options.tileQ && !options.tileK)
    return options;
  for (int64_t q : {192, 128, 64})
    for (int64_t k : {128, 96, 80, 64, 48, 32, 16})
      if ((!options.tileQ || !options.tileK) &&
          fits(options.tileQ ? options.tileQ : q, options.tileK ? options.tileK : k)) {
        options.tileQ = options.tileQ ? options.tileQ : q;
        options.tileK = options.tileK ? options.tileK : k;
      }
  if (!fits(options.tileQ, options.tileK))
    return unsupportedError("tile of " + std::to_string(options.tileQ) + " x " +
                            std::to_string(options.tileK) +
                            " is not supported on Hopper with head dims " + std::to_string(dim) +
                            " and " + std::to_string(vDim) +
                            "; supported: 64, 128 or 192 queries by a multiple of 16 keys up to "
                            "256, as shared memory and registers allow");
  return options;
}

llvm::Expected<CompileOptions> girih::cudaOptions(CompileOptions options) {
  const ampere::Chip *chip = ampere::findChip(options.chip);
  if (!chip && options.chip != PtxTarget().chip)
    return unsupportedError("chip '" + options.chip +
                            "' is not supported; supported: sm_80, sm_86, sm_89, sm_90a");
  if (options.dtype == GIRIH_F32)
    return unsupportedError("dtype f32 is not supported on cuda; supported: bf16, f16");
  if (!chip)
    return hopperOptions(options);
  ampere::Config config = ampere::chooseTiles(*chip, ampereConfig(options));
  options.tileQ = config.tileQ;
  options.tileK = config.tileK;
  return options;
}

/// Block maps, with tiles of the best size where none was asked for.
llvm::Error JitSession::buildCudaBlocks(mlir::ModuleOp module, const Pattern &pattern,
                                        CompileOptions &options) {
  int64_t dim = options.headDim, vDim = vDimOf(options);
  bool chooses = !options.tileQ;
  if (chooses) {
    HopperTile first = hopperTiles(dim, vDim).front();
    options.tileQ = first.q;
    options.tileK = first.k;
  }
  if (llvm::Error error = runStage(module, pipelineOf(options), buildBlocksPipeline))
    return error;
  if (!chooses)
    return llvm::Error::success();
  // What score functions look up has no part in the choice.
  BlockMapOp map;
  module.walk([&](BlockMapOp op) { map = op; });
  std::unique_ptr<MapProgram> program = buildMapProgram(map.getPattern());
  if (!program)
    return internalError("the pattern did not reach its normal form");
  program->program.num_operands =
      map->getParentOfType<mlir::func::FuncOp>().getNumArguments() - firstOperandArgument;
  HopperTile best = chooseHopperTile(pattern, program->get(), dim, vDim);
  options.tileQ = best.q;
  options.tileK = best.k;
  module.walk([&](mlir::Operation *op) {
    if (auto attention = mlir::dyn_cast<AttentionOp>(op))
      attention.setTile(llvm::ArrayRef<int64_t>{best.q, best.k});
    else if (auto map = mlir::dyn_cast<BlockMapOp>(op))
      map.setTile({best.q, best.k});
  });
  return llvm::Error::success();
}

/// L1 to PTX and, where ptxas is found, machine code.
llvm::Error JitSession::generateCuda(mlir::ModuleOp module, const CompileOptions &options,
                                     CudaCode &code) {
  GirihCudaKernelDesc &desc = code.desc;
  const bool isAmpere = ampere::findChip(options.chip);
  PipelineOptions pipeline = pipelineOf(options);
  if (llvm::Error error = runStage(module, pipeline, buildTilePipeline))
    return error;
  if (!isAmpere)
    if (llvm::Error error = runStage(module, pipeline, buildWsPipeline))
      return error;
  if (llvm::Error error =
          runStage(module, pipeline, isAmpere ? buildAmperePipeline : buildHopperPipeline))
    return error;
  auto kernel = module.lookupSymbol<mlir::LLVM::LLVMFuncOp>(kernelName);
  auto take = [&](llvm::StringRef name) {
    auto attribute = mlir::cast<mlir::IntegerAttr>(kernel->removeAttr(name));
    return static_cast<int32_t>(attribute.getInt());
  };
  desc.shared_bytes = take("girih.shared_bytes");
  desc.threads = take("girih.threads");
  desc.blocks_per_multiprocessor = take("girih.blocks_per_multiprocessor");
  PtxTarget target;
  target.chip = options.chip;
  llvm::LLVMContext llvmContext;
  auto llvmModule = translateToLLVM(module, llvmContext);
  if (!llvmModule)
    return llvmModule.takeError();
  for (auto [from, to] : {std::pair(kernelName, &code.function),
                          {mergeName, &code.mergeFunction},
                          {copyName, &code.copyFunction}})
    if (llvm::Function *function = (*llvmModule)->getFunction(from))
      function->setName(*to);
  llvm::SmallString<0> ptx;
  if (llvm::Error error = emitPtx(**llvmModule, target, ptx))
    return error;
  code.ptx = std::string(ptx);
  ++numCompilations;
  llvm::SmallVector<char, 0> cubin;
  auto report = assemblePtx(code.ptx, target.chip, cubin);
  if (!report) {
    // Without a ptxas that is new enough the driver compiles the PTX when it is loaded.
    GirihStatus status = takeStatus(report.takeError());
    return status.code == GIRIH_UNSUPPORTED ? llvm::Error::success() : statusError(status);
  }
  code.cubin.assign(cubin.begin(), cubin.end());
  code.complaints = report->complaints;
  return llvm::Error::success();
}

llvm::Expected<std::shared_ptr<const CudaCode>>
JitSession::compileCuda(const Pattern &pattern, const CompileOptions &given, bool *cacheHit) {
  if (cacheHit)
    *cacheHit = false;
  if (llvm::Error error = check(pattern, given))
    return std::move(error);
  auto sized = cudaOptions(given);
  if (!sized)
    return sized.takeError();
  CompileOptions &options = *sized;
  auto start = Clock::now();
  std::lock_guard<std::mutex> lock(contextMutex);
  Diagnostics diagnostics(&context);
  auto emitted = emitL0(pattern, options, /*cuda=*/true);
  if (!emitted)
    return diagnostics.take(emitted.takeError());
  mlir::OwningOpRef<mlir::ModuleOp> module = std::move(*emitted);
  std::string ir = printed(*module), name = tilingOf(options) + options.chip + "|" + ir;
  if (auto it = cudaKernels.find(name); it != cudaKernels.end()) {
    if (cacheHit)
      *cacheHit = true;
    return it->second;
  }

  if (llvm::Error error = buildCudaBlocks(*module, pattern, options))
    return diagnostics.take(std::move(error));
  auto result = std::make_shared<CudaCode>();
  GirihCudaKernelDesc &desc = result->desc;
  auto described = describe(*module, options, desc.base);
  if (!described)
    return diagnostics.take(described.takeError());
  result->program = std::move(*described);
  desc.base.map = &result->program->get();
  const int64_t elementBytes = desc.base.o_dtype == GIRIH_F32 ? 4 : 2;
  desc.store_bytes = static_cast<int32_t>(gpu::storeBytes(vDimOf(options), elementBytes));
  desc.box_q = desc.base.tile_q;
  desc.box_k = desc.base.tile_k;
  desc.box_cols = 64;
  const ampere::Chip *chip = ampere::findChip(options.chip);
  desc.uses_tensor_maps = !chip;
  desc.blocks_per_multiprocessor = 1;

  PtxTarget target;
  target.chip = options.chip;
  KernelKey key =
      KernelKey::of(ir, tilingOf(options), target.chip, std::to_string(target.ptxVersion));
  result->id = key.hex;
  std::string suffix = "_" + key.hex.substr(0, shortIdDigits);
  result->function = kernelName + suffix;
  result->mergeFunction = mergeName + suffix;
  result->copyFunction = copyName + suffix;
  desc.function = result->function.c_str();
  desc.merge_function = result->mergeFunction.c_str();
  desc.copy_function = result->copyFunction.c_str();
  bool fromDisk = false;
  auto entry = cache.getOrMake(
      key,
      [&]() -> llvm::Expected<CachedCode> {
        if (llvm::Error error = generateCuda(*module, options, *result))
          return std::move(error);
        CachedCode made;
        made.memoryBytes = desc.shared_bytes;
        made.threads = desc.threads;
        made.blocks = desc.blocks_per_multiprocessor;
        made.label = labelOf(pattern, given, "cubin", target.chip);
        made.object.assign(result->cubin.begin(), result->cubin.end());
        return made;
      },
      fromDisk);
  if (!entry)
    return diagnostics.take(entry.takeError());
  desc.shared_bytes = static_cast<int32_t>(entry->memoryBytes);
  desc.threads = static_cast<int32_t>(entry->threads);
  desc.blocks_per_multiprocessor = static_cast<int32_t>(entry->blocks);
  result->cubin.assign(entry->object.begin(), entry->object.end());
  if (cacheHit)
    *cacheHit = fromDisk;
  result->compileMs = millisecondsSince(start);
  cudaKernels[name] = result;
  return std::shared_ptr<const CudaCode>(result);
}
