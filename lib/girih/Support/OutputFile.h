//===- OutputFile.h - Files that appear as a whole --------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// How the tools write every file that they are asked for. A plain file is staged beside
// its place and renamed, so that no reader finds half of it and a failure leaves what was
// there. What a rename would destroy (devices, pipes, open descriptors, links) is written
// to or followed.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_SUPPORT_OUTPUTFILE_H
#define GIRIH_SUPPORT_OUTPUTFILE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/raw_ostream.h"

#include <memory>
#include <string>
#include <utility>

namespace girih {

/// A file that is being written, in one of three ways:
///
/// - Staged, which is what happens to most: contents go to a new file beside its place, with the
///   owner and the permissions of the old file, and `commit` renames it. Who has the old file open
///   or mapped keeps it, and so do its other names (hard links): they are not written through.
/// - In place, where there is a writable file that can't be replaced so: its folder is not
///   writable, its owner can't be kept, it is a mount point, it has no name. Contents wait in the
///   temporary folder, and `commit` copies them over the old ones once it has got the space.
///   Meanwhile readers find part of them, and so they do after an error of the disk. Programs
///   and shared libraries are refused instead, as processes that map them would crash.
/// - Straight, for pipes, devices and the open descriptors of this process.
///
/// Without `commit` nothing happens to what a plain file held.
class OutputFile {
public:
  /// Opens `path` for writing. Links are followed, to a target that need not exist. Folders are
  /// refused, and so are files that the caller must not write. A path that leads to a descriptor
  /// of this process (/dev/stdout, /dev/fd/N), or to the file that standard output or standard
  /// error goes to, is that descriptor: it is written from where it stands. Opening a pipe waits
  /// until there is a reader. Errors are GIRIH_INVALID and start with `flag`, unless it is
  /// empty, and the path.
  static llvm::Expected<OutputFile> create(llvm::StringRef path, llvm::StringRef flag = "");

  OutputFile(OutputFile &&other)
      : name(other.name), target(other.target), staged(std::exchange(other.staged, "")),
        inPlace(other.inPlace), os(std::move(other.os)) {}
  /// Removes what was staged.
  ~OutputFile();

  llvm::raw_ostream &stream() { return *os; }
  /// Writes out what the stream holds; fails if it could not be written.
  llvm::Error flush();
  /// Flushes, closes and puts the file into place.
  llvm::Error commit();

private:
  OutputFile(std::string name, std::string target) : name(name), target(target) {}
  llvm::Error failed(const llvm::Twine &reason) const;
  llvm::Expected<int> open();
  llvm::Expected<int> stageOver(const llvm::sys::fs::file_status &old);
  llvm::Error writeInPlaceAfter(std::error_code failure);
  void unstage();

  std::string name;     ///< for messages
  std::string target;   ///< what is replaced
  std::string staged;   ///< empty: written straight to the target, or done
  bool inPlace = false; ///< `staged` is copied into the target, not renamed
  std::unique_ptr<llvm::raw_fd_ostream> os;
};

/// Writes one file.
llvm::Error writeFile(llvm::StringRef path, llvm::StringRef contents, llvm::StringRef flag = "");

struct FileContents {
  llvm::StringRef path, contents;
};

/// Writes all, and puts them into place, in their order, when none of those that are staged can
/// fail for want of space or of permission any more. One that is written in place can still find
/// a full disk; then those before it are new, it and those after it are as they were.
llvm::Error writeFiles(llvm::ArrayRef<FileContents> files);

/// Whether of two files that are written one would be left: the same plain file, however
/// it is spelt.
bool areSameOutput(llvm::StringRef a, llvm::StringRef b);

} // namespace girih

#endif // GIRIH_SUPPORT_OUTPUTFILE_H
