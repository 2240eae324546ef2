//===- Asm.h - The Hopper instructions that kernels are made of -*- C++ -*-===//
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

#ifndef GIRIH_CONVERSION_TILETOHOPPER_ASM_H
#define GIRIH_CONVERSION_TILETOHOPPER_ASM_H

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Builders.h"

#include <string>

namespace girih::hopper {

/// Builds scalar LLVM ops and inline PTX at the builder's place.
class Asm {
public:
  Asm(mlir::OpBuilder &b, mlir::Location loc) : b(b), loc(loc) {}

  //===--- Scalars -----------------------------------------------------------===//
  mlir::Value i32(int64_t value);
  mlir::Value i64(int64_t value);
  mlir::Value f32(float value);
  mlir::Value add(mlir::Value x, mlir::Value y);
  mlir::Value add(mlir::Value x, int64_t y);
  mlir::Value sub(mlir::Value x, mlir::Value y);
  mlir::Value mul(mlir::Value x, mlir::Value y);
  mlir::Value mul(mlir::Value x, int64_t y);
  mlir::Value bitXor(mlir::Value x, mlir::Value y);
  mlir::Value bitAnd(mlir::Value x, int64_t y);
  mlir::Value shr(mlir::Value x, int64_t bits);
  mlir::Value compare(mlir::LLVM::ICmpPredicate predicate, mlir::Value x, mlir::Value y);
  mlir::Value select(mlir::Value condition, mlir::Value x, mlir::Value y);
  mlir::Value widen(mlir::Value i32Value);
  mlir::Value fadd(mlir::Value x, mlir::Value y);
  mlir::Value fmul(mlir::Value x, mlir::Value y);
  mlir::Value fmax(mlir::Value x, mlir::Value y);
  mlir::Value exp2(mlir::Value x);
  mlir::Value log2(mlir::Value x);
  /// Exchanges with the lane whose number differs by `mask`.
  mlir::Value shuffleXor(mlir::Value x, int mask);
  /// x and y rounded to bf16 or f16, x in the low half of an i32.
  mlir::Value pack(mlir::Value x, mlir::Value y, bool isBf16);

  //===--- Memory --------------------------------------------------------------===//
  /// Loads `type` at `bytes` behind `base`.
  mlir::Value load(mlir::Value base, int64_t bytes, mlir::Type type, bool isInvariant = true);
  mlir::Value element(mlir::Value base, mlir::Value index, mlir::Type type);

  //===--- Threads and barriers ---------------------------------------------------===//
  mlir::Value special(llvm::StringRef name);
  mlir::Value uniform(mlir::Value x); ///< broadcasts lane 0, so that branches are uniform
  void syncThreads();
  void namedSync(mlir::Value id, int threads);
  void namedArrive(mlir::Value id, int threads);
  void setRegisters(bool increase, int count);
  void barrierInit(mlir::Value address, int arrivals);
  void fenceBarrierInit();
  void barrierArrive(mlir::Value address);
  void barrierExpect(mlir::Value address, mlir::Value bytes);
  void barrierWait(mlir::Value address, mlir::Value parity);
  /// Copies the box at `coordinates` (innermost first) of a tensor map.
  void copyTile(mlir::Value shared, mlir::Value map, llvm::ArrayRef<mlir::Value> coordinates,
                mlir::Value barrier);

  //===--- Warpgroup products -----------------------------------------------------===//
  /// Descriptor of 128-byte-swizzled shared memory at `address`.
  mlir::Value descriptor(mlir::Value address, int64_t leadingBytes, int64_t strideBytes);
  void productFence();
  void productCommit();
  /// Waits until at most `pending` products are in flight; `values` may be used
  /// only through the result from here on.
  llvm::SmallVector<mlir::Value> productWait(llvm::ArrayRef<mlir::Value> values, int pending);

  /// One 64 x n product over all its k-steps. `acc` empty starts from zero. The
  /// left operand is a descriptor (`lhs`, with an offset in 16 bytes for each
  /// step), or fragments of 4 registers a step (`lhsFragments`).
  struct Product {
    int64_t n = 0;
    bool isBf16 = true;
    bool rhsIsTransposed = false; ///< B is stored [k][n], as V is
    llvm::SmallVector<mlir::Value> acc;
    mlir::Value lhs;
    llvm::SmallVector<mlir::Value> lhsFragments;
    llvm::SmallVector<int64_t> lhsSteps;
    mlir::Value rhs;
    llvm::SmallVector<int64_t> rhsSteps;
  };
  llvm::SmallVector<mlir::Value> product(const Product &product);

  mlir::OpBuilder &b;
  mlir::Location loc;

private:
  void effect(const std::string &code, llvm::StringRef constraints, mlir::ValueRange operands);
  mlir::Value pure(const std::string &code, llvm::StringRef constraints, mlir::ValueRange operands,
                   mlir::Type type);
  llvm::SmallVector<mlir::Value> results(const std::string &code, const std::string &constraints,
                                         mlir::ValueRange operands, size_t count);
};

} // namespace girih::hopper

#endif // GIRIH_CONVERSION_TILETOHOPPER_ASM_H
