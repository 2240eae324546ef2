//===- OutputInPlaceTest.cpp - Writing what can't be replaced -------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Proves what happens to files of others, in folders that are closed, and at mount points:
// their owners stay, and what can be written but not replaced is written. What needs root, or
// the right to mount, is skipped without.
//
//===----------------------------------------------------------------------===//

#include "SupportTesting.h"

#include "girih/Support/OutputFile.h"

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/FileSystem.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <gtest/gtest.h>
#include <optional>
#include <thread>

using namespace girih;

static constexpr uid_t someone = 65534, someoneElse = 65533;

namespace {

/// Root becomes `someone` while it lives; anyone else stays who he is.
class AsUser {
public:
  AsUser() : isRoot(geteuid() == 0) {
    if (isRoot)
      done = setegid(someone) == 0 && seteuid(someone) == 0;
  }
  ~AsUser() {
    if (isRoot)
      EXPECT_TRUE(seteuid(0) == 0 && setegid(0) == 0);
  }
  bool done = true;

private:
  bool isRoot;
};

/// A folder that everyone may write to, and a temporary folder that nothing may be left in.
class OutputInPlace : public ::testing::Test {
protected:
  void SetUp() override {
    for (const Folder *opened : {&folder, &temporary})
      ASSERT_EQ(chmod(opened->file(".").c_str(), 0777), 0);
    if (const char *value = getenv("TMPDIR"))
      before = value;
    setenv("TMPDIR", temporary.file("").c_str(), 1);
  }
  void TearDown() override {
    before ? setenv("TMPDIR", before->c_str(), 1) : unsetenv("TMPDIR");
    EXPECT_EQ(temporary.entries(), 0);
  }

  Folder folder, temporary;

private:
  std::optional<std::string> before;
};

} // namespace

TEST_F(OutputInPlace, refuses_what_must_not_be_written) {
  AsUser user;
  if (!user.done)
    GTEST_SKIP() << "cannot become another user";
  std::string a = folder.file("a"), b = folder.file("b");
  store(b, "old");
  ASSERT_EQ(chmod(b.c_str(), 0444), 0);
  EXPECT_EQ(message(writeFile(b, "new")), b + ": cannot be written: Permission denied");
  EXPECT_EQ(message(writeFiles({{a, "new"}, {b, "new"}})),
            b + ": cannot be written: Permission denied");
  EXPECT_EQ(bytesOf(b), "old");
  EXPECT_EQ(folder.entries(), 1);
}

TEST_F(OutputInPlace, root_keeps_the_owner) {
  std::string path = folder.file("a");
  store(path, "old");
  if (chown(path.c_str(), someone, someoneElse) != 0)
    GTEST_SKIP() << "cannot give files away";
  ASSERT_EQ(chmod(path.c_str(), 0600), 0);
  ino_t before = statusOf(path).st_ino;
  EXPECT_EQ(message(writeFile(path, "new")), "");
  struct stat now = statusOf(path);
  EXPECT_EQ(bytesOf(path), "new");
  EXPECT_EQ(now.st_uid, someone);
  EXPECT_EQ(now.st_gid, someoneElse);
  EXPECT_EQ(now.st_mode & 0777, 0600u);
  EXPECT_NE(now.st_ino, before); // as a whole
}

TEST_F(OutputInPlace, where_the_owner_cannot_be_kept) {
  std::string path = folder.file("a"), library = folder.file("b.so");
  std::string elf("\x7f"
                  "ELF\2\1\1\0\0\0\0\0\0\0\0\0\3\0",
                  18); // a shared object
  store(path, "old and longer");
  store(library, elf);
  for (const std::string &file : {path, library}) {
    ASSERT_EQ(chmod(file.c_str(), 0666), 0);
    if (chown(file.c_str(), someoneElse, someoneElse) != 0)
      GTEST_SKIP() << "cannot give files away";
  }
  ino_t before = statusOf(path).st_ino;
  // In the sticky folder a rename fails, too.
  for (mode_t mode : {0777, 01777}) {
    ASSERT_EQ(chmod(folder.file(".").c_str(), mode), 0);
    AsUser user;
    if (!user.done)
      GTEST_SKIP() << "cannot become another user";
    std::string text = "new" + std::to_string(mode);
    EXPECT_EQ(message(writeFile(path, text)), "");
    EXPECT_EQ(bytesOf(path), text);
    EXPECT_EQ(statusOf(path).st_ino, before);
    EXPECT_EQ(statusOf(path).st_uid, someoneElse);

    std::string other = folder.file("c");
    EXPECT_EQ(message(writeFiles({{other, "new"}, {library, "new"}})),
              library +
                  ": cannot be written: Operation not permitted, to replace it; and a program "
                  "or library, which may be in use, is not written in place");
    EXPECT_EQ(bytesOf(library), elf);
    EXPECT_EQ(folder.entries(), 2);
  }
}

TEST_F(OutputInPlace, where_the_folder_is_closed) {
  AsUser user;
  if (!user.done)
    GTEST_SKIP() << "cannot become another user";
  std::string closed = folder.file("closed"), path = closed + "/a";
  ASSERT_FALSE(llvm::sys::fs::create_directory(closed));
  store(path, "old");
  ASSERT_EQ(chmod(closed.c_str(), 0555), 0);
  ino_t before = statusOf(path).st_ino;
  {
    auto file = OutputFile::create(path);
    ASSERT_TRUE(bool(file)) << message(file.takeError());
    file->stream() << "never";
    ASSERT_EQ(message(file->flush()), "");
  }
  EXPECT_EQ(bytesOf(path), "old");
  for (std::string text : {"longer than it was", "short"}) {
    EXPECT_EQ(message(writeFile(path, text)), "");
    EXPECT_EQ(bytesOf(path), text);
  }
  EXPECT_EQ(statusOf(path).st_ino, before);
  EXPECT_EQ(message(writeFile(closed + "/b", "")),
            closed + "/b: cannot be written: Permission denied");
  EXPECT_EQ(chmod(closed.c_str(), 0755), 0);
}

/// Runs `body` where mounts are seen by nobody else; false without the right to mount.
static bool withMounts(llvm::function_ref<void()> body) {
  bool ran = false;
  std::thread thread([&] {
    ran = unshare(CLONE_NEWNS) == 0 &&
          mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0;
    if (ran)
      body();
  });
  thread.join();
  return ran;
}

TEST_F(OutputInPlace, where_a_file_is_mounted) {
  std::string path = folder.file("a"), later = folder.file("later"), source = folder.file("source");
  bool ran = withMounts([&] {
    for (const std::string &file : {path, later, source})
      store(file, "old");
    ASSERT_EQ(mount(source.c_str(), path.c_str(), nullptr, MS_BIND, nullptr), 0);
    EXPECT_EQ(message(writeFile(path, "new")), "");
    EXPECT_EQ(bytesOf(source), "new");
    EXPECT_EQ(bytesOf(path), "new");

    // What could be replaced when it was opened.
    auto file = OutputFile::create(later);
    ASSERT_TRUE(bool(file)) << message(file.takeError());
    file->stream() << "newer";
    ASSERT_EQ(mount(source.c_str(), later.c_str(), nullptr, MS_BIND, nullptr), 0);
    EXPECT_EQ(message(file->commit()), "");
    EXPECT_EQ(bytesOf(source), "newer");
    EXPECT_EQ(folder.entries(), 3);
  });
  if (!ran)
    GTEST_SKIP() << "cannot mount";
}

TEST_F(OutputInPlace, a_full_disk_leaves_what_was_there) {
  bool ran = withMounts([&] {
    std::string disk = folder.file("disk"), path = disk + "/a";
    ASSERT_FALSE(llvm::sys::fs::create_directory(disk));
    ASSERT_EQ(mount("none", disk.c_str(), "tmpfs", 0, "size=64k"), 0);
    store(path, "old");
    ASSERT_EQ(mount(path.c_str(), path.c_str(), nullptr, MS_BIND, nullptr), 0);
    EXPECT_EQ(message(writeFile(path, std::string(1 << 20, 'x'))),
              path + ": cannot be written: No space left on device");
    EXPECT_TRUE(bytesOf(path) == "old");

    // Nor does one where the contents wait.
    setenv("TMPDIR", disk.c_str(), 1);
    std::string other = folder.file("a");
    store(other, "old");
    ASSERT_EQ(mount(other.c_str(), other.c_str(), nullptr, MS_BIND, nullptr), 0);
    EXPECT_EQ(message(writeFile(other, std::string(1 << 20, 'x'))),
              other + ": cannot be written: No space left on device, in " + disk);
    EXPECT_TRUE(bytesOf(other) == "old");
  });
  if (!ran)
    GTEST_SKIP() << "cannot mount";
}
