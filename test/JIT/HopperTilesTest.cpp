//===- HopperTilesTest.cpp - Which tiles a kernel for Hopper gets ---------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Proves that every size on offer fits the card, that dense patterns get the
// fastest and scattered ones a smaller size, and that the choice depends on the
// pattern alone, never on the values of its operands. Rates are measured, not
// proved: test/GPU/RESULTS.md.
//
//===----------------------------------------------------------------------===//

#include "girih/JIT/HopperTiles.h"

#include "girih/Analysis/MapProgram.h"
#include "girih/Frontend/EmitIR.h"
#include "girih/Pattern/Girih.h"
#include "girih/Pipelines/Pipelines.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Pass/PassManager.h"

#include "gtest/gtest.h"

using namespace girih;

namespace {

using Size = std::pair<int64_t, int64_t>;

class HopperTiles : public ::testing::Test {
protected:
  HopperTiles() {
    mlir::DialectRegistry registry;
    registerDialects(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
  }

  /// The size that is chosen for a head dim; zeros where the pattern is not lowered.
  Size choose(const Pattern &pattern, int64_t dim, int64_t vDim = 0) {
    vDim = vDim ? vDim : dim;
    KernelSpec spec;
    spec.element = spec.output = mlir::Builder(&context).getBF16Type();
    spec.headDim = dim;
    spec.vDim = vDim;
    mlir::OwningOpRef<mlir::ModuleOp> module = emitKernel(&context, pattern, spec);
    PipelineOptions options;
    options.tileQ = options.tileK = 64;
    options.tensorCores = true;
    mlir::PassManager pm(&context);
    buildBlocksPipeline(pm, options);
    if (mlir::failed(pm.run(*module))) {
      ADD_FAILURE() << "the pattern was not lowered";
      return {};
    }
    BlockMapOp map;
    module->walk([&](BlockMapOp op) { map = op; });
    std::unique_ptr<MapProgram> program = buildMapProgram(map.getPattern());
    auto function = map->getParentOfType<mlir::func::FuncOp>();
    program->program.num_operands =
        static_cast<int32_t>(function.getNumArguments() - firstOperandArgument);
    HopperTile tile = chooseHopperTile(pattern, program->get(), dim, vDim);
    EXPECT_TRUE(fitsHopper(tile.q, tile.k, dim, vDim));
    return {tile.q, tile.k};
  }

  static Size fastest(int64_t dim, int64_t vDim = 0) {
    HopperTile tile = hopperTiles(dim, vDim ? vDim : dim).front();
    return {tile.q, tile.k};
  }

  mlir::MLIRContext context;
};

} // namespace

TEST_F(HopperTiles, SizesAreThoseOfTheInstructions) {
  for (int64_t q : {0, 32, 96, 256})
    EXPECT_FALSE(fitsHopper(q, 64, 64, 64)) << q;
  for (int64_t k : {0, 8, 72, 272})
    EXPECT_FALSE(fitsHopper(64, k, 64, 64)) << k;
  EXPECT_TRUE(fitsHopper(64, 16, 64, 64));
}

TEST_F(HopperTiles, SharedMemoryAndRegistersLimitThem) {
  // Three warpgroups have 160 registers each: scores and outputs of 64 columns.
  EXPECT_TRUE(fitsHopper(192, 128, 64, 64));
  EXPECT_FALSE(fitsHopper(192, 128, 64, 128));
  EXPECT_FALSE(fitsHopper(192, 144, 64, 64));
  EXPECT_TRUE(fitsHopper(128, 128, 128, 128));
  EXPECT_FALSE(fitsHopper(128, 256, 128, 128));
  // Two tiles of 128 keys and values of 192 columns are 192 KB, queries 48 KB.
  EXPECT_FALSE(fitsHopper(128, 128, 192, 192));
  EXPECT_TRUE(fitsHopper(128, 80, 256, 256));
  EXPECT_FALSE(fitsHopper(128, 96, 256, 256));
  // Blocks of one warpgroup run in pairs, and have half of it each.
  EXPECT_TRUE(fitsHopper(64, 64, 128, 128));
  EXPECT_FALSE(fitsHopper(64, 128, 128, 128));
}

TEST_F(HopperTiles, EveryHeadDimHasSomeThatFit) {
  for (int64_t dim = 8; dim <= 256; dim += 8)
    for (int64_t vDim = 8; vDim <= 256; vDim += 8) {
      auto tiles = hopperTiles(dim, vDim);
      ASSERT_FALSE(tiles.empty()) << dim << ", " << vDim;
      double before = tiles.front().rate;
      for (const HopperTile &tile : tiles) {
        EXPECT_TRUE(fitsHopper(tile.q, tile.k, dim, vDim)) << dim << ", " << vDim;
        EXPECT_LE(tile.rate, before) << dim << ", " << vDim;
        before = tile.rate;
      }
    }
}

TEST_F(HopperTiles, DensePatternsGetTheFastest) {
  for (auto [dim, vDim] : {std::pair(64, 64), {96, 96}, {128, 128}, {192, 128}, {256, 256}}) {
    EXPECT_EQ(choose(full(), dim, vDim), fastest(dim, vDim)) << dim;
    EXPECT_EQ(choose(causal(), dim, vDim), fastest(dim, vDim)) << dim;
  }
  EXPECT_EQ(choose(causal() & window(4095), 128), fastest(128));
}

TEST_F(HopperTiles, ScatteredBlocksGetTilesOfTheirSize) {
  Pattern bigbird = blockwise(window(1, 1) | global(1, 1), 64) | randomBlocks(64, 3, 0);
  EXPECT_EQ(choose(bigbird, 128), Size(64, 64));
  EXPECT_EQ(choose(randomBlocks(64, 4, 1), 128), Size(64, 64));
}

TEST_F(HopperTiles, ANeighborhoodIsSeenOnItsGrid) {
  // Rows of 256 tokens, 7 of each: tiles of 128 keys are mostly beside the kernel. At
  // another length than the grid's there is no map, and all sizes look the same.
  EXPECT_EQ(choose(neighborhood({64, 256}, {7, 7}), 128), Size(64, 64));
}

TEST_F(HopperTiles, OffsetsOfSegmentsDoNotMatter) {
  std::vector<int64_t> tokens;
  for (int64_t i = 0; i <= 512; ++i)
    tokens.push_back(i);
  for (int64_t dim : {64, 128}) {
    Size one = choose(causal() & segments({0, 8192}), dim);
    EXPECT_EQ(choose(causal() & segments({0, 10, 20, 30, 8192}), dim), one);
    EXPECT_EQ(choose(causal() & segments(tokens), dim), one);
  }
}

TEST_F(HopperTiles, ValuesOfBlockTablesDoNotMatter) {
  // A diagonal, everything, nothing.
  std::vector<int64_t> diagonal{0}, all{0}, none{0}, units, allUnits;
  for (int64_t row = 0; row != 16; ++row) {
    units.push_back(row);
    for (int64_t unit = 0; unit != 16; ++unit)
      allUnits.push_back(unit);
    diagonal.push_back(row + 1);
    all.push_back(16 * (row + 1));
    none.push_back(0);
  }
  for (int64_t dim : {64, 128}) {
    Size one = choose(blockTable(64, diagonal, units), dim);
    EXPECT_EQ(choose(blockTable(64, all, allUnits), dim), one);
    EXPECT_EQ(choose(blockTable(64, none, {}), dim), one);
    EXPECT_EQ(choose(blockTable(64, {0, 1}, {0}), dim), one);
  }
}
