//===- Spec.cpp - Fuzzes the parser of patterns and specs -----------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Any text parses to valid trees or is refused with a message; a tree prints as
// text that parses to an equal tree.
//
//===----------------------------------------------------------------------===//

#include "Fuzz.h"

#include "girih/Frontend/Parser.h"

using namespace girih;
using namespace girih::fuzz;

static void check(const Pattern &pattern) {
  if (std::string error = validate(pattern); !error.empty())
    broken("a parsed tree is not valid: " + error);
  // A table that came from a file prints as that file.
  std::string text = pattern.str();
  ParseResult again = parsePattern(text);
  if (!again)
    broken("a printed tree does not parse: " + text + "\n" + again.error);
  if (!(again.pattern == pattern))
    broken("a printed tree parses to another one: " + text);
  for (const Shape &shape : {makeShape(7, 7, 2, false), makeShape(5, 64, 1, true),
                             makeShape(int64_t(1) << 26, int64_t(1) << 26, 1, false)})
    validateShape(pattern, shape);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::string text(reinterpret_cast<const char *>(data), size);
  // What is in other files does not depend on the input.
  if (text.find('@') != std::string::npos)
    return 0;
  if (ParseResult result = parsePattern(text))
    check(result.pattern);
  if (SpecResult result = parseSpec(text, "<spec>"))
    for (const NamedPattern &named : result.patterns)
      check(named.pattern);
  return 0;
}
