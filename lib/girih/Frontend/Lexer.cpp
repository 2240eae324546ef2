//===- Lexer.cpp - Tokens and source positions of the language ------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A hand-written lexer: any byte string ends in tokens or in a message.
//
//===----------------------------------------------------------------------===//

#include "girih/Frontend/Lexer.h"

#include <algorithm>
#include <cstdlib>
#include <fmt/format.h>
#include <utility>

using namespace girih;

//===----------------------------------------------------------------------===//
// Messages
//===----------------------------------------------------------------------===//

static bool isContinuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

static size_t countCharacters(std::string_view text) {
  return std::count_if(text.begin(), text.end(), [](char c) { return !isContinuation(c); });
}

/// A part of a line as a terminal shows it, one column a character.
static std::string printable(std::string_view part) {
  std::string out;
  for (char c : part) {
    bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
    out += c == '\t' || c == '\r' ? ' ' : control ? '?' : c;
  }
  return out;
}

std::string Source::render(Span span, std::string_view severity, std::string_view message) const {
  size_t pos = std::min(span.begin, text.size());
  // The end of the input is shown after the last character, not on a line of its
  // own after the final newline.
  if (pos == text.size())
    while (pos > 0 && (text[pos - 1] == '\n' || text[pos - 1] == '\r'))
      --pos;
  size_t newline = pos == 0 ? std::string_view::npos : text.rfind('\n', pos - 1);
  size_t begin = newline == std::string_view::npos ? 0 : newline + 1;
  size_t end = std::min(text.find('\n', pos), text.size());
  while (end > pos && text[end - 1] == '\r')
    --end;
  size_t line = 1 + std::count(text.begin(), text.begin() + begin, '\n');
  size_t column = 1 + countCharacters(text.substr(begin, pos - begin));

  // At most 60 bytes on each side of the caret, cut between characters.
  constexpr size_t reach = 60;
  size_t from = pos - begin > reach ? pos - reach : begin;
  while (from < pos && isContinuation(text[from]))
    ++from;
  size_t to = end - pos > reach ? pos + reach : end;
  while (to > pos && to < end && isContinuation(text[to]))
    --to;
  std::string_view before = text.substr(from, pos - from);
  std::string_view after = text.substr(pos, to - pos);
  std::string_view prefix = from > begin ? "..." : "";
  std::string_view suffix = to < end ? "..." : "";
  size_t length = std::max(span.end, pos) - pos;
  size_t width = std::max<size_t>(1, countCharacters(after.substr(0, length)));
  std::string indent(prefix.size() + countCharacters(before), ' ');
  return fmt::format("{}:{}:{}: {}: {}\n{}{}{}{}\n{}^{}", name, line, column, severity, message,
                     prefix, printable(before), printable(after), suffix, indent,
                     std::string(width - 1, '~'));
}

//===----------------------------------------------------------------------===//
// Tokens
//===----------------------------------------------------------------------===//

static bool isSpace(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f';
}
static bool isDigit(char c) { return c >= '0' && c <= '9'; }
static bool isNameStart(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
static bool isNamePart(char c) { return isNameStart(c) || isDigit(c); }

namespace {

class Lexer {
public:
  explicit Lexer(std::string_view text) : text(text) {}

  Token next();

private:
  Token lexNumber();
  bool skipDigits();
  Token lexFile();
  Token lexPunct();
  Token make(TokenKind kind, std::string value) {
    Token token;
    token.kind = kind;
    token.span = {start, pos};
    token.text = std::move(value);
    return token;
  }
  char peek(size_t ahead = 0) const { return pos + ahead < text.size() ? text[pos + ahead] : '\0'; }

  std::string_view text;
  size_t start = 0, pos = 0;
};

} // namespace

Token Lexer::next() {
  while (pos < text.size() && (isSpace(text[pos]) || text[pos] == '#')) {
    if (text[pos] == '#')
      pos = std::min(text.find('\n', pos), text.size());
    else
      ++pos;
  }
  start = pos;
  if (pos == text.size())
    return make(TokenKind::End, "");
  if (isDigit(text[pos]) || (text[pos] == '.' && isDigit(peek(1))))
    return lexNumber();
  if (text[pos] == '@')
    return lexFile();
  if (isNameStart(text[pos])) {
    while (isNamePart(peek()))
      ++pos;
    return make(TokenKind::Name, std::string(text.substr(start, pos - start)));
  }
  return lexPunct();
}

bool Lexer::skipDigits() {
  size_t first = pos;
  while (isDigit(peek()))
    ++pos;
  return pos != first;
}

/// An integer, or a float as C writes them, without suffix and hexadecimals.
Token Lexer::lexNumber() {
  skipDigits();
  bool isReal = false;
  // One dot is a fraction; two are a range.
  if (peek() == '.' && peek(1) != '.') {
    ++pos;
    skipDigits();
    isReal = true;
  }
  if (peek() == 'e' || peek() == 'E') {
    bool isSigned = peek(1) == '+' || peek(1) == '-';
    if (isDigit(peek(1 + isSigned))) {
      pos += 1 + isSigned;
      skipDigits();
      isReal = true;
    }
  }
  std::string_view digits = text.substr(start, pos - start);
  if (isNamePart(peek())) {
    while (isNamePart(peek()))
      ++pos;
    return make(TokenKind::Error,
                fmt::format("expected a number, but got '{}'", text.substr(start, pos - start)));
  }
  Token token = make(isReal ? TokenKind::Real : TokenKind::Integer, std::string(digits));
  if (isReal) {
    // Not std::from_chars or stof: both refuse what is too small for a normal float.
    token.real = std::strtof(token.text.c_str(), nullptr);
    return token;
  }
  for (char digit : digits)
    token.tooLarge |= __builtin_mul_overflow(token.value, uint64_t(10), &token.value) ||
                      __builtin_add_overflow(token.value, uint64_t(digit - '0'), &token.value);
  return token;
}

Token Lexer::lexFile() {
  ++pos;
  std::string path;
  if (peek() == '"') {
    ++pos;
    while (pos < text.size() && text[pos] != '"') {
      if (text[pos] == '\\' && (peek(1) == '"' || peek(1) == '\\'))
        ++pos;
      path += text[pos++];
    }
    if (pos == text.size()) {
      pos = start + 2;
      return make(TokenKind::Error, "expected '\"' at the end of the file name, but "
                                    "got the end of the input");
    }
    ++pos;
  } else {
    while (pos < text.size() && !isSpace(text[pos]) &&
           std::string_view(",()[]{}#\"").find(text[pos]) == std::string_view::npos)
      path += text[pos++];
  }
  if (path.empty())
    return make(TokenKind::Error, "expected a file name after '@', but got none");
  if (path.find('\0') != std::string::npos)
    return make(TokenKind::Error, "expected a file name, but got a zero byte in it");
  return make(TokenKind::File, std::move(path));
}

Token Lexer::lexPunct() {
  static const std::string_view doubles[] = {"<=", ">=", "==", "!=", "&&", "||", ".."};
  for (std::string_view op : doubles) {
    if (text.substr(pos, 2) == op) {
      pos += 2;
      return make(TokenKind::Punct, std::string(op));
    }
  }
  char c = text[pos++];
  if (std::string_view("()[]{},=:|&~-+*/%<>!").find(c) != std::string_view::npos)
    return make(TokenKind::Punct, std::string(1, c));
  while (pos < text.size() && isContinuation(text[pos]))
    ++pos;
  std::string_view seen = text.substr(start, pos - start);
  bool graphic =
      static_cast<unsigned char>(c) > 0x20 && c != 0x7F && !isContinuation(c) && seen.size() <= 4;
  if (static_cast<unsigned char>(c) >= 0x80 && seen.size() == 1)
    graphic = false;
  if (graphic)
    return make(TokenKind::Error, fmt::format("unknown character '{}'", seen));
  return make(TokenKind::Error,
              fmt::format("unknown character '\\x{:02X}'", static_cast<unsigned char>(c)));
}

std::vector<Token> girih::tokenize(std::string_view text) {
  std::vector<Token> tokens;
  Lexer lexer(text);
  do
    tokens.push_back(lexer.next());
  while (tokens.back().kind != TokenKind::End && tokens.back().kind != TokenKind::Error);
  return tokens;
}

//===----------------------------------------------------------------------===//
// Suggestions
//===----------------------------------------------------------------------===//

/// Letters to insert, delete, replace, or swap with a neighbour.
static size_t editDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> above(b.size() + 1), row(b.size() + 1), next(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j)
    row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    next[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      next[j] = std::min({row[j - 1] + (a[i - 1] != b[j - 1]), row[j] + 1, next[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        next[j] = std::min(next[j], above[j - 2] + 1);
    }
    std::swap(above, row);
    std::swap(row, next);
  }
  return row[b.size()];
}

std::string girih::nearest(std::string_view name, const std::vector<std::string> &candidates) {
  std::string best;
  // A third of the letters may be wrong; a whole short name may not.
  size_t limit = std::max<size_t>(1, std::min<size_t>(3, name.size() / 3)) + 1;
  if (name.size() > 64)
    return best;
  for (const std::string &candidate : candidates) {
    size_t distance = editDistance(name, candidate);
    if (distance < limit && distance < std::max(name.size(), candidate.size())) {
      limit = distance;
      best = candidate;
    }
  }
  return best;
}
