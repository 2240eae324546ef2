//===- ToolMain.cpp - How every tool starts and ends ----------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "common/ToolMain.h"

#include "girih/Support/Error.h"

#include "llvm/Support/raw_ostream.h"

#include <fcntl.h>
#include <unistd.h>

#include <new>

using namespace girih;

/// Gives a closed standard stream a descriptor on which reading and writing fail as they do on a
/// closed one. Otherwise the next file that is opened would be in its place.
static void reserveStandardStreams() {
  for (int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(stream, F_GETFD) == -1)
      // The lowest free descriptor is this one.
      (void)::open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY);
}

/// Prints `TOOL: error: MESSAGE` and returns the exit code of the error.
static int report(llvm::StringRef tool, llvm::Error error) {
  int code = GIRIH_INTERNAL;
  std::string message;
  llvm::handleAllErrors(
      std::move(error),
      [&](const CodedError &e) {
        code = e.getCode();
        message = e.getMessage();
      },
      [&](const llvm::ErrorInfoBase &e) { message = e.message(); });
  bool ends = llvm::StringRef(message).ends_with("\n");
  llvm::errs() << tool << ": error: " << message << (ends ? "" : "\n");
  return code;
}

static int run(llvm::StringRef tool, llvm::function_ref<llvm::Expected<int>()> body) {
  try {
    llvm::Expected<int> code = body();
    return code ? *code : report(tool, code.takeError());
  } catch (const std::bad_alloc &) {
    return report(tool, internalError("out of memory"));
  }
}

int girih::toolMain(llvm::StringRef tool, llvm::function_ref<llvm::Expected<int>()> body) {
  reserveStandardStreams();
  int code = run(tool, body);
  llvm::outs().flush();
  if (std::error_code failure = llvm::outs().error()) {
    llvm::outs().clear_error();
    int unwritten =
        report(tool, invalidError("standard output: cannot be written: " + failure.message()));
    code = code ? code : unwritten;
  }
  // A stream with an error would end the program with a code that means something else.
  llvm::errs().clear_error();
  return code;
}
