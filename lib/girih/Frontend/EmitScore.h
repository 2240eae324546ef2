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

/// Emits a score as ops of arith and math where `b` stands and returns it as f32.
/// `scaled` is the score as it comes, an f32; `variable` gives the others, of type
/// index, each when it is first read. The score must be valid.
mlir::Value emitScore(mlir::OpBuilder &b, mlir::Location loc, const Score &score,
                      mlir::Value scaled, llvm::function_ref<mlir::Value(Var)> variable);

} // namespace girih

#endif // GIRIH_FRONTEND_EMITSCORE_H
