//===- EmitIR.h - Pattern trees to the girih dialect ------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_FRONTEND_EMITIR_H
#define GIRIH_FRONTEND_EMITIR_H

#include "girih/Frontend/Pattern.h"
#include "girih/Frontend/Score.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace girih {

/// One kernel as a function of L0.
struct KernelSpec {
  std::string name = "attention";
  mlir::Type element; ///< f32, bf16 or f16
  mlir::Type output;  ///< of o: f32, or as `element`
  int64_t headDim = 64, vDim = 64;
  bool topLeft = false;
  Score score; ///< valid, or none
};

/// A module with one function (q, k, v, scale, run-time operands...) -> (o, lse).
/// Operands come in the order of `patternTables`, then of `kernelLookups`. The pattern must
/// be valid.
mlir::OwningOpRef<mlir::ModuleOp> emitKernel(mlir::MLIRContext *context, const Pattern &pattern,
                                             const KernelSpec &spec);

/// Nodes of a tree that have run-time operands, in the order of the kernel's
/// arguments: offsets of segments; indptr, then indices of block tables. Nodes
/// that appear twice are listed once.
std::vector<const PatternNode *> patternTables(const Pattern &pattern);

/// The type of the kernel's argument for an array: a tensor of i32 or f32 of its rank.
mlir::Type lookupType(mlir::MLIRContext *context, const TableData &table);

} // namespace girih

#endif // GIRIH_FRONTEND_EMITIR_H
