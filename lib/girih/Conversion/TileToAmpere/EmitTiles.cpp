//===- EmitTiles.cpp - Tiles in shared memory, and products of them -------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The fragments of mma.m16n8k16 (PTX ISA, "Matrix Fragments for mma.m16n8k16"):
// thread t of a warp holds of A rows t / 4 and t / 4 + 8, columns 2 (t % 4) + {0, 1,
// 8, 9}; of B columns t / 4, rows 2 (t % 4) + {0, 1, 8, 9}; of the accumulator what
// Fragments.h says. Each is one ldmatrix.x4 of 16 x 16 numbers: B of two products.
//
//===----------------------------------------------------------------------===//

#include "girih/Conversion/TileToAmpere/Emitter.h"

#include "girih-c/Cuda.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace girih;
using namespace girih::ampere;

/// Bytes of a piece, and elements.
static constexpr int64_t pieceBytes = 16, pieceElements = 8;

/// What is flipped in the column of pieces of `row`: bits of the row's last three.
static Value swizzleOf(Asm &a, const TileShape &shape, Value row) {
  int64_t bits = shape.swizzleBits();
  return a.bitAnd(a.shr(row, 3 - bits), (1 << bits) - 1);
}

//===----------------------------------------------------------------------===//
// Copies
//===----------------------------------------------------------------------===//

/// Starts copies of the rows from `firstRow` on to address `to`, all threads
/// together: 2^n neighbours have one row, so that their pieces are 2^n in a row of
/// global memory. What is out of bounds becomes zero.
LogicalResult Emitter::emitLoad(tile::LoadOp op, const TileShape &shape, Value to, Value firstRow) {
  Value batch = scalar(op.getBatch()), head = scalar(op.getHead());
  auto of = dyn_cast<BlockArgument>(op.getSource());
  if (!batch || !head || !firstRow || !of || of.getArgNumber() > 2)
    return op.emitOpError("loads from a place that the sm_80 lowering does not hold");
  unsigned which = of.getArgNumber();
  constexpr size_t pointers[] = {offsetof(GirihCudaArguments, q), offsetof(GirihCudaArguments, k),
                                 offsetof(GirihCudaArguments, v)};
  constexpr size_t strides[] = {offsetof(GirihCudaArguments, q_stride),
                                offsetof(GirihCudaArguments, k_stride),
                                offsetof(GirihCudaArguments, v_stride)};
  Type element = cast<RankedTensorType>(op.getSource().getType()).getElementType();
  auto stride = [&](size_t i) {
    return argument(strides[which] + i * sizeof(int64_t), b.getI64Type());
  };
  Value numRows = argument(which == 0 ? offsetof(GirihCudaArguments, num_q)
                                      : offsetof(GirihCudaArguments, num_k),
                           b.getI32Type());

  constexpr int64_t mostNeighbours = 16;
  int64_t pieces = shape.pieces();
  int64_t neighbours = std::min(mostNeighbours, pieces & -pieces);
  int64_t rowsAtOnce = config.threads() / neighbours; // a multiple of 8: one swizzle a thread
  Value own = hasFewRegisters ? a.threadAgain() : thread;
  Value ownRow = a.shr(own, llvm::Log2_64(neighbours));
  Value ownPiece = a.bitAnd(own, neighbours - 1);

  Value generic = argument(pointers[which], LLVM::LLVMPointerType::get(b.getContext()));
  Value global = LLVM::AddrSpaceCastOp::create(
      b, loc, LLVM::LLVMPointerType::get(b.getContext(), /*addressSpace=*/1), generic);
  Value line =
      a.add(a.mul(a.widen(madeHere(batch)), stride(0)), a.mul(a.widen(madeHere(head)), stride(1)));
  line = a.add(line, a.widen(a.mul(ownPiece, pieceElements)));
  Value from = a.element(global, line, element);
  Value place = a.bitXor(ownPiece, swizzleOf(a, shape, ownRow));
  Value target = a.add(to, a.add(a.mul(ownRow, shape.rowBytes()), a.mul(place, pieceBytes)));

  Value last = a.add(numRows, -1), sixteen = a.i32(pieceBytes), none = a.i32(0);
  for (int64_t first = 0; first < shape.rows; first += rowsAtOnce) {
    Block *after = nullptr;
    if (first + rowsAtOnce > shape.rows) {
      Block *some = addBlock();
      after = addBlock();
      branch(a.compare(LLVM::ICmpPredicate::slt, ownRow, a.i32(shape.rows - first)), some, after);
      b.setInsertionPointToEnd(some);
    }
    // Out of bounds nothing is read, but even so no address is made.
    Value row = a.add(a.add(firstRow, ownRow), first);
    Value isInside = a.compare(LLVM::ICmpPredicate::slt, row, numRows);
    Value safe = LLVM::SMinOp::create(b, loc, row, last);
    Value source = a.element(from, a.mul(a.widen(safe), stride(2)), element);
    Value bytes = a.select(isInside, sixteen, none);
    for (int64_t piece = 0; piece < pieces; piece += neighbours) {
      Value count = bytes;
      if ((piece + neighbours) * pieceElements > shape.columns) {
        int64_t present = shape.columns / pieceElements - piece;
        int64_t rest = shape.columns % pieceElements;
        Value behind = none;
        if (rest) // the piece in which the row ends
          behind =
              a.select(a.compare(LLVM::ICmpPredicate::eq, ownPiece, a.i32(present)),
                       a.select(isInside, a.i32(rest * pieceBytes / pieceElements), none), none);
        count =
            a.select(a.compare(LLVM::ICmpPredicate::slt, ownPiece, a.i32(present)), bytes, behind);
      }
      a.copyAsync(target, first * shape.rowBytes() + piece * pieceBytes, source, piece * pieceBytes,
                  count);
    }
    if (after) {
      branch(after);
      b.setInsertionPointToEnd(after);
    }
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// The four 8 x 8 matrices of 16 x 16 numbers, by lanes 0-7, 8-15, 16-23, 24-31: rows
/// 0-7, then 8-15 of the left columns, then of the right ones. For keys, whose
/// rows are columns of B, the right columns come second.
SmallVector<Value> Emitter::laneAddresses(const SharedTile &tile, bool isKeyMajor) {
  Value own = hasFewRegisters ? a.bitAnd(a.threadAgain(), 31) : lane;
  Value low = a.bitAnd(own, 7), bit3 = a.bitAnd(a.shr(own, 3), 1), bit4 = a.shr(own, 4);
  Value row = a.add(low, a.mul(isKeyMajor ? bit4 : bit3, 8));
  Value half = isKeyMajor ? bit3 : bit4;
  Value base = a.add(tile.at, a.mul(row, tile.shape.rowBytes()));
  Value flipped = a.bitXor(half, swizzleOf(a, tile.shape, low));
  SmallVector<Value> addresses;
  for (int64_t pair = 0; pair != int64_t(1) << (tile.shape.swizzleBits() - 1); ++pair)
    addresses.push_back(a.add(base, a.mul(a.bitXor(flipped, a.i32(2 * pair)), pieceBytes)));
  return addresses;
}

Matrices Emitter::matrices(const SharedTile &tile, ArrayRef<Value> addresses, int64_t row,
                           int64_t column, bool isTransposed) {
  int64_t pair = column / 16, numPairs = addresses.size();
  int64_t behind = row * tile.shape.rowBytes() + pair / numPairs * numPairs * 2 * pieceBytes;
  return a.loadMatrices(addresses[pair % numPairs], behind, isTransposed);
}

LogicalResult Emitter::emitDot(tile::DotOp op) {
  auto rhs = sharedTiles.find(op.getRhs()), lhs = sharedTiles.find(op.getLhs());
  gpu::Fragment acc = fragment(op.getAcc()), left;
  bool isKeyMajor = op.getTransposeRhs();
  if (lhs == sharedTiles.end())
    left = fragment(op.getLhs());
  if (rhs == sharedTiles.end() || acc.empty() || (lhs == sharedTiles.end() && left.empty()))
    return op.emitOpError("multiplies a tile that the sm_80 lowering does not hold");
  const SharedTile &right = rhs->second;
  SmallVector<Value> leftAddresses, rightAddresses = laneAddresses(right, isKeyMajor);
  if (left.empty()) {
    SharedTile own = lhs->second;
    own.at = a.add(own.at, a.mul(warp, Config::warpRows * own.shape.rowBytes()));
    leftAddresses = laneAddresses(own, /*isKeyMajor=*/false);
  }
  int64_t depth = isKeyMajor ? right.shape.pieces() * pieceElements : right.shape.rows;
  int64_t width = isKeyMajor ? right.shape.rows : right.shape.pieces() * pieceElements;
  for (int64_t step = 0; step != depth; step += 16) {
    // Accumulator layout is operand layout but for the rounding of pairs.
    Matrices rows;
    if (left.empty())
      rows = matrices(lhs->second, leftAddresses, 0, step, /*isTransposed=*/false);
    else
      for (int64_t i = 0; i != 4; ++i)
        rows[i] = a.pack(left[step / 2 + 2 * i], left[step / 2 + 2 * i + 1], isBf16);
    for (int64_t column = 0; column != width; column += 16) {
      Matrices columns = isKeyMajor
                             ? matrices(right, rightAddresses, column, step, /*isTransposed=*/false)
                             : matrices(right, rightAddresses, step, column, /*isTransposed=*/true);
      for (int64_t half = 0; half != 2; ++half) {
        // In shared memory there are always 16 columns; one accumulator may have 8.
        size_t at = column / 2 + 4 * half;
        if (at == acc.size())
          break;
        auto sums = a.product(ArrayRef<Value>(acc).slice(at, 4), rows, columns[2 * half],
                              columns[2 * half + 1], isBf16);
        llvm::copy(sums, acc.begin() + at);
      }
    }
  }
  set(op.getResult(), acc);
  return success();
}
