//===- PatternBits.cpp - Evaluate a pattern for many keys at a time -------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Conversion/Fragments/PatternBits.h"

#include "girih-c/Cuda.h"

#include <limits>
#include <utility>

using namespace mlir;
using namespace girih;
using namespace girih::gpu;

static constexpr int64_t groupsPerWord = 16;

/// A number that is congruent to `expr`.
static AffineExpr residue(AffineExpr expr, int64_t modulus) {
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (binary && (expr.getKind() == AffineExprKind::Add || expr.getKind() == AffineExprKind::Mul))
    return getAffineBinaryOpExpr(expr.getKind(), residue(binary.getLHS(), modulus),
                                 residue(binary.getRHS(), modulus));
  return expr % modulus;
}

/// The same value with residues taken of the terms of what a mod is taken of:
/// (q k) mod 7 needs 64 bits, ((q mod 7) (k mod 7)) mod 7 does not.
static AffineExpr withSmallResidues(AffineExpr expr) {
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return expr;
  AffineExpr lhs = withSmallResidues(binary.getLHS()), rhs = withSmallResidues(binary.getRHS());
  if (expr.getKind() == AffineExprKind::Mod)
    lhs = residue(lhs, cast<AffineConstantExpr>(rhs).getValue());
  return getAffineBinaryOpExpr(expr.getKind(), lhs, rhs);
}

PatternBits::PatternBits(FragmentEmitter &e, Value pattern, const Place &place, int64_t groups)
    : e(e), a(e.a), b(e.b), loc(e.loc), pattern(pattern), place(place), groups(groups),
      tables(collectTables(pattern)), firstTable(lookupTables(*pattern.getParentBlock()).size()) {
  Type i32 = b.getI32Type();
  uniform[PosB] = place.batch;
  uniform[PosH] = place.head;
  uniform[PosNq] = e.argument(offsetof(GirihCudaArguments, num_q), i32);
  uniform[PosNk] = e.argument(offsetof(GirihCudaArguments, num_k), i32);
  uniform[PosEnd] = e.argument(offsetof(GirihCudaArguments, q_end), i32);
  for (Operation *term : collectTerms(pattern))
    if (auto lookup = dyn_cast<TermLookupOp>(term); lookup && !arrays.contains(lookup.getTable()))
      arrays[lookup.getTable()] = e.loadArray(lookup.getTable());
}

Words PatternBits::kept(int row) {
  currentRow = row;
  Words inside = below(a.sub(uniform[PosNk], place.column));
  return combine(inside, evaluate(pattern), /*isUnion=*/false);
}

//===----------------------------------------------------------------------===//
// Words
//===----------------------------------------------------------------------===//

Words PatternBits::below(Value limit) {
  Words words;
  for (int64_t group = 0; group < groups; group += groupsPerWord) {
    // Two bits for each whole group of 8 columns, and what the last one has of its two.
    Value left = a.add(limit, -8 * group);
    Value whole = LLVM::AShrOp::create(b, loc, left, a.i32(3));
    Value rest = LLVM::SMinOp::create(b, loc, a.bitAnd(left, 7), a.i32(2));
    Value count = LLVM::SMaxOp::create(b, loc, a.add(a.mul(whole, 2), rest), a.i32(0));
    words.push_back(a.lowBits(count));
  }
  return words;
}

Words PatternBits::all(Value condition) {
  Value word = LLVM::SExtOp::create(b, loc, b.getI32Type(), condition);
  return Words((groups + groupsPerWord - 1) / groupsPerWord, word);
}

Words PatternBits::combine(const Words &x, const Words &y, bool isUnion) {
  Words words;
  for (auto [i, j] : llvm::zip(x, y))
    words.push_back(isUnion ? Value(LLVM::OrOp::create(b, loc, i, j))
                            : Value(LLVM::AndOp::create(b, loc, i, j)));
  return words;
}

Words PatternBits::complement(const Words &x) {
  Words words;
  for (Value word : x)
    words.push_back(a.bitXor(word, a.i32(-1)));
  return words;
}

//===----------------------------------------------------------------------===//
// Patterns and constraints
//===----------------------------------------------------------------------===//

Words PatternBits::evaluate(Value pattern) {
  Operation *p = pattern.getDefiningOp();
  if (isa<FullOp, EmptyOp>(p))
    return all(LLVM::ConstantOp::create(b, loc, b.getI1Type(), b.getBoolAttr(isa<FullOp>(p))));
  if (auto op = dyn_cast<ComplementOp>(p))
    return complement(evaluate(op.getPattern()));
  if (isa<UnionOp, IntersectOp>(p)) {
    Words result = evaluate(p->getOperand(0));
    for (Value operand : p->getOperands().drop_front())
      result = combine(result, evaluate(operand), isa<UnionOp>(p));
    return result;
  }
  if (auto where = dyn_cast<WhereOp>(p)) {
    Words result;
    for (const Constraint &c : whereConstraints(where, terms)) {
      Words holds = constraint(c);
      result = result.empty() ? holds : combine(result, holds, /*isUnion=*/false);
    }
    return result;
  }
  unsigned table = llvm::find(tables, p) - tables.begin();
  return isa<SegmentsOp>(p) ? sameSegment(table) : listed(table);
}

Words PatternBits::constraint(const Constraint &c) {
  int64_t factor = 0;
  for (const Addend &addend : addendsOf(c.expr)) {
    if (!addend.atom || !reads(addend.atom, PosK))
      continue;
    if (addend.atom != positionExpr(addend.atom.getContext(), PosK))
      return keyByKey(c);
    factor = addend.coefficient;
  }
  currentOffset = 0;
  auto predicate = c.isEquality ? LLVM::ICmpPredicate::eq : LLVM::ICmpPredicate::sge;
  if (!factor)
    return all(a.compare(predicate, index(c.expr), number(c.expr, 0)));
  if (factor != 1 && factor != -1)
    return keyByKey(c);
  // base + factor * column >= 0.
  Value base = saturated(index(c.expr));
  Value limit = factor == 1 ? a.sub(a.i32(0), base) : a.add(base, 1);
  Words low = below(limit);
  if (c.isEquality) { // the one column -factor * base
    Value next = factor == 1 ? a.add(limit, 1) : base;
    Words other = below(next);
    return factor == 1 ? combine(other, complement(low), false)
                       : combine(low, complement(other), false);
  }
  return factor == 1 ? complement(low) : low;
}

Words PatternBits::keyByKey(const Constraint &c) {
  auto predicate = c.isEquality ? LLVM::ICmpPredicate::eq : LLVM::ICmpPredicate::sge;
  // A lookup alone on its side is compared as it is.
  Sides sides = sidesOf(c.expr);
  auto isNarrow = [&] {
    constexpr int64_t limit = std::numeric_limits<int32_t>::max() / 2;
    return fitsWithin(sides.lhs, limit) && fitsWithin(sides.rhs, limit);
  };
  if (!isNarrow())
    sides = {withSmallResidues(sides.lhs), withSmallResidues(sides.rhs)};
  Type type = isNarrow() ? b.getI32Type() : b.getI64Type();
  Words words;
  for (int64_t group = 0; group != groups; ++group) {
    if (group % groupsPerWord == 0)
      words.push_back(a.i32(0));
    for (int64_t x = 0; x != 2; ++x) {
      currentOffset = 8 * group + x;
      Value holds = a.compare(predicate, indexIn(sides.lhs, type), indexIn(sides.rhs, type));
      Value bit = a.select(holds, a.i32(int64_t{1} << (group % groupsPerWord * 2 + x)), a.i32(0));
      words.back() = LLVM::OrOp::create(b, loc, words.back(), bit);
    }
  }
  currentOffset = 0;
  return words;
}

//===----------------------------------------------------------------------===//
// Index expressions
//===----------------------------------------------------------------------===//

/// An i32 that compares with columns of a tile as `x` does.
Value PatternBits::saturated(Value x) {
  if (x.getType().isInteger(32))
    return x;
  constexpr int64_t far = int64_t{1} << 30;
  Value bounded = LLVM::SMaxOp::create(b, loc, x, a.i64(-far));
  bounded = LLVM::SMinOp::create(b, loc, bounded, a.i64(far));
  return LLVM::TruncOp::create(b, loc, b.getI32Type(), bounded);
}

/// i64 when some value of the constraint can leave 32 bits.
Type PatternBits::typeFor(AffineExpr expr) {
  // Extrema are as wide as what they are of.
  auto symbol = dyn_cast<AffineSymbolExpr>(expr);
  Value term = symbol ? terms.termOf(symbol) : Value();
  bool fits = fitsWithin(expr, std::numeric_limits<int32_t>::max() / 2);
  if (term && term.getDefiningOp<TermExtremumOp>())
    fits = llvm::all_of(termExprs(term.getDefiningOp(), terms),
                        [&](AffineExpr e) { return typeFor(e).isInteger(32); });
  return fits ? b.getI32Type() : b.getI64Type();
}

Value PatternBits::number(AffineExpr expr, int64_t value) {
  Type type = typeFor(expr);
  return LLVM::ConstantOp::create(b, loc, type, b.getIntegerAttr(type, value));
}

Value PatternBits::index(AffineExpr expr) {
  root = typeFor(expr);
  return value(expr);
}

Value PatternBits::indexIn(AffineExpr expr, Type type) {
  Type saved = std::exchange(root, type);
  Value result = value(expr);
  root = saved;
  return result;
}

/// The value of a term: a lookup as i32, an extremum in the type that its expressions need.
Value PatternBits::termValue(Operation *term) {
  SmallVector<AffineExpr> exprs = termExprs(term, terms);
  if (auto lookup = dyn_cast<TermLookupOp>(term)) {
    SmallVector<Value> indices;
    for (AffineExpr expr : exprs)
      indices.push_back(indexIn(expr, typeFor(expr)));
    return e.lookUp(arrays.find(lookup.getTable())->second, indices);
  }
  Type type = b.getI32Type();
  for (AffineExpr expr : exprs)
    if (typeFor(expr).isInteger(64))
      type = b.getI64Type();
  bool isMin = cast<TermExtremumOp>(term).getWhich() == Extremum::Min;
  Value result = indexIn(exprs.front(), type);
  for (AffineExpr expr : ArrayRef(exprs).drop_front()) {
    Value next = indexIn(expr, type);
    result = isMin ? Value(LLVM::SMinOp::create(b, loc, result, next))
                   : Value(LLVM::SMaxOp::create(b, loc, result, next));
  }
  return result;
}

Value PatternBits::value(AffineExpr expr) {
  auto number = [&](int64_t n) -> Value {
    return LLVM::ConstantOp::create(b, loc, root, b.getIntegerAttr(root, n));
  };
  auto typed = [&](Value v) -> Value {
    return v.getType() == root  ? v
           : root.isInteger(64) ? a.widen(v)
                                : LLVM::TruncOp::create(b, loc, root, v);
  };
  if (auto c = dyn_cast<AffineConstantExpr>(expr))
    return number(c.getValue());
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr)) {
    if (Value term = terms.termOf(symbol))
      return typed(termValue(term.getDefiningOp()));
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

Value PatternBits::floorDivide(Value x, int64_t divisor,
                               llvm::function_ref<Value(int64_t)> number) {
  if (divisor == 1)
    return x;
  if (llvm::isPowerOf2_64(divisor))
    return LLVM::AShrOp::create(b, loc, x, number(llvm::Log2_64(divisor)));
  Value quotient = LLVM::SDivOp::create(b, loc, x, number(divisor));
  Value isAbove = a.compare(LLVM::ICmpPredicate::slt, x, a.mul(quotient, number(divisor)));
  return a.add(quotient, LLVM::SExtOp::create(b, loc, x.getType(), isAbove));
}

Value PatternBits::divide(Value position, int64_t unit) {
  return floorDivide(position, unit, [&](int64_t n) { return a.i32(n); });
}
