//===- SupportTesting.h - Files of a test -----------------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_TEST_SUPPORT_SUPPORTTESTING_H
#define GIRIH_TEST_SUPPORT_SUPPORTTESTING_H

#include "girih/Support/Error.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <sys/stat.h>

#include <fstream>
#include <gtest/gtest.h>
#include <iterator>
#include <string>

namespace girih {

/// A folder that goes away with its files.
class Folder {
public:
  Folder() { EXPECT_FALSE(llvm::sys::fs::createUniqueDirectory("girih-test", path)); }
  ~Folder() { llvm::sys::fs::remove_directories(path); }
  std::string file(llvm::StringRef name) const {
    llvm::SmallString<128> full(path);
    llvm::sys::path::append(full, name);
    return std::string(full);
  }
  int entries() const {
    std::error_code failure;
    int count = 0;
    for (llvm::sys::fs::directory_iterator it(path, failure), end; it != end && !failure;
         it.increment(failure))
      ++count;
    return count;
  }

private:
  llvm::SmallString<128> path;
};

inline std::string bytesOf(const std::string &path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline void store(const std::string &path, const std::string &bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

/// What an error says; nothing if it is none.
inline std::string message(llvm::Error error) { return takeStatus(std::move(error)).message; }

/// Of `path` itself, were it a link.
inline struct stat statusOf(const std::string &path) {
  struct stat status{};
  EXPECT_EQ(lstat(path.c_str(), &status), 0) << path;
  return status;
}

/// A file of NumPy, version 1.0.
inline std::string npy(const std::string &header, const std::string &data) {
  std::string out("\x93NUMPY\x01\0", 8);
  out += static_cast<char>(header.size() & 255);
  out += static_cast<char>(header.size() >> 8);
  return out + header + data;
}

} // namespace girih

#endif // GIRIH_TEST_SUPPORT_SUPPORTTESTING_H
