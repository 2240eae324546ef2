//===- PatternFolds.cpp - Folds of pattern ops ----------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Boolean identities. A constant pattern is a BoolAttr here: true is girih.full,
// false is girih.empty.
//
//===----------------------------------------------------------------------===//

#include "girih/Pattern/Girih.h"
#include "girih/Pattern/PatternLimits.h"

#include "mlir/IR/Matchers.h"
#include "llvm/ADT/DenseSet.h"

using namespace mlir;
using namespace girih;

OpFoldResult FullOp::fold(FoldAdaptor) { return BoolAttr::get(getContext(), true); }
OpFoldResult EmptyOp::fold(FoldAdaptor) { return BoolAttr::get(getContext(), false); }

//===----------------------------------------------------------------------===//
// UnionOp and IntersectOp
//===----------------------------------------------------------------------===//

namespace {

// Patterns are equal when they are one value, or made by equal ops of equal
// operands: canonicalisation must not wait for CSE to see that.
struct PatternInfo : llvm::DenseMapInfo<Value> {
  static Operation *comparable(Value value) {
    Operation *op = value.getDefiningOp();
    return op && op->getNumRegions() == 0 ? op : nullptr;
  }
  static unsigned getHashValue(Value value) {
    if (Operation *op = comparable(value))
      return OperationEquivalence::computeHash(op, OperationEquivalence::directHashValue,
                                               OperationEquivalence::ignoreHashValue,
                                               OperationEquivalence::IgnoreLocations);
    return hash_value(value);
  }
  static bool isEqual(Value lhs, Value rhs) {
    if (lhs == rhs)
      return true;
    for (Value special : {getEmptyKey(), getTombstoneKey()})
      if (lhs == special || rhs == special)
        return false;
    Operation *a = comparable(lhs), *b = comparable(rhs);
    return a && b &&
           OperationEquivalence::isEquivalentTo(a, b, OperationEquivalence::IgnoreLocations);
  }
};

} // namespace

// Folds a union (absorbing = true: full absorbs, empty drops out) or an
// intersection (absorbing = false: the dual).
template <typename OpT>
static OpFoldResult foldBoolean(OpT op, ArrayRef<Attribute> constants, bool absorbing) {
  SmallVector<Value> kept;
  llvm::DenseSet<Value, PatternInfo> seen;
  for (auto [value, attribute] : llvm::zip(op.getPatterns(), constants)) {
    if (auto constant = dyn_cast_or_null<BoolAttr>(attribute)) {
      if (constant.getValue() == absorbing)
        return constant;
      continue;
    }
    if (seen.insert(value).second)
      kept.push_back(value);
  }
  for (Value value : kept)
    if (auto complement = value.getDefiningOp<ComplementOp>();
        complement && seen.contains(complement.getPattern()))
      return BoolAttr::get(op.getContext(), absorbing);
  if (kept.empty())
    return BoolAttr::get(op.getContext(), !absorbing);
  if (kept.size() == 1)
    return kept.front();
  if (kept.size() == op.getPatterns().size())
    return {};
  op.getPatternsMutable().assign(kept);
  return op.getResult();
}

OpFoldResult UnionOp::fold(FoldAdaptor adaptor) {
  return foldBoolean(*this, adaptor.getPatterns(), true);
}
OpFoldResult IntersectOp::fold(FoldAdaptor adaptor) {
  return foldBoolean(*this, adaptor.getPatterns(), false);
}

//===----------------------------------------------------------------------===//
// SubtractOp and ComplementOp
//===----------------------------------------------------------------------===//

OpFoldResult SubtractOp::fold(FoldAdaptor adaptor) {
  auto lhs = dyn_cast_or_null<BoolAttr>(adaptor.getLhs());
  auto rhs = dyn_cast_or_null<BoolAttr>(adaptor.getRhs());
  if ((lhs && !lhs.getValue()) || (rhs && rhs.getValue()) ||
      PatternInfo::isEqual(getLhs(), getRhs()))
    return BoolAttr::get(getContext(), false);
  if (rhs)
    return getLhs();
  return {};
}

OpFoldResult ComplementOp::fold(FoldAdaptor adaptor) {
  if (auto constant = dyn_cast_or_null<BoolAttr>(adaptor.getPattern()))
    return BoolAttr::get(getContext(), !constant.getValue());
  if (auto inner = getPattern().getDefiningOp<ComplementOp>())
    return inner.getPattern();
  return {};
}

//===----------------------------------------------------------------------===//
// BlockwiseOp
//===----------------------------------------------------------------------===//

OpFoldResult BlockwiseOp::fold(FoldAdaptor adaptor) {
  if (auto constant = dyn_cast_or_null<BoolAttr>(adaptor.getPattern()))
    return constant;
  if (getSize() == 1)
    return getPattern();
  // Floor divisions compose: (q / a) / b = q / (a * b), for negative q too.
  auto inner = getPattern().getDefiningOp<BlockwiseOp>();
  if (!inner)
    return {};
  std::optional<int64_t> size = boundedProduct(getSize(), inner.getSize());
  if (!size)
    return {};
  getPatternMutable().assign(inner.getPattern());
  setSize(*size);
  return getResult();
}

//===----------------------------------------------------------------------===//
// PredicateOp and WhereOp
//===----------------------------------------------------------------------===//

OpFoldResult PredicateOp::fold(FoldAdaptor) {
  auto yield = cast<YieldOp>(getBody().front().getTerminator());
  IntegerAttr value;
  if (!matchPattern(yield.getValues().front(), m_Constant(&value)))
    return {};
  return BoolAttr::get(getContext(), !value.getValue().isZero());
}

OpFoldResult WhereOp::fold(FoldAdaptor) {
  IntegerSet set = getSet();
  bool known = true;
  for (unsigned i = 0, e = set.getNumConstraints(); i < e; ++i) {
    auto constant = dyn_cast<AffineConstantExpr>(set.getConstraint(i));
    if (!constant) {
      known = false;
      continue;
    }
    if (set.isEq(i) ? constant.getValue() != 0 : constant.getValue() < 0)
      return BoolAttr::get(getContext(), false);
  }
  return known ? OpFoldResult(BoolAttr::get(getContext(), true)) : OpFoldResult();
}
