//===- Passes.h - Passes from one level to the next -------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_CONVERSION_PASSES_H
#define GIRIH_CONVERSION_PASSES_H

#include "girih/Tile/Tile.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/Dialect/MemRef/IR/MemRef.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/Pass/Pass.h"

namespace girih {
#define GEN_PASS_DECL
#include "girih/Conversion/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "girih/Conversion/Passes.h.inc"
} // namespace girih

#endif // GIRIH_CONVERSION_PASSES_H
