//===- ReadPredicate.cpp - Predicate regions as patterns ------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Interprets the region of girih.predicate symbolically: integers become
// IndexTrees under conditions, booleans become patterns. Every step is exact;
// what cannot be said exactly is an error.
//
//===----------------------------------------------------------------------===//

#include "girih/Transforms/NormalForm.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace girih;

namespace {

/// `value` where `condition` holds; conditions of the pieces of one integer are
/// disjoint and cover everything. A null condition always holds.
struct Piece {
  Value condition;
  IndexTree value;
};
using Integer = SmallVector<Piece>;

/// Beyond this many leaves a predicate is refused rather than blown up.
constexpr size_t maxLeaves = 512;

class PredicateReader {
public:
  PredicateReader(const Positions &positions, NormalFormBuilder &build)
      : positions(positions), build(build) {}

  Value read(PredicateOp op) {
    Block &body = op.getBody().front();
    setPositions(body.getArguments().take_front(6));
    for (auto [argument, table] : llvm::zip(body.getArguments().drop_front(6), op.getTables()))
      tables[argument] = table;
    for (Operation &inner : body.without_terminator())
      if (failed(readOp(&inner)))
        return {};
    return booleans.lookup(body.getTerminator()->getOperand(0));
  }

  /// Reads the index arithmetic of a score region and collects its lookups.
  LogicalResult read(Region &score, SmallVectorImpl<Value> &terms) {
    Block &body = score.front();
    setPositions(body.getArguments().drop_front()); // behind the score
    llvm::DenseSet<Operation *> needed = indexArithmetic(body);
    for (Operation &inner : body.without_terminator()) {
      if (!needed.contains(&inner))
        continue;
      for (Value operand : inner.getOperands())
        readOutside(operand, score);
      auto lookup = dyn_cast<LookupOp>(inner);
      if (!lookup && !isKnown(inner))
        continue;
      for (Value index : lookup ? lookup.getIndices() : ValueRange())
        if (!integers.contains(index))
          return lookup.emitOpError("expected indices in a score function to be index arithmetic "
                                    "over b, h, q, k and lengths");
      if (failed(readOp(&inner)))
        return failure();
    }
    for (AffineExpr symbol : lookups)
      terms.push_back(build.terms.termOf(symbol));
    return success();
  }

private:
  void setPositions(ArrayRef<BlockArgument> given) {
    static constexpr unsigned order[] = {PosB, PosH, PosQ, PosK, PosNq, PosNk};
    for (auto [argument, position] : llvm::zip_first(given, order))
      integers[argument] = {Piece{Value(), positions[position]}};
  }

  /// Lookups, and what their indices are made of.
  static llvm::DenseSet<Operation *> indexArithmetic(Block &body) {
    llvm::DenseSet<Operation *> needed;
    SmallVector<Operation *> worklist;
    for (auto lookup : body.getOps<LookupOp>())
      worklist.push_back(lookup);
    while (!worklist.empty()) {
      Operation *op = worklist.pop_back_val();
      if (!needed.insert(op).second)
        continue;
      for (Value operand : op->getOperands())
        if (Operation *source = operand.getDefiningOp(); source && source->getBlock() == &body)
          worklist.push_back(source);
    }
    return needed;
  }

  /// Constants and lengths that a score region takes from around it.
  void readOutside(Value value, Region &score) {
    Operation *op = value.getDefiningOp();
    if (!op || score.isAncestor(op->getParentRegion()) || integers.contains(value))
      return;
    auto attention = cast<AttentionOp>(score.getParentOp());
    if (auto constant = dyn_cast<arith::ConstantOp>(op); constant && value.getType().isIndex())
      (void)readConstant(constant); // which does not fail
    if (auto dim = dyn_cast<tensor::DimOp>(op); dim && dim.getConstantIndex() == 2)
      for (auto [tensor, position] :
           {std::pair(attention.getQ(), PosNq), {attention.getK(), PosNk}})
        if (dim.getSource() == tensor)
          integers[value] = {Piece{Value(), positions[position]}};
  }

  /// Whether `op` of a score region is arithmetic on integers that are known.
  bool isKnown(Operation &op) {
    if (!isa<arith::ConstantOp, arith::AddIOp, arith::SubIOp, arith::MinSIOp, arith::MaxSIOp,
             arith::MulIOp, arith::FloorDivSIOp, arith::DivSIOp, arith::RemSIOp, arith::CmpIOp,
             arith::SelectOp, arith::AndIOp, arith::OrIOp, arith::XOrIOp, affine::AffineApplyOp>(
            op) ||
        !isa<IndexType, IntegerType>(op.getResult(0).getType()))
      return false;
    return llvm::all_of(op.getOperands(), [&](Value operand) {
      return integers.contains(operand) || booleans.contains(operand);
    });
  }

  //===--------------------------------------------------------------------===//
  // Integers
  //===--------------------------------------------------------------------===//

  Value both(Value a, Value b) {
    if (!a || !b)
      return a ? a : b;
    return build.conjunction({a, b});
  }

  template <typename Function> Integer unary(const Integer &a, Function function) {
    Integer result;
    for (const Piece &piece : a)
      result.push_back({piece.condition, function(piece.value)});
    return result;
  }

  template <typename Function>
  Integer binary(const Integer &a, const Integer &b, Function function) {
    Integer result;
    for (const Piece &x : a)
      for (const Piece &y : b)
        result.push_back({both(x.condition, y.condition), function(x.value, y.value)});
    return result;
  }

  /// Minima and maxima become conditions: what mod and products need.
  Integer flatten(const Integer &a) {
    Integer result;
    for (const Piece &piece : a)
      flattenTree(piece.value, piece.condition, result);
    return result;
  }

  void flattenTree(const IndexTree &tree, Value condition, Integer &result) {
    if (tree.isLeaf()) {
      result.push_back({condition, tree});
      return;
    }
    // The first child that attains the extremum.
    for (size_t i = 0; i != tree.children.size(); ++i) {
      Value chosen = condition;
      for (size_t j = 0; j != tree.children.size(); ++j) {
        if (i == j)
          continue;
        IndexTree difference = tree.kind == IndexTree::Min ? tree.children[j] - tree.children[i]
                                                           : tree.children[i] - tree.children[j];
        chosen = both(chosen, build.atLeastZero(j < i ? difference + -1 : difference));
      }
      flattenTree(tree.children[i], chosen, result);
    }
  }

  //===--------------------------------------------------------------------===//
  // Ops
  //===--------------------------------------------------------------------===//

  LogicalResult readOp(Operation *op) {
    LogicalResult known =
        llvm::TypeSwitch<Operation *, LogicalResult>(op)
            .Case<arith::ConstantOp>([&](auto constant) { return readConstant(constant); })
            .Case<arith::AddIOp>([&](auto) {
              return setBinary(op, [](const IndexTree &a, const IndexTree &b) { return a + b; });
            })
            .Case<arith::SubIOp>([&](auto) {
              return setBinary(op, [](const IndexTree &a, const IndexTree &b) { return a - b; });
            })
            .Case<arith::MinSIOp>([&](auto) { return setBinary(op, IndexTree::min); })
            .Case<arith::MaxSIOp>([&](auto) { return setBinary(op, IndexTree::max); })
            .Case<arith::MulIOp>([&](auto) { return readProduct(op); })
            .Case<arith::FloorDivSIOp, arith::DivSIOp, arith::RemSIOp>(
                [&](auto) { return readDivision(op); })
            .Case<arith::CmpIOp>([&](auto compare) { return readCompare(compare); })
            .Case<arith::SelectOp>([&](auto select) { return readSelect(select); })
            .Case<arith::AndIOp, arith::OrIOp, arith::XOrIOp>([&](auto) { return readLogic(op); })
            .Case<affine::AffineApplyOp>([&](auto apply) { return readApply(apply); })
            .Case<LookupOp>([&](auto lookup) { return readLookup(lookup); })
            .Default([&](Operation *) {
              InFlightDiagnostic diagnostic =
                  op->emitOpError("is not index arithmetic that a predicate can use");
              diagnostic.attachNote()
                  << "supported: arith constants, addi, subi, muli, floordivsi, divsi, remsi, "
                     "minsi, maxsi, cmpi, select, andi, ori, xori, affine.apply and girih.lookup";
              return failure();
            });
    return failed(known) ? failure() : checkSize(op);
  }

  LogicalResult checkSize(Operation *op) {
    for (Value result : op->getResults()) {
      auto it = integers.find(result);
      if (it == integers.end())
        continue;
      size_t leaves = 0;
      for (const Piece &piece : it->second) {
        leaves += piece.value.size();
        if (failed(checkBounds(op, piece.value)))
          return failure();
      }
      if (leaves > maxLeaves)
        return op->emitOpError("expected a predicate with at most ")
               << maxLeaves << " cases of min, max and select in one expression, but got "
               << leaves;
    }
    return success();
  }

  LogicalResult checkBounds(Operation *op, const IndexTree &tree) {
    for (const IndexTree &child : tree.children)
      if (failed(checkBounds(op, child)))
        return failure();
    if (tree.isLeaf() && (!tree.expr || !boundsOf(tree.expr)))
      return op->emitOpError(
          "expected index arithmetic to stay within 62 bits for lengths up to 2^26");
    return success();
  }

  LogicalResult readConstant(arith::ConstantOp constant) {
    auto value = cast<IntegerAttr>(constant.getValue()); // [c5] of girih.predicate
    if (constant.getType().isInteger(1))
      booleans[constant] = build.constant(value.getValue().getBoolValue());
    else
      integers[constant] = {
          Piece{Value(), getAffineConstantExpr(value.getInt(), build.getContext())}};
    return success();
  }

  template <typename Function> LogicalResult setBinary(Operation *op, Function function) {
    const Integer &a = integers[op->getOperand(0)], &b = integers[op->getOperand(1)];
    size_t leaves = 0;
    for (const Piece &x : a)
      for (const Piece &y : b)
        leaves += x.value.size() * y.value.size();
    if (leaves > maxLeaves)
      return op->emitOpError("expected a predicate with at most ")
             << maxLeaves << " cases of min, max and select in one expression, but got " << leaves;
    Integer result = binary(a, b, function);
    integers[op->getResult(0)] = std::move(result);
    return success();
  }

  static std::optional<int64_t> constantOf(const Integer &value) {
    if (value.size() != 1 || !value[0].value.isLeaf())
      return std::nullopt;
    if (auto constant = dyn_cast<AffineConstantExpr>(value[0].value.expr))
      return constant.getValue();
    return std::nullopt;
  }

  LogicalResult readProduct(Operation *op) {
    Integer a = integers[op->getOperand(0)], b = integers[op->getOperand(1)];
    if (constantOf(a))
      std::swap(a, b);
    if (auto factor = constantOf(b)) {
      // The product of the bounds must be checked before it is built: the
      // builder of affine expressions folds constants without looking.
      for (const Piece &piece : a)
        if (failed(checkProduct(op, piece.value, *factor)))
          return failure();
      integers[op->getResult(0)] = unary(a, [&](const IndexTree &x) { return x * *factor; });
      return success();
    }
    a = flatten(a);
    b = flatten(b);
    integers[op->getResult(0)] = binary(
        a, b, [](const IndexTree &x, const IndexTree &y) { return IndexTree(x.expr * y.expr); });
    return success();
  }

  LogicalResult checkProduct(Operation *op, const IndexTree &tree, int64_t factor) {
    for (const IndexTree &child : tree.children)
      if (failed(checkProduct(op, child, factor)))
        return failure();
    if (!tree.isLeaf())
      return success();
    auto bounds = boundsOf(tree.expr);
    __int128 largest = bounds ? std::max(-bounds->lower, bounds->upper) : maxIndexMagnitude;
    __int128 magnitude = factor < 0 ? -static_cast<__int128>(factor) : factor;
    if (magnitude && largest > maxIndexMagnitude / magnitude)
      return op->emitOpError(
          "expected index arithmetic to stay within 62 bits for lengths up to 2^26");
    return success();
  }

  LogicalResult readDivision(Operation *op) {
    auto divisor = constantOf(integers[op->getOperand(1)]);
    if (!divisor || *divisor <= 0)
      return op->emitOpError("expected the divisor to be a positive constant");
    const Integer a = integers[op->getOperand(0)];
    Integer quotient = unary(a, [&](const IndexTree &x) { return x.floorDiv(*divisor); });
    if (!isa<arith::FloorDivSIOp>(op)) {
      // Division that truncates: -floor(-x / c) for negative x.
      Integer truncated;
      for (const Piece &piece : a) {
        Value atLeastZero = build.atLeastZero(piece.value),
              negative = build.complement(atLeastZero);
        truncated.push_back({both(piece.condition, atLeastZero), piece.value.floorDiv(*divisor)});
        truncated.push_back(
            {both(piece.condition, negative), (piece.value * -1).floorDiv(*divisor) * -1});
      }
      quotient = truncated;
    }
    if (!isa<arith::RemSIOp>(op)) {
      integers[op->getResult(0)] = quotient;
      return success();
    }
    Integer remainder;
    for (auto [index, piece] : llvm::enumerate(quotient))
      remainder.push_back({piece.condition, a[index / 2].value - piece.value * *divisor});
    integers[op->getResult(0)] = remainder;
    return success();
  }

  LogicalResult readApply(affine::AffineApplyOp apply) {
    SmallVector<Integer> operands;
    for (Value operand : apply.getMapOperands())
      operands.push_back(integers[operand]);
    AffineMap map = apply.getAffineMap();
    auto result = evaluate(map.getResult(0), map.getNumDims(), operands);
    if (!result)
      return apply.emitOpError("expected divisors to be positive constants");
    integers[apply.getResult()] = *result;
    return success();
  }

  std::optional<Integer> evaluate(AffineExpr expr, unsigned numDims, ArrayRef<Integer> operands) {
    if (auto dim = dyn_cast<AffineDimExpr>(expr))
      return operands[dim.getPosition()];
    if (auto symbol = dyn_cast<AffineSymbolExpr>(expr))
      return operands[numDims + symbol.getPosition()];
    if (isa<AffineConstantExpr>(expr))
      return Integer{Piece{Value(), expr}};
    auto node = cast<AffineBinaryOpExpr>(expr);
    auto a = evaluate(node.getLHS(), numDims, operands),
         b = evaluate(node.getRHS(), numDims, operands);
    if (!a || !b)
      return std::nullopt;
    if (expr.getKind() == AffineExprKind::Add)
      return binary(*a, *b, [](const IndexTree &x, const IndexTree &y) { return x + y; });
    auto constant = constantOf(*b);
    if (!constant || (expr.getKind() != AffineExprKind::Mul && *constant <= 0))
      return std::nullopt;
    switch (expr.getKind()) {
    case AffineExprKind::Mul:
      return unary(*a, [&](const IndexTree &x) { return x * *constant; });
    case AffineExprKind::FloorDiv:
      return unary(*a, [&](const IndexTree &x) { return x.floorDiv(*constant); });
    case AffineExprKind::CeilDiv:
      return unary(*a,
                   [&](const IndexTree &x) { return (x + (*constant - 1)).floorDiv(*constant); });
    default: // mod is not monotone: minima and maxima become conditions
      return unary(flatten(*a), [&](const IndexTree &x) { return IndexTree(x.expr % *constant); });
    }
  }

  /// A lookup is a term of its own in every case of its indices. Minima and maxima stay within
  /// an index, for there they keep it inside of the table.
  LogicalResult readLookup(LookupOp lookup) {
    SmallVector<std::pair<Value, SmallVector<AffineExpr>>> cases{{Value(), {}}};
    for (Value index : lookup.getIndices()) {
      SmallVector<std::pair<Value, SmallVector<AffineExpr>>> longer;
      for (const auto &[condition, indices] : cases) {
        for (const Piece &piece : integers[index]) {
          longer.push_back({both(condition, piece.condition), indices});
          longer.back().second.push_back(build.flat(piece.value));
        }
      }
      cases = std::move(longer);
      if (cases.size() > maxLeaves)
        return lookup.emitOpError("expected a predicate with at most ")
               << maxLeaves << " cases of min, max and select in the indices of a lookup, but got "
               << cases.size();
    }
    Value table = lookup.getTable();
    if (Value outer = tables.lookup(table))
      table = outer;
    Integer result;
    for (const auto &[condition, indices] : cases) {
      AffineExpr symbol = build.lookup(table, indices);
      lookups.insert(symbol);
      result.push_back({condition, symbol});
    }
    if (lookup.getType().isIndex())
      integers[lookup] = std::move(result);
    return success();
  }

  LogicalResult readCompare(arith::CmpIOp compare) {
    if (compare.getLhs().getType().isInteger(1)) {
      Value a = booleans[compare.getLhs()], b = booleans[compare.getRhs()];
      Value differs = exclusiveOr(a, b);
      if (compare.getPredicate() == arith::CmpIPredicate::ne)
        booleans[compare] = differs;
      else if (compare.getPredicate() == arith::CmpIPredicate::eq)
        booleans[compare] = build.complement(differs);
      else
        return compare.emitOpError("expected eq or ne between booleans");
      return success();
    }
    using P = arith::CmpIPredicate;
    P predicate = compare.getPredicate();
    if (predicate >= P::ult)
      return compare.emitOpError("expected a signed comparison in a predicate");
    SmallVector<Value> cases;
    for (const Piece &a : integers[compare.getLhs()]) {
      for (const Piece &b : integers[compare.getRhs()]) {
        if (a.value.size() * b.value.size() > maxLeaves)
          return compare.emitOpError("expected a predicate with at most ")
                 << maxLeaves << " cases of min, max and select in one comparison, but got "
                 << a.value.size() * b.value.size();
        IndexTree difference = a.value - b.value;
        if (failed(checkBounds(compare, difference)))
          return failure();
        Value holds;
        switch (predicate) {
        case P::eq:
          holds = build.equalsZero(difference);
          break;
        case P::ne:
          holds = build.complement(build.equalsZero(difference));
          break;
        case P::sge:
          holds = build.atLeastZero(difference);
          break;
        case P::sgt:
          holds = build.atLeastZero(difference + -1);
          break;
        case P::sle:
          holds = build.atLeastZero(difference * -1);
          break;
        default:
          holds = build.atLeastZero(difference * -1 + -1);
          break;
        }
        cases.push_back(both(both(a.condition, b.condition), holds));
      }
    }
    booleans[compare] = build.disjunction(cases);
    return success();
  }

  Value exclusiveOr(Value a, Value b) {
    return build.disjunction(
        {build.conjunction({a, build.complement(b)}), build.conjunction({b, build.complement(a)})});
  }

  LogicalResult readSelect(arith::SelectOp select) {
    Value condition = booleans[select.getCondition()];
    Value otherwise = build.complement(condition);
    if (select.getType().isInteger(1)) {
      booleans[select] =
          build.disjunction({build.conjunction({condition, booleans[select.getTrueValue()]}),
                             build.conjunction({otherwise, booleans[select.getFalseValue()]})});
      return success();
    }
    Integer result;
    for (const Piece &piece : integers[select.getTrueValue()])
      result.push_back({both(condition, piece.condition), piece.value});
    for (const Piece &piece : integers[select.getFalseValue()])
      result.push_back({both(otherwise, piece.condition), piece.value});
    integers[select] = result;
    return success();
  }

  LogicalResult readLogic(Operation *op) {
    Value result = op->getResult(0);
    if (!result.getType().isInteger(1))
      return op->emitOpError("expected i1 operands in a predicate, but got ") << result.getType();
    Value a = booleans[op->getOperand(0)], b = booleans[op->getOperand(1)];
    if (isa<arith::AndIOp>(op))
      booleans[result] = build.conjunction({a, b});
    else
      booleans[result] = isa<arith::OrIOp>(op) ? build.disjunction({a, b}) : exclusiveOr(a, b);
    return success();
  }

  const Positions &positions;
  NormalFormBuilder &build;
  llvm::DenseMap<Value, Integer> integers;
  llvm::DenseMap<Value, Value> booleans;
  llvm::DenseMap<Value, Value> tables; ///< of arguments of a predicate
  llvm::SetVector<AffineExpr> lookups;
};

} // namespace

Value girih::readPredicate(PredicateOp op, const Positions &positions, NormalFormBuilder &builder) {
  return PredicateReader(positions, builder).read(op);
}

LogicalResult girih::readScore(Region &score, NormalFormBuilder &builder,
                               SmallVectorImpl<Value> &terms) {
  Positions positions = Positions::identity(score.getContext());
  return PredicateReader(positions, builder).read(score, terms);
}
