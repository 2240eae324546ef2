//===- RunProgram.h - Other programs, run to their end ----------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_SUPPORT_RUNPROGRAM_H
#define GIRIH_SUPPORT_RUNPROGRAM_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"

#include <chrono>
#include <string>

namespace girih {

/// The exit statuses of programs that are there and do not run, or are not there.
constexpr int cannotRun = 126, notThere = 127;

/// Runs arguments[0], a path, with `arguments`; it reads nothing, and what it writes goes
/// to the file `log`. Kills it after `limit`. Returns its exit status; `cannotRun`, like a
/// shell, or a negative number, and the reason in `message`, when it did not start, or was
/// killed or took too long. Touches no signal, alarm or handler of this process: it may be a
/// library in another's. If that one ignores SIGCHLD, nobody gets to know the exit status:
/// 0, with a message, means then that it has ended, and only what it made says how.
int runProgram(llvm::ArrayRef<llvm::StringRef> arguments, llvm::StringRef log,
               std::chrono::milliseconds limit, std::string &message);

} // namespace girih

#endif // GIRIH_SUPPORT_RUNPROGRAM_H
