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
// accumulators that stay in registers over the whole depth.
//
//===----------------------------------------------------------------------===//

#include "girih/Conversion/TileToCpu/Emitter.h"

using namespace mlir;
using namespace girih;
using namespace girih::cpu;

LogicalResult Emitter::emitDot(tile::DotOp op) {
  FailureOr<Buffer> lhs = bufferOf(op.getLhs(), /*colMajor=*/true);
  FailureOr<Buffer> rhs = bufferOf(op.getRhs(), /*colMajor=*/false);
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
  if (colMajor)
    emitProduct({rhs->base, rhs->ld, 1, rhs->rows}, {lhs->base, lhs->ld, lhs->ld / width},
                lhs->cols, result, !startsAtZero);
  else
    emitProduct({lhs->base, 1, lhs->ld, lhs->rows}, {rhs->base, rhs->ld, rhs->ld / width},
                lhs->cols, result, !startsAtZero);
  buffers[op.getResult()] = result;
  return success();
}

/// Scalars that meet a number of vectors in a register tile: 24 accumulators of
/// 32 registers, 10 of 16, keep two FMA pipes busy over their latency and leave
/// room for the operands.
static int64_t scalarsFor(int64_t vectors, int64_t width) {
  int64_t accumulators = width == 16 ? 24 : 10;
  return std::min<int64_t>(accumulators / vectors, 16);
}

/// result line i, vector j (+)= sum over k of scalar(i, k) * vector(k, j).
void Emitter::emitProduct(const ScalarOperand &scalars, const VectorOperand &vectors, int64_t depth,
                          const Buffer &result, bool accumulate) {
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
        loop(i64(0), i64(whole), step, [&](Value line) {
          emitRegisterTile(scalars, vectors, depth, result, accumulate, line, column, step, size);
        });
      if (int64_t rest = scalars.count - whole)
        emitRegisterTile(scalars, vectors, depth, result, accumulate, i64(whole), column, rest,
                         size);
    });
    first += count * size;
  }
}

void Emitter::emitRegisterTile(const ScalarOperand &scalars, const VectorOperand &vectors,
                               int64_t depth, const Buffer &result, bool accumulate, Value line,
                               Value column, int64_t numLines, int64_t numVectors) {
  Value out = at(result.base, add(mul(line, result.ld), column));
  auto outAt = [&](int64_t i, int64_t j) { return at(out, Value(), i * result.ld + j * width); };
  SmallVector<Value> inits;
  for (int64_t i = 0; i != numLines; ++i)
    for (int64_t j = 0; j != numVectors; ++j)
      inits.push_back(accumulate ? loadVector(outAt(i, j)) : splatConstant(0));
  Value firstScalar = mul(line, scalars.lineStride);
  auto sums = loop(i64(0), i64(depth), 1, inits, [&](Value k, ValueRange acc) {
    Value scalarAt = at(scalars.base, add(firstScalar, mul(k, scalars.depthStride)));
    Value vectorAt = at(vectors.base, add(mul(k, vectors.depthStride), column));
    SmallVector<Value> loaded, next;
    for (int64_t j = 0; j != numVectors; ++j)
      loaded.push_back(loadVector(at(vectorAt, Value(), j * width)));
    for (int64_t i = 0; i != numLines; ++i) {
      Value scalar = splat(loadScalar(at(scalarAt, Value(), i * scalars.lineStride)));
      for (int64_t j = 0; j != numVectors; ++j)
        next.push_back(vector::FMAOp::create(b, loc, scalar, loaded[j], acc[i * numVectors + j]));
    }
    return next;
  });
  for (int64_t i = 0; i != numLines; ++i)
    for (int64_t j = 0; j != numVectors; ++j)
      storeVector(sums.getResult(i * numVectors + j), outAt(i, j));
}
