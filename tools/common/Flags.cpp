//===- Flags.cpp - Command-line flags of the tools ------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "common/Flags.h"

#include "girih/Support/Error.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>
#include <cmath>

using namespace girih;
using llvm::StringRef;
using llvm::Twine;

Flags::Entry &Flags::add(Kind kind, StringRef name, void *value, StringRef metavar,
                         StringRef help) {
  Entry entry;
  entry.kind = kind;
  entry.name = name.str();
  entry.metavar = metavar.str();
  entry.help = help.str();
  entry.value = value;
  entries.push_back(std::move(entry));
  return entries.back();
}

void Flags::text(StringRef name, std::optional<std::string> &value, StringRef metavar,
                 StringRef help, bool mayBeEmpty) {
  add(Kind::Text, name, &value, metavar, help).mayBeEmpty = mayBeEmpty;
}

void Flags::integer(StringRef name, std::optional<int64_t> &value, int64_t least, StringRef metavar,
                    StringRef help, int64_t most) {
  Entry &entry = add(Kind::Integer, name, &value, metavar, help);
  entry.least = least;
  entry.most = most;
}

void Flags::unsignedInteger(StringRef name, uint64_t &value, StringRef metavar, StringRef help) {
  add(Kind::Unsigned, name, &value, metavar, help);
}

void Flags::number(StringRef name, std::optional<double> &value, StringRef metavar,
                   StringRef help) {
  add(Kind::Number, name, &value, metavar, help);
}

void Flags::choice(StringRef name, std::string &value, llvm::ArrayRef<StringRef> choices,
                   StringRef help) {
  Entry &entry = add(Kind::Choice, name, &value, llvm::join(choices, "|"), help);
  entry.choices.assign(choices.begin(), choices.end());
}

void Flags::flag(StringRef name, bool &value, StringRef help) {
  add(Kind::Flag, name, &value, "", help);
}

void Flags::shortName(StringRef name, char letter) {
  for (Entry &entry : entries)
    if (name == entry.name)
      entry.letter = letter;
}

llvm::Error Flags::unknown(StringRef name) const {
  const Entry *nearest = nullptr;
  unsigned best = 3; // farther names would be guesses
  for (const Entry &entry : entries) {
    unsigned distance = name.edit_distance(entry.name, /*AllowReplacements=*/true, best);
    if (distance < best) {
      best = distance;
      nearest = &entry;
    }
  }
  std::string hint = nearest ? "; did you mean --" + nearest->name : "; see --help";
  return invalidError(("unknown flag '--" + name + "'").str() + hint);
}

/// Whether `text` is an optional sign and digits, so that a number that does not
/// fit can be told from something else.
static bool looksLikeInteger(StringRef text) {
  text.consume_front("-") || text.consume_front("+");
  return !text.empty() && llvm::all_of(text, [](char c) { return llvm::isDigit(c); });
}

llvm::Error Flags::set(Entry &entry, StringRef text) {
  std::string flag = "--" + entry.name;
  auto expected = [&](const Twine &what) {
    return invalidError((flag + ": expected " + what + ", but got '" + text + "'").str());
  };
  switch (entry.kind) {
  case Kind::Text:
    if (text.empty() && !entry.mayBeEmpty)
      return expected("a value");
    *static_cast<std::optional<std::string> *>(entry.value) = text.str();
    return llvm::Error::success();
  case Kind::Integer: {
    int64_t value;
    if (!looksLikeInteger(text))
      return expected("an integer");
    StringRef digits = text;
    digits.consume_front("+");
    if (digits.getAsInteger(10, value))
      return expected("an integer that fits in 64 bits");
    if (value < entry.least)
      return expected("at least " + Twine(entry.least));
    if (value > entry.most)
      return expected("at most " + Twine(entry.most));
    *static_cast<std::optional<int64_t> *>(entry.value) = value;
    return llvm::Error::success();
  }
  case Kind::Unsigned: {
    uint64_t value;
    if (text.getAsInteger(10, value))
      return expected("an integer from 0 to 2^64 - 1");
    *static_cast<uint64_t *>(entry.value) = value;
    return llvm::Error::success();
  }
  case Kind::Number: {
    double value;
    // getAsDouble refuses nothing that is out of range, so finiteness is checked.
    if (text.empty() || text.getAsDouble(value))
      return expected("a number");
    if (!std::isfinite(value))
      return expected("a finite number");
    *static_cast<std::optional<double> *>(entry.value) = value;
    return llvm::Error::success();
  }
  case Kind::Choice:
    if (!llvm::is_contained(entry.choices, text.str()))
      return expected(llvm::join(entry.choices, ", "));
    *static_cast<std::string *>(entry.value) = text.str();
    return llvm::Error::success();
  case Kind::Flag:
    break;
  }
  return internalError("flag without a kind");
}

llvm::Error Flags::parse(llvm::ArrayRef<const char *> arguments) {
  for (size_t i = 0; i < arguments.size(); ++i) {
    StringRef argument = arguments[i];
    if (argument == "--help" || argument == "-h") {
      help = true;
      return llvm::Error::success();
    }
    auto entry = llvm::find_if(entries, [&](const Entry &e) {
      return e.letter && argument.size() == 2 && argument[0] == '-' && argument[1] == e.letter;
    });
    if (entry != entries.end())
      argument = entry->name;
    else if (!argument.consume_front("--") || argument.empty())
      return invalidError(("expected a flag, but got '" + Twine(arguments[i]) + "'").str());
    StringRef name = argument.split('=').first, value = argument.split('=').second;
    bool joined = argument.contains('=');
    if (entry == entries.end())
      entry = llvm::find_if(entries, [&](const Entry &e) { return name == e.name; });
    if (entry == entries.end())
      return unknown(name);
    if (entry->given)
      return invalidError(("--" + name + ": expected it once, but got it twice").str());
    entry->given = true;
    if (entry->kind == Kind::Flag) {
      if (joined)
        return invalidError(("--" + name + ": expected no value, but got '" + value + "'").str());
      *static_cast<bool *>(entry->value) = true;
      continue;
    }
    if (!joined) {
      if (i + 1 == arguments.size())
        return invalidError(("--" + name + ": expected a value after it, but got none").str());
      value = arguments[++i];
    }
    if (llvm::Error error = set(*entry, value))
      return error;
  }
  return llvm::Error::success();
}

std::string Flags::describe() const {
  std::string out;
  llvm::raw_string_ostream os(out);
  for (const Entry &entry : entries) {
    std::string head = entry.letter ? std::string("  -") + entry.letter + ", --" : "  --";
    head += entry.name + (entry.metavar.empty() ? "" : " " + entry.metavar);
    os << head;
    // Long heads keep their help on the next line, so that the column holds.
    if (head.size() > 30)
      os << '\n' << std::string(32, ' ');
    else
      os << std::string(32 - head.size(), ' ');
    os << entry.help << '\n';
  }
  return out;
}
