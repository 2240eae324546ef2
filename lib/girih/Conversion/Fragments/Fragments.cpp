//===- Fragments.cpp - Tile ops on what a GPU thread holds of a tile ------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Conversion/Fragments/Fragments.h"

#include "girih/WarpSpec/WarpSpec.h"

#include "mlir/Dialect/Math/IR/Math.h"

using namespace mlir;
using namespace girih;
using namespace girih::gpu;

size_t gpu::fragmentSize(Type type) {
  auto tensor = cast<RankedTensorType>(type);
  if (tensor.getRank() == 1)
    return 2;
  return tensor.getDimSize(1) == 8 ? 4 : (tensor.getDimSize(1) + 15) / 16 * 8;
}

bool gpu::isMadeAtStore(Operation *op) {
  return isa_and_nonnull<arith::MulFOp>(op) && op->hasOneUse() &&
         isa<tile::StoreOp, ws::StoreOp>(*op->user_begin()) &&
         cast<RankedTensorType>(op->getResult(0).getType()).getRank() == 2;
}

static bool isTile(Value value) { return isa<RankedTensorType>(value.getType()); }

//===----------------------------------------------------------------------===//
// Control flow
//===----------------------------------------------------------------------===//

Block *FragmentEmitter::addBlock(ArrayRef<Type> types) {
  Block *block = new Block();
  kernel.getBody().push_back(block);
  for (Type type : types)
    block->addArgument(type, loc);
  return block;
}

void FragmentEmitter::branch(Block *to, ValueRange operands) {
  LLVM::BrOp::create(b, loc, operands, to);
}

void FragmentEmitter::branch(Value condition, Block *yes, Block *no) {
  LLVM::CondBrOp::create(b, loc, condition, yes, no);
}

//===----------------------------------------------------------------------===//
// Values
//===----------------------------------------------------------------------===//

Fragment FragmentEmitter::fragment(Value tile) {
  if (auto it = fragments.find(tile); it != fragments.end())
    return it->second;
  if (!isa<RankedTensorType>(tile.getType()))
    return {};
  Operation *op = tile.getDefiningOp();
  size_t count = fragmentSize(tile.getType());
  if (auto constant = dyn_cast_or_null<arith::ConstantOp>(op)) {
    auto elements = dyn_cast<DenseElementsAttr>(constant.getValue());
    if (elements && elements.isSplat())
      return Fragment(count, a.f32(elements.getSplatValue<APFloat>().convertToFloat()));
  }
  if (auto splat = dyn_cast_or_null<tile::SplatOp>(op))
    if (Value value = scalar(splat.getValue()))
      return Fragment(count, value);
  if (auto broadcast = dyn_cast_or_null<tile::BroadcastOp>(op)) {
    Fragment rows = fragment(broadcast.getVector()), result;
    for (size_t i = 0; !rows.empty() && i != count; ++i)
      result.push_back(rows[i / 2 % 2]);
    return result;
  }
  return {};
}

Value FragmentEmitter::truth(bool value) {
  return LLVM::ConstantOp::create(b, loc, b.getI1Type(), b.getBoolAttr(value));
}

Value FragmentEmitter::scalar(Value value) {
  if (auto it = scalars.find(value); it != scalars.end())
    return it->second;
  auto constant = value.getDefiningOp<arith::ConstantOp>();
  if (!constant)
    return {};
  if (value.getType().isIndex())
    return a.i32(cast<IntegerAttr>(constant.getValue()).getInt());
  return LLVM::ConstantOp::create(b, loc, value.getType(), constant.getValue());
}

void FragmentEmitter::alias(Value to, Value from) {
  if (!isTile(to))
    return setScalar(to, scalar(from));
  set(to, fragment(from));
}

//===----------------------------------------------------------------------===//
// Ops
//===----------------------------------------------------------------------===//

LogicalResult FragmentEmitter::emitOther(Operation *op) {
  return op->emitOpError("is not supported by the GPU lowering");
}

LogicalResult FragmentEmitter::emit(Operation *op) {
  if (auto mask = dyn_cast<tile::MaskOp>(op))
    return emitMask(mask);
  if (auto map = dyn_cast<tile::MapOp>(op))
    return emitMap(map);
  if (auto store = dyn_cast<tile::StoreOp>(op))
    return emitStore(op, store.getTile(), store.getDest(), store.getBatch(), store.getHead(),
                     store.getRow());
  if (auto reduce = dyn_cast<tile::RowReduceOp>(op))
    return emitReduce(reduce);
  if (auto fold = dyn_cast<tile::FoldColumnsOp>(op))
    return emitFold(fold);
  if (auto any = dyn_cast<tile::AnyRowOp>(op)) {
    Fragment rows = fragment(any.getCondition());
    if (rows.empty())
      return op->emitOpError("reads a tile that the GPU lowering does not hold");
    setScalar(any.getAny(), a.anyLane(LLVM::OrOp::create(b, loc, rows[0], rows[1])));
    return success();
  }
  if (auto branch = dyn_cast<scf::IfOp>(op))
    return emitIf(branch);
  if (isa<tile::BroadcastOp, tile::SplatOp, arith::ConstantOp>(op) || isMadeAtStore(op) ||
      isa<GirihDialect>(op->getDialect()))
    return success(); // made where they are used
  if (op->getNumResults() == 1 && isa<arith::ArithDialect, math::MathDialect>(op->getDialect()))
    return isTile(op->getResult(0)) ? emitElementwise(op) : emitScalar(op);
  return emitOther(op);
}

/// Index arithmetic, conditions and factors: the same op on scalars.
LogicalResult FragmentEmitter::emitScalar(Operation *op) {
  OperationState state(loc, op->getName());
  state.addAttributes(op->getAttrs());
  Type type = op->getResult(0).getType();
  state.addTypes(type.isIndex() ? b.getI32Type() : type);
  for (Value operand : op->getOperands()) {
    Value value = scalar(operand);
    if (!value)
      return op->emitOpError("reads a value that the GPU lowering does not hold");
    state.addOperands(value);
  }
  setScalar(op->getResult(0), b.create(state)->getResult(0));
  return success();
}

LogicalResult FragmentEmitter::emitElementwise(Operation *op) {
  Value result = op->getResult(0);
  size_t count = fragmentSize(result.getType());
  Type element = cast<RankedTensorType>(result.getType()).getElementType();
  SmallVector<Fragment> operands;
  for (Value operand : op->getOperands()) {
    Value value = isTile(operand) ? Value() : scalar(operand);
    operands.push_back(value ? Fragment(count, value) : fragment(operand));
    if (operands.back().size() != count)
      return op->emitOpError("reads a tile that the GPU lowering does not hold");
  }
  Fragment to;
  for (size_t i = 0; i != count; ++i) {
    if (isa<math::Exp2Op>(op)) {
      to.push_back(a.exp2(operands[0][i]));
    } else if (isa<math::Log2Op>(op)) {
      to.push_back(a.log2(operands[0][i]));
    } else if (isa<arith::MaxNumFOp>(op)) {
      to.push_back(a.fmax(operands[0][i], operands[1][i]));
    } else if (isa<math::FmaOp>(op)) {
      to.push_back(LLVM::FMAOp::create(b, loc, operands[0][i], operands[1][i], operands[2][i]));
    } else if (isa<arith::TruncFOp, arith::ExtFOp>(op)) {
      to.push_back(operands[0][i]); // rounded when it is packed
    } else if (isa<arith::AddFOp, arith::SubFOp, arith::MulFOp, arith::DivFOp, arith::NegFOp,
                   arith::CmpFOp, arith::SelectOp>(op)) {
      OperationState state(loc, op->getName());
      state.addAttributes(op->getAttrs());
      for (const Fragment &operand : operands)
        state.addOperands(operand[i]);
      state.addTypes(element);
      to.push_back(b.create(state)->getResult(0));
    } else {
      return op->emitOpError("is not supported on tiles by the GPU lowering");
    }
  }
  set(result, to);
  return success();
}

LogicalResult FragmentEmitter::emitReduce(tile::RowReduceOp op) {
  Fragment from = fragment(op.getTile());
  if (from.empty())
    return op.emitOpError("reduces a tile that the GPU lowering does not hold");
  auto combine = [&](Value x, Value y) {
    return op.getKind() == tile::Reduction::Max ? a.fmax(x, y) : a.fadd(x, y);
  };
  Fragment rows;
  for (size_t r = 0; r != 2; ++r) {
    // Four chains, then the four lanes that share a row.
    SmallVector<Value> chains;
    size_t n = 0;
    for (size_t i = 0; i != from.size(); ++i) {
      if (i / 2 % 2 != r)
        continue;
      if (chains.size() < 4)
        chains.push_back(from[i]);
      else
        chains[n % 4] = combine(chains[n % 4], from[i]);
      ++n;
    }
    while (chains.size() > 1) {
      Value last = chains.pop_back_val();
      size_t other = chains.size() / 2;
      chains[other] = combine(chains[other], last);
    }
    Value all = chains.front();
    for (int step : {1, 2})
      all = combine(all, a.shuffleXor(all, step));
    rows.push_back(all);
  }
  set(op.getResult(), rows);
  return success();
}

LogicalResult FragmentEmitter::emitFold(tile::FoldColumnsOp op) {
  Fragment from = fragment(op.getTile());
  size_t count = fragmentSize(op.getType());
  if (from.empty() || cast<RankedTensorType>(op.getType()).getDimSize(1) != 8)
    return op.emitOpError("expected a tile that the GPU lowering holds, folded to 8 columns");
  Fragment to(from.begin(), from.begin() + count);
  for (size_t i = count; i != from.size(); ++i)
    to[i % count] = a.fadd(to[i % count], from[i]);
  set(op.getResult(), to);
  return success();
}

/// A branch that all threads of a warp take alike: conditions are made of tasks
/// and tiles, never of elements.
LogicalResult FragmentEmitter::emitIf(scf::IfOp op) {
  Value condition = scalar(op.getCondition());
  if (!condition)
    return op.emitOpError("depends on a value that the GPU lowering does not hold");
  SmallVector<Type> types;
  for (Value result : op.getResults()) {
    if (isTile(result))
      types.append(fragmentSize(result.getType()), b.getF32Type());
    else
      types.push_back(result.getType().isIndex() ? b.getI32Type() : result.getType());
  }
  Block *yes = addBlock(), *no = op.elseBlock() ? addBlock() : nullptr, *after = addBlock(types);
  branch(condition, yes, no ? no : after);
  for (auto [from, to] : {std::pair(op.thenBlock(), yes), std::pair(op.elseBlock(), no)}) {
    if (!to)
      continue;
    b.setInsertionPointToEnd(to);
    // What a branch defines is not seen behind it.
    auto outside = fragments;
    for (Operation &inner : from->without_terminator())
      if (failed(emit(&inner)))
        return failure();
    SmallVector<Value> yielded;
    for (Value operand : from->getTerminator()->getOperands()) {
      Fragment values = isTile(operand) ? fragment(operand) : Fragment{scalar(operand)};
      if (values.empty() || !values.front())
        return op.emitOpError("yields a value that the GPU lowering does not hold");
      llvm::append_range(yielded, values);
    }
    branch(after, yielded);
    fragments = std::move(outside);
  }
  b.setInsertionPointToEnd(after);
  auto rest = after->getArguments();
  for (Value result : op.getResults()) {
    size_t count = isTile(result) ? fragmentSize(result.getType()) : 1;
    if (isTile(result))
      set(result, Fragment(rest.take_front(count)));
    else
      setScalar(result, rest.front());
    rest = rest.drop_front(count);
  }
  return success();
}

/// A score function on every element, with the coordinates of the pair.
LogicalResult FragmentEmitter::emitMap(tile::MapOp op) {
  Fragment from = fragment(op.getTile()), to;
  Value batch = scalar(op.getBatch()), head = scalar(op.getHead());
  Value q = scalar(op.getQRow()), k = scalar(op.getKRow());
  if (from.empty() || !batch || !head || !q || !k)
    return op.emitOpError("maps a tile that the GPU lowering does not hold");
  Value firstRow = a.add(q, row), firstColumn = a.add(k, a.mul(a.bitAnd(lane, 3), 2));
  Block &body = op.getBody().front();
  llvm::DenseMap<Value, Array> arrays;
  for (auto read : body.getOps<LookupOp>()) {
    arrays[read.getTable()] = loadArray(read.getTable());
    if (!arrays[read.getTable()].base)
      return read.emitOpError("expected the table to be a function argument after q, k, v and "
                              "scale");
  }
  for (size_t i = 0; i != from.size(); ++i) {
    Value position = a.add(firstRow, static_cast<int64_t>(i / 2 % 2 * 8));
    Value key = a.add(firstColumn, static_cast<int64_t>(i / 4 * 8 + i % 2));
    Value values[] = {from[i], a.widen(batch), a.widen(head), a.widen(position), a.widen(key)};
    llvm::DenseMap<Value, Value> inside;
    for (auto [argument, value] : llvm::zip(body.getArguments(), values))
      inside[argument] = value;
    auto lookup = [&](Value value) -> Value {
      if (Value known = inside.lookup(value))
        return known;
      Value outer = scalar(value); // constants that CSE found outside
      return outer && value.getType().isIndex() ? a.widen(outer) : outer;
    };
    for (Operation &inner : body.without_terminator()) {
      if (auto read = dyn_cast<LookupOp>(inner)) {
        SmallVector<Value> indices;
        for (Value index : read.getIndices())
          indices.push_back(lookup(index));
        if (llvm::is_contained(indices, Value()))
          return read.emitOpError("reads a value from outside of the score function");
        Value entry = lookUp(arrays[read.getTable()], indices);
        inside[read] = read.getType().isIndex() ? a.widen(entry) : entry;
        continue;
      }
      Type type = inner.getNumResults() == 1 ? inner.getResult(0).getType() : Type();
      if (!type || !isa<arith::ArithDialect, math::MathDialect>(*inner.getDialect()))
        return inner.emitOpError(
            "is not supported in a score function; supported: arith and math ops");
      Type scalarType = type.isIndex() ? Type(b.getI64Type()) : type;
      if (auto constant = dyn_cast<arith::ConstantOp>(inner)) {
        inside[inner.getResult(0)] =
            type.isIndex() ? a.i64(cast<IntegerAttr>(constant.getValue()).getInt())
                           : Value(LLVM::ConstantOp::create(b, loc, type, constant.getValue()));
        continue;
      }
      SmallVector<Value> operands;
      for (Value operand : inner.getOperands()) {
        operands.push_back(lookup(operand));
        if (!operands.back())
          return inner.emitOpError("reads a value from outside of the score function");
      }
      if (isa<arith::IndexCastOp>(inner)) {
        unsigned have = operands[0].getType().getIntOrFloatBitWidth(),
                 want = scalarType.getIntOrFloatBitWidth();
        inside[inner.getResult(0)] =
            have == want  ? operands[0]
            : have < want ? Value(arith::ExtSIOp::create(b, loc, scalarType, operands[0]))
                          : Value(arith::TruncIOp::create(b, loc, scalarType, operands[0]));
        continue;
      }
      Value made;
      if (isa<math::Exp2Op>(inner)) {
        made = a.exp2(operands[0]);
      } else if (isa<math::Log2Op>(inner)) {
        made = a.log2(operands[0]);
      } else {
        OperationState state(loc, inner.getName());
        state.addAttributes(inner.getAttrs());
        state.addOperands(operands);
        state.addTypes(scalarType);
        made = b.create(state)->getResult(0);
      }
      inside[inner.getResult(0)] = made;
    }
    to.push_back(lookup(body.getTerminator()->getOperand(0)));
  }
  set(op.getResult(), to);
  return success();
}
