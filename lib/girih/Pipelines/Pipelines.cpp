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

struct CommandLineOptions : PassPipelineOptions<CommandLineOptions> {
  Option<int64_t> tileQ{*this, "tile-q", llvm::cl::desc("Rows of a q-tile; 0: chosen"),
                        llvm::cl::init(0)};
  Option<int64_t> tileK{*this, "tile-k", llvm::cl::desc("Keys of a k-tile; 0: chosen"),
                        llvm::cl::init(0)};
  Option<int64_t> vectorWidth{*this, "vector-width", llvm::cl::desc("f32 lanes of a vector"),
                              llvm::cl::init(16)};
  Option<bool> bf16Dots{*this, "bf16-dots", llvm::cl::desc("The CPU multiplies pairs of bf16"),
                        llvm::cl::init(false)};
  Option<bool> amx{*this, "amx", llvm::cl::desc("The CPU has AMX tiles; with bf16-dots"),
                   llvm::cl::init(false)};
  Option<std::string> chip{*this, "chip", llvm::cl::desc("Of girih-to-ampere: sm_80, sm_86, sm_89"),
                           llvm::cl::init("sm_80")};

  PipelineOptions get() const {
    return {tileQ, tileK, vectorWidth, /*tensorCores=*/false, chip, bf16Dots, amx};
  }
};

using Stage = void (*)(OpPassManager &, const PipelineOptions &);
constexpr Stage stages[] = {buildBlocksPipeline, buildTilePipeline, buildCpuPipeline,
                            buildLLVMPipeline};

template <int count> void buildUntil(OpPassManager &pm, const CommandLineOptions &options) {
  for (int i = 0; i != count; ++i)
    stages[i](pm, options.get());
}

} // namespace

void girih::registerPipelines() {
  registerGirihTransformsPasses();
  registerGirihConversionPasses();
  PassPipelineRegistration<CommandLineOptions>("girih-to-blocks",
                                               "Patterns to block maps (L0 to L1)", buildUntil<1>);
  PassPipelineRegistration<CommandLineOptions>("girih-to-tile", "Patterns to tiles (L0 to L2)",
                                               buildUntil<2>);
  PassPipelineRegistration<CommandLineOptions>(
      "girih-to-cpu", "Patterns to vector loops (L0 to L3)", buildUntil<3>);
  PassPipelineRegistration<CommandLineOptions>("girih-to-llvm", "Patterns to the LLVM dialect",
                                               buildUntil<4>);
  PassPipelineRegistration<CommandLineOptions>(
      "girih-to-ws", "Patterns to warp-specialised programs (L0 to L4)",
      [](OpPassManager &pm, const CommandLineOptions &commandLine) {
        PipelineOptions options = commandLine.get();
        options.tensorCores = true;
        for (Stage stage : {buildBlocksPipeline, buildTilePipeline, buildWsPipeline})
          stage(pm, options);
      });
  PassPipelineRegistration<CommandLineOptions>(
      "girih-to-hopper", "Patterns to the LLVM dialect for Hopper",
      [](OpPassManager &pm, const CommandLineOptions &commandLine) {
        PipelineOptions options = commandLine.get();
        options.tensorCores = true;
        for (Stage stage :
             {buildBlocksPipeline, buildTilePipeline, buildWsPipeline, buildHopperPipeline})
          stage(pm, options);
      });
  PassPipelineRegistration<CommandLineOptions>(
      "girih-to-ampere", "Patterns to the LLVM dialect for sm_80, sm_86 and sm_89",
      [](OpPassManager &pm, const CommandLineOptions &commandLine) {
        PipelineOptions options = commandLine.get();
        options.tensorCores = true;
        for (Stage stage : {buildBlocksPipeline, buildTilePipeline, buildAmperePipeline})
          stage(pm, options);
      });
}
