//===- KernelCache.cpp - Compiled code on disk ----------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/JIT/KernelCache.h"

#include "girih-c/Runtime.h"
#include "girih/JIT/SourceHash.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Config/llvm-config.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SHA256.h"
#include "llvm/Support/raw_ostream.h"

using namespace girih;
namespace fs = llvm::sys::fs;
namespace path = llvm::sys::path;

// Layout of an entry, little-endian: magic, SHA-256 of everything after it,
// memory bytes, threads and blocks (u64 each), object file.
static constexpr llvm::StringLiteral magic = "GIRIH-KERNEL-3\n";
static constexpr size_t hashBytes = 32, numbersBytes = 3 * sizeof(uint64_t),
                        headerBytes = magic.size() + hashBytes + numbersBytes;

static std::string hashOf(llvm::StringRef bytes) {
  llvm::SHA256 hasher;
  hasher.update(bytes);
  auto digest = hasher.final();
  return std::string(digest.begin(), digest.end());
}

KernelKey KernelKey::of(llvm::StringRef ir, llvm::StringRef options, llvm::StringRef cpu,
                        llvm::StringRef features) {
  std::string text;
  llvm::raw_string_ostream os(text);
  // Lengths keep the parts apart.
  for (llvm::StringRef part : {ir, options, cpu, features, llvm::StringRef(sourceHash),
                               llvm::StringRef(LLVM_VERSION_STRING)})
    os << part.size() << ':' << part;
  os << GIRIH_ABI_VERSION;
  return {llvm::toHex(hashOf(text), /*LowerCase=*/true)};
}

static std::string entryPath(llvm::StringRef folder, const KernelKey &key) {
  llvm::SmallString<128> file(folder);
  path::append(file, key.hex + ".kernel");
  return std::string(file);
}

std::optional<CachedCode> KernelCache::lookup(const KernelKey &key) const {
  if (folder.empty())
    return std::nullopt;
  auto file = llvm::MemoryBuffer::getFile(entryPath(folder, key), /*IsText=*/false,
                                          /*RequiresNullTerminator=*/false);
  if (!file)
    return std::nullopt;
  llvm::StringRef bytes = (*file)->getBuffer();
  if (bytes.size() < headerBytes || !bytes.starts_with(magic))
    return std::nullopt;
  llvm::StringRef digest = bytes.substr(magic.size(), hashBytes);
  llvm::StringRef payload = bytes.drop_front(magic.size() + hashBytes);
  if (hashOf((key.hex + payload).str()) != digest)
    return std::nullopt;
  CachedCode code;
  code.memoryBytes = llvm::support::endian::read64le(payload.data());
  code.threads = llvm::support::endian::read64le(payload.data() + sizeof(uint64_t));
  code.blocks = llvm::support::endian::read64le(payload.data() + 2 * sizeof(uint64_t));
  llvm::StringRef object = payload.drop_front(numbersBytes);
  code.object.assign(object.begin(), object.end());
  return code;
}

void KernelCache::store(const KernelKey &key, const CachedCode &code) const {
  if (folder.empty())
    return;
  // Entries are code that runs: the folder is for its owner only.
  if (fs::create_directories(folder, /*IgnoreExisting=*/true, fs::owner_all))
    return;
  std::string payload(numbersBytes, '\0');
  llvm::support::endian::write64le(payload.data(), code.memoryBytes);
  llvm::support::endian::write64le(payload.data() + sizeof(uint64_t), code.threads);
  llvm::support::endian::write64le(payload.data() + 2 * sizeof(uint64_t), code.blocks);
  payload.append(code.object.begin(), code.object.end());

  llvm::SmallString<128> model(folder);
  path::append(model, "staging-%%%%%%%%%%%%");
  auto staged = fs::TempFile::create(model, fs::owner_read | fs::owner_write);
  if (!staged) {
    llvm::consumeError(staged.takeError());
    return;
  }
  {
    llvm::raw_fd_ostream os(staged->FD, /*shouldClose=*/false);
    os << magic << hashOf(key.hex + payload) << payload;
    os.flush();
    if (os.has_error()) {
      os.clear_error();
      llvm::consumeError(staged->discard());
      return;
    }
  }
  llvm::consumeError(staged->keep(entryPath(folder, key)));
}
