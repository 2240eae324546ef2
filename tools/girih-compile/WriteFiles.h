//===- WriteFiles.h - Several files at once, or none ------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_TOOLS_GIRIH_COMPILE_WRITEFILES_H
#define GIRIH_TOOLS_GIRIH_COMPILE_WRITEFILES_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace girih {

struct OutputFile {
  llvm::StringRef path, contents;
};

/// Writes all beside their places first and then renames each into place, so that a reader
/// sees a whole file and a failure to write leaves everything as it was. GIRIH_INVALID,
/// with the path, for what cannot be written.
llvm::Error writeFiles(llvm::ArrayRef<OutputFile> files);

} // namespace girih

#endif // GIRIH_TOOLS_GIRIH_COMPILE_WRITEFILES_H
