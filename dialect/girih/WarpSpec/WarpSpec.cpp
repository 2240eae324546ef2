//===- WarpSpec.cpp - Verifiers and registration of girih_ws --------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What one op can see of itself. What a whole program must keep is the business of
// girih-ws-verify.
//
//===----------------------------------------------------------------------===//

#include "girih/WarpSpec/WarpSpec.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace girih;
using namespace girih::ws;

#include "girih/WarpSpec/WarpSpecDialect.cpp.inc"
#include "girih/WarpSpec/WarpSpecEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "girih/WarpSpec/WarpSpecAttributes.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "girih/WarpSpec/WarpSpecTypes.cpp.inc"

#define GET_OP_CLASSES
#include "girih/WarpSpec/WarpSpecOps.cpp.inc"

void GirihWsDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "girih/WarpSpec/WarpSpecAttributes.cpp.inc"
      >();
  addTypes<
#define GET_TYPEDEF_LIST
#include "girih/WarpSpec/WarpSpecTypes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "girih/WarpSpec/WarpSpecOps.cpp.inc"
      >();
}

std::optional<Place> ws::placeOf(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  auto layout = tensor ? dyn_cast_or_null<LayoutAttr>(tensor.getEncoding()) : LayoutAttr();
  return layout ? std::optional(layout.getPlace()) : std::nullopt;
}

RankedTensorType ws::withPlace(RankedTensorType type, Place place) {
  return RankedTensorType::get(type.getShape(), type.getElementType(),
                               LayoutAttr::get(type.getContext(), place));
}

int64_t ws::sharedBytes(RankedTensorType tile) {
  return tile.getDimSize(0) * ((tile.getDimSize(1) + 63) / 64) * 128;
}

LogicalResult ChannelType::verify(function_ref<InFlightDiagnostic()> emitError,
                                  RankedTensorType tile, int64_t stages) {
  if (stages < 1)
    return emitError() << "expected a channel of at least one stage, but got " << stages;
  std::optional<Place> place = placeOf(tile);
  if (!tile.getElementType().isIntOrFloat() || tile.getElementTypeBitWidth() != 16)
    return emitError() << "expected a channel of 16-bit elements, but got " << tile;
  if (tile.getRank() != 2 || (place != Place::SharedK && place != Place::SharedMN))
    return emitError() << "expected a channel of tiles in shared memory, but got " << tile;
  // So that its bytes fit 64 bits, whether or not they fit the memory.
  constexpr int64_t mostStages = 1024, mostExtent = 65536;
  if (stages > mostStages)
    return emitError() << "expected a channel of at most " << mostStages << " stages, but got "
                       << stages;
  for (int64_t extent : tile.getShape())
    if (extent < 1 || extent > mostExtent)
      return emitError() << "expected a channel of tiles of 1 to " << mostExtent
                         << " rows and columns, but got " << tile;
  return success();
}

LogicalResult RoleOp::verify() {
  if (getRegisters() % 8 || getRegisters() < 24 || getRegisters() > 256)
    return emitOpError("[c1] expected registers to be a multiple of 8 in 24..256, but got ")
           << getRegisters();
  int64_t warpgroups = getWarpgroups();
  if (warpgroups < 1 || warpgroups > 8)
    return emitOpError("[c2] expected 1 to 8 warpgroups, but got ") << warpgroups;
  return success();
}

LogicalResult ForItemsOp::verifyRegions() {
  MLIRContext *context = getContext();
  SmallVector<Type> item(6, IndexType::get(context));
  item.append(3, IntegerType::get(context, 1));
  SmallVector<Type> carried(getResultTypes());
  bool hasFirst = !getFirst().empty();
  if (getInits().size() != (hasFirst ? 0 : carried.size()) ||
      (!hasFirst && TypeRange(getInits()) != TypeRange(carried)))
    return emitOpError("[c3] expected ")
           << (hasFirst ? 0 : carried.size()) << " initial values of the carried types, but got "
           << getInits().size();
  auto check = [&](Region &region, StringRef name, ArrayRef<Type> types) -> LogicalResult {
    if (TypeRange(region.getArgumentTypes()) != TypeRange(types))
      return emitOpError("[c1] expected region ")
             << name << " to take the parts of an item and " << types.size() - item.size()
             << " carried values of their types";
    auto yield = dyn_cast<YieldOp>(region.front().getTerminator());
    if (!yield || TypeRange(yield->getOperandTypes()) != TypeRange(carried))
      return emitOpError("[c2] expected region ") << name << " to yield the carried values";
    return success();
  };
  if (hasFirst && failed(check(getFirst(), "first", item)))
    return failure();
  SmallVector<Type> all(item);
  llvm::append_range(all, carried);
  return check(getRest(), "rest", all);
}

LogicalResult PutOp::verify() {
  auto source = cast<RankedTensorType>(getSource().getType());
  RankedTensorType tile = getChannel().getType().getTile();
  Type from = source.getElementType(), to = tile.getElementType();
  if (from != to)
    return emitOpError("[c1] expected element types of source and channel to match, but got ")
           << from << " and " << to;
  int64_t columns = source.getDimSize(3);
  if (!ShapedType::isDynamic(columns) && columns != tile.getDimSize(1))
    return emitOpError("[c2] expected columns of source and channel to match, but got ")
           << columns << " and " << tile.getDimSize(1);
  return success();
}

LogicalResult GetOp::verify() {
  if (getTile().getType() != getChannel().getType().getTile())
    return emitOpError("[c1] expected the tile of the channel, ")
           << getChannel().getType().getTile() << ", but got " << getTile().getType();
  return success();
}

LogicalResult DotAsyncOp::verify() {
  RankedTensorType tile = getToken().getType().getTile();
  auto lhs = cast<RankedTensorType>(getLhs().getType());
  auto rhs = cast<RankedTensorType>(getRhs().getType());
  if (placeOf(tile) != Place::Accumulator || tile.getRank() != 2 ||
      tile.getDimSize(0) != lhs.getDimSize(0))
    return emitOpError("[c1] expected a token of an accumulator with the rows of ")
           << lhs << ", but got " << tile;
  if (getAcc() && getAcc().getType() != tile)
    return emitOpError("[c2] expected acc to have the type of the result, ")
           << tile << ", but got " << getAcc().getType();
  bool isTransposed = placeOf(rhs) == Place::SharedK;
  int64_t depth = rhs.getDimSize(isTransposed ? 1 : 0);
  int64_t columns = rhs.getDimSize(isTransposed ? 0 : 1);
  if (lhs.getDimSize(1) != depth)
    return emitOpError("[c3] expected inner dims of lhs and rhs to match, but got ")
           << lhs.getDimSize(1) << " and " << depth;
  if (tile.getDimSize(1) != columns)
    return emitOpError("[c4] expected columns of the result and of rhs to match, but got ")
           << tile.getDimSize(1) << " and " << columns;
  return success();
}

LogicalResult WaitOp::verify() {
  if (getTile().getType() != getToken().getType().getTile())
    return emitOpError("[c1] expected the tile of the token, ")
           << getToken().getType().getTile() << ", but got " << getTile().getType();
  return success();
}

LogicalResult DropOp::verify() {
  auto tile = cast<RankedTensorType>(getTile().getType());
  auto keep = cast<RankedTensorType>(getKeep().getType());
  if (keep.getShape() != tile.getShape() || !keep.getElementType().isInteger(1))
    return emitOpError("[c1] expected keep to have an i1 for each element of ")
           << tile << ", but got " << keep;
  return success();
}

LogicalResult TurnOp::verifyRegions() {
  auto yield = dyn_cast<YieldOp>(getBody().front().getTerminator());
  if (!yield || TypeRange(yield->getOperandTypes()) != TypeRange(getResultTypes()))
    return emitOpError("[c1] expected the region to yield the results");
  return success();
}
