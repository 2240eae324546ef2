//===- WsAsyncDot.cpp - Split products into their start and a wait --------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Transforms/Passes.h"
#include "girih/WarpSpec/WarpSpec.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;

namespace girih {
#define GEN_PASS_DEF_WSASYNCDOT
#include "girih/Transforms/Passes.h.inc"
} // namespace girih

using namespace girih;

static bool isZero(Value tile) { return matchPattern(tile, m_AnyZeroFloat()); }

/// Takes a select of zero away from the accumulator of `dot`: of select(c, 0, x), of
/// that times a row vector (0 times a finite number), or of a branch that chooses
/// between the two. Returns `c`, or nothing where something else than `dot` sees the
/// zero too.
static Value takeFresh(tile::DotOp dot) {
  // The uses through which the zero may reach the product.
  llvm::SmallPtrSet<OpOperand *, 8> chain{&dot.getAccMutable()};
  auto unscaledInChain = [&](OpOperand &use) -> Value {
    auto scaled = use.get().getDefiningOp<arith::MulFOp>();
    if (!scaled)
      return use.get();
    for (OpOperand &operand : scaled->getOpOperands())
      chain.insert(&operand);
    return scaled.getLhs();
  };
  SmallVector<Value> links{dot.getAcc()};
  Value inner;
  if (auto branch = dot.getAcc().getDefiningOp<scf::IfOp>()) {
    unsigned number = cast<OpResult>(dot.getAcc()).getResultNumber();
    for (scf::YieldOp yield : {branch.thenYield(), branch.elseYield()}) {
      OpOperand &use = yield->getOpOperand(number);
      chain.insert(&use);
      links.push_back(use.get());
      Value value = unscaledInChain(use);
      if (inner && value != inner)
        return {};
      inner = value;
    }
  } else {
    inner = unscaledInChain(dot.getAccMutable());
  }
  auto select = inner.getDefiningOp<arith::SelectOp>();
  if (!select || !isZero(select.getTrueValue()) || !select.getCondition().getType().isInteger(1))
    return {};
  links.push_back(select);
  for (Value link : links)
    for (OpOperand &use : link.getUses())
      if (!chain.contains(&use))
        return {};
  Value fresh = select.getCondition();
  select.replaceAllUsesWith(select.getFalseValue());
  select.erase();
  return fresh;
}

namespace {

struct WsAsyncDot : girih::impl::WsAsyncDotBase<WsAsyncDot> {
  void runOnOperation() override {
    SmallVector<tile::DotOp> dots;
    getOperation().walk(
        [&](ws::RoleOp role) { role.walk([&](tile::DotOp dot) { dots.push_back(dot); }); });
    for (tile::DotOp dot : dots) {
      auto tile = cast<RankedTensorType>(dot.getResult().getType());
      if (ws::placeOf(tile) != ws::Place::Accumulator) {
        dot.emitOpError("expected a result with a layout; run girih-assign-layouts first");
        return signalPassFailure();
      }
      Value acc, fresh;
      if (!isZero(dot.getAcc())) {
        fresh = takeFresh(dot);
        acc = dot.getAcc();
      }
      OpBuilder b(dot);
      auto token = ws::DotAsyncOp::create(b, dot.getLoc(), ws::TokenType::get(&getContext(), tile),
                                          dot.getLhs(), dot.getRhs(), acc, fresh);
      auto wait = ws::WaitOp::create(b, dot.getLoc(), tile, token, /*pending=*/0);
      dot.replaceAllUsesWith(wait.getTile());
      dot.erase();
    }
  }
};

} // namespace
