//===- WriteFiles.cpp - Several files at once, or none --------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "WriteFiles.h"

#include "girih/Support/Error.h"

#include "llvm/ADT/ScopeExit.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"

#include <vector>

using namespace girih;
namespace fs = llvm::sys::fs;

static llvm::Error unwritable(llvm::StringRef path, const std::string &why) {
  return invalidError(path.str() + ": cannot be written: " + why);
}

static llvm::Error write(fs::TempFile &staged, const OutputFile &file) {
  llvm::raw_fd_ostream os(staged.FD, /*shouldClose=*/false);
  os << file.contents;
  os.flush();
  std::error_code failure = os.error();
  os.clear_error();
  return failure ? unwritable(file.path, failure.message()) : llvm::Error::success();
}

llvm::Error girih::writeFiles(llvm::ArrayRef<OutputFile> files) {
  std::vector<fs::TempFile> staged;
  auto discard = llvm::scope_exit([&] {
    for (fs::TempFile &file : staged)
      llvm::consumeError(file.discard());
  });
  for (const OutputFile &file : files) {
    // A rename onto a folder fails, and by then others would be in place.
    if (fs::is_directory(file.path))
      return unwritable(file.path, "it is a folder");
    auto made = fs::TempFile::create(file.path + ".%%%%%%%%.tmp");
    if (!made)
      return unwritable(file.path, llvm::toString(made.takeError()));
    staged.push_back(std::move(*made));
    if (llvm::Error error = write(staged.back(), file))
      return error;
  }
  for (size_t i = 0; i != files.size(); ++i)
    if (llvm::Error error = staged[i].keep(files[i].path))
      return unwritable(files[i].path, llvm::toString(std::move(error)));
  return llvm::Error::success();
}
