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
// Operands of bf16 products are in scratch as pairs of bf16 (EmitPairs.cpp), which
// AMX tiles are loaded from (EmitTiles.cpp).
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

/// result line i, vector j (+)= sum over k < depth of scalar(i, k) * vector(k, j).
/// Numbers are f32, or pairs of bf16, whose two products are both added.
struct Product {
  ScalarOperand scalars;
  VectorOperand vectors;
  int64_t depth;
  Buffer result;
  bool accumulate;
  bool ofPairs;
};

/// What AMX tiles are loaded from line by line: lines of pairs, or of f32, that begin
/// `stride` bytes (i64) behind one another.
struct TileLines {
  mlir::Value base, stride;
};

/// result += lines * pairs, in tiles of 16 x 16: `depth` of them along the depth. Without
/// `accumulate`, result = lines * pairs.
struct TileProduct {
  TileLines lines;
  Buffer pairs;
  int64_t depth;
  Buffer result;
  bool accumulate;
};

class Emitter;

/// Rows of q, k or v that a tile is loaded from.
struct Rows {
  mlir::Value base;   ///< !llvm.ptr to the first row
  mlir::Value stride; ///< i64, elements from row to row
  mlir::Value valid;  ///< i64, rows before the end of the tensor; at least one
  mlir::Type element;
  int64_t count, size; ///< rows, and elements of each

  mlir::Value at(Emitter &emitter, mlir::Value row) const;
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

/// An array that lookups read.
struct Array {
  mlir::Value base;                       ///< !llvm.ptr
  llvm::SmallVector<mlir::Value> extents; ///< i64
  mlir::Type element;                     ///< i32 or f32
};

class Emitter {
public:
  /// `bf16Dots`: products of bf16 tiles are those of pairs; needs a width of 16. `amx`:
  /// in AMX tiles where they fit; needs `bf16Dots`.
  Emitter(mlir::func::FuncOp source, int64_t width, bool bf16Dots, bool amx);

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
  void loadRows(const Rows &rows, Buffer &buffer);
  void loadTransposed(const Rows &rows, const Buffer &buffer);
  mlir::Value inPlaceOr(const Rows &rows, mlir::Value scratch, llvm::function_ref<void()> stage);
  mlir::LogicalResult emitStore(tile::StoreOp op);
  void storeLse(tile::StoreOp op, mlir::Value valid);
  void storeRows(tile::StoreOp op, mlir::Value valid, mlir::Type element);
  void storeLanes(mlir::Value vector, mlir::Value row, int64_t first, int64_t count);
  mlir::Value roundLanes(mlir::Value x, mlir::Type element);
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
  void emitProduct(const Product &product);
  void emitRegisterTile(const Product &product, mlir::Value line, mlir::Value column,
                        int64_t numLines, int64_t numVectors);
  mlir::Value multiplyAdd(mlir::Value x, mlir::Value y, mlir::Value sum, bool ofPairs);

  //===--- EmitPairs.cpp: bf16 tiles for products of pairs -------------------===//
  bool isNarrow(tile::DotOp dot);
  bool isNarrowLeft(mlir::OpOperand &use);
  bool feedsNarrow(mlir::Value tile);
  mlir::Operation *packingOf(mlir::Operation *op);
  Buffer packPairs(mlir::Value tile);
  mlir::Value pack(mlir::Value x, mlir::Value y);
  mlir::Value interleave(mlir::Value x, mlir::Value y, int64_t from, int64_t offset);
  mlir::Value loadRaw(mlir::Value base, mlir::Type element, int64_t first, int64_t size,
                      int64_t count);
  void loadRowPairs(const Rows &rows, Buffer &buffer);
  void copyRowPairs(const Rows &rows, mlir::Value to, int64_t ld);
  int64_t paddedDepth(int64_t pairs) const { return amx ? roundUp(pairs) : pairs; }
  void loadInterleaved(const Rows &rows, Buffer &buffer);

  //===--- EmitTiles.cpp: products in AMX tiles ------------------------------===//
  bool isTiled(tile::DotOp dot);
  void configureTiles();
  void releaseTiles();
  void callTile(llvm::StringRef name, llvm::ArrayRef<int64_t> tiles, mlir::ValueRange operands);
  void loadTileLines(const Rows &rows, TileLines &lines);
  TileLines transposePairs(const Buffer &pairs);
  void emitTileProduct(const TileProduct &product);
  void emitTileBlock(const TileProduct &product, mlir::Value line, mlir::Value column, int64_t tall,
                     int64_t wide);

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
  llvm::SmallVector<tile::RowReduceOp> reductionsOf(mlir::Value tile);
  llvm::SmallVector<mlir::Value> neutralElements(llvm::ArrayRef<tile::RowReduceOp> reductions);
  void reduceLanes(llvm::ArrayRef<tile::RowReduceOp> reductions, const PointCache &cache,
                   int64_t lane, llvm::MutableArrayRef<mlir::Value> sums);
  void setReductions(llvm::ArrayRef<tile::RowReduceOp> reductions, mlir::ValueRange sums);
  bool scaleRowsInPlace(mlir::Value tile, const Buffer &buffer);
  Buffer destination(mlir::Value tile, bool colMajor);
  bool diesAt(mlir::Value tile, mlir::Operation *consumer);
  mlir::Value element(mlir::Value tile, const Point &point, PointCache &cache);
  mlir::Value lanesOf(mlir::Operation *op, mlir::ValueRange operands);
  mlir::Value rowMemory(mlir::Value row);
  void prepareRows(mlir::Value tile);
  mlir::Value maximum(mlir::Value a, mlir::Value b);
  mlir::Value combine(tile::Reduction kind, mlir::Value a, mlir::Value b);

  //===--- EmitMask.cpp -----------------------------------------------------===//
  mlir::LogicalResult emitMask(tile::MaskOp op);

  //===--- EmitLookup.cpp ---------------------------------------------------===//
  /// Loads where the array is that `table`, an argument of the source, stands for; a null base
  /// when it is no array.
  Array loadArray(mlir::Value table);
  /// The entry at scalars of i32 or i64, or the entries at vectors among them. Indices are
  /// clamped: lanes that no pair needs read nothing outside.
  mlir::Value lookUp(const Array &array, llvm::ArrayRef<mlir::Value> indices);

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
  mlir::Value loadScalar(mlir::Value address, unsigned alignment = 4);
  void storeVector(mlir::Value vector, mlir::Value address);
  int64_t roundUp(int64_t n) const { return (n + width - 1) / width * width; }
  /// for i in [lower, upper) step: body(i). Leaves the builder behind the loop.
  mlir::scf::ForOp loop(mlir::Value lower, mlir::Value upper, int64_t step,
                        llvm::function_ref<void(mlir::Value)> body);
  mlir::scf::ForOp
  loop(mlir::Value lower, mlir::Value upper, int64_t step, mlir::ValueRange inits,
       llvm::function_ref<llvm::SmallVector<mlir::Value>(mlir::Value, mlir::ValueRange)> body);

  friend class MaskEmitter;
  friend struct Rows;

  mlir::func::FuncOp source;
  int64_t width;
  bool bf16Dots, amx;
  mlir::OpBuilder b;
  mlir::Location loc;
  mlir::Value launch, task, scratch;
  int64_t scratchBytes = 0;
  mlir::Block *entry = nullptr;

  llvm::DenseMap<mlir::Value, mlir::Value> scalars;
  llvm::DenseMap<mlir::Value, Buffer> buffers;
  llvm::DenseMap<mlir::Value, Buffer> pairs;        ///< tiles as pairs of bf16; sizes in pairs
  llvm::DenseMap<mlir::Value, TileLines> tileLines; ///< keys of products in AMX tiles
  llvm::DenseMap<mlir::Value, llvm::SmallVector<mlir::Value>> rows;
  llvm::DenseMap<mlir::Value, mlir::Value> rowMemories; ///< scratch copies of rows
  llvm::DenseSet<mlir::Operation *> emitted;
  llvm::DenseMap<mlir::Value, bool> layouts;
};

} // namespace girih::cpu

#endif // GIRIH_CONVERSION_TILETOCPU_EMITTER_H
