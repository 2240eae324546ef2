//===- EmitMask.cpp - Evaluate a pattern on the vectors of a tile ---------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Queries lie along the lanes, so of an expression over q and k
//   what reads neither, or q only, is computed once a tile;
//   what reads k only is a scalar, once a column;
//   the rest is a vector, once a column and group of queries.
// Lanes are i32 when no value of the pattern can leave 32 bits for the lengths
// that a kernel takes, else i64.
//
//===----------------------------------------------------------------------===//

#include "girih/Conversion/TileToCpu/Emitter.h"

#include "girih-c/Runtime.h"
#include "girih/Analysis/ClosedForm.h"
#include "girih/Analysis/IndexForm.h"

#include <limits>

using namespace mlir;
using namespace girih;
using namespace girih::cpu;

namespace girih::cpu {

class MaskEmitter {
public:
  MaskEmitter(Emitter &e, tile::MaskOp op)
      : e(e), b(e.b), op(op), tables(collectTables(op.getPattern())),
        firstTable(lookupTables(*op.getPattern().getParentBlock()).size()),
        laneType(fitsInt32(op.getPattern()) ? b.getI32Type() : b.getI64Type()) {}

  /// Emits what does not depend on the column, for every group of queries.
  void prepare(int64_t numGroups) {
    groups.resize(numGroups);
    uniform[PosB] = e.scalars[op.getBatch()];
    uniform[PosH] = e.scalars[op.getHead()];
    uniform[PosNq] = e.launchField(offsetof(GirihLaunch, num_q), b.getI64Type());
    uniform[PosNk] = e.launchField(offsetof(GirihLaunch, num_k), b.getI64Type());
    uniform[PosEnd] = e.launchField(offsetof(GirihLaunch, q_end), b.getI64Type());
    firstQuery = e.scalars[op.getQRow()];
    SmallVector<Attribute> numbers;
    for (int64_t lane = 0; lane != e.width; ++lane)
      numbers.push_back(b.getIntegerAttr(laneType, lane));
    Value iota =
        arith::ConstantOp::create(b, e.loc, DenseElementsAttr::get(e.lanes(laneType), numbers));
    for (int64_t group = 0; group != numGroups; ++group) {
      Value first = toLane(e.add(firstQuery, group * e.width));
      groups[group].query = arith::AddIOp::create(b, e.loc, e.splat(first), iota);
    }
    for (Operation *term : collectTerms(op.getPattern()))
      if (auto lookup = dyn_cast<TermLookupOp>(term))
        arrays.try_emplace(lookup.getTable(), Array()).first->second =
            e.loadArray(lookup.getTable());
    walkConstraints(op.getPattern(), terms, [&](AffineExpr expr) {
      Sides sides = sidesOf(expr);
      hoist(sides.lhs);
      hoist(sides.rhs);
    });
    for (auto [index, table] : llvm::enumerate(tables)) {
      tablePointers.push_back(tablePointer(index));
      if (isa<SegmentsOp>(table))
        for (Group &group : groups)
          group.segments[table] = querySegments(index, group);
    }
  }

  /// Starts a column: key index `k` (i64).
  void startColumn(Value k) {
    key = k;
    keyInBounds = arith::CmpIOp::create(b, e.loc, arith::CmpIPredicate::slt, k, uniform[PosNk]);
    columnScalars.clear();
    keySegments.clear();
  }

  /// i1 vector: which of the queries of `group` keep the key of this column.
  Value keep(int64_t group) {
    current = group;
    patterns.clear();
    Value kept = asVector(evaluate(op.getPattern()));
    return arith::AndIOp::create(b, e.loc, kept, e.splat(keyInBounds));
  }

private:
  struct Group {
    Value query; ///< vector of absolute query positions
    llvm::DenseMap<AffineExpr, Value> hoisted;
    llvm::DenseMap<Operation *, Value> segments; ///< segment ids, -1 for none
  };

  //===--- Which integer type --------------------------------------------------===//

  template <typename Callback>
  static void walkConstraints(Value pattern, TermSymbols &terms, Callback callback) {
    llvm::DenseSet<Operation *> visited;
    SmallVector<Operation *> worklist{pattern.getDefiningOp()};
    while (!worklist.empty()) {
      Operation *next = worklist.pop_back_val();
      if (!visited.insert(next).second)
        continue;
      if (auto where = dyn_cast<WhereOp>(next))
        for (const Constraint &constraint : whereConstraints(where, terms))
          callback(constraint.expr);
      for (Value operand : next->getOperands())
        if (isa<PatternType>(operand.getType()))
          worklist.push_back(operand.getDefiningOp());
    }
  }

  static bool fitsInt32(Value pattern) {
    constexpr int64_t limit = std::numeric_limits<int32_t>::max();
    bool fits = true;
    TermSymbols terms;
    walkConstraints(pattern, terms, [&](AffineExpr expr) {
      Sides sides = sidesOf(expr);
      fits &= fitsWithin(sides.lhs, limit) && fitsWithin(sides.rhs, limit);
    });
    for (Operation *term : collectTerms(pattern))
      for (AffineExpr expr : termExprs(term, terms))
        fits &= fitsWithin(expr, limit);
    return fits;
  }

  Value toLane(Value i64Value) {
    if (laneType.isInteger(64))
      return i64Value;
    return arith::TruncIOp::create(b, e.loc, laneType, i64Value);
  }

  //===--- Expressions -----------------------------------------------------------===//

  /// Computes the largest subexpressions that do not read k now.
  void hoist(AffineExpr expr) {
    if (!reads(expr, PosK)) {
      for (size_t group = 0; group != groups.size(); ++group) {
        current = group;
        index(expr);
      }
      return;
    }
    if (auto binary = dyn_cast<AffineBinaryOpExpr>(expr)) {
      hoist(binary.getLHS());
      hoist(binary.getRHS());
    } else if (Value term = terms.termOf(expr)) {
      for (AffineExpr inner : termExprs(term.getDefiningOp(), terms))
        hoist(inner);
    }
  }

  /// The value of an expression: a scalar or a vector of lane integers.
  Value index(AffineExpr expr) {
    bool readsQ = reads(expr, PosQ), readsK = reads(expr, PosK);
    llvm::DenseMap<AffineExpr, Value> *cache = nullptr;
    if (!readsK)
      cache = readsQ ? &groups[current].hoisted : &uniformScalars;
    else if (!readsQ)
      cache = &columnScalars;
    if (cache)
      if (auto it = cache->find(expr); it != cache->end())
        return it->second;
    Value value = indexImpl(expr);
    if (cache)
      (*cache)[expr] = value;
    return value;
  }

  Value indexImpl(AffineExpr expr) {
    if (auto constant = dyn_cast<AffineConstantExpr>(expr))
      return arith::ConstantOp::create(b, e.loc, b.getIntegerAttr(laneType, constant.getValue()));
    if (auto symbol = dyn_cast<AffineSymbolExpr>(expr)) {
      if (Value term = terms.termOf(symbol))
        return termValue(term.getDefiningOp());
      if (symbol.getPosition() == PosQ)
        return groups[current].query;
      return toLane(symbol.getPosition() == PosK ? key : uniform[symbol.getPosition()]);
    }
    auto binary = cast<AffineBinaryOpExpr>(expr);
    Value lhs = index(binary.getLHS());
    if (expr.getKind() == AffineExprKind::Add || expr.getKind() == AffineExprKind::Mul) {
      Value rhs = index(binary.getRHS());
      unify(lhs, rhs);
      if (expr.getKind() == AffineExprKind::Add)
        return arith::AddIOp::create(b, e.loc, lhs, rhs);
      return arith::MulIOp::create(b, e.loc, lhs, rhs);
    }
    int64_t divisor = cast<AffineConstantExpr>(binary.getRHS()).getValue();
    // A divisor beyond the lanes is beyond the dividend too.
    if (laneType.isInteger(32) && divisor > std::numeric_limits<int32_t>::max())
      divisor = std::numeric_limits<int32_t>::max();
    auto bounds = boundsOf(binary.getLHS());
    bool isNonNegative = bounds && bounds->lower >= 0;
    if (expr.getKind() == AffineExprKind::CeilDiv) // ceil(x / c) = -floor(-x / c)
      return negate(floorDivide(negate(lhs), divisor, false));
    if (expr.getKind() == AffineExprKind::FloorDiv)
      return floorDivide(lhs, divisor, isNonNegative);
    if (llvm::isPowerOf2_64(divisor)) // two's complement: right for negative numbers
      return arith::AndIOp::create(b, e.loc, lhs, like(lhs, divisor - 1));
    Value quotient = floorDivide(lhs, divisor, isNonNegative);
    return arith::SubIOp::create(b, e.loc, lhs,
                                 arith::MulIOp::create(b, e.loc, quotient, like(lhs, divisor)));
  }

  Value termValue(Operation *term) {
    SmallVector<Value> values;
    for (AffineExpr expr : termExprs(term, terms))
      values.push_back(index(expr));
    if (auto lookup = dyn_cast<TermLookupOp>(term)) {
      Value entry = e.lookUp(arrays.find(lookup.getTable())->second, values);
      if (laneType.isInteger(32))
        return entry;
      Type type = isa<VectorType>(entry.getType()) ? Type(e.lanes(laneType)) : laneType;
      return arith::ExtSIOp::create(b, e.loc, type, entry);
    }
    bool isMin = cast<TermExtremumOp>(term).getWhich() == Extremum::Min;
    Value result = values.front();
    for (Value next : ArrayRef(values).drop_front()) {
      unify(result, next);
      result = isMin ? Value(arith::MinSIOp::create(b, e.loc, result, next))
                     : Value(arith::MaxSIOp::create(b, e.loc, result, next));
    }
    return result;
  }

  Value negate(Value x) { return arith::SubIOp::create(b, e.loc, like(x, 0), x); }

  Value floorDivide(Value x, int64_t divisor, bool isNonNegative) {
    if (divisor == 1)
      return x;
    if (llvm::isPowerOf2_64(divisor))
      return arith::ShRSIOp::create(b, e.loc, x, like(x, llvm::Log2_64(divisor)));
    if (isNonNegative)
      return arith::DivUIOp::create(b, e.loc, x, like(x, divisor));
    // Truncating division, corrected where the remainder is negative.
    Value quotient = arith::DivSIOp::create(b, e.loc, x, like(x, divisor));
    Value product = arith::MulIOp::create(b, e.loc, quotient, like(x, divisor));
    Value below = arith::CmpIOp::create(b, e.loc, arith::CmpIPredicate::slt, x, product);
    return arith::AddIOp::create(b, e.loc, quotient,
                                 arith::ExtSIOp::create(b, e.loc, x.getType(), below));
  }

  /// A constant of the type of `x`.
  Value like(Value x, int64_t value) {
    TypedAttr attribute = b.getIntegerAttr(laneType, value);
    if (auto type = dyn_cast<VectorType>(x.getType()))
      attribute = DenseElementsAttr::get(type, cast<Attribute>(attribute));
    return arith::ConstantOp::create(b, e.loc, attribute);
  }

  void unify(Value &x, Value &y) {
    if (isa<VectorType>(x.getType()) != isa<VectorType>(y.getType())) {
      x = asVector(x);
      y = asVector(y);
    }
  }

  Value asVector(Value x) { return isa<VectorType>(x.getType()) ? x : e.splat(x); }

  //===--- Patterns ----------------------------------------------------------------===//

  Value evaluate(Value pattern) {
    if (auto it = patterns.find(pattern); it != patterns.end())
      return it->second;
    Value result = evaluateImpl(pattern.getDefiningOp());
    patterns[pattern] = result;
    return result;
  }

  Value evaluateImpl(Operation *pattern) {
    if (isa<FullOp, EmptyOp>(pattern))
      return arith::ConstantOp::create(b, e.loc, b.getBoolAttr(isa<FullOp>(pattern)));
    if (auto complement = dyn_cast<ComplementOp>(pattern)) {
      Value inner = evaluate(complement.getPattern());
      Value ones = arith::ConstantOp::create(b, e.loc, b.getOneAttr(inner.getType()));
      return arith::XOrIOp::create(b, e.loc, inner, ones);
    }
    if (isa<UnionOp, IntersectOp>(pattern)) {
      Value result;
      for (Value operand : pattern->getOperands())
        result =
            result ? combine(isa<UnionOp>(pattern), result, evaluate(operand)) : evaluate(operand);
      if (!result)
        result = arith::ConstantOp::create(b, e.loc, b.getBoolAttr(isa<IntersectOp>(pattern)));
      return result;
    }
    if (auto where = dyn_cast<WhereOp>(pattern)) {
      Value result;
      for (const Constraint &constraint : whereConstraints(where, terms)) {
        Sides sides = sidesOf(constraint.expr);
        Value lhs = index(sides.lhs), rhs = index(sides.rhs);
        unify(lhs, rhs);
        auto predicate =
            constraint.isEquality ? arith::CmpIPredicate::eq : arith::CmpIPredicate::sge;
        Value holds = arith::CmpIOp::create(b, e.loc, predicate, lhs, rhs);
        result = result ? combine(false, result, holds) : holds;
      }
      return result;
    }
    unsigned table = llvm::find(tables, pattern) - tables.begin();
    return isa<SegmentsOp>(pattern) ? sameSegment(table) : inTable(table);
  }

  Value combine(bool isUnion, Value x, Value y) {
    unify(x, y);
    if (isUnion)
      return arith::OrIOp::create(b, e.loc, x, y);
    return arith::AndIOp::create(b, e.loc, x, y);
  }

  //===--- Tables --------------------------------------------------------------------===//

  Type pointerType() { return LLVM::LLVMPointerType::get(b.getContext()); }

  Value tablePointer(unsigned table) {
    Value all = e.launchField(offsetof(GirihLaunch, tables), pointerType());
    return LLVM::GEPOp::create(b, e.loc, pointerType(), b.getI8Type(), all,
                               ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(
                                   (firstTable + table) * sizeof(GirihBoundTable))});
  }

  Value unitIndex(Value position, int64_t unit) {
    if (unit == 1)
      return position;
    Value divisor = arith::ConstantOp::create(
        b, e.loc,
        isa<VectorType>(position.getType())
            ? TypedAttr(DenseElementsAttr::get(cast<VectorType>(position.getType()), unit))
            : TypedAttr(b.getI64IntegerAttr(unit)));
    return arith::DivUIOp::create(b, e.loc, position, divisor);
  }

  /// Segment ids of the queries of a group; -1 outside of every segment.
  Value querySegments(unsigned table, Group &group) {
    int64_t unit = cast<SegmentsOp>(tables[table]).getUnit();
    Value pointer = tablePointers[table];
    Value ids = e.field(pointer, offsetof(GirihBoundTable, ids), pointerType());
    Value numUnits = e.field(pointer, offsetof(GirihBoundTable, num_units), b.getI64Type());
    VectorType wide = e.lanes(b.getI64Type()), narrow = e.lanes(b.getI32Type());
    Value query = group.query;
    if (laneType.isInteger(32))
      query = arith::ExtSIOp::create(b, e.loc, wide, query);
    Value zero = arith::ConstantOp::create(b, e.loc, b.getZeroAttr(wide));
    Value atLeastZero = arith::CmpIOp::create(b, e.loc, arith::CmpIPredicate::sge, query, zero);
    Value clamped = arith::MaxSIOp::create(b, e.loc, query, zero);
    Value units = unitIndex(clamped, unit);
    Value below =
        arith::CmpIOp::create(b, e.loc, arith::CmpIPredicate::slt, units, e.splat(numUnits));
    Value inside = arith::AndIOp::create(b, e.loc, atLeastZero, below);
    Type pointers = LLVM::getVectorType(pointerType(), e.width);
    Value addresses =
        LLVM::GEPOp::create(b, e.loc, pointers, b.getI32Type(), ids, ArrayRef<LLVM::GEPArg>{units});
    Value none = arith::ConstantOp::create(b, e.loc, DenseElementsAttr::get(narrow, int32_t(-1)));
    return LLVM::masked_gather::create(b, e.loc, narrow, addresses, inside, ValueRange{none},
                                       /*alignment=*/4);
  }

  Value sameSegment(unsigned table) {
    Operation *segments = tables[table];
    Value &id = keySegments[segments];
    if (!id) {
      // Columns behind the end read the last key; they are masked anyway.
      Value pointer = tablePointers[table];
      Value ids = e.field(pointer, offsetof(GirihBoundTable, ids), pointerType());
      Value last = e.add(uniform[PosNk], -1);
      Value unit = unitIndex(arith::MinSIOp::create(b, e.loc, key, last),
                             cast<SegmentsOp>(segments).getUnit());
      Value address = LLVM::GEPOp::create(b, e.loc, pointerType(), b.getI32Type(), ids,
                                          ArrayRef<LLVM::GEPArg>{unit});
      id = e.splat(LLVM::LoadOp::create(b, e.loc, b.getI32Type(), address));
    }
    return arith::CmpIOp::create(b, e.loc, arith::CmpIPredicate::eq,
                                 groups[current].segments[segments], id);
  }

  /// Asks the runtime for the bits of this column and group.
  Value inTable(unsigned table) {
    Value first = e.add(firstQuery, current * e.width);
    Value numLanes = arith::ConstantIntOp::create(b, e.loc, b.getI32Type(), e.width);
    // By a pointer of the launch: an object that is loaded while a program runs needs no symbol of
    // it.
    Value function = e.launchField(offsetof(GirihLaunch, table_lanes), pointerType());
    Value arguments[] = {function, tablePointers[table], uniform[PosH], first, key, numLanes};
    Type i64 = b.getI64Type(), i32 = b.getI32Type();
    auto signature = LLVM::LLVMFunctionType::get(i32, {pointerType(), i64, i64, i64, i32});
    Value bits = LLVM::CallOp::create(b, e.loc, signature, ValueRange(arguments)).getResult();
    SmallVector<int32_t> powers;
    for (int64_t lane = 0; lane != e.width; ++lane)
      powers.push_back(int32_t(1) << lane);
    VectorType type = e.lanes(b.getI32Type());
    Value selector = arith::ConstantOp::create(
        b, e.loc, DenseElementsAttr::get(type, ArrayRef<int32_t>(powers)));
    Value zero = arith::ConstantOp::create(b, e.loc, b.getZeroAttr(type));
    Value selected = arith::AndIOp::create(b, e.loc, e.splat(bits), selector);
    return arith::CmpIOp::create(b, e.loc, arith::CmpIPredicate::ne, selected, zero);
  }

  Emitter &e;
  OpBuilder &b;
  tile::MaskOp op;
  SmallVector<Operation *> tables;
  size_t firstTable; ///< of the tables of ops, behind arrays
  Type laneType;
  TermSymbols terms;
  llvm::DenseMap<Value, Array> arrays;
  Value uniform[NumPositions];
  Value firstQuery, key, keyInBounds;
  SmallVector<Group> groups;
  SmallVector<Value> tablePointers;
  int64_t current = 0;
  llvm::DenseMap<AffineExpr, Value> uniformScalars, columnScalars;
  llvm::DenseMap<Operation *, Value> keySegments;
  llvm::DenseMap<Value, Value> patterns; ///< of the current group and column
};

} // namespace girih::cpu

/// Whether `pattern` is made of what MaskEmitter evaluates.
static bool isNormalForm(Value pattern, llvm::DenseSet<Value> &visited) {
  if (!visited.insert(pattern).second)
    return true;
  Operation *op = pattern.getDefiningOp();
  if (!op || !isa<FullOp, EmptyOp, WhereOp, UnionOp, IntersectOp, ComplementOp, SegmentsOp,
                  BlockTableOp, RandomBlocksOp>(op))
    return false;
  return llvm::all_of(op->getOperands(), [&](Value operand) {
    return !isa<PatternType>(operand.getType()) || isNormalForm(operand, visited);
  });
}

LogicalResult Emitter::emitMask(tile::MaskOp op) {
  llvm::DenseSet<Value> visited;
  if (!isNormalForm(op.getPattern(), visited))
    return op.emitOpError(
        "expected a pattern in normal form; run girih-expand-named-patterns first");
  FailureOr<Buffer> from = bufferOf(op.getTile(), /*colMajor=*/true);
  if (failed(from))
    return failure();
  Buffer to = *from;
  if (from->readOnly || !diesAt(op.getTile(), op)) {
    to = allocate(from->rows, from->cols, true);
    copy(*from, to);
  }
  buffers[op.getResult()] = to;
  auto branch = scf::IfOp::create(b, loc, scalars[op.getWhen()], /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  MaskEmitter mask(*this, op);
  mask.prepare(to.rows / width);
  Value dropped = splatConstant(-std::numeric_limits<float>::infinity());
  loop(i64(0), i64(to.cols), 1, [&](Value column) {
    mask.startColumn(add(scalars[op.getKRow()], column));
    Value line = mul(column, to.ld);
    for (int64_t lane = 0; lane != to.ld; lane += width) {
      Value address = at(to.base, line, lane);
      Value kept = mask.keep(lane / width);
      storeVector(arith::SelectOp::create(b, loc, kept, loadVector(address), dropped), address);
    }
  });
  return success();
}
