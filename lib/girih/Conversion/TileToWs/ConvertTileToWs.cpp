//===- ConvertTileToWs.cpp - Tile kernels to warp-specialised programs ----===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A tile kernel computes one task; the program computes all tasks of a block in
// one loop over items. What the kernel loads becomes a role of its own, linked by
// a channel a tensor; what it carries from tile to tile begins anew at the first
// tile of a task; what stands behind its loop happens at the last.
//
//===----------------------------------------------------------------------===//

#include "girih/Conversion/Passes.h"
#include "girih/Conversion/TileKernel/TileKernel.h"
#include "girih/WarpSpec/WarpSpec.h"

#include "mlir/Analysis/SliceAnalysis.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace girih {
#define GEN_PASS_DEF_CONVERTTILETOWS
#include "girih/Conversion/Passes.h.inc"
} // namespace girih

using namespace girih;
using Part = ws::ForItemsOp;

namespace {

/// The program of one kernel.
class Splitter {
public:
  Splitter(func::FuncOp func, int64_t queryStages)
      : func(func), b(func.getContext()), loc(func.getLoc()), queryStages(queryStages) {}

  LogicalResult run() {
    if (failed(analyze()))
      return failure();
    b.setInsertionPoint(func.getBody().front().getTerminator());
    for (auto [load, channel] : llvm::zip(loads, channels)) {
      int64_t stages = isOfTask(load) ? numQueryStages() : tileStages;
      auto tile = cast<RankedTensorType>(load.getTile().getType());
      channel =
          ws::MakeChannelOp::create(b, loc, ws::ChannelType::get(b.getContext(), tile, stages));
    }
    emitLoad();
    emitCompute();
    for (Operation *op : llvm::reverse(ofTask))
      op->erase();
    return success();
  }

private:
  LogicalResult analyze() {
    for (auto op : func.getOps<tile::TaskOp>())
      task = op;
    for (auto op : func.getOps<ForBlocksOp>())
      loop = op;
    if (!loop || !llvm::hasSingleElement(func.getOps<ForBlocksOp>()))
      return func.emitOpError("expected a tile kernel with one girih.for_blocks");
    for (auto op : func.getOps<tile::LoadOp>())
      loads.push_back(op);
    for (auto op : loop.getBody().front().getOps<tile::LoadOp>())
      loads.push_back(op);
    channels.resize(loads.size());
    for (tile::LoadOp load : loads)
      if (!ws::placeOf(load.getTile().getType()))
        return load.emitOpError("expected a tile with a layout; run girih-assign-layouts first");
    for (auto dot : loop.getBody().front().getOps<tile::DotOp>())
      rows = cast<RankedTensorType>(dot.getResult().getType()).getDimSize(0);
    if (rows % 64 || rows < 64 || rows > 192)
      return loop.emitOpError("expected tiles of 64, 128 or 192 rows, but got ") << rows;
    // Everything of the kernel that depends on which task it is.
    SetVector<Operation *> slice;
    getForwardSlice(task.getOperation(), &slice);
    slice.insert(task);
    for (Operation &op : func.getBody().front())
      if (slice.contains(&op))
        ofTask.push_back(&op);
    return success();
  }

  /// As asked for, or two where shared memory has room for them.
  int64_t numQueryStages() {
    if (queryStages)
      return queryStages;
    // A kilobyte is for barriers and records. Blocks of one warpgroup run in pairs.
    const int64_t mostShared = (rows == 64 ? 112 : 226) * 1024;
    int64_t bytes = 0;
    for (tile::LoadOp load : loads)
      bytes += 2 * ws::sharedBytes(cast<RankedTensorType>(load.getTile().getType()));
    return bytes <= mostShared ? 2 : 1;
  }

  bool isOfTask(tile::LoadOp load) { return load->getBlock() == &func.getBody().front(); }

  /// Clones what `value` needs of the task's index arithmetic.
  Value clone(Value value, IRMapping &map) {
    if (map.contains(value))
      return map.lookup(value);
    Operation *op = value.getDefiningOp();
    bool isInside = op && (loop->isProperAncestor(op) || llvm::is_contained(ofTask, op));
    if (!isInside)
      return value;
    for (Value operand : op->getOperands())
      clone(operand, map);
    b.clone(*op, map);
    return map.lookup(value);
  }

  /// A loop over items in a new role; leaves the builder in its body.
  ws::ForItemsOp beginRole(ws::RoleKind kind, int64_t warpgroups, int64_t registers,
                           ValueRange inits, IRMapping &map) {
    auto role = ws::RoleOp::create(b, loc, kind, warpgroups, registers);
    b.createBlock(&role.getBody());
    auto items = ws::ForItemsOp::create(b, loc, inits.getTypes(), loop.getMap(), inits);
    Block *body = b.createBlock(&items.getRest());
    body->addArguments(SmallVector<Type>(6, b.getIndexType()), SmallVector<Location>(6, loc));
    body->addArguments(SmallVector<Type>(3, b.getI1Type()), SmallVector<Location>(3, loc));
    for (Type type : inits.getTypes())
      body->addArgument(type, loc);
    map.map(task.getBatch(), items.getPart(Part::Batch));
    map.map(task.getHead(), items.getPart(Part::Head));
    map.map(task.getQTile(), items.getPart(Part::QTile));
    map.map(loop.getKTile(), items.getPart(Part::KTile));
    map.map(loop.getPartial(), items.getPart(Part::Partial));
    return items;
  }

  void emitLoad() {
    OpBuilder::InsertionGuard guard(b);
    IRMapping map;
    constexpr int64_t loadRegisters[] = {40, 40, 32};
    ws::ForItemsOp items = beginRole(ws::RoleKind::Load, 1, loadRegisters[rows / 64 - 1], {}, map);
    auto put = [&](size_t i) {
      tile::LoadOp load = loads[i];
      // Heads of keys and values come with the item.
      Value head = load.getHead() == task.getHead() ? items.getPart(Part::Head)
                                                    : items.getPart(Part::KvHead);
      Value row = clone(load.getRow(), map), batch = clone(load.getBatch(), map);
      Value when = isOfTask(load) ? Value(items.getPart(Part::First)) : Value();
      ws::PutOp::create(b, loc, channels[i], load.getSource(), batch, head, row, when);
    };
    // Keys first: they may arrive while the queries of the task before are in use.
    size_t numQueries = llvm::count_if(loads, [&](tile::LoadOp load) { return isOfTask(load); });
    put(numQueries);
    for (size_t i = 0; i != numQueries; ++i)
      put(i);
    for (size_t i = numQueries + 1; i != loads.size(); ++i)
      put(i);
    YieldOp::create(b, loc, ValueRange());
  }

  void emitCompute() {
    OpBuilder::InsertionGuard guard(b);
    IRMapping map;
    constexpr int64_t computeRegisters[] = {216, 232, 160};
    ws::ForItemsOp items = beginRole(ws::RoleKind::Compute, rows / 64,
                                     computeRegisters[rows / 64 - 1], loop.getInits(), map);
    Value first = items.getPart(Part::First), last = items.getPart(Part::Last);
    for (auto [old, init, carried] :
         llvm::zip(loop.getIterArgs(), loop.getInits(), items.getCarried()))
      map.map(old, arith::SelectOp::create(b, loc, first, init, carried));
    for (auto [load, channel] : llvm::zip(loads, channels))
      if (isOfTask(load))
        map.map(load.getTile(),
                ws::GetOp::create(b, loc, load.getTile().getType(), channel, first));
    Operation *yield = loop.getBody().front().getTerminator();
    for (Operation &op : loop.getBody().front().without_terminator()) {
      if (auto load = dyn_cast<tile::LoadOp>(op)) {
        Value channel = channelOf(load);
        map.map(load.getTile(),
                ws::GetOp::create(b, loc, load.getTile().getType(), channel, Value()));
        continue;
      }
      op.walk([&](Operation *inner) {
        for (Value operand : inner->getOperands())
          if (!operand.getDefiningOp() || !loop->isProperAncestor(operand.getDefiningOp()))
            clone(operand, map);
      });
      b.clone(op, map);
      if (isa<tile::DotOp>(op))
        releaseOperands(op, last);
    }
    SmallVector<Value> results;
    for (auto [operand, result] : llvm::zip(yield->getOperands(), loop.getResults())) {
      results.push_back(map.lookupOrDefault(operand));
      map.map(result, results.back());
    }
    auto finish = scf::IfOp::create(b, loc, last, /*withElseRegion=*/false);
    {
      OpBuilder::InsertionGuard inner(b);
      b.setInsertionPointToStart(finish.thenBlock());
      for (Operation *op : tail()) {
        for (Value operand : op->getOperands())
          clone(operand, map);
        auto store = dyn_cast<tile::StoreOp>(op);
        if (!store) {
          b.clone(*op, map);
          continue;
        }
        auto at = [&](Value value) { return map.lookupOrDefault(value); };
        ws::StoreOp::create(b, loc, at(store.getTile()), store.getDest(), at(store.getBatch()),
                            at(store.getHead()), at(store.getRow()), items.getPart(Part::Slot));
      }
    }
    YieldOp::create(b, loc, results);
  }

  Value channelOf(tile::LoadOp load) { return channels[llvm::find(loads, load) - loads.begin()]; }

  /// Gives the tiles back that `dot` was the last to read.
  void releaseOperands(Operation &dot, Value last) {
    for (Value operand : {dot.getOperand(1), dot.getOperand(0)})
      if (auto load = operand.getDefiningOp<tile::LoadOp>())
        ws::ReleaseOp::create(b, loc, channelOf(load), isOfTask(load) ? last : Value());
  }

  /// What the kernel does behind its loop.
  SmallVector<Operation *> tail() {
    SmallVector<Operation *> ops;
    for (Operation *op = loop->getNextNode(); op; op = op->getNextNode())
      if (llvm::is_contained(ofTask, op))
        ops.push_back(op);
    return ops;
  }

  func::FuncOp func;
  OpBuilder b;
  Location loc;
  /// Of keys and values: one tile is multiplied while the other arrives.
  static constexpr int64_t tileStages = 2;
  int64_t queryStages;
  tile::TaskOp task;
  ForBlocksOp loop;
  SmallVector<tile::LoadOp> loads; ///< queries, keys, values
  SmallVector<Value> channels;
  SmallVector<Operation *> ofTask;
  int64_t rows = 0;
};

struct ConvertTileToWs : girih::impl::ConvertTileToWsBase<ConvertTileToWs> {
  using ConvertTileToWsBase::ConvertTileToWsBase;

  void runOnOperation() override {
    func::FuncOp func = getOperation();
    if (func.getOps<tile::TaskOp>().empty())
      return;
    if (failed(checkTileKernel(func)) || failed(Splitter(func, queryStages).run()))
      signalPassFailure();
  }
};

} // namespace
