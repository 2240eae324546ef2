//===- CacheFolder.cpp - The files of the kernel cache --------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/JIT/CacheFolder.h"

#include "girih/Support/Error.h"

#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Errno.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace girih;
namespace fs = llvm::sys::fs;
namespace path = llvm::sys::path;
using llvm::StringRef;

static constexpr llvm::StringLiteral entrySuffix = ".kernel", stagingPrefix = "girih-",
                                     stagingSuffix = ".staging";

std::string girih::defaultCacheFolder() {
  if (auto folder = llvm::sys::Process::GetEnv("GIRIH_CACHE_DIR"))
    return *folder;
  llvm::SmallString<128> result;
  // The XDG specification: a relative or empty folder counts as not set.
  if (auto folder = llvm::sys::Process::GetEnv("XDG_CACHE_HOME");
      folder && path::is_absolute(*folder))
    result = *folder;
  else if (path::home_directory(result) && !result.empty())
    path::append(result, ".cache");
  else
    return "";
  path::append(result, "girih");
  return std::string(result);
}

llvm::Expected<uint64_t> girih::parseByteSize(StringRef text) {
  StringRef digits = text;
  unsigned shift = 0;
  for (auto [suffix, bits] : {std::pair("K", 10u), std::pair("M", 20u), std::pair("G", 30u)})
    if (digits.consume_back_insensitive(suffix)) {
      shift = bits;
      break;
    }
  int64_t number, bytes;
  if (digits.empty() || !llvm::all_of(digits, llvm::isDigit) || digits.getAsInteger(10, number) ||
      llvm::MulOverflow(number, int64_t(1) << shift, bytes))
    return invalidError("expected a number of bytes below 2^63, such as 268435456, 256M or 1G, "
                        "but got '" +
                        text.str() + "'");
  return static_cast<uint64_t>(bytes);
}

llvm::Expected<uint64_t> girih::cacheLimit() {
  auto text = llvm::sys::Process::GetEnv("GIRIH_CACHE_SIZE");
  if (!text || text->empty())
    return defaultCacheBytes;
  auto bytes = parseByteSize(*text);
  if (!bytes)
    return invalidError(std::string("GIRIH_CACHE_SIZE: ") + takeStatus(bytes.takeError()).message);
  return *bytes;
}

static std::string within(StringRef folder, const llvm::Twine &name) {
  llvm::SmallString<128> file(folder);
  path::append(file, name);
  return std::string(file);
}

std::string girih::entryPath(StringRef folder, const KernelKey &key) {
  return within(folder, key.hex + entrySuffix);
}

std::string girih::lockPath(StringRef folder) { return within(folder, "girih.lock"); }

/// Sets the key and returns whether the name is one that the cache gives.
static bool isOurs(StringRef name, std::string &key) {
  key.clear();
  if (name.consume_front(stagingPrefix))
    return name.consume_back(stagingSuffix) && name.size() == 12 &&
           llvm::all_of(name, llvm::isHexDigit);
  if (!name.consume_back(entrySuffix) || !KernelKey::isHex(name))
    return false;
  key = name.str();
  return true;
}

llvm::Expected<std::vector<CacheFile>> girih::listCacheFiles(StringRef folder) {
  std::vector<CacheFile> files;
  std::error_code error;
  fs::directory_iterator it(folder, error, /*follow_symlinks=*/false), end;
  for (; !error && it != end; it.increment(error)) {
    CacheFile file;
    if (!isOurs(path::filename(it->path()), file.key))
      continue;
    // Another process may have removed it by now.
    auto status = it->status();
    if (!status)
      continue;
    file.path = it->path();
    file.isRegular = status->type() == fs::file_type::regular_file;
    file.bytes = file.isRegular ? status->getSize() : 0;
    file.lastUsed = status->getLastModificationTime();
    files.push_back(std::move(file));
  }
  if (error)
    return invalidError("expected a folder that can be read, but got " + folder.str() + ": " +
                        error.message());
  return files;
}

llvm::ErrorOr<std::string> girih::readEntryFile(StringRef path, bool touch) {
  // Neither following links nor waiting at pipes. Read, not mapped: a file that is
  // cut while it is mapped kills who reads it.
  int fd = llvm::sys::RetryAfterSignal(-1, ::open, path.str().c_str(),
                                       O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  if (fd < 0)
    return llvm::errnoAsErrorCode();
  llvm::scope_exit close([fd] { ::close(fd); });
  struct stat status;
  if (::fstat(fd, &status) != 0)
    return llvm::errnoAsErrorCode();
  if (S_ISDIR(status.st_mode))
    return std::make_error_code(std::errc::is_a_directory);
  if (!S_ISREG(status.st_mode))
    return std::make_error_code(std::errc::invalid_argument);
  bool fromOthers = status.st_uid != ::geteuid() && status.st_uid != 0;
  if (fromOthers || (status.st_mode & (S_IWGRP | S_IWOTH)))
    return std::make_error_code(std::errc::permission_denied);
  if (static_cast<uint64_t>(status.st_size) > maxEntryBytes)
    return std::make_error_code(std::errc::file_too_large);
  std::string bytes(static_cast<size_t>(status.st_size), '\0');
  size_t got = 0;
  while (got != bytes.size()) {
    ssize_t count =
        llvm::sys::RetryAfterSignal(-1, ::read, fd, bytes.data() + got, bytes.size() - got);
    if (count < 0)
      return llvm::errnoAsErrorCode();
    if (count == 0)
      break;
    got += static_cast<size_t>(count);
  }
  bytes.resize(got);
  // Who may not write here just doesn't count as a user.
  if (touch)
    (void)::futimens(fd, nullptr);
  return bytes;
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

/// Creates a file of its own for an entry being written.
static llvm::ErrorOr<int> createStaged(StringRef folder, std::string &path) {
  constexpr int attempts = 8; // names have 48 random bits
  for (int i = 0; i != attempts; ++i) {
    uint64_t number = 0;
    if (::getentropy(&number, 6) != 0)
      return llvm::errnoAsErrorCode();
    path = within(folder, stagingPrefix +
                              llvm::Twine(llvm::utohexstr(number, /*LowerCase=*/true,
                                                          /*Width=*/12)) +
                              stagingSuffix);
    int fd = llvm::sys::RetryAfterSignal(
        -1, ::open, path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    if (fd >= 0)
      return fd;
    if (errno != EEXIST)
      break;
  }
  return llvm::errnoAsErrorCode();
}

static std::error_code writeAll(int fd, StringRef bytes) {
  while (!bytes.empty()) {
    ssize_t count = llvm::sys::RetryAfterSignal(-1, ::write, fd, bytes.data(), bytes.size());
    if (count < 0)
      return llvm::errnoAsErrorCode();
    bytes = bytes.drop_front(static_cast<size_t>(count));
  }
  return {};
}

std::error_code girih::publishEntryFile(StringRef folder, const std::string &path,
                                        StringRef bytes) {
  std::string staged;
  auto fd = createStaged(folder, staged);
  if (!fd)
    return fd.getError();
  // No fsync: an entry that a crash of the machine cut short is a miss.
  std::error_code error = writeAll(*fd, bytes);
  if (::close(*fd) != 0 && !error)
    error = llvm::errnoAsErrorCode();
  if (!error && ::rename(staged.c_str(), path.c_str()) != 0)
    error = llvm::errnoAsErrorCode();
  if (error)
    ::unlink(staged.c_str());
  return error;
}
