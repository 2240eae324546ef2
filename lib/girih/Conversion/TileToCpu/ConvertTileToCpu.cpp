//===- ConvertTileToCpu.cpp - Tile kernels to vector loops ----------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The walk over a kernel, its control flow and its scalars. README.md in this
// folder explains the layouts.
//
//===----------------------------------------------------------------------===//

#include "girih/Conversion/TileKernel/TileKernel.h"
#include "girih/Conversion/TileToCpu/Emitter.h"
#include "girih/Conversion/TileToCpu/TileLimits.h"

#include "girih-c/Runtime.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

namespace girih {
#define GEN_PASS_DEF_CONVERTTILETOCPU
#include "girih/Conversion/Passes.h.inc"
} // namespace girih

using namespace girih;
using namespace girih::cpu;

Emitter::Emitter(func::FuncOp source, int64_t width, bool bf16Dots, bool amx)
    : source(source), width(width), bf16Dots(bf16Dots), amx(amx), b(source.getContext()),
      loc(source.getLoc()) {}

LogicalResult Emitter::run() {
  Type pointer = LLVM::LLVMPointerType::get(b.getContext());
  b.setInsertionPoint(source);
  auto kernel = func::FuncOp::create(
      b, loc, source.getName(), FunctionType::get(b.getContext(), {pointer, pointer, pointer}, {}));
  // Scratch memory is the thread's own; the rest is only read, but for outputs,
  // which nothing else points to.
  for (unsigned i = 0; i != 3; ++i)
    kernel.setArgAttr(i, LLVM::LLVMDialect::getNoAliasAttrName(), b.getUnitAttr());
  entry = kernel.addEntryBlock();
  launch = entry->getArgument(0);
  task = entry->getArgument(1);
  scratch = entry->getArgument(2);
  b.setInsertionPointToEnd(entry);
  if (source.getNumArguments() > 3 && source.getArgument(3).getType().isF32())
    scalars[source.getArgument(3)] = launchField(offsetof(GirihLaunch, scale), b.getF32Type());
  bool usesTiles = source
                       .walk([&](tile::DotOp dot) {
                         return isTiled(dot) ? WalkResult::interrupt() : WalkResult::advance();
                       })
                       .wasInterrupted();
  if (usesTiles)
    configureTiles();
  if (failed(emitBlock(source.getBody().front())))
    return failure();
  if (usesTiles)
    releaseTiles();
  func::ReturnOp::create(b, loc);
  kernel->setAttr("girih.scratch_bytes", b.getI64IntegerAttr(scratchBytes));
  source.erase();
  return success();
}

LogicalResult Emitter::emitBlock(Block &block) {
  for (Operation &op : block.without_terminator()) {
    loc = op.getLoc();
    if (failed(emitOp(&op)))
      return failure();
    if (!isLazy(&op))
      emitted.insert(&op);
  }
  return success();
}

LogicalResult Emitter::emitOp(Operation *op) {
  return llvm::TypeSwitch<Operation *, LogicalResult>(op)
      .Case<tile::TaskOp>([&](auto op) { return emitTask(op); })
      .Case<tile::LoadOp>([&](auto op) { return emitLoad(op); })
      .Case<tile::StoreOp>([&](auto op) { return emitStore(op); })
      .Case<tile::DotOp>([&](auto op) { return emitDot(op); })
      .Case<tile::RowReduceOp>([&](auto op) { return emitRowReduce(op); })
      .Case<tile::MaskOp>([&](auto op) { return emitMask(op); })
      .Case<tile::MapOp>([&](auto op) { return emitMap(op); })
      .Case<ForBlocksOp>([&](auto op) { return emitForBlocks(op); })
      .Case<tensor::DimOp>([&](auto op) { return emitDim(op); })
      .Default([&](Operation *op) -> LogicalResult {
        if (op->getNumResults() != 1)
          return op->emitOpError("is not supported in a tile kernel");
        Type type = op->getResult(0).getType();
        if (isa<PatternType, TermType, BlockMapType>(type))
          return success(); // read where they are used
        return isTile(type) ? emitElementwise(op) : emitScalar(op);
      });
}

//===----------------------------------------------------------------------===//
// Scalars: index becomes i64
//===----------------------------------------------------------------------===//

LogicalResult Emitter::emitScalar(Operation *op) {
  if (!isa<arith::ArithDialect, math::MathDialect>(*op->getDialect()))
    return op->emitOpError("is not supported in a tile kernel");
  if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
    Value value = constant.getType().isIndex()
                      ? i64(cast<IntegerAttr>(constant.getValue()).getInt())
                      : arith::ConstantOp::create(b, loc, constant.getValue()).getResult();
    scalars[op->getResult(0)] = value;
    return success();
  }
  OperationState state(loc, op->getName());
  state.addAttributes(op->getAttrs());
  for (Value operand : op->getOperands()) {
    Value scalar = scalars.lookup(operand);
    if (!scalar)
      return op->emitOpError("reads a value that a tile kernel does not have");
    state.addOperands(scalar);
  }
  for (Type type : op->getResultTypes())
    state.addTypes(type.isIndex() ? b.getI64Type() : type);
  scalars[op->getResult(0)] = b.create(state)->getResult(0);
  return success();
}

LogicalResult Emitter::emitTask(tile::TaskOp op) {
  scalars[op.getBatch()] = taskField(offsetof(GirihTask, batch), b.getI64Type());
  scalars[op.getHead()] = taskField(offsetof(GirihTask, head), b.getI64Type());
  scalars[op.getQTile()] = taskField(offsetof(GirihTask, q_tile), b.getI64Type());
  return success();
}

LogicalResult Emitter::emitDim(tensor::DimOp op) {
  auto position = op.getConstantIndex();
  auto argument = dyn_cast<BlockArgument>(op.getSource());
  if (!position || !argument || argument.getArgNumber() > 2)
    return op.emitOpError("expected a constant dimension of q, k or v");
  size_t offset = viewOffset(argument) + offsetof(GirihView, shape) + *position * sizeof(int64_t);
  scalars[op.getResult()] = launchField(offset, b.getI64Type());
  return success();
}

//===----------------------------------------------------------------------===//
// The block loop: runs of the task, then the tiles of a run
//===----------------------------------------------------------------------===//

LogicalResult Emitter::emitForBlocks(ForBlocksOp op) {
  auto map = op.getMap().getDefiningOp<BlockMapOp>();
  if (!map)
    return op.emitOpError("expected a map made by girih.block_map");
  int64_t tileQ = map.getTile()[0], tileK = map.getTile()[1];
  if (tileQ > maxTileQ || tileK > maxTileK)
    return map.emitOpError("has tiles of ")
           << tileQ << " x " << tileK
           << ", which the CPU lowering does not support; supported: up to " << maxTileQ << " x "
           << maxTileK;
  for (auto view : {map.getQView(), map.getKView()})
    if (view && !view->isIdentity())
      return map.emitOpError(
          "has a view that the CPU lowering does not support; supported: the identity");

  // 2-D loop-carried tiles stay in one buffer; row vectors are carried in registers.
  SmallVector<Value> inits;
  for (auto [init, argument, result] :
       llvm::zip(op.getInits(), op.getIterArgs(), op.getResults())) {
    if (cast<RankedTensorType>(init.getType()).getRank() == 1) {
      llvm::append_range(inits, rows[init]);
      continue;
    }
    auto yielded = op.getBody().front().getTerminator()->getOperand(argument.getArgNumber() - 2);
    bool colMajor = isColMajor(yielded);
    layouts[argument] = layouts[result] = colMajor;
    auto type = cast<RankedTensorType>(init.getType());
    Buffer carried = allocate(type.getDimSize(0), type.getDimSize(1), colMajor);
    if (colMajor)
      materializeColMajor(init, carried);
    else
      materializeRowMajor(init, carried);
    buffers[argument] = buffers[result] = carried;
  }

  auto bind = [&](ValueRange tiles, ValueRange registers) {
    size_t next = 0;
    for (Value value : tiles) {
      auto type = cast<RankedTensorType>(value.getType());
      if (type.getRank() != 1)
        continue;
      size_t count = type.getDimSize(0) / width;
      rows[value] = llvm::to_vector(registers.slice(next, count));
      next += count;
    }
  };

  Value runs = taskField(offsetof(GirihTask, runs), LLVM::LLVMPointerType::get(b.getContext()));
  Value numRuns = taskField(offsetof(GirihTask, num_runs), b.getI64Type());
  LogicalResult status = success();
  auto outer = loop(i64(0), numRuns, 1, inits, [&](Value r, ValueRange carried) {
    Value run = LLVM::GEPOp::create(b, loc, runs.getType(), b.getI8Type(), runs,
                                    ArrayRef<LLVM::GEPArg>{mul(r, sizeof(GirihRun))});
    auto load = [&](size_t offset) {
      return arith::ExtSIOp::create(b, loc, b.getI64Type(), field(run, offset, b.getI32Type()));
    };
    Value begin = load(offsetof(GirihRun, begin)), end = load(offsetof(GirihRun, end));
    Value state = field(run, offsetof(GirihRun, state), b.getI32Type());
    Value partialState = arith::ConstantIntOp::create(b, loc, b.getI32Type(), GIRIH_TILE_PARTIAL);
    Value partial = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, state, partialState);
    auto inner = loop(begin, end, 1, carried, [&](Value j, ValueRange registers) {
      scalars[op.getKTile()] = j;
      scalars[op.getPartial()] = partial;
      bind(op.getIterArgs(), registers);
      if (failed(emitBlock(op.getBody().front())) || failed(emitYield(op)))
        status = failure();
      SmallVector<Value> next;
      for (Value yielded : op.getBody().front().getTerminator()->getOperands())
        if (succeeded(status) && cast<RankedTensorType>(yielded.getType()).getRank() == 1)
          llvm::append_range(next, rows[yielded]);
      return succeeded(status) ? next : llvm::to_vector(registers);
    });
    return llvm::to_vector(ValueRange(inner.getResults()));
  });
  bind(op.getResults(), outer.getResults());
  return status;
}

/// Moves 2-D results of an iteration into the buffers that carry them.
LogicalResult Emitter::emitYield(ForBlocksOp op) {
  for (auto [yielded, argument] :
       llvm::zip(op.getBody().front().getTerminator()->getOperands(), op.getIterArgs())) {
    if (cast<RankedTensorType>(yielded.getType()).getRank() == 1)
      continue;
    FailureOr<Buffer> from = bufferOf(yielded, isColMajor(yielded));
    if (failed(from))
      return failure();
    if (from->base != buffers[argument].base)
      copy(*from, buffers[argument]);
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Layouts
//===----------------------------------------------------------------------===//

/// Scores and probabilities are column-major, queries along the lanes; so is
/// what is multiplied from the left. Everything else is row-major.
bool Emitter::isColMajor(Value tile) {
  if (auto it = layouts.find(tile); it != layouts.end())
    return it->second;
  bool colMajor = isColMajorImpl(tile);
  layouts[tile] = colMajor;
  return colMajor;
}

/// Whether a product takes `tile`, or something elementwise of it, from the left.
static bool feedsLeftOfDot(Value tile) {
  return llvm::any_of(tile.getUses(), [](OpOperand &use) {
    Operation *user = use.getOwner();
    if (isa<tile::DotOp>(user))
      return use.getOperandNumber() == 0;
    return user->getNumResults() == 1 && isTile(user->getResult(0).getType()) &&
           isa<arith::ArithDialect, math::MathDialect>(*user->getDialect()) &&
           feedsLeftOfDot(user->getResult(0));
  });
}

bool Emitter::isColMajorImpl(Value tile) {
  Operation *op = tile.getDefiningOp();
  if (auto dot = dyn_cast_or_null<tile::DotOp>(op))
    return dot.getTransposeRhs();
  if (isa_and_nonnull<tile::LoadOp>(op))
    return feedsLeftOfDot(tile);
  if (op) {
    for (Value operand : op->getOperands()) {
      Operation *producer = operand.getDefiningOp();
      auto type = dyn_cast<RankedTensorType>(operand.getType());
      bool isNeutral =
          isa_and_nonnull<tile::BroadcastOp, tile::SplatOp, arith::ConstantOp>(producer);
      if (type && isTile(type) && type.getRank() == 2 && !isNeutral)
        return isColMajor(operand);
    }
  }
  return feedsLeftOfDot(tile);
}

//===----------------------------------------------------------------------===//
// Small builders
//===----------------------------------------------------------------------===//

Value Emitter::i64(int64_t value) {
  return arith::ConstantIntOp::create(b, loc, b.getI64Type(), value);
}

Value Emitter::f32(float value) {
  return arith::ConstantOp::create(b, loc, b.getF32FloatAttr(value));
}

Value Emitter::splat(Value scalar) {
  return vector::BroadcastOp::create(b, loc, lanes(scalar.getType()), scalar);
}

Value Emitter::splatConstant(float value) {
  return arith::ConstantOp::create(b, loc, DenseElementsAttr::get(floats(), value));
}

Value Emitter::add(Value x, Value y) { return arith::AddIOp::create(b, loc, x, y); }

Value Emitter::add(Value x, int64_t constant) { return constant ? add(x, i64(constant)) : x; }

Value Emitter::mul(Value x, int64_t constant) {
  return constant == 1 ? x : arith::MulIOp::create(b, loc, x, i64(constant)).getResult();
}

Value Emitter::at(Value base, Value index, int64_t offset) {
  Type pointer = base.getType();
  if (index)
    base =
        LLVM::GEPOp::create(b, loc, pointer, b.getF32Type(), base, ArrayRef<LLVM::GEPArg>{index});
  if (offset)
    base = LLVM::GEPOp::create(b, loc, pointer, b.getF32Type(), base,
                               ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(offset)});
  return base;
}

Value Emitter::loadVector(Value address) {
  return LLVM::LoadOp::create(b, loc, floats(), address, /*alignment=*/4);
}

Value Emitter::loadScalar(Value address, unsigned alignment) {
  return LLVM::LoadOp::create(b, loc, b.getF32Type(), address, alignment);
}

void Emitter::storeVector(Value vector, Value address) {
  LLVM::StoreOp::create(b, loc, vector, address, /*alignment=*/4);
}

scf::ForOp Emitter::loop(Value lower, Value upper, int64_t step,
                         llvm::function_ref<void(Value)> body) {
  return loop(lower, upper, step, ValueRange(), [&](Value i, ValueRange) {
    body(i);
    return SmallVector<Value>();
  });
}

scf::ForOp Emitter::loop(Value lower, Value upper, int64_t step, ValueRange inits,
                         llvm::function_ref<SmallVector<Value>(Value, ValueRange)> body) {
  auto op = scf::ForOp::create(b, loc, lower, upper, i64(step), inits);
  Block *block = op.getBody();
  if (!block->empty())
    block->getTerminator()->erase();
  b.setInsertionPointToEnd(block);
  SmallVector<Value> results = body(op.getInductionVar(), op.getRegionIterArgs());
  scf::YieldOp::create(b, loc, results);
  b.setInsertionPointAfter(op);
  return op;
}

//===----------------------------------------------------------------------===//
// The pass
//===----------------------------------------------------------------------===//

namespace {

struct ConvertTileToCpu : girih::impl::ConvertTileToCpuBase<ConvertTileToCpu> {
  using ConvertTileToCpuBase::ConvertTileToCpuBase;

  void runOnOperation() override {
    if (vectorWidth != 16 && vectorWidth != 8 && vectorWidth != 4) {
      getOperation().emitError("expected girih-vector-width to be 16, 8 or 4, but got ")
          << vectorWidth.getValue();
      return signalPassFailure();
    }
    if (bf16Dots && vectorWidth != 16) {
      getOperation().emitError(
          "expected girih-vector-width to be 16 with girih-bf16-dots, but got ")
          << vectorWidth.getValue();
      return signalPassFailure();
    }
    if (amx && !bf16Dots) {
      getOperation().emitError("expected girih-bf16-dots with girih-amx, but got girih-amx alone");
      return signalPassFailure();
    }
    SmallVector<func::FuncOp> kernels;
    for (auto func : getOperation().getOps<func::FuncOp>()) {
      bool isKernel =
          func.walk([](tile::TaskOp) { return WalkResult::interrupt(); }).wasInterrupted();
      if (isKernel)
        kernels.push_back(func);
    }
    for (func::FuncOp kernel : kernels)
      if (failed(checkTileKernel(kernel)) ||
          failed(Emitter(kernel, vectorWidth, bf16Dots, amx).run()))
        return signalPassFailure();
  }
};

} // namespace
