//===- ClosedForm.cpp - Key ranges of a query in closed form --------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Analysis/ClosedForm.h"

#include "girih-c/BlockMap.h"
#include "llvm/ADT/SetVector.h"

#include <algorithm>

using namespace mlir;
using namespace girih;

static void collectTablesImpl(Value pattern, llvm::SetVector<Operation *> &tables,
                              llvm::DenseSet<Operation *> &visited) {
  Operation *op = pattern.getDefiningOp();
  if (!op || !visited.insert(op).second)
    return;
  if (isa<SegmentsOp, BlockTableOp, RandomBlocksOp>(op))
    tables.insert(op);
  for (Value operand : op->getOperands())
    if (isa<PatternType>(operand.getType()))
      collectTablesImpl(operand, tables, visited);
}

SmallVector<Operation *> girih::collectTables(Value pattern) {
  llvm::SetVector<Operation *> tables;
  llvm::DenseSet<Operation *> visited;
  collectTablesImpl(pattern, tables, visited);
  return tables.takeVector();
}

SmallVector<BlockArgument> girih::lookupTables(Block &function) {
  SmallVector<BlockArgument> tables;
  for (BlockArgument argument : function.getArguments()) {
    auto type = dyn_cast<RankedTensorType>(argument.getType());
    if (argument.getArgNumber() >= firstOperandArgument && type &&
        (type.getElementType().isInteger(32) || type.getElementType().isF32()))
      tables.push_back(argument);
  }
  return tables;
}

std::optional<unsigned> girih::lookupTableIndex(Value table) {
  auto argument = dyn_cast<BlockArgument>(table);
  if (!argument)
    return std::nullopt;
  SmallVector<BlockArgument> tables = lookupTables(*argument.getOwner());
  auto place = llvm::find(tables, argument) - tables.begin();
  if (place == static_cast<ptrdiff_t>(tables.size()))
    return std::nullopt;
  return static_cast<unsigned>(place);
}

namespace {

/// An atom of a conjunction: a constraint, or "one segment" of a table.
struct Literal {
  Constraint constraint; // unless segments
  SegmentsOp segments;
};
using Conjunction = SmallVector<Literal>;
using Disjunction = SmallVector<Conjunction>;

/// Turns a pattern into a disjunction of conjunctions of literals.
class DnfBuilder {
public:
  explicit DnfBuilder(TermSymbols &terms) : terms(terms) {}

  std::optional<Disjunction> build(Value pattern, bool negated) {
    Operation *op = pattern.getDefiningOp();
    if (!op)
      return std::nullopt;
    if (isa<FullOp, EmptyOp>(op)) {
      bool holds = isa<FullOp>(op) != negated;
      return holds ? Disjunction{Conjunction{}} : Disjunction{};
    }
    if (auto complement = dyn_cast<ComplementOp>(op))
      return build(complement.getPattern(), !negated);
    if (isa<UnionOp, IntersectOp>(op))
      return isa<UnionOp>(op) != negated ? sum(op, negated) : product(op, negated);
    if (auto where = dyn_cast<WhereOp>(op))
      return fromWhere(where, negated);
    if (auto segments = dyn_cast<SegmentsOp>(op); segments && !negated)
      return Disjunction{Conjunction{Literal{{}, segments}}};
    return std::nullopt;
  }

private:
  std::optional<Disjunction> sum(Operation *op, bool negated) {
    Disjunction result;
    for (Value operand : op->getOperands()) {
      auto terms = build(operand, negated);
      if (!terms || result.size() + terms->size() > limit)
        return std::nullopt;
      result.append(*terms);
    }
    return result;
  }

  std::optional<Disjunction> product(Operation *op, bool negated) {
    Disjunction result{Conjunction{}};
    for (Value operand : op->getOperands()) {
      auto terms = build(operand, negated);
      if (!terms || result.size() * terms->size() > limit)
        return std::nullopt;
      result = multiply(result, *terms);
    }
    return result;
  }

  static Disjunction multiply(const Disjunction &a, const Disjunction &b) {
    Disjunction result;
    for (const Conjunction &x : a) {
      for (const Conjunction &y : b) {
        Conjunction both = x;
        both.append(y);
        result.push_back(std::move(both));
      }
    }
    return result;
  }

  std::optional<Disjunction> fromWhere(WhereOp where, bool negated) {
    SmallVector<Constraint> constraints = whereConstraints(where, terms);
    Disjunction result;
    if (!negated) {
      Conjunction all;
      for (const Constraint &constraint : constraints)
        all.push_back(Literal{constraint, {}});
      return Disjunction{all};
    }
    // not (e >= 0) is -e - 1 >= 0; not (e == 0) is e >= 1 or e <= -1.
    for (const Constraint &constraint : constraints) {
      result.push_back({Literal{{-constraint.expr - 1, false}, {}}});
      if (constraint.isEquality)
        result.push_back({Literal{{constraint.expr - 1, false}, {}}});
    }
    if (result.size() > limit)
      return std::nullopt;
    return result;
  }

  TermSymbols &terms;
  // Products may shrink again when terms turn out to be empty.
  static constexpr unsigned limit = 4 * maxClosedTerms;
};

/// Solves the literals of one conjunction for a position.
class TermSolver {
public:
  TermSolver(SetPosition solved, ArrayRef<Operation *> tables, MLIRContext *context)
      : solved(solved), free(solved == PosK ? PosQ : PosK), tables(tables), context(context) {}

  /// Returns false when a literal cannot be solved. `contradiction` is set when
  /// a literal is false whatever the positions are.
  bool solve(const Conjunction &conjunction) {
    for (const Literal &literal : conjunction) {
      if (literal.segments ? !addSegments(literal.segments) : !addConstraint(literal.constraint))
        return false;
    }
    return true;
  }

  ClosedTerm term;
  bool contradiction = false;

private:
  bool addConstraint(const Constraint &constraint) {
    if (reads(constraint.expr, solved)) {
      if (constraint.isEquality && !addAtLeastZero(-constraint.expr))
        return false;
      return addAtLeastZero(constraint.expr);
    }
    if (auto constant = dyn_cast<AffineConstantExpr>(constraint.expr)) {
      bool holds = constraint.isEquality ? constant.getValue() == 0 : constant.getValue() >= 0;
      contradiction |= !holds;
      return true;
    }
    term.guards.push_back(constraint);
    return true;
  }

  /// expr >= 0 with exactly one addend that reads the solved position.
  bool addAtLeastZero(AffineExpr expr) {
    Addend pivot{0, {}};
    AffineExpr rest = getAffineConstantExpr(0, context);
    for (const Addend &addend : addendsOf(expr)) {
      if (addend.atom && reads(addend.atom, solved)) {
        if (pivot.atom)
          return false;
        pivot = addend;
        continue;
      }
      AffineExpr atom = addend.atom ? addend.atom : getAffineConstantExpr(1, context);
      rest = rest + atom * addend.coefficient;
    }
    if (!pivot.atom)
      return false;
    // c * T + rest >= 0: T >= -floor(rest / c), or T <= floor(rest / -c).
    if (pivot.coefficient > 0)
      return addAtLeast(pivot.atom, -rest.floorDiv(pivot.coefficient));
    return addAtMost(pivot.atom, rest.floorDiv(-pivot.coefficient));
  }

  bool isSolved(AffineExpr atom) const {
    auto symbol = dyn_cast<AffineSymbolExpr>(atom);
    return symbol && symbol.getPosition() == static_cast<unsigned>(solved);
  }

  bool addAtLeast(AffineExpr atom, AffineExpr bound) {
    if (isSolved(atom))
      return addBound(term.lower, bound);
    // floor(x / c) >= t is x - c t >= 0.
    auto binary = scalableDivision(atom, bound);
    if (!binary)
      return false;
    return addAtLeastZero(binary.getLHS() - binary.getRHS() * bound);
  }

  bool addAtMost(AffineExpr atom, AffineExpr bound) {
    if (isSolved(atom))
      return addBound(term.upper, bound);
    // floor(x / c) <= t is c t + c - 1 - x >= 0.
    auto binary = scalableDivision(atom, bound);
    if (!binary)
      return false;
    return addAtLeastZero(binary.getRHS() * bound + binary.getRHS() - 1 - binary.getLHS());
  }

  /// `atom` as a floordiv by c, if c (bound + 1) stays within 62 bits: affine
  /// expressions fold constants without looking. Null otherwise.
  static AffineBinaryOpExpr scalableDivision(AffineExpr atom, AffineExpr bound) {
    if (atom.getKind() != AffineExprKind::FloorDiv)
      return nullptr;
    auto binary = cast<AffineBinaryOpExpr>(atom);
    auto bounds = boundsOf(bound);
    if (!bounds)
      return nullptr;
    __int128 largest = std::max(-bounds->lower, bounds->upper) + 1;
    __int128 divisor = cast<AffineConstantExpr>(binary.getRHS()).getValue();
    return largest <= maxIndexMagnitude / divisor ? binary : AffineBinaryOpExpr(nullptr);
  }

  bool addBound(SmallVectorImpl<AffineExpr> &bounds, AffineExpr bound) {
    if (directionIn(bound, free) == Direction::Unknown || !boundsOf(bound))
      return false;
    if (!llvm::is_contained(bounds, bound))
      bounds.push_back(bound);
    return true;
  }

  bool addSegments(SegmentsOp op) {
    unsigned index = llvm::find(tables, op.getOperation()) - tables.begin();
    int64_t unit = op.getUnit();
    AffineExpr begin = positionExpr(context, NumPositions + 2 * index);
    AffineExpr end = positionExpr(context, NumPositions + 2 * index + 1);
    return addBound(term.lower, begin * unit) && addBound(term.upper, end * unit + (unit - 1));
  }

  SetPosition solved, free;
  ArrayRef<Operation *> tables;
  MLIRContext *context;
};

} // namespace

std::optional<SmallVector<ClosedTerm>> girih::solveClosedForm(Value pattern, SetPosition solved,
                                                              TermSymbols &symbols) {
  auto terms = DnfBuilder(symbols).build(pattern, /*negated=*/false);
  if (!terms)
    return std::nullopt;
  SmallVector<Operation *> tables = collectTables(pattern);
  SmallVector<ClosedTerm> result;
  for (const Conjunction &conjunction : *terms) {
    TermSolver solver(solved, tables, pattern.getContext());
    if (!solver.solve(conjunction))
      return std::nullopt;
    if (!solver.contradiction)
      result.push_back(std::move(solver.term));
  }
  if (result.size() > maxClosedTerms)
    return std::nullopt;
  return result;
}
