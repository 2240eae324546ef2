//===- OutputDescriptorsTest.cpp - Output to what is open -----------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Proves that a path that leads to an open file is that file, whether it has a name or not:
// nothing is put beside it, and what else is written there is kept.
//
//===----------------------------------------------------------------------===//

#include "SupportTesting.h"

#include "girih/Support/OutputFile.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <gtest/gtest.h>

using namespace girih;

/// An open file of each kind that has no name.
static std::vector<int> namelessFiles(const Folder &folder) {
  std::string gone = folder.file("gone");
  std::vector<int> files = {open(gone.c_str(), O_RDWR | O_CREAT, 0600), memfd_create("memory", 0)};
  EXPECT_EQ(unlink(gone.c_str()), 0);
  // Not every file system has files without a name.
  if (int file = open(folder.file(".").c_str(), O_RDWR | O_TMPFILE, 0600); file != -1)
    files.push_back(file);
  return files;
}

static std::string contents(int file) {
  std::string bytes(64, '\0');
  ssize_t size = pread(file, bytes.data(), bytes.size(), 0);
  EXPECT_GE(size, 0);
  bytes.resize(std::max<ssize_t>(size, 0));
  return bytes;
}

TEST(OutputDescriptors, of_this_process) {
  Folder folder;
  for (int file : namelessFiles(folder)) {
    std::string number = std::to_string(file), link = folder.file("link");
    ASSERT_EQ(write(file, "<", 1), 1);
    EXPECT_EQ(message(writeFile("/dev/fd/" + number, "a")), "");
    EXPECT_EQ(message(writeFile("/proc/self/fd/" + number, "b")), "");
    EXPECT_EQ(message(writeFile("/proc/thread-self/fd/" + number, "c")), "");
    ASSERT_EQ(symlink(("/dev/fd/" + number).c_str(), link.c_str()), 0);
    EXPECT_EQ(message(writeFile(link, "d")), "");
    ASSERT_EQ(unlink(link.c_str()), 0);
    EXPECT_EQ(contents(file), "<abcd");
    close(file);
    EXPECT_EQ(folder.entries(), 0);
  }
}

TEST(OutputDescriptors, of_files_that_have_names) {
  Folder folder;
  std::string path = folder.file("a");
  int file = open(path.c_str(), O_RDWR | O_CREAT | O_APPEND, 0600);
  ASSERT_NE(file, -1);
  ASSERT_EQ(write(file, "<", 1), 1);
  EXPECT_EQ(message(writeFile("/dev/fd/" + std::to_string(file), "a")), "");
  ASSERT_EQ(write(file, ">", 1), 1); // to the same file
  EXPECT_EQ(bytesOf(path), "<a>");
  close(file);

  // One that is open for reading.
  int input = open(path.c_str(), O_RDONLY);
  ASSERT_NE(input, -1);
  std::string name = "/dev/fd/" + std::to_string(input);
  EXPECT_EQ(message(writeFile(name, "b")),
            name + ": cannot be written: it is not open for writing");
  close(input);
  EXPECT_EQ(message(writeFile(name, "b")), name + ": cannot be written: No such file or directory");
  EXPECT_EQ(bytesOf(path), "<a>");
}

TEST(OutputDescriptors, of_what_is_printed_to) {
  Folder folder;
  for (int stream : {STDOUT_FILENO, STDERR_FILENO}) {
    std::string path = folder.file("printed" + std::to_string(stream));
    int file = open(path.c_str(), O_RDWR | O_CREAT, 0600), kept = dup(stream);
    ASSERT_TRUE(file != -1 && kept != -1);
    ASSERT_EQ(dup2(file, stream), stream);
    bool printed = write(stream, "<", 1) == 1;
    std::string failure = message(writeFile(path, "a"));
    printed &= write(stream, ">", 1) == 1;
    ASSERT_EQ(dup2(kept, stream), stream);
    close(kept);
    close(file);
    EXPECT_TRUE(printed);
    EXPECT_EQ(failure, "");
    EXPECT_EQ(bytesOf(path), "<a>");
  }
}

TEST(OutputDescriptors, of_another_process) {
  Folder folder;
  for (int file : namelessFiles(folder)) {
    ASSERT_EQ(write(file, "old and longer", 14), 14);
    pid_t other = fork();
    ASSERT_NE(other, -1);
    if (other == 0)
      for (;;)
        pause();
    std::string name = "/proc/" + std::to_string(other) + "/fd/" + std::to_string(file);
    EXPECT_EQ(message(writeFile(name, "new")), "");
    kill(other, SIGKILL);
    waitpid(other, nullptr, 0);
    EXPECT_EQ(contents(file), "new");
    close(file);
    EXPECT_EQ(folder.entries(), 0);
  }
}
