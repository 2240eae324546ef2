//===- CacheEntryTest.cpp - What is a cached kernel, and what is not ------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CacheTesting.h"

#include "girih/Support/Error.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/BLAKE3.h"
#include "llvm/Support/Endian.h"

#include <cstdlib>
#include <random>
#include <set>
#include <sys/stat.h>
#include <unistd.h>

using namespace girih;
using namespace girih::testing;
using llvm::StringRef;

namespace {

constexpr size_t checksumAt = 15, checkedAt = checksumAt + 32, numbersAt = checkedAt + 32;

/// Why the bytes are not the entry of key 1; empty when they are.
std::string problemOf(StringRef bytes) {
  auto code = decodeEntry(keyOf(1), bytes);
  return code ? "" : llvm::toString(code.takeError());
}

/// Makes the checksum right again after a change.
std::string withChecksum(std::string bytes) {
  auto digest =
      llvm::BLAKE3::hash(llvm::arrayRefFromStringRef(StringRef(bytes).drop_front(checkedAt)));
  std::copy(digest.begin(), digest.end(), bytes.begin() + checksumAt);
  return bytes;
}

class CacheEntry : public CacheFolderTest {
protected:
  void SetUp() override {
    CacheFolderTest::SetUp();
    good = encodeEntry(keyOf(1), codeOf(1, 40));
  }

  /// That a file with these bytes is a miss, and is replaced by the next compilation.
  void expectMissThenReplaced(StringRef bytes, const llvm::Twine &what) {
    write(entry(1), bytes);
    KernelCache cache(folder);
    EXPECT_FALSE(cache.lookup(keyOf(1))) << what.str();
    bool hit = true;
    auto made =
        cache.getOrMake(keyOf(1), [] { return llvm::Expected<CachedCode>(codeOf(1, 40)); }, hit);
    ASSERT_TRUE(bool(made)) << llvm::toString(made.takeError());
    EXPECT_FALSE(hit) << what.str();
    EXPECT_EQ(read(entry(1)), good) << what.str();
    EXPECT_EQ(cache.problem(), "");
  }

  std::string good;
};

} // namespace

TEST(CacheKey, EveryPartCounts) {
  std::set<std::string> keys{KernelKey::of("ir", "options", "cpu", "features").hex,
                             KernelKey::of("ix", "options", "cpu", "features").hex,
                             KernelKey::of("ir", "optionx", "cpu", "features").hex,
                             KernelKey::of("ir", "options", "cpx", "features").hex,
                             KernelKey::of("ir", "options", "cpu", "featurex").hex,
                             KernelKey::of("irop", "tions", "cpu", "features").hex,
                             KernelKey::of("ir", "options", "", "cpufeatures").hex};
  EXPECT_EQ(keys.size(), 7u);
  for (const std::string &key : keys)
    EXPECT_TRUE(KernelKey::isHex(key)) << key;
  EXPECT_EQ(KernelKey::of("ir", "options", "cpu", "features").hex,
            KernelKey::of("ir", "options", "cpu", "features").hex);
}

TEST_F(CacheEntry, KeepsEverything) {
  auto code = decodeEntry(keyOf(1), good);
  ASSERT_TRUE(bool(code)) << llvm::toString(code.takeError());
  EXPECT_TRUE(isCodeOf(*code, 1, 40));
  CachedCode longPattern = codeOf(1, 0);
  longPattern.label.pattern = std::string(5000, 'x');
  auto cut = decodeEntry(keyOf(1), encodeEntry(keyOf(1), longPattern));
  ASSERT_TRUE(bool(cut)) << llvm::toString(cut.takeError());
  EXPECT_EQ(cut->label.pattern, std::string(KernelLabel::maxPatternBytes, 'x'));
}

TEST_F(CacheEntry, TruncatedAtEveryLength) {
  for (size_t length = 0; length != good.size(); ++length)
    expectMissThenReplaced(StringRef(good).take_front(length), "cut at " + llvm::Twine(length));
  expectMissThenReplaced(good + "x", "a byte more");
}

TEST_F(CacheEntry, EveryBitFlipped) {
  for (size_t bit = 0; bit != 8 * good.size(); ++bit) {
    std::string bad = good;
    bad[bit / 8] ^= char(1 << bit % 8);
    EXPECT_NE(problemOf(bad), "") << "bit " << bit;
  }
}

TEST_F(CacheEntry, RandomDamage) {
  const char *given = std::getenv("GIRIH_TEST_SEED");
  auto seed = given ? std::strtoull(given, nullptr, 0) : uint64_t(std::random_device()());
  SCOPED_TRACE("GIRIH_TEST_SEED=" + std::to_string(seed));
  std::mt19937_64 random(seed);
  std::string large = encodeEntry(keyOf(1), codeOf(1, 5000));
  for (int round = 0; round != 2000; ++round) {
    std::string bad = large;
    for (uint64_t flips = 1 + random() % 16; flips; --flips)
      bad[random() % bad.size()] ^= char(1 + random() % 255);
    if (random() % 4 == 0)
      bad.resize(random() % (bad.size() + 1));
    if (bad != large) {
      EXPECT_NE(problemOf(bad), "") << "round " << round;
    }
  }
}

// Lengths are read from the file: sums that wrap, and ones beyond the file, must
// not be followed, even if the checksum is right.
TEST_F(CacheEntry, LengthsThatWrap) {
  for (size_t number = 3; number != 8; ++number)
    for (uint64_t value :
         {~uint64_t(0), uint64_t(1) << 63, uint64_t(1) << 32, uint64_t(good.size())})
      for (size_t other = 3; other != 8; ++other) {
        std::string bad = good;
        llvm::support::endian::write64le(bad.data() + numbersAt + 8 * other, 0 - value);
        llvm::support::endian::write64le(bad.data() + numbersAt + 8 * number, value);
        EXPECT_NE(problemOf(withChecksum(bad)).find("bytes, but got"), std::string::npos);
      }
}

TEST_F(CacheEntry, NumbersOutOfRange) {
  for (size_t number = 0; number != 3; ++number) {
    std::string bad = good;
    llvm::support::endian::write64le(bad.data() + numbersAt + 8 * number, uint64_t(1) << 31);
    EXPECT_EQ(problemOf(withChecksum(bad)),
              "expected memory, threads and blocks below 2^31, but got 2147483648");
  }
}

TEST_F(CacheEntry, OtherVersion) {
  std::string other = good;
  other[13] = '3';
  expectMissThenReplaced(other, "version 3");
  EXPECT_TRUE(isEntryOfOtherVersion(other));
  EXPECT_TRUE(isEntryOfOtherVersion("GIRIH-KERNEL-17\n"));
  for (StringRef text :
       {StringRef(good), StringRef(""), StringRef("GIRIH-KERNEL-"), StringRef("GIRIH-KERNEL-\n"),
        StringRef("GIRIH-KERNEL-3"), StringRef("GIRIH-KERNEL-x\n"), StringRef("GIRIH-TABLE-3\n")})
    EXPECT_FALSE(isEntryOfOtherVersion(text)) << text.str();
}

TEST_F(CacheEntry, RenamedIsAMiss) {
  expectMissThenReplaced(encodeEntry(keyOf(2), codeOf(2, 40)), "entry of another key");
}

TEST_F(CacheEntry, ForeignIsAMiss) {
  expectMissThenReplaced("", "empty");
  expectMissThenReplaced("#!/bin/sh\nexit 1\n", "script");
  expectMissThenReplaced(std::string(100000, '\0'), "zeros");
}

// Entries are code: one that somebody else could have written is not run.
TEST_F(CacheEntry, WritableByOthersIsAMiss) {
  write(entry(1), good);
  EXPECT_TRUE(KernelCache(folder).lookup(keyOf(1)));
  ASSERT_EQ(::chmod(entry(1).c_str(), 0660), 0);
  EXPECT_FALSE(KernelCache(folder).lookup(keyOf(1)));
  ASSERT_EQ(::chmod(entry(1).c_str(), 0644), 0);
  EXPECT_TRUE(KernelCache(folder).lookup(keyOf(1)));
}

TEST_F(CacheEntry, LinksPipesAndFoldersAreMisses) {
  write(path("elsewhere"), good);
  KernelCache cache(folder);
  ASSERT_EQ(::symlink(path("elsewhere").c_str(), entry(1).c_str()), 0);
  EXPECT_FALSE(cache.lookup(keyOf(1)));
  ASSERT_EQ(::unlink(entry(1).c_str()), 0);
  // Opening a pipe without a writer would wait for one.
  ASSERT_EQ(::mkfifo(entry(1).c_str(), 0600), 0);
  EXPECT_FALSE(cache.lookup(keyOf(1)));
  cache.store(keyOf(1), codeOf(1, 40));
  EXPECT_TRUE(cache.lookup(keyOf(1)));
  ASSERT_EQ(::mkdir(entry(2).c_str(), 0700), 0);
  EXPECT_FALSE(cache.lookup(keyOf(2)));
  EXPECT_EQ(cache.problem(), "");
  cache.store(keyOf(2), codeOf(2, 40));
  EXPECT_NE(cache.problem().find("kernels are not cached in " + folder + ": "), std::string::npos);
  EXPECT_EQ(read(path("elsewhere")), good);
}

TEST(CacheSettings, Sizes) {
  auto size = [](StringRef text) {
    auto bytes = parseByteSize(text);
    return bytes ? std::to_string(*bytes) : "error: " + llvm::toString(bytes.takeError());
  };
  EXPECT_EQ(size("0"), "0");
  EXPECT_EQ(size("268435456"), "268435456");
  EXPECT_EQ(size("64k"), "65536");
  EXPECT_EQ(size("256M"), "268435456");
  EXPECT_EQ(size("2G"), "2147483648");
  for (StringRef bad : {"", "M", "-1", "1.5G", "1 M", "1T", "0x10", "9223372036854775808",
                        "8589934592G", "99999999999999999999999"})
    EXPECT_EQ(size(bad), "error: expected a number of bytes below 2^63, such as 268435456, 256M "
                         "or 1G, but got '" +
                             bad.str() + "'");
}

TEST(CacheSettings, FolderOfTheEnvironment) {
  auto folder = [](const char *own, const char *xdg, const char *home) {
    std::string result;
    const char *names[] = {"GIRIH_CACHE_DIR", "XDG_CACHE_HOME", "HOME"};
    const char *values[] = {own, xdg, home};
    std::vector<std::pair<bool, std::string>> old;
    for (int i = 0; i != 3; ++i) {
      const char *before = std::getenv(names[i]);
      old.emplace_back(before != nullptr, before ? before : "");
      values[i] ? ::setenv(names[i], values[i], 1) : ::unsetenv(names[i]);
    }
    result = defaultCacheFolder();
    for (int i = 0; i != 3; ++i)
      old[i].first ? ::setenv(names[i], old[i].second.c_str(), 1) : ::unsetenv(names[i]);
    return result;
  };
  EXPECT_EQ(folder("/own", "/xdg", "/home/a"), "/own");
  EXPECT_EQ(folder("", "/xdg", "/home/a"), "");
  EXPECT_EQ(folder(nullptr, "/xdg", "/home/a"), "/xdg/girih");
  EXPECT_EQ(folder(nullptr, "", "/home/a"), "/home/a/.cache/girih");
  EXPECT_EQ(folder(nullptr, "relative", "/home/a"), "/home/a/.cache/girih");
  EXPECT_EQ(folder(nullptr, nullptr, "/home/a"), "/home/a/.cache/girih");
}
