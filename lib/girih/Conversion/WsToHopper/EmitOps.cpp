//===- EmitOps.cpp - Channels and products --------------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Conversion/WsToHopper/Emitter.h"

#include "girih-c/Cuda.h"

#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace girih;
using namespace girih::gpu;

LogicalResult Emitter::emitOther(Operation *op) {
  if (auto loop = dyn_cast<ws::ForItemsOp>(op))
    return loop->getParentOfType<ws::RoleOp>().getKind() == ws::RoleKind::Load
               ? emitLoadItems(loop)
               : emitComputeItems(loop);
  if (auto put = dyn_cast<ws::PutOp>(op))
    return emitPut(put);
  if (auto get = dyn_cast<ws::GetOp>(op))
    return emitGet(get);
  if (auto release = dyn_cast<ws::ReleaseOp>(op))
    return emitRelease(release);
  if (auto pack = dyn_cast<ws::PackOp>(op))
    return emitPack(pack);
  if (auto dot = dyn_cast<ws::DotAsyncOp>(op))
    return emitDotAsync(dot);
  if (auto wait = dyn_cast<ws::WaitOp>(op))
    return emitWait(wait);
  if (auto turn = dyn_cast<ws::TurnOp>(op))
    return emitTurn(turn);
  if (auto keep = dyn_cast<ws::KeepOp>(op))
    return emitKeep(op, keep.getType(), keep.getPattern(), keep.getBatch(), keep.getHead(),
                    keep.getQRow(), keep.getKRow(), keep.getWhen());
  if (auto drop = dyn_cast<ws::DropOp>(op))
    return emitDrop(op, drop.getTile(), drop.getKeep(), drop.getWhen());
  if (auto store = dyn_cast<ws::StoreOp>(op)) {
    slot = scalar(store.getSlot());
    return emitStore(op, store.getTile(), store.getDest(), store.getBatch(), store.getHead(),
                     store.getRow());
  }
  if (auto dim = dyn_cast<tensor::DimOp>(op)) {
    std::optional<int64_t> index = dim.getConstantIndex();
    bool isQuery = dim.getSource() == source.getArgument(0);
    if (index == 2)
      setScalar(dim, argument(isQuery ? offsetof(GirihCudaArguments, num_q)
                                      : offsetof(GirihCudaArguments, num_k),
                              b.getI32Type()));
    else if (index == 1) {
      Value heads = argument(offsetof(GirihCudaArguments, heads), b.getI32Type());
      Value perKv = argument(offsetof(GirihCudaArguments, heads_per_kv), b.getI32Type());
      setScalar(dim, isQuery ? heads : Value(LLVM::UDivOp::create(b, loc, heads, perKv)));
    } else {
      return op->emitOpError("expected a number of heads or tokens");
    }
    return success();
  }
  return FragmentEmitter::emitOther(op);
}

//===----------------------------------------------------------------------===//
// Channels
//===----------------------------------------------------------------------===//

Ring &Emitter::ringOf(Value channel) {
  return *llvm::find_if(rings, [&](const Ring &ring) { return ring.channel == channel; });
}

Value Emitter::recordAddress(const Ring &ring) {
  Value offset = a.add(a.mul(stageOf(ring, ring.counter), 32), recordsAt);
  return a.element(shared, offset, b.getI8Type());
}

Value Emitter::stageOf(const Ring &ring, Value counter) {
  return ring.stages == 1 ? a.i32(0) : a.bitAnd(counter, ring.stages - 1);
}

Value Emitter::phaseOf(const Ring &ring, Value counter) {
  return a.bitAnd(a.shr(counter, llvm::Log2_64(ring.stages)), 1);
}

Value Emitter::barrier(const Ring &ring, Value counter, bool empty) {
  return a.add(a.add(sharedBase, a.mul(stageOf(ring, counter), 16)), ring.barriersAt + 8 * empty);
}

Value Emitter::tileAddress(const Ring &ring, Value counter) {
  return a.add(a.add(sharedBase, a.mul(stageOf(ring, counter), ring.bytes)), ring.at);
}

void Emitter::advance(Ring &ring, Value when) {
  ring.counter = when ? a.add(ring.counter, LLVM::ZExtOp::create(b, loc, b.getI32Type(), when))
                      : a.add(ring.counter, 1);
}

LogicalResult Emitter::emitPut(ws::PutOp op) {
  Ring &ring = ringOf(op.getChannel());
  auto map = dyn_cast<BlockArgument>(op.getSource());
  Value batch = scalar(op.getBatch()), head = scalar(op.getHead()), row = scalar(op.getRow());
  Value when = op.getWhen() ? scalar(op.getWhen()) : Value();
  if (!map || map.getArgNumber() > 2 || !batch || !head || !row || (op.getWhen() && !when))
    return op.emitOpError("copies from what the Hopper lowering does not hold");
  Block *after = nullptr;
  if (when) {
    Block *copy = addBlock();
    after = addBlock();
    branch(when, copy, after);
    b.setInsertionPointToEnd(copy);
  }
  h.barrierWait(barrier(ring, ring.counter, /*empty=*/true),
                a.bitXor(phaseOf(ring, ring.counter), a.i32(1)));
  Value full = barrier(ring, ring.counter, /*empty=*/false);
  if (ring.channel == itemChannel)
    writeRecord(op->getParentOfType<ws::ForItemsOp>(), recordAddress(ring));
  h.barrierExpect(full, a.i32(ring.bytes));
  Value to = tileAddress(ring, ring.counter);
  int64_t rows = ring.tile.getDimSize(0), chunks = ring.bytes / (rows * 128);
  for (int64_t chunk = 0; chunk != chunks; ++chunk)
    h.copyTile(a.add(to, chunk * rows * 128), maps[map.getArgNumber()],
               {a.i32(64 * chunk), row, head, batch}, full);
  if (after) {
    branch(after);
    b.setInsertionPointToEnd(after);
  }
  advance(ring, when);
  return success();
}

LogicalResult Emitter::emitGet(ws::GetOp op) {
  Ring &ring = ringOf(op.getChannel());
  Value when = op.getWhen() ? scalar(op.getWhen()) : Value();
  if (op.getWhen() && !when)
    return op.emitOpError("depends on what the Hopper lowering does not hold");
  // Keys were there when the record of the item was.
  if (ring.channel != itemChannel)
    h.barrierWait(barrier(ring, ring.counter, /*empty=*/false), phaseOf(ring, ring.counter), when);
  advance(ring, when);
  addresses[op.getTile()] = tileAddress(ring, a.add(ring.counter, -1));
  return success();
}

LogicalResult Emitter::emitRelease(ws::ReleaseOp op) {
  Ring &ring = ringOf(op.getChannel());
  // Every thread has read the record of the item. Other tiles are read by products
  // alone, which are the warp's: one lane speaks for it.
  Value arrives = truth(true);
  if (ring.channel != itemChannel)
    arrives = a.compare(LLVM::ICmpPredicate::eq, lane, a.i32(0));
  if (op.getWhen()) {
    Value when = scalar(op.getWhen());
    if (!when)
      return op.emitOpError("depends on what the Hopper lowering does not hold");
    arrives = LLVM::AndOp::create(b, loc, arrives, when);
  }
  h.barrierArrive(barrier(ring, a.add(ring.counter, -1), /*empty=*/true), arrives);
  return success();
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// Accumulator layout is operand layout but for the rounding of pairs.
LogicalResult Emitter::emitPack(ws::PackOp op) {
  Fragment from = fragment(op.getTile()), to;
  if (from.empty())
    return op.emitOpError("packs a tile that the Hopper lowering does not hold");
  bool isBf16 = cast<RankedTensorType>(op.getType()).getElementType().isBF16();
  for (size_t i = 0; i != from.size(); i += 2)
    to.push_back(a.pack(from[i], from[i + 1], isBf16));
  set(op.getResult(), to);
  return success();
}

LogicalResult Emitter::emitDotAsync(ws::DotAsyncOp op) {
  auto lhs = cast<RankedTensorType>(op.getLhs().getType());
  auto rhs = cast<RankedTensorType>(op.getRhs().getType());
  RankedTensorType tile = op.getToken().getType().getTile();
  Value right = addresses.lookup(op.getRhs());
  if (!right)
    return op.emitOpError("reads a tile that the Hopper lowering does not hold");
  HopperAsm::Product p;
  p.n = fragmentSize(tile) * 2;
  p.isBf16 = lhs.getElementType().isBF16();
  p.rhsIsTransposed = ws::placeOf(rhs) == ws::Place::SharedMN;
  int64_t rhsRows = rhs.getDimSize(0);
  int64_t depth = (lhs.getDimSize(1) + 15) / 16 * 16;
  if (p.rhsIsTransposed) {
    p.rhs = h.descriptor(right, rhsRows * 128, 1024);
    for (int64_t step = 0; step != depth / 16; ++step)
      p.rhsSteps.push_back((step * 2048) >> 4);
  } else {
    // 64-column chunks; 32 bytes a step inside one.
    p.rhs = h.descriptor(right, 16, 1024);
    for (int64_t step = 0; step != depth / 16; ++step)
      p.rhsSteps.push_back((step / 4 * rhsRows * 128 + step % 4 * 32) >> 4);
  }
  if (ws::placeOf(lhs) == ws::Place::Operand) {
    p.lhsFragments = fragment(op.getLhs());
  } else {
    Value left = addresses.lookup(op.getLhs());
    if (!left)
      return op.emitOpError("reads a tile that the Hopper lowering does not hold");
    p.lhs = h.descriptor(a.add(left, a.mul(consumer, 64 * 128)), 16, 1024);
    for (int64_t step = 0; step != depth / 16; ++step)
      p.lhsSteps.push_back((step / 4 * lhs.getDimSize(0) * 128 + step % 4 * 32) >> 4);
  }
  if (op.getAcc())
    p.acc = fragment(op.getAcc());
  if (op.getFresh())
    p.fresh = scalar(op.getFresh());
  h.productFence();
  Fragment result = h.product(p);
  h.productCommit();
  set(op.getToken(), result);
  return success();
}

/// Whether another wait, behind the branch that `op` is in, takes the registers.
static bool isEarly(ws::WaitOp op) {
  return isa<scf::IfOp>(op->getParentOp()) && !op.getToken().hasOneUse();
}

LogicalResult Emitter::emitWait(ws::WaitOp op) {
  if (isEarly(op))
    return emitEarlyWait(op);
  Fragment flying = fragment(op.getToken());
  if (flying.empty())
    return op.emitOpError("waits for a product that the Hopper lowering does not hold");
  // Behind the softmax of the pipelined loop, where ptxas would not leave it by itself.
  if (auto loop = dyn_cast<ws::ForItemsOp>(op->getParentOp());
      loop && op->getParentRegion() == &loop.getRest() && op.getPending() == 0)
    h.endBlock(argument(offsetof(GirihCudaArguments, num_k), b.getI32Type()));
  set(op.getTile(), h.productWait(flying, op.getPending()));
  return success();
}

/// A wait on a path that joins one where the product goes on: its registers must
/// stay where they are, so nothing may copy them, not even the asm of the wait. In
/// its place the row statistics are tied to the wait; the tile may only be read
/// together with them.
LogicalResult Emitter::emitEarlyWait(ws::WaitOp op) {
  for (Operation *user : op.getTile().getUsers()) {
    auto product = dyn_cast<arith::MulFOp>(user);
    if (!product || !product.getRhs().getDefiningOp<tile::BroadcastOp>())
      return op.emitOpError("expected a tile that only is multiplied by a row vector here");
  }
  llvm::SetVector<Value> rows;
  Region *region = op->getParentRegion();
  region->walk([&](Operation *inner) {
    for (Value operand : inner->getOperands())
      if (isa<RankedTensorType>(operand.getType()) &&
          !region->isAncestor(operand.getParentRegion()) &&
          !operand.getDefiningOp<arith::ConstantOp>())
        rows.insert(operand);
  });
  SmallVector<Value> values;
  flatten(rows.getArrayRef(), values);
  if (values.empty())
    return op.emitOpError("expected a row vector that the tile is multiplied by");
  SmallVector<Value> gated = h.productWait(values, op.getPending());
  unflatten(rows.getArrayRef(), gated);
  set(op.getTile(), fragment(op.getToken()));
  return success();
}

LogicalResult Emitter::emitTurn(ws::TurnOp op) {
  // Own barrier: the 128 threads of the warpgroup and those of the one before.
  constexpr int threads = 256;
  h.namedSync(group, threads);
  if (failed(emitBody(op.getBody().front())))
    return failure();
  Value isLast = a.compare(LLVM::ICmpPredicate::eq, group, a.i32(warpgroups));
  h.namedArrive(a.select(isLast, a.i32(1), a.add(group, 1)), threads);
  for (auto [result, value] :
       llvm::zip(op.getResults(), op.getBody().front().getTerminator()->getOperands())) {
    if (isa<ws::TokenType>(result.getType()))
      set(result, fragment(value));
    else if (Value address = addresses.lookup(value))
      addresses[result] = address;
    else
      alias(result, value);
  }
  return success();
}
