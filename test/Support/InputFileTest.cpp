//===- InputFileTest.cpp - Files that are too long, or have no end --------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Proves that no more is read than may be, from files and from pipes.
//
//===----------------------------------------------------------------------===//

#include "SupportTesting.h"

#include "girih/Support/Error.h"
#include "girih/Support/InputFile.h"
#include "girih/Support/Npy.h"

#include "llvm/Support/FileSystem.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <gtest/gtest.h>
#include <thread>

using namespace girih;

static std::string outcome(llvm::Expected<std::string> bytes) {
  return bytes ? *bytes : takeStatus(bytes.takeError()).message;
}

/// Writes `begin` and then zeros into a pipe until its reader goes.
static void writeForever(const std::string &pipe, const std::string &begin) {
  ::signal(SIGPIPE, SIG_IGN);
  int descriptor = ::open(pipe.c_str(), O_WRONLY);
  std::string bytes = begin + std::string(1 << 16, '\0');
  while (::write(descriptor, bytes.data(), bytes.size()) > 0)
    bytes.assign(1 << 16, '\0');
  ::close(descriptor);
}

TEST(InputFile, reads_all_of_a_file_up_to_its_limit) {
  Folder folder;
  std::string path = folder.file("a");
  for (size_t size :
       {size_t{0}, size_t{1000}, sizeGuessBytes, sizeGuessBytes + 1, 5 * sizeGuessBytes}) {
    std::string bytes(size, 'x');
    store(path, bytes);
    EXPECT_TRUE(outcome(readFile(path, size)) == bytes) << size;
    if (size > 0)
      EXPECT_EQ(outcome(readFile(path, size - 1)).substr(0, 10), "expected '") << size;
  }
  // A large one is not read at all.
  ASSERT_EQ(::truncate(path.c_str(), int64_t{3} << 30), 0);
  EXPECT_EQ(outcome(readFile(path, 1 << 30)),
            "expected '" + path + "' to hold at most 1 GiB, but got more");
  store(path, std::string(2049, 'x'));
  EXPECT_EQ(outcome(readFile(path, 2048)),
            "expected '" + path + "' to hold at most 2 KiB, but got more");
}

TEST(InputFile, refuses_what_is_no_file) {
  Folder folder;
  EXPECT_EQ(outcome(readFile(folder.file(""), 1)),
            "expected a file, but '" + folder.file("") + "' is a directory");
  EXPECT_EQ(outcome(readFile(folder.file("none"), 1)),
            "cannot open '" + folder.file("none") + "': No such file or directory");
  EXPECT_EQ(outcome(readFile("/dev/zero", uint64_t{1} << 40)),
            "expected a file or a pipe, but '/dev/zero' is a device");
}

TEST(InputFile, stops_reading_a_pipe_without_end) {
  Folder folder;
  std::string pipe = folder.file("pipe");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  std::thread writer([&] { writeForever(pipe, ""); });
  EXPECT_EQ(outcome(readFile(pipe, 1 << 20)),
            "expected '" + pipe + "' to hold at most 1 MiB, but got more");
  writer.join();
}

TEST(InputFile, arrays_come_through_pipes) {
  Folder folder;
  std::string path = folder.file("a.npy"), pipe = folder.file("pipe");
  std::vector<float> data(1 << 16, 1.5F);
  ASSERT_FALSE(writeNpy(path, {1 << 16}, data));
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  std::thread writer([&] { store(pipe, bytesOf(path)); });
  auto array = readNpy(pipe, 1);
  writer.join();
  ASSERT_TRUE(bool(array)) << outcome(array.takeError());
  EXPECT_EQ(array->data, data);

  // The header says where it must end.
  std::thread endless([&] { writeForever(pipe, bytesOf(path)); });
  auto more = readNpy(pipe, 1);
  endless.join();
  EXPECT_EQ(outcome(more.takeError()),
            "expected '" + pipe + "' to hold at most 262272 bytes, but got more");
}

TEST(InputFile, an_array_beyond_memory_is_refused_before_it_is_read) {
  Folder folder;
  std::string path = folder.file("a.npy");
  std::string header =
      npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1099511627776,), }", "");
  store(path, header);
  // The file has a hole of that size.
  if (::truncate(path.c_str(), static_cast<off_t>(header.size()) + (int64_t{4} << 40)) != 0)
    GTEST_SKIP() << "the file system has no files of so many bytes";
  auto array = readNpy(path, 1);
  ASSERT_FALSE(bool(array));
  EXPECT_EQ(outcome(array.takeError()), path + ": expected an array that fits in this machine's "
                                               "memory, but got one of 4398046511104 bytes");
}
