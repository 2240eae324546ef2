//===- KernelCache.h - Compiled code on disk --------------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A folder of entries, each named by its key. Entries are written beside and
// renamed into place, so that a reader sees a whole entry or none; anything
// truncated, damaged or foreign is a miss. A cache never makes a compilation
// fail: what can't be written is compiled again next time.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_JIT_KERNELCACHE_H
#define GIRIH_JIT_KERNELCACHE_H

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"

#include <cstdint>
#include <optional>
#include <string>

namespace girih {

/// What a kernel is stored and looked up by: a SHA-256 over everything that
/// decides its code. Never paths, dates, lengths or values of run-time operands.
struct KernelKey {
  std::string hex; ///< 64 digits; the name of the entry

  /// `ir` is the canonical IR text without locations.
  static KernelKey of(llvm::StringRef ir, llvm::StringRef options, llvm::StringRef cpu,
                      llvm::StringRef features);
};

/// An object file or cubin and what must be known to call it.
struct CachedCode {
  int64_t memoryBytes = 0; ///< scratch of a CPU thread, shared memory of a GPU block
  int64_t threads = 0;     ///< of a GPU block
  int64_t blocks = 0;      ///< of a GPU, on a multiprocessor at a time
  llvm::SmallVector<char, 0> object;
};

/// Thread-safe, and safe between processes.
class KernelCache {
public:
  /// An empty folder name makes a cache that never hits and stores nothing.
  explicit KernelCache(std::string folder) : folder(std::move(folder)) {}

  std::optional<CachedCode> lookup(const KernelKey &key) const;
  void store(const KernelKey &key, const CachedCode &code) const;

private:
  std::string folder;
};

} // namespace girih

#endif // GIRIH_JIT_KERNELCACHE_H
