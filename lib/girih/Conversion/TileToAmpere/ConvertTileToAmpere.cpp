//===- ConvertTileToAmpere.cpp - Tile kernels to programs for sm_80 -------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The schedule is FlashAttention-2's (Dao, arXiv 2307.08691): every warp has rows
// of its own from the scores to the output, and copies of the next tile run while
// this one is worked on.
//
//===----------------------------------------------------------------------===//

#include "girih/Conversion/Fragments/CopyKernel.h"
#include "girih/Conversion/Fragments/MergeKernel.h"
#include "girih/Conversion/TileKernel/TileKernel.h"
#include "girih/Conversion/TileToAmpere/Emitter.h"

#include "girih-c/Cuda.h"
#include "girih/Analysis/ClosedForm.h"
#include "girih/Analysis/IndexForm.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

#include <limits>

using namespace mlir;

namespace girih {
#define GEN_PASS_DEF_CONVERTTILETOAMPERE
#include "girih/Conversion/Passes.h.inc"
} // namespace girih

using namespace girih;
using namespace girih::ampere;

static RankedTensorType typeOf(Value tile) { return cast<RankedTensorType>(tile.getType()); }

//===----------------------------------------------------------------------===//
// What the kernel must be like
//===----------------------------------------------------------------------===//

/// A tile's place is used again by the tile after the next one. Between its product
/// and that copy there has to be a load, where the warps meet.
LogicalResult Emitter::checkLoop() {
  Block &body = loop.getBody().front();
  Operation *lastLoad = nullptr;
  for (Operation &op : body) {
    if (!isa<tile::LoadOp>(op))
      continue;
    for (Operation *user : op.getUsers())
      if (user->getBlock() != &body)
        return op.emitOpError("expected a tile of the loop to be used in the loop's own block");
    if (lastLoad)
      for (Operation *user : lastLoad->getUsers())
        if (op.isBeforeInBlock(user))
          return lastLoad
                     ->emitOpError(
                         "expected a tile to be used before the next one is loaded, but got a use "
                         "behind a load")
                     .attachNote(op.getLoc())
                 << "the next load";
    auto row = cast<tile::LoadOp>(op).getRow().getDefiningOp<arith::MulIOp>();
    auto factor =
        row ? row.getRhs().getDefiningOp<arith::ConstantIndexOp>() : arith::ConstantIndexOp();
    if (!factor || row.getLhs() != loop.getKTile() || factor.value() != config.tileK)
      return op.emitOpError("expected rows from ") << config.tileK << " times the key tile on";
    lastLoad = &op;
    auto load = cast<tile::LoadOp>(op);
    bool isFirst = channels.empty();
    if (load.getSource() != source.getArgument(isFirst ? 1 : 2))
      return op.emitOpError("expected keys to be loaded first, and then values");
    channels.push_back(
        {load, isFirst ? config.k() : config.v(), isFirst ? config.kAt() : config.vAt()});
  }
  if (channels.size() != 2)
    return loop.emitOpError("expected one load of keys and one of values, but got ")
           << channels.size() << " loads";
  return success();
}

LogicalResult Emitter::analyze() {
  for (auto found : source.getOps<ForBlocksOp>())
    loop = found;
  if (!loop)
    return source.emitOpError("expected a tile kernel with one girih.for_blocks");
  tile::DotOp scores;
  for (auto dot : loop.getBody().front().getOps<tile::DotOp>())
    if (dot.getTransposeRhs())
      scores = dot;
  if (!scores)
    return loop.emitOpError("expected a product of queries and keys");
  if (!scores.getLhs().getDefiningOp<tile::LoadOp>())
    return scores.emitOpError(
        "expected queries as they are loaded; the sm_80 lowering scales scores");
  auto isInput = [](Type type) {
    auto tensor = dyn_cast<RankedTensorType>(type);
    return tensor && tensor.getRank() == 4 && !tensor.isDynamicDim(3);
  };
  if (source.getNumArguments() < 3 ||
      !llvm::all_of(source.getArgumentTypes().take_front(3), isInput))
    return source.emitOpError("expected arguments that begin with q, k and v, rank-4 tensors of "
                              "static head dims");
  auto queries = typeOf(source.getArgument(0)), values = typeOf(source.getArgument(2));
  config.tileQ = typeOf(scores.getResult()).getDimSize(0);
  config.tileK = typeOf(scores.getResult()).getDimSize(1);
  config.dim = queries.getDimSize(3);
  config.vDim = values.getDimSize(3);
  vDim = config.vDim;
  isBf16 = queries.getElementType().isBF16();
  if (!isBf16 && !queries.getElementType().isF16())
    return source.emitOpError("expected bf16 or f16 inputs on ")
           << chip.name << ", but got " << queries.getElementType();
  if ((config.tileQ != 64 && config.tileQ != 128) || config.tileK % 16 || config.tileK > 128)
    return source.emitOpError(
               "expected tiles of 64 or 128 rows by a multiple of 16 keys up to 128, but got ")
           << config.tileQ << " x " << config.tileK;
  if (config.sharedBytes() > chip.sharedPerBlock)
    return source.emitOpError("expected tiles to fit ")
           << chip.sharedPerBlock << " bytes of shared memory on " << chip.name << ", but got "
           << config.sharedBytes();
  return checkLoop();
}

//===----------------------------------------------------------------------===//
// The runs of a task, one tile at a time
//===----------------------------------------------------------------------===//

Emitter::Cursor Emitter::loadRun(Value run) {
  Value at = a.element(runs, a.mul(a.widen(run), sizeof(GirihRun)), b.getI8Type());
  // One 16-byte load: begin, end, state, view.
  static_assert(sizeof(GirihRun) == 16 && offsetof(GirihRun, end) == 4 &&
                offsetof(GirihRun, state) == 8);
  Value fields = LLVM::LoadOp::create(b, loc, VectorType::get({4}, b.getI32Type()), at,
                                      /*alignment=*/16);
  auto field = [&](int64_t i) -> Value {
    return LLVM::ExtractElementOp::create(b, loc, fields, a.i32(i));
  };
  Value partial = a.compare(LLVM::ICmpPredicate::eq, field(2), a.i32(GIRIH_TILE_PARTIAL));
  return {field(0), field(1), partial, run};
}

/// Without a branch: runs are read again every time, from the L1 cache, and so is
/// the end of this one, which would be one more register over the tile's work.
/// Behind the last tile it reads the entry that closes the plan's list of runs, and
/// stays there: what `exists` is false for is not used.
Emitter::Cursor Emitter::nextTile(const Cursor &cursor, Value exists) {
  Value next = a.add(cursor.tile, 1);
  Value isOver = a.compare(LLVM::ICmpPredicate::sge, next, loadRun(cursor.run).end);
  Value moves = exists ? LLVM::AndOp::create(b, loc, isOver, exists) : isOver;
  Value run = a.add(cursor.run, LLVM::ZExtOp::create(b, loc, b.getI32Type(), moves));
  Cursor loaded = loadRun(run);
  loaded.tile = a.select(isOver, loaded.tile, next);
  return loaded;
}

//===----------------------------------------------------------------------===//
// Ops that are not fragments'
//===----------------------------------------------------------------------===//

Value Emitter::readTask(size_t offset) {
  Value at = a.element(tasks, a.mul(a.widen(taskIndex), sizeof(GirihCudaTask)), b.getI8Type());
  static_assert(sizeof(GirihCudaTask) == 32);
  Value address = a.element(at, a.i64(offset / 16 * 16), b.getI8Type());
  Value four = LLVM::LoadOp::create(b, loc, VectorType::get({4}, b.getI32Type()), address,
                                    /*alignment=*/16);
  return LLVM::ExtractElementOp::create(b, loc, four, a.i32(offset % 16 / 4));
}

void Emitter::emitTask(tile::TaskOp op) {
  setScalar(op.getBatch(), readTask(offsetof(GirihCudaTask, batch)));
  setScalar(op.getHead(), readTask(offsetof(GirihCudaTask, head)));
  setScalar(op.getQTile(), readTask(offsetof(GirihCudaTask, q_tile)));
  firstRun = readTask(offsetof(GirihCudaTask, first_run));
  numTiles = readTask(offsetof(GirihCudaTask, num_tiles));
}

/// Lengths and head counts of the launch.
LogicalResult Emitter::emitDim(tensor::DimOp op) {
  Type i32 = b.getI32Type();
  auto of = dyn_cast<BlockArgument>(op.getSource());
  std::optional<int64_t> position = op.getConstantIndex();
  if (!of || of.getArgNumber() > 2 || !position || *position < 1 || *position > 2)
    return op.emitOpError("expected a number of heads or tokens of q, k or v");
  bool isQuery = of.getArgNumber() == 0;
  Value result;
  if (*position == 2)
    result = argument(
        isQuery ? offsetof(GirihCudaArguments, num_q) : offsetof(GirihCudaArguments, num_k), i32);
  else
    result = argument(offsetof(GirihCudaArguments, heads), i32);
  if (*position == 1 && !isQuery)
    result = LLVM::UDivOp::create(b, loc, result,
                                  argument(offsetof(GirihCudaArguments, heads_per_kv), i32));
  setScalar(op.getResult(), result);
  return success();
}

/// Address of one of the two places of a channel.
Value Emitter::placeOf(const Channel &channel, Value which) {
  return a.add(a.add(sharedBase, channel.at), a.mul(which, channel.shape.bytes()));
}

/// In iteration i: starts the copy of tile i + 1 to the place of tile i - 1, which
/// every warp has left since it met the others last (checkLoop), and waits for
/// tile i. As many copies are later than that one as there are channels.
LogicalResult Emitter::emitLoopLoad(Channel channel) {
  Block *start = addBlock(), *after = addBlock();
  branch(hasNext, start, after);
  b.setInsertionPointToEnd(start);
  if (failed(emitLoad(channel.load, channel.shape, placeOf(channel, a.bitXor(stage, a.i32(1))),
                      a.mul(nextTileIndex, config.tileK))))
    return failure();
  branch(after);
  b.setInsertionPointToEnd(after);
  a.copyCommit();
  a.copyWait(channels.size());
  a.syncThreads();
  sharedTiles[channel.load.getTile()] = {channel.shape, placeOf(channel, stage)};
  return success();
}

LogicalResult Emitter::emitOther(Operation *op) {
  if (auto dot = dyn_cast<tile::DotOp>(op))
    return emitDot(dot);
  if (auto dim = dyn_cast<tensor::DimOp>(op))
    return emitDim(dim);
  if (auto task = dyn_cast<tile::TaskOp>(op)) {
    emitTask(task);
    return success();
  }
  if (auto load = dyn_cast<tile::LoadOp>(op)) {
    for (Channel &channel : channels)
      if (channel.load == load)
        return emitLoopLoad(channel);
    // Queries: they arrive with the first keys.
    sharedTiles[load.getTile()] = {config.q(), sharedBase};
    return emitLoad(load, config.q(), sharedBase, scalar(load.getRow()));
  }
  return FragmentEmitter::emitOther(op);
}

//===----------------------------------------------------------------------===//
// The loop over key tiles
//===----------------------------------------------------------------------===//

LogicalResult Emitter::emitLoop() {
  Type i32 = b.getI32Type(), i1 = b.getI1Type();
  Cursor first = loadRun(firstRun), second = nextTile(first);
  for (Channel &channel : channels) {
    if (failed(emitLoad(channel.load, channel.shape, placeOf(channel, a.bitAnd(numTiles, 1)),
                        a.mul(first.tile, config.tileK))))
      return failure();
    a.copyCommit();
  }

  // Carried: tiles to do, this tile, where the next one is, and the fragments.
  SmallVector<Type> types{i32, i32, i1, i32, i1, i32};
  const unsigned numOwn = types.size();
  SmallVector<Value> begin{numTiles,    first.tile,     first.partial,
                           second.tile, second.partial, second.run};
  for (Value init : loop.getInits()) {
    girih::gpu::Fragment values = fragment(init);
    if (values.empty())
      return loop.emitOpError("starts from a tile that the sm_80 lowering does not hold");
    llvm::append_range(begin, values);
    types.append(values.size(), b.getF32Type());
  }
  Block *head = addBlock(types), *body = addBlock(), *done = addBlock();
  branch(head, begin);

  b.setInsertionPointToEnd(head);
  auto arguments = head->getArguments();
  Value remaining = arguments[0];
  Cursor next{arguments[3], Value(), arguments[4], arguments[5]};
  auto carried = arguments.drop_front(numOwn);
  for (auto [inside, behind] : llvm::zip(loop.getIterArgs(), loop.getResults())) {
    size_t count = girih::gpu::fragmentSize(inside.getType());
    set(inside, girih::gpu::Fragment(carried.take_front(count)));
    set(behind, girih::gpu::Fragment(carried.take_front(count)));
    carried = carried.drop_front(count);
  }
  branch(a.compare(LLVM::ICmpPredicate::sgt, remaining, a.i32(0)), body, done);

  b.setInsertionPointToEnd(body);
  setScalar(loop.getKTile(), arguments[1]);
  setScalar(loop.getPartial(), arguments[2]);
  stage = a.bitAnd(remaining, 1);
  nextTileIndex = next.tile;
  hasNext = a.compare(LLVM::ICmpPredicate::sgt, remaining, a.i32(1));
  Block &source = loop.getBody().front();
  for (Operation &op : source.without_terminator()) {
    readThread(op);
    if (failed(emit(&op)))
      return failure();
  }
  Cursor later = nextTile(next, hasNext);
  SmallVector<Value> again{a.add(remaining, -1), next.tile,     next.partial,
                           later.tile,           later.partial, later.run};
  for (Value yielded : source.getTerminator()->getOperands()) {
    girih::gpu::Fragment values = fragment(yielded);
    if (values.empty())
      return loop.emitOpError("yields a tile that the sm_80 lowering does not hold");
    llvm::append_range(again, values);
  }
  branch(head, again);
  b.setInsertionPointToEnd(done);
  return readAgain();
}

/// What only the stores use is read behind the loop; where registers are few, the
/// task and all places made of it as well.
LogicalResult Emitter::readAgain() {
  slot = readTask(offsetof(GirihCudaTask, slot));
  for (Operation &op : source.getBody().front()) {
    if (&op == loop.getOperation() || !hasFewRegisters)
      break;
    bool isScalar = op.getNumResults() == 1 && op.getResult(0).getType().isIndex() &&
                    isa<arith::ArithDialect>(op.getDialect()) && !isa<arith::ConstantOp>(op);
    if ((isScalar || isa<tile::TaskOp>(op)) && failed(emit(&op)))
      return failure();
  }
  return success();
}

/// Whether a constraint needs more than 32 bits: twice the registers.
static bool hasWideMask(func::FuncOp source) {
  constexpr int64_t limit = std::numeric_limits<int32_t>::max() / 2;
  bool isWide = false;
  TermSymbols terms;
  source.walk([&](Operation *op) {
    if (auto where = dyn_cast<WhereOp>(op)) {
      for (const Constraint &c : whereConstraints(where, terms)) {
        Sides sides = sidesOf(c.expr);
        isWide |= !fitsWithin(sides.lhs, limit) || !fitsWithin(sides.rhs, limit);
      }
    } else if (isa<TermLookupOp, TermExtremumOp>(op)) {
      for (AffineExpr expr : termExprs(op, terms))
        isWide |= !fitsWithin(expr, limit);
    }
  });
  return isWide;
}

//===----------------------------------------------------------------------===//
// The kernel
//===----------------------------------------------------------------------===//

void Emitter::createKernel() {
  MLIRContext *context = b.getContext();
  Type pointer = LLVM::LLVMPointerType::get(context);
  // One name for the shared memory of every kernel of the module.
  if (auto module = source->getParentOfType<ModuleOp>(); !module.lookupSymbol("girih_shared")) {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(module.getBody());
    LLVM::GlobalOp::create(b, loc, LLVM::LLVMArrayType::get(b.getI8Type(), 0),
                           /*isConstant=*/false, LLVM::Linkage::External, "girih_shared",
                           Attribute(), /*alignment=*/128, /*addrSpace=*/3);
  }
  b.setInsertionPoint(source);
  std::string name = source.getName().str();
  source.setName(name + "_tiles");
  auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(context), {pointer});
  kernel = LLVM::LLVMFuncOp::create(b, loc, name, type);
  int64_t blocks = residentBlocks(chip, config, hasWideMask(source));
  kernel->setAttr("nvvm.kernel", b.getUnitAttr());
  kernel->setAttr("nvvm.reqntid", b.getDenseI32ArrayAttr({static_cast<int32_t>(config.threads())}));
  kernel->setAttr("nvvm.minctasm", b.getI32IntegerAttr(blocks));
  kernel->setAttr("girih.shared_bytes", b.getI64IntegerAttr(config.sharedBytes()));
  kernel->setAttr("girih.threads", b.getI64IntegerAttr(config.threads()));
  kernel->setAttr("girih.blocks_per_multiprocessor", b.getI64IntegerAttr(blocks));
  kernel.setArgAttr(
      0, LLVM::LLVMDialect::getByValAttrName(),
      TypeAttr::get(LLVM::LLVMArrayType::get(b.getI8Type(), sizeof(GirihCudaArguments))));
  kernel.setArgAttr(0, LLVM::LLVMDialect::getAlignAttrName(), b.getI64IntegerAttr(8));
  kernel.setArgAttr(0, "nvvm.grid_constant", b.getUnitAttr());
  hasFewRegisters = blocks > 1;
}

void Emitter::emitPrologue() {
  Type i32 = b.getI32Type(), pointer = LLVM::LLVMPointerType::get(b.getContext());
  Type sharedPointer = LLVM::LLVMPointerType::get(b.getContext(), 3);
  Block *entry = kernel.addEntryBlock(b);
  b.setInsertionPointToEnd(entry);
  arguments = entry->getArgument(0);
  Value shared = LLVM::AddressOfOp::create(b, loc, sharedPointer, "girih_shared");
  sharedBase = LLVM::PtrToIntOp::create(b, loc, i32, shared);
  thread = a.special("tid.x");
  warp = a.uniform(a.shr(thread, 5));
  placeThread(thread, warp);
  tasks = argument(offsetof(GirihCudaArguments, tasks), pointer);
  runs = argument(offsetof(GirihCudaArguments, runs), pointer);
  setScalar(source.getArgument(3), argument(offsetof(GirihCudaArguments, scale), b.getF32Type()));
}

void Emitter::placeThread(Value ofThread, Value ofWarp) {
  lane = a.bitAnd(ofThread, 31);
  row = a.add(a.mul(ofWarp, Config::warpRows), a.shr(lane, 2));
}

void Emitter::readThread(Operation &op) {
  if (!hasFewRegisters || !isa<tile::MaskOp, tile::MapOp, tile::StoreOp>(op))
    return;
  Value again = a.threadAgain();
  placeThread(again, a.shr(again, 5));
}

LogicalResult Emitter::run() {
  if (failed(analyze()))
    return failure();
  createKernel();
  emitPrologue();
  Type i32 = b.getI32Type(), pointer = LLVM::LLVMPointerType::get(b.getContext());
  Value ranges = argument(offsetof(GirihCudaArguments, block_begin), pointer);
  Value own = a.element(ranges, a.widen(a.special("ctaid.x")), i32);
  Value firstTask = a.load(own, 0, i32), endTask = a.load(own, sizeof(int32_t), i32);

  Block *head = addBlock({i32}), *task = addBlock(), *exit = addBlock();
  branch(head, firstTask);
  b.setInsertionPointToEnd(head);
  taskIndex = head->getArgument(0);
  branch(a.compare(LLVM::ICmpPredicate::slt, taskIndex, endTask), task, exit);
  b.setInsertionPointToEnd(task);
  a.syncThreads(); // every warp is done with the tiles of the task before
  for (Operation &op : source.getBody().front().without_terminator()) {
    readThread(op);
    LogicalResult emitted = &op == loop.getOperation() ? emitLoop() : emit(&op);
    if (failed(emitted))
      return failure();
  }
  branch(head, a.add(taskIndex, 1));
  b.setInsertionPointToEnd(exit);
  LLVM::ReturnOp::create(b, loc, ValueRange());
  for (auto store : source.getOps<tile::StoreOp>())
    if (auto out = cast<MemRefType>(store.getDest().getType()); out.getRank() == 4) {
      girih::gpu::emitCopyKernel(a, kernel, out.getElementType(),
                                 std::max(config.dim, config.vDim));
      girih::gpu::emitMergeKernel(a, kernel, out.getElementType(), config.tileQ, config.vDim);
    }
  source.erase();
  return success();
}

namespace {

struct ConvertTileToAmpere : girih::impl::ConvertTileToAmpereBase<ConvertTileToAmpere> {
  using ConvertTileToAmpereBase::ConvertTileToAmpereBase;

  void runOnOperation() override {
    const Chip *target = findChip(chip);
    if (!target) {
      getOperation().emitError("expected a chip that mma.sync kernels are made for, but got '")
          << chip << "'; supported: sm_80, sm_86, sm_89";
      return signalPassFailure();
    }
    SmallVector<func::FuncOp> kernels;
    for (auto func : getOperation().getOps<func::FuncOp>())
      if (func.walk([](tile::TaskOp) { return WalkResult::interrupt(); }).wasInterrupted())
        kernels.push_back(func);
    for (func::FuncOp kernel : kernels) {
      OpBuilder builder(&getContext());
      Asm instructions(builder, kernel.getLoc());
      if (failed(checkTileKernel(kernel)) || failed(Emitter(kernel, *target, instructions).run()))
        return signalPassFailure();
    }
  }
};

} // namespace
