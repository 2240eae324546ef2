//===- TableBits.cpp - Segments and block tables, for many keys at a time -===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Conversion/Fragments/PatternBits.h"

#include "girih-c/Cuda.h"

using namespace mlir;
using namespace girih;
using namespace girih::gpu;

static Type pointerType(OpBuilder &b) { return LLVM::LLVMPointerType::get(b.getContext()); }

Value PatternBits::tablePointer(unsigned table) {
  Value all = e.argument(offsetof(GirihCudaArguments, tables), pointerType(b));
  return LLVM::GEPOp::create(
      b, loc, pointerType(b), b.getI8Type(), all,
      ArrayRef<LLVM::GEPArg>{static_cast<int32_t>((firstTable + table) * sizeof(GirihBoundTable))});
}

/// Keys of the segment of the query: a range, empty outside of every segment.
Words PatternBits::sameSegment(unsigned table) {
  Type i32 = b.getI32Type(), i64 = b.getI64Type();
  int64_t unit = cast<SegmentsOp>(tables[table]).getUnit();
  Value at = tablePointer(table);
  Value ids = a.load(at, offsetof(GirihBoundTable, ids), pointerType(b));
  Value indptr = a.load(at, offsetof(GirihBoundTable, indptr), pointerType(b));
  Value count =
      LLVM::TruncOp::create(b, loc, i32, a.load(at, offsetof(GirihBoundTable, num_units), i64));
  Value unitOfRow = divide(place.row[currentRow], unit);
  Value inside = a.compare(LLVM::ICmpPredicate::ult, unitOfRow, count);
  // Unit 0 is read in place of one outside.
  Value safe = a.select(inside, unitOfRow, a.i32(0));
  Value id = LLVM::LoadOp::create(b, loc, i32, a.element(ids, a.widen(safe), i32));
  Value ends = a.element(indptr, a.widen(id), i64);
  auto limit = [&](int64_t i) {
    Value offset = LLVM::TruncOp::create(b, loc, i32, a.load(ends, i * sizeof(int64_t), i64));
    return a.sub(a.mul(offset, unit), place.column);
  };
  Words keys = combine(below(limit(1)), complement(below(limit(0))), /*isUnion=*/false);
  return combine(keys, all(inside), /*isUnion=*/false);
}

int64_t PatternBits::unitOf(unsigned table) {
  if (auto random = dyn_cast<RandomBlocksOp>(tables[table]))
    return random.getSize();
  return cast<BlockTableOp>(tables[table]).getSize();
}

/// Keys of the units that the table lists for the query.
Words PatternBits::listed(unsigned table) {
  int64_t unit = unitOf(table), span = 8 * groups;
  // The thread's first and last key are span - 7 columns apart, at most.
  int64_t mostUnits = (span - 7) / unit + 2;
  TableRow row = findRow(table);
  Value first = divide(place.column, unit);
  Value firstColumn = a.sub(a.mul(first, unit), place.column);
  Words words = all(LLVM::ConstantOp::create(b, loc, b.getI1Type(), b.getBoolAttr(false)));
  constexpr int64_t unitsPerWord = 32, mostUnrolled = 4;
  for (int64_t at = 0; at < mostUnits; at += unitsPerWord) {
    Value units = unitBits(row, a.add(first, at));
    if (mostUnits > mostUnrolled) {
      addListedUnits(words, units, a.add(firstColumn, at * unit), unit);
      continue;
    }
    Words before = below(firstColumn);
    for (int64_t i = 0; i != mostUnits; ++i) {
      Words behind = below(a.add(firstColumn, (i + 1) * unit));
      Value isListed =
          a.compare(LLVM::ICmpPredicate::ne, a.bitAnd(units, int64_t{1} << i), a.i32(0));
      Words keys = combine(behind, complement(before), /*isUnion=*/false);
      words = combine(words, combine(keys, all(isListed), false), /*isUnion=*/true);
      before = behind;
    }
  }
  return words;
}

/// Adds the keys of every unit whose bit is set; bit 0 is the unit that begins at
/// column `firstColumn`.
void PatternBits::addListedUnits(Words &words, Value units, Value firstColumn, int64_t unit) {
  Type i32 = b.getI32Type();
  SmallVector<Type> types(1 + words.size(), i32);
  Block *loop = e.addBlock(types), *body = e.addBlock(), *done = e.addBlock();
  SmallVector<Value> operands{units};
  llvm::append_range(operands, words);
  e.branch(loop, operands);
  b.setInsertionPointToEnd(loop);
  Value left = loop->getArgument(0);
  Words carried(loop->getArguments().drop_front());
  e.branch(a.compare(LLVM::ICmpPredicate::ne, left, a.i32(0)), body, done);
  b.setInsertionPointToEnd(body);
  Value lowest = LLVM::CountTrailingZerosOp::create(b, loc, i32, left, /*is_zero_poison=*/false);
  Value begin = a.add(firstColumn, a.mul(lowest, unit));
  Words keys = combine(below(a.add(begin, unit)), complement(below(begin)), /*isUnion=*/false);
  SmallVector<Value> next{LLVM::AndOp::create(b, loc, left, a.add(left, -1))};
  llvm::append_range(next, combine(carried, keys, /*isUnion=*/true));
  e.branch(loop, next);
  b.setInsertionPointToEnd(done);
  words = carried;
}

/// Finds the list of the current row; an empty one outside of the table.
PatternBits::TableRow PatternBits::findRow(unsigned table) {
  Type i64 = b.getI64Type(), i32 = b.getI32Type();
  Value at = tablePointer(table);
  auto field = [&](size_t offset, Type type) { return a.load(at, offset, type); };
  Value count = field(offsetof(GirihBoundTable, rows), i64), zero = a.i64(0);
  Value row = a.sub(a.widen(divide(place.row[currentRow], unitOf(table))),
                    field(offsetof(GirihBoundTable, row0), i64));
  Value inside = LLVM::AndOp::create(b, loc, a.compare(LLVM::ICmpPredicate::sge, row, zero),
                                     a.compare(LLVM::ICmpPredicate::slt, row, count));
  Value perHead =
      a.compare(LLVM::ICmpPredicate::ne, field(offsetof(GirihBoundTable, per_head), i32), a.i32(0));
  Value head = a.select(perHead, a.widen(place.head), zero);
  // Row 0 is read in place of a row outside; it has both ends even so.
  Value index = a.add(a.mul(head, a.add(count, 1)), a.select(inside, row, zero));
  Value ends = a.element(field(offsetof(GirihBoundTable, indptr), pointerType(b)), index, i64);
  Value begin = LLVM::LoadOp::create(b, loc, i64, ends);
  Value behind = a.element(ends, LLVM::ZExtOp::create(b, loc, i64, inside), i64);
  Value end = LLVM::LoadOp::create(b, loc, i64, behind);
  TableRow result;
  result.list = a.element(field(offsetof(GirihBoundTable, indices), pointerType(b)), begin, i32);
  result.length = LLVM::TruncOp::create(b, loc, i32, a.sub(end, begin));
  return result;
}

/// Which of the 32 units from `first` on the row lists.
Value PatternBits::unitBits(const TableRow &row, Value first) {
  Type i32 = b.getI32Type();
  auto listed = [&](Value at) -> Value {
    return LLVM::LoadOp::create(b, loc, i32, a.element(row.list, a.widen(at), i32));
  };
  // Lower bound of `first` in [low, high).
  Block *search = e.addBlock({i32, i32}), *halve = e.addBlock(), *walk = e.addBlock({i32, i32}),
        *look = e.addBlock(), *take = e.addBlock(), *done = e.addBlock();
  e.branch(search, {a.i32(0), row.length});
  b.setInsertionPointToEnd(search);
  Value low = search->getArgument(0), high = search->getArgument(1);
  LLVM::CondBrOp::create(b, loc, a.compare(LLVM::ICmpPredicate::slt, low, high), halve,
                         ValueRange(), walk, ValueRange{low, a.i32(0)});
  b.setInsertionPointToEnd(halve);
  Value middle = a.shr(a.add(low, high), 1);
  Value isBelow = a.compare(LLVM::ICmpPredicate::slt, listed(middle), first);
  e.branch(search, {a.select(isBelow, a.add(middle, 1), low), a.select(isBelow, high, middle)});
  // From there on, as long as the units are among the 32.
  b.setInsertionPointToEnd(walk);
  Value at = walk->getArgument(0), units = walk->getArgument(1);
  e.branch(a.compare(LLVM::ICmpPredicate::slt, at, row.length), look, done);
  b.setInsertionPointToEnd(look);
  Value bit = a.sub(listed(at), first);
  e.branch(a.compare(LLVM::ICmpPredicate::ult, bit, a.i32(32)), take, done);
  b.setInsertionPointToEnd(take);
  Value more = LLVM::OrOp::create(b, loc, units, LLVM::ShlOp::create(b, loc, a.i32(1), bit));
  e.branch(walk, {a.add(at, 1), more});
  b.setInsertionPointToEnd(done);
  return units;
}
