//===- Passes.h - Passes from girih to girih --------------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_TRANSFORMS_PASSES_H
#define GIRIH_TRANSFORMS_PASSES_H

#include "girih/Pattern/Girih.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/Pass.h"

namespace girih {
#define GEN_PASS_DECL
#include "girih/Transforms/Passes.h.inc"

#define GEN_PASS_REGISTRATION
#include "girih/Transforms/Passes.h.inc"
} // namespace girih

#endif // GIRIH_TRANSFORMS_PASSES_H
