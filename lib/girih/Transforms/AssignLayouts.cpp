//===- AssignLayouts.cpp - Where the tiles of a GPU kernel live -----------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The propagation table, from how a value is made to its layout:
//
//   load that is multiplied as q or k (transposed)   shared_k
//   load that is multiplied as v                     shared_mn
//   rounding of a tile to the left side of a product operand
//   any other tile of f32 or i1                      accumulator
//   any row vector                                   rows
//
// Anything else is an error: there is no conversion through shared memory.
//
//===----------------------------------------------------------------------===//

#include "girih/Transforms/Passes.h"
#include "girih/WarpSpec/WarpSpec.h"

#include "mlir/Dialect/Arith/IR/Arith.h"

using namespace mlir;

namespace girih {
#define GEN_PASS_DEF_ASSIGNLAYOUTS
#include "girih/Transforms/Passes.h.inc"
} // namespace girih

using namespace girih;
using ws::Place;

static RankedTensorType tileType(Value value) {
  auto type = dyn_cast<RankedTensorType>(value.getType());
  return type && type.hasStaticShape() ? type : RankedTensorType();
}

/// Layout of a loaded tile, by the products that read it.
static FailureOr<Place> placeOfLoad(tile::LoadOp load) {
  std::optional<Place> place;
  for (OpOperand &use : load.getTile().getUses()) {
    auto dot = dyn_cast<tile::DotOp>(use.getOwner());
    if (!dot || use.getOperandNumber() > 1)
      return load.emitOpError(
          "expected to be an operand of girih_tile.dot as it is, but is used by "
          "an op of another kind");
    bool isValues = use.getOperandNumber() == 1 && !dot.getTransposeRhs();
    Place wanted = isValues ? Place::SharedMN : Place::SharedK;
    if (place && *place != wanted)
      return load.emitOpError("expected to be read in one way, but is read along its rows and "
                              "across them");
    place = wanted;
  }
  return place.value_or(Place::SharedK);
}

namespace {

struct AssignLayouts : girih::impl::AssignLayoutsBase<AssignLayouts> {
  void runOnOperation() override {
    func::FuncOp func = getOperation();
    if (func.getOps<tile::TaskOp>().empty())
      return;
    if (failed(packOperands(func)))
      return signalPassFailure();
    auto result = func.walk([&](Operation *op) {
      for (Region &region : op->getRegions())
        for (Block &block : region)
          if (!isa<func::FuncOp>(op))
            for (Value argument : block.getArguments())
              assign(argument);
      Place place = Place::Accumulator;
      if (auto load = dyn_cast<tile::LoadOp>(op)) {
        FailureOr<Place> found = placeOfLoad(load);
        if (failed(found))
          return WalkResult::interrupt();
        place = *found;
      } else if (isa<ws::PackOp>(op)) {
        place = Place::Operand;
      }
      for (Value value : op->getResults())
        assign(value, place);
      retypeConstant(op);
      return WalkResult::advance();
    });
    if (result.wasInterrupted())
      signalPassFailure();
  }

  /// Rounding to the left side of a product becomes a change of layout.
  LogicalResult packOperands(func::FuncOp func) {
    SmallVector<tile::DotOp> dots;
    func.walk([&](tile::DotOp dot) { dots.push_back(dot); });
    for (tile::DotOp dot : dots) {
      Value lhs = dot.getLhs(), rhs = dot.getRhs();
      unsigned bits = tileType(lhs).getElementTypeBitWidth();
      if (bits != 16 || !rhs.getDefiningOp<tile::LoadOp>())
        return dot.emitOpError(
                   "expected operands of 16 bits and a right one that is loaded, but got ")
               << lhs.getType() << " and " << rhs.getType();
      if (isa_and_nonnull<tile::LoadOp, ws::PackOp>(lhs.getDefiningOp()))
        continue;
      auto rounded = lhs.getDefiningOp<arith::TruncFOp>();
      if (!rounded || !rounded->hasOneUse())
        return dot.emitOpError(
            "expected a left operand that is loaded, or rounded for this product "
            "alone");
      OpBuilder b(rounded);
      RankedTensorType from = ws::withPlace(tileType(rounded.getIn()), Place::Accumulator);
      rounded.getIn().setType(from);
      auto pack = ws::PackOp::create(b, rounded.getLoc(),
                                     ws::withPlace(tileType(lhs), Place::Operand), rounded.getIn());
      rounded.replaceAllUsesWith(pack.getResult());
      rounded.erase();
    }
    return success();
  }

  void assign(Value value, Place place = Place::Accumulator) {
    RankedTensorType type = tileType(value);
    if (type)
      value.setType(ws::withPlace(type, type.getRank() == 1 ? Place::Rows : place));
  }

  void retypeConstant(Operation *op) {
    auto constant = dyn_cast<arith::ConstantOp>(op);
    auto elements = constant ? dyn_cast<DenseElementsAttr>(constant.getValue()) : nullptr;
    if (elements)
      constant.setValueAttr(elements.reshape(cast<ShapedType>(constant.getType())));
  }
};

} // namespace
