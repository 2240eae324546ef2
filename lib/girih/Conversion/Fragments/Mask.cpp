//===- Mask.cpp - Drop the scores that a pattern does not keep ------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Only partial tiles come here, behind a branch that is uniform for the warp.
//
//===----------------------------------------------------------------------===//

#include "girih/Conversion/Fragments/PatternBits.h"

#include <limits>

using namespace mlir;
using namespace girih;
using namespace girih::gpu;

static Place placeOf(FragmentEmitter &e, Value batch, Value head, Value q, Value k) {
  ScalarBuilder &a = e.a;
  Place place;
  place.row[0] = a.add(q, e.row);
  place.row[1] = a.add(place.row[0], 8);
  place.column = a.add(k, a.mul(a.bitAnd(e.lane, 3), 2));
  place.batch = batch;
  place.head = head;
  return place;
}

LogicalResult FragmentEmitter::emitKeep(Operation *op, Type type, Value pattern, Value batch,
                                        Value head, Value qRow, Value kRow, Value when) {
  Value condition = scalar(when), b0 = scalar(batch), h0 = scalar(head), q = scalar(qRow),
        k = scalar(kRow);
  if (!condition || !b0 || !h0 || !q || !k)
    return op->emitOpError("reads a value that the GPU lowering does not hold");
  Block *evaluate = addBlock();
  Block *before = b.getInsertionBlock();
  b.setInsertionPointToEnd(evaluate);
  PatternBits bits(*this, pattern, placeOf(*this, b0, h0, q, k),
                   static_cast<int64_t>(fragmentSize(type) / 4));
  Fragment kept = bits.kept(0);
  llvm::append_range(kept, bits.kept(1));
  Block *after = addBlock(SmallVector<Type>(kept.size(), b.getI32Type()));
  branch(after, kept);
  b.setInsertionPointToEnd(before);
  Fragment none(kept.size(), a.i32(0));
  LLVM::CondBrOp::create(b, loc, condition, evaluate, ValueRange(), after, none);
  b.setInsertionPointToEnd(after);
  set(op->getResult(0), Fragment(after->getArguments()));
  return success();
}

/// Scores with -inf where the bits of their row are zero.
static Fragment dropped(FragmentEmitter &e, const Fragment &from, ArrayRef<Value> kept) {
  ScalarBuilder &a = e.a;
  Value minusInf = a.f32(-std::numeric_limits<float>::infinity());
  size_t words = kept.size() / 2;
  Fragment to;
  for (size_t i = 0; i != from.size(); ++i) {
    size_t group = i / 4, row = i / 2 % 2;
    Value word = kept[row * words + group / 16];
    Value bit = a.bitAnd(word, int64_t{1} << (group % 16 * 2 + i % 2));
    Value isKept = a.compare(LLVM::ICmpPredicate::ne, bit, a.i32(0));
    to.push_back(a.select(isKept, from[i], minusInf));
  }
  return to;
}

LogicalResult FragmentEmitter::emitDrop(Operation *op, Value tile, Value keep, Value when) {
  Fragment from = fragment(tile), kept = fragment(keep);
  Value condition = scalar(when);
  if (from.empty() || kept.empty() || !condition)
    return op->emitOpError("masks a tile that the GPU lowering does not hold");
  Block *masked = addBlock(), *after = addBlock(SmallVector<Type>(from.size(), b.getF32Type()));
  LLVM::CondBrOp::create(b, loc, condition, masked, ValueRange(), after, from);
  b.setInsertionPointToEnd(masked);
  branch(after, dropped(*this, from, kept));
  b.setInsertionPointToEnd(after);
  set(op->getResult(0), Fragment(after->getArguments()));
  return success();
}

LogicalResult FragmentEmitter::emitMask(tile::MaskOp op) {
  Fragment from = fragment(op.getTile());
  Value when = scalar(op.getWhen()), q = scalar(op.getQRow()), k = scalar(op.getKRow());
  Value batch = scalar(op.getBatch()), head = scalar(op.getHead());
  if (from.empty() || !when || !q || !k || !batch || !head)
    return op.emitOpError("masks a tile that the GPU lowering does not hold");
  Block *masked = addBlock(), *after = addBlock(SmallVector<Type>(from.size(), b.getF32Type()));
  LLVM::CondBrOp::create(b, loc, when, masked, ValueRange(), after, from);
  b.setInsertionPointToEnd(masked);
  PatternBits bits(*this, op.getPattern(), placeOf(*this, batch, head, q, k),
                   static_cast<int64_t>(from.size() / 4));
  Words kept = bits.kept(0);
  llvm::append_range(kept, bits.kept(1));
  branch(after, dropped(*this, from, kept));
  b.setInsertionPointToEnd(after);
  set(op.getResult(), Fragment(after->getArguments()));
  return success();
}
