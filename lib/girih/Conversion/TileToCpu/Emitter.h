//===- Emitter.h - State of the CPU lowering of one kernel ------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One walk over a tile kernel emits its loops in order. Three kinds of tile
// values exist on the way:
//   buffers  2-D tiles in scratch memory, always f32;
//   rows     1-D tiles, one vector register for each group of queries;
//   lazy     elementwise results that their only consumer computes on the fly.
// A 2-D buffer is either row-major, or column-major so that queries lie along
// the lanes.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_CONVERSION_TILETOCPU_EMITTER_H
#define GIRIH_CONVERSION_TILETOCPU_EMITTER_H

#include "girih/Conversion/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/DenseMap.h"

#include <cstddef>

namespace girih::cpu {

/// Where the elements of a 2-D tile are: element (r, c) at r * ld + c, or at
/// c * ld + r when column-major.
struct Buffer {
  mlir::Value base; ///< !llvm.ptr to f32
  int64_t rows = 0, cols = 0, ld = 0;
  bool colMajor = false;
  bool readOnly = false; ///< may be the caller's tensor
};

/// The operand of a product that is read one number at a time: element (line, k)
/// at line * lineStride + k * depthStride.
struct ScalarOperand {
  mlir::Value base;
  int64_t lineStride, depthStride, count;
};

/// The operand that is read a vector at a time: vector (k, j) at
/// k * depthStride + j * width.
struct VectorOperand {
  mlir::Value base;
  int64_t depthStride, count;
};

/// One vector's worth of elements of a tile. Column-major: queries
/// [lane, lane + width) of column `line`. Row-major: columns [lane, ...) of row
/// `line`. `line` is a run-time i64, `lane` a constant.
struct Point {
  mlir::Value line;
  int64_t lane;
  bool colMajor;
};

/// Values already computed at one point.
using PointCache = llvm::DenseMap<mlir::Value, mlir::Value>;

class Emitter {
public:
  Emitter(mlir::func::FuncOp source, int64_t width);

  /// Emits the kernel and erases the source. Errors are reported at their op.
  mlir::LogicalResult run();

private:
  //===--- ConvertTileToCpu.cpp: the walk ---------------------------------===//
  mlir::LogicalResult emitBlock(mlir::Block &block);
  mlir::LogicalResult emitOp(mlir::Operation *op);
  mlir::LogicalResult emitScalar(mlir::Operation *op);
  mlir::LogicalResult emitForBlocks(ForBlocksOp op);
  mlir::LogicalResult emitYield(ForBlocksOp op);
  mlir::LogicalResult emitTask(tile::TaskOp op);
  mlir::LogicalResult emitDim(mlir::tensor::DimOp op);
  bool isColMajor(mlir::Value tile);
  bool isColMajorImpl(mlir::Value tile);

  //===--- EmitMemory.cpp: scratch, loads and stores ------------------------===//
  Buffer allocate(int64_t rows, int64_t cols, bool colMajor);
  mlir::Value allocateBytes(int64_t bytes);
  mlir::LogicalResult emitLoad(tile::LoadOp op);
  mlir::LogicalResult emitStore(tile::StoreOp op);
  mlir::Value rowPointer(mlir::Value view, mlir::Value batch, mlir::Value head, mlir::Value row,
                         mlir::Type element);
  mlir::Value loadLanes(mlir::Value base, mlir::Type element, int64_t first, int64_t count);
  size_t viewOffset(mlir::Value view);
  mlir::Value launchField(size_t offset, mlir::Type type);
  mlir::Value taskField(size_t offset, mlir::Type type);
  mlir::Value field(mlir::Value base, size_t offset, mlir::Type type);
  void fill(const Buffer &buffer, float value);
  void copy(const Buffer &from, const Buffer &to);

  //===--- EmitDot.cpp: register-tiled products -----------------------------===//
  mlir::LogicalResult emitDot(tile::DotOp op);
  void emitProduct(const ScalarOperand &scalars, const VectorOperand &vectors, int64_t depth,
                   const Buffer &result, bool accumulate);
  void emitRegisterTile(const ScalarOperand &scalars, const VectorOperand &vectors, int64_t depth,
                        const Buffer &result, bool accumulate, mlir::Value line, mlir::Value column,
                        int64_t numLines, int64_t numVectors);

  //===--- EmitElementwise.cpp: chains, rows, reductions --------------------===//
  mlir::LogicalResult emitElementwise(mlir::Operation *op);
  mlir::LogicalResult emitRowReduce(tile::RowReduceOp op);
  mlir::LogicalResult emitMap(tile::MapOp op);
  mlir::LogicalResult emitRowVector(mlir::Operation *op);
  bool isLazy(mlir::Operation *op);
  mlir::FailureOr<Buffer> bufferOf(mlir::Value tile, bool colMajor);
  mlir::LogicalResult materialize(mlir::Value tile, bool colMajor);
  void materializeRowMajor(mlir::Value tile, const Buffer &buffer);
  void materializeColMajor(mlir::Value tile, const Buffer &buffer);
  bool scaleRowsInPlace(mlir::Value tile, const Buffer &buffer);
  Buffer destination(mlir::Value tile, bool colMajor);
  bool diesAt(mlir::Value tile, mlir::Operation *consumer);
  mlir::Value element(mlir::Value tile, const Point &point, PointCache &cache);
  mlir::Value lanesOf(mlir::Operation *op, mlir::ValueRange operands);
  mlir::Value rowMemory(mlir::Value row);
  mlir::Value maximum(mlir::Value a, mlir::Value b);
  mlir::Value combine(tile::Reduction kind, mlir::Value a, mlir::Value b);

  //===--- EmitMask.cpp -----------------------------------------------------===//
  mlir::LogicalResult emitMask(tile::MaskOp op);

  //===--- Small builders ----------------------------------------------------===//
  mlir::Value i64(int64_t value);
  mlir::Value f32(float value);
  mlir::Value splat(mlir::Value scalar);
  mlir::Value splatConstant(float value);
  mlir::VectorType lanes(mlir::Type element) { return mlir::VectorType::get({width}, element); }
  mlir::VectorType floats() { return lanes(b.getF32Type()); }
  mlir::Value add(mlir::Value a, mlir::Value b);
  mlir::Value add(mlir::Value a, int64_t constant);
  mlir::Value mul(mlir::Value a, int64_t constant);
  /// Address of element `index + offset` of f32 memory.
  mlir::Value at(mlir::Value base, mlir::Value index, int64_t offset = 0);
  mlir::Value loadVector(mlir::Value address);
  mlir::Value loadScalar(mlir::Value address);
  void storeVector(mlir::Value vector, mlir::Value address);
  int64_t roundUp(int64_t n) const { return (n + width - 1) / width * width; }
  /// for i in [lower, upper) step: body(i). Leaves the builder behind the loop.
  mlir::scf::ForOp loop(mlir::Value lower, mlir::Value upper, int64_t step,
                        llvm::function_ref<void(mlir::Value)> body);
  mlir::scf::ForOp
  loop(mlir::Value lower, mlir::Value upper, int64_t step, mlir::ValueRange inits,
       llvm::function_ref<llvm::SmallVector<mlir::Value>(mlir::Value, mlir::ValueRange)> body);

  friend class MaskEmitter;

  mlir::func::FuncOp source;
  int64_t width;
  mlir::OpBuilder b;
  mlir::Location loc;
  mlir::Value launch, task, scratch;
  int64_t scratchBytes = 0;
  mlir::Block *entry = nullptr;

  llvm::DenseMap<mlir::Value, mlir::Value> scalars;
  llvm::DenseMap<mlir::Value, Buffer> buffers;
  llvm::DenseMap<mlir::Value, llvm::SmallVector<mlir::Value>> rows;
  llvm::DenseMap<mlir::Value, mlir::Value> rowMemories; ///< scratch copies of rows
  llvm::DenseSet<mlir::Operation *> emitted;
  llvm::DenseMap<mlir::Value, bool> layouts;
};

} // namespace girih::cpu

#endif // GIRIH_CONVERSION_TILETOCPU_EMITTER_H
