//===- EmitMask.cpp - Evaluate a pattern on the fragments of a tile -------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Only partial tiles come here, behind a branch that is uniform for the
// warpgroup. A constraint that is linear in the key compares a number that is
// computed once a row with a constant an element; any other expression is
// computed for each element.
//
//===----------------------------------------------------------------------===//

#include "girih/Conversion/TileToHopper/Emitter.h"

#include "girih-c/Cuda.h"
#include "girih/Analysis/ClosedForm.h"
#include "girih/Analysis/IndexForm.h"

#include <limits>

using namespace mlir;
using namespace girih;
using namespace girih::hopper;

namespace girih::hopper {

class MaskEmitter {
public:
  MaskEmitter(Emitter &e, tile::MaskOp op, const Place &place)
      : e(e), a(e.a), b(e.b), loc(e.loc), op(op), place(place),
        tables(collectTables(op.getPattern())) {
    Type i32 = b.getI32Type();
    uniform[PosB] = place.batch;
    uniform[PosH] = place.head;
    uniform[PosNq] = e.argument(offsetof(GirihCudaArguments, num_q), i32);
    uniform[PosNk] = e.argument(offsetof(GirihCudaArguments, num_k), i32);
    uniform[PosEnd] = e.argument(offsetof(GirihCudaArguments, q_end), i32);
  }

  /// Whether the pair of row `row` (0 or 1) and the key `offset` behind this
  /// thread's first key is kept.
  Value keep(int row, int64_t offset) {
    currentRow = row;
    currentOffset = offset;
    Value inside =
        a.compare(LLVM::ICmpPredicate::sgt, a.sub(uniform[PosNk], place.column), a.i32(offset));
    return LLVM::AndOp::create(b, loc, inside, evaluate(op.getPattern()));
  }

private:
  Value evaluate(Value pattern) {
    Operation *p = pattern.getDefiningOp();
    if (isa<FullOp, EmptyOp>(p))
      return constant(isa<FullOp>(p));
    if (auto complement = dyn_cast<ComplementOp>(p))
      return LLVM::XOrOp::create(b, loc, evaluate(complement.getPattern()), constant(true));
    if (isa<UnionOp, IntersectOp>(p)) {
      Value result;
      for (Value operand : p->getOperands()) {
        Value next = evaluate(operand);
        if (!result)
          result = next;
        else if (isa<UnionOp>(p))
          result = LLVM::OrOp::create(b, loc, result, next);
        else
          result = LLVM::AndOp::create(b, loc, result, next);
      }
      return result;
    }
    if (auto where = dyn_cast<WhereOp>(p)) {
      Value result;
      for (const Constraint &c : whereConstraints(where.getSet())) {
        Value holds = constraint(c);
        result = result ? Value(LLVM::AndOp::create(b, loc, result, holds)) : holds;
      }
      return result;
    }
    unsigned table = llvm::find(tables, p) - tables.begin();
    return isa<SegmentsOp>(p) ? sameSegment(table) : inTable(table);
  }

  Value constant(bool value) {
    return LLVM::ConstantOp::create(b, loc, b.getI1Type(), b.getBoolAttr(value));
  }

  Value constraint(const Constraint &c) {
    auto predicate = c.isEquality ? LLVM::ICmpPredicate::eq : LLVM::ICmpPredicate::sge;
    // b k + rest: rest + b * column once a row, compared with -b * offset.
    int64_t factor = 0;
    bool isLinear = true;
    for (const Addend &addend : addendsOf(c.expr)) {
      if (!addend.atom || !reads(addend.atom, PosK))
        continue;
      isLinear &= isa<AffineSymbolExpr>(addend.atom);
      factor = addend.coefficient;
    }
    if (!isLinear)
      return a.compare(predicate, index(c.expr), number(c.expr, 0));
    Value &base = linear[{c.expr, currentRow}];
    if (!base) {
      int64_t offset = std::exchange(currentOffset, 0);
      base = index(c.expr);
      currentOffset = offset;
    }
    return a.compare(predicate, base, number(c.expr, -factor * currentOffset));
  }

  /// i64 when some value of the constraint can leave 32 bits.
  Type typeFor(AffineExpr expr) {
    __int128 magnitude = 0;
    bool fits = boundsOf(expr, &magnitude) && magnitude <= std::numeric_limits<int32_t>::max() / 2;
    return fits ? b.getI32Type() : b.getI64Type();
  }

  Value number(AffineExpr expr, int64_t value) {
    Type type = typeFor(expr);
    return LLVM::ConstantOp::create(b, loc, type, b.getIntegerAttr(type, value));
  }

  Value index(AffineExpr expr) {
    root = typeFor(expr);
    return value(expr);
  }

  Value value(AffineExpr expr) {
    auto number = [&](int64_t n) -> Value {
      return LLVM::ConstantOp::create(b, loc, root, b.getIntegerAttr(root, n));
    };
    auto typed = [&](Value v) -> Value { return root.isInteger(64) ? a.widen(v) : v; };
    if (auto c = dyn_cast<AffineConstantExpr>(expr))
      return number(c.getValue());
    if (auto symbol = dyn_cast<AffineSymbolExpr>(expr)) {
      if (symbol.getPosition() == PosQ)
        return typed(place.row[currentRow]);
      if (symbol.getPosition() == PosK)
        return typed(a.add(place.column, currentOffset));
      return typed(uniform[symbol.getPosition()]);
    }
    auto binary = cast<AffineBinaryOpExpr>(expr);
    Value lhs = value(binary.getLHS());
    if (expr.getKind() == AffineExprKind::Add)
      return a.add(lhs, value(binary.getRHS()));
    if (expr.getKind() == AffineExprKind::Mul)
      return a.mul(lhs, value(binary.getRHS()));
    int64_t divisor = cast<AffineConstantExpr>(binary.getRHS()).getValue();
    if (expr.getKind() == AffineExprKind::CeilDiv)
      return a.sub(number(0), floorDivide(a.sub(number(0), lhs), divisor, number));
    if (expr.getKind() == AffineExprKind::FloorDiv)
      return floorDivide(lhs, divisor, number);
    if (llvm::isPowerOf2_64(divisor))
      return LLVM::AndOp::create(b, loc, lhs, number(divisor - 1));
    return a.sub(lhs, a.mul(floorDivide(lhs, divisor, number), number(divisor)));
  }

  Value floorDivide(Value x, int64_t divisor, llvm::function_ref<Value(int64_t)> number) {
    if (divisor == 1)
      return x;
    if (llvm::isPowerOf2_64(divisor))
      return LLVM::AShrOp::create(b, loc, x, number(llvm::Log2_64(divisor)));
    Value quotient = LLVM::SDivOp::create(b, loc, x, number(divisor));
    Value isAbove = a.compare(LLVM::ICmpPredicate::slt, x, a.mul(quotient, number(divisor)));
    return a.add(quotient, LLVM::SExtOp::create(b, loc, x.getType(), isAbove));
  }

  //===--- Tables --------------------------------------------------------------------===//

  Type pointerType() { return LLVM::LLVMPointerType::get(b.getContext()); }

  Value tablePointer(unsigned table) {
    Value all = e.argument(offsetof(GirihCudaArguments, tables), pointerType());
    return LLVM::GEPOp::create(
        b, loc, pointerType(), b.getI8Type(), all,
        ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(table * sizeof(GirihBoundTable))});
  }

  /// Segment of a position: `none` outside of every segment.
  Value segmentOf(unsigned table, Value position, int64_t none) {
    int64_t unit = cast<SegmentsOp>(tables[table]).getUnit();
    Value at = tablePointer(table);
    Value ids = a.load(at, offsetof(GirihBoundTable, ids), pointerType());
    Value count = a.load(at, offsetof(GirihBoundTable, num_units), b.getI64Type());
    Value wide = a.widen(position), zero = a.i64(0);
    Value clamped = LLVM::SMaxOp::create(b, loc, wide, zero);
    Value unitOf = unit == 1 ? clamped : Value(LLVM::UDivOp::create(b, loc, clamped, a.i64(unit)));
    Value last = a.add(count, -1);
    Value safe = LLVM::SMinOp::create(b, loc, unitOf, last);
    Value id = LLVM::LoadOp::create(b, loc, b.getI32Type(), a.element(ids, safe, b.getI32Type()));
    Value inside = LLVM::AndOp::create(b, loc, a.compare(LLVM::ICmpPredicate::sge, wide, zero),
                                       a.compare(LLVM::ICmpPredicate::sle, unitOf, last));
    return a.select(inside, id, a.i32(none));
  }

  Value sameSegment(unsigned table) {
    Value &query = querySegments[{tables[table], currentRow}];
    if (!query)
      query = segmentOf(table, place.row[currentRow], -1);
    Value &key = keySegments[{tables[table], currentOffset}];
    if (!key)
      key = segmentOf(table, a.add(place.column, currentOffset), -2);
    return a.compare(LLVM::ICmpPredicate::eq, query, key);
  }

  Value inTable(unsigned table) {
    LLVM::LLVMFuncOp lookup = lookupFunction();
    Value arguments[] = {tablePointer(table), place.head, place.row[currentRow],
                         a.add(place.column, currentOffset)};
    return LLVM::CallOp::create(b, loc, lookup, ValueRange(arguments)).getResult();
  }

  /// girih_in_table(table, h, q, k): a binary search in the row of q.
  LLVM::LLVMFuncOp lookupFunction() {
    auto module = e.kernel->getParentOfType<ModuleOp>();
    if (auto function = module.lookupSymbol<LLVM::LLVMFuncOp>("girih_in_table"))
      return function;
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(module.getBody());
    Type i64 = b.getI64Type(), i32 = b.getI32Type(), i1 = b.getI1Type();
    auto type = LLVM::LLVMFunctionType::get(i1, {pointerType(), i32, i32, i32});
    auto function =
        LLVM::LLVMFuncOp::create(b, loc, "girih_in_table", type, LLVM::Linkage::Internal);
    Block *entry = function.addEntryBlock(b), *search = new Block(), *loop = new Block(),
          *step = new Block(), *done = new Block(), *miss = new Block();
    for (Block *block : {search, loop, step, done, miss})
      function.getBody().push_back(block);
    loop->addArguments({i64, i64}, {loc, loc});
    b.setInsertionPointToEnd(entry);
    Value table = entry->getArgument(0);
    auto field = [&](size_t offset, Type fieldType) { return a.load(table, offset, fieldType); };
    Value unit = field(offsetof(GirihBoundTable, unit), i64),
          rows = field(offsetof(GirihBoundTable, rows), i64);
    Value q = a.widen(entry->getArgument(2)), zero = a.i64(0);
    Value quotient = LLVM::SDivOp::create(b, loc, q, unit);
    Value isAbove = a.compare(LLVM::ICmpPredicate::slt, q, a.mul(quotient, unit));
    Value row = a.sub(a.add(quotient, LLVM::SExtOp::create(b, loc, i64, isAbove)),
                      field(offsetof(GirihBoundTable, row0), i64));
    Value column = LLVM::SDivOp::create(b, loc, a.widen(entry->getArgument(3)), unit);
    Value inside = LLVM::AndOp::create(b, loc, a.compare(LLVM::ICmpPredicate::sge, row, zero),
                                       a.compare(LLVM::ICmpPredicate::slt, row, rows));
    LLVM::CondBrOp::create(b, loc, inside, search, miss);
    b.setInsertionPointToEnd(search);
    Value perHead = a.compare(LLVM::ICmpPredicate::ne,
                              field(offsetof(GirihBoundTable, per_head), i32), a.i32(0));
    Value head = a.select(perHead, a.widen(entry->getArgument(1)), zero);
    Value at = a.add(a.mul(head, a.add(rows, 1)), row);
    Value indptr = field(offsetof(GirihBoundTable, indptr), pointerType());
    Value indices = field(offsetof(GirihBoundTable, indices), pointerType());
    Value begin = LLVM::LoadOp::create(b, loc, i64, a.element(indptr, at, i64));
    Value end = LLVM::LoadOp::create(b, loc, i64, a.element(indptr, a.add(at, 1), i64));
    LLVM::BrOp::create(b, loc, ValueRange{begin, end}, loop);
    // Lower bound in [low, high).
    b.setInsertionPointToEnd(loop);
    Value low = loop->getArgument(0), high = loop->getArgument(1);
    LLVM::CondBrOp::create(b, loc, a.compare(LLVM::ICmpPredicate::slt, low, high), step, done);
    b.setInsertionPointToEnd(step);
    Value middle = LLVM::AShrOp::create(b, loc, a.add(low, high), a.i64(1));
    Value listed = a.widen(LLVM::LoadOp::create(b, loc, i32, a.element(indices, middle, i32)));
    Value isBelow = a.compare(LLVM::ICmpPredicate::slt, listed, column);
    LLVM::BrOp::create(
        b, loc,
        ValueRange{a.select(isBelow, a.add(middle, 1), low), a.select(isBelow, high, middle)},
        loop);
    b.setInsertionPointToEnd(done);
    Value isListed = a.compare(LLVM::ICmpPredicate::slt, low, end);
    Value safe = a.select(isListed, low, begin);
    Value nonEmpty = a.compare(LLVM::ICmpPredicate::slt, begin, end);
    Value probe = a.select(nonEmpty, safe, zero);
    Block *compareBlock = new Block();
    function.getBody().push_back(compareBlock);
    LLVM::CondBrOp::create(b, loc, nonEmpty, compareBlock, miss);
    b.setInsertionPointToEnd(compareBlock);
    Value found = a.widen(LLVM::LoadOp::create(b, loc, i32, a.element(indices, probe, i32)));
    Value hit =
        LLVM::AndOp::create(b, loc, isListed, a.compare(LLVM::ICmpPredicate::eq, found, column));
    LLVM::ReturnOp::create(b, loc, ValueRange{hit});
    b.setInsertionPointToEnd(miss);
    LLVM::ReturnOp::create(b, loc, ValueRange{constant(false)});
    return function;
  }

  Emitter &e;
  Asm &a;
  OpBuilder &b;
  Location loc;
  tile::MaskOp op;
  const Place &place;
  SmallVector<Operation *> tables;
  Value uniform[NumPositions];
  int currentRow = 0;
  int64_t currentOffset = 0;
  Type root;
  llvm::DenseMap<std::pair<AffineExpr, int>, Value> linear;
  llvm::DenseMap<std::pair<Operation *, int>, Value> querySegments;
  llvm::DenseMap<std::pair<Operation *, int64_t>, Value> keySegments;
};

} // namespace girih::hopper

LogicalResult Emitter::emitMask(tile::MaskOp op, Fragments &values, const Place &place,
                                Value partial) {
  Fragment from = fragmentOf(op.getTile(), values, 0);
  if (from.empty() || op.getWhen() != blockLoop.getPartial())
    return op.emitOpError("expected a mask of the scores on partial tiles");
  Block *masked = addBlock(), *after = addBlock(SmallVector<Type>(from.size(), b.getF32Type()));
  LLVM::CondBrOp::create(b, loc, partial, masked, ValueRange(), after, from);
  b.setInsertionPointToEnd(masked);
  MaskEmitter mask(*this, op, place);
  Value minusInf = a.f32(-std::numeric_limits<float>::infinity());
  Fragment to;
  for (size_t i = 0; i != from.size(); ++i)
    to.push_back(a.select(mask.keep(i / 2 % 2, i / 4 * 8 + i % 2), from[i], minusInf));
  branch(after, to);
  b.setInsertionPointToEnd(after);
  values[op.getResult()] = Fragment(after->getArguments());
  return success();
}
