//===- OutputPath.cpp - Where the path of an output leads -----------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Support/OutputPath.h"

#include "girih/Support/OutputFile.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/Path.h"

#include <fcntl.h>
#include <unistd.h>

#include <vector>

using namespace girih;
namespace fs = llvm::sys::fs;
namespace path = llvm::sys::path;
using llvm::StringRef;

std::string girih::folderOf(StringRef file) {
  StringRef folder = path::parent_path(file);
  return folder.empty() ? "." : folder.str();
}

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

/// `file`, what it points to if it is a link, and so on.
static std::vector<std::string> namesAlong(StringRef file) {
  constexpr int mostLinks = 40; // as Linux has it
  std::vector<std::string> names;
  std::string next = file.str();
  for (int links = 0; links <= mostLinks && !next.empty(); ++links) {
    names.push_back(next);
    next = linkTarget(next);
  }
  return names;
}

std::string girih::behindLinks(StringRef file) {
  llvm::SmallString<256> real;
  return fs::real_path(file, real) ? namesAlong(file).back() : std::string(real);
}

bool girih::isWritten(int descriptor) {
  int flags = ::fcntl(descriptor, F_GETFL);
  return flags != -1 && (flags & O_ACCMODE) != O_RDONLY;
}

/// The descriptor of this process that `file` names on the way along its links.
static std::optional<int> namedDescriptor(StringRef file) {
  llvm::SmallString<64> self;
  if (fs::real_path("/proc/self", self))
    return std::nullopt;
  for (const std::string &name : namesAlong(file)) {
    int number;
    llvm::SmallString<256> folder;
    // /proc/PID/fd, or that of a thread.
    if (!path::filename(name).getAsInteger(10, number) && !fs::real_path(folderOf(name), folder) &&
        folder.starts_with((self + "/").str()) && path::filename(folder) == "fd")
      return number;
  }
  return std::nullopt;
}

std::optional<int> girih::descriptorOf(StringRef file, const fs::file_status &status) {
  if (std::optional<int> named = namedDescriptor(file))
    return named;
  // A renamed file would not get what is printed later; and one opened again, over this.
  for (int printed : {STDOUT_FILENO, STDERR_FILENO})
    if (fs::file_status output;
        isWritten(printed) && !fs::status(printed, output) && fs::equivalent(status, output))
      return printed;
  return std::nullopt;
}

bool girih::areSameOutput(StringRef a, StringRef b) {
  fs::file_status ofA, ofB;
  std::optional<int> toA, toB;
  if (!fs::status(a, ofA))
    toA = descriptorOf(a, ofA);
  if (!fs::status(b, ofB))
    toB = descriptorOf(b, ofB);
  if (toA || toB) // Two go there one after the other; one is lost if its name is given away.
    return bool(toA) != bool(toB) && fs::is_regular_file(ofA) && fs::equivalent(ofA, ofB);
  if (fs::exists(ofA) && !fs::is_regular_file(ofA))
    return false; // both get what is written
  auto place = [](StringRef file) {
    std::string target = behindLinks(file);
    llvm::SmallString<256> folder;
    if (fs::real_path(folderOf(target), folder))
      return target;
    path::append(folder, path::filename(target));
    return std::string(folder);
  };
  return place(a) == place(b);
}
