//===- Girih.cpp - Registration of the girih dialect ----------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Pattern/Girih.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

#include "girih/Pattern/GirihDialect.cpp.inc"
#include "girih/Pattern/GirihEnums.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "girih/Pattern/GirihTypes.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "girih/Pattern/GirihAttributes.cpp.inc"

void girih::GirihDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "girih/Pattern/GirihOps.cpp.inc"
      >();
  addTypes<
#define GET_TYPEDEF_LIST
#include "girih/Pattern/GirihTypes.cpp.inc"
      >();
  addAttributes<
#define GET_ATTRDEF_LIST
#include "girih/Pattern/GirihAttributes.cpp.inc"
      >();
}
