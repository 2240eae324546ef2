//===- Parser.cpp - Expressions and specs ---------------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Recursive descent with a bound on the levels: chains of operators are loops,
// and everything that nests goes through Parser::Level.
//
//===----------------------------------------------------------------------===//

#include "girih/Frontend/Parser.h"

#include "girih/Frontend/ParserImpl.h"
#include "girih/Frontend/PatternDetail.h"
#include "girih/Frontend/TableFiles.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

using namespace girih;
using namespace girih::detail;

//===----------------------------------------------------------------------===//
// Tokens and errors
//===----------------------------------------------------------------------===//

void Parser::fail(Span span, std::string_view message) {
  if (error.empty())
    error = source.render(span, "error", message);
}

void Parser::note(Span span, std::string_view message) {
  error += "\n" + source.render(span, "note", message);
}

std::string Parser::quote(Span span) const {
  std::string text(source.at(span));
  for (char &c : text) // a message is one line
    if (c == '\n' || c == '\r' || c == '\t')
      c = ' ';
  constexpr size_t limit = 40;
  if (text.size() > limit)
    text = text.substr(0, limit - 3) + "...";
  return fmt::format("'{}'", text);
}

std::string Parser::describe(const Token &token) const {
  return token.kind == TokenKind::End ? "the end of the input" : quote(token.span);
}

void Parser::unexpected(std::string_view what) {
  const Token &token = peek();
  if (token.kind == TokenKind::Error)
    return fail(token.span, token.text);
  fail(token.span, fmt::format("expected {}, but got {}", what, describe(token)));
}

bool Parser::expect(std::string_view punct, const Token *open) {
  if (failed())
    return false;
  if (accept(punct))
    return true;
  unexpected(fmt::format("'{}'", punct));
  if (open)
    note(open->span, fmt::format("to close this '{}'", source.at(open->span)));
  return false;
}

bool Parser::checkSize(int depth, int64_t nodes, Span span) {
  if (depth > maxDepth)
    fail(span, fmt::format("expected at most {} levels of nesting, but got more; "
                           "each operator of this chain is a level, so group its "
                           "terms with parentheses",
                           maxDepth));
  else if (nodes > maxNodes)
    fail(span, fmt::format("expected at most {} nodes, but got more", maxNodes));
  return !failed();
}

bool Parser::countStep(Span span) {
  // Bodies parsed again for other arguments can multiply; this ends it.
  if (++steps > 4 * maxNodes)
    fail(span, fmt::format("expected a spec of at most {} terms after expansion, "
                           "but got more",
                           4 * maxNodes));
  return !failed();
}

Parser::Level::Level(Parser &parser, Span span) : parser(parser), good(++parser.level <= maxDepth) {
  if (!good)
    parser.fail(span, fmt::format("expected at most {} levels of nesting, but got "
                                  "more",
                                  maxDepth));
}

//===----------------------------------------------------------------------===//
// Expressions
//===----------------------------------------------------------------------===//

Operand Parser::finish(const std::shared_ptr<PatternNode> &node, Span span, int depth,
                       int64_t nodes) {
  if (failed() || !checkSize(depth, nodes, span))
    return {};
  std::string message = validateNode(*node);
  if (!message.empty()) {
    fail(span, message);
    return {};
  }
  return {Pattern(node), span, depth, nodes};
}

/// One node for a chain of `|` or `&`, as the builder's operators make it: a
/// first operand of the same kind is taken apart, others stay.
Operand Parser::makeChain(PatternKind kind, const std::vector<Operand> &operands, Span span) {
  if (operands.size() == 1)
    return operands[0];
  auto node = makeNode(kind);
  const Operand &head = operands[0];
  int depth = head.depth + 1;
  int64_t nodes = head.nodes + 1;
  if (head.pattern->kind == kind) {
    node->children = head.pattern->children;
    --depth;
    --nodes;
  } else {
    node->children.push_back(head.pattern.get());
  }
  for (size_t i = 1; i < operands.size(); ++i) {
    node->children.push_back(operands[i].pattern.get());
    depth = std::max(depth, operands[i].depth + 1);
    nodes += operands[i].nodes;
  }
  return finish(node, span, depth, nodes);
}

Operand Parser::parseExpr() {
  size_t begin = peek().span.begin;
  std::vector<Operand> chain = {parseTerm()};
  while (!failed() && (peek().is("|") || peek().is("-"))) {
    Token op = take();
    Operand right = parseTerm();
    if (failed())
      return {};
    if (op.text == "|") {
      chain.push_back(std::move(right));
      continue;
    }
    Operand left = makeChain(PatternKind::Union, chain, {begin, op.span.begin});
    if (!left)
      return {};
    auto node = makeNode(PatternKind::Subtract);
    node->children = {left.pattern.get(), right.pattern.get()};
    Operand difference =
        finish(node, op.span, 1 + std::max(left.depth, right.depth), 1 + left.nodes + right.nodes);
    difference.span = {begin, right.span.end};
    chain = {std::move(difference)};
  }
  if (failed())
    return {};
  return makeChain(PatternKind::Union, chain, {begin, previousEnd()});
}

Operand Parser::parseTerm() {
  size_t begin = peek().span.begin;
  std::vector<Operand> chain = {parseFactor()};
  while (!failed() && accept("&"))
    chain.push_back(parseFactor());
  if (failed())
    return {};
  return makeChain(PatternKind::Intersect, chain, {begin, previousEnd()});
}

Operand Parser::parseFactor() {
  const Token &token = peek();
  if (!countStep(token.span))
    return {};
  if (token.is("~"))
    return parseComplement();
  if (token.is("("))
    return parseParens();
  if (token.is("{"))
    return parsePredicate();
  if (token.kind == TokenKind::Name)
    return parseCall();
  unexpected("a pattern");
  return {};
}

Operand Parser::parseComplement() {
  Token op = take();
  Level nested(*this, op.span);
  if (!nested)
    return {};
  Operand inner = parseFactor();
  if (failed())
    return {};
  auto node = makeNode(PatternKind::Complement);
  node->children = {inner.pattern.get()};
  return finish(node, {op.span.begin, inner.span.end}, inner.depth + 1, inner.nodes + 1);
}

Operand Parser::parseParens() {
  Token open = take();
  Level nested(*this, open.span);
  if (!nested)
    return {};
  Operand inner = parseExpr();
  if (!expect(")", &open))
    return {};
  inner.span = {open.span.begin, previousEnd()};
  return inner;
}

Operand Parser::parsePredicate() {
  Token open = take();
  Level nested(*this, open.span);
  if (!nested)
    return {};
  ExprOperand expr = parseOr();
  if (failed())
    return {};
  if (peek().is("=")) {
    unexpected("'=='");
    return {};
  }
  if (peek().is("|") || peek().is("&")) {
    unexpected(peek().text == "|" ? "'||'" : "'&&'");
    return {};
  }
  if (!expect("}", &open) || !requireCondition(expr, "as a predicate"))
    return {};
  auto node = makeNode(PatternKind::Predicate);
  node->expr = expr.expr;
  return finish(node, {open.span.begin, previousEnd()}, expr.depth + 1, expr.nodes + 1);
}

Pattern Parser::parseWhole() {
  checkTables();
  if (failed())
    return {};
  if (peek().kind == TokenKind::End) {
    fail(peek().span, "expected a pattern, but got an empty expression");
    return {};
  }
  if (peek().kind == TokenKind::Name && peek().text == "pattern" &&
      peek(1).kind == TokenKind::Name) {
    fail(peek().span, "expected an expression, but got a definition, which belongs "
                      "in a spec file");
    return {};
  }
  Operand whole = parseExpr();
  if (failed())
    return {};
  if (peek().is("||") || peek().is("&&"))
    unexpected(peek().text == "||" ? "'|' for a union" : "'&' for an intersection");
  else if (peek().kind != TokenKind::End)
    unexpected("an operator or the end of the input");
  return failed() ? Pattern() : whole.pattern;
}

//===----------------------------------------------------------------------===//
// Specs
//===----------------------------------------------------------------------===//

/// Names that mean something in predicates, so that no parameter can have them.
static bool isReserved(std::string_view name) {
  static const std::set<std::string_view> names = {"b",   "h",   "q",   "k",    "nq",    "nk",
                                                   "min", "max", "abs", "true", "false", "pattern"};
  return names.count(name) != 0;
}

bool Parser::parseParameters(Definition &definition) {
  Token open = take();
  do {
    if (peek().kind != TokenKind::Name) {
      unexpected("a parameter name");
      return false;
    }
    Token name = take();
    if (isReserved(name.text))
      fail(name.span, fmt::format("expected a parameter name, but got '{}', which "
                                  "has a meaning of its own",
                                  name.text));
    for (const Parameter &other : definition.parameters)
      if (other.name == name.text)
        fail(name.span, fmt::format("expected parameters of different names, but "
                                    "got '{}' again",
                                    name.text));
    if (!expect(":"))
      return false;
    int64_t value = 0;
    if (!parseConstant(value))
      return false;
    definition.parameters.push_back({name.text, value});
  } while (!failed() && accept(","));
  return expect(")", &open);
}

bool Parser::parseDefinition() {
  if (!acceptName("pattern")) {
    unexpected(definitions.empty() ? "'pattern NAME = ...'" : "'pattern' or the end of the input");
    return false;
  }
  if (peek().kind != TokenKind::Name) {
    unexpected("the name of the pattern");
    return false;
  }
  Token name = take();
  if (name.text == "pattern") {
    fail(name.span, "expected the name of the pattern, but got 'pattern'");
    return false;
  }
  for (const Definition &other : definitions) {
    if (other.name != name.text)
      continue;
    fail(name.span, fmt::format("expected patterns of different names, but got '{}' "
                                "again",
                                name.text));
    note(other.span, "defined here");
    return false;
  }
  Definition definition;
  definition.name = name.text;
  definition.span = name.span;
  if (peek().is("(") && !parseParameters(definition))
    return false;
  if (!expect("="))
    return false;
  definition.bodyBegin = pos;
  visible = definitions.size();
  parameters = definition.parameters;
  Operand body = parseExpr();
  parameters.clear();
  if (failed())
    return false;
  std::vector<int64_t> defaults;
  for (const Parameter &parameter : definition.parameters)
    defaults.push_back(parameter.value);
  definition.instances[defaults] = body;
  definitions.push_back(std::move(definition));
  return true;
}

std::vector<NamedPattern> Parser::parseSpec() {
  checkTables();
  if (!failed() && peek().kind == TokenKind::End)
    fail(peek().span, "expected 'pattern NAME = ...', but got an empty spec");
  while (!failed() && peek().kind != TokenKind::End)
    parseDefinition();
  std::vector<NamedPattern> result;
  if (failed())
    return result;
  for (const Definition &definition : definitions) {
    std::vector<int64_t> defaults;
    for (const Parameter &parameter : definition.parameters)
      defaults.push_back(parameter.value);
    result.push_back({definition.name, definition.instances.at(defaults).pattern});
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Entry points
//===----------------------------------------------------------------------===//

ParseResult girih::parsePattern(std::string_view text, std::string_view bufferName,
                                const ParseOptions &options) {
  Parser parser(text, bufferName, options);
  ParseResult result;
  result.pattern = parser.parseWhole();
  result.error = std::move(parser.error);
  return result;
}

ScoreResult girih::parseScore(std::string_view text, std::string_view bufferName,
                              const ParseOptions &options) {
  Parser parser(text, bufferName, options);
  ScoreResult result;
  result.score = parser.parseWholeScore();
  result.error = std::move(parser.error);
  return result;
}

SpecResult girih::parseSpec(std::string_view text, std::string_view bufferName,
                            const ParseOptions &options) {
  Parser parser(text, bufferName, options);
  SpecResult result;
  result.patterns = parser.parseSpec();
  result.error = std::move(parser.error);
  return result;
}

ParseResult girih::parseSpecFile(const std::string &path, std::string_view name,
                                 const std::vector<Table> &tables) {
  std::string text;
  constexpr uint64_t mostBytes = uint64_t{64} << 20;
  std::string error = readTextFile(path, text, mostBytes);
  if (!error.empty())
    return {Pattern(), error};
  ParseOptions options;
  options.tables = tables;
  size_t slash = path.rfind('/');
  if (slash != std::string::npos)
    options.baseDir = path.substr(0, slash + 1);
  SpecResult spec = parseSpec(text, path, options);
  if (!spec)
    return {Pattern(), spec.error};

  std::vector<std::string> names;
  std::string listed;
  for (const NamedPattern &entry : spec.patterns) {
    if (entry.name == name || (name.empty() && spec.patterns.size() == 1))
      return {entry.pattern, ""};
    names.push_back(entry.name);
    listed += (listed.empty() ? "" : ", ") + entry.name;
  }
  if (name.empty())
    return {Pattern(), fmt::format("expected the name of a pattern of '{}', "
                                   "which holds several: {}",
                                   path, listed)};
  std::string near = nearest(name, names);
  return {Pattern(), fmt::format("unknown pattern '{}' of '{}'; {}", name, path,
                                 near.empty() ? "it holds: " + listed
                                              : fmt::format("did you mean '{}'?", near))};
}
