//===- EmitDot.cpp - Register-tiled products ------------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The left operand is always column-major ([k][m]), so both products read it
// along a line:
//   scores   acc[n][m lanes] += rhs[n][k] * lhs[k][m lanes]
//   output   acc[m][n lanes] += lhs[k][m] * rhs[k][n lanes]
// Either way scalars of one operand meet vectors of the other, in tiles of
// accumulators that stay in registers over the whole depth. Products of bf16 tiles
// are the same in units of pairs, or those of AMX tiles (EmitTiles.cpp).
//
//===----------------------------------------------------------------------===//

#include "girih/Conversion/TileToCpu/Emitter.h"

using namespace mlir;
using namespace girih;
using namespace girih::cpu;

LogicalResult Emitter::emitDot(tile::DotOp op) {
  bool ofPairs = isNarrow(op);
  FailureOr<Buffer> lhs =
      ofPairs ? packPairs(op.getLhs()) : bufferOf(op.getLhs(), /*colMajor=*/true);
  FailureOr<Buffer> rhs =
      ofPairs ? pairs.lookup(op.getRhs()) : bufferOf(op.getRhs(), /*colMajor=*/false);
  if (failed(lhs) || failed(rhs))
    return failure();
  auto type = cast<RankedTensorType>(op.getType());
  bool colMajor = op.getTransposeRhs();

  DenseElementsAttr initial;
  if (auto constant = op.getAcc().getDefiningOp<arith::ConstantOp>())
    initial = dyn_cast<DenseElementsAttr>(constant.getValue());
  bool startsAtZero = initial && initial.isSplat() && initial.getSplatValue<APFloat>().isPosZero();
  Buffer result;
  if (startsAtZero) {
    result = allocate(type.getDimSize(0), type.getDimSize(1), colMajor);
  } else {
    FailureOr<Buffer> acc = bufferOf(op.getAcc(), colMajor);
    if (failed(acc))
      return failure();
    result = *acc;
    if (acc->readOnly || !diesAt(op.getAcc(), op)) {
      result = allocate(type.getDimSize(0), type.getDimSize(1), colMajor);
      copy(*acc, result);
    }
  }
  buffers[op.getResult()] = result;
  if (isTiled(op)) {
    TileProduct product;
    product.lines = colMajor ? tileLines[op.getRhs()] : transposePairs(*lhs);
    product.pairs = colMajor ? *lhs : *rhs;
    product.depth = roundUp(lhs->cols) / width;
    product.result = result;
    product.accumulate = !startsAtZero;
    emitTileProduct(product);
    return success();
  }
  Product product;
  product.scalars = {rhs->base, rhs->ld, 1, rhs->rows};
  product.vectors = {lhs->base, lhs->ld, lhs->ld / width};
  if (!colMajor) {
    product.scalars = {lhs->base, 1, lhs->ld, lhs->rows};
    product.vectors = {rhs->base, rhs->ld, rhs->ld / width};
  }
  product.depth = lhs->cols;
  product.result = result;
  product.accumulate = !startsAtZero;
  product.ofPairs = ofPairs;
  emitProduct(product);
  return success();
}

/// Scalars that meet a number of vectors in a register tile: 24 accumulators of
/// 32 registers, 10 of 16, keep two FMA pipes busy over their latency and leave
/// room for the operands.
static int64_t scalarsFor(int64_t vectors, int64_t width) {
  int64_t accumulators = width == 16 ? 24 : 10;
  return std::min<int64_t>(accumulators / vectors, 16);
}

void Emitter::emitProduct(const Product &product) {
  const ScalarOperand &scalars = product.scalars;
  const VectorOperand &vectors = product.vectors;
  // Column groups of almost equal width; equal neighbours share one loop.
  int64_t widest = width == 16 ? 4 : 2;
  int64_t numGroups = (vectors.count + widest - 1) / widest;
  for (int64_t group = 0, first = 0; group != numGroups;) {
    int64_t size = (vectors.count - first) / (numGroups - group), count = 0;
    while (group != numGroups &&
           (vectors.count - first - count * size) / (numGroups - group) == size)
      ++count, ++group;
    int64_t step = scalarsFor(size, width), whole = scalars.count / step * step;
    loop(i64(first * width), i64((first + count * size) * width), size * width, [&](Value column) {
      if (whole)
        loop(i64(0), i64(whole), step,
             [&](Value line) { emitRegisterTile(product, line, column, step, size); });
      if (int64_t rest = scalars.count - whole)
        emitRegisterTile(product, i64(whole), column, rest, size);
    });
    first += count * size;
  }
}

void Emitter::emitRegisterTile(const Product &product, Value line, Value column, int64_t numLines,
                               int64_t numVectors) {
  const ScalarOperand &scalars = product.scalars;
  const VectorOperand &vectors = product.vectors;
  int64_t ld = product.result.ld;
  Value out = at(product.result.base, add(mul(line, ld), column));
  auto outAt = [&](int64_t i, int64_t j) { return at(out, Value(), i * ld + j * width); };
  SmallVector<Value> inits;
  for (int64_t i = 0; i != numLines; ++i)
    for (int64_t j = 0; j != numVectors; ++j)
      inits.push_back(product.accumulate ? loadVector(outAt(i, j)) : splatConstant(0));
  Value firstScalar = mul(line, scalars.lineStride);
  unsigned alignment = product.ofPairs ? 2 : 4; // pairs may be the caller's bf16
  auto sums = loop(i64(0), i64(product.depth), 1, inits, [&](Value k, ValueRange acc) {
    Value scalarAt = at(scalars.base, add(firstScalar, mul(k, scalars.depthStride)));
    Value vectorAt = at(vectors.base, add(mul(k, vectors.depthStride), column));
    SmallVector<Value> loaded, next;
    for (int64_t j = 0; j != numVectors; ++j)
      loaded.push_back(loadVector(at(vectorAt, Value(), j * width)));
    for (int64_t i = 0; i != numLines; ++i) {
      Value scalar = splat(loadScalar(at(scalarAt, Value(), i * scalars.lineStride), alignment));
      for (int64_t j = 0; j != numVectors; ++j)
        next.push_back(multiplyAdd(scalar, loaded[j], acc[i * numVectors + j], product.ofPairs));
    }
    return next;
  });
  for (int64_t i = 0; i != numLines; ++i)
    for (int64_t j = 0; j != numVectors; ++j)
      storeVector(sums.getResult(i * numVectors + j), outAt(i, j));
}

/// sum + x * y, of f32 or of pairs of bf16.
Value Emitter::multiplyAdd(Value x, Value y, Value sum, bool ofPairs) {
  if (!ofPairs)
    return vector::FMAOp::create(b, loc, x, y, sum);
  auto pairType = VectorType::get({2 * width}, b.getBF16Type());
  Value left = vector::BitCastOp::create(b, loc, pairType, x);
  Value right = vector::BitCastOp::create(b, loc, pairType, y);
  return LLVM::CallIntrinsicOp::create(b, loc, floats(),
                                       b.getStringAttr("llvm.x86.avx512bf16.dpbf16ps.512"),
                                       ValueRange{sum, left, right})
      .getResult(0);
}
