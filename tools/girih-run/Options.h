//===- Options.h - The flags of girih-run -----------------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_TOOLS_GIRIH_RUN_OPTIONS_H
#define GIRIH_TOOLS_GIRIH_RUN_OPTIONS_H

#include "common/Request.h"

namespace girih {

/// What girih-run was asked to do.
struct Options {
  RequestFlags request;
  std::optional<std::string> qFile, kFile, vFile, outFile, lseFile, emit;
  std::string layout = "bhnd"; ///< Layout.h
  std::optional<int64_t> threads;
  std::optional<double> scale;
  uint64_t seed = 0;
  bool check = false, bench = false;
};

/// Ties the flags of girih-run to `options`.
void addOptions(Flags &flags, Options &options);

} // namespace girih

#endif // GIRIH_TOOLS_GIRIH_RUN_OPTIONS_H
