//===- EmitMemory.cpp - Scratch memory, tile loads and stores -------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Conversion/TileToCpu/Emitter.h"

#include "girih-c/Runtime.h"
#include "llvm/ADT/bit.h"

using namespace mlir;
using namespace girih;
using namespace girih::cpu;

//===----------------------------------------------------------------------===//
// Launch, task and scratch
//===----------------------------------------------------------------------===//

Value Emitter::field(Value base, size_t offset, Type type) {
  Value address = LLVM::GEPOp::create(b, loc, base.getType(), b.getI8Type(), base,
                                      ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(offset)});
  // Launches and tasks do not change while a kernel runs.
  return LLVM::LoadOp::create(b, loc, type, address, /*alignment=*/0, /*isVolatile=*/false,
                              /*isNonTemporal=*/false, /*isInvariant=*/true);
}

Value Emitter::launchField(size_t offset, Type type) { return field(launch, offset, type); }

Value Emitter::taskField(size_t offset, Type type) { return field(task, offset, type); }

Value Emitter::allocateBytes(int64_t bytes) {
  constexpr int64_t alignment = 64;
  Value base = LLVM::GEPOp::create(b, loc, scratch.getType(), b.getI8Type(), scratch,
                                   ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(scratchBytes)});
  scratchBytes += (bytes + alignment - 1) / alignment * alignment;
  return base;
}

Buffer Emitter::allocate(int64_t numRows, int64_t numCols, bool colMajor) {
  Buffer buffer;
  buffer.rows = numRows;
  buffer.cols = numCols;
  buffer.colMajor = colMajor;
  buffer.ld = roundUp(colMajor ? numRows : numCols);
  int64_t lines = colMajor ? numCols : numRows;
  // Made at the entry, so that a buffer of a loop body is one for all iterations.
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(entry);
  buffer.base = allocateBytes(lines * buffer.ld * sizeof(float));
  return buffer;
}

void Emitter::fill(const Buffer &buffer, float value) {
  Value vector = splatConstant(value);
  int64_t lines = buffer.colMajor ? buffer.cols : buffer.rows;
  loop(i64(0), i64(lines), 1, [&](Value line) {
    Value offset = mul(line, buffer.ld);
    for (int64_t lane = 0; lane != buffer.ld; lane += width)
      storeVector(vector, at(buffer.base, offset, lane));
  });
}

void Emitter::copy(const Buffer &from, const Buffer &to) {
  int64_t lines = from.colMajor ? from.cols : from.rows;
  loop(i64(0), i64(lines), 1, [&](Value line) {
    Value offset = mul(line, from.ld);
    for (int64_t lane = 0; lane != from.ld; lane += width)
      storeVector(loadVector(at(from.base, offset, lane)), at(to.base, offset, lane));
  });
}

//===----------------------------------------------------------------------===//
// Views
//===----------------------------------------------------------------------===//

/// Arguments of a kernel are (q, k, v, scale, operands..., o, lse).
size_t Emitter::viewOffset(Value view) {
  switch (cast<BlockArgument>(view).getArgNumber()) {
  case 0:
    return offsetof(GirihLaunch, q);
  case 1:
    return offsetof(GirihLaunch, k);
  case 2:
    return offsetof(GirihLaunch, v);
  default:
    return offsetof(GirihLaunch, o);
  }
}

/// Address of element [batch, head, row, 0].
Value Emitter::rowPointer(Value view, Value batch, Value head, Value row, Type element) {
  size_t base = viewOffset(view);
  Value index;
  Value coordinates[] = {batch, head, row};
  for (auto [i, coordinate] : llvm::enumerate(coordinates)) {
    Value stride =
        launchField(base + offsetof(GirihView, stride) + i * sizeof(int64_t), b.getI64Type());
    Value product = arith::MulIOp::create(b, loc, coordinate, stride);
    index = index ? add(index, product) : product;
  }
  Type pointer = LLVM::LLVMPointerType::get(b.getContext());
  Value data = launchField(base + offsetof(GirihView, data), pointer);
  return LLVM::GEPOp::create(b, loc, pointer, element, data, ArrayRef<LLVM::GEPArg>{index});
}

/// Elements [first, first + width) of a row, as f32; those from `count` on are 0
/// and not touched.
Value Emitter::loadLanes(Value base, Type element, int64_t first, int64_t count) {
  Value loaded = loadRaw(base, element, first, width, count);
  if (element.isF32())
    return loaded;
  return arith::ExtFOp::create(b, loc, floats(), loaded);
}

Value Rows::at(Emitter &emitter, Value row) const {
  OpBuilder &b = emitter.b;
  Value offset = arith::MulIOp::create(b, emitter.loc, row, stride);
  return LLVM::GEPOp::create(b, emitter.loc, base.getType(), element, base,
                             ArrayRef<LLVM::GEPArg>{offset});
}

/// The address of the rows themselves where they are a whole tile and packed, else
/// `scratch`, after `stage` has filled it.
Value Emitter::inPlaceOr(const Rows &rows, Value scratch, llvm::function_ref<void()> stage) {
  auto equal = arith::CmpIPredicate::eq;
  Value isWhole = arith::CmpIOp::create(b, loc, equal, rows.valid, i64(rows.count));
  Value isPacked = arith::CmpIOp::create(b, loc, equal, rows.stride, i64(rows.size));
  Value inPlace = arith::AndIOp::create(b, loc, isWhole, isPacked);
  auto branch = scf::IfOp::create(b, loc, rows.base.getType(), inPlace, /*withElseRegion=*/true);
  b.setInsertionPointToStart(branch.thenBlock());
  scf::YieldOp::create(b, loc, rows.base);
  b.setInsertionPointToStart(branch.elseBlock());
  stage();
  scf::YieldOp::create(b, loc, scratch);
  b.setInsertionPointAfter(branch);
  return branch.getResult(0);
}

/// Brings rows [row, row + tile rows) into scratch; rows behind the end become zero.
LogicalResult Emitter::emitLoad(tile::LoadOp op) {
  auto type = cast<RankedTensorType>(op.getTile().getType());
  auto argument = dyn_cast<BlockArgument>(op.getSource());
  if (!argument || argument.getArgNumber() > 2)
    return op.emitOpError("expected q, k or v of the kernel");
  Rows rows;
  rows.element = type.getElementType();
  rows.count = type.getDimSize(0);
  rows.size = type.getDimSize(1);
  Value row = scalars[op.getRow()];
  size_t lengthOffset = viewOffset(argument) + offsetof(GirihView, shape) + 2 * sizeof(int64_t);
  Value length = launchField(lengthOffset, b.getI64Type());
  Value left = arith::SubIOp::create(b, loc, length, row);
  rows.valid = arith::MinSIOp::create(b, loc, left, i64(rows.count));
  rows.base =
      rowPointer(op.getSource(), scalars[op.getBatch()], scalars[op.getHead()], row, rows.element);
  size_t strideOffset = viewOffset(argument) + offsetof(GirihView, stride) + 2 * sizeof(int64_t);
  rows.stride = launchField(strideOffset, b.getI64Type());

  if (!op.getTile().use_empty())
    if (auto dot = dyn_cast<tile::DotOp>(*op.getTile().user_begin());
        dot && isNarrow(dot) && dot.getRhs() == op.getTile()) {
      Value tile = op.getTile();
      if (!dot.getTransposeRhs())
        loadInterleaved(rows, pairs[tile]);
      else if (isTiled(dot))
        loadTileLines(rows, tileLines[tile]);
      else
        loadRowPairs(rows, pairs[tile]);
      return success();
    }
  Buffer buffer = allocate(rows.count, rows.size, isColMajor(op.getTile()));
  buffer.colMajor ? loadTransposed(rows, buffer) : loadRows(rows, buffer);
  buffers[op.getTile()] = buffer;
  if (feedsNarrow(op.getTile()))
    packPairs(op.getTile());
  return success();
}

/// As f32, with lines padded by zeros to whole vectors.
void Emitter::loadRows(const Rows &rows, Buffer &buffer) {
  auto fillRow = [&](Value r, llvm::function_ref<Value(int64_t)> vector) {
    Value to = mul(r, buffer.ld);
    for (int64_t lane = 0; lane != buffer.ld; lane += width)
      storeVector(vector(lane), at(buffer.base, to, lane));
  };
  auto stage = [&] {
    loop(i64(0), rows.valid, 1, [&](Value r) {
      Value from = rows.at(*this, r);
      fillRow(r, [&](int64_t lane) { return loadLanes(from, rows.element, lane, rows.size); });
    });
    loop(rows.valid, i64(rows.count), 1,
         [&](Value r) { fillRow(r, [&](int64_t) { return splatConstant(0); }); });
  };
  if (!rows.element.isF32() || buffer.ld != rows.size)
    return stage();
  // Whole tiles of packed f32 rows have the layout already.
  buffer.base = inPlaceOr(rows, buffer.base, stage);
  buffer.readOnly = true;
}

/// A transpose, element by element: once for each q-tile, not for each k-tile.
void Emitter::loadTransposed(const Rows &rows, const Buffer &buffer) {
  loop(i64(0), rows.valid, 1, [&](Value r) {
    Value from = rows.at(*this, r);
    loop(i64(0), i64(rows.size), 1, [&](Value c) {
      Value address = LLVM::GEPOp::create(b, loc, from.getType(), rows.element, from,
                                          ArrayRef<LLVM::GEPArg>{c});
      Value value = LLVM::LoadOp::create(b, loc, rows.element, address);
      if (!rows.element.isF32())
        value = arith::ExtFOp::create(b, loc, b.getF32Type(), value);
      LLVM::StoreOp::create(b, loc, value, at(buffer.base, add(mul(c, buffer.ld), r)));
    });
  });
  loop(rows.valid, i64(rows.count), 1, [&](Value r) {
    loop(i64(0), i64(rows.size), 1, [&](Value c) {
      LLVM::StoreOp::create(b, loc, f32(0), at(buffer.base, add(mul(c, buffer.ld), r)));
    });
  });
}

//===----------------------------------------------------------------------===//
// Outputs
//===----------------------------------------------------------------------===//

LogicalResult Emitter::emitStore(tile::StoreOp op) {
  Value row = scalars[op.getRow()];
  auto type = cast<RankedTensorType>(op.getTile().getType());
  Value numQ = launchField(offsetof(GirihLaunch, num_q), b.getI64Type());
  Value left = arith::SubIOp::create(b, loc, numQ, row);
  Value valid = arith::MinSIOp::create(b, loc, left, i64(type.getDimSize(0)));
  if (type.getRank() == 1) {
    storeLse(op, valid);
    return success();
  }
  if (isColMajor(op.getTile()))
    return op.emitOpError("expected a row-major tile on the CPU");
  prepareRows(op.getTile());
  Type f32 = b.getF32Type(), element = cast<MemRefType>(op.getDest().getType()).getElementType();
  if (element == f32) {
    storeRows(op, valid, f32);
    return success();
  }
  // The rows of a part of a cut task are f32, whatever o is: they are rounded when merged.
  Value dtype = launchField(offsetof(GirihLaunch, o) + offsetof(GirihView, dtype), b.getI32Type());
  Value isPart =
      arith::CmpIOp::create(b, loc, arith::CmpIPredicate::eq, dtype,
                            arith::ConstantIntOp::create(b, loc, b.getI32Type(), GIRIH_F32));
  auto branch = scf::IfOp::create(b, loc, isPart, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  storeRows(op, valid, f32);
  b.setInsertionPointToStart(branch.elseBlock());
  storeRows(op, valid, element);
  return success();
}

/// lse is contiguous [B, H, N], and may be absent.
void Emitter::storeLse(tile::StoreOp op, Value valid) {
  Type pointer = LLVM::LLVMPointerType::get(b.getContext());
  Value base = launchField(offsetof(GirihLaunch, lse), pointer);
  Value null = LLVM::ZeroOp::create(b, loc, pointer);
  Value present = LLVM::ICmpOp::create(b, loc, LLVM::ICmpPredicate::ne, base, null);
  Value numHeads = launchField(offsetof(GirihLaunch, q.shape) + sizeof(int64_t), b.getI64Type());
  Value numQ = launchField(offsetof(GirihLaunch, num_q), b.getI64Type());
  Value from = rowMemory(op.getTile());
  auto branch = scf::IfOp::create(b, loc, present, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  Value line =
      add(arith::MulIOp::create(b, loc, scalars[op.getBatch()], numHeads), scalars[op.getHead()]);
  Value first = add(arith::MulIOp::create(b, loc, line, numQ), scalars[op.getRow()]);
  loop(i64(0), valid, 1, [&](Value r) {
    LLVM::StoreOp::create(b, loc, loadScalar(at(from, r)), at(base, add(first, r)));
  });
}

/// Rows [0, valid) of a tile to o, whose elements are `element`.
void Emitter::storeRows(tile::StoreOp op, Value valid, Type element) {
  int64_t numCols = cast<RankedTensorType>(op.getTile().getType()).getDimSize(1);
  Rows to;
  to.element = element;
  to.base = rowPointer(op.getDest(), scalars[op.getBatch()], scalars[op.getHead()],
                       scalars[op.getRow()], element);
  to.stride = launchField(offsetof(GirihLaunch, o.stride) + 2 * sizeof(int64_t), b.getI64Type());
  loop(i64(0), valid, 1, [&](Value r) {
    Value line = to.at(*this, r);
    for (int64_t lane = 0; lane < numCols; lane += width) {
      PointCache cache;
      Value vector = roundLanes(this->element(op.getTile(), {r, lane, false}, cache), element);
      storeLanes(vector, line, lane, std::min(width, numCols - lane));
    }
  });
}

/// Lanes [0, count) to elements [first, first + count) of a row, in pieces of powers of two.
/// (A masked store of a truncated vector of which one lane is wanted writes two elements:
/// LLVM 22 makes it a store of the lane before it is truncated.)
void Emitter::storeLanes(Value vector, Value row, int64_t first, int64_t count) {
  Type element = cast<VectorType>(vector.getType()).getElementType();
  unsigned alignment = element.getIntOrFloatBitWidth() / 8;
  for (int64_t lane = 0; lane != count;) {
    auto size = static_cast<int64_t>(llvm::bit_floor(static_cast<uint64_t>(count - lane)));
    Value piece = vector;
    if (size != width)
      piece = vector::ExtractStridedSliceOp::create(b, loc, vector, ArrayRef<int64_t>{lane},
                                                    ArrayRef<int64_t>{size}, ArrayRef<int64_t>{1});
    Value address = LLVM::GEPOp::create(b, loc, row.getType(), element, row,
                                        ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(first + lane)});
    LLVM::StoreOp::create(b, loc, piece, address, alignment);
    lane += size;
  }
}

/// f32 rounded to `element`, to nearest, ties to even. bf16 is the upper half of f32, and
/// is rounded by integers: without AVX512-BF16 LLVM would call a function for each lane.
Value Emitter::roundLanes(Value x, Type element) {
  if (element.isF32())
    return x;
  if (element.isF16())
    return arith::TruncFOp::create(b, loc, lanes(element), x);
  VectorType words = lanes(b.getI32Type());
  auto constant = [&](int32_t value) -> Value {
    return arith::ConstantOp::create(b, loc, DenseElementsAttr::get(words, value));
  };
  Value bits = arith::BitcastOp::create(b, loc, words, x);
  Value upper = arith::ShRUIOp::create(b, loc, bits, constant(16));
  Value isOdd = arith::AndIOp::create(b, loc, upper, constant(1));
  Value sum = add(add(bits, constant(0x7fff)), isOdd);
  Value nearest = arith::ShRUIOp::create(b, loc, sum, constant(16));
  // Of a NaN the bits that are kept may all be 0, which would be infinity.
  Value quiet = arith::OrIOp::create(b, loc, upper, constant(0x40));
  Value isNan = arith::CmpFOp::create(b, loc, arith::CmpFPredicate::UNO, x, x);
  Value rounded = arith::SelectOp::create(b, loc, isNan, quiet, nearest);
  return arith::TruncIOp::create(b, loc, lanes(b.getI16Type()), rounded);
}
