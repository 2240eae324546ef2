//===- Options.h - The flags of girih-compile -------------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_TOOLS_GIRIH_COMPILE_OPTIONS_H
#define GIRIH_TOOLS_GIRIH_COMPILE_OPTIONS_H

#include "common/Request.h"

#include "girih/AOT/Artifact.h"

namespace girih {

/// The flags of girih-compile as given.
struct Options {
  RequestFlags request;
  std::optional<std::string> output, name;
  std::string format = "auto";
};

/// Ties the flags of girih-compile to `options`.
void addOptions(Flags &flags, Options &options);

/// What is written, and where.
struct Output {
  ArtifactFormat format;
  ArtifactNames names;
  std::string codePath, headerPath, manifestPath;
};

/// Checks `-o`, `--format` and `--name` against each other and the target. Fails with
/// GIRIH_INVALID, or GIRIH_UNSUPPORTED for a format that the target does not have.
llvm::Expected<Output> makeOutput(const Options &options);

} // namespace girih

#endif // GIRIH_TOOLS_GIRIH_COMPILE_OPTIONS_H
