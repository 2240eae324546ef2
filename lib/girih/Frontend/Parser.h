//===- Parser.h - The pattern language as trees -----------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads pattern expressions, `.girih` specs and scores. Every tree that comes out passes
// `validate`; every message points into the source. No input, however deep or
// long, overflows the stack.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_FRONTEND_PARSER_H
#define GIRIH_FRONTEND_PARSER_H

#include "girih/Frontend/Pattern.h"
#include "girih/Frontend/Score.h"

#include <string>
#include <string_view>
#include <vector>

namespace girih {

struct ParseOptions {
  /// Folder that relative `@file` names start from; empty for the current one.
  /// `parseSpecFile` uses the folder of the spec.
  std::string baseDir;
  /// What `@name` stands for before files are looked for; of different names. The trees
  /// share them.
  std::vector<Table> tables;
};

/// A pattern, or the rendered message: "file:line:col: error: ...", the source
/// line, a caret, then notes in the same form.
struct ParseResult {
  Pattern pattern;
  std::string error;
  explicit operator bool() const { return error.empty(); }
};

/// The same of a score.
struct ScoreResult {
  Score score;
  std::string error;
  explicit operator bool() const { return error.empty(); }
};

struct NamedPattern {
  std::string name;
  Pattern pattern; ///< with every parameter at its default
};

/// All patterns of a spec in their order, or the rendered message.
struct SpecResult {
  std::vector<NamedPattern> patterns;
  std::string error;
  explicit operator bool() const { return error.empty(); }
};

/// Parses one expression, such as the value of `--pattern`.
ParseResult parsePattern(std::string_view text, std::string_view bufferName = "<pattern>",
                         const ParseOptions &options = {});

/// Parses a score function, such as the value of `--score`.
ScoreResult parseScore(std::string_view text, std::string_view bufferName = "<score>",
                       const ParseOptions &options = {});

/// Parses `pattern NAME [(P: INT, ...)] = expr ...`. A later pattern may call
/// earlier ones, with arguments for their parameters.
SpecResult parseSpec(std::string_view text, std::string_view bufferName,
                     const ParseOptions &options = {});

/// The pattern called `name` in a spec file; an empty name stands for the only
/// pattern of the file. `tables` as in ParseOptions. The message has no place where the
/// file cannot be read (specs have at most 64 MiB) or has no such pattern.
ParseResult parseSpecFile(const std::string &path, std::string_view name = {},
                          const std::vector<Table> &tables = {});

} // namespace girih

#endif // GIRIH_FRONTEND_PARSER_H
