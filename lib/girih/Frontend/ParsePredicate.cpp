//===- ParsePredicate.cpp - Predicates and constants ----------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// C's precedences, with integers and conditions kept apart. The arithmetic half
// also reads the integer arguments of calls, which must fold to a constant.
//
//===----------------------------------------------------------------------===//

#include "girih/Frontend/ParserImpl.h"
#include "girih/Frontend/PatternDetail.h"

#include <algorithm>
#include <fmt/format.h>

using namespace girih;
using namespace girih::detail;

bool Parser::requireType(const ExprOperand &operand, bool boolean, std::string_view where) {
  if (failed() || !operand)
    return false;
  if (isBoolean(operand.expr->kind) == boolean)
    return true;
  fail(operand.span,
       fmt::format("expected {} {}, but got {} {}", boolean ? "a condition" : "an integer", where,
                   boolean ? "the integer" : "the condition", quote(operand.span)));
  return false;
}

/// Checks operand types and makes the node. `span` is the operator.
ExprOperand Parser::makeOperation(ExprKind kind, const ExprOperand &a, const ExprOperand &b,
                                  Span span) {
  bool logical = kind == ExprKind::And || kind == ExprKind::Or;
  std::string op(source.at(span));
  if (!requireType(a, logical, fmt::format("on the left of '{}'", op)) ||
      !requireType(b, logical, fmt::format("on the right of '{}'", op)))
    return {};
  if (kind == ExprKind::Div || kind == ExprKind::Mod) {
    std::optional<int64_t> divisor = foldConstant(b.expr);
    if (!divisor || *divisor <= 0) {
      fail(b.span, fmt::format("expected the right side of '{}' to be a positive "
                               "constant, but got {}",
                               op, divisor ? std::to_string(*divisor) : quote(b.span)));
      return {};
    }
  }
  ExprOperand result;
  result.span = {a.span.begin, b.span.end};
  result.depth = 1 + std::max(a.depth, b.depth);
  result.nodes = 1 + a.nodes + b.nodes;
  if (checkSize(result.depth + 1, result.nodes, span))
    result.expr = makeExpr(kind, a.expr, b.expr);
  return result;
}

ExprOperand Parser::parseOr() {
  ExprOperand left = parseAnd();
  while (!failed() && peek().is("||")) {
    Span op = take().span;
    left = makeOperation(ExprKind::Or, left, parseAnd(), op);
  }
  return left;
}

ExprOperand Parser::parseAnd() {
  ExprOperand left = parseComparison();
  while (!failed() && peek().is("&&")) {
    Span op = take().span;
    left = makeOperation(ExprKind::And, left, parseComparison(), op);
  }
  return left;
}

static std::optional<ExprKind> comparison(const Token &token) {
  static const std::pair<std::string_view, ExprKind> kinds[] = {
      {"<", ExprKind::Lt},  {"<=", ExprKind::Le}, {">", ExprKind::Gt},
      {">=", ExprKind::Ge}, {"==", ExprKind::Eq}, {"!=", ExprKind::Ne}};
  for (auto [text, kind] : kinds)
    if (token.is(text))
      return kind;
  return std::nullopt;
}

ExprOperand Parser::parseComparison() {
  ExprOperand left = parseSum();
  std::optional<ExprKind> kind = comparison(peek());
  if (failed() || !kind)
    return left;
  Span op = take().span;
  ExprOperand result = makeOperation(*kind, left, parseSum(), op);
  if (!failed() && comparison(peek()))
    fail(peek().span, "expected one comparison, but got a chain; write "
                      "'a < b && b < c'");
  return result;
}

ExprOperand Parser::parseSum() {
  ExprOperand left = parseProduct();
  while (!failed() && (peek().is("+") || peek().is("-"))) {
    Token op = take();
    left = makeOperation(op.text == "+" ? ExprKind::Add : ExprKind::Sub, left, parseProduct(),
                         op.span);
  }
  return left;
}

ExprOperand Parser::parseProduct() {
  ExprOperand left = parseUnary();
  while (!failed() && (peek().is("*") || peek().is("/") || peek().is("%"))) {
    Token op = take();
    ExprKind kind = op.text == "*" ? ExprKind::Mul : op.text == "/" ? ExprKind::Div : ExprKind::Mod;
    left = makeOperation(kind, left, parseUnary(), op.span);
  }
  return left;
}

ExprOperand Parser::parseUnary() {
  if (!peek().is("-") && !peek().is("!"))
    return parsePrimary();
  Token op = take();
  Level nested(*this, op.span);
  if (!nested)
    return {};
  bool negate = op.text == "-";
  if (negate && peek().kind == TokenKind::Integer)
    return parseLiteral(/*negative=*/true, op.span);
  ExprOperand inner = parseUnary();
  if (!requireType(inner, !negate, fmt::format("after '{}'", op.text)))
    return {};
  inner.span.begin = op.span.begin;
  // Negating a constant makes no node.
  if (!negate || inner.expr->kind != ExprKind::Constant) {
    ++inner.depth;
    ++inner.nodes;
  }
  if (!checkSize(inner.depth + 1, inner.nodes, op.span))
    return {};
  inner.expr = makeExpr(negate ? ExprKind::Neg : ExprKind::Not, inner.expr);
  return inner;
}

/// Reads an integer; `span` begins at the sign if there is one. The sign belongs
/// to the literal so that the least integer can be written.
ExprOperand Parser::parseLiteral(bool negative, Span span) {
  Token token = take();
  constexpr uint64_t limit = uint64_t(1) << 63;
  if (token.tooLarge || token.value > limit - !negative) {
    fail({span.begin, token.span.end}, fmt::format("expected an integer of 64 bits, but got {}",
                                                   quote({span.begin, token.span.end})));
    return {};
  }
  auto value = static_cast<int64_t>(negative ? 0 - token.value : token.value);
  return {makeConstant(value), {span.begin, token.span.end}, 1, 1};
}

ExprOperand Parser::parsePrimary() {
  const Token &token = peek();
  if (!countStep(token.span))
    return {};
  if (token.kind == TokenKind::Integer)
    return parseLiteral(/*negative=*/false, token.span);
  if (token.kind == TokenKind::Name)
    return parseNameInExpr();
  if (token.kind == TokenKind::File && !constantsOnly)
    return parseLookup();
  if (token.is("(")) {
    Token open = take();
    Level nested(*this, open.span);
    if (!nested)
      return {};
    ExprOperand inner = constantsOnly ? parseSum() : parseOr();
    if (!expect(")", &open))
      return {};
    inner.span = {open.span.begin, previousEnd()};
    return inner;
  }
  unexpected(constantsOnly ? "an integer" : "an integer or a condition");
  return {};
}

ExprOperand Parser::parseFunction(const Token &name) {
  Level nested(*this, name.span);
  if (!nested)
    return {};
  const Token open = peek();
  if (!expect("("))
    return {};
  ExprKind kind = name.text == "min"   ? ExprKind::Min
                  : name.text == "max" ? ExprKind::Max
                                       : ExprKind::Abs;
  std::string where = fmt::format("in '{}'", name.text);
  ExprOperand result = parseSum();
  int count = 1;
  if (!requireType(result, false, where))
    return {};
  for (; kind != ExprKind::Abs && !failed() && accept(","); ++count) {
    ExprOperand next = parseSum();
    if (!requireType(next, false, where))
      return {};
    result = makeOperation(kind, result, next, name.span);
  }
  if (!failed() && comparison(peek())) {
    fail(peek().span, fmt::format("expected an integer in '{}', but got a condition", name.text));
    return {};
  }
  if (!failed() && kind != ExprKind::Abs && count < 2) {
    unexpected("',' and a second integer");
    return {};
  }
  if (!expect(")", &open))
    return {};
  result.span = {name.span.begin, previousEnd()};
  if (kind != ExprKind::Abs)
    return result;
  ++result.nodes;
  if (!checkSize(++result.depth + 1, result.nodes, name.span))
    return {};
  result.expr = makeExpr(ExprKind::Abs, result.expr);
  return result;
}

ExprOperand Parser::parseNameInExpr() {
  Token name = take();
  for (const Parameter &parameter : parameters)
    if (parameter.name == name.text)
      return {makeConstant(parameter.value), name.span, 1, 1};
  if (name.text == "min" || name.text == "max" || name.text == "abs")
    return parseFunction(name);

  static const std::pair<std::string_view, Var> variables[] = {
      {"b", Var::B}, {"h", Var::H}, {"q", Var::Q}, {"k", Var::K}, {"nq", Var::NQ}, {"nk", Var::NK}};
  for (auto [text, var] : variables) {
    if (name.text != text)
      continue;
    if (!constantsOnly)
      return {makeVariable(var), name.span, 1, 1};
    fail(name.span, fmt::format("expected a constant, but got the variable '{}'", name.text));
    return {};
  }
  if (name.text == "true" || name.text == "false") {
    if (!constantsOnly)
      return {makeTruth(name.text == "true"), name.span, 1, 1};
    fail(name.span, fmt::format("expected an integer, but got '{}'", name.text));
    return {};
  }

  std::vector<std::string> known;
  for (const Parameter &parameter : parameters)
    known.push_back(parameter.name);
  if (!constantsOnly)
    for (const char *word : {"b", "h", "q", "k", "nq", "nk", "min", "max", "abs", "true", "false"})
      known.push_back(word);
  std::string near = nearest(name.text, known), listed;
  for (const std::string &word : known)
    listed += (listed.empty() ? "" : ", ") + word;
  if (!near.empty())
    fail(name.span, fmt::format("unknown name '{}'; did you mean '{}'?", name.text, near));
  else if (listed.empty())
    fail(name.span, fmt::format("expected an integer, but got '{}'", name.text));
  else
    fail(name.span, fmt::format("unknown name '{}'; known here: {}", name.text, listed));
  return {};
}

bool Parser::parseConstant(int64_t &value) {
  bool saved = constantsOnly;
  constantsOnly = true;
  ExprOperand operand = parseSum();
  constantsOnly = saved;
  if (!requireType(operand, false, "as a constant"))
    return false;
  std::optional<int64_t> folded = foldConstant(operand.expr);
  if (!folded) {
    fail(operand.span,
         fmt::format("expected a constant of 64 bits, but got {}", quote(operand.span)));
    return false;
  }
  value = *folded;
  return true;
}
