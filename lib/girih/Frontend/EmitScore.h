//===- EmitScore.h - Score trees to arith and math --------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_FRONTEND_EMITSCORE_H
#define GIRIH_FRONTEND_EMITSCORE_H

#include "girih/Frontend/Score.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace girih {

/// What a score reads. The functions are asked when something is first read.
struct ScoreInputs {
  mlir::Value score;                                        ///< after the scale, f32
  llvm::function_ref<mlir::Value(Var)> variable;            ///< of type index
  llvm::function_ref<mlir::Value(const TableData &)> table; ///< a tensor of `lookupType`
};

/// Emits a score as ops of arith and math, and lookups, where `b` stands, and returns it as
/// f32. The score must be valid.
mlir::Value emitScore(mlir::OpBuilder &b, mlir::Location loc, const Score &score,
                      const ScoreInputs &inputs);

} // namespace girih

#endif // GIRIH_FRONTEND_EMITSCORE_H
