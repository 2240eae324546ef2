//===- CacheTesting.cpp - A cache folder and processes that use it --------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CacheTesting.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

#include <cstdio>
#include <ctime>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace girih;
using namespace girih::testing;
namespace fs = llvm::sys::fs;

KernelKey girih::testing::keyOf(int number) {
  return KernelKey::of("ir " + std::to_string(number), "options", "cpu", "features");
}

CachedCode girih::testing::codeOf(int number, size_t bytes) {
  CachedCode code;
  code.memoryBytes = 64 + number;
  code.threads = 128;
  code.blocks = 2;
  code.label = {"object", "cpu", "f32, dim 64", "window(left=" + std::to_string(number) + ")"};
  for (size_t i = 0; i != bytes; ++i)
    code.object.push_back(static_cast<char>(number * 31 + static_cast<int>(i % 251)));
  return code;
}

bool girih::testing::isCodeOf(const CachedCode &code, int number, size_t bytes) {
  CachedCode expected = codeOf(number, bytes);
  return code.memoryBytes == expected.memoryBytes && code.threads == expected.threads &&
         code.blocks == expected.blocks && code.label.kind == expected.label.kind &&
         code.label.target == expected.label.target &&
         code.label.signature == expected.label.signature &&
         code.label.pattern == expected.label.pattern && code.object == expected.object;
}

pid_t girih::testing::startProcess(llvm::function_ref<int()> body) {
  std::fflush(nullptr);
  pid_t process = ::fork();
  if (process == 0)
    ::_exit(body());
  EXPECT_GT(process, 0);
  return process;
}

int girih::testing::waitFor(pid_t process) {
  int status = 0;
  if (::waitpid(process, &status, 0) != process)
    return -1;
  return WIFSIGNALED(status) ? 1000 + WTERMSIG(status) : WEXITSTATUS(status);
}

int girih::testing::inProcess(llvm::function_ref<int()> body) {
  return waitFor(startProcess(body));
}

void CacheFolderTest::SetUp() {
  llvm::SmallString<128> unique;
  ASSERT_FALSE(fs::createUniqueDirectory("girih-cache-test", unique));
  folder = std::string(unique);
}

void CacheFolderTest::TearDown() { fs::remove_directories(folder); }

std::string CacheFolderTest::path(const llvm::Twine &name) const {
  llvm::SmallString<128> file(folder);
  llvm::sys::path::append(file, name);
  return std::string(file);
}

std::string CacheFolderTest::read(const std::string &file) {
  auto buffer = llvm::MemoryBuffer::getFile(file);
  return buffer ? (*buffer)->getBuffer().str() : "";
}

void CacheFolderTest::write(const std::string &file, llvm::StringRef bytes) {
  std::error_code error;
  llvm::raw_fd_ostream os(file, error);
  ASSERT_FALSE(error) << file << ": " << error.message();
  os << bytes;
  os.close();
  ASSERT_EQ(::chmod(file.c_str(), S_IRUSR | S_IWUSR), 0);
}

void CacheFolderTest::age(const std::string &file, int seconds) {
  struct timespec when = {std::time(nullptr) - seconds, 0};
  struct timespec times[] = {when, when};
  ASSERT_EQ(::utimensat(AT_FDCWD, file.c_str(), times, 0), 0) << file;
}

bool CacheFolderTest::exists(const std::string &file) { return fs::exists(file); }
