//===- EmitDot.cpp - Register-tiled products ------------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The left operand is always column-major ([k][m]), so both products read it
// along a line:
//   scores   acc[n][m lanes] += rhs[n][k] * lhs[k][m lanes]
//   output   acc[m][n lanes] += lhs[k][m] * rhs[k][n lanes]
// Eight scalars times two vectors make 16 independent accumulators, enough to
// hide the latency of two FMA pipes; four times two where there are only 16
// vector registers.
//
//===----------------------------------------------------------------------===//

#include "girih/Conversion/TileToCpu/Emitter.h"

using namespace mlir;
using namespace girih;
using namespace girih::cpu;

/// Scalars of a register tile: the largest of 8 (4 where there are 16 registers
/// only), 4, 2, 1 that divides.
static int64_t scalarsOf(int64_t extent, int64_t width) {
  for (int64_t n : {8, 4, 2})
    if (extent % n == 0 && (n < 8 || width == 16))
      return n;
  return 1;
}

LogicalResult Emitter::emitDot(tile::DotOp op) {
  FailureOr<Buffer> lhs = bufferOf(op.getLhs(), /*colMajor=*/true);
  FailureOr<Buffer> rhs = bufferOf(op.getRhs(), /*colMajor=*/false);
  if (failed(lhs) || failed(rhs))
    return failure();
  auto type = cast<RankedTensorType>(op.getType());
  bool colMajor = isColMajor(op.getResult());
  if (colMajor != op.getTransposeRhs())
    return op.emitOpError("has a layout that the CPU lowering does not support");

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
    if (!diesAt(op.getAcc(), op)) {
      result = allocate(type.getDimSize(0), type.getDimSize(1), colMajor);
      copy(*acc, result);
    }
  }
  if (colMajor)
    emitColumnDot(*lhs, *rhs, result, !startsAtZero);
  else
    emitRowDot(*lhs, *rhs, result, !startsAtZero);
  buffers[op.getResult()] = result;
  return success();
}

/// result[n][m] (+)= sum over k of rhs[n][k] * lhs[k][m], m along the lanes.
void Emitter::emitColumnDot(const Buffer &lhs, const Buffer &rhs, const Buffer &result,
                            bool accumulate) {
  int64_t depth = lhs.cols, numM = result.ld, numN = result.cols;
  int64_t scalars = scalarsOf(numN, width), vectors = numM % (2 * width) == 0 ? 2 : 1;
  loop(i64(0), i64(numN), scalars, [&](Value n) {
    Value rhsLine = mul(n, rhs.ld), resultLine = mul(n, result.ld);
    loop(i64(0), i64(numM), vectors * width, [&](Value m) {
      Value out = at(result.base, add(resultLine, m));
      SmallVector<Value> inits;
      for (int64_t i = 0; i != scalars; ++i)
        for (int64_t j = 0; j != vectors; ++j)
          inits.push_back(accumulate ? loadVector(at(out, Value(), i * result.ld + j * width))
                                     : splatConstant(0));
      auto sums = loop(i64(0), i64(depth), 1, inits, [&](Value k, ValueRange acc) {
        Value lhsAt = at(lhs.base, add(mul(k, lhs.ld), m)), rhsAt = at(rhs.base, add(rhsLine, k));
        SmallVector<Value> queries, next;
        for (int64_t j = 0; j != vectors; ++j)
          queries.push_back(loadVector(at(lhsAt, Value(), j * width)));
        for (int64_t i = 0; i != scalars; ++i) {
          Value scalar = splat(loadScalar(at(rhsAt, Value(), i * rhs.ld)));
          for (int64_t j = 0; j != vectors; ++j)
            next.push_back(vector::FMAOp::create(b, loc, scalar, queries[j], acc[i * vectors + j]));
        }
        return next;
      });
      for (int64_t i = 0; i != scalars; ++i)
        for (int64_t j = 0; j != vectors; ++j)
          storeVector(sums.getResult(i * vectors + j), at(out, Value(), i * result.ld + j * width));
    });
  });
}

/// result[m][n] (+)= sum over k of lhs[k][m] * rhs[k][n], n along the lanes.
void Emitter::emitRowDot(const Buffer &lhs, const Buffer &rhs, const Buffer &result,
                         bool accumulate) {
  int64_t depth = lhs.cols, numM = result.rows, numVectors = result.ld / width;
  int64_t scalars = scalarsOf(numM, width);
  auto columns = [&](Value m, Value n, int64_t vectors) {
    Value out = at(result.base, add(mul(m, result.ld), n));
    SmallVector<Value> inits;
    for (int64_t i = 0; i != scalars; ++i)
      for (int64_t j = 0; j != vectors; ++j)
        inits.push_back(accumulate ? loadVector(at(out, Value(), i * result.ld + j * width))
                                   : splatConstant(0));
    auto sums = loop(i64(0), i64(depth), 1, inits, [&](Value k, ValueRange acc) {
      Value lhsAt = at(lhs.base, add(mul(k, lhs.ld), m)),
            rhsAt = at(rhs.base, add(mul(k, rhs.ld), n));
      SmallVector<Value> columnVectors, next;
      for (int64_t j = 0; j != vectors; ++j)
        columnVectors.push_back(loadVector(at(rhsAt, Value(), j * width)));
      for (int64_t i = 0; i != scalars; ++i) {
        Value scalar = splat(loadScalar(at(lhsAt, Value(), i)));
        for (int64_t j = 0; j != vectors; ++j)
          next.push_back(
              vector::FMAOp::create(b, loc, scalar, columnVectors[j], acc[i * vectors + j]));
      }
      return next;
    });
    for (int64_t i = 0; i != scalars; ++i)
      for (int64_t j = 0; j != vectors; ++j)
        storeVector(sums.getResult(i * vectors + j), at(out, Value(), i * result.ld + j * width));
  };
  loop(i64(0), i64(numM), scalars, [&](Value m) {
    int64_t pairs = numVectors / 2 * 2 * width;
    if (pairs)
      loop(i64(0), i64(pairs), 2 * width, [&](Value n) { columns(m, n, 2); });
    if (numVectors % 2)
      columns(m, i64(pairs), 1);
  });
}
