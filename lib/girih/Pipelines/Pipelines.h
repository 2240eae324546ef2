//===- Pipelines.h - The order of passes ------------------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The only place where the order of passes exists.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_PIPELINES_PIPELINES_H
#define GIRIH_PIPELINES_PIPELINES_H

#include <cstdint>
#include <string>

namespace mlir {
class DialectRegistry;
class OpPassManager;
} // namespace mlir

namespace girih {

struct PipelineOptions {
  int64_t tileQ = 0, tileK = 0; ///< 0: chosen by girih-choose-tiling
  int64_t vectorWidth = 16;     ///< f32 lanes of the CPU
  bool tensorCores = false;     ///< tiles for a GPU
  std::string chip = "sm_80";   ///< of buildAmperePipeline: sm_80, sm_86 or sm_89
  bool bf16Dots = false;        ///< the CPU multiplies pairs of bf16 (AVX512-BF16)
  bool amx = false;             ///< and tiles of them (AMX-BF16)
};

/// Patterns as written to attention with block maps (level L1).
void buildBlocksPipeline(mlir::OpPassManager &pm, const PipelineOptions &options);
/// L1 to tiles (L2).
void buildTilePipeline(mlir::OpPassManager &pm, const PipelineOptions &options);
/// L2 to vector loops (L3).
void buildCpuPipeline(mlir::OpPassManager &pm, const PipelineOptions &options);
/// L3 to the LLVM dialect.
void buildLLVMPipeline(mlir::OpPassManager &pm, const PipelineOptions &options);
/// L2 with tensorCores to warp-specialised programs (L4).
void buildWsPipeline(mlir::OpPassManager &pm, const PipelineOptions &options);
/// L4 to the LLVM dialect for Hopper.
void buildHopperPipeline(mlir::OpPassManager &pm, const PipelineOptions &options);
/// L2 with tensorCores to the LLVM dialect for sm_80, sm_86 and sm_89.
void buildAmperePipeline(mlir::OpPassManager &pm, const PipelineOptions &options);

/// Every dialect that a pipeline starts from or leads through.
void registerDialects(mlir::DialectRegistry &registry);
/// girih passes, and the pipelines above as girih-to-blocks, girih-to-tile,
/// girih-to-cpu, girih-to-llvm, girih-to-ws, girih-to-hopper and girih-to-ampere, each starting at
/// L0.
void registerPipelines();

} // namespace girih

#endif // GIRIH_PIPELINES_PIPELINES_H
