//===- KernelCache.h - Compiled code on disk --------------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A folder of entries, each named by its key. Entries are written beside and
// renamed into place, so that a reader sees a whole entry or none; anything
// truncated, damaged or foreign is a miss. A cache never makes a compilation
// fail: what can't be written is compiled again next time. README.md has the
// reasons.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_JIT_KERNELCACHE_H
#define GIRIH_JIT_KERNELCACHE_H

#include "girih/JIT/CacheFolder.h"

#include "llvm/ADT/STLFunctionalExtras.h"

#include <chrono>
#include <mutex>
#include <optional>

namespace girih {

/// Thread-safe, and safe between processes.
class KernelCache {
public:
  /// An empty folder name makes a cache that never hits and stores nothing. Beyond
  /// `maxBytes` of entries (0: no limit) the least recently used ones go.
  /// `patience` is how long to wait for another process that compiles the same
  /// kernel: one that was stopped must not stop the others.
  explicit KernelCache(std::string folder, uint64_t maxBytes = defaultCacheBytes,
                       std::chrono::milliseconds patience = std::chrono::seconds(30))
      : folder(std::move(folder)), maxBytes(maxBytes), patience(patience) {}

  std::optional<CachedCode> lookup(const KernelKey &key) const;
  void store(const KernelKey &key, const CachedCode &code);

  using Maker = llvm::function_ref<llvm::Expected<CachedCode>()>;

  /// The entry, or what `make` returns, stored. Of all processes that ask for one
  /// key at a time, one makes it and the others wait for that. Code without an
  /// object is not stored. `hit` tells which. Fails only as `make` does.
  llvm::Expected<CachedCode> getOrMake(const KernelKey &key, Maker make, bool &hit);

  /// Why some kernel could not be stored; empty while every one was.
  std::string problem() const;

private:
  bool createFolder();
  std::error_code publish(const KernelKey &key, llvm::StringRef bytes) const;
  void evict() const;
  void report(const std::string &why);

  std::string folder;
  uint64_t maxBytes;
  std::chrono::milliseconds patience;
  mutable std::mutex mutex; ///< guards `firstProblem`
  std::string firstProblem;
};

} // namespace girih

#endif // GIRIH_JIT_KERNELCACHE_H
