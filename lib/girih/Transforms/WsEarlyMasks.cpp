//===- WsEarlyMasks.cpp - Evaluate patterns before there are scores -------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Analysis/MaskCost.h"
#include "girih/Transforms/Passes.h"
#include "girih/WarpSpec/WarpSpec.h"

using namespace mlir;

namespace girih {
#define GEN_PASS_DEF_WSEARLYMASKS
#include "girih/Transforms/Passes.h.inc"
} // namespace girih

using namespace girih;

/// Moves what makes `value` in the block of `place` in front of `place`.
static void moveUp(Value value, Operation *place) {
  Operation *op = value.getDefiningOp();
  if (!op || op->getBlock() != place->getBlock() || op->isBeforeInBlock(place))
    return;
  for (Value operand : op->getOperands())
    moveUp(operand, place);
  op->moveBefore(place);
}

namespace {

struct WsEarlyMasks : girih::impl::WsEarlyMasksBase<WsEarlyMasks> {
  void runOnOperation() override {
    SmallVector<tile::MaskOp> masks;
    getOperation().walk([&](ws::RoleOp role) {
      role.walk([&](tile::MaskOp mask) {
        if (!maskCost(mask.getPattern()).isCheap())
          masks.push_back(mask);
      });
    });
    for (tile::MaskOp mask : masks) {
      auto dots = mask->getBlock()->getOps<ws::DotAsyncOp>();
      if (dots.empty() || mask->isBeforeInBlock(*dots.begin()))
        continue;
      Operation *place = *dots.begin();
      for (Value operand : mask->getOperands().drop_front()) // all but the scores
        moveUp(operand, place);
      auto scores = cast<RankedTensorType>(mask.getTile().getType());
      OpBuilder b(place);
      auto keep = ws::KeepOp::create(b, mask.getLoc(), scores.clone(b.getI1Type()),
                                     mask.getPattern(), mask.getBatch(), mask.getHead(),
                                     mask.getQRow(), mask.getKRow(), mask.getWhen());
      b.setInsertionPoint(mask);
      auto drop = ws::DropOp::create(b, mask.getLoc(), mask.getTile(), keep, mask.getWhen());
      mask.replaceAllUsesWith(drop.getResult());
      mask.erase();
    }
  }
};

} // namespace
