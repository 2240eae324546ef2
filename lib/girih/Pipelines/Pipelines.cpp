//===- Pipelines.cpp - The order of passes --------------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Pipelines/Pipelines.h"

#include "girih/Conversion/Passes.h"
#include "girih/Transforms/Passes.h"
#include "girih/WarpSpec/WarpSpec.h"

#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/FuncToLLVM/ConvertFuncToLLVMPass.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/MathToLibm/MathToLibm.h"
#include "mlir/Conversion/ReconcileUnrealizedCasts/ReconcileUnrealizedCasts.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVMPass.h"
#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;
using namespace girih;

void girih::buildBlocksPipeline(OpPassManager &pm, const PipelineOptions &options) {
  OpPassManager &func = pm.nest<func::FuncOp>();
  func.addPass(createExpandNamedPatterns());
  func.addPass(createSimplifyPatterns());
  func.addPass(createCSEPass());
  ChooseTilingOptions tiling;
  tiling.tileQ = options.tileQ;
  tiling.tileK = options.tileK;
  func.addPass(createChooseTiling(tiling));
  func.addPass(createBuildBlockMaps());
}

void girih::buildTilePipeline(OpPassManager &pm, const PipelineOptions &options) {
  OpPassManager &func = pm.nest<func::FuncOp>();
  ConvertAttentionToTileOptions tile;
  tile.tensorCores = options.tensorCores;
  tile.bf16Dots = options.bf16Dots;
  func.addPass(createConvertAttentionToTile(tile));
  func.addPass(createCSEPass());
}

void girih::buildCpuPipeline(OpPassManager &pm, const PipelineOptions &options) {
  ConvertTileToCpuOptions cpu;
  cpu.vectorWidth = options.vectorWidth;
  cpu.bf16Dots = options.bf16Dots;
  cpu.amx = options.amx;
  pm.addPass(createConvertTileToCpu(cpu));
  ExpandVectorMathOptions vectorMath;
  vectorMath.avx512 = options.vectorWidth == 16;
  pm.nest<func::FuncOp>().addPass(createExpandVectorMath(vectorMath));
}

void girih::buildLLVMPipeline(OpPassManager &pm, const PipelineOptions &) {
  pm.addPass(createSCFToControlFlowPass());
  pm.addPass(createConvertVectorToLLVMPass());
  pm.addPass(createConvertMathToLLVMPass());
  pm.addPass(createConvertMathToLibmPass());
  pm.addPass(createArithToLLVMConversionPass());
  pm.addPass(createConvertFuncToLLVMPass());
  pm.addPass(createConvertControlFlowToLLVMPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
}

void girih::buildWsPipeline(OpPassManager &pm, const PipelineOptions &) {
  OpPassManager &func = pm.nest<func::FuncOp>();
  func.addPass(createExpandScoreMath());
  func.addPass(createAssignLayouts());
  func.addPass(createConvertTileToWs());
  func.addPass(createCSEPass());
  func.addPass(createWsAsyncDot());
  func.addPass(createWsEarlyMasks());
  func.addPass(createWsPipeline());
  func.addPass(createWsPingPong());
  func.addPass(createWsVerify());
}

void girih::buildHopperPipeline(OpPassManager &pm, const PipelineOptions &) {
  pm.addPass(createConvertWsToHopper());
  pm.addPass(createConvertMathToLLVMPass());
  pm.addPass(createArithToLLVMConversionPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
}

void girih::buildAmperePipeline(OpPassManager &pm, const PipelineOptions &options) {
  pm.nest<func::FuncOp>().addPass(createExpandScoreMath());
  ConvertTileToAmpereOptions ampere;
  ampere.chip = options.chip;
  pm.addPass(createConvertTileToAmpere(ampere));
  pm.addPass(createConvertMathToLLVMPass());
  pm.addPass(createArithToLLVMConversionPass());
  pm.addPass(createReconcileUnrealizedCastsPass());
}

void girih::registerDialects(DialectRegistry &registry) {
  registry.insert<GirihDialect, tile::GirihTileDialect, ws::GirihWsDialect, affine::AffineDialect,
                  arith::ArithDialect, func::FuncDialect, LLVM::LLVMDialect, math::MathDialect,
                  memref::MemRefDialect, NVVM::NVVMDialect, scf::SCFDialect, tensor::TensorDialect,
                  vector::VectorDialect>();
}

namespace {

using mlir::detail::PassOptions;

/// Options of every pipeline.
struct TileFlags {
  explicit TileFlags(PassOptions &owner)
      : tileQ{owner, "tile-q", llvm::cl::desc("Rows of a q-tile; 0: chosen"), llvm::cl::init(0)},
        tileK{owner, "tile-k", llvm::cl::desc("Keys of a k-tile; 0: chosen"), llvm::cl::init(0)} {}

  PipelineOptions get(bool tensorCores) const {
    PipelineOptions options;
    options.tileQ = tileQ;
    options.tileK = tileK;
    options.tensorCores = tensorCores;
    return options;
  }

  PassOptions::Option<int64_t> tileQ, tileK;
};

/// Of pipelines up to tiles for CPUs.
struct TilesFlags : TileFlags {
  explicit TilesFlags(PassOptions &owner)
      : TileFlags(owner),
        bf16Dots{owner, "bf16-dots", llvm::cl::desc("The CPU multiplies pairs of bf16"),
                 llvm::cl::init(false)} {}

  PipelineOptions get(bool tensorCores) const {
    PipelineOptions options = TileFlags::get(tensorCores);
    options.bf16Dots = bf16Dots;
    return options;
  }

  PassOptions::Option<bool> bf16Dots;
};

/// Of pipelines that make code for CPUs.
struct CpuFlags : TilesFlags {
  explicit CpuFlags(PassOptions &owner)
      : TilesFlags(owner), vectorWidth{owner, "vector-width",
                                       llvm::cl::desc("f32 lanes of a vector"), llvm::cl::init(16)},
        amx{owner, "amx", llvm::cl::desc("The CPU has AMX tiles; with bf16-dots"),
            llvm::cl::init(false)} {}

  PipelineOptions get(bool tensorCores) const {
    PipelineOptions options = TilesFlags::get(tensorCores);
    options.vectorWidth = vectorWidth;
    options.amx = amx;
    return options;
  }

  PassOptions::Option<int64_t> vectorWidth;
  PassOptions::Option<bool> amx;
};

/// Of girih-to-ampere.
struct AmpereFlags : TileFlags {
  explicit AmpereFlags(PassOptions &owner)
      : TileFlags(owner),
        chip{owner, "chip", llvm::cl::desc("sm_80, sm_86 or sm_89"), llvm::cl::init("sm_80")} {}

  PipelineOptions get(bool tensorCores) const {
    PipelineOptions options = TileFlags::get(tensorCores);
    options.chip = chip;
    return options;
  }

  PassOptions::Option<std::string> chip;
};

/// A pipeline takes the options that it reads, and refuses others.
template <typename Flags> struct Options : PassPipelineOptions<Options<Flags>> {
  Flags flags{*this};
};

using Stage = void (*)(OpPassManager &, const PipelineOptions &);

/// Registers \p stages, one after the other, under a name.
template <typename Flags>
void registerStages(StringRef name, StringRef description, bool tensorCores,
                    std::initializer_list<Stage> stages) {
  PassPipelineRegistration<Options<Flags>>(name, description,
                                           [tensorCores, stages = SmallVector<Stage>(stages)](
                                               OpPassManager &pm, const Options<Flags> &options) {
                                             for (Stage stage : stages)
                                               stage(pm, options.flags.get(tensorCores));
                                           });
}

} // namespace

void girih::registerPipelines() {
  registerGirihTransformsPasses();
  registerGirihConversionPasses();
  registerStages<TileFlags>("girih-to-blocks", "Patterns to block maps (L0 to L1)",
                            /*tensorCores=*/false, {buildBlocksPipeline});
  registerStages<TilesFlags>("girih-to-tile", "Patterns to tiles (L0 to L2)",
                             /*tensorCores=*/false, {buildBlocksPipeline, buildTilePipeline});
  registerStages<CpuFlags>("girih-to-cpu", "Patterns to vector loops (L0 to L3)",
                           /*tensorCores=*/false,
                           {buildBlocksPipeline, buildTilePipeline, buildCpuPipeline});
  registerStages<CpuFlags>(
      "girih-to-llvm", "Patterns to the LLVM dialect", /*tensorCores=*/false,
      {buildBlocksPipeline, buildTilePipeline, buildCpuPipeline, buildLLVMPipeline});
  registerStages<TileFlags>("girih-to-ws", "Patterns to warp-specialised programs (L0 to L4)",
                            /*tensorCores=*/true,
                            {buildBlocksPipeline, buildTilePipeline, buildWsPipeline});
  registerStages<TileFlags>(
      "girih-to-hopper", "Patterns to the LLVM dialect for Hopper", /*tensorCores=*/true,
      {buildBlocksPipeline, buildTilePipeline, buildWsPipeline, buildHopperPipeline});
  registerStages<AmpereFlags>(
      "girih-to-ampere", "Patterns to the LLVM dialect for sm_80, sm_86 and sm_89",
      /*tensorCores=*/true, {buildBlocksPipeline, buildTilePipeline, buildAmperePipeline});
}
