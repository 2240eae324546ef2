//===- WsPipeline.cpp - Overlap the second product with the next item -----===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// FlashAttention-3's overlap inside of a warpgroup (Shah et al., arXiv 2407.08608),
// as software pipelining of two stages:
//
//   early    get K, S = Q K^T, softmax
//   late     get V, O += P V, and the output when the task is over
//
//   items    0:E   1:E   2:E
//                  0:L   1:L   2:L
//
// The late stage of an item starts right behind the first product of the next one.
// When that is the first item of a task, the output of the task before is stored
// before its softmax, which uses the same registers.
//
//===----------------------------------------------------------------------===//

#include "girih/Transforms/Passes.h"
#include "girih/WarpSpec/WarpSpec.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace girih {
#define GEN_PASS_DEF_WSPIPELINE
#include "girih/Transforms/Passes.h.inc"
} // namespace girih

using namespace girih;

namespace {

class Pipeliner {
public:
  explicit Pipeliner(ws::ForItemsOp loop)
      : loop(loop), body(loop.getRest().front()), b(loop), loc(loop.getLoc()) {}

  LogicalResult run() {
    SmallVector<ws::DotAsyncOp> dots(body.getOps<ws::DotAsyncOp>());
    if (dots.size() != 2)
      return success();
    firstDot = dots.front();
    lastDot = dots.back();
    if (failed(splitStages()))
      return failure();
    // What the late stage reads of the early one goes from an item to the next.
    for (Operation *op : late)
      op->walk([&](Operation *inner) {
        for (Value operand : inner->getOperands())
          if (isOfItem(operand) && operand != loop.getPart(ws::ForItemsOp::Last))
            carried.insert(operand);
      });
    yield = body.getTerminator();
    for (Value operand : yield->getOperands())
      if (operand != lastWait.getTile())
        carried.insert(operand);

    pipelined = ws::ForItemsOp::create(b, loc, carriedTypes(), loop.getMap(), ValueRange());
    emitFirst();
    emitRest();
    emitLast();
    loop.erase();
    return success();
  }

private:
  LogicalResult splitStages() {
    for (Operation *user : lastDot.getToken().getUsers())
      lastWait = dyn_cast<ws::WaitOp>(user);
    auto values = lastDot.getRhs().getDefiningOp<ws::GetOp>();
    if (!lastWait || !values || lastWait->getBlock() != &body)
      return lastDot.emitOpError("expected a right operand that is got, and a wait, for the last "
                                 "product of an item");
    for (Operation *op : {values.getOperation(), lastDot.getOperation(), lastWait.getOperation()})
      late.insert(op);
    SetVector<Value> product;
    product.insert(lastWait.getTile());
    for (Operation &op : body.without_terminator()) {
      if (auto release = dyn_cast<ws::ReleaseOp>(op);
          release && release.getChannel() == values.getChannel())
        late.insert(&op);
      if (auto branch = dyn_cast<scf::IfOp>(op); branch && reads(&op, product)) {
        if (branch.getCondition() != loop.getPart(ws::ForItemsOp::Last) || finish)
          return branch.emitOpError("expected one use of the output in an item, on the last one of "
                                    "a task");
        finish = branch;
        late.insert(&op);
      }
    }
    // What is computed from the carried output waits until the product is over.
    for (auto [argument, value] : llvm::zip(loop.getCarried(), body.getTerminator()->getOperands()))
      if (value == lastWait.getTile())
        output = argument;
    if (!output)
      return loop.emitOpError("expected the result of the last product to be carried");
    SetVector<Value> dependent;
    dependent.insert(output);
    for (Operation &op : body.without_terminator()) {
      if (late.contains(&op) || !reads(&op, dependent))
        continue;
      behind.insert(&op);
      ofOutput.insert(&op);
      dependent.insert(op.result_begin(), op.result_end());
    }
    sinkOperand();
    return success();
  }

  /// Whether `op` or an op inside of it reads one of `values`.
  static bool reads(Operation *op, const SetVector<Value> &values) {
    auto found = op->walk([&](Operation *inner) {
      bool isReader = llvm::any_of(inner->getOperands(),
                                   [&](Value operand) { return values.contains(operand); });
      return isReader ? WalkResult::interrupt() : WalkResult::advance();
    });
    return found.wasInterrupted();
  }

  /// Whether `value` is made anew for each item, outside of the late stage.
  bool isOfItem(Value value) {
    if (auto argument = dyn_cast<BlockArgument>(value))
      return argument.getOwner() == &body;
    Operation *op = value.getDefiningOp();
    return op->getBlock() == &body && !late.contains(op);
  }

  SmallVector<Type> carriedTypes() {
    return llvm::map_to_vector(carried, [](Value value) { return value.getType(); });
  }

  Block *beginRegion(Region &region, IRMapping &map, bool hasCarried) {
    Block *block = b.createBlock(&region);
    for (unsigned part = 0; part != ws::ForItemsOp::NumParts; ++part) {
      auto old = loop.getPart(static_cast<ws::ForItemsOp::Part>(part));
      map.map(old, block->addArgument(old.getType(), loc));
    }
    if (hasCarried)
      for (Value value : carried)
        block->addArgument(value.getType(), loc);
    return block;
  }

  bool isEarly(Operation &op) { return !late.contains(&op) && !behind.contains(&op); }

  /// Ops that only feed the last product: packed when the operands of the product
  /// before are free, the two need no more registers than one.
  void sinkOperand() {
    if (auto pack = lastDot.getLhs().getDefiningOp<ws::PackOp>();
        pack && pack->getBlock() == &body && pack->hasOneUse())
      behind.insert(pack);
  }

  void emitFirst() {
    OpBuilder::InsertionGuard guard(b);
    IRMapping map;
    beginRegion(pipelined.getFirst(), map, /*hasCarried=*/false);
    for (auto [argument, init] : llvm::zip(loop.getCarried(), loop.getInits()))
      map.map(argument, init);
    for (Operation &op : body.without_terminator())
      if (!late.contains(&op) && !ofOutput.contains(&op))
        b.clone(op, map);
    // The first product of a task leaves its accumulator out.
    Value zero = map.lookup(output);
    SmallVector<Value> values;
    for (Value value : carried)
      values.push_back(ofOutput.contains(value.getDefiningOp()) ? zero
                                                                : map.lookupOrDefault(value));
    YieldOp::create(b, loc, values);
  }

  /// Values of the item before, as the late stage reads them.
  IRMapping itemBefore(ValueRange values) {
    IRMapping map;
    for (auto [value, before] : llvm::zip(carried, values))
      map.map(value, before);
    return map;
  }

  void cloneFinish(IRMapping map) {
    for (Operation &op : finish.thenBlock()->without_terminator())
      b.clone(op, map);
  }

  void emitRest() {
    OpBuilder::InsertionGuard guard(b);
    IRMapping map;
    Block *block = beginRegion(pipelined.getRest(), map, /*hasCarried=*/true);
    IRMapping before = itemBefore(block->getArguments().drop_front(ws::ForItemsOp::NumParts));
    for (auto [argument, value] : llvm::zip(loop.getCarried(), yield->getOperands()))
      if (value != lastWait.getTile())
        map.map(argument, before.lookup(value));
    ws::WaitOp firstWait;
    for (Operation &op : body.without_terminator()) {
      if (!isEarly(op))
        continue;
      Operation *clone = b.clone(op, map);
      if (&op == firstDot.getOperation()) {
        b.clone(*lastDot.getRhs().getDefiningOp(), before);
        b.clone(*lastDot, before);
      }
      if (auto wait = dyn_cast<ws::WaitOp>(clone); wait && !firstWait) {
        firstWait = wait;
        firstWait.setPending(1);
      }
      // Behind the release of the first product's tiles.
      Operation *next = op.getNextNode();
      if (finish && firstWait && !isFinished && !isa<ws::ReleaseOp>(next)) {
        isFinished = true;
        auto isFirst = scf::IfOp::create(b, loc, map.lookup(loop.getPart(ws::ForItemsOp::First)),
                                         /*withElseRegion=*/false);
        OpBuilder::InsertionGuard inner(b);
        b.setInsertionPointToStart(isFirst.thenBlock());
        IRMapping local(before);
        b.clone(*lastWait, local);
        cloneFinish(local);
      }
    }
    emitEnd(before);
    map.map(output, before.lookup(lastWait.getTile()));
    for (Operation *op : behind)
      b.clone(*op, map);
    YieldOp::create(b, loc,
                    llvm::map_to_vector(carried, [&](Value v) { return map.lookupOrDefault(v); }));
  }

  /// The wait for the last product and the release of its tile.
  void emitEnd(IRMapping &map) {
    b.clone(*lastWait, map);
    for (Operation *op : late)
      if (isa<ws::ReleaseOp>(op))
        b.clone(*op, map);
  }

  void emitLast() {
    IRMapping before = itemBefore(pipelined.getResults());
    b.clone(*lastDot.getRhs().getDefiningOp(), before);
    b.clone(*lastDot, before);
    emitEnd(before);
    if (finish)
      cloneFinish(before);
  }

  ws::ForItemsOp loop, pipelined;
  Block &body;
  OpBuilder b;
  Location loc;
  ws::DotAsyncOp firstDot, lastDot;
  ws::WaitOp lastWait;
  scf::IfOp finish;
  bool isFinished = false;
  Operation *yield = nullptr;
  BlockArgument output;            ///< the carried result of the last product
  SetVector<Operation *> late;     ///< get, product, wait, release, output
  SetVector<Operation *> ofOutput; ///< early ops that read the carried output
  SetVector<Operation *> behind;   ///< those, and what only feeds the last product
  SetVector<Value> carried;        ///< in terms of the old loop
};

struct WsPipeline : girih::impl::WsPipelineBase<WsPipeline> {
  void runOnOperation() override {
    SmallVector<ws::ForItemsOp> loops;
    getOperation().walk([&](ws::ForItemsOp loop) {
      if (loop->getParentOfType<ws::RoleOp>().getKind() == ws::RoleKind::Compute &&
          loop.getFirst().empty())
        loops.push_back(loop);
    });
    for (ws::ForItemsOp loop : loops)
      if (failed(Pipeliner(loop).run()))
        return signalPassFailure();
  }
};

} // namespace
