//===- ScalarBuilder.h - Scalars, memory and lanes of a GPU thread -*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One method an operation of a thread; what every NVIDIA GPU since sm_80 has.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_CONVERSION_FRAGMENTS_SCALARBUILDER_H
#define GIRIH_CONVERSION_FRAGMENTS_SCALARBUILDER_H

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/Builders.h"

#include <string>

namespace girih::gpu {

/// Builds scalar LLVM ops and inline PTX at the builder's place.
class ScalarBuilder {
public:
  ScalarBuilder(mlir::OpBuilder &b, mlir::Location loc) : b(b), loc(loc) {}

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
  /// Exchanges an f32 or i32 with the lane whose number differs by `mask`.
  mlir::Value shuffleXor(mlir::Value x, int mask);
  /// Whether `condition` (i1) holds for any lane of the warp.
  mlir::Value anyLane(mlir::Value condition);
  /// The lowest `count` bits set, all for a count of 32 or more; i32.
  mlir::Value lowBits(mlir::Value count);
  /// x and y rounded to bf16 or f16, x in the low half of an i32.
  mlir::Value pack(mlir::Value x, mlir::Value y, bool isBf16);

  //===--- Memory --------------------------------------------------------------===//
  /// Loads `type` at `bytes` behind `base`.
  mlir::Value load(mlir::Value base, int64_t bytes, mlir::Type type, bool isInvariant = true);
  mlir::Value element(mlir::Value base, mlir::Value index, mlir::Type type);
  /// Stores 1, 2 or 4 words (f32 or i32), or an i16, to global memory where `when` is
  /// true, without a branch. Aligned to all of them.
  void storeWords(mlir::Value address, mlir::ValueRange words, mlir::Value when);

  //===--- Threads ---------------------------------------------------------------===//
  mlir::Value special(llvm::StringRef name);
  mlir::Value uniform(mlir::Value x); ///< broadcasts lane 0, so that branches are uniform
  /// The same value, which LLVM cannot move: what is made of it stays behind the
  /// branch, instead of in registers over all of the kernel.
  mlir::Value opaque(mlir::Value x);
  void syncThreads();

  mlir::OpBuilder &b;
  mlir::Location loc;

protected:
  void effect(const std::string &code, llvm::StringRef constraints, mlir::ValueRange operands);
  mlir::Value pure(const std::string &code, llvm::StringRef constraints, mlir::ValueRange operands,
                   mlir::Type type);
  /// Inline asm with a side effect and `count` f32 results.
  llvm::SmallVector<mlir::Value> results(const std::string &code, const std::string &constraints,
                                         mlir::ValueRange operands, size_t count);
};

} // namespace girih::gpu

#endif // GIRIH_CONVERSION_FRAGMENTS_SCALARBUILDER_H
