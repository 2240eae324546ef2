//===- Scores.cpp - Score functions, as IR and as C++ ---------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each function reads another subset of (score, b, h, q, k), so that every mix of
// scalars and vectors that the lowering meets is here.
//
//===----------------------------------------------------------------------===//

#include "Case.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Builders.h"

#include <cmath>
#include <limits>

using namespace girih;
using namespace girih::differential;
namespace arith = mlir::arith;

/// Of HideStart: more than a tile.
static constexpr int64_t hiddenKeys = 70;

namespace {

/// Short names for what score functions are made of.
struct Ops {
  mlir::OpBuilder &b;
  mlir::Location loc;

  mlir::Value real(float value) {
    return arith::ConstantOp::create(b, loc, b.getF32FloatAttr(value));
  }
  mlir::Value integer(int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); }
  mlir::Value toReal(mlir::Value index) {
    mlir::Value cast = arith::IndexCastOp::create(b, loc, b.getI32Type(), index);
    return arith::SIToFPOp::create(b, loc, b.getF32Type(), cast);
  }
  mlir::Value add(mlir::Value x, mlir::Value y) { return arith::AddFOp::create(b, loc, x, y); }
  mlir::Value mul(mlir::Value x, mlir::Value y) { return arith::MulFOp::create(b, loc, x, y); }
};

} // namespace

ScoreBuilder differential::scoreBuilder(ScoreKind kind, float c) {
  if (kind == ScoreKind::None)
    return {};
  return [kind, c](mlir::OpBuilder &b, mlir::Location loc, mlir::ValueRange in) -> mlir::Value {
    Ops ops{b, loc};
    mlir::Value s = in[0], batch = in[1], head = in[2], q = in[3], k = in[4];
    switch (kind) {
    case ScoreKind::None:
      break;
    case ScoreKind::Softcap: {
      mlir::Value ratio = arith::DivFOp::create(b, loc, s, ops.real(c));
      return ops.mul(ops.real(c), mlir::math::TanhOp::create(b, loc, ratio));
    }
    case ScoreKind::Alibi: {
      mlir::Value distance = arith::SubIOp::create(b, loc, k, q);
      mlir::Value slope = ops.mul(ops.add(ops.toReal(head), ops.real(1)), ops.real(c));
      return ops.add(s, ops.mul(slope, ops.toReal(distance)));
    }
    case ScoreKind::Scale:
      return ops.mul(ops.real(c), s);
    case ScoreKind::RelativeBias: {
      mlir::Value distance = arith::SubIOp::create(b, loc, q, k);
      mlir::Value low = arith::AndIOp::create(b, loc, distance, ops.integer(7));
      return ops.add(s, ops.mul(ops.real(c), ops.toReal(low)));
    }
    case ScoreKind::BatchBias:
      return ops.add(s, ops.mul(ops.real(c), ops.toReal(batch)));
    case ScoreKind::Hide: {
      mlir::Value sum = arith::AddIOp::create(b, loc, k, head);
      mlir::Value rest = arith::RemUIOp::create(b, loc, sum, ops.integer(3));
      mlir::Value hidden =
          arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, rest, ops.integer(0));
      return arith::SelectOp::create(b, loc, hidden,
                                     ops.real(-std::numeric_limits<float>::infinity()), s);
    }
    case ScoreKind::HideStart: {
      mlir::Value hidden =
          arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, k, ops.integer(hiddenKeys));
      return arith::SelectOp::create(b, loc, hidden,
                                     ops.real(-std::numeric_limits<float>::infinity()), s);
    }
    case ScoreKind::KeyOnly:
      return ops.mul(ops.real(c), ops.toReal(k));
    }
    return s;
  };
}

ScoreFunction differential::scoreFunction(ScoreKind kind, float constant) {
  if (kind == ScoreKind::None)
    return {};
  double c = constant;
  return [kind, c](double s, int64_t b, int64_t h, int64_t q, int64_t k) -> double {
    switch (kind) {
    case ScoreKind::None:
      break;
    case ScoreKind::Softcap:
      return c * std::tanh(s / c);
    case ScoreKind::Alibi:
      return s + double(h + 1) * c * double(k - q);
    case ScoreKind::Scale:
      return c * s;
    case ScoreKind::RelativeBias:
      return s + c * double((q - k) & 7);
    case ScoreKind::BatchBias:
      return s + c * double(b);
    case ScoreKind::Hide:
      return (k + h) % 3 == 0 ? -std::numeric_limits<double>::infinity() : s;
    case ScoreKind::HideStart:
      return k < hiddenKeys ? -std::numeric_limits<double>::infinity() : s;
    case ScoreKind::KeyOnly:
      return c * double(k);
    }
    return s;
  };
}
