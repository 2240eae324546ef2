//===- PatternBuilder.cpp - Builder functions of patterns -----------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One function for each name and operator of the pattern language. They never
// fail: values are checked by `validate`.
//
//===----------------------------------------------------------------------===//

#include "girih/Frontend/Pattern.h"
#include "girih/Frontend/PatternDetail.h"

#include <utility>

using namespace girih;
using detail::makeExpr;
using detail::makeNode;

//===----------------------------------------------------------------------===//
// Predicates
//===----------------------------------------------------------------------===//

Index Index::constant(int64_t value) { return Index(detail::makeConstant(value)); }
Index Index::nq() { return Index(detail::makeVariable(Var::NQ)); }
Index Index::nk() { return Index(detail::makeVariable(Var::NK)); }
Index detail::variable(Var var) { return Index(makeVariable(var)); }

Index Table::lookup(std::vector<Index> indices) const {
  std::vector<ExprRef> nodes;
  for (const Index &index : indices)
    nodes.push_back(index.get());
  return Index(detail::makeLookup(data, std::move(nodes)));
}

static Index arith(ExprKind kind, const Index &a, const Index &b) {
  return Index(makeExpr(kind, a.get(), b.get()));
}

static Bool test(ExprKind kind, const Index &a, const Index &b) {
  return Bool(makeExpr(kind, a.get(), b.get()));
}

Index girih::operator+(Index a, Index b) { return arith(ExprKind::Add, a, b); }
Index girih::operator-(Index a, Index b) { return arith(ExprKind::Sub, a, b); }
Index girih::operator*(Index a, Index b) { return arith(ExprKind::Mul, a, b); }
Index girih::operator-(Index a) { return Index(makeExpr(ExprKind::Neg, a.get())); }
Index girih::operator/(Index a, Index b) { return arith(ExprKind::Div, a, b); }
Index girih::operator%(Index a, Index b) { return arith(ExprKind::Mod, a, b); }
Index girih::min(Index a, Index b) { return arith(ExprKind::Min, a, b); }
Index girih::max(Index a, Index b) { return arith(ExprKind::Max, a, b); }
Index girih::abs(Index a) { return Index(makeExpr(ExprKind::Abs, a.get())); }
Bool girih::operator<(Index a, Index b) { return test(ExprKind::Lt, a, b); }
Bool girih::operator<=(Index a, Index b) { return test(ExprKind::Le, a, b); }
Bool girih::operator>(Index a, Index b) { return test(ExprKind::Gt, a, b); }
Bool girih::operator>=(Index a, Index b) { return test(ExprKind::Ge, a, b); }
Bool girih::operator==(Index a, Index b) { return test(ExprKind::Eq, a, b); }
Bool girih::operator!=(Index a, Index b) { return test(ExprKind::Ne, a, b); }

Bool girih::operator&&(Bool a, Bool b) { return Bool(makeExpr(ExprKind::And, a.get(), b.get())); }

Bool girih::operator||(Bool a, Bool b) { return Bool(makeExpr(ExprKind::Or, a.get(), b.get())); }

Bool girih::operator!(Bool a) { return Bool(makeExpr(ExprKind::Not, a.get())); }

Pattern girih::predicate(Bool expr) {
  auto node = makeNode(PatternKind::Predicate);
  node->expr = expr.get();
  return Pattern(node);
}

//===----------------------------------------------------------------------===//
// Operators
//===----------------------------------------------------------------------===//

/// A chain `a | b | c` is one node with three children; only the left operand
/// is taken apart, so that parentheses on the right stay what they are.
static Pattern chain(PatternKind kind, const Pattern &a, const Pattern &b) {
  auto node = makeNode(kind);
  if (a && a->kind == kind)
    node->children = a->children;
  else
    node->children.push_back(a.get());
  node->children.push_back(b.get());
  return Pattern(node);
}

Pattern girih::operator|(Pattern a, Pattern b) { return chain(PatternKind::Union, a, b); }

Pattern girih::operator&(Pattern a, Pattern b) { return chain(PatternKind::Intersect, a, b); }

Pattern girih::operator-(Pattern a, Pattern b) {
  auto node = makeNode(PatternKind::Subtract);
  node->children = {a.get(), b.get()};
  return Pattern(node);
}

Pattern girih::operator~(Pattern a) {
  auto node = makeNode(PatternKind::Complement);
  node->children = {a.get()};
  return Pattern(node);
}

//===----------------------------------------------------------------------===//
// Leaves and calls
//===----------------------------------------------------------------------===//

std::shared_ptr<PatternNode> detail::makeNode(PatternKind kind) {
  auto node = std::make_shared<PatternNode>();
  node->kind = kind;
  return node;
}

Pattern girih::full() { return Pattern(makeNode(PatternKind::Full)); }
Pattern girih::empty() { return Pattern(makeNode(PatternKind::Empty)); }
Pattern girih::causal() { return Pattern(makeNode(PatternKind::Causal)); }

Pattern girih::window(std::optional<int64_t> left, std::optional<int64_t> right) {
  auto node = makeNode(PatternKind::Window);
  node->left = left;
  node->right = right;
  return Pattern(node);
}

Pattern girih::dilated(int64_t left, int64_t right, int64_t dilation) {
  auto node = makeNode(PatternKind::Dilated);
  node->left = left;
  node->right = right;
  node->dilation = dilation;
  return Pattern(node);
}

Pattern girih::strided(int64_t stride) {
  auto node = makeNode(PatternKind::Strided);
  node->stride = stride;
  return Pattern(node);
}

Pattern girih::chunk(int64_t size) {
  auto node = makeNode(PatternKind::Chunk);
  node->size = size;
  return Pattern(node);
}

Pattern girih::columns(int64_t period, int64_t lo, int64_t hi) {
  auto node = makeNode(PatternKind::Columns);
  node->period = period;
  node->lo = lo;
  node->hi = hi;
  return Pattern(node);
}

static Pattern makeGlobal(PatternKind kind, int64_t first, int64_t last) {
  auto node = makeNode(kind);
  node->first = first;
  node->last = last;
  return Pattern(node);
}

Pattern girih::globalColumns(int64_t first, int64_t last) {
  return makeGlobal(PatternKind::GlobalColumns, first, last);
}

Pattern girih::globalRows(int64_t first, int64_t last) {
  return makeGlobal(PatternKind::GlobalRows, first, last);
}

Pattern girih::global(int64_t first, int64_t last) {
  return makeGlobal(PatternKind::Global, first, last);
}

Pattern girih::blockwise(Pattern inner, int64_t size) {
  auto node = makeNode(PatternKind::Blockwise);
  node->children = {inner.get()};
  node->size = size;
  return Pattern(node);
}

Pattern girih::segments(std::vector<int64_t> offsets) {
  auto node = makeNode(PatternKind::Segments);
  node->offsets = std::move(offsets);
  return Pattern(node);
}

Pattern girih::randomBlocks(int64_t size, int64_t count, uint64_t seed) {
  auto node = makeNode(PatternKind::RandomBlocks);
  node->size = size;
  node->count = count;
  node->seed = seed;
  return Pattern(node);
}

Pattern girih::blockTable(int64_t size, std::vector<int64_t> indptr, std::vector<int64_t> indices,
                          int64_t tableHeads) {
  auto node = makeNode(PatternKind::BlockTable);
  node->size = size;
  node->indptr = std::move(indptr);
  node->indices = std::move(indices);
  node->tableHeads = tableHeads;
  return Pattern(node);
}

Pattern girih::neighborhood(std::vector<int64_t> grid, std::vector<int64_t> kernel,
                            std::vector<int64_t> dilation, std::vector<int64_t> stride,
                            std::vector<bool> causal) {
  auto node = makeNode(PatternKind::Neighborhood);
  size_t rank = grid.size();
  node->grid = std::move(grid);
  node->kernel = std::move(kernel);
  // An omitted argument and its default written out are the same tree.
  node->dilations = dilation.empty() ? std::vector<int64_t>(rank, 1) : dilation;
  node->strides = stride.empty() ? std::vector<int64_t>(rank, 1) : stride;
  node->causal = causal.empty() ? std::vector<bool>(rank, false) : causal;
  return Pattern(node);
}

Pattern girih::heads(std::vector<Pattern> perHead) {
  auto node = makeNode(PatternKind::Heads);
  for (size_t i = 0; i < perHead.size(); ++i) {
    node->headBegin.push_back(int64_t(i));
    node->headEnd.push_back(int64_t(i));
    node->children.push_back(perHead[i].get());
  }
  return Pattern(node);
}

Pattern girih::heads(std::vector<HeadRange> ranges) {
  auto node = makeNode(PatternKind::Heads);
  for (const HeadRange &range : ranges) {
    node->headBegin.push_back(range.begin);
    node->headEnd.push_back(range.end);
    node->children.push_back(range.pattern.get());
  }
  return Pattern(node);
}
