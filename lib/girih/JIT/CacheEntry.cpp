//===- CacheEntry.cpp - The key and the bytes of a cached kernel ----------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/JIT/CacheEntry.h"

#include "girih-c/Runtime.h"
#include "girih/JIT/SourceHash.h"
#include "girih/Support/Error.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/BLAKE3.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/raw_ostream.h"

#include <limits>

using namespace girih;
using llvm::StringRef;

// An entry, little-endian:
//   magic     15 bytes
//   checksum  32, the BLAKE3 hash of everything after it
//   key       32, so that a renamed entry is none
//   numbers   u64 each: memory bytes, threads, blocks, the four lengths of the
//             label's texts, the length of the object
//   texts     kind, target, signature, pattern
//   object
// Another layout gets another digit in the magic.
static constexpr llvm::StringLiteral magic = "GIRIH-KERNEL-4\n";
static constexpr size_t hashBytes = 32, numNumbers = 8, checkedBegin = magic.size() + hashBytes,
                        numbersBegin = checkedBegin + hashBytes,
                        textsBegin = numbersBegin + numNumbers * sizeof(uint64_t);

static std::string hashOf(StringRef bytes) {
  auto digest = llvm::BLAKE3::hash(llvm::arrayRefFromStringRef(bytes));
  return std::string(digest.begin(), digest.end());
}

KernelKey KernelKey::of(StringRef ir, StringRef options, StringRef cpu, StringRef features) {
  std::string text;
  llvm::raw_string_ostream os(text);
  // Lengths keep the parts apart.
  for (StringRef part :
       {ir, options, cpu, features, StringRef(sourceHash), StringRef(LLVM_VERSION_STRING)})
    os << part.size() << ':' << part;
  os << GIRIH_ABI_VERSION;
  return {llvm::toHex(hashOf(text), /*LowerCase=*/true)};
}

bool KernelKey::isHex(StringRef text) {
  return text.size() == 2 * hashBytes &&
         text.find_first_not_of("0123456789abcdef") == StringRef::npos;
}

bool girih::isEntryOfOtherVersion(StringRef bytes) {
  StringRef version = bytes.take_until([](char c) { return c == '\n'; });
  return !bytes.starts_with(magic) && version.size() < bytes.size() &&
         version.consume_front("GIRIH-KERNEL-") && !version.empty() &&
         llvm::all_of(version, llvm::isDigit);
}

std::string girih::encodeEntry(const KernelKey &key, const CachedCode &code) {
  StringRef object(code.object.data(), code.object.size());
  const KernelLabel &label = code.label;
  StringRef pattern = StringRef(label.pattern).take_front(KernelLabel::maxPatternBytes);
  const StringRef texts[] = {label.kind, label.target, label.signature, pattern, object};
  const int64_t values[] = {code.memoryBytes, code.threads, code.blocks};

  std::string body = llvm::fromHex(key.hex);
  auto number = [&](uint64_t value) {
    char bytes[sizeof(uint64_t)];
    llvm::support::endian::write64le(bytes, value);
    body.append(bytes, sizeof(bytes));
  };
  for (int64_t value : values)
    number(static_cast<uint64_t>(value));
  for (StringRef text : texts)
    number(text.size());
  for (StringRef text : texts)
    body.append(text.begin(), text.end());
  return magic.str() + hashOf(body) + body;
}

llvm::Expected<CachedCode> girih::decodeEntry(const KernelKey &key, StringRef bytes) {
  if (isEntryOfOtherVersion(bytes))
    return invalidError("expected an entry of version 4, but got another version");
  if (!bytes.starts_with(magic))
    return invalidError("expected a cached kernel, but got something else");
  if (bytes.size() < textsBegin)
    return invalidError("expected at least " + std::to_string(textsBegin) + " bytes, but got " +
                        std::to_string(bytes.size()));
  uint64_t numbers[numNumbers];
  for (size_t i = 0; i != numNumbers; ++i)
    numbers[i] =
        llvm::support::endian::read64le(bytes.data() + numbersBegin + i * sizeof(uint64_t));
  // The lengths come from the file: none may make their sum wrap.
  llvm::ArrayRef<uint64_t> lengths = llvm::ArrayRef(numbers).drop_front(3);
  uint64_t expected = textsBegin;
  for (uint64_t length : lengths)
    expected += std::min(length, maxEntryBytes);
  if (expected != bytes.size())
    return invalidError("expected " + std::to_string(expected) + " bytes, but got " +
                        std::to_string(bytes.size()));
  StringRef checked = bytes.drop_front(checkedBegin);
  if (hashOf(checked) != bytes.substr(magic.size(), hashBytes))
    return invalidError("expected bytes of their checksum, but got others");
  if (std::string found = llvm::toHex(checked.take_front(hashBytes), /*LowerCase=*/true);
      found != key.hex)
    return invalidError("expected the kernel of key " + key.hex + ", but got that of " + found);
  for (uint64_t number : llvm::ArrayRef(numbers).take_front(3))
    if (number > std::numeric_limits<int32_t>::max())
      return invalidError("expected memory, threads and blocks below 2^31, but got " +
                          std::to_string(number));

  CachedCode code;
  code.memoryBytes = static_cast<int64_t>(numbers[0]);
  code.threads = static_cast<int64_t>(numbers[1]);
  code.blocks = static_cast<int64_t>(numbers[2]);
  StringRef rest = bytes.drop_front(textsBegin);
  std::string *texts[] = {&code.label.kind, &code.label.target, &code.label.signature,
                          &code.label.pattern};
  for (auto [text, length] : llvm::zip(texts, lengths)) {
    *text = rest.take_front(length).str();
    rest = rest.drop_front(length);
  }
  code.object.assign(rest.begin(), rest.end());
  return code;
}
