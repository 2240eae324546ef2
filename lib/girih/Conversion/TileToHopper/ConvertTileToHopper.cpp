//===- ConvertTileToHopper.cpp - Tile kernels to warp-specialised programs ===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The schedule is FlashAttention-3's (Shah et al., arXiv 2407.08608): products
// of one key tile overlap the softmax of the next inside a warpgroup, and two
// warpgroups take turns at the tensor cores.
//
//===----------------------------------------------------------------------===//

#include "girih/Conversion/TileToHopper/Emitter.h"

#include "girih-c/Cuda.h"

#include "llvm/ADT/SetVector.h"

using namespace mlir;

namespace girih {
#define GEN_PASS_DEF_CONVERTTILETOHOPPER
#include "girih/Conversion/Passes.h.inc"
} // namespace girih

using namespace girih;
using namespace girih::hopper;

static RankedTensorType typeOf(Value tile) { return cast<RankedTensorType>(tile.getType()); }

Emitter::Emitter(func::FuncOp source)
    : source(source), b(source.getContext()), loc(source.getLoc()), a(b, source.getLoc()) {}

//===----------------------------------------------------------------------===//
// Which op plays which part
//===----------------------------------------------------------------------===//

LogicalResult Emitter::analyze() {
  for (auto loop : source.getOps<ForBlocksOp>())
    blockLoop = loop;
  if (!blockLoop)
    return source.emitOpError("expected a tile kernel with one girih.for_blocks");
  Block &body = blockLoop.getBody().front();
  for (auto dot : body.getOps<tile::DotOp>())
    (dot.getTransposeRhs() ? scores : output) = dot;
  if (!scores || !output)
    return blockLoop.emitOpError("expected a product of queries and keys and one with values");
  auto scaled = output.getAcc().getDefiningOp<arith::MulFOp>();
  auto broadcast =
      scaled ? scaled.getRhs().getDefiningOp<tile::BroadcastOp>() : tile::BroadcastOp();
  if (!broadcast || scaled.getLhs() != blockLoop.getIterArgs()[0])
    return output.emitOpError(
        "expected an accumulator that is the carried output times a row vector");
  decay = broadcast.getVector();
  if (!scores.getLhs().getDefiningOp<tile::LoadOp>())
    return scores.emitOpError(
        "expected queries as they are loaded; the Hopper lowering scales scores");

  for (Operation &op : body.without_terminator()) {
    if (isa<tile::LoadOp, tile::DotOp>(op) || &op == scaled.getOperation() ||
        &op == broadcast.getOperation())
      continue;
    softmax.push_back(&op);
  }
  for (Operation *op = blockLoop->getNextNode(); op && !op->hasTrait<OpTrait::IsTerminator>();
       op = op->getNextNode())
    tail.push_back(op);

  auto queries = cast<RankedTensorType>(source.getArgument(0).getType());
  auto values = cast<RankedTensorType>(source.getArgument(2).getType());
  config.tileQ = typeOf(scores.getResult()).getDimSize(0);
  config.tileK = typeOf(scores.getResult()).getDimSize(1);
  config.dim = queries.getDimSize(3);
  config.vDim = values.getDimSize(3);
  config.warpgroups = config.tileQ / 64;
  config.isBf16 = queries.getElementType().isBF16();
  if (!config.isBf16 && !queries.getElementType().isF16())
    return source.emitOpError("expected bf16 or f16 inputs on Hopper, but got ")
           << queries.getElementType();
  if (config.tileQ % 64 || config.warpgroups < 1 || config.warpgroups > 3 || config.tileK % 16 ||
      config.tileK > 256)
    return source.emitOpError(
               "expected tiles of 64, 128 or 192 rows by a multiple of 16 keys up to 256, but got ")
           << config.tileQ << " x " << config.tileK;
  constexpr int64_t sharedLimit = 227 * 1024;
  if (config.sharedBytes() > sharedLimit)
    return source.emitOpError("expected tiles to fit ")
           << sharedLimit << " bytes of shared memory, but got " << config.sharedBytes();
  return success();
}

//===----------------------------------------------------------------------===//
// Blocks and addresses
//===----------------------------------------------------------------------===//

Block *Emitter::addBlock(ArrayRef<Type> types) {
  Block *block = new Block();
  kernel.getBody().push_back(block);
  for (Type type : types)
    block->addArgument(type, loc);
  return block;
}

void Emitter::branch(Block *to, ValueRange operands) { LLVM::BrOp::create(b, loc, operands, to); }

void Emitter::branch(Value condition, Block *yes, Block *no) {
  LLVM::CondBrOp::create(b, loc, condition, yes, no);
}

Value Emitter::argument(size_t offset, Type type) { return a.load(arguments, offset, type); }

Value Emitter::queryBarrier(bool empty) {
  return a.add(sharedBase, config.barriersAt() + 8 * empty);
}

Value Emitter::barrier(int64_t which, Value stage) {
  return a.add(a.add(sharedBase, a.mul(stage, 32)), config.barriersAt() + 8 * (2 + which));
}

//===----------------------------------------------------------------------===//
// The runs of a task, one tile at a time
//===----------------------------------------------------------------------===//

Emitter::Cursor Emitter::loadRun(Value run) {
  Value at = a.element(runs, a.widen(a.mul(run, sizeof(GirihRun))), b.getI8Type());
  Cursor cursor;
  cursor.run = run;
  // One 16-byte load: begin, end, state, view.
  static_assert(sizeof(GirihRun) == 16 && offsetof(GirihRun, end) == 4 &&
                offsetof(GirihRun, state) == 8);
  Value fields = LLVM::LoadOp::create(b, loc, VectorType::get({4}, b.getI32Type()), at,
                                      /*alignment=*/16);
  auto field = [&](int64_t i) -> Value {
    return LLVM::ExtractElementOp::create(b, loc, fields, a.i32(i));
  };
  cursor.tile = field(0);
  cursor.end = field(1);
  cursor.partial = a.compare(LLVM::ICmpPredicate::eq, field(2), a.i32(GIRIH_TILE_PARTIAL));
  return cursor;
}

Emitter::Cursor Emitter::firstTile() { return loadRun(firstRun); }

/// Without a branch: the run is read again every time, from the L1 cache. Behind
/// the last tile it reads the entry that closes every run list.
Emitter::Cursor Emitter::nextTile(const Cursor &cursor) {
  Value next = a.add(cursor.tile, 1);
  Value isOver = a.compare(LLVM::ICmpPredicate::sge, next, cursor.end);
  Value run = a.add(cursor.run, LLVM::ZExtOp::create(b, loc, b.getI32Type(), isOver));
  Cursor loaded = loadRun(run);
  loaded.tile = a.select(isOver, loaded.tile, next);
  return loaded;
}

//===----------------------------------------------------------------------===//
// Tasks of a block: those that the plan gave it, one after another
//===----------------------------------------------------------------------===//

/// What a thread reads of a task. Behind the last one it reads the last again.
SmallVector<Value> Emitter::readTask(Value index) {
  Value last = a.add(endTask, -1);
  Value isInside = a.compare(LLVM::ICmpPredicate::slt, index, endTask);
  Value offset = a.mul(a.select(isInside, index, last), sizeof(GirihCudaTask));
  Value at = a.element(tasks, a.widen(offset), b.getI8Type());
  SmallVector<Value> fields;
  for (size_t field : {offsetof(GirihCudaTask, batch), offsetof(GirihCudaTask, head),
                       offsetof(GirihCudaTask, q_tile), offsetof(GirihCudaTask, first_run),
                       offsetof(GirihCudaTask, num_tiles)})
    fields.push_back(a.load(at, field, b.getI32Type()));
  return fields;
}

/// Makes \p fields the task that the following code works on.
void Emitter::enterTask(ValueRange fields) {
  batch = fields[0];
  head = fields[1];
  firstRow = a.mul(fields[2], config.tileQ);
  firstRun = fields[3];
  numTiles = fields[4];
  Value perKv = argument(offsetof(GirihCudaArguments, heads_per_kv), b.getI32Type());
  kvHead = LLVM::UDivOp::create(b, loc, head, perKv);
  firstPosition = a.add(firstRow, argument(offsetof(GirihCudaArguments, q_offset), b.getI32Type()));
}

//===----------------------------------------------------------------------===//
// Set-up
//===----------------------------------------------------------------------===//

void Emitter::emitPrologue() {
  Type i32 = b.getI32Type(), pointer = LLVM::LLVMPointerType::get(b.getContext());
  Type sharedPointer = LLVM::LLVMPointerType::get(b.getContext(), 3);
  auto module = kernel->getParentOfType<ModuleOp>();
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(module.getBody());
    auto memory = LLVM::GlobalOp::create(b, loc, LLVM::LLVMArrayType::get(b.getI8Type(), 0),
                                         /*isConstant=*/false, LLVM::Linkage::External,
                                         "girih_shared", Attribute(), /*alignment=*/1024,
                                         /*addrSpace=*/3);
    (void)memory;
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
  scale = argument(offsetof(GirihCudaArguments, scale), b.getF32Type());

  tasks = argument(offsetof(GirihCudaArguments, tasks), pointer);
  runs = argument(offsetof(GirihCudaArguments, runs), pointer);
  Value ranges = argument(offsetof(GirihCudaArguments, block_begin), pointer);
  Value block = a.element(ranges, a.widen(a.special("ctaid.x")), i32);
  firstTask = a.load(block, 0, i32);
  endTask = a.load(block, sizeof(int32_t), i32);

  Block *init = addBlock(), *start = addBlock();
  branch(a.compare(LLVM::ICmpPredicate::eq, thread, a.i32(0)), init, start);
  b.setInsertionPointToEnd(init);
  a.barrierInit(queryBarrier(), 1);
  a.barrierInit(queryBarrier(/*empty=*/true), config.warpgroups * 128);
  for (int64_t stage = 0; stage != Config::stages; ++stage)
    for (int64_t which = 0; which != 4; ++which)
      a.barrierInit(barrier(which, a.i32(stage)), which % 2 ? config.warpgroups * 128 : 1);
  a.fenceBarrierInit();
  branch(start);
  b.setInsertionPointToEnd(start);
  a.syncThreads();
}

//===----------------------------------------------------------------------===//
// Producer: one thread that feeds the channels
//===----------------------------------------------------------------------===//

void Emitter::emitProducer() {
  Type i32 = b.getI32Type(), i1 = b.getI1Type();
  a.setRegisters(false, config.warpgroups == 3 ? 32 : 24);
  // Carried over tasks: task, stage and phase of the ring, phase of the queries.
  Block *nextTask = addBlock({i32, i32, i32, i32}), *task = addBlock(), *begin = addBlock(),
        *start = addBlock();
  branch(a.compare(LLVM::ICmpPredicate::eq, thread, a.i32(0)), start, exit);
  b.setInsertionPointToEnd(start);
  branch(nextTask, {firstTask, a.i32(0), a.i32(1), a.i32(1)});
  b.setInsertionPointToEnd(nextTask);
  Value index = nextTask->getArgument(0), startStage = nextTask->getArgument(1);
  Value startPhase = nextTask->getArgument(2), queryPhase = nextTask->getArgument(3);
  Value nextIndex = a.add(index, 1);
  branch(a.compare(LLVM::ICmpPredicate::slt, index, endTask), task, exit);
  b.setInsertionPointToEnd(task);
  enterTask(readTask(index));
  Value hasTiles = a.compare(LLVM::ICmpPredicate::sgt, numTiles, a.i32(0));
  LLVM::CondBrOp::create(b, loc, hasTiles, begin, ValueRange(), nextTask,
                         ValueRange{nextIndex, startStage, startPhase, queryPhase});
  b.setInsertionPointToEnd(begin);
  auto copy = [&](unsigned map, Value at, int64_t rows, int64_t chunks, Value row, Value copyHead,
                  Value barrier) {
    for (int64_t chunk = 0; chunk != chunks; ++chunk)
      a.copyTile(a.add(at, chunk * rows * 128), maps[map],
                 {a.i32(64 * chunk), row, copyHead, batch}, barrier);
  };
  a.barrierWait(queryBarrier(/*empty=*/true), queryPhase);
  a.barrierExpect(queryBarrier(), a.i32(config.qBytes()));
  copy(0, a.add(sharedBase, config.qAt()), config.tileQ, config.chunks(), firstRow, head,
       queryBarrier());

  Block *loop = addBlock({i32, i32, i32, i32, i32, i1, i32}), *body = addBlock();
  Cursor first = firstTile();
  branch(loop, {a.i32(0), startStage, startPhase, first.tile, first.end, first.partial, first.run});
  b.setInsertionPointToEnd(loop);
  Value i = loop->getArgument(0), stage = loop->getArgument(1), phase = loop->getArgument(2);
  Cursor cursor{loop->getArgument(3), loop->getArgument(4), loop->getArgument(5),
                loop->getArgument(6)};
  LLVM::CondBrOp::create(b, loc, a.compare(LLVM::ICmpPredicate::slt, i, numTiles), body,
                         ValueRange(), nextTask,
                         ValueRange{nextIndex, stage, phase, a.bitXor(queryPhase, a.i32(1))});
  b.setInsertionPointToEnd(body);
  Value row = a.mul(cursor.tile, config.tileK);
  struct Channel {
    unsigned map;
    int64_t at, bytes, chunks, full;
  };
  const Channel channels[] = {{1, config.kAt(), config.kBytes(), config.chunks(), 0},
                              {2, config.vAt(), config.vBytes(), config.vChunks(), 2}};
  for (const Channel &channel : channels) {
    a.barrierWait(barrier(channel.full + 1, stage), phase);
    Value full = barrier(channel.full, stage);
    a.barrierExpect(full, a.i32(channel.bytes));
    copy(channel.map, a.add(a.add(sharedBase, channel.at), a.mul(stage, channel.bytes)),
         config.tileK, channel.chunks, row, kvHead, full);
  }
  Cursor next = nextTile(cursor);
  Value nextPhase = a.bitXor(phase, stage), nextStage = a.bitXor(stage, a.i32(1));
  branch(loop, {a.add(i, 1), nextStage, nextPhase, next.tile, next.end, next.partial, next.run});
}

LogicalResult Emitter::run() {
  if (failed(analyze()))
    return failure();
  MLIRContext *context = b.getContext();
  Type pointer = LLVM::LLVMPointerType::get(context);
  b.setInsertionPoint(source);
  auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(context),
                                          {pointer, pointer, pointer, pointer});
  std::string name = source.getName().str();
  source.setName(name + "_tiles");
  kernel = LLVM::LLVMFuncOp::create(b, loc, name, type);
  kernel->setAttr("nvvm.kernel", b.getUnitAttr());
  kernel->setAttr("nvvm.reqntid", b.getDenseI32ArrayAttr({static_cast<int32_t>(config.threads())}));
  kernel->setAttr("nvvm.minctasm", b.getI32IntegerAttr(1));
  kernel->setAttr("girih.shared_bytes", b.getI64IntegerAttr(config.sharedBytes()));
  kernel->setAttr("girih.threads", b.getI64IntegerAttr(config.threads()));
  constexpr int64_t mapBytes = 128;
  for (unsigned i = 0; i != 4; ++i) {
    int64_t bytes = i < 3 ? mapBytes : static_cast<int64_t>(sizeof(GirihCudaArguments));
    kernel.setArgAttr(i, LLVM::LLVMDialect::getByValAttrName(),
                      TypeAttr::get(LLVM::LLVMArrayType::get(b.getI8Type(), bytes)));
    kernel.setArgAttr(i, LLVM::LLVMDialect::getAlignAttrName(),
                      b.getI64IntegerAttr(i < 3 ? 64 : 8));
    kernel.setArgAttr(i, "nvvm.grid_constant", b.getUnitAttr());
  }
  emitPrologue();
  Block *producer = addBlock(), *consumer = addBlock();
  exit = addBlock();
  branch(a.compare(LLVM::ICmpPredicate::eq, group, a.i32(0)), producer, consumer);
  b.setInsertionPointToEnd(exit);
  LLVM::ReturnOp::create(b, loc, ValueRange());
  b.setInsertionPointToEnd(producer);
  emitProducer();
  b.setInsertionPointToEnd(consumer);
  if (failed(emitConsumer()))
    return failure();
  source.erase();
  return success();
}

namespace {

struct ConvertTileToHopper : girih::impl::ConvertTileToHopperBase<ConvertTileToHopper> {
  void runOnOperation() override {
    SmallVector<func::FuncOp> kernels;
    for (auto func : getOperation().getOps<func::FuncOp>())
      if (func.walk([](tile::TaskOp) { return WalkResult::interrupt(); }).wasInterrupted())
        kernels.push_back(func);
    for (func::FuncOp kernel : kernels)
      if (failed(Emitter(kernel).run()))
        return signalPassFailure();
  }
};

} // namespace
