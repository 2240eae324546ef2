//===- Emitter.h - State of the Hopper lowering of one kernel ---*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A tile kernel becomes one warp-specialised program: a producer warp that
// copies tiles by TMA, and warpgroups of 64 query rows each that multiply and do
// the softmax. Tile values of a warpgroup are fragments: lists of scalars that
// each thread holds (hopper accumulators: element 4 j + 2 r + x of a thread is
// row lane / 4 + 8 r, column 8 j + 2 (lane % 4) + x of its warp's 16 rows); row
// vectors are the two scalars of rows lane / 4 and lane / 4 + 8.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_CONVERSION_TILETOHOPPER_EMITTER_H
#define GIRIH_CONVERSION_TILETOHOPPER_EMITTER_H

#include "girih/Conversion/Passes.h"
#include "girih/Conversion/TileToHopper/Asm.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

namespace girih::hopper {

/// A thread's part of a tile.
using Fragment = llvm::SmallVector<mlir::Value>;
using Fragments = llvm::DenseMap<mlir::Value, Fragment>;

/// Sizes of a kernel, from the types of its tiles.
struct Config {
  int64_t tileQ, tileK, dim, vDim; ///< as the tiles say
  int64_t warpgroups;              ///< of 64 query rows
  bool isBf16;
  static constexpr int64_t stages = 2;

  int64_t depth() const { return (dim + 15) / 16 * 16; }  ///< of the score product
  int64_t width() const { return (vDim + 15) / 16 * 16; } ///< of the output product
  int64_t chunks() const { return (dim + 63) / 64; }      ///< 64-column boxes of a q or k row
  int64_t vChunks() const { return (vDim + 63) / 64; }
  int64_t qBytes() const { return tileQ * chunks() * 128; }
  int64_t kBytes() const { return tileK * chunks() * 128; }
  int64_t vBytes() const { return tileK * vChunks() * 128; }
  int64_t qAt() const { return 0; }
  int64_t kAt() const { return qBytes(); }
  int64_t vAt() const { return kAt() + stages * kBytes(); }
  int64_t barriersAt() const { return vAt() + stages * vBytes(); }
  int64_t sharedBytes() const { return barriersAt() + 8 * (2 + 4 * stages); }
  int64_t threads() const { return 128 * (warpgroups + 1); }
};

/// Where the query rows and keys of a fragment are.
struct Place {
  mlir::Value row[2]; ///< absolute positions of this thread's two query rows, i32
  mlir::Value column; ///< position of this thread's first key, i32
  mlir::Value batch, head;
};

class MaskEmitter; ///< evaluates patterns element by element

class Emitter {
public:
  explicit Emitter(mlir::func::FuncOp source);
  mlir::LogicalResult run();

private:
  //===--- ConvertTileToHopper.cpp: the program --------------------------------===//
  mlir::LogicalResult analyze();
  void emitPrologue();
  void emitProducer();
  mlir::Value barrier(int64_t which,
                      mlir::Value stage); ///< 0 K full, 1 K empty, 2 V full, 3 V empty
  mlir::Value queryBarrier(bool empty = false);
  llvm::SmallVector<mlir::Value> readTask(mlir::Value index);
  void enterTask(mlir::ValueRange fields);
  mlir::Block *addBlock(llvm::ArrayRef<mlir::Type> types = {});
  void branch(mlir::Block *to, mlir::ValueRange operands = {});
  void branch(mlir::Value condition, mlir::Block *yes, mlir::Block *no);
  mlir::Value argument(size_t offset, mlir::Type type);

  /// One step along the runs of the task.
  struct Cursor {
    mlir::Value tile, end, partial, run;
  };
  Cursor firstTile();
  Cursor nextTile(const Cursor &cursor);
  Cursor loadRun(mlir::Value run);

  //===--- EmitConsumer.cpp ----------------------------------------------------===//
  mlir::LogicalResult emitConsumer();
  llvm::SmallVector<mlir::Value> scoreProduct(mlir::Value stage);
  llvm::SmallVector<mlir::Value> outputProduct(llvm::ArrayRef<mlir::Value> acc, mlir::Value stage,
                                               llvm::ArrayRef<mlir::Value> p);
  llvm::SmallVector<mlir::Value> packed(const Fragment &p);

  //===--- EmitFragments.cpp: tile ops on fragments ------------------------------===//
  mlir::LogicalResult emitOps(llvm::ArrayRef<mlir::Operation *> ops, Fragments &values,
                              const Place &place, mlir::Value partial);
  mlir::LogicalResult emitOp(mlir::Operation *op, Fragments &values, const Place &place,
                             mlir::Value partial);
  mlir::LogicalResult emitMap(tile::MapOp op, Fragments &values, const Place &place);
  mlir::LogicalResult emitMask(tile::MaskOp op, Fragments &values, const Place &place,
                               mlir::Value partial);
  Fragment fragmentOf(mlir::Value tile, const Fragments &values, size_t count);
  mlir::Value scalarOf(mlir::Value value);
  mlir::LogicalResult emitStore(tile::StoreOp op, Fragments &values);

  friend class MaskEmitter;

  mlir::func::FuncOp source;
  mlir::OpBuilder b;
  mlir::Location loc;
  Asm a;
  Config config{};
  mlir::LLVM::LLVMFuncOp kernel;
  mlir::Block *exit = nullptr;

  // What analyze finds.
  ForBlocksOp blockLoop;
  tile::DotOp scores, output;
  mlir::Value decay;                                  ///< row vector that scales the output
  llvm::SmallVector<mlir::Operation *> softmax, tail; ///< between the products; behind the loop

  // Values of every thread.
  mlir::Value maps[3], arguments, shared, sharedBase, thread, group, lane, scale;
  mlir::Value tasks, firstTask, endTask, batch, head, kvHead, firstRow, firstPosition, numTiles,
      firstRun, runs;
  llvm::SmallVector<mlir::Value> warpRows; ///< query rows (not positions) of this thread
  mlir::Value queryDescriptor;
};

} // namespace girih::hopper

#endif // GIRIH_CONVERSION_TILETOHOPPER_EMITTER_H
