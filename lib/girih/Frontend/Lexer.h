//===- Lexer.h - Tokens and source positions of the language ----*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Text to tokens, and positions to messages with a caret. It knows characters
// only; what a token means where it stands is the parser's business.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_FRONTEND_LEXER_H
#define GIRIH_FRONTEND_LEXER_H

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace girih {

/// Bytes `[begin, end)` of a source.
struct Span {
  size_t begin = 0, end = 0;
};

/// A named text that renders messages about its parts.
class Source {
public:
  /// Neither is copied.
  Source(std::string_view name, std::string_view text) : name(name), text(text) {}

  std::string_view getText() const { return text; }
  std::string_view at(Span span) const { return text.substr(span.begin, span.end - span.begin); }

  /// "name:line:col: severity: message", the source line, and a caret below the
  /// span. Columns count characters from 1. Long lines are cut around the caret.
  std::string render(Span span, std::string_view severity, std::string_view message) const;

private:
  std::string_view name, text;
};

enum class TokenKind {
  End,
  Name,
  Integer,
  Real,
  File,  // '@' path
  Punct, // text is the operator
  Error, // text is the message
};

struct Token {
  TokenKind kind = TokenKind::End;
  Span span;
  /// Name, operator, path without '@' and quotes, or message.
  std::string text;
  /// Integer: the value, unless `tooLarge` for 64 unsigned bits.
  uint64_t value = 0;
  bool tooLarge = false;
  /// Real: the nearest f32; infinite when the number is too large for one.
  float real = 0;

  bool is(std::string_view punct) const { return kind == TokenKind::Punct && text == punct; }
};

/// Splits a text into tokens. The last one is End, or the first Error.
std::vector<Token> tokenize(std::string_view text);

/// The candidate nearest to `name` by edit distance, or an empty string when
/// none is near.
std::string nearest(std::string_view name, const std::vector<std::string> &candidates);

} // namespace girih

#endif // GIRIH_FRONTEND_LEXER_H
