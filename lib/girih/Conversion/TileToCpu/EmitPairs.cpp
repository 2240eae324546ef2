//===- EmitPairs.cpp - bf16 tiles for products of pairs -------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// AVX512-BF16 multiplies two neighbours along the depth at once: a lane holds a
// pair, and in units of pairs (32 bits) the products of EmitDot.cpp are those of
// f32 tiles of half the depth. What differs is how tiles get there:
//   left      pairs of columns of a column-major tile, packed as they are computed;
//   right of scores   rows as they lie in memory, since their depth is along them;
//   right of output   pairs of rows, interleaved when they are loaded.
//
//===----------------------------------------------------------------------===//

#include "girih/Conversion/TileToCpu/Emitter.h"

#include "girih-c/Runtime.h"

using namespace mlir;
using namespace girih;
using namespace girih::cpu;

static RankedTensorType typeOf(Value tile) { return cast<RankedTensorType>(tile.getType()); }

static bool isBf16(Value tile) { return typeOf(tile).getElementType().isBF16(); }

bool Emitter::isNarrow(tile::DotOp dot) {
  auto load = dot.getRhs().getDefiningOp<tile::LoadOp>();
  if (!bf16Dots || !load || !isBf16(dot.getLhs()) || !isBf16(dot.getRhs()))
    return false;
  return llvm::all_of(load.getTile().getUses(), [&](OpOperand &use) {
    auto other = dyn_cast<tile::DotOp>(use.getOwner());
    return other && use.getOperandNumber() == 1 && isBf16(other.getLhs()) &&
           other.getTransposeRhs() == dot.getTransposeRhs();
  });
}

/// Whether `use` is the left of a product of pairs.
bool Emitter::isNarrowLeft(OpOperand &use) {
  auto dot = dyn_cast<tile::DotOp>(use.getOwner());
  return dot && use.getOperandNumber() == 0 && isNarrow(dot);
}

bool Emitter::feedsNarrow(Value tile) {
  return llvm::any_of(tile.getUses(), [&](OpOperand &use) { return isNarrowLeft(use); });
}

/// The rounding to bf16 that alone reads the result of `op`, row reductions aside,
/// and is packed: it computes `op` on its way, and the reductions too.
Operation *Emitter::packingOf(Operation *op) {
  Operation *found = nullptr;
  for (Operation *user : op->getUsers()) {
    if (user->getBlock() != op->getBlock())
      return nullptr;
    if (isa<tile::RowReduceOp>(user))
      continue;
    if (found || !isa<arith::TruncFOp>(user) || !feedsNarrow(user->getResult(0)))
      return nullptr;
    found = user;
  }
  return found;
}

//===----------------------------------------------------------------------===//
// Left operands
//===----------------------------------------------------------------------===//

/// Two vectors of f32, rounded: x in the lower and y in the upper half of each lane.
Value Emitter::pack(Value x, Value y) {
  auto both = VectorType::get({2 * width}, b.getBF16Type());
  Value rounded =
      LLVM::CallIntrinsicOp::create(
          b, loc, both, b.getStringAttr("llvm.x86.avx512bf16.cvtne2ps2bf16.512"), ValueRange{y, x})
          .getResult(0);
  return interleave(rounded, rounded, 0, width);
}

/// a[from], b[from + offset], a[from + 1], ... : a vector of pairs.
Value Emitter::interleave(Value x, Value y, int64_t from, int64_t offset) {
  SmallVector<int64_t> order;
  for (int64_t i = 0; i != width; ++i)
    order.append({from + i, from + i + offset});
  return vector::ShuffleOp::create(b, loc, x, y, order);
}

Buffer Emitter::packPairs(Value tile) {
  if (auto it = pairs.find(tile); it != pairs.end())
    return it->second;
  int64_t numRows = typeOf(tile).getDimSize(0), numCols = typeOf(tile).getDimSize(1);
  int64_t numPairs = (numCols + 1) / 2, padded = paddedDepth(numPairs);
  Buffer buffer = allocate(numRows, padded, /*colMajor=*/true);
  buffer.cols = numPairs;
  auto reductions = reductionsOf(tile);
  Operation *op = tile.getDefiningOp();
  if (isa_and_nonnull<arith::TruncFOp>(op) && !buffers.contains(op->getOperand(0)))
    llvm::append_range(reductions, reductionsOf(op->getOperand(0)));
  SmallVector<Value> sums = neutralElements(reductions);
  auto packColumns = [&](Value pair, int64_t count, ValueRange before) {
    SmallVector<Value> after(before);
    for (int64_t lane = 0; lane != buffer.ld; lane += width) {
      Value halves[2] = {Value(), splatConstant(0)};
      for (int64_t half = 0; half != count; ++half) {
        PointCache cache;
        Value column = add(mul(pair, 2), half);
        halves[half] = element(tile, {column, lane, true}, cache);
        reduceLanes(reductions, cache, lane, after);
      }
      storeVector(pack(halves[0], halves[1]), at(buffer.base, mul(pair, buffer.ld), lane));
    }
    return after;
  };
  auto pass = loop(i64(0), i64(numCols / 2), 1, sums,
                   [&](Value pair, ValueRange before) { return packColumns(pair, 2, before); });
  sums = llvm::to_vector(ValueRange(pass.getResults()));
  if (numCols % 2)
    sums = packColumns(i64(numCols / 2), 1, sums);
  setReductions(reductions, sums);
  if (padded != numPairs)
    loop(i64(numPairs * buffer.ld), i64(padded * buffer.ld), width,
         [&](Value place) { storeVector(splatConstant(0), at(buffer.base, place)); });
  if (op)
    emitted.insert(op);
  return pairs[tile] = buffer;
}

//===----------------------------------------------------------------------===//
// Right operands
//===----------------------------------------------------------------------===//

/// Elements [first, first + size) of a row as they are; 0 from `count` on.
Value Emitter::loadRaw(Value base, Type element, int64_t first, int64_t size, int64_t count) {
  Value address = LLVM::GEPOp::create(b, loc, base.getType(), element, base,
                                      ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(first)});
  auto type = VectorType::get({size}, element);
  unsigned alignment = element.getIntOrFloatBitWidth() / 8;
  if (first + size <= count)
    return LLVM::LoadOp::create(b, loc, type, address, alignment);
  SmallVector<bool> bits;
  for (int64_t lane = 0; lane != size; ++lane)
    bits.push_back(first + lane < count);
  Value mask = arith::ConstantOp::create(
      b, loc, DenseElementsAttr::get(VectorType::get({size}, b.getI1Type()), ArrayRef<bool>(bits)));
  Value zero = arith::ConstantOp::create(b, loc, b.getZeroAttr(type));
  return LLVM::MaskedLoadOp::create(b, loc, type, address, mask, zero, alignment);
}

/// Keys: a row is its pairs already. Whole tiles of packed rows are read in place,
/// others are copied.
void Emitter::loadRowPairs(const Rows &rows, Buffer &buffer) {
  buffer.rows = rows.count;
  buffer.cols = buffer.ld = (rows.size + 1) / 2;
  // A vector more: the end of a line is written with what follows it, line by line.
  buffer.base = allocate(1, rows.count * buffer.ld + width, /*colMajor=*/false).base;
  auto stage = [&] { copyRowPairs(rows, buffer.base, buffer.ld); };
  if (rows.size % 2)
    return stage();
  buffer.base = inPlaceOr(rows, buffer.base, stage);
}

/// Copies rows to lines of `ld` pairs, with zeros behind the end of each row and of the
/// tensor. Writes up to a vector behind a line.
void Emitter::copyRowPairs(const Rows &rows, Value to, int64_t ld) {
  auto copyRow = [&](Value r, llvm::function_ref<Value(int64_t)> vector) {
    for (int64_t lane = 0; lane < ld; lane += width)
      storeVector(vector(lane), at(to, mul(r, ld), lane));
  };
  loop(i64(0), rows.valid, 1, [&](Value r) {
    Value from = rows.at(*this, r);
    copyRow(r, [&](int64_t lane) {
      return loadRaw(from, rows.element, 2 * lane, 2 * width, rows.size);
    });
  });
  loop(rows.valid, i64(rows.count), 1,
       [&](Value r) { copyRow(r, [&](int64_t) { return splatConstant(0); }); });
}

/// Values: rows 2r and 2r + 1 interleaved, zeros behind the end.
void Emitter::loadInterleaved(const Rows &rows, Buffer &buffer) {
  buffer = allocate(paddedDepth((rows.count + 1) / 2), rows.size, /*colMajor=*/false);
  auto emitLine = [&](Value pair, Value upper, Value lower) {
    for (int64_t lane = 0; lane < buffer.ld;) {
      int64_t size = std::min(2 * width, buffer.ld - lane);
      auto load = [&](Value row) -> Value {
        if (row)
          return loadRaw(row, rows.element, lane, size, rows.size);
        return arith::ConstantOp::create(b, loc,
                                         b.getZeroAttr(VectorType::get({size}, rows.element)));
      };
      Value x = load(upper), y = load(lower);
      for (int64_t from = 0; from != size; from += width, lane += width)
        storeVector(interleave(x, y, from, size), at(buffer.base, mul(pair, buffer.ld), lane));
    }
  };
  auto half = [&](Value n) -> Value { return arith::ShRSIOp::create(b, loc, n, i64(1)); };
  Value whole = half(rows.valid), some = half(add(rows.valid, 1));
  loop(i64(0), whole, 1, [&](Value pair) {
    Value row = mul(pair, 2);
    emitLine(pair, rows.at(*this, row), rows.at(*this, add(row, 1)));
  });
  loop(whole, some, 1, [&](Value pair) { emitLine(pair, rows.at(*this, mul(pair, 2)), Value()); });
  loop(some, i64(buffer.rows), 1, [&](Value pair) { emitLine(pair, Value(), Value()); });
}
