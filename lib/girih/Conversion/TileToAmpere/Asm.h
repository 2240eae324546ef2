//===- Asm.h - Asynchronous copies and warp products of sm_80 ---*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One method an instruction, PTX ISA's names in their comments. Shared memory
// addresses are i32.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_CONVERSION_TILETOAMPERE_ASM_H
#define GIRIH_CONVERSION_TILETOAMPERE_ASM_H

#include "girih/Conversion/Fragments/ScalarBuilder.h"

#include <array>

namespace girih::ampere {

/// Registers of one operand of a warp's product: pairs of 16-bit numbers.
using Matrices = std::array<mlir::Value, 4>;

class Asm : public gpu::ScalarBuilder {
public:
  using ScalarBuilder::ScalarBuilder;

  /// %tid.x, read again: a register less over what lies between.
  mlir::Value threadAgain();
  /// cp.async: copies `count` bytes (0 to 16) from global memory to `to`, and
  /// writes zeros up to 16. Both at `bytes` behind their addresses.
  void copyAsync(mlir::Value to, int64_t toBytes, mlir::Value from, int64_t fromBytes,
                 mlir::Value count);
  /// cp.async.commit_group: the copies since the last commit, maybe none, are a group.
  void copyCommit();
  /// cp.async.wait_group: waits for this thread's groups but the latest `pending`.
  void copyWait(int pending);
  /// ldmatrix.x4: four 8 x 8 matrices; lane i says where row i % 8 of matrix i / 8 is.
  Matrices loadMatrices(mlir::Value address, int64_t bytes, bool isTransposed);
  /// mma.m16n8k16: returns acc + a b for 16 x 8 numbers of a warp, 4 a thread.
  std::array<mlir::Value, 4> product(llvm::ArrayRef<mlir::Value> acc, const Matrices &a,
                                     mlir::Value b0, mlir::Value b1, bool isBf16);

private:
  std::array<mlir::Value, 4> four(const std::string &code, llvm::StringRef constraints,
                                  mlir::ValueRange operands, mlir::Type type);
};

} // namespace girih::ampere

#endif // GIRIH_CONVERSION_TILETOAMPERE_ASM_H
