//===- RunProgram.cpp - Other programs, run to their end ------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Support/RunProgram.h"

#include "llvm/Support/Errno.h"
#include "llvm/Support/Program.h"

#include <algorithm>
#include <thread>

#include <cerrno>
#include <csignal>
#include <sys/wait.h>

using namespace girih;
using Clock = std::chrono::steady_clock;

/// Of what waitpid returned.
static int exitStatus(pid_t ended, int status, std::string &message) {
  if (ended < 0 && errno == ECHILD) {
    message = "SIGCHLD is ignored here, so nobody knows how it ended";
    return 0;
  }
  if (ended < 0)
    message = "it cannot be waited for: " + llvm::errnoAsErrorCode().message();
  else if (WIFEXITED(status))
    return WEXITSTATUS(status);
  else
    message = "killed by signal " + std::to_string(WTERMSIG(status));
  return -1;
}

int girih::runProgram(llvm::ArrayRef<llvm::StringRef> arguments, llvm::StringRef log,
                      std::chrono::milliseconds limit, std::string &message) {
  const std::optional<llvm::StringRef> redirects[] = {llvm::StringRef(), log, log};
  bool failed = false;
  llvm::sys::ProcessInfo child =
      llvm::sys::ExecuteNoWait(arguments.front(), arguments, /*Env=*/std::nullopt, redirects,
                               /*MemoryLimit=*/0, &message, &failed);
  if (failed)
    return cannotRun;
  // LLVM's own wait with a limit is made of SIGALRM, of which a process has one.
  auto deadline = Clock::now() + limit;
  std::chrono::milliseconds pause(1);
  while (Clock::now() < deadline) {
    int status = 0;
    pid_t ended = llvm::sys::RetryAfterSignal(-1, ::waitpid, child.Pid, &status, WNOHANG);
    if (ended != 0)
      return exitStatus(ended, status, message);
    std::this_thread::sleep_for(pause);
    pause = std::min(2 * pause, std::chrono::milliseconds(20));
  }
  ::kill(child.Pid, SIGKILL);
  llvm::sys::RetryAfterSignal(-1, ::waitpid, child.Pid, nullptr, 0);
  message = "it took longer than " +
            std::to_string(std::chrono::duration_cast<std::chrono::seconds>(limit).count()) +
            " seconds";
  return -1;
}
