//===- IndexForm.cpp - Questions about index expressions ------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Analysis/IndexForm.h"

#include "girih-c/BlockMap.h"
#include "llvm/ADT/SetVector.h"

#include <algorithm>
#include <limits>

using namespace mlir;
using namespace girih;

AffineExpr girih::positionExpr(MLIRContext *context, unsigned position) {
  return getAffineSymbolExpr(position, context);
}

/// Whether every product has a constant factor.
static bool isAffine(AffineExpr expr) {
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return true;
  if (binary.getKind() == AffineExprKind::Mul && !isa<AffineConstantExpr>(binary.getLHS()) &&
      !isa<AffineConstantExpr>(binary.getRHS()))
    return false;
  return isAffine(binary.getLHS()) && isAffine(binary.getRHS());
}

//===----------------------------------------------------------------------===//
// Terms
//===----------------------------------------------------------------------===//

/// Symbols of terms: this, plus 16 times the term's number, plus a bit for each of b, h, q
/// and k that it reads.
static constexpr unsigned firstTermSymbol = 1u << 20, bitsOfTerm = 4;

static bool isTermSymbol(unsigned position) { return position >= firstTermSymbol; }

AffineExpr TermSymbols::symbolOf(Value term) {
  if (auto it = symbols.find(term); it != symbols.end())
    return getAffineSymbolExpr(it->second, term.getContext());
  unsigned read = 0;
  if (Operation *op = term.getDefiningOp())
    for (AffineExpr expr : termExprs(op, *this))
      for (unsigned position = 0; position != bitsOfTerm; ++position)
        read |= unsigned{reads(expr, position)} << position;
  else
    read = (1u << bitsOfTerm) - 1;
  unsigned symbol = firstTermSymbol + (static_cast<unsigned>(terms.size()) << bitsOfTerm) + read;
  symbols[term] = symbol;
  terms.push_back(term);
  return getAffineSymbolExpr(symbol, term.getContext());
}

Value TermSymbols::termOf(AffineExpr symbol) const {
  unsigned position = cast<AffineSymbolExpr>(symbol).getPosition();
  return isTermSymbol(position) ? terms[(position - firstTermSymbol) >> bitsOfTerm] : Value();
}

/// The terms that expressions name, in the order of their first use.
static SmallVector<Value> namedTerms(ArrayRef<AffineExpr> exprs, TermSymbols &terms) {
  llvm::SetVector<Value> named;
  for (AffineExpr expr : exprs)
    expr.walk([&](AffineExpr e) {
      if (isa<AffineSymbolExpr>(e))
        if (Value term = terms.termOf(e))
          named.insert(term);
    });
  return named.takeVector();
}

/// Replaces the symbols of terms by those from `first` on, and of positions by `positions`.
static AffineExpr withLocalTerms(AffineExpr expr, ArrayRef<AffineExpr> positions, unsigned first,
                                 ArrayRef<Value> named, TermSymbols &terms) {
  llvm::DenseMap<AffineExpr, AffineExpr> local;
  for (auto [i, position] : llvm::enumerate(positions))
    local[positionExpr(expr.getContext(), i)] = position;
  for (auto [i, term] : llvm::enumerate(named))
    local[terms.symbolOf(term)] = getAffineSymbolExpr(first + i, expr.getContext());
  return expr.replace(local);
}

WhereOp girih::makeWhere(OpBuilder &builder, Location loc, ArrayRef<Constraint> constraints,
                         TermSymbols &terms) {
  MLIRContext *context = builder.getContext();
  bool affine = llvm::all_of(constraints, [](const Constraint &c) { return isAffine(c.expr); });
  SmallVector<AffineExpr> exprs, positions;
  SmallVector<bool> equalities;
  unsigned dims = affine ? numSetDims : 0, first = NumPositions - dims;
  for (unsigned i = 0; i != NumPositions; ++i)
    positions.push_back(i < dims ? getAffineDimExpr(i, context)
                                 : getAffineSymbolExpr(i - dims, context));
  for (const Constraint &constraint : constraints) {
    exprs.push_back(constraint.expr);
    equalities.push_back(constraint.isEquality);
  }
  SmallVector<Value> named = namedTerms(exprs, terms);
  for (AffineExpr &expr : exprs)
    expr = withLocalTerms(expr, positions, first, named, terms);
  IntegerSet set = IntegerSet::get(dims, first + named.size(), exprs, equalities);
  return WhereOp::create(builder, loc, builder.getType<PatternType>(), IntegerSetAttr::get(set),
                         named);
}

/// The symbols of positions and terms for `dims` dimensions and symbols behind them.
static SmallVector<AffineExpr> globalSymbols(MLIRContext *context, unsigned dims, ValueRange named,
                                             TermSymbols &terms) {
  SmallVector<AffineExpr> symbols;
  for (unsigned i = dims; i != NumPositions; ++i)
    symbols.push_back(positionExpr(context, i));
  for (Value term : named)
    symbols.push_back(terms.symbolOf(term));
  return symbols;
}

SmallVector<Constraint> girih::whereConstraints(WhereOp where, TermSymbols &terms) {
  IntegerSet set = where.getSet();
  SmallVector<Constraint> constraints;
  SmallVector<AffineExpr> dims;
  for (unsigned i = 0; i != set.getNumDims(); ++i)
    dims.push_back(positionExpr(where.getContext(), i));
  SmallVector<AffineExpr> symbols =
      globalSymbols(where.getContext(), set.getNumDims(), where.getTerms(), terms);
  for (auto [expr, equality] : llvm::zip(set.getConstraints(), set.getEqFlags()))
    constraints.push_back({expr.replaceDimsAndSymbols(dims, symbols), equality});
  return constraints;
}

AffineMap girih::makeTermMap(MLIRContext *context, ArrayRef<AffineExpr> exprs, TermSymbols &terms,
                             SmallVectorImpl<Value> &named) {
  named = namedTerms(exprs, terms);
  SmallVector<AffineExpr> positions, local;
  for (unsigned i = 0; i != NumPositions; ++i)
    positions.push_back(positionExpr(context, i));
  for (AffineExpr expr : exprs)
    local.push_back(withLocalTerms(expr, positions, NumPositions, named, terms));
  return AffineMap::get(0, NumPositions + named.size(), local, context);
}

SmallVector<AffineExpr> girih::termExprs(Operation *term, TermSymbols &terms) {
  auto lookup = dyn_cast<TermLookupOp>(term);
  AffineMap map = lookup ? lookup.getAt() : cast<TermExtremumOp>(term).getOf();
  ValueRange named = lookup ? lookup.getTerms() : cast<TermExtremumOp>(term).getTerms();
  SmallVector<AffineExpr> symbols = globalSymbols(term->getContext(), 0, named, terms), exprs;
  for (AffineExpr result : map.getResults())
    exprs.push_back(result.replaceSymbols(symbols));
  return exprs;
}

//===----------------------------------------------------------------------===//
// Questions
//===----------------------------------------------------------------------===//

bool girih::reads(AffineExpr expr, unsigned position) {
  WalkResult found = expr.walk([&](AffineExpr e) -> WalkResult {
    auto symbol = dyn_cast<AffineSymbolExpr>(e);
    if (!symbol)
      return WalkResult::advance();
    unsigned at = symbol.getPosition();
    bool isRead = isTermSymbol(at) ? position < bitsOfTerm && (at >> position & 1) : at == position;
    return isRead ? WalkResult::interrupt() : WalkResult::advance();
  });
  return found.wasInterrupted();
}

static int64_t constantOf(AffineExpr expr) { return cast<AffineConstantExpr>(expr).getValue(); }

static __int128 floorDiv(__int128 a, __int128 b) { return a / b - (a % b != 0 && a < 0); }

static std::optional<ExprBounds> boundsImpl(AffineExpr expr, __int128 &magnitude) {
  constexpr __int128 tokens = GIRIH_MAX_TOKENS, heads = GIRIH_MAX_HEADS;
  ExprBounds result{};
  switch (expr.getKind()) {
  case AffineExprKind::Constant:
    result = {constantOf(expr), constantOf(expr)};
    break;
  case AffineExprKind::DimId:
    return std::nullopt;
  case AffineExprKind::SymbolId: {
    unsigned position = cast<AffineSymbolExpr>(expr).getPosition();
    if (isTermSymbol(position))
      result = {std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max()};
    else if (position == PosB || position == PosH)
      result = {0, heads};
    else if (position == PosQ || position >= NumPositions)
      result = {-tokens, tokens};
    else
      result = {0, tokens};
    break;
  }
  default: {
    auto binary = cast<AffineBinaryOpExpr>(expr);
    auto a = boundsImpl(binary.getLHS(), magnitude), b = boundsImpl(binary.getRHS(), magnitude);
    if (!a || !b)
      return std::nullopt;
    switch (expr.getKind()) {
    case AffineExprKind::Add:
      result = {a->lower + b->lower, a->upper + b->upper};
      break;
    case AffineExprKind::Mul: {
      __int128 products[] = {a->lower * b->lower, a->lower * b->upper, a->upper * b->lower,
                             a->upper * b->upper};
      result = {*std::min_element(products, products + 4),
                *std::max_element(products, products + 4)};
      break;
    }
    case AffineExprKind::FloorDiv:
      result = {floorDiv(a->lower, b->lower), floorDiv(a->upper, b->lower)};
      break;
    case AffineExprKind::CeilDiv:
      result = {-floorDiv(-a->lower, b->lower), -floorDiv(-a->upper, b->lower)};
      break;
    default:
      result = {0, b->lower - 1};
      break;
    }
  }
  }
  if (result.lower < -maxIndexMagnitude || result.upper > maxIndexMagnitude)
    return std::nullopt;
  magnitude = std::max({magnitude, -result.lower, result.upper});
  return result;
}

std::optional<ExprBounds> girih::boundsOf(AffineExpr expr, __int128 *magnitude) {
  __int128 largest = 0;
  auto bounds = boundsImpl(expr, largest);
  if (magnitude)
    *magnitude = largest;
  return bounds;
}

static bool isTerm(AffineExpr expr) {
  auto symbol = dyn_cast_or_null<AffineSymbolExpr>(expr);
  return symbol && isTermSymbol(symbol.getPosition());
}

Sides girih::sidesOf(AffineExpr expr) {
  AffineExpr zero = getAffineConstantExpr(0, expr.getContext());
  SmallVector<Addend> addends = addendsOf(expr);
  auto *pivot = llvm::find_if(addends, [](const Addend &addend) {
    return isTerm(addend.atom) && std::abs(addend.coefficient) == 1;
  });
  if (pivot == addends.end())
    return {expr, zero};
  // Positive: term >= -rest; negative: rest >= term.
  int64_t sign = -pivot->coefficient;
  AffineExpr rest = zero;
  for (const Addend &addend : addends) {
    if (&addend == pivot)
      continue;
    AffineExpr atom = addend.atom ? addend.atom : getAffineConstantExpr(1, expr.getContext());
    rest = rest + atom * (sign * addend.coefficient);
  }
  return sign < 0 ? Sides{pivot->atom, rest} : Sides{rest, pivot->atom};
}

bool girih::fitsWithin(AffineExpr expr, int64_t limit) {
  __int128 magnitude = 0;
  return isTerm(expr) || (boundsOf(expr, &magnitude) && magnitude <= limit);
}

static void collectTerms(Value value, llvm::SetVector<Operation *> &terms,
                         llvm::DenseSet<Operation *> &visited) {
  Operation *op = value.getDefiningOp();
  if (!op || !visited.insert(op).second)
    return;
  for (Value operand : op->getOperands())
    if (isa<PatternType, TermType>(operand.getType()))
      collectTerms(operand, terms, visited);
  if (isa<TermLookupOp, TermExtremumOp>(op))
    terms.insert(op);
}

SmallVector<Operation *> girih::collectTerms(Value pattern) {
  llvm::SetVector<Operation *> terms;
  llvm::DenseSet<Operation *> visited;
  ::collectTerms(pattern, terms, visited);
  return terms.takeVector();
}

static Direction flip(Direction direction) {
  if (direction == Direction::Increasing)
    return Direction::Decreasing;
  return direction == Direction::Decreasing ? Direction::Increasing : direction;
}

Direction girih::directionIn(AffineExpr expr, unsigned position) {
  if (auto symbol = dyn_cast<AffineSymbolExpr>(expr)) {
    if (isTermSymbol(symbol.getPosition()))
      return reads(expr, position) ? Direction::Unknown : Direction::Constant;
    // Segment bounds never decrease along the tokens.
    return symbol.getPosition() == position || symbol.getPosition() >= NumPositions
               ? Direction::Increasing
               : Direction::Constant;
  }
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (!binary)
    return Direction::Constant;
  Direction lhs = directionIn(binary.getLHS(), position);
  Direction rhs = directionIn(binary.getRHS(), position);
  if (lhs == Direction::Constant && rhs == Direction::Constant)
    return Direction::Constant;
  switch (expr.getKind()) {
  case AffineExprKind::Add:
    if (lhs == Direction::Constant || lhs == rhs)
      return rhs;
    return rhs == Direction::Constant ? lhs : Direction::Unknown;
  case AffineExprKind::Mul:
    if (auto constant = dyn_cast<AffineConstantExpr>(binary.getRHS()))
      return constant.getValue() >= 0 ? lhs : flip(lhs);
    return Direction::Unknown;
  case AffineExprKind::FloorDiv:
  case AffineExprKind::CeilDiv:
    return lhs; // by a positive constant
  default:
    return Direction::Unknown;
  }
}

static void addAddends(AffineExpr expr, int64_t factor, SmallVectorImpl<Addend> &addends) {
  auto binary = dyn_cast<AffineBinaryOpExpr>(expr);
  if (expr.getKind() == AffineExprKind::Add) {
    addAddends(binary.getLHS(), factor, addends);
    addAddends(binary.getRHS(), factor, addends);
    return;
  }
  if (expr.getKind() == AffineExprKind::Mul) {
    if (auto constant = dyn_cast<AffineConstantExpr>(binary.getRHS())) {
      addAddends(binary.getLHS(), factor * constant.getValue(), addends);
      return;
    }
  }
  AffineExpr atom = expr;
  int64_t coefficient = factor;
  if (auto constant = dyn_cast<AffineConstantExpr>(expr)) {
    atom = AffineExpr();
    coefficient = factor * constant.getValue();
  }
  for (Addend &addend : addends) {
    if (addend.atom == atom) {
      addend.coefficient += coefficient;
      return;
    }
  }
  addends.push_back({coefficient, atom});
}

SmallVector<Addend> girih::addendsOf(AffineExpr expr) {
  SmallVector<Addend> addends;
  addAddends(expr, 1, addends);
  llvm::erase_if(addends, [](const Addend &a) { return a.coefficient == 0; });
  return addends;
}
