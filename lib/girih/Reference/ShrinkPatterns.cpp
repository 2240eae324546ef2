//===- ShrinkPatterns.cpp - Simpler patterns for a failing one ------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every candidate has fewer nodes, or as many with fewer entries or numbers
// nearer to zero, so that shrinking ends.
//
//===----------------------------------------------------------------------===//

#include "girih/Frontend/PatternDetail.h"
#include "girih/Reference/RandomPatterns.h"

#include <algorithm>
#include <set>

using namespace girih;
using detail::makeConstant;
using detail::makeExpr;

/// Values between `low` and `value` to try instead, the smallest first.
static std::vector<int64_t> smaller(int64_t value, int64_t low) {
  std::set<int64_t> found;
  if (value > low)
    found = {low, low + (value - low) / 2, value - 1};
  return {found.begin(), found.end()};
}

//===----------------------------------------------------------------------===//
// Predicates
//===----------------------------------------------------------------------===//

static std::vector<ExprRef> shrinkExpr(const ExprRef &expr) {
  std::vector<ExprRef> result;
  if (expr->kind == ExprKind::Constant) {
    int64_t value = expr->value;
    if (value < 0)
      result.push_back(makeConstant(value == INT64_MIN ? INT64_MAX : -value));
    for (int64_t next : smaller(value, 0))
      result.push_back(makeConstant(next));
    return result;
  }
  if (expr->kind == ExprKind::Variable || !expr->lhs) {
    // Smaller indices could leave the table: a lookup goes as a whole.
    if (expr->kind == ExprKind::Variable || expr->kind == ExprKind::Lookup)
      result.push_back(makeConstant(0));
    return result;
  }
  bool boolean = isBoolean(expr->kind);
  if (boolean) {
    result.push_back(detail::makeTruth(true));
    result.push_back(detail::makeTruth(false));
  } else {
    result.push_back(makeConstant(0));
  }
  for (const ExprRef &side : {expr->lhs, expr->rhs})
    if (side && isBoolean(side->kind) == boolean)
      result.push_back(side);
  for (const ExprRef &lhs : shrinkExpr(expr->lhs))
    result.push_back(makeExpr(expr->kind, lhs, expr->rhs));
  if (expr->rhs)
    for (const ExprRef &rhs : shrinkExpr(expr->rhs))
      result.push_back(makeExpr(expr->kind, expr->lhs, rhs));
  return result;
}

//===----------------------------------------------------------------------===//
// Patterns
//===----------------------------------------------------------------------===//

static std::shared_ptr<PatternNode> copyOf(const PatternNode &node) {
  auto copy = std::make_shared<PatternNode>(node);
  copy->file.clear();
  return copy;
}

/// The node with other children, made by the operators so that it has the form
/// that the parser gives.
static Pattern withChildren(const PatternNode &node, std::vector<PatternRef> children) {
  if (node.kind == PatternKind::Union || node.kind == PatternKind::Intersect) {
    Pattern result(children[0]);
    for (size_t i = 1; i < children.size(); ++i)
      result = node.kind == PatternKind::Union ? result | Pattern(children[i])
                                               : result & Pattern(children[i]);
    return result;
  }
  auto copy = copyOf(node);
  copy->children = std::move(children);
  return Pattern(copy);
}

/// Removes `count` block indices from `begin` on.
static Pattern withoutIndices(const PatternNode &node, int64_t begin, int64_t count) {
  auto copy = copyOf(node);
  auto at = copy->indices.begin() + begin;
  copy->indices.erase(at, at + count);
  for (int64_t &entry : copy->indptr)
    entry -= std::clamp<int64_t>(entry - begin, 0, count);
  return Pattern(copy);
}

static void shrinkTables(const PatternNode &node, std::vector<Pattern> &result) {
  for (size_t i = 1; i + 1 < node.offsets.size(); ++i) {
    auto copy = copyOf(node);
    copy->offsets.erase(copy->offsets.begin() + i);
    result.push_back(Pattern(copy));
  }
  auto size = int64_t(node.indices.size());
  for (int64_t part = size; part >= std::max<int64_t>(size / 8, 1); part /= 2)
    for (int64_t begin = 0; begin + part <= size; begin += part)
      result.push_back(withoutIndices(node, begin, part));
}

static void shrinkNumbers(const PatternNode &node, std::vector<Pattern> &result) {
  struct Field {
    int64_t PatternNode::*member;
    int64_t low;
  };
  static const Field fields[] = {
      {&PatternNode::size, 1},   {&PatternNode::dilation, 1}, {&PatternNode::stride, 1},
      {&PatternNode::period, 1}, {&PatternNode::lo, 0},       {&PatternNode::hi, 0},
      {&PatternNode::first, 0},  {&PatternNode::last, 0},     {&PatternNode::count, 0}};
  for (const Field &field : fields)
    for (int64_t value : smaller(node.*field.member, field.low)) {
      auto copy = copyOf(node);
      (*copy).*field.member = value;
      result.push_back(Pattern(copy));
    }
  for (auto side : {&PatternNode::left, &PatternNode::right})
    if (node.*side)
      for (int64_t value : smaller(*(node.*side), 0)) {
        auto copy = copyOf(node);
        (*copy).*side = value;
        result.push_back(Pattern(copy));
      }
  for (auto list : {&PatternNode::kernel, &PatternNode::dilations, &PatternNode::strides})
    for (size_t i = 0; i < (node.*list).size(); ++i)
      for (int64_t value : smaller((node.*list)[i], 1)) {
        auto copy = copyOf(node);
        ((*copy).*list)[i] = value;
        result.push_back(Pattern(copy));
      }
  for (size_t i = 0; i < node.causal.size(); ++i) {
    if (!node.causal[i])
      continue;
    auto copy = copyOf(node);
    copy->causal[i] = false;
    result.push_back(Pattern(copy));
  }
  if (node.seed) {
    auto copy = copyOf(node);
    copy->seed = 0;
    result.push_back(Pattern(copy));
  }
}

/// All candidates, valid or not.
static std::vector<Pattern> candidates(const Pattern &pattern) {
  const PatternNode &node = *pattern;
  std::vector<Pattern> result;
  if (node.kind == PatternKind::Empty || node.kind == PatternKind::Full)
    return result;
  result = {empty(), full()};
  for (const PatternRef &child : node.children)
    result.push_back(Pattern(child));
  bool chain = node.kind == PatternKind::Union || node.kind == PatternKind::Intersect;
  for (size_t i = 0; chain && node.children.size() > 2 && i < node.children.size(); ++i) {
    std::vector<PatternRef> children = node.children;
    children.erase(children.begin() + i);
    result.push_back(withChildren(node, std::move(children)));
  }
  for (size_t i = 0; i < node.children.size(); ++i) {
    for (const Pattern &child : candidates(Pattern(node.children[i]))) {
      std::vector<PatternRef> children = node.children;
      children[i] = child.get();
      result.push_back(withChildren(node, std::move(children)));
    }
  }
  if (node.kind == PatternKind::Predicate)
    for (const ExprRef &expr : shrinkExpr(node.expr))
      result.push_back(predicate(Bool(expr)));
  shrinkTables(node, result);
  shrinkNumbers(node, result);
  return result;
}

std::vector<Pattern> girih::shrink(const Pattern &pattern) {
  std::vector<Pattern> result;
  for (Pattern &candidate : candidates(pattern))
    if (!(candidate == pattern) && validate(candidate).empty())
      result.push_back(std::move(candidate));
  return result;
}
