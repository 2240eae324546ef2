//===- Tile.cpp - Verifiers and registration of girih_tile ----------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Tile/Tile.h"
#include "girih/Pattern/RegionChecks.h"

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

static ShapedType shaped(Value value) { return cast<ShapedType>(value.getType()); }

// Checks that two static sizes are equal; a dynamic one is equal to any.
static LogicalResult checkSizes(Operation *op, StringRef what, int64_t first, int64_t second) {
  if (first == second || ShapedType::isDynamic(first) || ShapedType::isDynamic(second))
    return success();
  return op->emitOpError() << what << " to match, but got " << first << " and " << second;
}

LogicalResult LoadOp::verify() {
  Type from = getSource().getType().getElementType(), to = getTile().getType().getElementType();
  if (from != to)
    return emitOpError("[c1] expected element types of source and tile to match, but got ")
           << from << " and " << to;
  return checkSizes(*this, "[c2] expected columns of source and tile",
                    shaped(getSource()).getDimSize(3), shaped(getTile()).getDimSize(1));
}

LogicalResult StoreOp::verify() {
  int64_t tileRank = shaped(getTile()).getRank(), destRank = shaped(getDest()).getRank();
  if (destRank != tileRank + 2)
    return emitOpError("[c1] expected dest of rank ")
           << tileRank + 2 << " for a tile of rank " << tileRank << ", but got " << destRank;
  if (tileRank == 1)
    return success();
  return checkSizes(*this, "[c2] expected columns of tile and dest",
                    shaped(getTile()).getDimSize(1), shaped(getDest()).getDimSize(3));
}

LogicalResult FoldColumnsOp::verify() {
  int64_t from = shaped(getTile()).getDimSize(1), to = shaped(getResult()).getDimSize(1);
  if (from % to != 0)
    return emitOpError("[c2] expected the columns of the result to divide those of the tile, but "
                       "got ")
           << to << " and " << from;
  return checkSizes(*this, "[c1] expected rows of tile and result", shaped(getTile()).getDimSize(0),
                    shaped(getResult()).getDimSize(0));
}

LogicalResult DotOp::verify() {
  bool transposed = getTransposeRhs();
  ShapedType lhs = shaped(getLhs()), rhs = shaped(getRhs()), acc = shaped(getAcc());
  StringRef inner = transposed ? "[c1] expected columns of lhs and columns of rhs"
                               : "[c1] expected columns of lhs and rows of rhs";
  StringRef outer = transposed ? "[c3] expected rows of rhs and columns of acc"
                               : "[c3] expected columns of rhs and columns of acc";
  if (failed(checkSizes(*this, inner, lhs.getDimSize(1), rhs.getDimSize(transposed ? 1 : 0))) ||
      failed(checkSizes(*this, "[c2] expected rows of lhs and acc", lhs.getDimSize(0),
                        acc.getDimSize(0))))
    return failure();
  return checkSizes(*this, outer, rhs.getDimSize(transposed ? 0 : 1), acc.getDimSize(1));
}

LogicalResult RowReduceOp::verify() {
  return checkSizes(*this, "[c1] expected rows of tile and result", shaped(getTile()).getDimSize(0),
                    shaped(getResult()).getDimSize(0));
}

LogicalResult BroadcastOp::verify() {
  return checkSizes(*this, "[c1] expected rows of vector and result",
                    shaped(getVector()).getDimSize(0), shaped(getResult()).getDimSize(0));
}

LogicalResult MapOp::verifyRegions() {
  Type f32 = Float32Type::get(getContext()), index = IndexType::get(getContext());
  if (failed(checkRegionArguments(*this, getBody(), "c1", "the region",
                                  {f32, index, index, index, index})) ||
      failed(checkRegionYields(*this, getBody(), "c2", "the region", f32)))
    return failure();
  return checkRegionEffects(*this, getBody(), "c3", "the region");
}
