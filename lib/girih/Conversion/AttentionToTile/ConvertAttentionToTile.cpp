//===- ConvertAttentionToTile.cpp - Online softmax over tiles -------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Conversion/Passes.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Affine/Utils.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/IRMapping.h"

#include <limits>

using namespace mlir;

namespace girih {
#define GEN_PASS_DEF_CONVERTATTENTIONTOTILE
#include "girih/Conversion/Passes.h.inc"
} // namespace girih

using namespace girih;

namespace {

constexpr double log2e = 1.4426950408889634, ln2 = 0.6931471805599453;

class AttentionExpander {
public:
  AttentionExpander(AttentionOp op, Value out, Value lse, bool tensorCores, bool bf16Dots)
      : op(op), out(out), lse(lse), tensorCores(tensorCores),
        narrow(tensorCores || (bf16Dots && op.getQ().getType().getElementType().isBF16())), b(op),
        loc(op.getLoc()), tileQ((*op.getTile())[0]), tileK((*op.getTile())[1]),
        dim(op.getQ().getType().getDimSize(3)), vDim(op.getV().getType().getDimSize(3)) {}

  void expand() {
    auto task = tile::TaskOp::create(b, loc);
    batch = task.getBatch();
    head = task.getHead();
    Value groupSize =
        arith::DivUIOp::create(b, loc, dimension(op.getQ(), 1), dimension(op.getK(), 1));
    kvHead = arith::DivUIOp::create(b, loc, head, groupSize);
    Value qRow = arith::MulIOp::create(b, loc, task.getQTile(), index(tileQ));
    qPosition = qRow;
    if (op.getAlign() == Align::BottomRight) {
      Value offset =
          arith::SubIOp::create(b, loc, dimension(op.getK(), 2), dimension(op.getQ(), 2));
      qPosition = arith::AddIOp::create(b, loc, qRow, offset);
    }
    if (scalesLate())
      splitScale();
    Value q = queries(qRow);

    SmallVector<Value> inits{constant(tileType({tileQ, vDim}), 0.0),
                             constant(tileType({tileQ}), -std::numeric_limits<double>::infinity()),
                             constant(sumType(), 0.0)};
    SmallVector<Type> types(ValueRange(inits).getTypes());
    auto loop =
        ForBlocksOp::create(b, loc, types, op.getMap(), batch, head, task.getQTile(), inits);
    Block *body = b.createBlock(&loop.getBodyRegion());
    body->addArguments({b.getIndexType(), b.getI1Type()}, {loc, loc});
    for (Type type : types)
      body->addArgument(type, loc);
    step(loop, q);
    b.setInsertionPointAfter(loop);
    finish(loop, qRow);
  }

private:
  /// Factor of the dot products; without a score function with the log2(e) that
  /// base-2 softmax needs.
  Value scoreScale() {
    Value scale = op.getScale();
    if (!scale) {
      FloatAttr value = b.getF32FloatAttr(1.0 / std::sqrt(double(dim)));
      scale = arith::ConstantOp::create(b, loc, value);
    }
    if (hasScore())
      return scale;
    Value factor = arith::ConstantOp::create(b, loc, b.getF32FloatAttr(log2e));
    return arith::MulFOp::create(b, loc, scale, factor);
  }

  /// Sign and magnitude of the scale: maxima of scores s are those of scale * s
  /// only when it is positive. A magnitude of 0 becomes one that is as good as 0
  /// but for -inf, which it keeps.
  void splitScale() {
    constexpr double tiny = 1e-30;
    Value scale = scoreScale();
    Value zero = arith::ConstantOp::create(b, loc, b.getF32FloatAttr(0.0));
    isNegative = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OLT, scale, zero);
    Value negated = arith::NegFOp::create(b, loc, scale);
    Value magnitude = arith::SelectOp::create(b, loc, isNegative, negated, scale);
    Value least = arith::ConstantOp::create(b, loc, b.getF32FloatAttr(tiny));
    factor = arith::MaxNumFOp::create(b, loc, magnitude, least);
  }

  /// The scores times the sign of the scale: a branch, for it is nearly always 1.
  Value withSign(Value s) {
    auto branch = scf::IfOp::create(b, loc, s.getType(), isNegative, /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToEnd(branch.thenBlock());
    Value negated = arith::NegFOp::create(b, loc, s);
    scf::YieldOp::create(b, loc, negated);
    b.setInsertionPointToEnd(branch.elseBlock());
    scf::YieldOp::create(b, loc, s);
    return branch.getResult(0);
  }

  /// Queries as they are for tensor cores. Else scaled f32, there being fewer of them
  /// than of scores; of bf16 products only with the sign of the scale, which is exact.
  Value queries(Value qRow) {
    Value q = load(op.getQ(), head, qRow, {tileQ, dim});
    if (tensorCores || (narrow && hasScore()))
      return q;
    RankedTensorType type = tileType({tileQ, dim});
    Type given = q.getType();
    if (given != type)
      q = arith::ExtFOp::create(b, loc, type, q);
    Value times = narrow ? scaleSign() : scoreScale();
    q = arith::MulFOp::create(b, loc, q, tile::SplatOp::create(b, loc, type, times));
    return narrow ? arith::TruncFOp::create(b, loc, given, q).getResult() : q;
  }

  /// 1 or -1.
  Value scaleSign() {
    Value one = arith::ConstantOp::create(b, loc, b.getF32FloatAttr(1.0));
    Value minusOne = arith::ConstantOp::create(b, loc, b.getF32FloatAttr(-1.0));
    return arith::SelectOp::create(b, loc, isNegative, minusOne, one);
  }

  /// One key tile: scores, mask, running maximum and sum, output.
  void step(ForBlocksOp loop, Value q) {
    auto iterArgs = loop.getIterArgs();
    Value acc = iterArgs[0], oldMax = iterArgs[1], oldSum = iterArgs[2];
    Value kRow = arith::MulIOp::create(b, loc, loop.getKTile(), index(tileK));
    Value k = load(op.getK(), kvHead, kRow, {tileK, dim});
    RankedTensorType scoreType = tileType({tileQ, tileK}), rowType = tileType({tileQ});
    Value s = tile::DotOp::create(b, loc, q, k, constant(scoreType, 0.0), /*transposeRhs=*/true);
    if (narrow && hasScore())
      s = arith::MulFOp::create(b, loc, s, tile::SplatOp::create(b, loc, scoreType, scoreScale()));
    if (hasScore())
      s = applyScore(s, kRow);
    else if (tensorCores)
      s = withSign(s);
    s = tile::MaskOp::create(b, loc, s, op.getPattern(), batch, head, qPosition, kRow,
                             loop.getPartial());

    Value tileMax = tile::RowReduceOp::create(b, loc, rowType, tile::Reduction::Max, s);
    Value newMax = arith::MaxNumFOp::create(b, loc, oldMax, tileMax), grew;
    if (tensorCores)
      std::tie(newMax, grew) = lazyMax(oldMax, newMax);
    // A row that has seen nothing yet keeps -inf; exp2(-inf - -inf) would be NaN.
    Value minusInf = constant(rowType, -std::numeric_limits<double>::infinity());
    Value unseen = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, newMax, minusInf);
    Value base = arith::SelectOp::create(b, loc, unseen, constant(rowType, 0.0), newMax);
    Value decay, p;
    if (scalesLate()) {
      // Maxima are those of unscaled scores: one fma an element scales and shifts.
      Value negative = arith::NegFOp::create(b, loc, factor);
      Value shift =
          arith::MulFOp::create(b, loc, base, tile::SplatOp::create(b, loc, rowType, negative));
      // Exactly 0 where the maximum stays: rounding would add up over tiles, in the sum alone.
      decay = arith::SubFOp::create(b, loc, oldMax, base);
      decay = arith::MulFOp::create(b, loc, decay, tile::SplatOp::create(b, loc, rowType, factor));
      p = math::FmaOp::create(b, loc, s, tile::SplatOp::create(b, loc, scoreType, factor),
                              broadcast(shift, tileK));
    } else {
      decay = arith::SubFOp::create(b, loc, oldMax, base);
      p = arith::SubFOp::create(b, loc, s, broadcast(base, tileK));
    }
    decay = math::Exp2Op::create(b, loc, decay);
    p = math::Exp2Op::create(b, loc, p);
    Value tileSum =
        tensorCores ? Value(tile::FoldColumnsOp::create(b, loc, sumType(), p))
                    : Value(tile::RowReduceOp::create(b, loc, rowType, tile::Reduction::Add, p));
    Value sumDecay = tensorCores ? broadcast(decay, sumColumns) : decay;
    Value kept = arith::MulFOp::create(b, loc, oldSum, sumDecay);
    Value newSum = arith::AddFOp::create(b, loc, kept, tileSum);

    Value v = load(op.getV(), kvHead, kRow, {tileK, vDim});
    Type element = cast<RankedTensorType>(v.getType()).getElementType();
    if (narrow && !element.isF32())
      p = arith::TruncFOp::create(b, loc, RankedTensorType::get({tileQ, tileK}, element), p);
    Value decayed = tensorCores ? decayWhere(grew, acc, decay)
                                : Value(arith::MulFOp::create(b, loc, acc, broadcast(decay, vDim)));
    Value newAcc = tile::DotOp::create(b, loc, p, v, decayed, /*transposeRhs=*/false);
    YieldOp::create(b, loc, ValueRange{newAcc, newMax, newSum});
  }

  /// The maximum to go on with: the old one as long as probabilities stay below
  /// 2^8 with it, so that the output need not be scaled (as FlashAttention-4 does,
  /// Zadouri et al., 2026). Also says for which rows it is a new one.
  std::pair<Value, Value> lazyMax(Value oldMax, Value newMax) {
    constexpr double threshold = 8;
    auto rowType = cast<RankedTensorType>(oldMax.getType());
    Value rise = arith::SubFOp::create(b, loc, newMax, oldMax);
    if (scalesLate())
      rise = arith::MulFOp::create(b, loc, rise, tile::SplatOp::create(b, loc, rowType, factor));
    Value grew = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OGT, rise,
                                       constant(rowType, threshold));
    return {arith::SelectOp::create(b, loc, grew, newMax, oldMax), grew};
  }

  /// The output in terms of the new maxima; most of the time none is new.
  Value decayWhere(Value grew, Value acc, Value decay) {
    Value any = tile::AnyRowOp::create(b, loc, grew);
    auto branch = scf::IfOp::create(b, loc, acc.getType(), any, /*withElseRegion=*/true);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToEnd(branch.thenBlock());
    Value scaled = arith::MulFOp::create(b, loc, acc, broadcast(decay, vDim));
    scf::YieldOp::create(b, loc, scaled);
    b.setInsertionPointToEnd(branch.elseBlock());
    scf::YieldOp::create(b, loc, acc);
    return branch.getResult(0);
  }

  void finish(ForBlocksOp loop, Value qRow) {
    Value acc = loop.getResult(0), max = loop.getResult(1), sum = loop.getResult(2);
    RankedTensorType rowType = tileType({tileQ});
    if (tensorCores)
      sum = tile::RowReduceOp::create(b, loc, rowType, tile::Reduction::Add, sum);
    Value isEmpty =
        arith::CmpFOp::create(b, loc, arith::CmpFPredicate::OEQ, sum, constant(rowType, 0.0));
    Value one = constant(rowType, 1.0);
    Value divisor = arith::SelectOp::create(b, loc, isEmpty, one, sum);
    Value inverse = arith::DivFOp::create(b, loc, one, divisor);
    Value o = arith::MulFOp::create(b, loc, acc, broadcast(inverse, vDim));
    tile::StoreOp::create(b, loc, o, out, batch, head, qRow);
    if (scalesLate())
      max = arith::MulFOp::create(b, loc, max, tile::SplatOp::create(b, loc, rowType, factor));
    Value log = arith::AddFOp::create(b, loc, max, math::Log2Op::create(b, loc, divisor));
    Value natural = arith::MulFOp::create(b, loc, log, constant(rowType, ln2));
    tile::StoreOp::create(b, loc, natural, lse, batch, head, qRow);
  }

  Value applyScore(Value s, Value kRow) {
    auto map = tile::MapOp::create(b, loc, s.getType(), s, batch, head, qPosition, kRow);
    OpBuilder::InsertionGuard guard(b);
    IRMapping mapping;
    op.getScore().cloneInto(&map.getBody(), mapping);
    expandIndices(map.getBody().front());
    Operation *yield = map.getBody().front().getTerminator();
    b.setInsertionPoint(yield);
    Value factor = arith::ConstantOp::create(b, loc, b.getF32FloatAttr(log2e));
    Value inLog2 = arith::MulFOp::create(b, loc, yield->getOperand(0), factor);
    yield->setOperand(0, inLog2);
    return map;
  }

  /// Floor division and modulo of indices, which no backend has, as plain arithmetic.
  void expandIndices(Block &body) {
    for (auto apply : llvm::make_early_inc_range(body.getOps<affine::AffineApplyOp>())) {
      b.setInsertionPoint(apply);
      auto values = affine::expandAffineMap(b, loc, apply.getAffineMap(), apply.getMapOperands());
      apply.getResult().replaceAllUsesWith(values->front());
      apply.erase();
    }
  }

  /// Whether running maxima are those of unscaled scores.
  bool scalesLate() { return narrow && !hasScore(); }

  /// Sums of probabilities: on a GPU those of every eighth column, which four threads
  /// hold; they are added up once a task instead of once a tile.
  RankedTensorType sumType() {
    return tensorCores ? tileType({tileQ, sumColumns}) : tileType({tileQ});
  }
  static constexpr int64_t sumColumns = 8;

  bool hasScore() { return !op.getScore().empty(); }

  RankedTensorType tileType(ArrayRef<int64_t> shape) {
    return RankedTensorType::get(shape, b.getF32Type());
  }

  Value load(Value source, Value sourceHead, Value row, ArrayRef<int64_t> shape) {
    Type element = cast<RankedTensorType>(source.getType()).getElementType();
    return tile::LoadOp::create(b, loc, RankedTensorType::get(shape, element), source, batch,
                                sourceHead, row);
  }

  Value broadcast(Value vector, int64_t columns) {
    return tile::BroadcastOp::create(b, loc, tileType({tileQ, columns}), vector);
  }

  Value constant(RankedTensorType type, double value) {
    return arith::ConstantOp::create(
        b, loc, DenseElementsAttr::get(type, b.getF32FloatAttr(value).getValue()));
  }

  Value index(int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); }

  Value dimension(Value tensor, int64_t position) {
    return tensor::DimOp::create(b, loc, tensor, index(position));
  }

  AttentionOp op;
  Value out, lse;
  bool tensorCores;
  bool narrow; ///< products take 16-bit operands as they are
  OpBuilder b;
  Location loc;
  int64_t tileQ, tileK, dim, vDim;
  Value batch, head, kvHead, qPosition;
  Value isNegative, factor; ///< of the scale in base 2: its sign, its magnitude
};

struct ConvertAttentionToTile : girih::impl::ConvertAttentionToTileBase<ConvertAttentionToTile> {
  using ConvertAttentionToTileBase::ConvertAttentionToTileBase;

  void runOnOperation() override {
    func::FuncOp func = getOperation();
    SmallVector<AttentionOp> ops;
    func.walk([&](AttentionOp op) { ops.push_back(op); });
    if (ops.empty())
      return;
    AttentionOp op = ops.front();
    auto *terminator = func.getBody().back().getTerminator();
    if (ops.size() != 1 || !llvm::equal(terminator->getOperands(), op->getResults())) {
      op.emitOpError("expected to be the only attention of its function, and the function to "
                     "return its results");
      return signalPassFailure();
    }
    if (!op.getMap()) {
      op.emitOpError("expected a block map; run girih-build-block-maps first");
      return signalPassFailure();
    }
    Block &entry = func.getBody().front();
    SmallVector<Type> outputs;
    for (Type type : op->getResultTypes()) {
      auto tensor = cast<RankedTensorType>(type);
      outputs.push_back(MemRefType::get(tensor.getShape(), tensor.getElementType()));
    }
    Value out = entry.addArgument(outputs[0], op.getLoc());
    Value lse = entry.addArgument(outputs[1], op.getLoc());
    func.setType(FunctionType::get(&getContext(), entry.getArgumentTypes(), {}));
    AttentionExpander(op, out, lse, tensorCores, bf16Dots).expand();
    OpBuilder builder(terminator);
    func::ReturnOp::create(builder, terminator->getLoc());
    terminator->erase();
    op.erase();
  }
};

} // namespace
