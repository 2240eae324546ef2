//===- RunProgramTest.cpp - Other programs, run to their end --------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Support/RunProgram.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FileUtilities.h"
#include "llvm/Support/MemoryBuffer.h"

#include <gtest/gtest.h>

using namespace girih;
using std::chrono::milliseconds;

namespace {

class RunProgram : public ::testing::Test {
protected:
  void SetUp() override {
    ASSERT_FALSE(llvm::sys::fs::createTemporaryFile("girih-run-program", "log", log));
  }
  void TearDown() override { llvm::sys::fs::remove(log); }

  int shell(llvm::StringRef command, milliseconds limit = std::chrono::minutes(1)) {
    message.clear();
    return runProgram({"/bin/sh", "-c", command}, log, limit, message);
  }
  std::string logged() const {
    auto buffer = llvm::MemoryBuffer::getFile(log);
    return buffer ? (*buffer)->getBuffer().str() : "";
  }

  llvm::SmallString<128> log;
  std::string message;
};

} // namespace

TEST_F(RunProgram, ReturnsExitStatusAndWhatItWrote) {
  EXPECT_EQ(shell("echo out; echo err >&2; cat; exit 7"), 7);
  EXPECT_EQ(logged(), "out\nerr\n");
  EXPECT_EQ(shell("exit 0"), 0);
  EXPECT_EQ(message, "");
}

TEST_F(RunProgram, SaysWhyThereIsNoExitStatus) {
  int status = runProgram({"/nonexistent/program"}, log, std::chrono::minutes(1), message);
  EXPECT_TRUE(status == cannotRun || status == notThere) << status;
  EXPECT_LT(shell("kill -9 $$"), 0);
  EXPECT_EQ(message, "killed by signal 9");
}

TEST_F(RunProgram, WaitsWhereChildrenAreForgotten) {
  auto before = ::signal(SIGCHLD, SIG_IGN);
  EXPECT_EQ(shell("sleep 0.1; echo done"), 0);
  EXPECT_EQ(logged(), "done\n");
  EXPECT_EQ(shell("echo tried; exit 3"), 0);
  EXPECT_EQ(logged(), "tried\n");
  ::signal(SIGCHLD, before);
  EXPECT_NE(message, "");
}

TEST_F(RunProgram, KillsWhatTakesTooLong) {
  auto start = std::chrono::steady_clock::now();
  EXPECT_LT(shell("exec sleep 600", std::chrono::seconds(1)), 0);
  EXPECT_EQ(message, "it took longer than 1 seconds");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(60));
}
