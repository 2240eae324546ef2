//===- ParseCall.cpp - Calls of patterns and their arguments --------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One table says which arguments each built-in pattern takes; a pattern of a spec
// takes its parameters. Everything else follows from the table.
//
//===----------------------------------------------------------------------===//

#include "girih/Frontend/ParserImpl.h"
#include "girih/Frontend/PatternDetail.h"
#include "girih/Frontend/TableFiles.h"

#include <algorithm>
#include <fmt/format.h>

using namespace girih;
using namespace girih::detail;

//===----------------------------------------------------------------------===//
// Built-in patterns
//===----------------------------------------------------------------------===//

namespace {
struct Builtin {
  PatternKind kind;
  std::vector<ArgSpec> arguments;
};
} // namespace

static const std::vector<Builtin> &builtins() {
  constexpr ArgType Int = ArgType::Int, Ints = ArgType::Ints;
  static const std::vector<Builtin> table = {
      {PatternKind::Full, {}},
      {PatternKind::Empty, {}},
      {PatternKind::Causal, {}},
      {PatternKind::Window, {{"left", Int, false}, {"right", Int, false}}},
      {PatternKind::Dilated, {{"left", Int, true}, {"right", Int, true}, {"dilation", Int, true}}},
      {PatternKind::Strided, {{"stride", Int, true}}},
      {PatternKind::Chunk, {{"size", Int, true}}},
      {PatternKind::Columns, {{"period", Int, true}, {"lo", Int, true}, {"hi", Int, true}}},
      {PatternKind::GlobalColumns, {{"first", Int, false}, {"last", Int, false}}},
      {PatternKind::GlobalRows, {{"first", Int, false}, {"last", Int, false}}},
      {PatternKind::Global, {{"first", Int, false}, {"last", Int, false}}},
      {PatternKind::Blockwise, {{"pattern", ArgType::Pattern, true}, {"size", Int, true}}},
      {PatternKind::Segments, {{"offsets", ArgType::Offsets, true}}},
      {PatternKind::RandomBlocks,
       {{"size", Int, true}, {"count", Int, true}, {"seed", ArgType::Seed, false}}},
      {PatternKind::BlockTable,
       {{"size", Int, false},
        {"indptr", ArgType::Offsets, false},
        {"indices", ArgType::Offsets, false},
        {"heads", Int, false},
        {"file", ArgType::File, false}}},
      {PatternKind::Neighborhood,
       {{"grid", Ints, true},
        {"kernel", Ints, true},
        {"dilation", Ints, false},
        {"stride", Ints, false},
        {"causal", ArgType::Flags, false}}},
      {PatternKind::Heads, {}},
  };
  return table;
}

void Parser::unknownPattern(const Token &name) {
  std::vector<std::string> known;
  for (size_t i = 0; i < visible; ++i)
    known.push_back(definitions[i].name);
  for (const Builtin &builtin : builtins())
    known.push_back(kindName(builtin.kind));
  std::string near = nearest(name.text, known);
  if (!near.empty())
    return fail(name.span,
                fmt::format("unknown pattern '{}'; did you mean '{}'?", name.text, near));
  std::string listed;
  for (const std::string &word : known)
    listed += (listed.empty() ? "" : ", ") + word;
  fail(name.span, fmt::format("unknown pattern {}; known: {}", quote(name.span), listed));
}

Operand Parser::parseCall() {
  Token name = take();
  Level nested(*this, name.span);
  if (!nested)
    return {};
  // A definition hides a built-in pattern of the same name from those after it.
  for (size_t i = 0; i < visible; ++i)
    if (definitions[i].name == name.text)
      return callDefinition(name, i);
  if (name.text == kindName(PatternKind::Heads))
    return parseHeads(name);
  for (const Builtin &builtin : builtins())
    if (name.text == kindName(builtin.kind))
      return callBuiltin(name, builtin.kind, builtin.arguments);
  unknownPattern(name);
  return {};
}

//===----------------------------------------------------------------------===//
// Arguments
//===----------------------------------------------------------------------===//

bool Parser::parseInts(std::vector<int64_t> &values) {
  const Token open = peek();
  if (!open.is("[")) {
    unexpected("a list '[...]'");
    return false;
  }
  take();
  if (accept("]"))
    return true;
  do {
    int64_t value = 0;
    if (!parseConstant(value))
      return false;
    values.push_back(value);
  } while (accept(","));
  return expect("]", &open);
}

bool Parser::parseFlags(std::vector<bool> &values) {
  const Token open = peek();
  if (!open.is("[")) {
    unexpected("a list '[...]'");
    return false;
  }
  take();
  if (accept("]"))
    return true;
  do {
    const Token token = peek();
    bool yes = (token.kind == TokenKind::Name && token.text == "true") ||
               (token.kind == TokenKind::Integer && token.value == 1);
    bool no = (token.kind == TokenKind::Name && token.text == "false") ||
              (token.kind == TokenKind::Integer && token.value == 0 && !token.tooLarge);
    if (!yes && !no) {
      unexpected("true or false");
      return false;
    }
    take();
    values.push_back(yes);
  } while (accept(","));
  return expect("]", &open);
}

bool Parser::parseArgument(const ArgSpec &spec, ArgValue &value) {
  size_t begin = peek().span.begin;
  value.present = true;
  bool good = false;
  switch (spec.type) {
  case ArgType::Int:
    good = parseConstant(value.integer);
    break;
  case ArgType::Seed:
    if (peek().kind == TokenKind::Integer && !peek().tooLarge &&
        (peek(1).is(",") || peek(1).is(")"))) {
      value.seed = take().value;
      good = true;
    } else if ((good = parseConstant(value.integer))) {
      value.seed = static_cast<uint64_t>(value.integer);
      if (value.integer < 0)
        fail({begin, previousEnd()},
             fmt::format("expected {} to be at least 0, but got {}", spec.name, value.integer));
    }
    break;
  case ArgType::Ints:
    good = parseInts(value.list);
    break;
  case ArgType::Flags:
    good = parseFlags(value.flags);
    break;
  case ArgType::Pattern:
    value.pattern = parseExpr();
    good = bool(value.pattern);
    break;
  case ArgType::Offsets:
    if (peek().kind == TokenKind::File)
      good = parseNamedList(value);
    else if (!peek().is("["))
      unexpected("a list '[...]' or '@file'");
    else
      good = parseInts(value.list);
    break;
  case ArgType::File:
    if (peek().kind == TokenKind::File) {
      value.file = resolve(take().text);
      good = true;
    } else {
      unexpected("'@file'");
    }
    break;
  }
  value.span = {begin, previousEnd()};
  return good && !failed();
}

bool Parser::parseArguments(const Token &name, const std::vector<ArgSpec> &specs,
                            std::vector<ArgValue> &values) {
  values.assign(specs.size(), {});
  const Token open = peek();
  bool sawName = false;
  size_t position = 0;
  if (accept("(") && !accept(")")) {
    do {
      size_t index = specs.size();
      const Token first = peek();
      if (first.kind == TokenKind::Name && peek(1).is("=")) {
        sawName = true;
        std::vector<std::string> known;
        for (size_t i = 0; i < specs.size(); ++i) {
          known.push_back(specs[i].name);
          if (specs[i].name == first.text)
            index = i;
        }
        if (index == specs.size()) {
          std::string near = nearest(first.text, known), listed;
          for (const std::string &word : known)
            listed += (listed.empty() ? "" : ", ") + word;
          std::string hint = known.empty()  ? "it takes none"
                             : near.empty() ? "it takes " + listed
                                            : fmt::format("did you mean '{}'?", near);
          fail(first.span,
               fmt::format("unknown argument '{}' of '{}'; {}", first.text, name.text, hint));
          return false;
        }
        if (values[index].present) {
          fail(first.span,
               fmt::format("expected argument '{}' once, but got it again", first.text));
          note(values[index].span, "given here");
          return false;
        }
        take();
        take();
      } else {
        if (sawName) {
          unexpected("a named argument after a named one");
          return false;
        }
        index = position++;
        // A file can only be the argument that takes one.
        if (first.kind == TokenKind::File && index == 0 && !specs.empty() &&
            specs.back().type == ArgType::File)
          index = specs.size() - 1;
        if (index >= specs.size()) {
          if (peek().kind == TokenKind::Error || peek().kind == TokenKind::End)
            unexpected("')'");
          else
            fail(first.span, fmt::format("expected at most {} arguments of '{}', but got more",
                                         specs.size(), name.text));
          return false;
        }
        if (values[index].present) {
          unexpected("')'");
          return false;
        }
      }
      if (!parseArgument(specs[index], values[index]))
        return false;
    } while (accept(","));
    if (!expect(")", &open))
      return false;
  }
  for (size_t i = 0; i < specs.size(); ++i) {
    if (!specs[i].required || values[i].present)
      continue;
    fail(
        {name.span.begin, previousEnd()},
        fmt::format("expected argument '{}' of '{}', but it is missing", specs[i].name, name.text));
    return false;
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Calls
//===----------------------------------------------------------------------===//

/// Fills a block table from its file or its arguments, which exclude each other.
bool Parser::readTable(PatternNode &node, std::vector<ArgValue> &values, Span span) {
  ArgValue &size = values[0], &indptr = values[1], &indices = values[2], &heads = values[3],
           &file = values[4];
  bool given = size.present || indptr.present || indices.present || heads.present;
  if (file.present == given || (given && !(size.present && indptr.present && indices.present))) {
    fail(span, "expected either '@file', or size, indptr and indices of "
               "'block_table'");
    return false;
  }
  if (!file.present) {
    node.size = size.integer;
    node.indptr = std::move(indptr.list);
    node.indices = std::move(indices.list);
    node.indptrName = std::move(indptr.table);
    node.indicesName = std::move(indices.table);
    node.tableHeads = heads.present ? heads.integer : 1;
    return true;
  }
  BlockTableFile table;
  std::string message = readBlockTableFile(file.file, table);
  if (!message.empty()) {
    fail(file.span, message);
    return false;
  }
  node.file = file.file;
  node.size = table.size;
  node.indptr = std::move(table.indptr);
  node.indices = std::move(table.indices);
  node.tableHeads = table.heads;
  return true;
}

Operand Parser::callBuiltin(const Token &name, PatternKind kind,
                            const std::vector<ArgSpec> &specs) {
  std::vector<ArgValue> values;
  if (!parseArguments(name, specs, values))
    return {};
  Span span = {name.span.begin, previousEnd()};
  auto node = makeNode(kind);
  int depth = 1;
  int64_t nodes = 1;
  switch (kind) {
  case PatternKind::Window:
  case PatternKind::Dilated:
    if (values[0].present)
      node->left = values[0].integer;
    if (values[1].present)
      node->right = values[1].integer;
    if (kind == PatternKind::Dilated)
      node->dilation = values[2].integer;
    break;
  case PatternKind::Strided:
    node->stride = values[0].integer;
    break;
  case PatternKind::Chunk:
    node->size = values[0].integer;
    break;
  case PatternKind::Columns:
    node->period = values[0].integer;
    node->lo = values[1].integer;
    node->hi = values[2].integer;
    break;
  case PatternKind::GlobalColumns:
  case PatternKind::GlobalRows:
  case PatternKind::Global:
    if (!values[0].present && !values[1].present)
      fail(span, fmt::format("expected argument 'first' or 'last' of '{}', but both "
                             "are missing",
                             name.text));
    node->first = values[0].integer;
    node->last = values[1].integer;
    break;
  case PatternKind::Blockwise:
    node->children = {values[0].pattern.pattern.get()};
    depth += values[0].pattern.depth;
    nodes += values[0].pattern.nodes;
    node->size = values[1].integer;
    break;
  case PatternKind::Segments:
    node->offsets = std::move(values[0].list);
    node->file = std::move(values[0].table);
    break;
  case PatternKind::RandomBlocks:
    node->size = values[0].integer;
    node->count = values[1].integer;
    node->seed = values[2].seed;
    break;
  case PatternKind::BlockTable:
    readTable(*node, values, span);
    break;
  case PatternKind::Neighborhood: {
    Pattern built = neighborhood(values[0].list, values[1].list, values[2].list, values[3].list,
                                 values[4].flags);
    *node = *built;
    break;
  }
  default:
    break;
  }
  return finish(node, span, depth, nodes);
}

Operand Parser::callDefinition(const Token &name, size_t index) {
  Definition &definition = definitions[index];
  std::vector<ArgSpec> specs;
  for (const Parameter &parameter : definition.parameters)
    specs.push_back({parameter.name, ArgType::Int, false});
  std::vector<ArgValue> values;
  if (!parseArguments(name, specs, values))
    return {};
  Span span = {name.span.begin, previousEnd()};
  std::vector<Parameter> bound = definition.parameters;
  std::vector<int64_t> key;
  for (size_t i = 0; i < bound.size(); ++i) {
    if (values[i].present)
      bound[i].value = values[i].integer;
    key.push_back(bound[i].value);
  }
  auto found = definition.instances.find(key);
  if (found == definition.instances.end()) {
    size_t savedPos = pos, savedVisible = visible;
    std::swap(parameters, bound);
    pos = definition.bodyBegin;
    visible = index;
    Operand body = parseExpr();
    std::swap(parameters, bound);
    pos = savedPos;
    visible = savedVisible;
    if (failed()) {
      note(span, fmt::format("in '{}', called here", name.text));
      return {};
    }
    found = definition.instances.emplace(std::move(key), std::move(body)).first;
  }
  Operand result = found->second;
  result.span = span;
  return result;
}

/// `A: P` or `A..B: P`.
bool Parser::parseHeadRange(PatternNode &node, std::vector<Operand> &children) {
  int64_t begin = 0, end = 0;
  if (!parseConstant(begin))
    return false;
  end = begin;
  if (accept("..") && !parseConstant(end))
    return false;
  if (!peek().is(":")) {
    unexpected("'..' or ':' after the head");
    return false;
  }
  take();
  node.headBegin.push_back(begin);
  node.headEnd.push_back(end);
  children.push_back(parseExpr());
  return !failed();
}

Operand Parser::parseHeads(const Token &name) {
  const Token open = peek();
  if (!expect("("))
    return {};
  auto node = makeNode(PatternKind::Heads);
  std::vector<Operand> children;
  const Token list = peek();
  if (accept("[")) {
    if (!accept("]")) {
      do {
        node->headBegin.push_back(int64_t(children.size()));
        node->headEnd.push_back(int64_t(children.size()));
        children.push_back(parseExpr());
      } while (!failed() && accept(","));
      if (!expect("]", &list))
        return {};
    }
  } else if (!peek().is(")")) {
    do {
      if (!parseHeadRange(*node, children))
        return {};
    } while (accept(","));
  }
  if (!expect(")", &open))
    return {};
  int depth = 1;
  int64_t nodes = 1;
  for (const Operand &child : children) {
    node->children.push_back(child.pattern.get());
    depth = std::max(depth, child.depth + 1);
    nodes += child.nodes;
  }
  return finish(node, {name.span.begin, previousEnd()}, depth, nodes);
}
