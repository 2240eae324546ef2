//===- Emitter.h - State of the sm_80 lowering of one kernel ----*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The tile kernel is walked in its own order. A load becomes copies to shared
// memory, a product reads them from there, and everything else is fragments'.
// In the loop a load means three things at one place: start the copy of the next
// tile, wait for the copy of this one, and meet the other warps.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_CONVERSION_TILETOAMPERE_EMITTER_H
#define GIRIH_CONVERSION_TILETOAMPERE_EMITTER_H

#include "girih/Conversion/Fragments/Fragments.h"
#include "girih/Conversion/TileToAmpere/Asm.h"
#include "girih/Conversion/TileToAmpere/Config.h"

namespace girih::ampere {

class Emitter : public gpu::FragmentEmitter {
public:
  Emitter(mlir::func::FuncOp source, const Chip &chip, Asm &a)
      : FragmentEmitter(a), source(source), chip(chip), a(a) {}
  mlir::LogicalResult run();
  mlir::LogicalResult emitOther(mlir::Operation *op) override;

private:
  /// A tile in shared memory, or where it is going to be.
  struct SharedTile {
    TileShape shape;
    mlir::Value at; ///< address
  };
  /// One step along the runs of the task. `end` is that of the run as it was read.
  struct Cursor {
    mlir::Value tile, end, partial, run;
  };
  /// A load of the loop over key tiles.
  struct Channel {
    tile::LoadOp load;
    TileShape shape;
    int64_t at; ///< of its first place, bytes into shared memory
  };

  //===--- ConvertTileToAmpere.cpp: the program -------------------------------------===//
  mlir::LogicalResult analyze();
  mlir::LogicalResult checkLoop();
  void createKernel();
  void emitPrologue();
  /// A field of the task's record, by its offset.
  mlir::Value readTask(size_t offset);
  void emitTask(tile::TaskOp op);
  /// Sets lane and row.
  void placeThread(mlir::Value ofThread, mlir::Value ofWarp);
  /// Where registers are few, ops that ask where elements are read the thread's
  /// number themselves, so that what they make of it is not kept over the loop.
  void readThread(mlir::Operation &op);
  mlir::LogicalResult emitDim(mlir::tensor::DimOp op);
  mlir::LogicalResult emitLoop();
  mlir::LogicalResult readAgain();
  mlir::Value placeOf(const Channel &channel, mlir::Value which);
  mlir::LogicalResult emitLoopLoad(Channel channel);
  Cursor loadRun(mlir::Value run);
  Cursor nextTile(const Cursor &cursor, mlir::Value exists = {});

  //===--- EmitTiles.cpp: shared memory and products ----------------------------------===//
  mlir::LogicalResult emitLoad(tile::LoadOp op, const TileShape &shape, mlir::Value to,
                               mlir::Value firstRow);
  mlir::LogicalResult emitDot(tile::DotOp op);
  /// `x`, and where registers are few, what is made of it is made again at each place
  /// instead of being kept over the loop.
  mlir::Value madeHere(mlir::Value x) { return hasFewRegisters ? a.opaque(x) : x; }
  /// Address of lane's row for ldmatrix at each of the columns that the swizzle
  /// tells apart; the rest of a matrix's place is a constant.
  llvm::SmallVector<mlir::Value> laneAddresses(const SharedTile &tile, bool isKeyMajor);
  /// The 16 x 16 numbers at `row` and `column` of a tile.
  Matrices matrices(const SharedTile &tile, llvm::ArrayRef<mlir::Value> addresses, int64_t row,
                    int64_t column, bool isTransposed);

  mlir::func::FuncOp source;
  const Chip &chip;
  Asm &a;
  Config config;
  bool isBf16 = true;
  bool hasFewRegisters = false; ///< several blocks share a multiprocessor
  ForBlocksOp loop;
  llvm::SmallVector<Channel, 2> channels;

  mlir::Value sharedBase, thread, warp, tasks, runs, taskIndex, firstRun, numTiles;
  mlir::Value stage, nextTileIndex, hasNext; ///< of the step that is being emitted
  llvm::DenseMap<mlir::Value, SharedTile> sharedTiles;
};

} // namespace girih::ampere

#endif // GIRIH_CONVERSION_TILETOAMPERE_EMITTER_H
