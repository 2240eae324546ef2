//===- CacheEntry.h - The key and the bytes of a cached kernel --*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a kernel is cached by, and the format of an entry. Nothing here knows of
// folders, files or processes; KernelCache does.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_JIT_CACHEENTRY_H
#define GIRIH_JIT_CACHEENTRY_H

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <string>

namespace girih {

/// What a kernel is stored and looked up by: a BLAKE3 hash over everything that
/// decides its code. Never paths, dates, lengths or values of run-time operands.
struct KernelKey {
  std::string hex; ///< 64 lower-case digits; the name of the entry

  /// `ir` is the canonical IR text without locations. The sources of the compiler,
  /// LLVM's version and the ABI's are part of every key.
  static KernelKey of(llvm::StringRef ir, llvm::StringRef options, llvm::StringRef cpu,
                      llvm::StringRef features);
  static bool isHex(llvm::StringRef text);
};

/// What an entry tells people; nothing is looked up by it. A pattern of more than
/// maxPatternBytes is cut, so that tables of values don't swell the entry.
struct KernelLabel {
  static constexpr size_t maxPatternBytes = 200;
  std::string kind;      ///< "object" or "cubin"
  std::string target;    ///< processor or chip, such as "znver5" or "sm_90a"
  std::string signature; ///< element type and head dims
  std::string pattern;   ///< as it was first written
};

/// An object file or cubin and what must be known to call it.
struct CachedCode {
  int64_t memoryBytes = 0; ///< scratch of a CPU thread, shared memory of a GPU block
  int64_t threads = 0;     ///< of a GPU block
  int64_t blocks = 0;      ///< of a GPU, on a multiprocessor at a time
  KernelLabel label;
  llvm::SmallVector<char, 0> object;
};

/// Entries are smaller than this; nothing larger is read.
inline constexpr uint64_t maxEntryBytes = uint64_t(1) << 28;

/// Whether the bytes begin like an entry of another version of the format. Such an
/// entry is a miss, but not damaged.
bool isEntryOfOtherVersion(llvm::StringRef bytes);

std::string encodeEntry(const KernelKey &key, const CachedCode &code);

/// Takes an entry apart. Anything but the bytes that encodeEntry made for this key
/// fails with GIRIH_INVALID and says what is wrong with them.
llvm::Expected<CachedCode> decodeEntry(const KernelKey &key, llvm::StringRef bytes);

} // namespace girih

#endif // GIRIH_JIT_CACHEENTRY_H
