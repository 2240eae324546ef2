//===- NormalForm.cpp - Build patterns in normal form ---------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Transforms/NormalForm.h"

#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace girih;

//===----------------------------------------------------------------------===//
// IndexTree
//===----------------------------------------------------------------------===//

/// None where a leaf has none.
static std::optional<ExprBounds> boundsOfTree(const IndexTree &tree) {
  if (tree.isLeaf())
    return tree.expr ? boundsOf(tree.expr) : std::nullopt;
  std::optional<ExprBounds> all;
  for (const IndexTree &child : tree.children) {
    auto bounds = boundsOfTree(child);
    if (!bounds)
      return std::nullopt;
    bool isMin = tree.kind == IndexTree::Min;
    if (!all)
      all = bounds;
    else if (isMin)
      all = {std::min(all->lower, bounds->lower), std::min(all->upper, bounds->upper)};
    else
      all = {std::max(all->lower, bounds->lower), std::max(all->upper, bounds->upper)};
  }
  return all;
}

IndexTree IndexTree::extremum(Kind kind, const IndexTree &a, const IndexTree &b) {
  auto x = boundsOfTree(a), y = boundsOfTree(b);
  if (x && y && (x->upper <= y->lower || y->upper <= x->lower))
    return (x->upper <= y->lower) == (kind == Min) ? a : b;
  return {kind, {a, b}};
}

IndexTree IndexTree::operator+(const IndexTree &other) const {
  if (isLeaf() && other.isLeaf())
    return expr + other.expr;
  // x + min(a, b) = min(x + a, x + b); the same for max.
  const IndexTree &outer = isLeaf() ? other : *this;
  const IndexTree &inner = isLeaf() ? *this : other;
  std::vector<IndexTree> sums;
  for (const IndexTree &child : outer.children)
    sums.push_back(child + inner);
  return {outer.kind, std::move(sums)};
}

IndexTree IndexTree::operator+(int64_t constant) const {
  if (isLeaf())
    return expr + constant;
  std::vector<IndexTree> sums;
  for (const IndexTree &child : children)
    sums.push_back(child + constant);
  return {kind, std::move(sums)};
}

IndexTree IndexTree::operator*(int64_t factor) const {
  if (isLeaf())
    return expr * factor;
  std::vector<IndexTree> products;
  for (const IndexTree &child : children)
    products.push_back(child * factor);
  return {factor >= 0 ? kind : (kind == Min ? Max : Min), std::move(products)};
}

IndexTree IndexTree::floorDiv(int64_t divisor) const {
  if (isLeaf())
    return expr.floorDiv(divisor);
  std::vector<IndexTree> quotients;
  for (const IndexTree &child : children)
    quotients.push_back(child.floorDiv(divisor));
  return {kind, std::move(quotients)};
}

size_t IndexTree::size() const {
  size_t leaves = isLeaf();
  for (const IndexTree &child : children)
    leaves += child.size();
  return leaves;
}

//===----------------------------------------------------------------------===//
// NormalFormBuilder
//===----------------------------------------------------------------------===//

Value NormalFormBuilder::constant(bool value) {
  if (value)
    return FullOp::create(builder, loc);
  return EmptyOp::create(builder, loc);
}

Value NormalFormBuilder::where(Constraint constraint) {
  if (auto value = dyn_cast<AffineConstantExpr>(constraint.expr))
    return constant(constraint.isEquality ? value.getValue() == 0 : value.getValue() >= 0);
  return makeWhere(builder, loc, constraint, terms);
}

template <typename Make>
AffineExpr NormalFormBuilder::term(const void *of, ArrayRef<AffineExpr> exprs, Make make) {
  std::vector<const void *> key;
  for (AffineExpr expr : exprs)
    key.push_back(expr.getAsOpaquePointer());
  AffineExpr &symbol = known[{of, std::move(key)}];
  if (!symbol) {
    SmallVector<Value> named;
    AffineMap map = makeTermMap(getContext(), exprs, terms, named);
    symbol = terms.symbolOf(make(AffineMapAttr::get(map), named));
  }
  return symbol;
}

AffineExpr NormalFormBuilder::lookup(Value table, ArrayRef<AffineExpr> indices) {
  return term(table.getAsOpaquePointer(), indices, [&](AffineMapAttr map, ValueRange named) {
    return TermLookupOp::create(builder, loc, builder.getType<TermType>(), table, map, named);
  });
}

AffineExpr NormalFormBuilder::flat(const IndexTree &tree) {
  if (tree.isLeaf())
    return tree.expr;
  SmallVector<AffineExpr> children;
  for (const IndexTree &child : tree.children)
    children.push_back(flat(child));
  auto which =
      ExtremumAttr::get(getContext(), tree.kind == IndexTree::Min ? Extremum::Min : Extremum::Max);
  static const char kinds[2] = {};
  return term(
      &kinds[tree.kind == IndexTree::Max], children, [&](AffineMapAttr map, ValueRange named) {
        return TermExtremumOp::create(builder, loc, builder.getType<TermType>(), which, map, named);
      });
}

Value NormalFormBuilder::atLeastZero(const IndexTree &tree) {
  if (tree.isLeaf())
    return where({tree.expr, false});
  SmallVector<Value> parts;
  for (const IndexTree &child : tree.children)
    parts.push_back(atLeastZero(child));
  return combine(parts, tree.kind == IndexTree::Max);
}

Value NormalFormBuilder::equalsZero(const IndexTree &tree) {
  if (tree.isLeaf())
    return where({tree.expr, true});
  return conjunction({atLeastZero(tree), atLeastZero(tree * -1)});
}

Value NormalFormBuilder::conjunction(ArrayRef<Value> patterns) { return combine(patterns, false); }

Value NormalFormBuilder::disjunction(ArrayRef<Value> patterns) { return combine(patterns, true); }

Value NormalFormBuilder::combine(ArrayRef<Value> patterns, bool isUnion) {
  SmallVector<Value> kept;
  for (Value pattern : patterns) {
    bool isFull = pattern.getDefiningOp<FullOp>() != nullptr;
    bool isEmpty = pattern.getDefiningOp<EmptyOp>() != nullptr;
    if (isUnion ? isFull : isEmpty)
      return pattern;
    if (!isFull && !isEmpty && !llvm::is_contained(kept, pattern))
      kept.push_back(pattern);
  }
  if (kept.empty())
    return constant(!isUnion);
  if (kept.size() == 1)
    return kept.front();
  if (isUnion)
    return UnionOp::create(builder, loc, kept);
  return IntersectOp::create(builder, loc, kept);
}

Value NormalFormBuilder::complement(Value pattern) {
  if (pattern.getDefiningOp<FullOp>())
    return constant(false);
  if (pattern.getDefiningOp<EmptyOp>())
    return constant(true);
  if (auto inner = pattern.getDefiningOp<ComplementOp>())
    return inner.getPattern();
  return ComplementOp::create(builder, loc, pattern);
}

//===----------------------------------------------------------------------===//
// Positions
//===----------------------------------------------------------------------===//

Positions Positions::identity(MLIRContext *context) {
  Positions positions;
  for (unsigned i = 0; i != NumPositions; ++i)
    positions.exprs.push_back(positionExpr(context, i));
  return positions;
}

std::optional<Positions> Positions::inBlocks(int64_t size) const {
  Positions blocks;
  // A length plus a block must stay within 62 bits.
  if (llvm::MulOverflow(unit, size, blocks.unit) || blocks.unit > int64_t(1) << 61)
    return std::nullopt;
  // Straight from tokens: floor(floor(q / a) / b) = floor(q / (a b)), which the
  // closed forms can solve.
  Positions tokens = identity(exprs[0].getContext());
  for (unsigned i = 0; i != NumPositions; ++i) {
    if (i == PosB || i == PosH)
      blocks.exprs.push_back(tokens[i]);
    else if (i == PosQ || i == PosK)
      blocks.exprs.push_back(tokens[i].floorDiv(blocks.unit));
    else
      blocks.exprs.push_back((tokens[i] + (blocks.unit - 1)).floorDiv(blocks.unit));
  }
  return blocks;
}
