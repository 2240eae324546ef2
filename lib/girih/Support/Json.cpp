//===- Json.cpp - Reading JSON that others wrote --------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Support/Json.h"

#include "girih/Support/Error.h"

using namespace girih;

/// The most brackets and braces open at a time, those in strings left out.
static size_t nestingOf(llvm::StringRef text) {
  size_t depth = 0, deepest = 0;
  bool inString = false;
  for (size_t i = 0; i != text.size(); ++i) {
    char c = text[i];
    if (inString && c == '\\' && i + 1 != text.size())
      ++i;
    else if (c == '"')
      inString = !inString;
    else if (!inString && (c == '[' || c == '{'))
      deepest = std::max(deepest, ++depth);
    else if (!inString && (c == ']' || c == '}') && depth)
      --depth;
  }
  return deepest;
}

llvm::Expected<llvm::json::Value> girih::parseJson(llvm::StringRef text) {
  constexpr size_t most = 64;
  if (size_t depth = nestingOf(text); depth > most)
    return invalidError("expected at most " + std::to_string(most) +
                        " levels of nesting, but got " + std::to_string(depth));
  return llvm::json::parse(text);
}
