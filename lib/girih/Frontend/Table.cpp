//===- Table.cpp - Arrays that patterns look up ---------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Frontend/Table.h"

#include "girih/Frontend/Score.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <fmt/format.h>
#include <limits>
#include <set>

using namespace girih;

bool girih::operator==(const TableData &a, const TableData &b) {
  return a.name == b.name && a.shape == b.shape && a.isFloat == b.isFloat && a.ints == b.ints &&
         a.floats.size() == b.floats.size() &&
         (a.floats.empty() ||
          std::memcmp(a.floats.data(), b.floats.data(), a.floats.size() * sizeof(float)) == 0);
}

std::string girih::validateTable(const TableData &table) {
  if (table.shape.empty() || table.shape.size() > maxTableRank)
    return fmt::format("expected table @{} to have 1 to {} dimensions, but got {}", table.name,
                       maxTableRank, table.shape.size());
  __int128 product = 1;
  for (int64_t extent : table.shape) {
    if (extent < 0)
      return fmt::format("expected extents of table @{} to be at least 0, but got {}", table.name,
                         extent);
    product = std::min<__int128>(product * extent, std::numeric_limits<int64_t>::max());
  }
  if (product != table.elements())
    return fmt::format("expected table @{} to have {} values as its shape says, but got {}",
                       table.name, static_cast<int64_t>(product), table.elements());
  return "";
}

std::string girih::validateLookup(const TableData &table) {
  std::string error = validateTable(table);
  if (!error.empty())
    return error;
  auto isWide = [](int64_t value) { return value != static_cast<int32_t>(value); };
  auto wide = std::find_if(table.ints.begin(), table.ints.end(), isWide);
  if (wide != table.ints.end())
    return fmt::format("expected values of table @{} to fit 32 bits, but got {} at element {}",
                       table.name, *wide, wide - table.ints.begin());
  return "";
}

bool girih::isTableName(const std::string &name) {
  auto isPart = [](unsigned char c) { return c < 0x80 && (std::isalnum(c) || c == '_'); };
  return !name.empty() && !std::isdigit(static_cast<unsigned char>(name[0])) &&
         std::all_of(name.begin(), name.end(), isPart);
}

//===----------------------------------------------------------------------===//
// The builder's class
//===----------------------------------------------------------------------===//

static TableRef makeTable(std::string name, std::vector<int64_t> ints, std::vector<float> floats,
                          std::vector<int64_t> shape, bool isFloat) {
  auto data = std::make_shared<TableData>();
  data->name = std::move(name);
  data->shape = std::move(shape);
  data->isFloat = isFloat;
  data->ints = std::move(ints);
  data->floats = std::move(floats);
  return data;
}

Table::Table(std::string name, std::vector<int64_t> values) {
  auto size = static_cast<int64_t>(values.size());
  data = makeTable(std::move(name), std::move(values), {}, {size}, /*isFloat=*/false);
}

Table::Table(std::string name, std::vector<int64_t> values, std::vector<int64_t> shape)
    : data(makeTable(std::move(name), std::move(values), {}, std::move(shape),
                     /*isFloat=*/false)) {}

Table Table::ofFloats(std::string name, std::vector<float> values, std::vector<int64_t> shape) {
  return Table(makeTable(std::move(name), {}, std::move(values), std::move(shape),
                         /*isFloat=*/true));
}

//===----------------------------------------------------------------------===//
// Tables of trees
//===----------------------------------------------------------------------===//

namespace {

/// Collects the tables of valid trees, whose depth is bounded; shared nodes once.
class LookupCollector {
public:
  void add(const Expr &expr) {
    if (!exprs.insert(&expr).second)
      return;
    for (const ExprRef *side : {&expr.lhs, &expr.rhs, &expr.condition})
      if (*side)
        add(**side);
    for (const ExprRef &index : expr.indices)
      add(*index);
    if (expr.table && seen.insert(expr.table.get()).second)
      tables.push_back(expr.table);
  }

  void add(const PatternNode &node) {
    if (!nodes.insert(&node).second)
      return;
    if (node.expr)
      add(*node.expr);
    for (const PatternRef &child : node.children)
      add(*child);
  }

  std::vector<TableRef> tables;

private:
  std::set<const Expr *> exprs;
  std::set<const PatternNode *> nodes;
  std::set<const TableData *> seen;
};

} // namespace

std::vector<TableRef> girih::exprLookups(const Expr &expr) {
  LookupCollector collector;
  collector.add(expr);
  return std::move(collector.tables);
}

std::vector<TableRef> girih::kernelLookups(const Pattern &pattern, const Score &score) {
  LookupCollector collector;
  collector.add(*pattern);
  if (score)
    collector.add(*score.get());
  return std::move(collector.tables);
}

std::vector<TableRef> girih::patternLookups(const Pattern &pattern) {
  LookupCollector collector;
  collector.add(*pattern);
  return std::move(collector.tables);
}
