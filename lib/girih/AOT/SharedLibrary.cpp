//===- SharedLibrary.cpp - From an object to a shared library -------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/AOT/ArtifactParts.h"
#include "girih/Support/Error.h"
#include "girih/Support/OutputFile.h"
#include "girih/Support/RunProgram.h"

#include "llvm/ADT/ScopeExit.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"

using namespace girih;
namespace fs = llvm::sys::fs;

static llvm::Expected<std::string> findCompiler() {
  for (const char *name : {"cc", "gcc", "clang", "clang-22"})
    if (auto path = llvm::sys::findProgramByName(name))
      return *path;
  return unsupportedError("a shared library is not supported without a C compiler, which links it, "
                          "and cc, gcc, clang and clang-22 are not on PATH; supported without one: "
                          "an object");
}

static std::string readFile(llvm::StringRef path) {
  auto file = llvm::MemoryBuffer::getFile(path);
  return file ? (*file)->getBuffer().str() : "";
}

llvm::Expected<std::string> girih::linkSharedLibrary(llvm::ArrayRef<char> object,
                                                     llvm::StringRef name) {
  auto compiler = findCompiler();
  if (!compiler)
    return compiler.takeError();
  llvm::SmallString<128> folder;
  if (std::error_code failure = fs::createUniqueDirectory("girih-link", folder))
    return internalError("a temporary folder cannot be made: " + failure.message());
  auto removeFolder = llvm::scope_exit([&] { fs::remove_directories(folder); });
  auto in = [&](llvm::StringRef file) { return (folder + "/" + file).str(); };
  std::string input = in("kernel.o"), output = in("library.so"), log = in("log");
  if (llvm::Error error = writeFile(input, llvm::StringRef(object.data(), object.size())))
    return internalError(takeStatus(std::move(error)).message); // no file of the caller's

  // Symbols of the runtime and of libm are bound when the library is loaded, so a
  // missing one is an error then and not in the middle of a launch.
  std::string soname = ("-soname=" + name).str();
  llvm::StringRef arguments[] = {*compiler, "-shared", "-nostartfiles", "-Wl,-z,now", "-Xlinker",
                                 soname,    "-o",      output,          input,        "-lm"};
  std::string failure;
  int code = runProgram(arguments, log, std::chrono::minutes(1), failure);
  std::string library = readFile(output);
  if (code != 0 || library.empty())
    return internalError(*compiler + " could not link the shared library (exit code " +
                         std::to_string(code) + "): " + failure +
                         llvm::StringRef(readFile(log)).trim().str());
  return library;
}
