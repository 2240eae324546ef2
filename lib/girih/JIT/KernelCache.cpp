//===- KernelCache.cpp - Compiled code on disk ----------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/JIT/KernelCache.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Errno.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>
#include <thread>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

using namespace girih;
namespace fs = llvm::sys::fs;
using llvm::StringRef;
using Clock = std::chrono::steady_clock;

/// Writing an entry takes milliseconds; a staged file whose time is that far from now has
/// lost its writer. To either side: another machine's clock may be ahead, and a file of
/// one that was wrong shall not stay for ever.
static constexpr std::chrono::minutes abandonedAfter(10);

/// Clocks of machines that share a folder differ by less. An entry used later than that
/// was used while a clock was wrong: nothing would ever be older than it.
static constexpr std::chrono::minutes mostSkew(1);

//===----------------------------------------------------------------------===//
// Locks
//===----------------------------------------------------------------------===//

namespace {

/// Locks one byte of the cache's lock file: a byte for each key, so that kernels
/// don't wait for each other, and one file, so that no lock has to be cleaned up.
/// The lock belongs to the open file: the kernel drops it when the process dies,
/// and two threads of a process exclude each other.
class ByteLock {
public:
  enum class Outcome { Taken, Busy, Impossible };

  ByteLock(StringRef folder, uint64_t byte) : byte(static_cast<off_t>(byte)) {
    fd = ::open(lockPath(folder).c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
                S_IRUSR | S_IWUSR);
  }
  ByteLock(const ByteLock &) = delete;
  ByteLock &operator=(const ByteLock &) = delete;
  ~ByteLock() {
    if (fd < 0)
      return;
    // A fork of this process has the same open file; closing alone would leave the
    // lock to it.
    (void)set(F_UNLCK);
    ::close(fd);
  }

  Outcome tryTake() {
    if (fd < 0)
      return Outcome::Impossible;
    if (set(F_WRLCK) == 0)
      return Outcome::Taken;
    return errno == EAGAIN || errno == EACCES || errno == EINTR ? Outcome::Busy
                                                                : Outcome::Impossible;
  }

private:
  int set(short type) const {
    struct flock range = {};
    range.l_type = type;
    range.l_whence = SEEK_SET;
    range.l_start = byte;
    range.l_len = 1;
    return ::fcntl(fd, F_OFD_SETLK, &range);
  }

  int fd;
  off_t byte;
};

} // namespace

/// Keys lock bytes below 2^60, eviction the one there.
static constexpr uint64_t evictionByte = uint64_t(1) << 60;

static uint64_t byteOf(const KernelKey &key) {
  uint64_t byte = 0;
  StringRef(key.hex).take_front(15).getAsInteger(16, byte);
  return byte;
}

//===----------------------------------------------------------------------===//
// Entries
//===----------------------------------------------------------------------===//

std::optional<CachedCode> KernelCache::lookup(const KernelKey &key) const {
  if (folder.empty())
    return std::nullopt;
  auto bytes = readEntryFile(entryPath(folder, key), /*touch=*/true);
  if (!bytes)
    return std::nullopt;
  auto code = decodeEntry(key, *bytes);
  if (!code) {
    llvm::consumeError(code.takeError());
    return std::nullopt;
  }
  return std::move(*code);
}

bool KernelCache::createFolder() {
  // Entries are code that runs: the folder is for its owner only.
  std::error_code error = fs::create_directories(folder, /*IgnoreExisting=*/true, fs::owner_all);
  if (error)
    report(error.message());
  return !error;
}

std::error_code KernelCache::publish(const KernelKey &key, StringRef bytes) const {
  // A write beyond this limit would not fail but kill the process (SIGXFSZ).
  struct rlimit limit;
  if (::getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur < bytes.size())
    return std::make_error_code(std::errc::file_too_large);
  return publishEntryFile(folder, entryPath(folder, key), bytes);
}

void KernelCache::store(const KernelKey &key, const CachedCode &code) {
  if (folder.empty() || !createFolder())
    return;
  std::string bytes = encodeEntry(key, code);
  // One that large would drive out all others and then itself.
  uint64_t most = maxBytes ? std::min(maxBytes, maxEntryBytes) : maxEntryBytes;
  if (bytes.size() > most)
    return report("expected a kernel of at most " + std::to_string(most) + " bytes, but got " +
                  std::to_string(bytes.size()));
  if (std::error_code error = publish(key, bytes))
    report(error.message());
  evict();
}

void KernelCache::evict() const {
  // Two processes that evict at a time would both make room.
  ByteLock lock(folder, evictionByte);
  if (lock.tryTake() == ByteLock::Outcome::Busy)
    return;
  auto files = listCacheFiles(folder);
  if (!files)
    return llvm::consumeError(files.takeError());
  const llvm::sys::TimePoint<> now = std::chrono::system_clock::now();
  llvm::erase_if(*files, [&](const CacheFile &file) {
    if (!file.isRegular)
      return true;
    if (!file.key.empty())
      return false;
    if (std::chrono::abs(now - file.lastUsed) > abandonedAfter)
      (void)fs::remove(file.path);
    return true;
  });
  uint64_t total = 0;
  for (CacheFile &entry : *files) {
    total += entry.bytes;
    if (entry.lastUsed - now > mostSkew)
      entry.lastUsed = {};
  }
  if (!maxBytes || total <= maxBytes)
    return;
  llvm::sort(*files, [](const CacheFile &a, const CacheFile &b) {
    return std::tie(a.lastUsed, a.key) < std::tie(b.lastUsed, b.key);
  });
  // Who has opened an entry reads it to its end, removed or not.
  for (const CacheFile &file : *files) {
    if (total <= maxBytes)
      break;
    if (!fs::remove(file.path))
      total -= file.bytes;
  }
}

llvm::Expected<CachedCode> KernelCache::getOrMake(const KernelKey &key, Maker make, bool &hit) {
  hit = true;
  if (std::optional<CachedCode> found = lookup(key))
    return std::move(*found);
  std::optional<ByteLock> lock;
  if (!folder.empty() && createFolder()) {
    lock.emplace(folder, byteOf(key));
    auto deadline = Clock::now() + patience;
    std::chrono::milliseconds pause(1);
    // Whatever ends the wait, the entry may have come meanwhile.
    while (lock->tryTake() == ByteLock::Outcome::Busy && Clock::now() < deadline) {
      std::this_thread::sleep_for(pause);
      pause = std::min(2 * pause, std::chrono::milliseconds(20));
      if (std::optional<CachedCode> found = lookup(key))
        return std::move(*found);
    }
    if (std::optional<CachedCode> found = lookup(key))
      return std::move(*found);
  }
  hit = false;
  llvm::Expected<CachedCode> made = make();
  if (made && !made->object.empty())
    store(key, *made);
  return made;
}

//===----------------------------------------------------------------------===//
// Problems
//===----------------------------------------------------------------------===//

void KernelCache::report(const std::string &why) {
  std::lock_guard<std::mutex> guard(mutex);
  if (firstProblem.empty())
    firstProblem = "kernels are not cached in " + folder + ": " + why;
}

std::string KernelCache::problem() const {
  std::lock_guard<std::mutex> guard(mutex);
  return firstProblem;
}
