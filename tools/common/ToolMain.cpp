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

#include <cstdlib>
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

/// Writes out what was printed, when the program ends with `code`: by returning from `main`, or,
/// as LLVM's command line does after --help, by `exit`. `tool` is a C string.
static void finishPrinting(int code, void *tool) {
  llvm::outs().flush();
  std::error_code failure = llvm::outs().error();
  if (failure)
    report(static_cast<const char *>(tool),
           invalidError("standard output: cannot be written: " + failure.message()));
  // A stream with an error would end the program with a code that means something else.
  llvm::outs().clear_error();
  llvm::errs().clear_error();
  if (failure && code == 0)
    ::_exit(GIRIH_INVALID); // nothing else changes the code that `exit` was called with
}

int girih::toolMain(const char *tool, llvm::function_ref<llvm::Expected<int>()> body) {
  reserveStandardStreams();
  // What is made before is unmade after `finishPrinting`.
  llvm::outs();
  llvm::errs();
  if (::on_exit(finishPrinting, const_cast<char *>(tool)))
    return report(tool, internalError("out of memory"));
  return run(tool, body);
}
