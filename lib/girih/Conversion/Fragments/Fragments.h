//===- Fragments.h - Tile ops on what a GPU thread holds of a tile -*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A tile is spread over the threads of its warps in one way, that of the
// accumulators of mma.sync and wgmma: a warp has 16 rows; element 4 j + 2 r + x of
// a thread is row lane / 4 + 8 r, column 8 j + 2 (lane % 4) + x. Row vectors are
// the two numbers of rows lane / 4 and lane / 4 + 8. What is said here about ops on
// such fragments serves every GPU backend; products, copies and barriers are the
// backends' own.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_CONVERSION_FRAGMENTS_FRAGMENTS_H
#define GIRIH_CONVERSION_FRAGMENTS_FRAGMENTS_H

#include "girih/Conversion/Fragments/ScalarBuilder.h"
#include "girih/Conversion/Passes.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"

namespace girih::gpu {

/// A thread's part of a tile.
using Fragment = llvm::SmallVector<mlir::Value>;

/// Scalars of a thread for a tile of `type`: columns are padded to 16, except for a
/// tile of 8.
size_t fragmentSize(mlir::Type type);
/// Elements of a row of v dim `vDim` in the workspace of split rows
/// (GirihCudaArguments::partial_o).
int64_t partialPitch(int64_t vDim);
/// What data and strides of an o of `elementBytes` have to be multiples of, in bytes,
/// for kernels to store to it (GirihCudaKernelDesc::store_bytes): a contiguous o always
/// is.
int64_t storeBytes(int64_t vDim, int64_t elementBytes);
/// Whether `op` is a product that is only stored.
bool isMadeAtStore(mlir::Operation *op);

/// Lowers tile ops and the index arithmetic around them to LLVM ops of one
/// thread, inside of an LLVM function that the backend sets up. Indices become
/// i32; element types of 16 bits stay f32 until they are packed or stored.
/// An array that lookups read.
struct Array {
  mlir::Value base;                       ///< !llvm.ptr
  llvm::SmallVector<mlir::Value> extents; ///< i64
  mlir::Type element;                     ///< i32 or f32
};

class FragmentEmitter {
public:
  FragmentEmitter(ScalarBuilder &a) : a(a), b(a.b), loc(a.loc) {}

  //===--- What the backend says of the kernel and the thread --------------------===//
  mlir::LLVM::LLVMFuncOp kernel;
  mlir::Value arguments; ///< pointer to the GirihCudaArguments
  mlir::Value lane;      ///< 0..31
  mlir::Value row;       ///< of the tile, where this thread's first row is
  mlir::Value slot;      ///< of the task: where a part of a row goes, negative for a whole row
  int64_t vDim = 0;      ///< columns of o; the padding behind them is not stored

  //===--- Values -----------------------------------------------------------------===//
  /// The fragment of a tile; constants, splats and broadcasts are made at their
  /// use. Empty when this emitter has none.
  Fragment fragment(mlir::Value tile);
  /// The scalar of an index, i1, integer or float; null when there is none.
  mlir::Value scalar(mlir::Value value);
  void set(mlir::Value tile, Fragment fragment) { fragments[tile] = std::move(fragment); }
  void setScalar(mlir::Value value, mlir::Value scalar) { scalars[value] = scalar; }
  /// The value of `from` from here on also under the name `to`.
  void alias(mlir::Value to, mlir::Value from);

  //===--- Ops ---------------------------------------------------------------------===//
  mlir::LogicalResult emit(mlir::Operation *op);
  /// Emits an op that is not of the tile level; backends override it.
  virtual mlir::LogicalResult emitOther(mlir::Operation *op);
  virtual ~FragmentEmitter() = default;

  /// Stores `tile` from row `row` of (batch, head) on, or to the workspace when
  /// `slot` is not negative. The last four are values of the tile level.
  mlir::LogicalResult emitStore(mlir::Operation *op, mlir::Value tile, mlir::Value dest,
                                mlir::Value batch, mlir::Value head, mlir::Value row);

  /// Evaluates a pattern on the elements of a fragment of `type`: for each of the
  /// thread's two rows a number whose topmost bits say which keys are kept, the two
  /// of each group of 8 columns in their order. All but the first are values of the
  /// tile level.
  mlir::LogicalResult emitKeep(mlir::Operation *op, mlir::Type type, mlir::Value pattern,
                               mlir::Value batch, mlir::Value head, mlir::Value qRow,
                               mlir::Value kRow, mlir::Value when);
  /// Sets scores to -inf where emitKeep's result for `keep` says so.
  mlir::LogicalResult emitDrop(mlir::Operation *op, mlir::Value tile, mlir::Value keep,
                               mlir::Value when);

  //===--- Lookups (Lookup.cpp) ------------------------------------------------------===//
  /// Loads where the array is that `table`, an argument of the source, stands for; a null base
  /// when it is no array.
  Array loadArray(mlir::Value table);
  /// The entry at indices of i32 or i64, which are clamped: columns behind the last key read
  /// nothing outside.
  mlir::Value lookUp(const Array &array, llvm::ArrayRef<mlir::Value> indices);

  //===--- Control flow -------------------------------------------------------------===//
  mlir::Block *addBlock(llvm::ArrayRef<mlir::Type> types = {});
  void branch(mlir::Block *to, mlir::ValueRange operands = {});
  void branch(mlir::Value condition, mlir::Block *yes, mlir::Block *no);
  mlir::Value truth(bool value); ///< an i1
  /// Loads a field of the kernel's arguments.
  mlir::Value argument(size_t offset, mlir::Type type) { return a.load(arguments, offset, type); }

  ScalarBuilder &a;
  mlir::OpBuilder &b;
  mlir::Location loc;

private:
  /// Where the rows of a tile are stored.
  struct Rows {
    int64_t count; ///< rows of the tile
    mlir::Type element;
    mlir::Value batch, head, first;
  };
  mlir::LogicalResult emitScalar(mlir::Operation *op);
  mlir::LogicalResult emitElementwise(mlir::Operation *op);
  mlir::LogicalResult emitReduce(tile::RowReduceOp op);
  mlir::LogicalResult emitFold(tile::FoldColumnsOp op);
  mlir::LogicalResult emitIf(mlir::scf::IfOp op);
  mlir::LogicalResult emitMap(tile::MapOp op);
  mlir::LogicalResult emitMask(tile::MaskOp op);
  void storeLse(const Rows &to, const Fragment &from);
  void storeRows(const Rows &to, mlir::Value tile);
  void storePairs(mlir::Value tile, int64_t r, mlir::Value line, mlir::Value when);
  void storeNarrow(mlir::Value tile, int64_t r, mlir::Value line, mlir::Type element,
                   mlir::Value when);
  void storePacked(mlir::Value tile, int64_t r, mlir::Value line, mlir::Type element,
                   mlir::Value when);
  /// Element `i` of the fragment of `tile`, made here when it can be: a product
  /// that is only stored would need registers for all of it at once.
  mlir::Value elementOf(mlir::Value tile, size_t i);

  llvm::DenseMap<mlir::Value, Fragment> fragments;
  llvm::DenseMap<mlir::Value, mlir::Value> scalars;
};

} // namespace girih::gpu

#endif // GIRIH_CONVERSION_FRAGMENTS_FRAGMENTS_H
