//===- Girih.h - The girih dialect ------------------------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_PATTERN_GIRIH_H
#define GIRIH_PATTERN_GIRIH_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/AffineMap.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/IntegerSet.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/Interfaces/ControlFlowInterfaces.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "girih/Pattern/GirihEnums.h.inc"

#include "girih/Pattern/GirihDialect.h.inc"

#define GET_TYPEDEF_CLASSES
#include "girih/Pattern/GirihTypes.h.inc"

#define GET_ATTRDEF_CLASSES
#include "girih/Pattern/GirihAttributes.h.inc"

#define GET_OP_CLASSES
#include "girih/Pattern/GirihOps.h.inc"

namespace girih {

/// Positions of a girih.where set: dimensions (b, h, q, k), symbols [nq, nk, n],
/// n the absolute query end. A set that multiplies variables takes all seven as
/// symbols, in this order, because affine dimensions can't be multiplied.
enum SetPosition : unsigned { PosB, PosH, PosQ, PosK, PosNq, PosNk, PosEnd, NumPositions };
inline constexpr unsigned numSetDims = 4;
inline constexpr unsigned numSetSymbols = 3;

} // namespace girih

#endif // GIRIH_PATTERN_GIRIH_H
