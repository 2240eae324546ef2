//===- CacheFolder.h - The files of the kernel cache ------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Where the cache is, how large it may grow, and which files in a folder are its
// own. Only those are ever read or removed: a folder may hold other things.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_JIT_CACHEFOLDER_H
#define GIRIH_JIT_CACHEFOLDER_H

#include "girih/JIT/CacheEntry.h"

#include "llvm/Support/Chrono.h"

#include <vector>

namespace girih {

/// How many bytes of entries are kept unless GIRIH_CACHE_SIZE says otherwise.
inline constexpr uint64_t defaultCacheBytes = uint64_t(256) << 20;

/// GIRIH_CACHE_DIR, else girih in XDG_CACHE_HOME, else in ~/.cache. Empty when
/// GIRIH_CACHE_DIR is set to nothing, or when there is no home.
std::string defaultCacheFolder();

/// A number of bytes, K, M or G: "268435456", "256M". Fails with GIRIH_INVALID.
llvm::Expected<uint64_t> parseByteSize(llvm::StringRef text);

/// GIRIH_CACHE_SIZE, or defaultCacheBytes where it is not set; 0 means no limit.
llvm::Expected<uint64_t> cacheLimit();

/// A file of the cache.
struct CacheFile {
  std::string path;
  std::string key; ///< hex; empty for an entry that was being written
  /// Whether it may be an entry. Else it is a link, a folder, a pipe...: nothing that the
  /// cache makes.
  bool isRegular = true;
  uint64_t bytes = 0; ///< 0 unless regular
  llvm::sys::TimePoint<> lastUsed;
};

/// Path of the entry of a key.
std::string entryPath(llvm::StringRef folder, const KernelKey &key);
/// Writes `bytes` beside the entries and renames the file to `path`, over any file or link
/// that is there. On failure nothing is left. Unlike LLVM's temporary files it installs no
/// handlers of signals, which are the program's that we are a library of: what a killed
/// writer leaves is a staged file, and eviction sweeps those.
std::error_code publishEntryFile(llvm::StringRef folder, const std::string &path,
                                 llvm::StringRef bytes);
/// The file whose bytes are locked; it stays empty.
std::string lockPath(llvm::StringRef folder);

/// What has a name that the cache gives, entries being written included, in no order. Fails with
/// GIRIH_INVALID when the folder can't be read.
llvm::Expected<std::vector<CacheFile>> listCacheFiles(llvm::StringRef folder);

/// Bytes of an entry. Fails when it is no regular file, or when someone else could
/// have written it: entries are code. With `touch`, it has been used now.
llvm::ErrorOr<std::string> readEntryFile(llvm::StringRef path, bool touch);

} // namespace girih

#endif // GIRIH_JIT_CACHEFOLDER_H
