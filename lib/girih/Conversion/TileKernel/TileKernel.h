//===- TileKernel.h - What lowerings take for granted -----------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels come from girih-convert-attention-to-tile, but a file of IR may say
// anything that verifies. Each lowering asks here before it starts.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_CONVERSION_TILEKERNEL_TILEKERNEL_H
#define GIRIH_CONVERSION_TILEKERNEL_TILEKERNEL_H

#include "mlir/Dialect/Func/IR/FuncOps.h"

namespace girih {

/// Whether a type is that of a tile: a tensor of known extents and at most two dimensions.
bool isTile(mlir::Type type);

/// Checks that `kernel` has one block; that its tiles are made inside it, of element
/// types and sizes that lowerings know, constants being splats; and that tile ops
/// read no scalar argument but the scale (the fourth). Emits an error at what is
/// otherwise.
mlir::LogicalResult checkTileKernel(mlir::func::FuncOp kernel);

} // namespace girih

#endif // GIRIH_CONVERSION_TILEKERNEL_TILEKERNEL_H
