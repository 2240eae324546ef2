//===- WsPingPong.cpp - Let warpgroups take turns at the tensor cores -----===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// FlashAttention-3's schedule (Shah et al., arXiv 2407.08608): the turn covers the
// start of products only, not their end.
//
//===----------------------------------------------------------------------===//

#include "girih/Transforms/Passes.h"
#include "girih/WarpSpec/WarpSpec.h"

using namespace mlir;

namespace girih {
#define GEN_PASS_DEF_WSPINGPONG
#include "girih/Transforms/Passes.h.inc"
} // namespace girih

using namespace girih;

/// Wraps the products of `block` and what is between them.
static void wrapProducts(Block &block) {
  SmallVector<ws::DotAsyncOp> dots(block.getOps<ws::DotAsyncOp>());
  if (dots.size() < 2)
    return;
  Operation *begin = dots.front(), *end = dots.back()->getNextNode();
  SmallVector<Operation *> ops;
  for (Operation *op = begin; op != end; op = op->getNextNode())
    ops.push_back(op);
  SmallVector<Value> results;
  for (Operation *op : ops)
    for (Value result : op->getResults())
      if (llvm::any_of(result.getUsers(), [&](Operation *user) {
            return !llvm::is_contained(ops, block.findAncestorOpInBlock(*user));
          }))
        results.push_back(result);

  OpBuilder b(begin);
  Location loc = begin->getLoc();
  auto turn = ws::TurnOp::create(b, loc, ValueRange(results).getTypes());
  Block *body = b.createBlock(&turn.getBody());
  for (auto [result, outer] : llvm::zip(results, turn.getResults()))
    result.replaceUsesWithIf(outer, [&](OpOperand &use) {
      return !llvm::is_contained(ops, block.findAncestorOpInBlock(*use.getOwner()));
    });
  for (Operation *op : ops)
    op->moveBefore(body, body->end());
  b.setInsertionPointToEnd(body);
  YieldOp::create(b, loc, results);
}

namespace {

struct WsPingPong : girih::impl::WsPingPongBase<WsPingPong> {
  void runOnOperation() override {
    getOperation().walk([&](ws::ForItemsOp items) {
      auto role = items->getParentOfType<ws::RoleOp>();
      if (role.getWarpgroups() > 1 && !items.getFirst().empty())
        wrapProducts(items.getRest().front());
    });
  }
};

} // namespace
