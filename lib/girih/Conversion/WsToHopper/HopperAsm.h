//===- HopperAsm.h - The instructions that only Hopper has ------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One method an instruction: barriers, bulk tensor copies, warpgroup products.
// Shared memory addresses are i32. The asm forms of products are those that
// ptxas keeps asynchronous: one asm a product, accumulators tied, a fence
// before each.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_CONVERSION_WSTOHOPPER_HOPPERASM_H
#define GIRIH_CONVERSION_WSTOHOPPER_HOPPERASM_H

#include "girih/Conversion/Fragments/ScalarBuilder.h"

namespace girih::gpu {

class HopperAsm : public ScalarBuilder {
public:
  using ScalarBuilder::ScalarBuilder;

  //===--- Threads and barriers ---------------------------------------------------===//
  void namedSync(mlir::Value id, int threads);
  void namedArrive(mlir::Value id, int threads);
  void setRegisters(bool increase, int count);
  void barrierInit(mlir::Value address, int arrivals);
  void fenceBarrierInit();
  void barrierArrive(mlir::Value address);
  /// Arrives in the threads where `when` is true.
  void barrierArrive(mlir::Value address, mlir::Value when);
  void barrierExpect(mlir::Value address, mlir::Value bytes);
  /// Waits for the phase of that parity; not at all when `when` is false.
  void barrierWait(mlir::Value address, mlir::Value parity, mlir::Value when = {});
  /// Copies the box at `coordinates` (innermost first) of a tensor map.
  void copyTile(mlir::Value shared, mlir::Value map, llvm::ArrayRef<mlir::Value> coordinates,
                mlir::Value barrier);

  //===--- Warpgroup products -----------------------------------------------------===//
  /// Descriptor of 128-byte-swizzled shared memory at `address`.
  mlir::Value descriptor(mlir::Value address, int64_t leadingBytes, int64_t strideBytes);
  void productFence();
  void productCommit();
  /// Ends ptxas's basic block, by a branch that is never taken, `length` not being
  /// negative. ptxas moves a wait for products to the beginning of its block,
  /// in front of all the work that was meant to overlap with them.
  void endBlock(mlir::Value length);
  /// Waits until at most `pending` products are in flight; `values` may be used
  /// only through the result from here on.
  llvm::SmallVector<mlir::Value> productWait(llvm::ArrayRef<mlir::Value> values, int64_t pending);

  /// One 64 x n product over all its k-steps. `acc` empty starts from zero. The
  /// left operand is a descriptor (`lhs`, with an offset in 16 bytes for each
  /// step), or fragments of 4 registers a step (`lhsFragments`).
  struct Product {
    int64_t n = 0;
    bool isBf16 = true;
    bool rhsIsTransposed = false; ///< B is stored [k][n], as V is
    llvm::SmallVector<mlir::Value> acc;
    mlir::Value fresh; ///< i1: start from zero even so
    mlir::Value lhs;
    llvm::SmallVector<mlir::Value> lhsFragments;
    llvm::SmallVector<int64_t> lhsSteps;
    mlir::Value rhs;
    llvm::SmallVector<int64_t> rhsSteps;
  };
  llvm::SmallVector<mlir::Value> product(const Product &product);
};

} // namespace girih::gpu

#endif // GIRIH_CONVERSION_WSTOHOPPER_HOPPERASM_H
