//===- Json.h - Reports as JSON ---------------------------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_SUPPORT_JSON_H
#define GIRIH_SUPPORT_JSON_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>
#include <string>

namespace girih {

/// A number, or null for NaN and infinity, which JSON does not have.
inline llvm::json::Value jsonNumber(double value) {
  return std::isfinite(value) ? llvm::json::Value(value) : llvm::json::Value(nullptr);
}

/// Text that a user gave, such as a file name in a pattern, which need not be UTF-8 as JSON
/// must: bytes that are not become U+FFFD.
inline llvm::json::Value jsonText(llvm::StringRef text) { return llvm::json::fixUTF8(text); }

/// Writes one indented object whose attributes stay in the order of `fill`.
inline std::string writeJson(llvm::function_ref<void(llvm::json::OStream &)> fill) {
  std::string out;
  llvm::raw_string_ostream os(out);
  llvm::json::OStream json(os, /*IndentSize=*/2);
  json.object([&] { fill(json); });
  os << '\n';
  return out;
}

/// Parses text that may be anybody's: LLVM's parser recurses, so what nests deeper than 64
/// levels is refused (GIRIH_INVALID) before it overflows the stack.
llvm::Expected<llvm::json::Value> parseJson(llvm::StringRef text);

} // namespace girih

#endif // GIRIH_SUPPORT_JSON_H
