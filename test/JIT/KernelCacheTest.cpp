//===- KernelCacheTest.cpp - Many processes, one cache --------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CacheTesting.h"

#include "girih/Support/Error.h"

#include "llvm/ADT/StringExtras.h"

#include <atomic>
#include <chrono>
#include <csignal>
#include <random>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

using namespace girih;
using namespace girih::testing;
using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

namespace {

constexpr size_t objectBytes = 3000;

class Cache : public CacheFolderTest {
protected:
  /// Asks for kernel `number`; making it takes a while and is counted in a file.
  /// 0: good, 1: wrong code, 2: an error.
  int request(KernelCache &cache, int number, milliseconds work = milliseconds(20)) const {
    bool hit = false;
    auto code = cache.getOrMake(
        keyOf(number),
        [&]() -> llvm::Expected<CachedCode> {
          int fd = ::open(counter(number).c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
          bool counted = ::write(fd, "x", 1) == 1;
          ::close(fd);
          if (!counted)
            return internalError("cannot count");
          std::this_thread::sleep_for(work);
          return codeOf(number, objectBytes);
        },
        hit);
    if (code)
      return isCodeOf(*code, number, objectBytes) ? 0 : 1;
    llvm::consumeError(code.takeError());
    return 2;
  }
  std::string counter(int number) const { return path("made-" + llvm::Twine(number)); }
  size_t timesMade(int number) const { return read(counter(number)).size(); }

  /// How many entries are there; each must be good.
  size_t checkEntries(int numbers, size_t bytes) const {
    size_t present = 0;
    for (int number = 0; number != numbers; ++number) {
      if (!exists(entry(number)))
        continue;
      auto code = decodeEntry(keyOf(number), read(entry(number)));
      EXPECT_TRUE(bool(code)) << llvm::toString(code.takeError());
      EXPECT_TRUE(code && isCodeOf(*code, number, bytes)) << number;
      ++present;
    }
    return present;
  }
};

} // namespace

TEST_F(Cache, SixteenProcessesMakeOneKernelOnce) {
  std::vector<pid_t> processes;
  for (int i = 0; i != 16; ++i)
    processes.push_back(startProcess([&] {
      KernelCache cache(folder);
      return request(cache, 1);
    }));
  for (pid_t process : processes)
    EXPECT_EQ(waitFor(process), 0);
  EXPECT_EQ(timesMade(1), 1u);
}

TEST_F(Cache, SixteenProcessesMakeEachOfSeveralKernelsOnce) {
  std::vector<pid_t> processes;
  for (int i = 0; i != 16; ++i)
    processes.push_back(startProcess([&, i] {
      KernelCache cache(folder);
      for (int k = 0; k != 5; ++k)
        if (int bad = request(cache, (i + k) % 5))
          return bad;
      return 0;
    }));
  for (pid_t process : processes)
    EXPECT_EQ(waitFor(process), 0);
  for (int number = 0; number != 5; ++number)
    EXPECT_EQ(timesMade(number), 1u) << number;
}

// Two sessions of one program share the folder too.
TEST_F(Cache, ThreadsMakeOneKernelOnce) {
  std::vector<std::thread> threads;
  std::atomic<int> bad{0};
  for (int i = 0; i != 8; ++i)
    threads.emplace_back([&] {
      KernelCache cache(folder);
      bad += request(cache, 1);
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(bad, 0);
  EXPECT_EQ(timesMade(1), 1u);
}

// One that failed leaves nothing behind, and the next one tries again.
TEST_F(Cache, FailuresAreNotKept) {
  KernelCache cache(folder);
  bool hit = true;
  auto code = cache.getOrMake(
      keyOf(1), [] { return llvm::Expected<CachedCode>(unsupportedError("no")); }, hit);
  ASSERT_FALSE(bool(code));
  EXPECT_EQ(llvm::toString(code.takeError()), "no");
  EXPECT_FALSE(hit);
  EXPECT_EQ(request(cache, 1), 0);
  EXPECT_EQ(timesMade(1), 1u);
}

TEST_F(Cache, WithoutObjectNothingIsStored) {
  KernelCache cache(folder);
  bool hit = true;
  auto code =
      cache.getOrMake(keyOf(1), [] { return llvm::Expected<CachedCode>(codeOf(1, 0)); }, hit);
  EXPECT_TRUE(bool(code)) << llvm::toString(code.takeError());
  EXPECT_FALSE(hit);
  EXPECT_FALSE(exists(entry(1)));
}

TEST_F(Cache, SwitchedOff) {
  KernelCache cache("");
  EXPECT_EQ(request(cache, 1), 0);
  EXPECT_EQ(request(cache, 1), 0);
  EXPECT_EQ(timesMade(1), 2u);
  EXPECT_EQ(cache.problem(), "");
}

//===----------------------------------------------------------------------===//
// Killed, stopped
//===----------------------------------------------------------------------===//

TEST_F(Cache, KilledAtAnyMoment) {
  constexpr int numKeys = 4;
  constexpr size_t bytes = 200000;
  std::mt19937 random(7); // the scheduler is the real dice
  for (int round = 0; round != 150; ++round) {
    pid_t process = startProcess([&] {
      for (int i = 0;; ++i) {
        // Made, published, found, removed, over and over.
        KernelCache cache(folder);
        int number = i % numKeys;
        bool hit = false;
        auto code = cache.getOrMake(
            keyOf(number), [&] { return llvm::Expected<CachedCode>(codeOf(number, bytes)); }, hit);
        if (!code || !isCodeOf(*code, number, bytes))
          return 1;
        if (hit)
          ::unlink(entry(number).c_str());
      }
    });
    std::this_thread::sleep_for(std::chrono::microseconds(random() % 6000));
    ::kill(process, SIGKILL);
    EXPECT_EQ(waitFor(process), 1000 + SIGKILL) << "round " << round;
    checkEntries(numKeys, bytes);
    // No lock and no half entry is in the way of the next one.
    KernelCache cache(folder);
    auto start = Clock::now();
    EXPECT_EQ(request(cache, 100 + round, milliseconds(0)), 0);
    EXPECT_LT(Clock::now() - start, std::chrono::seconds(5));
    EXPECT_TRUE(cache.lookup(keyOf(100 + round)));
    EXPECT_EQ(cache.problem(), "");
  }
}

TEST_F(Cache, LockOfAKilledProcessIsFree) {
  pid_t process = startProcess([&] {
    KernelCache cache(folder);
    return request(cache, 1, std::chrono::hours(1));
  });
  while (timesMade(1) == 0)
    std::this_thread::sleep_for(milliseconds(1));
  // Waits for the lock while the other is killed.
  std::thread killer([&] {
    std::this_thread::sleep_for(milliseconds(50));
    ::kill(process, SIGKILL);
  });
  KernelCache cache(folder, defaultCacheBytes, std::chrono::hours(1));
  EXPECT_EQ(request(cache, 1), 0);
  killer.join();
  EXPECT_EQ(waitFor(process), 1000 + SIGKILL);
  EXPECT_EQ(timesMade(1), 2u);
  EXPECT_TRUE(cache.lookup(keyOf(1)));
}

TEST_F(Cache, OtherKernelsDoNotWait) {
  pid_t process = startProcess([&] {
    KernelCache cache(folder);
    return request(cache, 1, std::chrono::hours(1));
  });
  while (timesMade(1) == 0)
    std::this_thread::sleep_for(milliseconds(1));
  auto start = Clock::now();
  KernelCache cache(folder, defaultCacheBytes, std::chrono::seconds(5));
  for (int number = 2; number != 10; ++number)
    EXPECT_EQ(request(cache, number, milliseconds(0)), 0);
  EXPECT_LT(Clock::now() - start, std::chrono::seconds(5));
  ::kill(process, SIGKILL);
  waitFor(process);
}

TEST_F(Cache, StoppedProcessDoesNotStopOthers) {
  pid_t process = startProcess([&] {
    KernelCache cache(folder);
    return request(cache, 1, std::chrono::hours(1));
  });
  while (timesMade(1) == 0)
    std::this_thread::sleep_for(milliseconds(1));
  ::kill(process, SIGSTOP);
  auto start = Clock::now();
  KernelCache cache(folder, defaultCacheBytes, milliseconds(60));
  EXPECT_EQ(request(cache, 1), 0);
  EXPECT_GE(Clock::now() - start, milliseconds(60));
  EXPECT_EQ(timesMade(1), 2u);
  EXPECT_EQ(request(cache, 1), 0);
  EXPECT_EQ(timesMade(1), 2u);
  ::kill(process, SIGKILL);
  waitFor(process);
}

//===----------------------------------------------------------------------===//
// Size
//===----------------------------------------------------------------------===//

TEST_F(Cache, LeastRecentlyUsedGoFirst) {
  constexpr size_t bytes = 1000;
  uint64_t size = encodeEntry(keyOf(0), codeOf(0, bytes)).size();
  KernelCache unlimited(folder, 0);
  for (int number = 0; number != 5; ++number) {
    unlimited.store(keyOf(number), codeOf(number, bytes));
    age(entry(number), 100 - number);
  }
  // What is foreign neither counts nor goes, however old and large.
  const std::string foreign[] = {path("notes.txt"),
                                 path(std::string(64, 'a') + ".o"),
                                 path(std::string(64, 'A') + ".kernel"),
                                 path("short.kernel"),
                                 path("girih-xyz.staging"),
                                 path("girih-0123.staging"),
                                 path("staging-0123456789ab")};
  for (const std::string &file : foreign) {
    write(file, std::string(10000, 'f'));
    age(file, 1000000);
  }
  ASSERT_EQ(::mkdir(path(std::string(64, 'b') + ".kernel").c_str(), 0700), 0);
  // What a killed writer left goes; what may be being written stays.
  std::string left = path("girih-0123456789ab.staging"), young = path("girih-ba9876543210.staging");
  for (const std::string &file : {left, young})
    write(file, std::string(10000, 's'));
  age(left, 3600);

  KernelCache cache(folder, 4 * size + size / 2);
  EXPECT_TRUE(cache.lookup(keyOf(0))); // now the last used
  cache.store(keyOf(5), codeOf(5, bytes));
  EXPECT_TRUE(exists(entry(0)));
  EXPECT_FALSE(exists(entry(1)));
  EXPECT_FALSE(exists(entry(2)));
  for (int number : {3, 4, 5})
    EXPECT_TRUE(exists(entry(number))) << number;
  for (const std::string &file : foreign)
    EXPECT_EQ(read(file), std::string(10000, 'f')) << file;
  EXPECT_TRUE(exists(path(std::string(64, 'b') + ".kernel")));
  EXPECT_FALSE(exists(left));
  EXPECT_TRUE(exists(young));
  EXPECT_EQ(cache.problem(), "");
}

// Entries of a clock that was a day ahead do not stay for ever, in the place of every new
// one.
TEST_F(Cache, TimesInTheFutureAreTheOldest) {
  constexpr size_t bytes = 1000;
  constexpr int day = 86400;
  uint64_t size = encodeEntry(keyOf(0), codeOf(0, bytes)).size();
  KernelCache unlimited(folder, 0);
  for (int number : {0, 1, 2}) {
    unlimited.store(keyOf(number), codeOf(number, bytes));
    age(entry(number), number == 2 ? -20 : -day); // the third: another machine's clock
  }
  // What a machine writes whose clock is minutes ahead stays.
  std::string left = path("girih-0123456789ab.staging"), young = path("girih-ba9876543210.staging");
  for (const std::string &file : {left, young})
    write(file, "s");
  age(left, -day);
  age(young, -300);

  KernelCache cache(folder, 3 * size + size / 2);
  cache.store(keyOf(3), codeOf(3, bytes));
  EXPECT_NE(exists(entry(0)), exists(entry(1)));
  cache.store(keyOf(4), codeOf(4, bytes));
  for (int number : {0, 1})
    EXPECT_FALSE(exists(entry(number))) << number;
  for (int number : {2, 3, 4})
    EXPECT_TRUE(exists(entry(number))) << number;
  EXPECT_FALSE(exists(left));
  EXPECT_TRUE(exists(young));
  EXPECT_EQ(cache.problem(), "");
}

TEST_F(Cache, OneThatIsTooLargeDrivesOutNobody) {
  KernelCache cache(folder, 2000);
  cache.store(keyOf(1), codeOf(1, 1000));
  EXPECT_EQ(cache.problem(), "");
  cache.store(keyOf(2), codeOf(2, 2000));
  EXPECT_TRUE(cache.lookup(keyOf(1)));
  EXPECT_FALSE(cache.lookup(keyOf(2)));
  EXPECT_NE(cache.problem().find("expected a kernel of at most 2000 bytes, but got 2"),
            std::string::npos)
      << cache.problem();
}

// Readers and evicting writers at once: what is found is whole.
TEST_F(Cache, EvictionHurtsNoReader) {
  std::vector<pid_t> processes;
  for (int i = 0; i != 6; ++i)
    processes.push_back(startProcess([&, i] {
      std::mt19937 random(static_cast<unsigned>(i));
      KernelCache cache(folder, 4 * objectBytes);
      for (int round = 0; round != 150; ++round) {
        int number = static_cast<int>(random() % 12);
        if (std::optional<CachedCode> code = cache.lookup(keyOf(number))) {
          if (!isCodeOf(*code, number, objectBytes))
            return 1;
        } else {
          cache.store(keyOf(number), codeOf(number, objectBytes));
        }
      }
      return cache.problem().empty() ? 0 : 2;
    }));
  for (pid_t process : processes)
    EXPECT_EQ(waitFor(process), 0);
  // A writer that met another one evicting left that to the next: this one.
  KernelCache(folder, 4 * objectBytes).store(keyOf(0), codeOf(0, objectBytes));
  size_t present = checkEntries(12, objectBytes);
  EXPECT_GE(present, 1u);
  EXPECT_LE(present, 3u);
}

//===----------------------------------------------------------------------===//
// Folders that can't be written
//===----------------------------------------------------------------------===//

TEST_F(Cache, ReadOnlyFolder) {
  ASSERT_EQ(::chmod(folder.c_str(), 0777), 0);
  EXPECT_EQ(inProcess([&] {
              // Permissions mean nothing to root.
              if (::geteuid() == 0 && ::setuid(65534) != 0)
                return 10;
              std::string own = path("cache");
              KernelCache writer(own);
              writer.store(keyOf(1), codeOf(1, objectBytes));
              if (!writer.problem().empty() || ::chmod(own.c_str(), 0500) != 0)
                return 11;
              KernelCache cache(own);
              // What is there is used, and nothing is wrong with that.
              if (request(cache, 1) != 0 || timesMade(1) != 0 || !cache.problem().empty())
                return 12;
              if (request(cache, 2) != 0 || request(cache, 2) != 0 || timesMade(2) != 2)
                return 13;
              std::string problem = "kernels are not cached in " + own + ": Permission denied";
              return cache.problem() == problem ? 0 : 14;
            }),
            0);
}

TEST_F(Cache, FolderThatCannotBeMade) {
  write(path("file"), "x");
  KernelCache cache(path("file") + "/cache");
  EXPECT_EQ(request(cache, 1), 0);
  EXPECT_EQ(request(cache, 1), 0);
  EXPECT_EQ(timesMade(1), 2u);
  EXPECT_EQ(cache.problem(),
            "kernels are not cached in " + path("file") + "/cache: Not a directory");
}

TEST_F(Cache, AnyNameOfAFolder) {
  std::string own = path("100%cache %%%%/%s");
  KernelCache cache(own);
  EXPECT_EQ(request(cache, 1), 0);
  EXPECT_EQ(request(cache, 1), 0);
  EXPECT_EQ(timesMade(1), 1u);
  EXPECT_EQ(cache.problem(), "");
}

// Links and pipes are replaced, a folder stays; all of them are listed.
TEST_F(Cache, WhatIsNoFile) {
  ASSERT_EQ(::symlink("/nonexistent", entry(1).c_str()), 0);
  ASSERT_EQ(::mkfifo(entry(2).c_str(), 0600), 0);
  ASSERT_EQ(::mkdir(entry(3).c_str(), 0700), 0);
  auto files = listCacheFiles(folder);
  ASSERT_TRUE(bool(files)) << llvm::toString(files.takeError());
  EXPECT_EQ(files->size(), 3u);
  for (const CacheFile &file : *files)
    EXPECT_FALSE(file.isRegular) << file.path;
  KernelCache cache(folder);
  for (int number : {1, 2}) {
    EXPECT_EQ(request(cache, number), 0);
    EXPECT_TRUE(cache.lookup(keyOf(number))) << number;
  }
  EXPECT_EQ(cache.problem(), "");
  EXPECT_EQ(request(cache, 3), 0);
  EXPECT_EQ(cache.problem(), "kernels are not cached in " + folder + ": Is a directory");
  EXPECT_EQ(readEntryFile(entry(3), /*touch=*/false).getError(), std::errc::is_a_directory);
  // Nothing staged is left.
  files = listCacheFiles(folder);
  ASSERT_TRUE(bool(files));
  EXPECT_EQ(files->size(), 3u);
}

TEST_F(Cache, FullDisk) {
  constexpr int notPermitted = 77;
  int result = inProcess([&] {
    std::string disk = path("disk");
    if (::mkdir(disk.c_str(), 0700) != 0)
      return 10;
    bool alone = ::unshare(CLONE_NEWNS) == 0 || ::unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0;
    if (!alone || ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
        ::mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=64k") != 0)
      return notPermitted;
    KernelCache cache(disk);
    if (request(cache, 1) != 0 || request(cache, 1) != 0 || timesMade(1) != 1)
      return 11;
    bool hit = true;
    auto large = cache.getOrMake(
        keyOf(2), [] { return llvm::Expected<CachedCode>(codeOf(2, 200000)); }, hit);
    if (!large || !isCodeOf(*large, 2, 200000) || hit)
      return 12;
    if (cache.problem() != "kernels are not cached in " + disk + ": No space left on device")
      return 13;
    // Nothing is left of it, so that the next small one fits.
    auto files = listCacheFiles(disk);
    if (!files || files->size() != 1)
      return 14;
    return request(cache, 3) == 0 && cache.lookup(keyOf(3)) && cache.lookup(keyOf(1)) ? 0 : 15;
  });
  if (result == notPermitted)
    GTEST_SKIP() << "mounting a small tmpfs is not permitted here";
  EXPECT_EQ(result, 0);
}

// Writing beyond RLIMIT_FSIZE kills a process that does not expect it.
TEST_F(Cache, FileSizeLimit) {
  EXPECT_EQ(inProcess([&] {
              struct rlimit limit = {2000, 2000};
              if (::setrlimit(RLIMIT_FSIZE, &limit) != 0)
                return 10;
              KernelCache cache(folder);
              if (request(cache, 1) != 0)
                return 11;
              if (cache.problem() != "kernels are not cached in " + folder + ": File too large")
                return 12;
              cache.store(keyOf(2), codeOf(2, 500));
              return cache.lookup(keyOf(2)) ? 0 : 13;
            }),
            0);
}
