//===- Store.cpp - Fragments to outputs, or to the workspace of a split ---===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Four lanes share a row; in 16-bit types each has two of every eight columns. An
// exchange between neighbours makes them four, so that the four lanes store 32 bytes
// in a row, a sector of memory. That is cheaper than a way through shared memory,
// which also would take a buffer away from keys and values.
//
// A head dim that is no multiple of 8 has rows that begin anywhere: pairs of columns
// are stored without an exchange, and single columns if the head dim is odd.
//
//===----------------------------------------------------------------------===//

#include "girih/Conversion/Fragments/Fragments.h"

#include "girih-c/Cuda.h"

using namespace mlir;
using namespace girih;
using namespace girih::gpu;

LogicalResult FragmentEmitter::emitStore(Operation *op, Value tile, Value dest, Value batch,
                                         Value head, Value firstRow) {
  auto type = cast<RankedTensorType>(tile.getType());
  Rows to{type.getDimSize(0), cast<MemRefType>(dest.getType()).getElementType(), scalar(batch),
          scalar(head), scalar(firstRow)};
  if (!elementOf(tile, 0) || !to.batch || !to.head || !to.first)
    return op->emitOpError("stores a tile that the GPU lowering does not hold");
  if (type.getRank() == 1)
    storeLse(to, fragment(tile));
  else
    storeRows(to, tile);
  return success();
}

Value FragmentEmitter::elementOf(Value tile, size_t i) {
  if (isMadeAtStore(tile.getDefiningOp())) {
    auto product = tile.getDefiningOp<arith::MulFOp>();
    Fragment lhs = fragment(product.getLhs()), rhs = fragment(product.getRhs());
    return lhs.empty() || rhs.empty() ? Value() : a.fmul(lhs[i], rhs[i]);
  }
  Fragment all = fragment(tile);
  return all.empty() ? Value() : all[i];
}

/// A row's index in a workspace of `tileQ` rows a slot.
static Value workspaceRow(FragmentEmitter &e, int64_t tileQ, int64_t r) {
  ScalarBuilder &a = e.a;
  return a.add(a.mul(a.widen(e.slot), tileQ), a.widen(a.add(e.row, 8 * r)));
}

void FragmentEmitter::storeLse(const Rows &to, const Fragment &from) {
  Type pointer = LLVM::LLVMPointerType::get(b.getContext()), i32 = b.getI32Type();
  Value isPart = a.compare(LLVM::ICmpPredicate::sge, slot, a.i32(0));
  Value lse = argument(offsetof(GirihCudaArguments, lse), pointer);
  Value base = a.select(isPart, argument(offsetof(GirihCudaArguments, partial_lse), pointer), lse);
  Value present = LLVM::ICmpOp::create(b, loc, LLVM::ICmpPredicate::ne, base,
                                       LLVM::ZeroOp::create(b, loc, pointer));
  Value isFirst = a.compare(LLVM::ICmpPredicate::eq, a.bitAnd(lane, 3), a.i32(0));
  Value numQ = argument(offsetof(GirihCudaArguments, num_q), i32);
  Value heads = argument(offsetof(GirihCudaArguments, heads), i32);
  Value line = a.widen(a.add(a.mul(to.batch, heads), to.head));
  for (int64_t r = 0; r != 2; ++r) {
    Value query = a.add(a.add(to.first, row), 8 * r);
    Value inside = a.compare(LLVM::ICmpPredicate::slt, query, numQ);
    inside = LLVM::AndOp::create(b, loc, inside, LLVM::AndOp::create(b, loc, present, isFirst));
    Block *store = addBlock(), *after = addBlock();
    branch(inside, store, after);
    b.setInsertionPointToEnd(store);
    Value index = a.add(a.mul(line, a.widen(numQ)), a.widen(query));
    index = a.select(isPart, workspaceRow(*this, to.count, r), index);
    LLVM::StoreOp::create(b, loc, from[r], a.element(base, index, b.getF32Type()));
    branch(after);
    b.setInsertionPointToEnd(after);
  }
}

int64_t gpu::partialPitch(int64_t vDim) { return (vDim + 7) / 8 * 8; }

int64_t gpu::storeBytes(int64_t vDim, int64_t elementBytes) {
  if (vDim % 8 == 0)
    return 8; // two words at once
  return vDim % 2 == 0 ? 2 * elementBytes : elementBytes;
}

/// Stores the f32 pairs of row `r` from `line` on, whole groups of 8 columns: 32 bytes
/// a quad.
void FragmentEmitter::storePairs(Value tile, int64_t r, Value line, Value when) {
  Type f32 = b.getF32Type();
  Value own = a.element(line, a.widen(a.mul(a.bitAnd(lane, 3), 2)), f32);
  for (int64_t j = 0; j != partialPitch(vDim) / 8; ++j) {
    Value pair[] = {elementOf(tile, 4 * j + 2 * r), elementOf(tile, 4 * j + 2 * r + 1)};
    a.storeWords(a.element(own, a.i64(8 * j), f32), pair, when);
  }
}

/// Stores row `r`, rounded to 16 bits, from `line` on. Of two groups of 8 columns,
/// even lanes store the first one and odd lanes the second, 4 columns each.
void FragmentEmitter::storePacked(Value tile, int64_t r, Value line, Type element, Value when) {
  int64_t pieces = vDim / 8;
  Value isOdd = a.compare(LLVM::ICmpPredicate::ne, a.bitAnd(lane, 1), a.i32(0));
  Value column = a.add(a.mul(a.bitAnd(lane, 2), 2), a.select(isOdd, a.i32(8), a.i32(0)));
  Value place = a.element(line, a.widen(column), element);
  Value isFirst = LLVM::AndOp::create(b, loc, when, a.bitXor(isOdd, truth(true)));
  size_t size = fragmentSize(tile.getType());
  for (int64_t piece = 0; piece < pieces; piece += 2) {
    SmallVector<Value> words;
    for (int64_t j = piece; j != piece + 2; ++j) {
      size_t at = 4 * j + 2 * r;
      words.push_back(at < size
                          ? a.pack(elementOf(tile, at), elementOf(tile, at + 1), element.isBF16())
                          : words.back());
    }
    // Lane 2 i has columns 4 i and 4 i + 1 of both groups, lane 2 i + 1 the next two.
    Value own = a.select(isOdd, words[1], words[0]);
    Value given = a.shuffleXor(a.select(isOdd, words[0], words[1]), 1);
    Value pair[] = {a.select(isOdd, given, own), a.select(isOdd, own, given)};
    a.storeWords(a.element(place, a.i64(8 * piece), element), pair,
                 piece + 2 <= pieces ? when : isFirst);
  }
}

/// Stores row `r` of a head dim that is no multiple of 8 from `line` on.
void FragmentEmitter::storeNarrow(Value tile, int64_t r, Value line, Type element, Value when) {
  Value first = a.mul(a.bitAnd(lane, 3), 2); // of this lane's two columns in a group of 8
  Value own = a.element(line, a.widen(first), element);
  for (int64_t j = 0; 8 * j < vDim; ++j) {
    Value pair[] = {elementOf(tile, 4 * j + 2 * r), elementOf(tile, 4 * j + 2 * r + 1)};
    auto isInside = [&](int64_t x) -> Value {
      if (8 * (j + 1) <= vDim)
        return when;
      Value inside = a.compare(LLVM::ICmpPredicate::slt, first, a.i32(vDim - 8 * j - x));
      return LLVM::AndOp::create(b, loc, when, inside);
    };
    SmallVector<Value> words(pair, pair + 2);
    if (!element.isF32())
      words = {a.pack(pair[0], pair[1], element.isBF16())};
    if (vDim % 2 == 0) {
      a.storeWords(a.element(own, a.i64(8 * j), element), words, isInside(0));
      continue;
    }
    for (int64_t x = 0; x != 2; ++x) {
      Value single = element.isF32()
                         ? words[x]
                         : LLVM::TruncOp::create(b, loc, b.getI16Type(), a.shr(words[0], 16 * x));
      a.storeWords(a.element(own, a.i64(8 * j + x), element), single, isInside(x));
    }
  }
}

void FragmentEmitter::storeRows(const Rows &to, Value tile) {
  Type pointer = LLVM::LLVMPointerType::get(b.getContext());
  Type element = to.element;
  Value numQ = argument(offsetof(GirihCudaArguments, num_q), b.getI32Type());
  Value isPart = a.compare(LLVM::ICmpPredicate::sge, slot, a.i32(0));
  Block *part = addBlock(), *whole = addBlock(), *done = addBlock();
  branch(isPart, part, whole);

  // Rows behind the last query have a place in the workspace, too.
  b.setInsertionPointToEnd(part);
  Value partial = argument(offsetof(GirihCudaArguments, partial_o), pointer);
  Value always = truth(true);
  for (int64_t r = 0; r != 2; ++r) {
    Value index = a.mul(workspaceRow(*this, to.count, r), partialPitch(vDim));
    storePairs(tile, r, a.element(partial, index, b.getF32Type()), always);
  }
  branch(done);

  b.setInsertionPointToEnd(whole);
  Value out = argument(offsetof(GirihCudaArguments, o), pointer);
  for (int64_t r = 0; r != 2; ++r) {
    Value query = a.add(a.add(to.first, row), 8 * r);
    Value inside = a.compare(LLVM::ICmpPredicate::slt, query, numQ), index;
    Value coordinates[] = {to.batch, to.head, query};
    for (auto [i, coordinate] : llvm::enumerate(coordinates)) {
      Value stride =
          argument(offsetof(GirihCudaArguments, o_stride) + i * sizeof(int64_t), b.getI64Type());
      Value product = a.mul(a.widen(coordinate), stride);
      index = index ? a.add(index, product) : product;
    }
    Value line = a.element(out, index, element);
    if (vDim % 8)
      storeNarrow(tile, r, line, element, inside);
    else if (element.isF32())
      storePairs(tile, r, line, inside);
    else
      storePacked(tile, r, line, element, inside);
  }
  branch(done);
  b.setInsertionPointToEnd(done);
}
