//===- Tile.cpp - Verifiers and registration of girih_tile ----------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Tile/Tile.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"

using namespace mlir;

#include "girih/Tile/TileDialect.cpp.inc"
#include "girih/Tile/TileEnums.cpp.inc"

#define GET_OP_CLASSES
#include "girih/Tile/TileOps.cpp.inc"

using namespace girih::tile;

void GirihTileDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "girih/Tile/TileOps.cpp.inc"
      >();
}

LogicalResult LoadOp::verify() { return success(); }
LogicalResult StoreOp::verify() { return success(); }
LogicalResult DotOp::verify() { return success(); }
LogicalResult RowReduceOp::verify() { return success(); }
LogicalResult BroadcastOp::verify() { return success(); }
LogicalResult MapOp::verify() { return success(); }
