//===- CacheTesting.h - A cache folder and processes that use it -*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_TEST_JIT_CACHETESTING_H
#define GIRIH_TEST_JIT_CACHETESTING_H

#include "girih/JIT/KernelCache.h"

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallString.h"

#include "gtest/gtest.h"

#include <string>
#include <sys/types.h>

namespace girih::testing {

KernelKey keyOf(int number);

/// Code whose every byte depends on `number`, so that a mix of two kernels shows.
CachedCode codeOf(int number, size_t bytes);
/// Whether `code` is what codeOf made.
bool isCodeOf(const CachedCode &code, int number, size_t bytes);

/// A child that exits with what `body` returns, and never runs the rest of a test.
pid_t startProcess(llvm::function_ref<int()> body);
/// Its exit code, or 1000 plus the signal that killed it.
int waitFor(pid_t process);
/// startProcess and waitFor.
int inProcess(llvm::function_ref<int()> body);

/// An empty folder of its own; it goes with the test.
class CacheFolderTest : public ::testing::Test {
protected:
  void SetUp() override;
  void TearDown() override;

  std::string path(const llvm::Twine &name) const;
  std::string entry(int number) const { return entryPath(folder, keyOf(number)); }
  /// Bytes of a file in the folder; empty when there is none.
  static std::string read(const std::string &file);
  static void write(const std::string &file, llvm::StringRef bytes);
  /// Sets when a file was last used: `seconds` ago.
  static void age(const std::string &file, int seconds);
  static bool exists(const std::string &file);

  std::string folder;
};

} // namespace girih::testing

#endif // GIRIH_TEST_JIT_CACHETESTING_H
