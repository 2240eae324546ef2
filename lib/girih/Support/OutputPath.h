//===- OutputPath.h - Where the path of an output leads ---------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What OutputFile must know of a path before it writes: the file behind links, and the
// descriptors of this process, which names in /dev and /proc stand for.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_SUPPORT_OUTPUTPATH_H
#define GIRIH_SUPPORT_OUTPUTPATH_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/FileSystem.h"

#include <optional>
#include <string>

namespace girih {

/// The folder that `file` is in, "." if it names none.
std::string folderOf(llvm::StringRef file);

/// The file behind any links, which need not be there: what a rename may replace.
std::string behindLinks(llvm::StringRef file);

/// The descriptor of this process that takes what is written to `file`, which is there with
/// `status`: the one that it names (/dev/stdout, /dev/fd/N), or standard output or standard error
/// if that goes to the same file; none otherwise.
std::optional<int> descriptorOf(llvm::StringRef file, const llvm::sys::fs::file_status &status);

/// Whether `descriptor` is open for writing.
bool isWritten(int descriptor);

} // namespace girih

#endif // GIRIH_SUPPORT_OUTPUTPATH_H
