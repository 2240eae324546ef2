//===- Cache.cpp - Fuzzes entries of the kernel cache ---------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Bytes are an entry, as they stand, and once more behind a magic, a checksum and a
// key that fit them, or nothing would get past those. An entry is refused, or says
// what encodeEntry would write again.
//
//===----------------------------------------------------------------------===//

#include "Fuzz.h"

#include "girih/JIT/CacheEntry.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/BLAKE3.h"

using namespace girih;
using namespace girih::fuzz;

static void check(const KernelKey &key, llvm::StringRef bytes) {
  llvm::Expected<CachedCode> code = decodeEntry(key, bytes);
  if (!code) {
    llvm::consumeError(code.takeError());
    return;
  }
  // A store cuts patterns that are longer.
  if (code->label.pattern.size() <= KernelLabel::maxPatternBytes &&
      encodeEntry(key, *code) != bytes)
    broken("an entry that is not what a store writes was taken for one");
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const KernelKey key{std::string(64, 'a')};
  static const std::string empty = encodeEntry(key, {});
  static const std::string keyBytes = llvm::fromHex(key.hex);
  llvm::StringRef bytes(reinterpret_cast<const char *>(data), size);
  check(key, bytes);

  std::string body = keyBytes + bytes.str();
  auto digest = llvm::BLAKE3::hash(llvm::arrayRefFromStringRef(body));
  size_t magicBytes = empty.find('\n') + 1;
  check(key, empty.substr(0, magicBytes) + std::string(digest.begin(), digest.end()) + body);
  return 0;
}
