//===- ParserImpl.h - The recursive-descent parser --------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Private to the parser's files: patterns and specs are in Parser.cpp, calls in
// ParseCall.cpp, predicates, scores and constants in ParseExpr.cpp.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_FRONTEND_PARSERIMPL_H
#define GIRIH_FRONTEND_PARSERIMPL_H

#include "girih/Frontend/Lexer.h"
#include "girih/Frontend/Parser.h"
#include "girih/Frontend/Pattern.h"

#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace girih::detail {

/// A parsed pattern with what its parents need to know of it.
struct Operand {
  Pattern pattern;
  Span span;
  int depth = 0;
  int64_t nodes = 0;
  explicit operator bool() const { return bool(pattern); }
};

/// The same for an expression of a predicate or a score.
struct ExprOperand {
  ExprRef expr;
  Span span;
  int depth = 0;
  int64_t nodes = 0;
  explicit operator bool() const { return expr != nullptr; }
};

/// What an argument of a call may be.
enum class ArgType {
  Int,     // constant expression
  Seed,    // the same, up to 64 unsigned bits
  Ints,    // list of constants
  Flags,   // list of true and false
  Pattern, // expression
  Offsets, // list of constants, or a list of integers that '@name' names
  File,    // a file
};

struct ArgSpec {
  std::string name;
  ArgType type;
  bool required;
};

/// A parsed argument; `present` tells whether it was written.
struct ArgValue {
  bool present = false;
  int64_t integer = 0;
  uint64_t seed = 0;
  std::vector<int64_t> list;
  std::vector<bool> flags;
  std::string file;
  std::string table; ///< Offsets: behind '@'
  Operand pattern;
  Span span;
};

struct Parameter {
  std::string name;
  int64_t value;
};

/// A `pattern NAME (...) = body` of a spec. The body is parsed again for each
/// distinct list of arguments.
struct Definition {
  std::string name;
  Span span;
  std::vector<Parameter> parameters;
  size_t bodyBegin = 0; ///< first token
  std::map<std::vector<int64_t>, Operand> instances;
};

class Parser {
public:
  Parser(std::string_view text, std::string_view bufferName, const ParseOptions &options)
      : source(bufferName, text), options(options), tokens(tokenize(text)) {}

  /// Parses the whole input as one expression; a null pattern after an error.
  Pattern parseWhole();
  /// Parses the whole input as a score; a null one after an error.
  Score parseWholeScore();
  /// Parses the whole input as a spec.
  std::vector<NamedPattern> parseSpec();

  /// The first error, rendered, and its notes.
  std::string error;

private:
  //===--- Tokens and errors (Parser.cpp) ---------------------------------===//
  const Token &peek(size_t ahead = 0) const {
    return tokens[std::min(pos + ahead, tokens.size() - 1)];
  }
  Token take() {
    const Token &token = peek();
    if (pos + 1 < tokens.size())
      ++pos;
    return token;
  }
  bool accept(std::string_view punct) {
    if (!peek().is(punct))
      return false;
    take();
    return true;
  }
  bool acceptName(std::string_view name) {
    if (peek().kind != TokenKind::Name || peek().text != name)
      return false;
    take();
    return true;
  }
  /// Takes `punct`, or reports that it was expected. `open` is the token that it
  /// closes, if any.
  bool expect(std::string_view punct, const Token *open = nullptr);
  void fail(Span span, std::string_view message);
  void note(Span span, std::string_view message);
  /// "expected WHAT, but got" the current token.
  void unexpected(std::string_view what);
  std::string describe(const Token &token) const;
  /// Text of a span, cut to fit a message.
  std::string quote(Span span) const;
  size_t previousEnd() const { return pos ? tokens[pos - 1].span.end : 0; }
  bool failed() const { return !error.empty(); }
  /// Whether a tree of this size is accepted; reports at `span` otherwise.
  bool checkSize(int depth, int64_t nodes, Span span);
  /// Counts one step of work; parsing a spec's bodies again has a budget too.
  bool countStep(Span span);

  /// One level of nesting for the time of its life.
  class Level {
  public:
    Level(Parser &parser, Span span);
    ~Level() { --parser.level; }
    explicit operator bool() const { return good; }

  private:
    Parser &parser;
    bool good;
  };

  //===--- Patterns (Parser.cpp) ------------------------------------------===//
  Operand parseExpr();
  Operand parseTerm();
  Operand parseFactor();
  Operand parseParens();
  Operand parseComplement();
  Operand parsePredicate();
  Operand makeChain(PatternKind kind, const std::vector<Operand> &operands, Span span);
  /// Wraps a finished node after checking it; errors point at `span`.
  Operand finish(const std::shared_ptr<PatternNode> &node, Span span, int depth, int64_t nodes);
  bool parseDefinition();
  bool parseParameters(Definition &definition);

  //===--- Calls (ParseCall.cpp) ------------------------------------------===//
  Operand parseCall();
  Operand callBuiltin(const Token &name, PatternKind kind, const std::vector<ArgSpec> &specs);
  Operand callDefinition(const Token &name, size_t index);
  Operand parseHeads(const Token &name);
  bool parseHeadRange(PatternNode &node, std::vector<Operand> &children);
  bool parseArguments(const Token &name, const std::vector<ArgSpec> &specs,
                      std::vector<ArgValue> &values);
  bool parseArgument(const ArgSpec &spec, ArgValue &value);
  bool parseInts(std::vector<int64_t> &values);
  bool parseFlags(std::vector<bool> &values);
  bool parseNamedList(ArgValue &value);
  bool readTable(PatternNode &node, std::vector<ArgValue> &values, Span span);
  void unknownPattern(const Token &name);
  std::string resolve(const std::string &file) const;

  //===--- Tables (ParseTable.cpp) ----------------------------------------===//
  /// Checks `options.tables`; reports what is wrong.
  void checkTables();
  /// The table that a File token names: one in memory, else a file, read once. Null
  /// after an error.
  TableRef findTable(const Token &name);

  //===--- Predicates, scores and constants (ParseExpr.cpp) ---------------===//
  ExprOperand parseOr();
  ExprOperand parseAnd();
  ExprOperand parseComparison();
  ExprOperand parseSum();
  ExprOperand parseProduct();
  ExprOperand parseUnary();
  ExprOperand parsePrimary();
  ExprOperand parseFunction(const Token &name, ExprKind kind);
  ExprOperand parseNameInExpr();
  ExprOperand parseLookup();
  ExprOperand parseLiteral(bool negative, Span span);
  ExprOperand makeOperation(ExprKind kind, const ExprOperand &a, const ExprOperand &b, Span span);
  ExprOperand makeUnary(ExprKind kind, const ExprOperand &operand, Span span);
  void unknownName(const Token &name);
  bool requireNumber(const ExprOperand &operand, std::string_view where);
  bool requireInteger(const ExprOperand &operand, std::string_view where);
  bool requireCondition(const ExprOperand &operand, std::string_view where);
  bool reportType(const ExprOperand &operand, std::string_view expected, std::string_view where);
  /// What numbers are called here: floats exist in scores only.
  const char *numberName() const { return isScore ? "a number" : "an integer"; }
  bool parseConstant(int64_t &value);

  Source source;
  ParseOptions options;
  std::vector<Token> tokens;
  size_t pos = 0;
  int level = 0;
  int64_t steps = 0;
  bool constantsOnly = false;
  bool isScore = false;
  std::deque<Definition> definitions;
  /// Definitions that the current body may call: those before it.
  size_t visible = 0;
  /// Parameters of the current body.
  std::vector<Parameter> parameters;
  std::map<std::string, TableRef> files; ///< tables that were read
};

} // namespace girih::detail

#endif // GIRIH_FRONTEND_PARSERIMPL_H
