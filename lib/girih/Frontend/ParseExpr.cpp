//===- ParseExpr.cpp - Predicates, scores and constants -------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// C's precedences, with numbers and conditions kept apart. The arithmetic half
// also reads the integer arguments of calls, which must fold to a constant. In
// scores numbers are integers and floats, and there are more functions.
//
//===----------------------------------------------------------------------===//

#include "girih/Frontend/ParserImpl.h"
#include "girih/Frontend/PatternDetail.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <limits>

using namespace girih;
using namespace girih::detail;

bool Parser::reportType(const ExprOperand &operand, std::string_view expected,
                        std::string_view where) {
  fail(operand.span, fmt::format("expected {} {}, but got the {} {}", expected, where,
                                 typeName(operand.expr->type), quote(operand.span)));
  return false;
}

bool Parser::requireNumber(const ExprOperand &operand, std::string_view where) {
  if (failed() || !operand)
    return false;
  return operand.expr->type != ExprType::Boolean || reportType(operand, numberName(), where);
}

bool Parser::requireInteger(const ExprOperand &operand, std::string_view where) {
  if (failed() || !operand)
    return false;
  return operand.expr->type == ExprType::Integer || reportType(operand, "an integer", where);
}

bool Parser::requireCondition(const ExprOperand &operand, std::string_view where) {
  if (failed() || !operand)
    return false;
  return operand.expr->type == ExprType::Boolean || reportType(operand, "a condition", where);
}

/// Checks operand types and makes the node. `span` is the operator.
ExprOperand Parser::makeOperation(ExprKind kind, const ExprOperand &a, const ExprOperand &b,
                                  Span span) {
  std::string op(source.at(span));
  auto require = kind == ExprKind::And || kind == ExprKind::Or ? &Parser::requireCondition
                 : kind == ExprKind::Mod                       ? &Parser::requireInteger
                                                               : &Parser::requireNumber;
  if (!(this->*require)(a, fmt::format("on the left of '{}'", op)) ||
      !(this->*require)(b, fmt::format("on the right of '{}'", op)))
    return {};
  ExprOperand result;
  result.span = {a.span.begin, b.span.end};
  result.depth = 1 + std::max(a.depth, b.depth);
  result.nodes = 1 + a.nodes + b.nodes;
  if (!checkSize(result.depth + 1, result.nodes, span))
    return {};
  result.expr = makeExpr(kind, a.expr, b.expr);
  bool divides = kind == ExprKind::Div || kind == ExprKind::Mod;
  if (!divides || result.expr->type != ExprType::Integer)
    return result;
  std::optional<int64_t> divisor = foldConstant(b.expr);
  if (divisor && *divisor > 0)
    return result;
  bool mayMeanReal = isScore && kind == ExprKind::Div && !divisor;
  fail(b.span, fmt::format("expected the right side of '{}' to be a positive "
                           "constant, but got {}{}",
                           op, divisor ? std::to_string(*divisor) : quote(b.span),
                           mayMeanReal ? realDivisionHint : ""));
  return {};
}

/// Makes a node of one operand, whose type is right; keeps its span.
ExprOperand Parser::makeUnary(ExprKind kind, const ExprOperand &operand, Span span) {
  ExprOperand result = operand;
  result.expr = makeExpr(kind, operand.expr);
  // Negating a constant makes no node.
  if (result.expr->lhs) {
    ++result.depth;
    ++result.nodes;
  }
  return checkSize(result.depth + 1, result.nodes, span) ? result : ExprOperand();
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
  if (negate && (peek().kind == TokenKind::Integer || peek().kind == TokenKind::Real))
    return parseLiteral(/*negative=*/true, op.span);
  ExprOperand inner = parseUnary();
  std::string where = fmt::format("after '{}'", op.text);
  if (negate ? !requireNumber(inner, where) : !requireCondition(inner, where))
    return {};
  inner.span.begin = op.span.begin;
  return makeUnary(negate ? ExprKind::Neg : ExprKind::Not, inner, op.span);
}

/// Reads a number; `span` begins at the sign if there is one. The sign belongs
/// to the literal so that the least integer can be written.
ExprOperand Parser::parseLiteral(bool negative, Span span) {
  if (peek().kind == TokenKind::Real && !isScore) {
    unexpected("an integer");
    return {};
  }
  Token token = take();
  if (token.kind == TokenKind::Real) {
    if (std::isfinite(token.real))
      return {makeLiteral(negative ? -token.real : token.real), {span.begin, token.span.end}, 1, 1};
    fail({span.begin, token.span.end},
         fmt::format("expected a number that f32 can hold, but got {}",
                     quote({span.begin, token.span.end})));
    return {};
  }
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
  if (token.kind == TokenKind::Integer || token.kind == TokenKind::Real)
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
  unexpected(constantsOnly ? "an integer" : fmt::format("{} or a condition", numberName()));
  return {};
}

namespace {

/// A function of the language; `min` and `max` take any more arguments.
struct Function {
  ExprKind kind;
  bool isScoreOnly;
};

constexpr Function functions[] = {
    {ExprKind::Min, false},    {ExprKind::Max, false}, {ExprKind::Abs, false},
    {ExprKind::ToFloat, true}, {ExprKind::Exp, true},  {ExprKind::Exp2, true},
    {ExprKind::Log, true},     {ExprKind::Log2, true}, {ExprKind::Sqrt, true},
    {ExprKind::Rsqrt, true},   {ExprKind::Tanh, true}, {ExprKind::Sigmoid, true},
    {ExprKind::Erf, true},     {ExprKind::Sin, true},  {ExprKind::Cos, true},
    {ExprKind::Floor, true},   {ExprKind::Pow, true},  {ExprKind::Where, true}};

} // namespace

/// The arguments of a call, then the call. `min` and `max` of more than two are
/// chains.
ExprOperand Parser::parseFunction(const Token &name, ExprKind kind) {
  Level nested(*this, name.span);
  if (!nested)
    return {};
  const Token open = peek();
  if (!expect("("))
    return {};
  bool isChain = kind == ExprKind::Min || kind == ExprKind::Max;
  size_t wanted = kind == ExprKind::Where ? 3 : isUnary(kind) ? 1 : 2;
  std::string where = fmt::format("in '{}'", name.text);
  std::vector<ExprOperand> arguments;
  do {
    bool wantsCondition = kind == ExprKind::Where && arguments.empty();
    ExprOperand argument = constantsOnly ? parseSum() : parseOr();
    if (wantsCondition ? !requireCondition(argument, "as the first argument of 'where'")
                       : !requireNumber(argument, where))
      return {};
    arguments.push_back(std::move(argument));
    if (arguments.size() > wanted && isChain) {
      arguments[0] = makeOperation(kind, arguments[0], arguments[1], name.span);
      arguments.erase(arguments.begin() + 1);
    }
  } while (!failed() && (isChain || arguments.size() < wanted) && accept(","));
  if (failed())
    return {};
  if (arguments.size() < wanted) {
    unexpected(fmt::format("',' and a {} {}", arguments.size() == 1 ? "second" : "third",
                           isScore ? "number" : "integer"));
    return {};
  }
  if (!expect(")", &open))
    return {};

  Span span = {name.span.begin, previousEnd()};
  ExprOperand result;
  if (kind == ExprKind::Where) {
    result.depth = 1;
    result.nodes = 1;
    for (const ExprOperand &argument : arguments) {
      result.depth = std::max(result.depth, 1 + argument.depth);
      result.nodes += argument.nodes;
    }
    if (checkSize(result.depth + 1, result.nodes, name.span))
      result.expr = makeWhere(arguments[0].expr, arguments[1].expr, arguments[2].expr);
  } else if (wanted == 1) {
    result = makeUnary(kind, arguments[0], name.span);
  } else {
    result = makeOperation(kind, arguments[0], arguments[1], name.span);
  }
  result.span = span;
  return result;
}

ExprOperand Parser::parseNameInExpr() {
  Token name = take();
  for (const Parameter &parameter : parameters)
    if (parameter.name == name.text)
      return {makeConstant(parameter.value), name.span, 1, 1};
  for (const Function &function : functions)
    if (name.text == functionName(function.kind) && (isScore || !function.isScoreOnly))
      return parseFunction(name, function.kind);
  if (isScore && name.text == "score")
    return {makeScoreVariable(), name.span, 1, 1};
  if (isScore && name.text == "inf")
    return {makeLiteral(std::numeric_limits<float>::infinity()), name.span, 1, 1};

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

  unknownName(name);
  return {};
}

void Parser::unknownName(const Token &name) {
  std::vector<std::string> known;
  for (const Parameter &parameter : parameters)
    known.push_back(parameter.name);
  if (!constantsOnly) {
    if (isScore)
      known.insert(known.end(), {"score", "inf"});
    known.insert(known.end(), {"b", "h", "q", "k", "nq", "nk"});
    for (const Function &function : functions)
      if (isScore || !function.isScoreOnly)
        known.push_back(functionName(function.kind));
    known.insert(known.end(), {"true", "false"});
  }
  std::string near = nearest(name.text, known), listed;
  for (const std::string &word : known)
    listed += (listed.empty() ? "" : ", ") + word;
  if (!near.empty())
    fail(name.span, fmt::format("unknown name '{}'; did you mean '{}'?", name.text, near));
  else if (listed.empty())
    fail(name.span, fmt::format("expected an integer, but got '{}'", name.text));
  else
    fail(name.span, fmt::format("unknown name '{}'; known here: {}", name.text, listed));
}

bool Parser::parseConstant(int64_t &value) {
  bool saved = constantsOnly;
  constantsOnly = true;
  ExprOperand operand = parseSum();
  constantsOnly = saved;
  if (!requireInteger(operand, "as a constant"))
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

Score Parser::parseWholeScore() {
  isScore = true;
  checkTables();
  if (peek().kind == TokenKind::End) {
    fail(peek().span, "expected a score, but got an empty expression");
    return {};
  }
  ExprOperand whole = parseOr();
  if (failed())
    return {};
  if (peek().kind != TokenKind::End) {
    unexpected("an operator or the end of the input");
    return {};
  }
  if (!requireNumber(whole, "as the score"))
    return {};
  if (std::string message = validateScore(whole.expr); !message.empty())
    fail(whole.span, message);
  return failed() ? Score() : Score(whole.expr);
}
