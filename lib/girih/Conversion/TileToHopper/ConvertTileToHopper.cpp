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

Value Emitter::queryBarrier() { return a.add(sharedBase, config.barriersAt()); }

Value Emitter::barrier(int64_t which, Value stage) {
  return a.add(a.add(sharedBase, a.mul(stage, 32)), config.barriersAt() + 8 * (1 + which));
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

  Value block = a.special("ctaid.x");
  Value tasks = argument(offsetof(GirihCudaArguments, tasks), pointer);
  taskAt = a.element(tasks, a.widen(a.mul(block, sizeof(GirihCudaTask))), b.getI8Type());
  batch = a.load(taskAt, offsetof(GirihCudaTask, batch), i32);
  head = a.load(taskAt, offsetof(GirihCudaTask, head), i32);
  firstRun = a.load(taskAt, offsetof(GirihCudaTask, first_run), i32);
  numTiles = a.load(taskAt, offsetof(GirihCudaTask, num_tiles), i32);
  firstRow = a.mul(a.load(taskAt, offsetof(GirihCudaTask, q_tile), i32), config.tileQ);
  runs = argument(offsetof(GirihCudaArguments, runs), pointer);
  Value perKv = argument(offsetof(GirihCudaArguments, heads_per_kv), i32);
  kvHead = LLVM::UDivOp::create(b, loc, head, perKv);
  firstPosition = a.add(firstRow, argument(offsetof(GirihCudaArguments, q_offset), i32));

  Block *init = addBlock(), *start = addBlock();
  branch(a.compare(LLVM::ICmpPredicate::eq, thread, a.i32(0)), init, start);
  b.setInsertionPointToEnd(init);
  a.barrierInit(queryBarrier(), 1);
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
  Block *begin = addBlock();
  Value isFirst = a.compare(LLVM::ICmpPredicate::eq, thread, a.i32(0));
  Value hasTiles = a.compare(LLVM::ICmpPredicate::sgt, numTiles, a.i32(0));
  branch(LLVM::AndOp::create(b, loc, isFirst, hasTiles), begin, exit);
  b.setInsertionPointToEnd(begin);
  auto copy = [&](unsigned map, Value at, int64_t rows, int64_t chunks, Value row, Value copyHead,
                  Value barrier) {
    for (int64_t chunk = 0; chunk != chunks; ++chunk)
      a.copyTile(a.add(at, chunk * rows * 128), maps[map],
                 {a.i32(64 * chunk), row, copyHead, batch}, barrier);
  };
  a.barrierExpect(queryBarrier(), a.i32(config.qBytes()));
  copy(0, a.add(sharedBase, config.qAt()), config.tileQ, config.chunks(), firstRow, head,
       queryBarrier());

  Block *loop = addBlock({i32, i32, i32, i32, i32, i1, i32}), *body = addBlock();
  Cursor first = firstTile();
  branch(loop, {a.i32(0), a.i32(0), a.i32(1), first.tile, first.end, first.partial, first.run});
  b.setInsertionPointToEnd(loop);
  Value i = loop->getArgument(0), stage = loop->getArgument(1), phase = loop->getArgument(2);
  Cursor cursor{loop->getArgument(3), loop->getArgument(4), loop->getArgument(5),
                loop->getArgument(6)};
  branch(a.compare(LLVM::ICmpPredicate::slt, i, numTiles), body, exit);
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

//===----------------------------------------------------------------------===//
// Consumers
//===----------------------------------------------------------------------===//

SmallVector<Value> Emitter::scoreProduct(Value stage) {
  Asm::Product p;
  p.n = config.tileK;
  p.isBf16 = config.isBf16;
  p.lhs = queryDescriptor;
  Value at = a.add(a.add(sharedBase, a.mul(stage, config.kBytes())), config.kAt());
  p.rhs = a.descriptor(at, 16, 1024);
  for (int64_t step = 0; step != config.depth() / 16; ++step) {
    // 64-column chunks; 32 bytes a step inside one.
    p.lhsSteps.push_back((step / 4 * config.tileQ * 128 + step % 4 * 32) >> 4);
    p.rhsSteps.push_back((step / 4 * config.tileK * 128 + step % 4 * 32) >> 4);
  }
  a.productFence();
  SmallVector<Value> result = a.product(p);
  a.productCommit();
  return result;
}

SmallVector<Value> Emitter::outputProduct(ArrayRef<Value> acc, Value stage,
                                          ArrayRef<Value> fragments) {
  Asm::Product p;
  p.n = config.width();
  p.isBf16 = config.isBf16;
  p.rhsIsTransposed = true;
  p.acc.assign(acc.begin(), acc.end());
  p.lhsFragments.assign(fragments.begin(), fragments.end());
  Value at = a.add(a.add(sharedBase, a.mul(stage, config.vBytes())), config.vAt());
  p.rhs = a.descriptor(at, config.tileK * 128, 1024);
  for (int64_t step = 0; step != config.tileK / 16; ++step)
    p.rhsSteps.push_back((step * 2048) >> 4);
  a.productFence();
  SmallVector<Value> result = a.product(p);
  a.productCommit();
  return result;
}

/// Accumulator layout is operand layout but for the rounding of pairs.
SmallVector<Value> Emitter::packed(const Fragment &p) {
  SmallVector<Value> result;
  for (size_t i = 0; i != p.size(); i += 2)
    result.push_back(a.pack(p[i], p[i + 1], config.isBf16));
  return result;
}

LogicalResult Emitter::emitConsumer() {
  Type i32 = b.getI32Type(), i1 = b.getI1Type(), f32 = b.getF32Type();
  a.setRegisters(true, config.warpgroups == 3 ? 160 : 240);
  Value consumer = a.add(group, -1);
  Value warp = a.bitAnd(a.shr(thread, 5), 3);
  Value row = a.add(a.add(a.mul(consumer, 64), a.mul(warp, 16)), a.shr(lane, 2));
  warpRows = {a.add(firstRow, row), a.add(a.add(firstRow, row), 8)};
  Place place;
  place.row[0] = a.add(firstPosition, row);
  place.row[1] = a.add(place.row[0], 8);
  place.batch = batch;
  place.head = head;
  Value firstColumn = a.mul(a.bitAnd(lane, 3), 2);

  Block *work = addBlock(), *none = addBlock();
  branch(a.compare(LLVM::ICmpPredicate::sgt, numTiles, a.i32(0)), work, none);

  size_t numOutput = config.width() / 2;
  auto carriedIndex = [&](unsigned i) { return blockLoop.getIterArgs()[i]; };
  Operation *yield = blockLoop.getBody().front().getTerminator();
  unsigned numRows = yield->getNumOperands() - 1;

  // Rows that see nothing: what the tail makes of the initial values.
  auto initial = [&](Fragments &values) {
    for (unsigned i = 0; i != numRows; ++i) {
      auto constant = blockLoop.getInits()[i + 1].getDefiningOp<arith::ConstantOp>();
      float value =
          cast<DenseElementsAttr>(constant.getValue()).getSplatValue<APFloat>().convertToFloat();
      values[carriedIndex(i + 1)] = Fragment(2, a.f32(value));
    }
  };
  auto finish = [&](ArrayRef<Value> out, const SmallVector<Fragment> &rowValues) {
    Fragments values;
    values[blockLoop.getResult(0)] = Fragment(out.begin(), out.end());
    for (unsigned i = 0; i != numRows; ++i)
      values[blockLoop.getResult(i + 1)] = rowValues[i];
    return emitOps(tail, values, place, Value());
  };

  b.setInsertionPointToEnd(none);
  {
    Fragments values;
    initial(values);
    SmallVector<Fragment> rowValues;
    for (unsigned i = 0; i != numRows; ++i)
      rowValues.push_back(values[carriedIndex(i + 1)]);
    if (failed(finish(SmallVector<Value>(numOutput, a.f32(0)), rowValues)))
      return failure();
    branch(exit);
  }

  b.setInsertionPointToEnd(work);
  bool turns = config.warpgroups > 1;
  int barrierThreads = 256;
  if (turns) {
    Block *kick = addBlock(), *go = addBlock();
    branch(a.compare(LLVM::ICmpPredicate::eq, consumer, a.i32(0)), kick, go);
    b.setInsertionPointToEnd(kick);
    a.namedArrive(a.i32(1), barrierThreads);
    branch(go);
    b.setInsertionPointToEnd(go);
  }
  auto takeTurn = [&] {
    if (turns)
      a.namedSync(group, barrierThreads);
  };
  auto passTurn = [&] {
    if (!turns)
      return;
    Value next = a.add(group, 1);
    Value isLast = a.compare(LLVM::ICmpPredicate::eq, group, a.i32(config.warpgroups));
    a.namedArrive(a.select(isLast, a.i32(1), next), barrierThreads);
  };

  queryDescriptor =
      a.descriptor(a.add(a.add(sharedBase, config.qAt()), a.mul(consumer, 64 * 128)), 16, 1024);
  a.barrierWait(queryBarrier(), a.i32(0));
  Cursor first = firstTile();
  a.barrierWait(barrier(0, a.i32(0)), a.i32(0));
  SmallVector<Value> s = a.productWait(scoreProduct(a.i32(0)), 0);
  a.barrierArrive(barrier(1, a.i32(0)));

  // The softmax of one tile: rows and probabilities from scores and rows.
  auto softmaxOf = [&](ArrayRef<Value> tileScores, const SmallVector<Fragment> &rowValues,
                       const Cursor &cursor, SmallVector<Fragment> &newRows, Fragment &decayRows,
                       Fragment &p) -> LogicalResult {
    Fragments values;
    values[scores.getResult()] = Fragment(tileScores.begin(), tileScores.end());
    for (unsigned i = 0; i != numRows; ++i)
      values[carriedIndex(i + 1)] = rowValues[i];
    place.column = a.add(a.mul(cursor.tile, config.tileK), firstColumn);
    if (failed(emitOps(softmax, values, place, cursor.partial)))
      return failure();
    newRows.clear();
    for (unsigned i = 0; i != numRows; ++i)
      newRows.push_back(fragmentOf(yield->getOperand(i + 1), values, 2));
    decayRows = fragmentOf(decay, values, 2);
    p = fragmentOf(output.getLhs(), values, config.tileK / 2);
    return success();
  };

  Fragments starts;
  initial(starts);
  SmallVector<Fragment> rowValues, newRows;
  for (unsigned i = 0; i != numRows; ++i)
    rowValues.push_back(starts[carriedIndex(i + 1)]);
  Fragment decayRows, p;
  if (failed(softmaxOf(s, rowValues, first, newRows, decayRows, p)))
    return failure();

  // Carried: tile number, stage and phase of the scores, cursor, output, rows,
  // probabilities of the tile before.
  Cursor second = nextTile(first);
  SmallVector<Type> types{i32, i32, i32, i32, i32, i1, i32};
  types.append(numOutput + 2 * numRows, f32);
  types.append(config.tileK / 4, i32);
  Block *loop = addBlock(types), *body = addBlock(), *done = addBlock();
  auto jump = [&](Value i, Value stage, Value phase, const Cursor &cursor, ArrayRef<Value> out,
                  const SmallVector<Fragment> &rowFragments, ArrayRef<Value> probabilities) {
    SmallVector<Value> operands{i,          stage,          phase,     cursor.tile,
                                cursor.end, cursor.partial, cursor.run};
    llvm::append_range(operands, out);
    for (const Fragment &fragment : rowFragments)
      llvm::append_range(operands, fragment);
    llvm::append_range(operands, probabilities);
    branch(loop, operands);
  };
  jump(a.i32(1), a.i32(1), a.i32(0), second, SmallVector<Value>(numOutput, a.f32(0)), newRows,
       packed(p));

  b.setInsertionPointToEnd(loop);
  auto args = loop->getArguments();
  Value i = args[0], stage = args[1], phase = args[2];
  Cursor cursor{args[3], args[4], args[5], args[6]};
  SmallVector<Value> out(args.slice(7, numOutput));
  rowValues.clear();
  for (unsigned n = 0; n != numRows; ++n)
    rowValues.push_back(Fragment(args.slice(7 + numOutput + 2 * n, 2)));
  SmallVector<Value> before(args.slice(7 + numOutput + 2 * numRows, config.tileK / 4));
  Value stageBefore = a.bitXor(stage, a.i32(1)), phaseBefore = a.bitXor(phase, stageBefore);
  branch(a.compare(LLVM::ICmpPredicate::slt, i, numTiles), body, done);

  b.setInsertionPointToEnd(body);
  a.barrierWait(barrier(0, stage), phase);
  takeTurn();
  s = scoreProduct(stage);
  a.barrierWait(barrier(2, stageBefore), phaseBefore);
  SmallVector<Value> sum = outputProduct(out, stageBefore, before);
  passTurn();
  s = a.productWait(s, 1);
  a.barrierArrive(barrier(1, stage));
  if (failed(softmaxOf(s, rowValues, cursor, newRows, decayRows, p)))
    return failure();
  sum = a.productWait(sum, 0);
  a.barrierArrive(barrier(3, stageBefore));
  SmallVector<Value> probabilities = packed(p);
  for (size_t n = 0; n != numOutput; ++n)
    sum[n] = a.fmul(sum[n], decayRows[n / 2 % 2]);
  jump(a.add(i, 1), a.bitXor(stage, a.i32(1)), a.bitXor(phase, stage), nextTile(cursor), sum,
       newRows, probabilities);

  b.setInsertionPointToEnd(done);
  a.barrierWait(barrier(2, stageBefore), phaseBefore);
  sum = a.productWait(outputProduct(out, stageBefore, before), 0);
  if (failed(finish(sum, rowValues)))
    return failure();
  branch(exit);
  return success();
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
