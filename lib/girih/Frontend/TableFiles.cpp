//===- TableFiles.cpp - Offsets and block tables in files -----------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A block table has a fixed, flat form, so it is read by a scanner of its own: no
// recursion for hostile files to exploit, and millions of indices without a tree
// of JSON values.
//
//===----------------------------------------------------------------------===//

#include "girih/Frontend/TableFiles.h"

#include "girih/Support/InputFile.h"
#include "girih/Support/Npy.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <fmt/format.h>
#include <string_view>
#include <system_error>

using namespace girih;

/// Of a table.
static constexpr uint64_t mostBytes = uint64_t{1} << 30;

std::string girih::readTextFile(const std::string &path, std::string &text, uint64_t limit) {
  llvm::Expected<std::string> bytes = readFile(path, limit);
  if (!bytes)
    return llvm::toString(bytes.takeError());
  text = std::move(*bytes);
  return "";
}

namespace {

/// A cursor over the text of a file that knows how to report where it is.
class Scanner {
public:
  Scanner(std::string_view path, std::string_view text) : path(path), text(text) {}

  bool atEnd() const { return pos == text.size(); }
  char peek() const { return atEnd() ? '\0' : text[pos]; }
  void skip() { ++pos; }

  bool accept(char c) {
    if (peek() != c || atEnd())
      return false;
    ++pos;
    return true;
  }

  void skipSpace() {
    while (!atEnd() && std::isspace(static_cast<unsigned char>(text[pos])))
      ++pos;
  }

  /// "PATH:LINE: expected WHAT, but got ...".
  std::string expected(std::string_view what) const {
    auto line = 1 + std::count(text.begin(), text.begin() + pos, '\n');
    size_t end = pos;
    while (end < text.size() && end < pos + 20 &&
           !std::isspace(static_cast<unsigned char>(text[end])))
      ++end;
    std::string got;
    for (char c : text.substr(pos, end - pos))
      got += static_cast<unsigned char>(c) < 0x20 ? '?' : c;
    return fmt::format("{}:{}: expected {}, but got {}", path, line, what,
                       atEnd()       ? "the end of the file"
                       : got.empty() ? "a space"
                                     : "'" + got + "'");
  }

  /// Reads an integer. Returns an empty string, or what is wrong.
  std::string integer(int64_t &value) {
    const char *begin = text.data() + pos, *end = text.data() + text.size();
    auto [next, error] = std::from_chars(begin, end, value);
    if (error == std::errc::result_out_of_range)
      return expected("an integer of 64 bits");
    if (error != std::errc())
      return expected("an integer");
    // "1.5" and "1e5" are not two values.
    if (next != end &&
        (std::isalnum(static_cast<unsigned char>(*next)) || *next == '.' || *next == '_'))
      return expected("an integer");
    pos = next - text.data();
    return "";
  }

  std::string_view rest() const { return text.substr(pos); }
  void advance(size_t count) { pos += count; }

private:
  std::string_view path, text;
  size_t pos = 0;
};

} // namespace

std::string girih::readOffsetsFile(const std::string &path, std::vector<int64_t> &offsets) {
  std::string text;
  std::string error = readTextFile(path, text, mostBytes);
  if (!error.empty())
    return error;
  offsets.clear();
  Scanner scanner(path, text);
  while (true) {
    scanner.skipSpace();
    if (scanner.atEnd())
      return "";
    if (scanner.accept(','))
      continue;
    if (scanner.accept('#')) {
      while (!scanner.atEnd() && scanner.peek() != '\n')
        scanner.skip();
      continue;
    }
    int64_t value = 0;
    error = scanner.integer(value);
    if (!error.empty())
      return error;
    offsets.push_back(value);
  }
}

std::string girih::readTableFile(const std::string &path, TableData &table) {
  llvm::StringRef ending(".npy");
  if (!llvm::StringRef(path).ends_with(ending)) {
    std::string error = readOffsetsFile(path, table.ints);
    table.shape = {static_cast<int64_t>(table.ints.size())};
    return error;
  }
  std::string bytes;
  if (std::string error = readTextFile(path, bytes, mostBytes); !error.empty())
    return error;
  llvm::Expected<NpyTable> array = parseNpyTable(bytes, path);
  if (!array)
    return llvm::toString(array.takeError());
  table.shape = std::move(array->shape);
  table.isFloat = array->isFloat;
  table.ints = std::move(array->ints);
  table.floats = std::move(array->floats);
  return "";
}

static std::string readList(Scanner &scanner, std::vector<int64_t> &values) {
  if (!scanner.accept('['))
    return scanner.expected("'['");
  scanner.skipSpace();
  if (scanner.accept(']'))
    return "";
  while (true) {
    scanner.skipSpace();
    int64_t value = 0;
    std::string error = scanner.integer(value);
    if (!error.empty())
      return error;
    values.push_back(value);
    scanner.skipSpace();
    if (scanner.accept(']'))
      return "";
    if (!scanner.accept(','))
      return scanner.expected("',' or ']'");
  }
}

static std::string readMember(Scanner &scanner, std::string_view path, BlockTableFile &table,
                              std::vector<std::string> &seen) {
  scanner.skipSpace();
  if (scanner.peek() != '"')
    return scanner.expected("a name in quotes");
  size_t length = scanner.rest().substr(1).find('"');
  std::string name(scanner.rest().substr(1, length));
  if (length == std::string_view::npos ||
      (name != "size" && name != "heads" && name != "indptr" && name != "indices"))
    return scanner.expected("\"size\", \"heads\", \"indptr\" or \"indices\"");
  if (std::find(seen.begin(), seen.end(), name) != seen.end())
    return fmt::format("{}: expected \"{}\" once, but got it again", path, name);
  seen.push_back(name);
  scanner.advance(length + 2);
  scanner.skipSpace();
  if (!scanner.accept(':'))
    return scanner.expected("':'");
  scanner.skipSpace();
  if (name == "size")
    return scanner.integer(table.size);
  if (name == "heads")
    return scanner.integer(table.heads);
  return readList(scanner, name == "indptr" ? table.indptr : table.indices);
}

std::string girih::readBlockTableFile(const std::string &path, BlockTableFile &table) {
  std::string text;
  std::string error = readTextFile(path, text, mostBytes);
  if (!error.empty())
    return error;
  Scanner scanner(path, text);
  std::vector<std::string> seen;
  scanner.skipSpace();
  if (!scanner.accept('{'))
    return scanner.expected("'{'");
  scanner.skipSpace();
  if (!scanner.accept('}')) {
    while (true) {
      error = readMember(scanner, path, table, seen);
      if (!error.empty())
        return error;
      scanner.skipSpace();
      if (scanner.accept('}'))
        break;
      if (!scanner.accept(','))
        return scanner.expected("',' or '}'");
    }
  }
  scanner.skipSpace();
  if (!scanner.atEnd())
    return scanner.expected("the end of the file");
  for (const char *name : {"size", "indptr", "indices"})
    if (std::find(seen.begin(), seen.end(), name) == seen.end())
      return fmt::format("{}: expected \"{}\", but it is missing", path, name);
  return "";
}
