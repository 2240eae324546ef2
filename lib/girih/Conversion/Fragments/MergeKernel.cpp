//===- MergeKernel.cpp - Merge the parts of split lists -------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A warp a row, two columns of every 64 a lane. Parts are added in their order, so
// that the same inputs give the same bits.
//
//===----------------------------------------------------------------------===//

#include "girih/Conversion/Fragments/MergeKernel.h"

#include "girih/Conversion/Fragments/Fragments.h"
#include "girih/Conversion/Fragments/SideKernel.h"

#include "girih-c/Cuda.h"

#include <limits>

using namespace mlir;
using namespace girih;
using namespace girih::gpu;

namespace {

class MergeEmitter : SideKernel {
public:
  MergeEmitter(ScalarBuilder &a, LLVM::LLVMFuncOp kernel, Type output, int64_t tileQ, int64_t vDim)
      : SideKernel(a, kernel, "merge", /*threads=*/128, sizeof(GirihCudaArguments)), output(output),
        tileQ(tileQ), vDim(vDim) {}

  void emit() {
    Value thread = a.special("tid.x");
    lane = a.bitAnd(thread, 31);
    row = a.add(a.mul(a.special("ctaid.x"), 4), a.shr(thread, 5));
    Value merges = argument(offsetof(GirihCudaArguments, merges), pointer);
    Value at = a.element(merges, a.widen(a.mul(a.special("ctaid.y"), sizeof(GirihCudaMerge))),
                         b.getI8Type());
    auto field = [&](size_t offset) { return a.load(at, offset, i32); };
    firstSlot = field(offsetof(GirihCudaMerge, first_slot));
    numSlots = field(offsetof(GirihCudaMerge, num_slots));
    Value batch = field(offsetof(GirihCudaMerge, batch)),
          head = field(offsetof(GirihCudaMerge, head));
    Value query = a.add(a.mul(field(offsetof(GirihCudaMerge, q_tile)), tileQ), row);
    Value numQ = argument(offsetof(GirihCudaArguments, num_q), i32);
    returnUnless(a.compare(LLVM::ICmpPredicate::slt, query, numQ));

    constexpr float log2e = 1.44269504f, ln2 = 0.693147181f;
    Value minusInf = a.f32(-std::numeric_limits<float>::infinity());
    Value most = overSlots({minusInf}, [&](Value slot, ValueRange carried) {
      return SmallVector<Value>{a.fmax(carried[0], lseOf(slot))};
    })[0];
    // A row that saw nothing: every weight is exp2(-inf) = 0.
    Value isEmpty = LLVM::FCmpOp::create(b, loc, LLVM::FCmpPredicate::oeq, most, minusInf);
    Value base = a.select(isEmpty, a.f32(0), most);
    int64_t pairs = (vDim + 63) / 64;
    SmallVector<Value> sums =
        overSlots(SmallVector<Value>(1 + 2 * pairs, a.f32(0)), [&](Value slot, ValueRange carried) {
          Value weight =
              a.exp2(a.fmul(LLVM::FSubOp::create(b, loc, lseOf(slot), base), a.f32(log2e)));
          SmallVector<Value> next{a.fadd(carried[0], weight)};
          for (int64_t i = 0; i != pairs; ++i) {
            Value part = loadPart(slot, i);
            for (int64_t x = 0; x != 2; ++x) {
              Value value = LLVM::ExtractElementOp::create(b, loc, part, a.i32(x));
              next.push_back(LLVM::FMAOp::create(b, loc, value, weight, carried[1 + 2 * i + x]));
            }
          }
          return next;
        });
    Value divisor = a.select(isEmpty, a.f32(1), sums[0]);
    Value inverse = LLVM::FDivOp::create(b, loc, a.f32(1), divisor);
    storeLse(batch, head, query, numQ, a.fadd(most, a.fmul(a.log2(divisor), a.f32(ln2))));
    Value line = outputLine({batch, head, query});
    for (int64_t i = 0; i != pairs; ++i)
      storePair(line, i, a.fmul(sums[1 + 2 * i], inverse), a.fmul(sums[2 + 2 * i], inverse));
    LLVM::ReturnOp::create(b, loc, ValueRange());
  }

private:
  /// A loop over the slots of the row, from the first one on.
  SmallVector<Value> overSlots(ArrayRef<Value> inits,
                               llvm::function_ref<SmallVector<Value>(Value, ValueRange)> body) {
    SmallVector<Type> types{i32};
    types.append(inits.size(), f32);
    Block *head = addBlock(types), *step = addBlock(), *done = addBlock();
    SmallVector<Value> operands{a.i32(0)};
    llvm::append_range(operands, inits);
    LLVM::BrOp::create(b, loc, operands, head);
    b.setInsertionPointToEnd(head);
    Value i = head->getArgument(0);
    auto carried = head->getArguments().drop_front();
    LLVM::CondBrOp::create(b, loc, a.compare(LLVM::ICmpPredicate::slt, i, numSlots), step, done);
    b.setInsertionPointToEnd(step);
    SmallVector<Value> next = body(a.add(firstSlot, i), carried);
    next.insert(next.begin(), a.add(i, 1));
    LLVM::BrOp::create(b, loc, next, head);
    b.setInsertionPointToEnd(done);
    return SmallVector<Value>(carried);
  }

  Value workspaceRow(Value slot) { return a.add(a.mul(a.widen(slot), tileQ), a.widen(row)); }

  Value lseOf(Value slot) {
    Value all = argument(offsetof(GirihCudaArguments, partial_lse), pointer);
    return LLVM::LoadOp::create(b, loc, f32, a.element(all, workspaceRow(slot), f32));
  }

  /// This lane's two columns of the i-th 64; the first ones again behind the last.
  Value column(int64_t i) {
    Value own = a.add(a.mul(lane, 2), 64 * i);
    return a.select(isInside(i), own, a.i32(0));
  }

  /// Whether there is a column `x` of this lane's two of the i-th 64.
  Value isInside(int64_t i, int64_t x = 0) {
    return a.compare(LLVM::ICmpPredicate::slt, a.add(a.mul(lane, 2), 64 * i + x), a.i32(vDim));
  }

  Value loadPart(Value slot, int64_t i) {
    Value all = argument(offsetof(GirihCudaArguments, partial_o), pointer);
    Value index = a.add(a.mul(workspaceRow(slot), partialPitch(vDim)), a.widen(column(i)));
    return LLVM::LoadOp::create(b, loc, VectorType::get({2}, f32), a.element(all, index, f32),
                                /*alignment=*/8);
  }

  void storeLse(Value batch, Value head, Value query, Value numQ, Value value) {
    Value lse = argument(offsetof(GirihCudaArguments, lse), pointer);
    Value present = LLVM::ICmpOp::create(b, loc, LLVM::ICmpPredicate::ne, lse,
                                         LLVM::ZeroOp::create(b, loc, pointer));
    Value isFirst = a.compare(LLVM::ICmpPredicate::eq, lane, a.i32(0));
    Value heads = argument(offsetof(GirihCudaArguments, heads), i32);
    Value line = a.widen(a.add(a.mul(batch, heads), head));
    Value index = a.add(a.mul(line, a.widen(numQ)), a.widen(query));
    guarded(LLVM::AndOp::create(b, loc, present, isFirst),
            [&] { LLVM::StoreOp::create(b, loc, value, a.element(lse, index, f32)); });
  }

  Value outputLine(ArrayRef<Value> coordinates) {
    Value index;
    for (auto [i, coordinate] : llvm::enumerate(coordinates)) {
      Value stride = argument(offsetof(GirihCudaArguments, o_stride) + i * sizeof(int64_t), i64);
      Value product = a.mul(a.widen(coordinate), stride);
      index = index ? a.add(index, product) : product;
    }
    return a.element(argument(offsetof(GirihCudaArguments, o), pointer), index, output);
  }

  void storePair(Value line, int64_t i, Value x, Value y) {
    if (vDim % 2)
      return storeSingles(line, i, x, y);
    Value pair;
    if (output.isF32()) {
      pair = LLVM::PoisonOp::create(b, loc, VectorType::get({2}, f32));
      pair = LLVM::InsertElementOp::create(b, loc, pair, x, a.i32(0));
      pair = LLVM::InsertElementOp::create(b, loc, pair, y, a.i32(1));
    } else {
      pair = a.pack(x, y, output.isBF16());
    }
    Value address = a.element(line, a.widen(column(i)), output);
    guarded(isInside(i), [&] {
      LLVM::StoreOp::create(b, loc, pair, address, /*alignment=*/output.isF32() ? 8 : 4);
    });
  }

  /// Every other row of an odd head dim begins between two pairs.
  void storeSingles(Value line, int64_t i, Value x, Value y) {
    Value values[] = {x, y};
    if (!output.isF32()) {
      Value both = a.pack(x, y, output.isBF16());
      for (int64_t half = 0; half != 2; ++half)
        values[half] = LLVM::TruncOp::create(b, loc, b.getI16Type(), a.shr(both, 16 * half));
    }
    for (int64_t half = 0; half != 2; ++half) {
      Value address = a.element(line, a.add(a.widen(column(i)), half), output);
      guarded(isInside(i, half), [&] { LLVM::StoreOp::create(b, loc, values[half], address); });
    }
  }

  Type output;
  int64_t tileQ, vDim;
  Value lane, row, firstSlot, numSlots;
};

} // namespace

void gpu::emitMergeKernel(ScalarBuilder &a, LLVM::LLVMFuncOp kernel, Type output, int64_t tileQ,
                          int64_t vDim) {
  MergeEmitter(a, kernel, output, tileQ, vDim).emit();
}
