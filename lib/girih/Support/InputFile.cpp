//===- InputFile.cpp - Whole files of bounded size ------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Support/InputFile.h"

#include "girih/Support/Error.h"

#include "llvm/Support/FileSystem.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>
#include <optional>

using namespace girih;
namespace fs = llvm::sys::fs;

/// "1 GiB", or the number of bytes.
static std::string sizeText(uint64_t bytes) {
  constexpr const char *units[] = {" bytes", " KiB", " MiB", " GiB"};
  size_t unit = 0;
  for (; bytes % 1024 == 0 && bytes > 0 && unit + 1 < std::size(units); ++unit)
    bytes /= 1024;
  return std::to_string(bytes) + units[unit];
}

llvm::Expected<std::string> girih::readFile(const std::string &path, SizeLimit limit) {
  fs::file_status status;
  if (std::error_code failure = fs::status(path, status))
    return invalidError("cannot open '" + path + "': " + failure.message());
  if (fs::is_directory(status))
    return invalidError("expected a file, but '" + path + "' is a directory");
  if (status.type() == fs::file_type::character_file || status.type() == fs::file_type::block_file)
    return invalidError("expected a file or a pipe, but '" + path + "' is a device");
  std::unique_ptr<FILE, int (*)(FILE *)> file(std::fopen(path.c_str(), "rb"), &std::fclose);
  if (!file)
    return invalidError("cannot open '" + path + "': " + std::strerror(errno));
  bool isRegular = status.type() == fs::file_type::regular_file;
  std::string bytes;
  std::optional<uint64_t> most; // unknown until the beginning is there
  while (true) {
    size_t begin = bytes.size();
    uint64_t wanted = most ? std::min<uint64_t>(*most + 1 - begin, 1 << 20) : sizeGuessBytes;
    bytes.resize(begin + wanted);
    size_t count = std::fread(bytes.data() + begin, 1, wanted, file.get());
    bytes.resize(begin + count);
    if (std::ferror(file.get()))
      return invalidError("cannot read '" + path + "': " + std::strerror(errno));
    if (!most) {
      llvm::Expected<uint64_t> allowed = limit(bytes);
      if (!allowed)
        return allowed.takeError();
      most = *allowed;
    }
    if (bytes.size() > *most || (isRegular && status.getSize() > *most))
      return invalidError("expected '" + path + "' to hold at most " + sizeText(*most) +
                          ", but got more");
    if (count < wanted)
      return bytes;
    if (isRegular)
      bytes.reserve(status.getSize() + 1);
  }
}

llvm::Expected<std::string> girih::readFile(const std::string &path, uint64_t limit) {
  return readFile(path, [&](llvm::StringRef) -> llvm::Expected<uint64_t> { return limit; });
}

uint64_t girih::physicalMemory() {
  return static_cast<uint64_t>(sysconf(_SC_PHYS_PAGES)) *
         static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}
