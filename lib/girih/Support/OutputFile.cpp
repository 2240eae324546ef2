//===- OutputFile.cpp - Files that appear as a whole ----------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Support/OutputFile.h"

#include "girih/Support/Error.h"
#include "girih/Support/OutputPath.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/BinaryFormat/Magic.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"
#include "llvm/Support/Signals.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <optional>
#include <vector>

using namespace girih;
namespace fs = llvm::sys::fs;
namespace path = llvm::sys::path;
using llvm::StringRef;

static std::error_code lastError() { return {errno, std::generic_category()}; }

/// Removes `staged` where a signal ends the program, also the one of a pipe whose reader is gone.
/// What the program was told to ignore, as by nohup, stays ignored, which LLVM would undo.
static void removeWhenKilled(StringRef staged) {
  struct sigaction before[32] = {}; // those that are not of real time
  for (int signal = 1; signal < 32; ++signal)
    ::sigaction(signal, nullptr, &before[signal]);
  llvm::sys::SetOneShotPipeSignalFunction([] { (void)::raise(SIGPIPE); });
  llvm::sys::RemoveFileOnSignal(staged);
  for (int signal = 1; signal < 32; ++signal)
    if (before[signal].sa_handler == SIG_IGN)
      ::sigaction(signal, &before[signal], nullptr);
}

/// Opens a new file in `folder`; its name is left in `staged`.
static std::error_code openStaged(StringRef folder, unsigned mode, int &descriptor,
                                  std::string &staged) {
  std::error_code failure;
  for (int attempt = 0; attempt < 16; ++attempt) {
    uint64_t random = uint64_t{llvm::sys::Process::GetRandomNumber()} << 32 ^
                      llvm::sys::Process::GetRandomNumber();
    llvm::SmallString<256> file(folder);
    path::append(file, "girih-" + llvm::utohexstr(random, /*LowerCase=*/true) + ".tmp");
    failure = fs::openFileForReadWrite(file, descriptor, fs::CD_CreateNew, fs::OF_None, mode);
    if (!failure) {
      staged = std::string(file);
      removeWhenKilled(staged);
    }
    if (failure != std::errc::file_exists)
      break;
  }
  return failure;
}

/// Whether `target` is a name of the file `old` that a rename can give to another file.
static bool isReplaceable(const std::string &target, const fs::file_status &old) {
  fs::file_status named;
  if (fs::status(target, named, /*follow=*/false) || !fs::equivalent(named, old))
    return false; // a descriptor of another process, whose file has no name
  struct statx place{};
  return ::statx(AT_FDCWD, target.c_str(), AT_SYMLINK_NOFOLLOW, 0, &place) ||
         !(place.stx_attributes & STATX_ATTR_MOUNT_ROOT);
}

/// Whether `failure` is of the place or the caller, so that a file may be writable all the same.
static bool isRefusal(std::error_code failure) {
  constexpr std::errc refusals[] = {std::errc::permission_denied,
                                    std::errc::operation_not_permitted,
                                    std::errc::device_or_resource_busy,
                                    std::errc::read_only_file_system, std::errc::cross_device_link};
  return llvm::any_of(refusals, [&](std::errc refusal) { return failure == refusal; });
}

static bool isProgram(const std::string &file) {
  llvm::file_magic magic;
  return !llvm::identify_magic(file, magic) && (magic == llvm::file_magic::elf_shared_object ||
                                                magic == llvm::file_magic::elf_executable);
}

/// Gives the file `descriptor` the size `bytes`, and all of the space for it.
static std::error_code reserve(int descriptor, uint64_t bytes) {
  auto size = static_cast<off_t>(bytes);
  int failure = size > 0 ? ::posix_fallocate(descriptor, 0, size) : 0;
  if (failure && failure != EOPNOTSUPP && failure != EINVAL) // what file systems without it say
    return {failure, std::generic_category()};
  return ::ftruncate(descriptor, size) ? lastError() : std::error_code();
}

/// Copies the file `staged` over `target`, which is left as it was if there is no space.
static std::error_code overwrite(const std::string &target, const std::string &staged) {
  uint64_t size;
  if (std::error_code failure = fs::file_size(staged, size))
    return failure;
  int descriptor;
  if (std::error_code failure = fs::openFileForWrite(target, descriptor, fs::CD_OpenExisting))
    return failure;
  fs::file_status old;
  std::error_code failure = fs::status(descriptor, old);
  if (!failure && (failure = reserve(descriptor, size)))
    (void)::ftruncate(descriptor, static_cast<off_t>(old.getSize()));
  if (!failure)
    failure = fs::copy_file(staged, descriptor);
  std::error_code closing = llvm::sys::Process::SafelyCloseFileDescriptor(descriptor);
  return failure ? failure : closing;
}

llvm::Error OutputFile::failed(const llvm::Twine &reason) const {
  return invalidError((name + ": cannot be written: " + reason).str());
}

/// Says whether the contents may be written in place, after `failure` to replace the target.
llvm::Error OutputFile::writeInPlaceAfter(std::error_code failure) {
  if (!isRefusal(failure))
    return failed(failure.message());
  if (isProgram(target))
    return failed(failure.message() + ", to replace it; and a program or library, which may be in "
                                      "use, is not written in place");
  inPlace = true;
  return llvm::Error::success();
}

/// Opens what takes the place of a plain file.
llvm::Expected<int> OutputFile::stageOver(const fs::file_status &old) {
  int descriptor = -1;
  std::error_code failure = std::make_error_code(std::errc::device_or_resource_busy);
  if (std::string place = behindLinks(target); isReplaceable(place, old)) {
    target = place;
    failure = openStaged(folderOf(target), fs::all_read | fs::all_write, descriptor, staged);
    if (!failure) {
      failure = fs::changeFileOwnership(descriptor, old.getUser(), old.getGroup());
      if (!failure)
        failure = fs::setPermissions(descriptor, old.permissions());
      if (!failure)
        return descriptor;
      ::close(descriptor);
      unstage();
    }
  }
  if (llvm::Error error = writeInPlaceAfter(failure))
    return std::move(error);
  llvm::SmallString<128> folder;
  path::system_temp_directory(/*ErasedOnReboot=*/true, folder);
  failure = openStaged(folder, fs::owner_read | fs::owner_write, descriptor, staged);
  if (failure)
    return failed(failure.message() + ", in " + folder);
  return descriptor;
}

/// Opens what the contents go to first.
llvm::Expected<int> OutputFile::open() {
  int descriptor = -1;
  fs::file_status old;
  std::error_code failure = fs::status(target, old);
  if (failure == std::errc::no_such_file_or_directory) {
    target = behindLinks(target);
    failure = openStaged(folderOf(target), fs::all_read | fs::all_write, descriptor, staged);
  } else if (failure) {
    return failed(failure.message());
  } else if (fs::is_directory(old)) {
    return failed("it is a folder");
  } else if (std::optional<int> own = descriptorOf(target, old)) {
    if (!isWritten(*own))
      return failed("it is not open for writing");
    descriptor = ::fcntl(*own, F_DUPFD_CLOEXEC, 0);
    if (descriptor < 0)
      failure = lastError();
  } else if (!fs::is_regular_file(old)) {
    failure = fs::openFileForWrite(target, descriptor, fs::CD_OpenExisting);
  } else if (::faccessat(AT_FDCWD, target.c_str(), W_OK, AT_EACCESS)) {
    failure = lastError();
  } else {
    return stageOver(old);
  }
  if (failure)
    return failed(failure.message());
  return descriptor;
}

llvm::Expected<OutputFile> OutputFile::create(StringRef file, StringRef flag) {
  OutputFile output(((flag.empty() ? "" : flag + ": ") + file).str(), file.str());
  llvm::Expected<int> descriptor = output.open();
  if (!descriptor)
    return descriptor.takeError();
  output.os = std::make_unique<llvm::raw_fd_ostream>(*descriptor, /*shouldClose=*/true);
  return output;
}

/// Removes what was staged.
void OutputFile::unstage() {
  if (staged.empty())
    return;
  fs::remove(staged);
  llvm::sys::DontRemoveFileOnSignal(staged);
  staged.clear();
}

OutputFile::~OutputFile() {
  if (os) {
    os->close();
    os->clear_error(); // a stream with an error ends the program
  }
  unstage();
}

llvm::Error OutputFile::flush() {
  os->flush();
  std::error_code failure = os->error();
  os->clear_error();
  if (failure) // with the place, if it is none that the caller chose
    return failed(failure.message() + (inPlace ? ", in " + folderOf(staged) : ""));
  return llvm::Error::success();
}

llvm::Error OutputFile::commit() {
  os->close();
  if (llvm::Error error = flush())
    return error;
  os.reset();
  if (staged.empty())
    return llvm::Error::success();
  if (!inPlace) {
    std::error_code failure = fs::rename(staged, target);
    if (!failure) {
      llvm::sys::DontRemoveFileOnSignal(staged);
      staged.clear();
      return llvm::Error::success();
    }
    if (llvm::Error error = writeInPlaceAfter(failure))
      return error;
  }
  if (std::error_code failure = overwrite(target, staged))
    return failed(failure.message());
  unstage();
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
