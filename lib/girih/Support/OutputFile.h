//===- OutputFile.h - Files that appear as a whole --------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How the tools write every file that they are asked for. A plain file is staged beside
// its place and renamed, so that no reader finds half of it and a failure leaves what was
// there. What a rename would destroy (devices, pipes, links) is written to or followed.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_SUPPORT_OUTPUTFILE_H
#define GIRIH_SUPPORT_OUTPUTFILE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"

#include <memory>
#include <string>
#include <utility>

namespace girih {

/// A file that is being written. Without `commit` nothing happens to what a plain file held.
class OutputFile {
public:
  /// Opens `path` for writing. Links are followed, to a target that need not exist. A file
  /// that is there keeps its permissions; folders are refused. What is no plain file is
  /// opened itself, which for a pipe waits until there is a reader, and so is the file that
  /// standard output goes to. Errors are GIRIH_INVALID and start with `flag`, unless it is
  /// empty, and the path.
  static llvm::Expected<OutputFile> create(llvm::StringRef path, llvm::StringRef flag = "");

  OutputFile(OutputFile &&other)
      : name(other.name), target(other.target), staged(std::exchange(other.staged, "")),
        os(std::move(other.os)) {}
  /// Removes what was staged.
  ~OutputFile();

  llvm::raw_ostream &stream() { return *os; }
  /// Writes out what the stream holds; fails if it could not be written.
  llvm::Error flush();
  /// Flushes, closes and puts the file into place.
  llvm::Error commit();

private:
  OutputFile(std::string name, std::string target) : name(name), target(target) {}
  llvm::Error failed(std::error_code failure) const;

  std::string name;   ///< for messages
  std::string target; ///< what is replaced
  std::string staged; ///< empty: written straight to the target, or done
  std::unique_ptr<llvm::raw_fd_ostream> os;
};

/// Writes one file.
llvm::Error writeFile(llvm::StringRef path, llvm::StringRef contents, llvm::StringRef flag = "");

struct FileContents {
  llvm::StringRef path, contents;
};

/// Writes all, and puts them into place when none of them can fail for want of space or of
/// permission any more.
llvm::Error writeFiles(llvm::ArrayRef<FileContents> files);

/// Whether of two files that are written one would be left: the same plain file, however
/// it is spelt.
bool areSameOutput(llvm::StringRef a, llvm::StringRef b);

} // namespace girih

#endif // GIRIH_SUPPORT_OUTPUTFILE_H
