//===- NpyTest.cpp - .npy files, good and damaged -------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The messages are proved by test/Tools/girih-run/bad-npy.test; this proves that
// no damage to a header crashes the reader, and that writing is atomic.
//
//===----------------------------------------------------------------------===//

#include "SupportTesting.h"

#include "girih/Support/Npy.h"

#include "girih/Support/Error.h"

#include "llvm/Support/FileSystem.h"

#include <cstdlib>
#include <gtest/gtest.h>
#include <random>

using namespace girih;

namespace {

TEST(Npy, what_is_written_reads_back) {
  Folder folder;
  std::vector<float> data = {1, -2.5f, 3e-40f, 4};
  ASSERT_FALSE(writeNpy(folder.file("a.npy"), {1, 2, 1, 2}, data));
  auto array = readNpy(folder.file("a.npy"), 4);
  ASSERT_TRUE(bool(array));
  EXPECT_EQ(array->shape, (std::vector<int64_t>{1, 2, 1, 2}));
  EXPECT_EQ(array->data, data);
  // NumPy aligns data to 64 bytes.
  EXPECT_EQ((bytesOf(folder.file("a.npy")).size() - 16) % 64, 0u);
}

TEST(Npy, rank_one_writes_a_tuple) {
  Folder folder;
  ASSERT_FALSE(writeNpy(folder.file("a.npy"), {3}, std::vector<float>{1, 2, 3}));
  EXPECT_NE(bytesOf(folder.file("a.npy")).find("'shape': (3, ), "), std::string::npos);
  auto array = readNpy(folder.file("a.npy"), 1);
  ASSERT_TRUE(bool(array));
  EXPECT_EQ(array->data.size(), 3u);
}

TEST(Npy, halves_widen_exactly) {
  Folder folder;
  // 1, -2, largest half, smallest subnormal, -0, inf.
  std::string data("\x00\x3c\x00\xc0\xff\x7b\x01\x00\x00\x80\x00\x7c", 12);
  store(folder.file("a.npy"),
        npy("{'descr': '<f2', 'fortran_order': False, 'shape': (6,)}\n", data));
  auto array = readNpy(folder.file("a.npy"), 1);
  ASSERT_TRUE(bool(array));
  EXPECT_EQ(array->data, (std::vector<float>{1, -2, 65504, 0x1p-24f, -0.0f, INFINITY}));
  EXPECT_TRUE(std::signbit(array->data[4]));
}

TEST(Npy, header_text_may_be_laid_out_in_any_way) {
  for (const char *header :
       {"{\"shape\":(2,),\"fortran_order\":False,\"descr\":\"<f4\"}",
        "{ 'descr' : '<f4' , 'shape' : ( 2L , ) , 'fortran_order' : False , }\n",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2)}   "}) {
    auto parsed = parseNpyHeader(npy(header, ""), "a.npy");
    ASSERT_TRUE(bool(parsed)) << header << ": " << llvm::toString(parsed.takeError());
    EXPECT_EQ(parsed->shape, (std::vector<int64_t>{2}));
  }
}

TEST(Npy, malformed_headers_are_errors) {
  for (const char *header :
       {"", "{", "}", "{'descr'", "{'descr': }", "{'descr': '<f4'", "{'descr': '<f4}",
        "{'descr': '<f4', 'descr': '<f4'}", "{'shape': (1,), 'fortran_order': 0, 'descr': '<f4'}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'more': 1}"}) {
    auto parsed = parseNpyHeader(npy(header, ""), "a.npy");
    ASSERT_FALSE(bool(parsed)) << header;
    EXPECT_EQ(takeStatus(parsed.takeError()).code, GIRIH_INVALID);
  }
}

TEST(Npy, damaged_bytes_never_crash) {
  const char *text = std::getenv("GIRIH_TEST_SEED");
  uint64_t seed = text ? std::strtoull(text, nullptr, 10) : 1;
  std::mt19937_64 random(seed);
  std::string good = npy("{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 3, 4), }\n", "");
  for (int i = 0; i < 20000; ++i) {
    std::string bytes = good.substr(0, random() % 4 ? good.size() : random() % good.size());
    for (uint64_t flips = random() % 6; flips > 0 && !bytes.empty(); --flips)
      bytes[random() % bytes.size()] = static_cast<char>(random());
    auto parsed = parseNpyHeader(bytes, "a.npy");
    if (parsed) {
      EXPECT_LE(parsed->dataOffset, bytes.size()) << "GIRIH_TEST_SEED=" << seed;
      EXPECT_GE(parsed->elements, 0);
    } else {
      EXPECT_EQ(takeStatus(parsed.takeError()).code, GIRIH_INVALID);
    }
  }
}

TEST(Npy, a_failed_write_leaves_the_old_file) {
  Folder folder;
  store(folder.file("a.npy"), "old");
  // A name that is a folder cannot be replaced.
  ASSERT_FALSE(llvm::sys::fs::create_directory(folder.file("taken.npy")));
  store(folder.file("taken.npy/inside"), "kept");
  llvm::Error error = writeNpy(folder.file("taken.npy"), {1}, std::vector<float>{1});
  EXPECT_EQ(takeStatus(std::move(error)).code, GIRIH_INVALID);
  EXPECT_EQ(bytesOf(folder.file("taken.npy/inside")), "kept");
  EXPECT_EQ(folder.entries(), 2) << "a temporary file is left";
  ASSERT_FALSE(writeNpy(folder.file("a.npy"), {1}, std::vector<float>{1}));
  EXPECT_EQ(folder.entries(), 2);
  EXPECT_NE(bytesOf(folder.file("a.npy")), "old");
}

} // namespace
