//===- ConvertWsToHopper.cpp - Warp-specialised programs to LLVM ----------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Conversion/Fragments/CopyKernel.h"
#include "girih/Conversion/Fragments/MergeKernel.h"
#include "girih/Conversion/WsToHopper/Emitter.h"

#include "girih-c/Cuda.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

#include "llvm/ADT/STLExtras.h"

using namespace mlir;

namespace girih {
#define GEN_PASS_DEF_CONVERTWSTOHOPPER
#include "girih/Conversion/Passes.h.inc"
} // namespace girih

using namespace girih;
using namespace girih::gpu;

/// Bytes of an item as one role tells it to the other; see EmitItems.cpp.
static constexpr int64_t recordBytes = 32;

/// Places channels in shared memory: tiles, then barriers, then item records.
LogicalResult Emitter::plan() {
  // (q, k, v, scale, operands..., o, lse)
  ArrayRef<Type> types = source.getArgumentTypes();
  if (types.size() < 6 || !llvm::all_of(types.take_front(3), llvm::IsaPred<RankedTensorType>) ||
      !types[3].isF32() || !llvm::all_of(types.take_back(2), llvm::IsaPred<MemRefType>))
    return source.emitOpError(
               "expected a kernel of three tensors, a scale and two results, but got ")
           << source.getFunctionType();
  for (auto role : source.getOps<ws::RoleOp>()) {
    if (role.getKind() == ws::RoleKind::Compute)
      warpgroups = role.getWarpgroups();
    role.walk([&](ws::TurnOp) { takesTurns = true; });
  }
  int64_t at = 0, mostStages = 1;
  for (auto op : source.getOps<ws::MakeChannelOp>()) {
    ws::ChannelType type = op.getChannel().getType();
    Ring ring;
    ring.channel = op.getChannel();
    ring.tile = type.getTile();
    ring.stages = type.getStages();
    if (!llvm::isPowerOf2_64(ring.stages))
      return op.emitOpError("expected a power of two as stages on Hopper, but got ") << ring.stages;
    ring.bytes = ws::sharedBytes(ring.tile);
    if (ring.bytes % 1024)
      return op.emitOpError("expected tiles whose rows are a multiple of 8, but got ") << ring.tile;
    ring.at = at;
    at += ring.stages * ring.bytes;
    mostStages = std::max(mostStages, ring.stages);
    rings.push_back(ring);
  }
  recordsAt = at;
  at += mostStages * recordBytes;
  for (Ring &ring : rings) {
    ring.barriersAt = at;
    at += ring.stages * 16;
  }
  sharedBytes = at;
  constexpr int64_t multiprocessorBytes = 227 * 1024;
  if (warpgroups == 1 && 2 * (sharedBytes + 1024) <= multiprocessorBytes)
    blocksPerMultiprocessor = 2;
  if (warpgroups < 1 || warpgroups > 3)
    return source.emitOpError("expected a compute role of 1 to 3 warpgroups, but got ")
           << warpgroups;
  return planItems();
}

/// Finds the channel whose tiles come with records of items, and checks that every
/// channel in use is one of the program's own.
LogicalResult Emitter::planItems() {
  auto isMade = [&](Value channel) {
    return llvm::any_of(rings, [&](const Ring &ring) { return ring.channel == channel; });
  };
  bool hasItems = false;
  for (auto role : source.getOps<ws::RoleOp>()) {
    for (auto loop : role.getOps<ws::ForItemsOp>()) {
      hasItems = true;
      for (auto put : loop.getRest().front().getOps<ws::PutOp>())
        if (!put.getWhen() && !itemChannel)
          itemChannel = put.getChannel();
    }
    WalkResult result = role.walk([&](Operation *op) {
      if (!isa<ws::PutOp, ws::GetOp, ws::ReleaseOp>(op) || isMade(op->getOperand(0)))
        return WalkResult::advance();
      op->emitOpError("expected a channel that the program makes");
      return WalkResult::interrupt();
    });
    if (result.wasInterrupted())
      return failure();
  }
  if (hasItems && !itemChannel)
    return source.emitOpError("expected a put without a condition for each item");
  return success();
}

void Emitter::createKernel() {
  MLIRContext *context = b.getContext();
  Type pointer = LLVM::LLVMPointerType::get(context);
  b.setInsertionPoint(source);
  auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(context),
                                          {pointer, pointer, pointer, pointer});
  std::string name = source.getName().str();
  source.setName(name + "_program");
  kernel = LLVM::LLVMFuncOp::create(b, loc, name, type);
  int64_t threads = 128 * (warpgroups + 1);
  kernel->setAttr("nvvm.kernel", b.getUnitAttr());
  kernel->setAttr("nvvm.reqntid", b.getDenseI32ArrayAttr({static_cast<int32_t>(threads)}));
  kernel->setAttr("nvvm.minctasm", b.getI32IntegerAttr(blocksPerMultiprocessor));
  kernel->setAttr("girih.shared_bytes", b.getI64IntegerAttr(sharedBytes));
  kernel->setAttr("girih.threads", b.getI64IntegerAttr(threads));
  kernel->setAttr("girih.blocks_per_multiprocessor", b.getI64IntegerAttr(blocksPerMultiprocessor));
  constexpr int64_t mapBytes = 128;
  for (unsigned i = 0; i != 4; ++i) {
    int64_t bytes = i < 3 ? mapBytes : static_cast<int64_t>(sizeof(GirihCudaArguments));
    kernel.setArgAttr(i, LLVM::LLVMDialect::getByValAttrName(),
                      TypeAttr::get(LLVM::LLVMArrayType::get(b.getI8Type(), bytes)));
    kernel.setArgAttr(i, LLVM::LLVMDialect::getAlignAttrName(),
                      b.getI64IntegerAttr(i < 3 ? 64 : 8));
    kernel.setArgAttr(i, "nvvm.grid_constant", b.getUnitAttr());
  }
}

LogicalResult Emitter::emitPrologue() {
  Type i32 = b.getI32Type();
  Type sharedPointer = LLVM::LLVMPointerType::get(b.getContext(), 3);
  // One name for the shared memory of every kernel of the module.
  if (auto module = kernel->getParentOfType<ModuleOp>(); !module.lookupSymbol("girih_shared")) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(module.getBody());
    LLVM::GlobalOp::create(b, loc, LLVM::LLVMArrayType::get(b.getI8Type(), 0),
                           /*isConstant=*/false, LLVM::Linkage::External, "girih_shared",
                           Attribute(), /*alignment=*/1024, /*addrSpace=*/3);
  }
  Block *entry = kernel.addEntryBlock(b);
  b.setInsertionPointToEnd(entry);
  for (unsigned i = 0; i != 3; ++i)
    maps[i] = entry->getArgument(i);
  arguments = entry->getArgument(3);
  shared = LLVM::AddressOfOp::create(b, loc, sharedPointer, "girih_shared");
  sharedBase = LLVM::PtrToIntOp::create(b, loc, i32, shared);
  thread = a.special("tid.x");
  group = a.uniform(a.shr(thread, 7));
  lane = a.bitAnd(thread, 31);
  setScalar(source.getArgument(3), argument(offsetof(GirihCudaArguments, scale), b.getF32Type()));

  Block *init = addBlock(), *start = addBlock();
  branch(a.compare(LLVM::ICmpPredicate::eq, thread, a.i32(0)), init, start);
  b.setInsertionPointToEnd(init);
  for (Ring &ring : rings)
    for (int64_t stage = 0; stage != ring.stages; ++stage) {
      h.barrierInit(barrier(ring, a.i32(stage), /*empty=*/false), 1);
      // All threads give the keys and the record of an item back, else a lane a warp.
      int64_t arrivals = warpgroups * (ring.channel == itemChannel ? 128 : 4);
      h.barrierInit(barrier(ring, a.i32(stage), /*empty=*/true), static_cast<int>(arrivals));
    }
  h.fenceBarrierInit();
  branch(start);
  b.setInsertionPointToEnd(start);
  a.syncThreads();
  // What is the same for every role: factors and the like.
  for (Operation &op : source.getBody().front().without_terminator())
    if (!isa<ws::RoleOp, ws::MakeChannelOp>(op) && failed(emit(&op)))
      return failure();
  return success();
}

LogicalResult Emitter::emitRole(ws::RoleOp role) {
  bool isLoad = role.getKind() == ws::RoleKind::Load;
  h.setRegisters(/*increase=*/!isLoad, role.getRegisters());
  if (isLoad) {
    Block *work = addBlock();
    branch(a.compare(LLVM::ICmpPredicate::eq, thread, a.i32(0)), work, exit);
    b.setInsertionPointToEnd(work);
  } else {
    consumer = a.add(group, -1);
    Value warp = a.bitAnd(a.shr(thread, 5), 3);
    row = a.add(a.add(a.mul(consumer, 64), a.mul(warp, 16)), a.shr(lane, 2));
    if (takesTurns) {
      // The first turn is the first warpgroup's.
      Block *kick = addBlock(), *go = addBlock();
      branch(a.compare(LLVM::ICmpPredicate::eq, consumer, a.i32(0)), kick, go);
      b.setInsertionPointToEnd(kick);
      h.namedArrive(a.i32(1), 256);
      branch(go);
      b.setInsertionPointToEnd(go);
    }
  }
  for (Ring &ring : rings)
    ring.counter = a.i32(0);
  for (Operation &op : role.getBody().front())
    if (failed(emit(&op)))
      return failure();
  branch(exit);
  return success();
}

LogicalResult Emitter::run() {
  if (failed(plan()))
    return failure();
  auto values = cast<RankedTensorType>(source.getArgument(2).getType());
  vDim = values.getDimSize(3);
  createKernel();
  if (failed(emitPrologue()))
    return failure();
  Block *load = addBlock(), *compute = addBlock();
  exit = addBlock();
  branch(a.compare(LLVM::ICmpPredicate::eq, group, a.i32(0)), load, compute);
  b.setInsertionPointToEnd(exit);
  LLVM::ReturnOp::create(b, loc, ValueRange());
  for (auto role : source.getOps<ws::RoleOp>()) {
    b.setInsertionPointToEnd(role.getKind() == ws::RoleKind::Load ? load : compute);
    if (failed(emitRole(role)))
      return failure();
  }
  Type element =
      cast<MemRefType>(source.getArgumentTypes()[source.getNumArguments() - 2]).getElementType();
  int64_t dim = cast<RankedTensorType>(source.getArgument(0).getType()).getDimSize(3);
  emitCopyKernel(h, kernel, element, std::max(dim, vDim));
  emitMergeKernel(h, kernel, element, 64 * warpgroups, vDim);
  source.erase();
  return success();
}

namespace {

struct ConvertWsToHopper : girih::impl::ConvertWsToHopperBase<ConvertWsToHopper> {
  void runOnOperation() override {
    SmallVector<func::FuncOp> programs;
    for (auto func : getOperation().getOps<func::FuncOp>())
      if (!func.getOps<ws::RoleOp>().empty())
        programs.push_back(func);
    for (func::FuncOp program : programs) {
      OpBuilder b(program);
      HopperAsm h(b, program.getLoc());
      if (failed(Emitter(program, h).run()))
        return signalPassFailure();
    }
  }
};

} // namespace
