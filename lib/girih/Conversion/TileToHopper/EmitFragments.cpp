//===- EmitFragments.cpp - Tile ops on the fragments of a thread ----------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Conversion/TileToHopper/Emitter.h"

#include "girih-c/Cuda.h"

#include <limits>

using namespace mlir;
using namespace girih;
using namespace girih::hopper;

static RankedTensorType typeOf(Value tile) { return cast<RankedTensorType>(tile.getType()); }

LogicalResult Emitter::emitOps(ArrayRef<Operation *> ops, Fragments &values, const Place &place,
                               Value partial) {
  for (Operation *op : ops)
    if (failed(emitOp(op, values, place, partial)))
      return failure();
  return success();
}

/// A scalar of the tile kernel: constants, the scale, and arithmetic on them.
Value Emitter::scalarOf(Value value) {
  if (value == source.getArgument(3))
    return scale;
  Operation *op = value.getDefiningOp();
  if (auto constant = dyn_cast_or_null<arith::ConstantOp>(op);
      constant && value.getType().isIndex())
    return a.i64(cast<IntegerAttr>(constant.getValue()).getInt());
  if (!op || op->getNumResults() != 1 || !isa<arith::ArithDialect>(*op->getDialect()) ||
      !value.getType().isIntOrFloat())
    return {};
  OperationState state(loc, op->getName());
  state.addAttributes(op->getAttrs());
  state.addTypes(op->getResultTypes());
  for (Value operand : op->getOperands()) {
    Value scalar = scalarOf(operand);
    if (!scalar)
      return {};
    state.addOperands(scalar);
  }
  return b.create(state)->getResult(0);
}

/// The fragment of an operand; constants, splats and broadcasts are made to fit.
Fragment Emitter::fragmentOf(Value tile, const Fragments &values, size_t count) {
  if (auto it = values.find(tile); it != values.end())
    return it->second;
  Operation *op = tile.getDefiningOp();
  if (auto constant = dyn_cast_or_null<arith::ConstantOp>(op)) {
    auto elements = dyn_cast<DenseElementsAttr>(constant.getValue());
    if (elements && elements.isSplat())
      return Fragment(count, a.f32(elements.getSplatValue<APFloat>().convertToFloat()));
  }
  if (auto splat = dyn_cast_or_null<tile::SplatOp>(op))
    if (Value scalar = scalarOf(splat.getValue()))
      return Fragment(count, scalar);
  if (auto broadcast = dyn_cast_or_null<tile::BroadcastOp>(op)) {
    Fragment row = fragmentOf(broadcast.getVector(), values, 2), result;
    for (size_t i = 0; !row.empty() && i != count; ++i)
      result.push_back(row[i / 2 % 2]);
    return result;
  }
  return {};
}

LogicalResult Emitter::emitOp(Operation *op, Fragments &values, const Place &place, Value partial) {
  if (auto mask = dyn_cast<tile::MaskOp>(op))
    return emitMask(mask, values, place, partial);
  if (auto map = dyn_cast<tile::MapOp>(op))
    return emitMap(map, values, place);
  if (auto store = dyn_cast<tile::StoreOp>(op))
    return emitStore(store, values);
  if (isa<tile::BroadcastOp, tile::SplatOp, arith::ConstantOp>(op) || op->getNumResults() != 1 ||
      !isa<RankedTensorType>(op->getResult(0).getType()))
    return success(); // made where they are used

  Value result = op->getResult(0);
  if (auto reduce = dyn_cast<tile::RowReduceOp>(op)) {
    Fragment tile = fragmentOf(reduce.getTile(), values, 0);
    if (tile.empty())
      return op->emitOpError("reduces a tile that the Hopper lowering does not hold");
    auto combine = [&](Value x, Value y) {
      return reduce.getKind() == tile::Reduction::Max ? a.fmax(x, y) : a.fadd(x, y);
    };
    Fragment row;
    for (size_t r = 0; r != 2; ++r) {
      // Four chains, then the four lanes that share a row.
      SmallVector<Value> chains;
      size_t n = 0;
      for (size_t i = 0; i != tile.size(); ++i) {
        if (i / 2 % 2 != r)
          continue;
        if (chains.size() < 4)
          chains.push_back(tile[i]);
        else
          chains[n % 4] = combine(chains[n % 4], tile[i]);
        ++n;
      }
      Value all = combine(combine(chains[0], chains[1]), combine(chains[2], chains[3]));
      for (int step : {1, 2})
        all = combine(all, a.shuffleXor(all, step));
      row.push_back(all);
    }
    values[result] = row;
    return success();
  }

  if (!isa<arith::ArithDialect, math::MathDialect>(*op->getDialect()))
    return op->emitOpError("is not supported by the Hopper lowering");
  RankedTensorType type = typeOf(result);
  size_t count = type.getRank() == 1 ? 2 : 0;
  SmallVector<Fragment> operands;
  for (Value operand : op->getOperands())
    if (auto it = values.find(operand); it != values.end())
      count = std::max(count, it->second.size());
  for (Value operand : op->getOperands()) {
    operands.push_back(fragmentOf(operand, values, count));
    if (operands.back().size() != count || !count)
      return op->emitOpError("reads a tile that the Hopper lowering does not hold");
  }
  Fragment fragment;
  for (size_t i = 0; i != count; ++i) {
    if (isa<math::Exp2Op>(op)) {
      fragment.push_back(a.exp2(operands[0][i]));
    } else if (isa<math::Log2Op>(op)) {
      fragment.push_back(a.log2(operands[0][i]));
    } else if (isa<arith::MaxNumFOp>(op)) {
      fragment.push_back(a.fmax(operands[0][i], operands[1][i]));
    } else if (isa<math::FmaOp>(op)) {
      fragment.push_back(
          LLVM::FMAOp::create(b, loc, operands[0][i], operands[1][i], operands[2][i]));
    } else if (isa<arith::TruncFOp, arith::ExtFOp>(op)) {
      fragment.push_back(operands[0][i]); // rounded when it is packed
    } else if (isa<arith::AddFOp, arith::SubFOp, arith::MulFOp, arith::DivFOp, arith::CmpFOp,
                   arith::SelectOp>(op)) {
      OperationState state(loc, op->getName());
      state.addAttributes(op->getAttrs());
      for (const Fragment &operand : operands)
        state.addOperands(operand[i]);
      state.addTypes(type.getElementType());
      fragment.push_back(b.create(state)->getResult(0));
    } else {
      return op->emitOpError("is not supported by the Hopper lowering");
    }
  }
  values[result] = fragment;
  return success();
}

LogicalResult Emitter::emitMap(tile::MapOp op, Fragments &values, const Place &place) {
  Fragment from = fragmentOf(op.getTile(), values, 0), to;
  if (from.empty())
    return op.emitOpError("maps a tile that the Hopper lowering does not hold");
  Block &body = op.getBody().front();
  for (size_t i = 0; i != from.size(); ++i) {
    Value k = a.add(place.column, static_cast<int64_t>(i / 4 * 8 + i % 2));
    Value arguments[] = {from[i], a.widen(place.batch), a.widen(place.head),
                         a.widen(place.row[i / 2 % 2]), a.widen(k)};
    llvm::DenseMap<Value, Value> scalars;
    for (auto [argument, value] : llvm::zip(body.getArguments(), arguments))
      scalars[argument] = value;
    for (Operation &inner : body.without_terminator()) {
      Type type = inner.getNumResults() == 1 ? inner.getResult(0).getType() : Type();
      if (!type || !isa<arith::ArithDialect, math::MathDialect>(*inner.getDialect()))
        return inner.emitOpError(
            "is not supported in a score function; supported: arith and math ops");
      Type scalar = type.isIndex() ? Type(b.getI64Type()) : type;
      if (auto constant = dyn_cast<arith::ConstantOp>(inner); constant && type.isIndex()) {
        scalars[constant] = a.i64(cast<IntegerAttr>(constant.getValue()).getInt());
        continue;
      }
      SmallVector<Value> operands;
      for (Value operand : inner.getOperands()) {
        operands.push_back(scalars.lookup(operand));
        if (!operands.back()) // constants that CSE found outside
          operands.back() = scalarOf(operand);
        if (!operands.back())
          return inner.emitOpError("reads a value from outside of the score function");
      }
      if (isa<arith::IndexCastOp>(inner)) {
        unsigned have = operands[0].getType().getIntOrFloatBitWidth(),
                 want = scalar.getIntOrFloatBitWidth();
        scalars[inner.getResult(0)] =
            have == want  ? operands[0]
            : have < want ? Value(arith::ExtSIOp::create(b, loc, scalar, operands[0]))
                          : Value(arith::TruncIOp::create(b, loc, scalar, operands[0]));
        continue;
      }
      if (isa<math::Exp2Op>(inner)) {
        scalars[inner.getResult(0)] = a.exp2(operands[0]);
        continue;
      }
      if (isa<math::MathDialect>(*inner.getDialect()) &&
          !isa<math::FmaOp, math::AbsFOp, math::SqrtOp>(inner))
        return inner.emitOpError(
            "has no Hopper instruction; supported math ops: exp2, fma, absf, sqrt");
      OperationState state(loc, inner.getName());
      state.addAttributes(inner.getAttrs());
      state.addOperands(operands);
      state.addTypes(scalar);
      scalars[inner.getResult(0)] = b.create(state)->getResult(0);
    }
    to.push_back(scalars[body.getTerminator()->getOperand(0)]);
  }
  values[op.getResult()] = to;
  return success();
}

LogicalResult Emitter::emitStore(tile::StoreOp op, Fragments &values) {
  Type pointer = LLVM::LLVMPointerType::get(b.getContext());
  Value numQ = argument(offsetof(GirihCudaArguments, num_q), b.getI32Type());
  RankedTensorType type = typeOf(op.getTile());
  size_t count = type.getRank() == 1 ? 2 : config.width() / 2;
  Fragment fragment = fragmentOf(op.getTile(), values, count);
  if (fragment.empty())
    return op.emitOpError("stores a tile that the Hopper lowering does not hold");
  Value quad = a.bitAnd(lane, 3);
  for (size_t r = 0; r != 2; ++r) {
    Value row = warpRows[r];
    Value inside = a.compare(LLVM::ICmpPredicate::slt, row, numQ);
    Block *store = addBlock(), *after = addBlock();
    if (type.getRank() == 1) {
      Value base = argument(offsetof(GirihCudaArguments, lse), pointer);
      Value present = LLVM::ICmpOp::create(b, loc, LLVM::ICmpPredicate::ne, base,
                                           LLVM::ZeroOp::create(b, loc, pointer));
      Value isFirst = a.compare(LLVM::ICmpPredicate::eq, quad, a.i32(0));
      inside = LLVM::AndOp::create(b, loc, inside, LLVM::AndOp::create(b, loc, present, isFirst));
      branch(inside, store, after);
      b.setInsertionPointToEnd(store);
      Value heads = argument(offsetof(GirihCudaArguments, heads), b.getI32Type());
      Value line = a.widen(a.add(a.mul(batch, heads), head));
      Value index = a.add(a.mul(line, a.widen(numQ)), a.widen(row));
      LLVM::StoreOp::create(b, loc, fragment[r], a.element(base, index, b.getF32Type()));
    } else {
      branch(inside, store, after);
      b.setInsertionPointToEnd(store);
      Value base = argument(offsetof(GirihCudaArguments, o), pointer), index;
      Value coordinates[] = {batch, head, row};
      for (auto [i, coordinate] : llvm::enumerate(coordinates)) {
        Value stride =
            argument(offsetof(GirihCudaArguments, o_stride) + i * sizeof(int64_t), b.getI64Type());
        Value product = a.mul(a.widen(coordinate), stride);
        index = index ? a.add(index, product) : product;
      }
      index = a.add(index, a.widen(a.mul(quad, 2)));
      Value line = a.element(base, index, b.getF32Type());
      VectorType pair = VectorType::get({2}, b.getF32Type());
      for (int64_t j = 0; j != config.width() / 8; ++j) {
        Value values2 = LLVM::PoisonOp::create(b, loc, pair);
        for (int64_t x = 0; x != 2; ++x)
          values2 =
              LLVM::InsertElementOp::create(b, loc, values2, fragment[4 * j + 2 * r + x], a.i32(x));
        Value address = a.element(line, a.i64(8 * j), b.getF32Type());
        if (8 * j + 8 <= config.vDim) {
          LLVM::StoreOp::create(b, loc, values2, address, /*alignment=*/4);
          continue;
        }
        // The padding of the head dim is not stored.
        for (int64_t x = 0; x != 2; ++x) {
          Value column = a.add(a.mul(quad, 2), 8 * j + x);
          Block *one = addBlock(), *rest = addBlock();
          branch(a.compare(LLVM::ICmpPredicate::slt, column, a.i32(config.vDim)), one, rest);
          b.setInsertionPointToEnd(one);
          LLVM::StoreOp::create(b, loc, fragment[4 * j + 2 * r + x],
                                a.element(address, a.i64(x), b.getF32Type()));
          branch(rest);
          b.setInsertionPointToEnd(rest);
        }
      }
    }
    branch(after);
    b.setInsertionPointToEnd(after);
  }
  return success();
}
