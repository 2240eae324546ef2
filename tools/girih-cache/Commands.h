//===- Commands.h - What can be done to a kernel cache ----------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_TOOLS_CACHE_COMMANDS_H
#define GIRIH_TOOLS_CACHE_COMMANDS_H

#include "girih/JIT/CacheFolder.h"

#include <string>
#include <vector>

namespace girih {

/// An entry as it was read.
struct ListedEntry {
  CacheFile file;
  KernelLabel label;           ///< empty unless the entry is good
  std::string problem;         ///< why it is a miss; empty for a good one
  bool isOtherVersion = false; ///< of another compiler's format: a miss, not damage
};

/// A cache, all of it.
struct Listing {
  std::string folder;
  uint64_t limit = 0;               ///< bytes; 0: none
  std::vector<ListedEntry> entries; ///< most recently used first
  uint64_t numStaged = 0;           ///< entries being written, or left by a killed process

  uint64_t bytes() const;
  uint64_t numBad() const;
};

/// What clearCache did.
struct Cleared {
  uint64_t removed = 0, bytes = 0;
};

/// Reads every entry; a folder that does not exist has none. Counts as no use.
llvm::Expected<Listing> readCache(const std::string &folder, uint64_t limit);

/// Removes what has a name that the cache gives and nothing else. Fails with
/// GIRIH_INVALID, all others removed, when one can't be.
llvm::Expected<Cleared> clearCache(const std::string &folder);

std::string textList(const Listing &listing);
std::string jsonList(const Listing &listing);
/// What is bad, and how much is good.
std::string textVerify(const Listing &listing);
std::string jsonVerify(const Listing &listing);
std::string textCleared(const std::string &folder, const Cleared &cleared);
std::string jsonCleared(const std::string &folder, const Cleared &cleared);

} // namespace girih

#endif // GIRIH_TOOLS_CACHE_COMMANDS_H
