//===- ParseTable.cpp - What `@name` stands for ---------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tables in memory come first, then files. A file is read once however often it
// is named, so that its lookups share one operand.
//
//===----------------------------------------------------------------------===//

#include "girih/Frontend/ParserImpl.h"
#include "girih/Frontend/PatternDetail.h"
#include "girih/Frontend/TableFiles.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

using namespace girih;
using namespace girih::detail;

void Parser::checkTables() {
  std::set<std::string> names;
  for (const Table &table : options.tables) {
    std::string problem;
    if (!table.get())
      problem = "expected tables, but got none";
    else if (!isTableName(table.get()->name))
      problem = fmt::format("expected the name of a table to be a letter or _, then letters, "
                            "digits and _, but got '{}'",
                            table.get()->name);
    else if (!names.insert(table.get()->name).second)
      problem =
          fmt::format("expected tables of different names, but got '{}' again", table.get()->name);
    else
      problem = validateTable(*table.get());
    if (!problem.empty() && error.empty())
      error = "error: " + problem;
  }
}

std::string Parser::resolve(const std::string &file) const {
  if (options.baseDir.empty() || file[0] == '/')
    return file;
  return options.baseDir + (options.baseDir.back() == '/' ? "" : "/") + file;
}

TableRef Parser::findTable(const Token &name) {
  for (const Table &table : options.tables)
    if (table.get()->name == name.text)
      return table.get();
  auto read = std::make_shared<TableData>();
  read->name = resolve(name.text);
  TableRef &known = files[read->name];
  if (known)
    return known;
  std::string message = readTableFile(read->name, *read);
  // A name that is no path may be a table that nobody gave.
  if (!message.empty() && !options.tables.empty() && isTableName(name.text)) {
    std::vector<std::string> names;
    std::string listed;
    for (const Table &table : options.tables) {
      names.push_back(table.get()->name);
      listed += (listed.empty() ? "@" : ", @") + names.back();
    }
    std::string near = nearest(name.text, names);
    message += near.empty() ? fmt::format("; tables in memory: {}", listed)
                            : fmt::format("; did you mean '@{}'?", near);
  }
  if (!message.empty()) {
    fail(name.span, message);
    return nullptr;
  }
  return known = std::move(read);
}

/// A list of an argument: one dimension of integers. The tree keeps its own copy, as it does of
/// a list that is written out.
bool Parser::parseNamedList(ArgValue &value) {
  Token name = take();
  TableRef table = findTable(name);
  if (!table)
    return false;
  if (table->isFloat || table->shape.size() != 1) {
    fail(name.span,
         fmt::format("expected '@{}' to be a list of integers, but got {} of {} dimensions",
                     name.text, table->isFloat ? "f32" : "integers", table->shape.size()));
    return false;
  }
  value.list = table->ints;
  value.table = table->name;
  return true;
}

ExprOperand Parser::parseLookup() {
  Token name = take();
  Level nested(*this, name.span);
  TableRef table = nested ? findTable(name) : nullptr;
  if (!table)
    return {};
  const Token open = peek();
  if (!open.is("[")) {
    unexpected(fmt::format("'[' and the indices of table '@{}'", name.text));
    return {};
  }
  take();
  std::vector<ExprRef> indices;
  ExprOperand result{nullptr, {}, 0, 1};
  do {
    ExprOperand index = parseSum();
    if (!requireInteger(index, fmt::format("as an index of '@{}'", name.text)))
      return {};
    indices.push_back(index.expr);
    result.depth = std::max(result.depth, index.depth);
    result.nodes += index.nodes;
  } while (accept(","));
  if (!expect("]", &open))
    return {};
  result.span = {name.span.begin, previousEnd()};
  bool isRefused = table->isFloat && !isScore;
  std::string problem = isRefused ? fmt::format("expected table @{} to hold integers, but got "
                                                "f32, which score functions alone look up",
                                                table->name)
                                  : validateLookup(*table);
  if (problem.empty() && indices.size() != table->shape.size())
    problem = fmt::format("expected {} indices of table @{}, one for each dimension, but got {}",
                          table->shape.size(), table->name, indices.size());
  if (!problem.empty()) {
    fail(result.span, problem);
    return {};
  }
  if (checkSize(++result.depth + 1, result.nodes, name.span))
    result.expr = makeLookup(std::move(table), std::move(indices));
  return result;
}
