//===- OutputFileTest.cpp - What writing replaces, and what it must not ---===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Proves that a file appears as a whole or not at all, that links are followed, that what is
// no plain file stays what it is.
//
//===----------------------------------------------------------------------===//

#include "SupportTesting.h"

#include "girih/Support/OutputFile.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Signals.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <gtest/gtest.h>
#include <thread>

using namespace girih;

static mode_t modeOf(const std::string &path) { return statusOf(path).st_mode; }

TEST(OutputFile, is_there_as_a_whole_after_commit) {
  Folder folder;
  std::string path = folder.file("o%d%%.txt"); // % means nothing
  store(path, "old");
  auto file = OutputFile::create(path);
  ASSERT_TRUE(bool(file)) << message(file.takeError());
  file->stream() << "new";
  ASSERT_EQ(message(file->flush()), "");
  EXPECT_EQ(bytesOf(path), "old");
  ASSERT_EQ(message(file->commit()), "");
  EXPECT_EQ(bytesOf(path), "new");
  EXPECT_EQ(folder.entries(), 1);
}

TEST(OutputFile, without_commit_nothing_happens) {
  Folder folder;
  store(folder.file("a"), "old");
  {
    auto file = OutputFile::create(folder.file("a"));
    ASSERT_TRUE(bool(file));
    OutputFile moved = std::move(*file);
    moved.stream() << "new";
    EXPECT_EQ(folder.entries(), 2);
  }
  EXPECT_EQ(bytesOf(folder.file("a")), "old");
  EXPECT_EQ(folder.entries(), 1);
}

TEST(OutputFile, signals_leave_nothing_behind) {
  Folder folder;
  auto stageAndRaise = [&](int signal, sighandler_t disposition) {
    llvm::sys::unregisterHandlers(); // of the tests before
    std::signal(signal, disposition);
    auto file = OutputFile::create(folder.file("a"));
    if (file && folder.entries() == 1)
      raise(signal);
    llvm::consumeError(file ? file->commit() : file.takeError());
    exit(0);
  };
  for (int signal : {SIGPIPE, SIGTERM})
    EXPECT_EXIT(stageAndRaise(signal, SIG_DFL), testing::KilledBySignal(signal), "");
  EXPECT_EQ(folder.entries(), 0);
  // What is to be ignored, as under nohup, still is.
  for (int signal : {SIGPIPE, SIGHUP, SIGXFSZ}) {
    EXPECT_EXIT(stageAndRaise(signal, SIG_IGN), testing::ExitedWithCode(0), "");
    EXPECT_FALSE(llvm::sys::fs::remove(folder.file("a"), /*IgnoreNonExisting=*/false));
  }
}

TEST(OutputFile, keeps_permissions) {
  Folder folder;
  store(folder.file("a"), "old");
  ASSERT_EQ(chmod(folder.file("a").c_str(), 0640), 0);
  ASSERT_EQ(message(writeFile(folder.file("a"), "new")), "");
  EXPECT_EQ(modeOf(folder.file("a")) & 0777, 0640u);
}

TEST(OutputFile, follows_links) {
  Folder folder;
  store(folder.file("target"), "old");
  ASSERT_EQ(symlink("target", folder.file("relative").c_str()), 0);
  ASSERT_EQ(symlink(folder.file("relative").c_str(), folder.file("chain").c_str()), 0);
  ASSERT_EQ(message(writeFile(folder.file("chain"), "new")), "");
  EXPECT_EQ(bytesOf(folder.file("target")), "new");
  EXPECT_TRUE(S_ISLNK(modeOf(folder.file("relative"))));
  EXPECT_TRUE(S_ISLNK(modeOf(folder.file("chain"))));

  // To a file that is not there yet.
  ASSERT_EQ(symlink("later", folder.file("dangling").c_str()), 0);
  ASSERT_EQ(message(writeFile(folder.file("dangling"), "new")), "");
  EXPECT_EQ(bytesOf(folder.file("later")), "new");
  EXPECT_TRUE(S_ISLNK(modeOf(folder.file("dangling"))));

  ASSERT_EQ(symlink("round", folder.file("round").c_str()), 0);
  EXPECT_EQ(message(writeFile(folder.file("round"), "new")),
            folder.file("round") + ": cannot be written: Too many levels of symbolic links");
}

TEST(OutputFile, writes_into_pipes) {
  Folder folder;
  std::string pipe = folder.file("pipe");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  std::string got;
  std::thread reader([&] { got = bytesOf(pipe); });
  EXPECT_EQ(message(writeFile(pipe, "through")), "");
  reader.join();
  EXPECT_EQ(got, "through");
  EXPECT_TRUE(S_ISFIFO(modeOf(pipe)));
  EXPECT_EQ(folder.entries(), 1);
}

TEST(OutputFile, other_names_keep_the_old_file) {
  Folder folder;
  store(folder.file("a"), "old");
  ASSERT_EQ(link(folder.file("a").c_str(), folder.file("b").c_str()), 0);
  EXPECT_EQ(message(writeFile(folder.file("a"), "new")), "");
  EXPECT_EQ(bytesOf(folder.file("a")), "new");
  EXPECT_EQ(bytesOf(folder.file("b")), "old");
}

TEST(OutputFile, refuses_folders_and_names_the_flag) {
  Folder folder;
  ASSERT_FALSE(llvm::sys::fs::create_directory(folder.file("taken")));
  EXPECT_EQ(message(writeFile(folder.file("taken"), "", "--svg")),
            "--svg: " + folder.file("taken") + ": cannot be written: it is a folder");
  EXPECT_EQ(message(writeFile(folder.file("none/a"), "")),
            folder.file("none/a") + ": cannot be written: No such file or directory");
}

TEST(OutputFile, several_files_or_none) {
  Folder folder;
  store(folder.file("a"), "old");
  std::string a = folder.file("a"), b = folder.file("none/b"), c = folder.file("c");
  EXPECT_NE(message(writeFiles({{a, "1"}, {b, "2"}})), "");
  EXPECT_EQ(bytesOf(a), "old");
  EXPECT_EQ(message(writeFiles({{a, "1"}, {c, "2"}})), "");
  EXPECT_EQ(bytesOf(a), "1");
  EXPECT_EQ(bytesOf(c), "2");
  EXPECT_EQ(folder.entries(), 2);
}

TEST(OutputFile, knows_one_file_by_all_its_names) {
  Folder folder;
  ASSERT_FALSE(llvm::sys::fs::create_directory(folder.file("in")));
  std::string a = folder.file("a"), around = folder.file("in/../a"), link = folder.file("link");
  ASSERT_EQ(symlink("a", link.c_str()), 0);
  for (bool exists : {false, true}) {
    if (exists)
      store(a, "");
    EXPECT_TRUE(areSameOutput(a, a));
    EXPECT_TRUE(areSameOutput(a, around));
    EXPECT_TRUE(areSameOutput(link, around));
    EXPECT_FALSE(areSameOutput(a, folder.file("b")));
    EXPECT_FALSE(areSameOutput(a, folder.file("in/a")));
  }
  // Who reads a pipe gets both.
  ASSERT_EQ(mkfifo(folder.file("pipe").c_str(), 0600), 0);
  EXPECT_FALSE(areSameOutput(folder.file("pipe"), folder.file("pipe")));

  // Nor is the second thing lost that goes to a descriptor, unless the first takes its name away.
  int file = open(a.c_str(), O_RDWR);
  ASSERT_NE(file, -1);
  std::string name = "/dev/fd/" + std::to_string(file);
  EXPECT_FALSE(areSameOutput(name, name));
  EXPECT_FALSE(areSameOutput(name, folder.file("b")));
  EXPECT_TRUE(areSameOutput(name, a));
  EXPECT_TRUE(areSameOutput(a, name));
  close(file);
}
