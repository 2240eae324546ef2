//===- InputFile.h - Whole files of bounded size ----------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How files that users name are read: those that have no end, or more bytes than anyone
// means, are errors before they fill the memory.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_SUPPORT_INPUTFILE_H
#define GIRIH_SUPPORT_INPUTFILE_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <string>

namespace girih {

/// Says from the first bytes of a file, at least `sizeGuessBytes` of them if it has so many,
/// how many it may have.
using SizeLimit = llvm::function_ref<llvm::Expected<uint64_t>(llvm::StringRef begin)>;
inline constexpr size_t sizeGuessBytes = size_t(1) << 17;

/// Reads a plain file, or a pipe to its end. Fails with GIRIH_INVALID, with the path, for folders,
/// for devices, which may have no end, for what cannot be read, and for what is longer than
/// `limit` says, of which no more is read; and as `limit` does.
llvm::Expected<std::string> readFile(const std::string &path, SizeLimit limit);

/// The same of a file of at most `limit` bytes.
llvm::Expected<std::string> readFile(const std::string &path, uint64_t limit);

/// Bytes of memory of this machine.
uint64_t physicalMemory();

} // namespace girih

#endif // GIRIH_SUPPORT_INPUTFILE_H
