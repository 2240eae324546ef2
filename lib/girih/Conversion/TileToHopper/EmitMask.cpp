//===- EmitMask.cpp - Evaluate a pattern on the fragments of a tile -------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Only partial tiles come here, behind a branch that is uniform for the
// warpgroup. A few constraints that are linear in the key compare a number that
// is computed once a row with a constant an element. Anything more is evaluated
// in a loop that makes one bit an element: a copy of such code for every element
// would need more registers than the scores leave, and seconds to compile.
//
//===----------------------------------------------------------------------===//

#include "girih/Conversion/TileToHopper/Emitter.h"

#include "girih-c/Cuda.h"
#include "girih/Analysis/ClosedForm.h"
#include "girih/Analysis/IndexForm.h"

#include <array>
#include <limits>
#include <map>

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

  /// Whether a copy of the pattern for every element is cheap.
  bool isSimple() {
    constexpr unsigned mostConstraints = 4;
    unsigned constraints = 0;
    return tables.empty() && countLinear(op.getPattern(), constraints) &&
           constraints <= mostConstraints;
  }

  /// For each of the two rows, a number whose topmost 2 `groups` bits say which
  /// keys are kept: the two keys of each group of 8 columns, in their order.
  std::array<Value, 2> keepBits(int64_t groups) {
    Type i32 = b.getI32Type(), bits = b.getIntegerType(2 * groups <= 32 ? 32 : 64);
    unsigned width = bits.getIntOrFloatBitWidth();
    // Several groups at a time hide the latency of loads; three warpgroups leave
    // few registers for that.
    int64_t step = e.config.warpgroups == 3 ? 1 : 4;
    while (groups % step)
      step /= 2;
    for (Value *value : {&place.row[0], &place.row[1], &place.batch, &place.head})
      *value = opaque(*value);
    uniform[PosB] = place.batch;
    uniform[PosH] = place.head;
    for (unsigned table = 0; table != tables.size(); ++table)
      for (currentRow = 0; currentRow != 2; ++currentRow)
        prepareRow(table, 8 * groups);

    Block *loop = e.addBlock({i32, bits, bits}), *after = e.addBlock({bits, bits});
    Value none = LLVM::ConstantOp::create(b, loc, bits, b.getIntegerAttr(bits, 0));
    e.branch(loop, {a.i32(0), none, none});
    b.setInsertionPointToEnd(loop);
    Value firstOfTile = place.column, group = loop->getArgument(0);
    place.column = a.add(firstOfTile, group);
    std::array<Value, 2> kept{loop->getArgument(1), loop->getArgument(2)};
    auto number = [&](int64_t n) -> Value {
      return LLVM::ConstantOp::create(b, loc, bits, b.getIntegerAttr(bits, n));
    };
    for (Value &row : kept)
      row = LLVM::LShrOp::create(b, loc, row, number(2 * step));
    for (int64_t n = 0; n != 2 * step; ++n)
      for (int row = 0; row != 2; ++row) {
        Value bit = LLVM::ZExtOp::create(b, loc, bits, keep(row, n / 2 * 8 + n % 2));
        Value placed = LLVM::ShlOp::create(b, loc, bit, number(width - 2 * step + n));
        kept[row] = LLVM::OrOp::create(b, loc, kept[row], placed);
      }
    Value next = a.add(group, 8 * step);
    Value hasMore = a.compare(LLVM::ICmpPredicate::slt, next, a.i32(8 * groups));
    auto again = LLVM::CondBrOp::create(b, loc, hasMore, loop, ValueRange{next, kept[0], kept[1]},
                                        after, ValueRange{kept[0], kept[1]});
    again.setLoopAnnotationAttr(keepRolled());
    b.setInsertionPointToEnd(after);
    place.column = firstOfTile;
    return {after->getArgument(0), after->getArgument(1)};
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
  /// Counts constraints; false when one is not linear in the key.
  bool countLinear(Value pattern, unsigned &constraints) {
    Operation *p = pattern.getDefiningOp();
    if (auto where = dyn_cast<WhereOp>(p)) {
      for (const Constraint &c : whereConstraints(where.getSet())) {
        ++constraints;
        for (const Addend &addend : addendsOf(c.expr))
          if (addend.atom && reads(addend.atom, PosK) && !isa<AffineSymbolExpr>(addend.atom))
            return false;
      }
      return true;
    }
    return llvm::all_of(p->getOperands(),
                        [&](Value operand) { return countLinear(operand, constraints); });
  }

  /// The same value, which LLVM cannot move: what is made of it stays behind the
  /// branch, instead of in registers over all of the kernel.
  Value opaque(Value x) {
    auto copy = LLVM::InlineAsmOp::create(
        b, loc, TypeRange{x.getType()}, x, "mov.b32 $0, $1;", "=r,r", /*has_side_effects=*/true,
        /*is_align_stack=*/false, LLVM::TailCallKind::None,
        LLVM::AsmDialectAttr::get(b.getContext(), LLVM::AsmDialect::AD_ATT), ArrayAttr());
    return copy.getResult(0);
  }

  LLVM::LoopAnnotationAttr keepRolled() {
    MLIRContext *context = b.getContext();
    auto unroll =
        LLVM::LoopUnrollAttr::get(context, /*disable=*/b.getBoolAttr(true), {}, {}, {}, {}, {}, {});
    return LLVM::LoopAnnotationAttr::get(context, {}, {}, {}, unroll, {}, {}, {}, {}, {}, {}, {},
                                         {}, {}, {}, {});
  }

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
    if (!isLinear) {
      AffineExpr expr = typeFor(c.expr).isInteger(64) ? withSmallResidues(c.expr) : c.expr;
      return a.compare(predicate, index(expr), number(expr, 0));
    }
    Value &base = linear[{c.expr, currentRow}];
    if (!base) {
      int64_t offset = std::exchange(currentOffset, 0);
      base = index(c.expr);
      currentOffset = offset;
    }
    return a.compare(predicate, base, number(c.expr, -factor * currentOffset));
  }

  /// The same value with residues taken of the terms of what a mod is taken of:
  /// (q k) mod 7 needs 64 bits, ((q mod 7) (k mod 7)) mod 7 does not.
  AffineExpr withSmallResidues(AffineExpr expr) {
    auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
    if (!binary)
      return expr;
    AffineExpr lhs = withSmallResidues(binary.getLHS()), rhs = withSmallResidues(binary.getRHS());
    if (expr.getKind() == AffineExprKind::Mod)
      lhs = residue(lhs, cast<AffineConstantExpr>(rhs).getValue());
    return getAffineBinaryOpExpr(expr.getKind(), lhs, rhs);
  }

  /// A number that is congruent to `expr`.
  AffineExpr residue(AffineExpr expr, int64_t modulus) {
    auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
    if (binary && (expr.getKind() == AffineExprKind::Add || expr.getKind() == AffineExprKind::Mul))
      return getAffineBinaryOpExpr(expr.getKind(), residue(binary.getLHS(), modulus),
                                   residue(binary.getRHS(), modulus));
    return expr % modulus;
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

  int64_t unitOf(unsigned table) {
    if (auto random = dyn_cast<RandomBlocksOp>(tables[table]))
      return random.getSize();
    return cast<BlockTableOp>(tables[table]).getSize();
  }

  Value divide(Value position, int64_t unit) {
    return floorDivide(position, unit, [&](int64_t n) { return a.i32(n); });
  }

  /// What the loop over the keys needs to know of the current row.
  void prepareRow(unsigned table, int64_t columns) {
    if (isa<SegmentsOp>(tables[table])) {
      querySegments[{tables[table], currentRow}] = segmentOf(table, place.row[currentRow], -1);
      return;
    }
    TableRow &row = rows[{table, currentRow}];
    findRow(table, row);
    // The thread's keys span few units unless those are tiny.
    if ((columns - 7) / unitOf(table) + 2 > 32)
      return;
    row.first = divide(place.column, unitOf(table));
    row.units = unitBits(row, row.first);
  }

  Value inTable(unsigned table) {
    TableRow row = rows[{table, currentRow}];
    Value unit = divide(a.add(place.column, currentOffset), unitOf(table));
    if (!row.units) {
      row.first = unit;
      row.units = unitBits(row, unit);
    }
    Value at = a.sub(unit, row.first);
    return LLVM::TruncOp::create(b, loc, b.getI1Type(),
                                 LLVM::LShrOp::create(b, loc, row.units, at));
  }

  /// The units that a table lists for a query row.
  struct TableRow {
    Value list, length; ///< pointer to ascending i32 units; i32
    Value first, units; ///< bit i of `units`: lists unit `first` + i; null when not made
  };

  /// Finds the list of the current row; an empty one outside of the table.
  void findRow(unsigned table, TableRow &result) {
    Type i64 = b.getI64Type(), i32 = b.getI32Type();
    Value at = tablePointer(table);
    auto field = [&](size_t offset, Type type) { return a.load(at, offset, type); };
    Value count = field(offsetof(GirihBoundTable, rows), i64), zero = a.i64(0);
    Value row = a.sub(a.widen(divide(place.row[currentRow], unitOf(table))),
                      field(offsetof(GirihBoundTable, row0), i64));
    Value inside = LLVM::AndOp::create(b, loc, a.compare(LLVM::ICmpPredicate::sge, row, zero),
                                       a.compare(LLVM::ICmpPredicate::slt, row, count));
    Value perHead = a.compare(LLVM::ICmpPredicate::ne,
                              field(offsetof(GirihBoundTable, per_head), i32), a.i32(0));
    Value head = a.select(perHead, a.widen(place.head), zero);
    // Row 0 is read in place of a row outside; it has both ends even so.
    Value index = a.add(a.mul(head, a.add(count, 1)), a.select(inside, row, zero));
    Value ends = a.element(field(offsetof(GirihBoundTable, indptr), pointerType()), index, i64);
    Value begin = LLVM::LoadOp::create(b, loc, i64, ends);
    Value behind = a.element(ends, LLVM::ZExtOp::create(b, loc, i64, inside), i64);
    Value end = LLVM::LoadOp::create(b, loc, i64, behind);
    result.list = a.element(field(offsetof(GirihBoundTable, indices), pointerType()), begin, i32);
    result.length = LLVM::TruncOp::create(b, loc, i32, a.sub(end, begin));
  }

  /// Which of the 32 units from `first` on the row lists.
  Value unitBits(const TableRow &row, Value first) {
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

  Emitter &e;
  Asm &a;
  OpBuilder &b;
  Location loc;
  tile::MaskOp op;
  Place place; ///< its column moves with the loop
  SmallVector<Operation *> tables;
  Value uniform[NumPositions];
  int currentRow = 0;
  int64_t currentOffset = 0;
  Type root;
  llvm::DenseMap<std::pair<AffineExpr, int>, Value> linear;
  llvm::DenseMap<std::pair<Operation *, int>, Value> querySegments;
  llvm::DenseMap<std::pair<Operation *, int64_t>, Value> keySegments;
  std::map<std::pair<unsigned, int>, TableRow> rows;
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
  if (mask.isSimple()) {
    for (size_t i = 0; i != from.size(); ++i)
      to.push_back(a.select(mask.keep(i / 2 % 2, i / 4 * 8 + i % 2), from[i], minusInf));
  } else {
    std::array<Value, 2> kept = mask.keepBits(from.size() / 4);
    Type bits = kept[0].getType();
    Value zero = LLVM::ConstantOp::create(b, loc, bits, b.getIntegerAttr(bits, 0));
    unsigned unused = bits.getIntOrFloatBitWidth() - from.size() / 2;
    for (size_t i = 0; i != from.size(); ++i) {
      uint64_t bit = uint64_t(1) << (unused + i / 4 * 2 + i % 2);
      Value one = LLVM::ConstantOp::create(
          b, loc, bits, b.getIntegerAttr(bits, llvm::APInt(bits.getIntOrFloatBitWidth(), bit)));
      Value isKept = a.compare(LLVM::ICmpPredicate::ne,
                               LLVM::AndOp::create(b, loc, kept[i / 2 % 2], one), zero);
      to.push_back(a.select(isKept, from[i], minusInf));
    }
  }
  branch(after, to);
  b.setInsertionPointToEnd(after);
  values[op.getResult()] = Fragment(after->getArguments());
  return success();
}
