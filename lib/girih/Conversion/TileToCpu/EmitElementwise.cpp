//===- EmitElementwise.cpp - Elementwise chains, rows, reductions ---------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Conversion/TileToCpu/Emitter.h"

#include <limits>

using namespace mlir;
using namespace girih;
using namespace girih::cpu;

static RankedTensorType typeOf(Value tile) { return cast<RankedTensorType>(tile.getType()); }

static bool isElementwise(Operation *op) {
  return op && op->getNumResults() == 1 && op->getNumRegions() == 0 &&
         isa<RankedTensorType>(op->getResult(0).getType()) &&
         (isa<tile::BroadcastOp, tile::SplatOp>(op) ||
          isa<arith::ArithDialect, math::MathDialect>(*op->getDialect()));
}

/// Elementwise 2-D results are computed where they are consumed, unless several
/// consumers, or the iterations of a loop, would compute them again.
bool Emitter::isLazy(Operation *op) {
  if (!isElementwise(op) || typeOf(op->getResult(0)).getRank() != 2)
    return false;
  if (isa<tile::BroadcastOp, tile::SplatOp, arith::ConstantOp>(op))
    return true;
  if (feedsNarrow(op->getResult(0)))
    return false;
  return (op->hasOneUse() && (*op->user_begin())->getBlock() == op->getBlock()) || packingOf(op);
}

LogicalResult Emitter::emitElementwise(Operation *op) {
  if (!isElementwise(op))
    return op->emitOpError("is not supported in a tile kernel");
  if (auto splatOp = dyn_cast<tile::SplatOp>(op); splatOp && !scalars.contains(splatOp.getValue()))
    return op->emitOpError("reads a value that a tile kernel does not have");
  if (typeOf(op->getResult(0)).getRank() == 1)
    return emitRowVector(op);
  if (feedsNarrow(op->getResult(0))) {
    packPairs(op->getResult(0));
    if (llvm::all_of(op->getUses(), [&](OpOperand &use) { return isNarrowLeft(use); }))
      return success();
  }
  if (isLazy(op))
    return success();
  return materialize(op->getResult(0), isColMajor(op->getResult(0)));
}

//===----------------------------------------------------------------------===//
// Row vectors: registers
//===----------------------------------------------------------------------===//

LogicalResult Emitter::emitRowVector(Operation *op) {
  Value result = op->getResult(0);
  int64_t size = typeOf(result).getDimSize(0);
  if (size % width)
    return op->emitOpError("expected the rows of a tile to be a multiple of the vector width ")
           << width << ", but got " << size;
  SmallVector<Value> registers;
  for (int64_t i = 0; i != size / width; ++i) {
    if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
      auto elements = dyn_cast<DenseElementsAttr>(constant.getValue());
      if (!elements || !elements.isSplat())
        return op->emitOpError("expected a splat constant");
      registers.push_back(splatConstant(elements.getSplatValue<APFloat>().convertToFloat()));
      continue;
    }
    if (auto splatOp = dyn_cast<tile::SplatOp>(op)) {
      registers.push_back(splat(scalars[splatOp.getValue()]));
      continue;
    }
    SmallVector<Value> operands;
    for (Value operand : op->getOperands())
      operands.push_back(rows[operand][i]);
    registers.push_back(lanesOf(op, operands));
  }
  rows[result] = registers;
  return success();
}

/// A copy of a row vector in scratch, for consumers that want one scalar a row.
Value Emitter::rowMemory(Value row) {
  if (auto it = rowMemories.find(row); it != rowMemories.end())
    return it->second;
  Buffer buffer = allocate(1, typeOf(row).getDimSize(0), false);
  for (auto [i, vector] : llvm::enumerate(rows[row]))
    storeVector(vector, at(buffer.base, Value(), i * width));
  return rowMemories[row] = buffer.base;
}

/// Puts the rows that a row-major pass over `tile` will read into scratch: once, not
/// for each line.
void Emitter::prepareRows(Value tile) {
  Operation *op = tile.getDefiningOp();
  if (!op || buffers.contains(tile))
    return;
  if (auto broadcast = dyn_cast<tile::BroadcastOp>(op)) {
    rowMemory(broadcast.getVector());
    return;
  }
  for (Value operand : op->getOperands())
    if (isa<RankedTensorType>(operand.getType()))
      prepareRows(operand);
}

//===----------------------------------------------------------------------===//
// One vector of a tile
//===----------------------------------------------------------------------===//

Value Emitter::element(Value tile, const Point &point, PointCache &cache) {
  if (auto it = cache.find(tile); it != cache.end())
    return it->second;
  Value result;
  Operation *op = tile.getDefiningOp();
  if (auto it = buffers.find(tile); it != buffers.end()) {
    result = loadVector(at(it->second.base, mul(point.line, it->second.ld), point.lane));
  } else if (auto broadcast = dyn_cast_or_null<tile::BroadcastOp>(op)) {
    Value vector = broadcast.getVector();
    result = point.colMajor ? rows[vector][point.lane / width]
                            : splat(loadScalar(at(rowMemory(vector), point.line)));
  } else if (auto splatOp = dyn_cast_or_null<tile::SplatOp>(op)) {
    result = splat(scalars[splatOp.getValue()]);
  } else if (auto constant = dyn_cast_or_null<arith::ConstantOp>(op)) {
    auto elements = cast<DenseElementsAttr>(constant.getValue());
    result = splatConstant(elements.getSplatValue<APFloat>().convertToFloat());
  } else {
    SmallVector<Value> operands;
    for (Value operand : op->getOperands())
      operands.push_back(element(operand, point, cache));
    result = lanesOf(op, operands);
  }
  cache[tile] = result;
  return result;
}

/// The op on vectors instead of tiles.
Value Emitter::lanesOf(Operation *op, ValueRange operands) {
  if (isa<arith::MaxNumFOp>(op))
    return maximum(operands[0], operands[1]);
  // Tiles are f32 in scratch, whatever they are in memory.
  if (isa<arith::ExtFOp, arith::TruncFOp>(op))
    return operands[0];
  OperationState state(loc, op->getName());
  state.addAttributes(op->getAttrs());
  state.addOperands(operands);
  state.addTypes(lanes(typeOf(op->getResult(0)).getElementType()));
  return b.create(state)->getResult(0);
}

/// max by comparison: one instruction, where maxnum needs three for NaNs.
Value Emitter::maximum(Value x, Value y) {
  Value greater = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGT, x, y);
  return arith::SelectOp::create(b, loc, greater, x, y);
}

Value Emitter::combine(tile::Reduction kind, Value x, Value y) {
  if (kind == tile::Reduction::Max)
    return maximum(x, y);
  return arith::AddFOp::create(b, loc, x, y);
}

//===----------------------------------------------------------------------===//
// Materialising tiles
//===----------------------------------------------------------------------===//

FailureOr<Buffer> Emitter::bufferOf(Value tile, bool colMajor) {
  if (!buffers.contains(tile) && failed(materialize(tile, colMajor)))
    return failure();
  Buffer buffer = buffers[tile];
  if (buffer.colMajor != colMajor) {
    emitError(tile.getLoc()) << "expected a tile that the CPU lowering lays out one way only";
    return failure();
  }
  return buffer;
}

LogicalResult Emitter::materialize(Value tile, bool colMajor) {
  if (typeOf(tile).getDimSize(0) % width && colMajor)
    return emitError(tile.getLoc())
           << "expected the rows of a tile to be a multiple of the vector width " << width
           << ", but got " << typeOf(tile).getDimSize(0);
  Buffer buffer = destination(tile, colMajor);
  if (colMajor)
    materializeColMajor(tile, buffer);
  else if (!scaleRowsInPlace(tile, buffer))
    materializeRowMajor(tile, buffer);
  buffers[tile] = buffer;
  emitted.insert(tile.getDefiningOp());
  return success();
}

void Emitter::materializeRowMajor(Value tile, const Buffer &buffer) {
  prepareRows(tile);
  loop(i64(0), i64(buffer.rows), 1, [&](Value row) {
    for (int64_t lane = 0; lane != buffer.ld; lane += width) {
      PointCache cache;
      Value vector = element(tile, {row, lane, false}, cache);
      storeVector(vector, at(buffer.base, mul(row, buffer.ld), lane));
    }
  });
}

/// Column by column. Row reductions of the result that follow are computed in
/// the same pass.
void Emitter::materializeColMajor(Value tile, const Buffer &buffer) {
  SmallVector<tile::RowReduceOp> reductions = reductionsOf(tile);
  auto pass = loop(i64(0), i64(buffer.cols), 1, neutralElements(reductions),
                   [&](Value column, ValueRange before) {
                     SmallVector<Value> after(before);
                     for (int64_t lane = 0; lane != buffer.ld; lane += width) {
                       PointCache cache;
                       Value vector = element(tile, {column, lane, true}, cache);
                       storeVector(vector, at(buffer.base, mul(column, buffer.ld), lane));
                       reduceLanes(reductions, cache, lane, after);
                     }
                     return after;
                   });
  setReductions(reductions, pass.getResults());
}

/// Reductions of `tile` that the pass which computes it can compute too.
SmallVector<tile::RowReduceOp> Emitter::reductionsOf(Value tile) {
  SmallVector<tile::RowReduceOp> reductions;
  for (Operation *user : tile.getUsers())
    if (auto reduce = dyn_cast<tile::RowReduceOp>(user);
        reduce && tile.getDefiningOp() && reduce->getBlock() == tile.getParentBlock())
      reductions.push_back(reduce);
  return reductions;
}

/// Registers of each reduction to begin with, one for each group of rows.
SmallVector<Value> Emitter::neutralElements(ArrayRef<tile::RowReduceOp> reductions) {
  SmallVector<Value> inits;
  for (tile::RowReduceOp reduce : reductions) {
    float neutral =
        reduce.getKind() == tile::Reduction::Max ? -std::numeric_limits<float>::infinity() : 0.0f;
    inits.append(typeOf(reduce.getResult()).getDimSize(0) / width, splatConstant(neutral));
  }
  return inits;
}

/// Adds what one point holds to the registers.
void Emitter::reduceLanes(ArrayRef<tile::RowReduceOp> reductions, const PointCache &cache,
                          int64_t lane, MutableArrayRef<Value> sums) {
  int64_t first = 0;
  for (tile::RowReduceOp reduce : reductions) {
    Value &sum = sums[first + lane / width];
    sum = combine(reduce.getKind(), sum, cache.lookup(reduce.getTile()));
    first += typeOf(reduce.getResult()).getDimSize(0) / width;
  }
}

void Emitter::setReductions(ArrayRef<tile::RowReduceOp> reductions, ValueRange sums) {
  int64_t first = 0;
  for (tile::RowReduceOp reduce : reductions) {
    int64_t count = typeOf(reduce.getResult()).getDimSize(0) / width;
    rows[reduce.getResult()] = llvm::to_vector(sums.slice(first, count));
    first += count;
  }
}

/// x * broadcast(v) over x's own memory: rows whose factor is 1 stay as they
/// are. Online softmax multiplies the output so, and the running maximum seldom
/// moves after the first tiles.
bool Emitter::scaleRowsInPlace(Value tile, const Buffer &buffer) {
  auto product = tile.getDefiningOp<arith::MulFOp>();
  if (!product)
    return false;
  auto it = buffers.find(product.getLhs());
  auto broadcast = product.getRhs().getDefiningOp<tile::BroadcastOp>();
  if (it == buffers.end() || it->second.base != buffer.base || !broadcast)
    return false;
  Value factors = rowMemory(broadcast.getVector());
  loop(i64(0), i64(buffer.rows), 1, [&](Value row) {
    Value factor = loadScalar(at(factors, row));
    // Not equal, or unordered: a NaN must reach the output.
    Value moves = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UNE, factor, f32(1));
    auto branch = scf::IfOp::create(b, loc, moves, /*withElseRegion=*/false);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(branch.thenBlock());
    Value vector = splat(factor), line = mul(row, buffer.ld);
    for (int64_t lane = 0; lane != buffer.ld; lane += width) {
      Value address = at(buffer.base, line, lane);
      storeVector(arith::MulFOp::create(b, loc, loadVector(address), vector), address);
    }
  });
  return true;
}

/// Whether nothing reads `tile` after `consumer`, so that its memory may be
/// overwritten there.
bool Emitter::diesAt(Value tile, Operation *consumer) {
  if (tile.getParentBlock() != consumer->getBlock())
    return false;
  return llvm::all_of(tile.getUsers(), [&](Operation *user) {
    if (user == consumer || emitted.contains(user))
      return true;
    return isLazy(user) && diesAt(user->getResult(0), consumer);
  });
}

/// Where to put an elementwise result: over an operand that dies here, or new
/// memory.
Buffer Emitter::destination(Value tile, bool colMajor) {
  RankedTensorType type = typeOf(tile);
  SmallVector<Value> worklist(tile.getDefiningOp()->getOperands());
  while (!worklist.empty()) {
    Value operand = worklist.pop_back_val();
    auto operandType = dyn_cast<RankedTensorType>(operand.getType());
    if (!operandType || operandType.getShape() != type.getShape())
      continue;
    if (auto it = buffers.find(operand); it != buffers.end()) {
      if (it->second.colMajor == colMajor && !it->second.readOnly &&
          diesAt(operand, tile.getDefiningOp()))
        return it->second;
    } else if (Operation *op = operand.getDefiningOp(); op && isLazy(op)) {
      worklist.append(op->operand_begin(), op->operand_end());
    }
  }
  return allocate(type.getDimSize(0), type.getDimSize(1), colMajor);
}

//===----------------------------------------------------------------------===//
// Reductions and maps
//===----------------------------------------------------------------------===//

LogicalResult Emitter::emitRowReduce(tile::RowReduceOp reduce) {
  Value tile = reduce.getTile(), result = reduce.getResult();
  if (rows.contains(result))
    return success(); // computed while its tile was materialised
  if (Operation *op = tile.getDefiningOp(); op && isLazy(op))
    if (Operation *packing = packingOf(op))
      packPairs(packing->getResult(0));
  if (rows.contains(result))
    return success();
  FailureOr<Buffer> buffer = bufferOf(tile, /*colMajor=*/true);
  if (failed(buffer))
    return failure();
  if (rows.contains(result))
    return success();
  auto pass = loop(
      i64(0), i64(buffer->cols), 1, neutralElements(reduce), [&](Value column, ValueRange before) {
        SmallVector<Value> after;
        for (auto [i, value] : llvm::enumerate(before)) {
          Value vector = loadVector(at(buffer->base, mul(column, buffer->ld), i * width));
          after.push_back(combine(reduce.getKind(), value, vector));
        }
        return after;
      });
  setReductions(reduce, pass.getResults());
  return success();
}

LogicalResult Emitter::emitMap(tile::MapOp op) {
  FailureOr<Buffer> from = bufferOf(op.getTile(), /*colMajor=*/true);
  if (failed(from))
    return failure();
  Buffer to =
      !from->readOnly && diesAt(op.getTile(), op) ? *from : allocate(from->rows, from->cols, true);
  Block &body = op.getBody().front();
  Type index = b.getI64Type();
  SmallVector<int64_t> laneNumbers;
  for (int64_t lane = 0; lane != width; ++lane)
    laneNumbers.push_back(lane);
  LogicalResult status = success();
  llvm::DenseMap<Value, Array> arrays;
  for (auto lookup : body.getOps<LookupOp>()) {
    arrays[lookup.getTable()] = loadArray(lookup.getTable());
    if (!arrays[lookup.getTable()].base)
      return lookup.emitOpError("expected the table to be a function argument after q, k, v and "
                                "scale");
  }

  loop(i64(0), i64(from->cols), 1, [&](Value column) {
    Value k = add(scalars[op.getKRow()], column);
    for (int64_t lane = 0; lane != from->ld && succeeded(status); lane += width) {
      Value iota = arith::ConstantOp::create(
          b, loc, DenseElementsAttr::get(lanes(index), ArrayRef<int64_t>(laneNumbers)));
      Value q = arith::AddIOp::create(b, loc, splat(add(scalars[op.getQRow()], lane)), iota);
      Value address = at(from->base, mul(column, from->ld), lane);
      // Scalars stay scalars until they meet a vector.
      llvm::DenseMap<Value, Value> values;
      Value arguments[] = {loadVector(address), scalars[op.getBatch()], scalars[op.getHead()], q,
                           k};
      for (auto [argument, value] : llvm::zip(body.getArguments(), arguments))
        values[argument] = value;
      for (Operation &inner : body.without_terminator()) {
        if (auto lookup = dyn_cast<LookupOp>(inner)) {
          SmallVector<Value> indices;
          for (Value operand : lookup.getIndices()) {
            Value known = values.lookup(operand);
            indices.push_back(known ? known : scalars.lookup(operand));
          }
          Value entry = lookUp(arrays[lookup.getTable()], indices);
          if (lookup.getType().isIndex())
            entry = arith::ExtSIOp::create(
                b, loc, isa<VectorType>(entry.getType()) ? Type(lanes(index)) : index, entry);
          values[lookup] = entry;
          continue;
        }
        if (!isa<arith::ArithDialect, math::MathDialect>(*inner.getDialect()) ||
            inner.getNumResults() != 1) {
          status = inner.emitOpError(
              "is not supported in a score function; supported: arith and math ops");
          return;
        }
        OperationState state(loc, inner.getName());
        state.addAttributes(inner.getAttrs());
        bool isVector = false;
        for (Value operand : inner.getOperands()) {
          state.operands.push_back(values.lookup(operand) ? values.lookup(operand)
                                                          : scalars.lookup(operand));
          if (!state.operands.back()) {
            status = inner.emitOpError("reads a value from outside of the score function");
            return;
          }
          isVector |= isa<VectorType>(state.operands.back().getType());
        }
        Type type = inner.getResult(0).getType();
        if (auto constant = dyn_cast<arith::ConstantOp>(inner); constant && type.isIndex()) {
          values[constant] = i64(cast<IntegerAttr>(constant.getValue()).getInt());
          continue;
        }
        if (isa<arith::IndexCastOp>(inner)) {
          Value operand = state.operands[0];
          Type scalar = type.isIndex() ? index : type;
          Type target = isVector ? lanes(scalar) : scalar;
          unsigned from = getElementTypeOrSelf(operand.getType()).getIntOrFloatBitWidth();
          unsigned into = scalar.getIntOrFloatBitWidth();
          values[inner.getResult(0)] =
              from == into  ? operand
              : from < into ? arith::ExtSIOp::create(b, loc, target, operand).getResult()
                            : arith::TruncIOp::create(b, loc, target, operand).getResult();
          continue;
        }
        if (isVector)
          for (Value &operand : state.operands)
            if (!isa<VectorType>(operand.getType()))
              operand = splat(operand);
        Type scalar = type.isIndex() ? index : type;
        state.addTypes(isVector ? Type(lanes(scalar)) : scalar);
        values[inner.getResult(0)] = b.create(state)->getResult(0);
      }
      Value result = values[body.getTerminator()->getOperand(0)];
      storeVector(isa<VectorType>(result.getType()) ? result : splat(result),
                  at(to.base, mul(column, to.ld), lane));
    }
  });
  buffers[op.getResult()] = to;
  return status;
}
