//===- OutputFile.cpp - Files that appear as a whole ----------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Support/OutputFile.h"

#include "girih/Support/Error.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/Signals.h"

#include <unistd.h>

#include <vector>

using namespace girih;
namespace fs = llvm::sys::fs;
namespace path = llvm::sys::path;
using llvm::StringRef;

/// What `link` points to, or nothing if it is no symbolic link.
static std::string linkTarget(const std::string &link) {
  llvm::SmallString<256> text;
  text.resize_for_overwrite(4096);
  ssize_t size = ::readlink(link.c_str(), text.data(), text.size());
  if (size <= 0)
    return "";
  text.truncate(static_cast<size_t>(size));
  if (path::is_absolute(text))
    return std::string(text);
  llvm::SmallString<256> beside(path::parent_path(link));
  path::append(beside, text);
  return std::string(beside);
}

/// The file behind any links: what a rename may replace.
static std::string behindLinks(StringRef file) {
  llvm::SmallString<256> real;
  if (!fs::real_path(file, real))
    return std::string(real);
  // A link to what is not there yet.
  std::string at = file.str();
  constexpr int mostLinks = 40; // as Linux has it
  for (int links = 0; links < mostLinks; ++links) {
    std::string next = linkTarget(at);
    if (next.empty())
      break;
    at = next;
  }
  return at;
}

/// Opens a new file beside `target`; its name is left in `staged`.
static std::error_code openStaged(const std::string &target, int &descriptor, std::string &staged) {
  std::error_code failure;
  for (int attempt = 0; attempt < 16; ++attempt) {
    uint64_t random = uint64_t{llvm::sys::Process::GetRandomNumber()} << 32 ^
                      llvm::sys::Process::GetRandomNumber();
    staged = target + "." + llvm::utohexstr(random, /*LowerCase=*/true) + ".tmp";
    failure = fs::openFileForReadWrite(staged, descriptor, fs::CD_CreateNew, fs::OF_None);
    if (failure != std::errc::file_exists)
      break;
  }
  if (failure)
    staged.clear();
  return failure;
}

static bool isStandardOutput(const fs::file_status &status) {
  fs::file_status output;
  return !fs::status(STDOUT_FILENO, output) && fs::equivalent(status, output);
}

llvm::Error OutputFile::failed(std::error_code failure) const {
  return invalidError(name + ": cannot be written: " + failure.message());
}

llvm::Expected<OutputFile> OutputFile::create(StringRef file, StringRef flag) {
  OutputFile output(((flag.empty() ? "" : flag + ": ") + file).str(), file.str());
  fs::file_status status;
  std::error_code missing = fs::status(file, status);
  if (fs::is_directory(status))
    return invalidError(output.name + ": cannot be written: it is a folder");
  if (missing && missing != std::errc::no_such_file_or_directory)
    return output.failed(missing);
  int descriptor = -1;
  std::error_code failure;
  if (!missing && !fs::is_regular_file(status)) {
    failure = fs::openFileForWrite(file, descriptor, fs::CD_OpenExisting);
  } else if (!missing && isStandardOutput(status)) {
    // A renamed file would not get what is printed later; and one opened again, over this.
    descriptor = ::dup(STDOUT_FILENO);
    if (descriptor < 0)
      failure = std::error_code(errno, std::generic_category());
  } else {
    output.target = behindLinks(file);
    failure = openStaged(output.target, descriptor, output.staged);
    if (!failure && !missing)
      failure = fs::setPermissions(descriptor, status.permissions());
    if (!output.staged.empty())
      llvm::sys::RemoveFileOnSignal(output.staged);
  }
  if (descriptor >= 0)
    output.os = std::make_unique<llvm::raw_fd_ostream>(descriptor, /*shouldClose=*/true);
  if (failure)
    return output.failed(failure);
  return output;
}

OutputFile::~OutputFile() {
  if (os) {
    os->close();
    os->clear_error(); // a stream with an error ends the program
  }
  if (staged.empty())
    return;
  fs::remove(staged);
  llvm::sys::DontRemoveFileOnSignal(staged);
}

llvm::Error OutputFile::flush() {
  os->flush();
  std::error_code failure = os->error();
  os->clear_error();
  return failure ? failed(failure) : llvm::Error::success();
}

llvm::Error OutputFile::commit() {
  os->close();
  if (llvm::Error error = flush())
    return error;
  os.reset();
  if (staged.empty())
    return llvm::Error::success();
  if (std::error_code failure = fs::rename(staged, target))
    return failed(failure);
  llvm::sys::DontRemoveFileOnSignal(staged);
  staged.clear();
  return llvm::Error::success();
}

llvm::Error girih::writeFile(StringRef path, StringRef contents, StringRef flag) {
  llvm::Expected<OutputFile> file = OutputFile::create(path, flag);
  if (!file)
    return file.takeError();
  file->stream() << contents;
  return file->commit();
}

llvm::Error girih::writeFiles(llvm::ArrayRef<FileContents> files) {
  std::vector<OutputFile> outputs;
  for (const FileContents &file : files) {
    llvm::Expected<OutputFile> output = OutputFile::create(file.path);
    if (!output)
      return output.takeError();
    output->stream() << file.contents;
    if (llvm::Error error = output->flush())
      return error;
    outputs.push_back(std::move(*output));
  }
  for (OutputFile &output : outputs)
    if (llvm::Error error = output.commit())
      return error;
  return llvm::Error::success();
}

bool girih::areSameOutput(StringRef a, StringRef b) {
  auto place = [](StringRef file) {
    std::string target = behindLinks(file);
    llvm::SmallString<256> folder;
    StringRef parent = path::parent_path(target);
    if (fs::real_path(parent.empty() ? "." : parent, folder))
      return target;
    path::append(folder, path::filename(target));
    return std::string(folder);
  };
  bool isOther = fs::exists(a) && !fs::is_regular_file(a); // both get what is written
  return !isOther && place(a) == place(b);
}
