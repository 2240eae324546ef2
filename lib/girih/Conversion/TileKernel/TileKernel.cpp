//===- TileKernel.cpp - What lowerings take for granted -------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Conversion/TileKernel/TileKernel.h"

#include "girih/Pattern/Girih.h"
#include "girih/Tile/Tile.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;
using namespace girih;

/// More than any memory near a core holds; sizes in bytes stay far within 32 bits.
static constexpr int64_t maxTileElements = int64_t(1) << 20;

/// Elements of a statically shaped tensor, or of no more than the limit.
static int64_t countElements(RankedTensorType type) {
  int64_t elements = 1;
  for (int64_t size : type.getShape())
    elements = size > maxTileElements ? maxTileElements + 1
                                      : std::min(elements * size, maxTileElements + 1);
  return elements;
}

bool girih::isTile(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  return tensor && tensor.hasStaticShape() && tensor.getRank() <= 2;
}

static LogicalResult checkTile(Operation *op, Value tile) {
  auto type = cast<RankedTensorType>(tile.getType());
  int64_t elements = countElements(type);
  if (type.getRank() == 0 || elements == 0 || elements > maxTileElements)
    return op->emitOpError("expected tiles of 1 to ")
           << maxTileElements << " elements, but got " << type;
  Type element = type.getElementType();
  if (!element.isF32() && !element.isBF16() && !element.isF16() && !element.isInteger(1))
    return op->emitOpError("expected tiles of f32, bf16, f16 or i1, but got ") << type;
  auto argument = dyn_cast<BlockArgument>(tile);
  if (argument && !isa<ForBlocksOp>(argument.getOwner()->getParentOp()))
    return op->emitOpError("expected a tile that is made in the kernel, but got an argument");
  return success();
}

/// Of the kernel's own arguments only the scale is a scalar.
static LogicalResult checkScalar(Operation *op, Value scalar) {
  auto argument = dyn_cast<BlockArgument>(scalar);
  if (!argument || !isa<func::FuncOp>(argument.getOwner()->getParentOp()) ||
      (argument.getArgNumber() == 3 && scalar.getType().isF32()))
    return success();
  return op->emitOpError("reads a value that a tile kernel does not have");
}

static LogicalResult checkOp(Operation *op) {
  for (Value value : llvm::concat<Value>(op->getOperands(), op->getResults()))
    if (isTile(value.getType()) && failed(checkTile(op, value)))
      return failure();
  if (isa<tile::GirihTileDialect>(op->getDialect()))
    for (Value operand : op->getOperands())
      if (operand.getType().isIntOrIndexOrFloat() && failed(checkScalar(op, operand)))
        return failure();
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    auto elements = dyn_cast<ElementsAttr>(constant.getValue());
    if (elements && !(isa<DenseElementsAttr>(elements) && elements.isSplat()))
      return op->emitOpError("expected a splat constant");
  }
  return success();
}

LogicalResult girih::checkTileKernel(func::FuncOp kernel) {
  if (!llvm::hasSingleElement(kernel.getBody()))
    return kernel.emitOpError("expected a tile kernel of one block");
  WalkResult result = kernel.walk([&](Operation *op) {
    bool isBad = op != kernel && failed(checkOp(op));
    return isBad ? WalkResult::interrupt() : WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}
