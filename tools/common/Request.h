//===- Request.h - The pattern and lengths a tool is asked about -*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What girih-run and girih-explain have in common: the flags that name a
// pattern, lengths and head dims.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_TOOLS_COMMON_REQUEST_H
#define GIRIH_TOOLS_COMMON_REQUEST_H

#include "common/Flags.h"

#include "girih/JIT/Problem.h"

namespace girih {

/// The flags as given; `addRequestFlags` ties them.
struct RequestFlags {
  std::optional<std::string> pattern, spec, score, cacheDir, chip, cpu, tile;
  std::optional<int64_t> qLen, kLen, batch, heads, kvHeads, dim, vDim;
  std::string dtype = "f32", align = "bottom_right", target = "cpu", outDtype = "auto";
  bool noCache = false, json = false;
};

/// `--cache-dir`, which may be empty: no cache.
void addCacheFlag(Flags &flags, std::optional<std::string> &folder);

/// The same, and `--no-cache`: for tools that compile kernels.
void addCacheFlags(Flags &flags, RequestFlags &values);

/// Patterns and lengths. `addKernelFlags` adds those alone that say what to compile; what
/// is compiled takes any lengths.
void addRequestFlags(Flags &flags, RequestFlags &values);
void addKernelFlags(Flags &flags, RequestFlags &values, llvm::StringRef defaultChip);

/// A checked problem, and where its kernels are kept.
struct Request : Problem {
  std::optional<std::string> cacheDir; ///< as in SessionOptions
};

/// Checks the flags and the pattern against them. Missing flags, unequal head
/// counts, lengths that overflow and patterns that do not fit fail with
/// GIRIH_INVALID; lengths and head dims beyond what kernels take, and targets
/// without a backend, with GIRIH_UNSUPPORTED. With `lengths` false, --q-len may be
/// missing and nothing that depends on lengths is checked then.
llvm::Expected<Request> makeRequest(const RequestFlags &flags, bool lengths = true);

/// Reads `--pattern` or `--spec` alone.
llvm::Expected<Pattern> loadPattern(const RequestFlags &flags);

/// Reads `--score`; none when it was not given.
llvm::Expected<Score> loadScore(const RequestFlags &flags);

/// Prints `TOOL: warning: MESSAGE` when kernels could not be cached.
void warnAboutCache(llvm::StringRef tool, const Session &session);

} // namespace girih

#endif // GIRIH_TOOLS_COMMON_REQUEST_H
