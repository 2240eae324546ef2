//===- CopyKernel.cpp - Copy tensors that kernels cannot address ----------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A warp a row, a column of every 32 a lane: what the lanes read and write at once
// lies next to each other, whatever the alignment. All columns of a row are read
// before the first is written, so that reads overlap. Padding is not written, for
// nobody reads it: bulk copies know the head dim, and so does cp.async.
//
//===----------------------------------------------------------------------===//

#include "girih/Conversion/Fragments/CopyKernel.h"

#include "girih/Conversion/Fragments/SideKernel.h"

#include "girih-c/Cuda.h"

using namespace mlir;
using namespace girih;
using namespace girih::gpu;

namespace {

class CopyEmitter : SideKernel {
public:
  CopyEmitter(ScalarBuilder &a, LLVM::LLVMFuncOp kernel, Type output, int64_t mostColumns)
      : SideKernel(a, kernel, "copy", /*threads=*/32 * warps, sizeof(GirihCudaCopies)),
        hasWords(output.isF32()), mostColumns(mostColumns) {}

  void emit() {
    copy = a.element(arguments, a.widen(a.mul(a.special("ctaid.y"), sizeof(GirihCudaCopy))),
                     b.getI8Type());
    Value block = a.special("ctaid.x");
    Value blocksPerLine = field(offsetof(GirihCudaCopy, blocks_per_line), i32);
    Value line = LLVM::UDivOp::create(b, loc, block, blocksPerLine);
    returnUnless(
        a.compare(LLVM::ICmpPredicate::ult, line, field(offsetof(GirihCudaCopy, lines), i32)));
    Value heads = field(offsetof(GirihCudaCopy, heads), i32);
    Value batch = LLVM::UDivOp::create(b, loc, line, heads);
    Value head = a.sub(line, a.mul(batch, heads));
    Value thread = a.special("tid.x");
    lane = a.bitAnd(thread, 31);
    Value ofLine = a.mul(a.sub(block, a.mul(line, blocksPerLine)), GIRIH_CUDA_COPY_ROWS);
    warp = a.shr(thread, 5);
    Value first = a.add(ofLine, warp);
    Value left = a.sub(field(offsetof(GirihCudaCopy, rows), i32), ofLine);
    Value most = a.i32(GIRIH_CUDA_COPY_ROWS);
    count = a.select(a.compare(LLVM::ICmpPredicate::slt, left, most), left, most);
    columns = field(offsetof(GirihCudaCopy, columns), i32);
    from = {offsetof(GirihCudaCopy, from), offsetof(GirihCudaCopy, from_stride), {}};
    to = {offsetof(GirihCudaCopy, to), offsetof(GirihCudaCopy, to_stride), {}};
    for (Side *side : {&from, &to})
      side->place = a.add(
          a.add(a.mul(a.widen(batch), stride(*side, 0)), a.mul(a.widen(head), stride(*side, 1))),
          a.mul(a.widen(first), stride(*side, 2)));
    if (hasWords) {
      Value bytes = field(offsetof(GirihCudaCopy, element_bytes), i32);
      guarded(a.compare(LLVM::ICmpPredicate::eq, bytes, a.i32(4)), [&] { copyRows(i32); });
      returnUnless(a.compare(LLVM::ICmpPredicate::ne, bytes, a.i32(4)));
    }
    copyRows(b.getI16Type());
    LLVM::ReturnOp::create(b, loc, ValueRange());
  }

private:
  /// Where the copy reads, or writes.
  struct Side {
    size_t dataAt, stridesAt; ///< fields of GirihCudaCopy
    Value place;              ///< of the warp's first row, in elements
  };

  Value field(size_t offset, Type type) { return a.load(copy, offset, type); }
  Value stride(const Side &side, size_t i) {
    return field(side.stridesAt + i * sizeof(int64_t), i64);
  }

  /// The rows of this warp, elements being of `element`.
  void copyRows(Type element) {
    Value fromBase = base(from), toBase = base(to);
    SmallVector<Value> inside, fromColumn, toColumn;
    for (int64_t j = 0; j != (mostColumns + 31) / 32; ++j) {
      Value column = a.add(lane, 32 * j);
      inside.push_back(a.compare(LLVM::ICmpPredicate::slt, column, columns));
      // Behind the last column the first one is read again, and not written.
      Value safe = a.widen(a.select(inside.back(), column, a.i32(0)));
      fromColumn.push_back(a.mul(safe, stride(from, 3)));
      toColumn.push_back(a.mul(safe, stride(to, 3)));
    }
    Value fromStep = a.mul(stride(from, 2), warps), toStep = a.mul(stride(to, 2), warps);
    Block *head = addBlock({i32, i64, i64}), *body = addBlock(), *done = addBlock();
    LLVM::BrOp::create(b, loc, ValueRange{warp, from.place, to.place}, head);
    b.setInsertionPointToEnd(head);
    Value row = head->getArgument(0), fromAt = head->getArgument(1), toAt = head->getArgument(2);
    LLVM::CondBrOp::create(b, loc, a.compare(LLVM::ICmpPredicate::slt, row, count), body, done);
    b.setInsertionPointToEnd(body);
    SmallVector<Value> values;
    for (Value column : fromColumn)
      values.push_back(LLVM::LoadOp::create(b, loc, element,
                                            a.element(fromBase, a.add(fromAt, column), element)));
    for (auto [value, column, isInside] : llvm::zip(values, toColumn, inside))
      guarded(isInside, [&, value = value, column = column] {
        LLVM::StoreOp::create(b, loc, value, a.element(toBase, a.add(toAt, column), element));
      });
    LLVM::BrOp::create(
        b, loc, ValueRange{a.add(row, warps), a.add(fromAt, fromStep), a.add(toAt, toStep)}, head);
    b.setInsertionPointToEnd(done);
  }

  Value base(const Side &side) {
    Type global = LLVM::LLVMPointerType::get(b.getContext(), /*addressSpace=*/1);
    return LLVM::AddrSpaceCastOp::create(b, loc, global, field(side.dataAt, pointer));
  }

  static constexpr int64_t warps = 4;
  bool hasWords;
  int64_t mostColumns;
  Side from, to;
  Value copy; ///< the GirihCudaCopy of this block
  Value lane, warp, columns;
  Value count; ///< rows of the block
};

} // namespace

void gpu::emitCopyKernel(ScalarBuilder &a, LLVM::LLVMFuncOp kernel, Type output,
                         int64_t mostColumns) {
  CopyEmitter(a, kernel, output, mostColumns).emit();
}
