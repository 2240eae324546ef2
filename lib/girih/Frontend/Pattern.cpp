//===- Pattern.cpp - Destruction, equality and folding of trees -----------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A builder can make a tree of any depth before anybody validates it, so nothing
// here recurses without a bound.
//
//===----------------------------------------------------------------------===//

#include "girih/Frontend/Pattern.h"

#include "girih/Frontend/PatternDetail.h"
#include "girih/Frontend/Score.h"

#include <algorithm>
#include <cstring>
#include <utility>

using namespace girih;

//===----------------------------------------------------------------------===//
// Destruction
//===----------------------------------------------------------------------===//

// Nodes are made as non-const objects (detail::makeNode, makeExpr) and are seen
// as const only through the shared pointers; a sole owner may take them apart.

Expr::~Expr() {
  std::vector<ExprRef> pending;
  auto adopt = [&pending](Expr &node) {
    auto adoptOne = [&pending](ExprRef &ref) {
      if (ref && (ref->lhs || !ref->indices.empty()) && ref.use_count() == 1)
        pending.push_back(std::move(ref));
    };
    adoptOne(node.lhs);
    adoptOne(node.rhs);
    adoptOne(node.condition);
    for (ExprRef &index : node.indices)
      adoptOne(index);
  };
  adopt(*this);
  while (!pending.empty()) {
    ExprRef node = std::move(pending.back());
    pending.pop_back();
    adopt(const_cast<Expr &>(*node));
  }
}

PatternNode::~PatternNode() {
  std::vector<PatternRef> pending;
  auto adopt = [&pending](std::vector<PatternRef> &refs) {
    for (PatternRef &ref : refs)
      if (ref && !ref->children.empty() && ref.use_count() == 1)
        pending.push_back(std::move(ref));
  };
  adopt(children);
  while (!pending.empty()) {
    PatternRef node = std::move(pending.back());
    pending.pop_back();
    adopt(const_cast<PatternNode &>(*node).children);
  }
}

//===----------------------------------------------------------------------===//
// Equality
//===----------------------------------------------------------------------===//

static uint32_t bitsOf(float value) {
  uint32_t bits;
  std::memcpy(&bits, &value, sizeof bits);
  return bits;
}

/// Compares expressions; `sameTable` compares the tables of their lookups. Expressions that
/// are one object are equal without a look when `skipsSame`.
template <typename SameTable>
static bool equalExprs(const Expr *a, const Expr *b, bool skipsSame, const SameTable &sameTable) {
  std::vector<std::pair<const Expr *, const Expr *>> work = {{a, b}};
  while (!work.empty()) {
    auto [x, y] = work.back();
    work.pop_back();
    if (x == y && (skipsSame || !x))
      continue;
    // Bits of floats: -0.0 is not 0.0, and a NaN is itself.
    if (!x || !y || x->kind != y->kind || x->value != y->value || x->var != y->var ||
        bitsOf(x->real) != bitsOf(y->real) || x->indices.size() != y->indices.size())
      return false;
    if (x->kind == ExprKind::Lookup && !sameTable(x->table, y->table))
      return false;
    work.push_back({x->lhs.get(), y->lhs.get()});
    work.push_back({x->rhs.get(), y->rhs.get()});
    work.push_back({x->condition.get(), y->condition.get()});
    for (size_t i = 0; i < x->indices.size(); ++i)
      work.push_back({x->indices[i].get(), y->indices[i].get()});
  }
  return true;
}

/// Compares two nodes without their children and what a launch may change.
template <typename SameTable>
static bool equalCode(const PatternNode &a, const PatternNode &b, bool skipsSame,
                      const SameTable &sameTable) {
  return a.kind == b.kind && a.children.size() == b.children.size() && a.left == b.left &&
         a.right == b.right && a.size == b.size && a.dilation == b.dilation &&
         a.stride == b.stride && a.period == b.period && a.lo == b.lo && a.hi == b.hi &&
         a.first == b.first && a.last == b.last && a.count == b.count && a.seed == b.seed &&
         a.tableHeads == b.tableHeads && a.grid == b.grid && a.kernel == b.kernel &&
         a.dilations == b.dilations && a.strides == b.strides && a.causal == b.causal &&
         a.headBegin == b.headBegin && a.headEnd == b.headEnd &&
         equalExprs(a.expr.get(), b.expr.get(), skipsSame, sameTable);
}

/// Compares run-time operands and where they came from.
static bool equalTables(const PatternNode &a, const PatternNode &b) {
  return a.offsets == b.offsets && a.indptr == b.indptr && a.indices == b.indices &&
         a.file == b.file && a.indptrName == b.indptrName && a.indicesName == b.indicesName;
}

/// Whether `equal` holds of all pairs of nodes at the same place. Trees that are one object
/// are equal without a look when `skipsSame`.
template <typename Equal>
static bool equalTrees(const Pattern &a, const Pattern &b, bool skipsSame, const Equal &equal) {
  std::vector<std::pair<const PatternNode *, const PatternNode *>> work = {
      {a.get().get(), b.get().get()}};
  while (!work.empty()) {
    auto [x, y] = work.back();
    work.pop_back();
    if (x == y && (skipsSame || !x))
      continue;
    if (!x || !y || !equal(*x, *y))
      return false;
    for (size_t i = 0; i < x->children.size(); ++i)
      work.push_back({x->children[i].get(), y->children[i].get()});
  }
  return true;
}

/// Equality of tables by their names, shapes and values.
static bool equalArrays(const TableRef &a, const TableRef &b) {
  return a == b || (a && b && *a == *b);
}

bool detail::equalExprs(const Expr *a, const Expr *b) {
  return ::equalExprs(a, b, /*skipsSame=*/true, equalArrays);
}

bool girih::operator==(const Pattern &a, const Pattern &b) {
  return equalTrees(a, b, /*skipsSame=*/true, [](const PatternNode &x, const PatternNode &y) {
    return equalCode(x, y, /*skipsSame=*/true, equalArrays) && equalTables(x, y);
  });
}

bool girih::differInTablesOnly(const Pattern &a, const Pattern &b, const Score &scoreA,
                               const Score &scoreB) {
  // A table that one tree uses twice is one operand: the other must do the same.
  std::vector<std::pair<const void *, const void *>> pairs;
  auto paired = [&pairs](const void *x, const void *y) {
    for (auto [known, partner] : pairs)
      if (known == x || partner == y)
        return known == x && partner == y;
    pairs.emplace_back(x, y);
    return true;
  };
  auto sameTable = [&](const TableRef &x, const TableRef &y) {
    return x && y && x->isFloat == y->isFloat && x->shape.size() == y->shape.size() &&
           paired(x.get(), y.get());
  };
  auto equal = [&](const PatternNode &x, const PatternNode &y) {
    bool hasTable = x.kind == PatternKind::Segments || x.kind == PatternKind::BlockTable;
    return equalCode(x, y, /*skipsSame=*/false, sameTable) && (!hasTable || paired(&x, &y));
  };
  return equalTrees(a, b, /*skipsSame=*/false, equal) &&
         ::equalExprs(scoreA.get().get(), scoreB.get().get(), /*skipsSame=*/false, sameTable);
}

//===----------------------------------------------------------------------===//
// Expressions
//===----------------------------------------------------------------------===//

bool girih::isBoolean(ExprKind kind) { return kind >= ExprKind::Lt; }

bool detail::isUnary(ExprKind kind) {
  return kind == ExprKind::Neg || kind == ExprKind::Abs || kind == ExprKind::Not ||
         (kind >= ExprKind::ToFloat && kind <= ExprKind::Floor);
}

const char *detail::typeName(ExprType type) {
  static const char *const names[] = {"integer", "float", "condition"};
  return names[static_cast<int>(type)];
}

/// Folds within a budget of nodes: a shared expression may stand for an
/// exponential tree, and divisors are small.
static std::optional<int64_t> fold(const ExprRef &expr, int depth, int &budget) {
  if (!expr || depth > maxDepth || --budget < 0)
    return std::nullopt;
  if (expr->kind == ExprKind::Constant)
    return expr->value;
  if (expr->kind == ExprKind::Variable || expr->kind == ExprKind::Lookup ||
      expr->type != ExprType::Integer)
    return std::nullopt;
  std::optional<int64_t> a = fold(expr->lhs, depth + 1, budget);
  if (!a)
    return std::nullopt;
  int64_t result = 0;
  if (expr->kind == ExprKind::Neg || expr->kind == ExprKind::Abs) {
    if (expr->kind == ExprKind::Abs && *a >= 0)
      return a;
    if (__builtin_sub_overflow(int64_t(0), *a, &result))
      return std::nullopt;
    return result;
  }
  std::optional<int64_t> b = fold(expr->rhs, depth + 1, budget);
  if (!b)
    return std::nullopt;
  bool overflow = false;
  switch (expr->kind) {
  case ExprKind::Add:
    overflow = __builtin_add_overflow(*a, *b, &result);
    break;
  case ExprKind::Sub:
    overflow = __builtin_sub_overflow(*a, *b, &result);
    break;
  case ExprKind::Mul:
    overflow = __builtin_mul_overflow(*a, *b, &result);
    break;
  case ExprKind::Div:
  case ExprKind::Mod: {
    if (*b <= 0)
      return std::nullopt;
    int64_t rest = *a % *b;
    int64_t borrow = rest < 0;
    result = expr->kind == ExprKind::Div ? *a / *b - borrow : rest + borrow * *b;
    break;
  }
  case ExprKind::Min:
    result = std::min(*a, *b);
    break;
  case ExprKind::Max:
    result = std::max(*a, *b);
    break;
  default:
    return std::nullopt;
  }
  if (overflow)
    return std::nullopt;
  return result;
}

std::optional<int64_t> detail::foldConstant(const ExprRef &expr) {
  int budget = 16 * maxDepth;
  return fold(expr, 0, budget);
}

static std::shared_ptr<Expr> make(ExprKind kind, ExprType type) {
  auto node = std::make_shared<Expr>();
  node->kind = kind;
  node->type = type;
  return node;
}

ExprRef detail::makeConstant(int64_t value) {
  auto node = make(ExprKind::Constant, ExprType::Integer);
  node->value = value;
  return node;
}

ExprRef detail::makeLiteral(float value) {
  auto node = make(ExprKind::Literal, ExprType::Float);
  node->real = value;
  return node;
}

ExprRef detail::makeVariable(Var var) {
  auto node = make(ExprKind::Variable, ExprType::Integer);
  node->var = var;
  return node;
}

ExprRef detail::makeScoreVariable() { return make(ExprKind::Score, ExprType::Float); }

ExprRef detail::makeTruth(bool value) {
  return make(value ? ExprKind::True : ExprKind::False, ExprType::Boolean);
}

static ExprType typeOf(ExprKind kind, const ExprRef &lhs, const ExprRef &rhs) {
  if (isBoolean(kind))
    return ExprType::Boolean;
  auto isFloat = [](const ExprRef &side) { return side && side->type == ExprType::Float; };
  bool makesFloat = kind >= ExprKind::ToFloat && kind <= ExprKind::Pow;
  return makesFloat || isFloat(lhs) || isFloat(rhs) ? ExprType::Float : ExprType::Integer;
}

ExprRef detail::makeExpr(ExprKind kind, ExprRef lhs, ExprRef rhs) {
  if (kind == ExprKind::Neg && lhs && lhs->kind == ExprKind::Constant && lhs->value != INT64_MIN)
    return makeConstant(-lhs->value);
  if (kind == ExprKind::Neg && lhs && lhs->kind == ExprKind::Literal)
    return makeLiteral(-lhs->real);
  if (kind == ExprKind::ToFloat && lhs && lhs->type == ExprType::Float)
    return lhs;
  ExprType type = typeOf(kind, lhs, rhs);
  if ((kind == ExprKind::Div || kind == ExprKind::Mod) && type == ExprType::Integer && rhs &&
      rhs->kind != ExprKind::Constant)
    if (std::optional<int64_t> value = foldConstant(rhs))
      rhs = makeConstant(*value);
  auto node = make(kind, type);
  node->lhs = std::move(lhs);
  node->rhs = std::move(rhs);
  return node;
}

ExprRef detail::makeWhere(ExprRef condition, ExprRef lhs, ExprRef rhs) {
  auto node = make(ExprKind::Where, typeOf(ExprKind::Where, lhs, rhs));
  node->condition = std::move(condition);
  node->lhs = std::move(lhs);
  node->rhs = std::move(rhs);
  return node;
}

ExprRef detail::makeLookup(TableRef table, std::vector<ExprRef> indices) {
  bool isFloat = table && table->isFloat;
  auto node = make(ExprKind::Lookup, isFloat ? ExprType::Float : ExprType::Integer);
  node->table = std::move(table);
  node->indices = std::move(indices);
  return node;
}
