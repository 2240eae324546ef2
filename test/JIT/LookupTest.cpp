//===- LookupTest.cpp - Kernels that look up tables -----------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Proves that values and extents of tables compile nothing, that kernels read what the
// reference reads on every vector width, and that a launch refuses indices that leave.
//
//===----------------------------------------------------------------------===//

#include "JitTesting.h"

#include <numeric>

using namespace girih;
using namespace girih::testing;

static Table documents(int64_t batch, int64_t tokens, int64_t length) {
  std::vector<int64_t> ids;
  for (int64_t b = 0; b != batch; ++b)
    for (int64_t i = 0; i != tokens; ++i)
      ids.push_back(i / (length + b));
  return Table("doc", std::move(ids), {batch, tokens});
}

static Pattern sameDocument(const Table &doc) {
  return predicate(
      [&](Index b, Index, Index q, Index k) { return q >= k && doc(b, q) == doc(b, k); });
}

TEST(Lookup, ValuesAndExtentsCompileNothing) {
  auto session = makeSession();
  Sizes sizes{2, 4, 2, 130, 130, 24, 24};
  Pattern first = sameDocument(documents(2, 130, 40)), second = sameDocument(documents(3, 200, 9));
  bool hit = true;
  auto kernel = compile(*session, first, optionsFor(sizes), &hit);
  ASSERT_TRUE(kernel);
  EXPECT_FALSE(hit);
  EXPECT_EQ(check(*kernel, first, sizes), "");
  kernel = compile(*session, second, optionsFor(sizes), &hit);
  ASSERT_TRUE(kernel);
  EXPECT_TRUE(hit);
  EXPECT_EQ(check(*kernel, second, sizes), "");
  // The map of other values is another map.
  EXPECT_EQ(check(*kernel, first, sizes), "");
  EXPECT_EQ(session->compilations(), 1);
  // Another rank is another kernel.
  Table flat("doc", std::vector<int64_t>(130, 7));
  Pattern third =
      predicate([&](Index, Index, Index q, Index k) { return q >= k && flat(q) == flat(k); });
  ASSERT_TRUE(compile(*session, third, optionsFor(sizes), &hit));
  EXPECT_FALSE(hit);
}

/// Scalar loads, gathers along a row, and gathers of indices that vary in two dimensions, with
/// lanes of 32 and of 64 bits, in tiles that the lengths cut.
TEST(Lookup, KernelsReadWhatTheReferenceReads) {
  std::vector<int64_t> wide(3 * 9 * 11), flags(4 * 10 * 10),
      extremes{INT32_MIN, -1, 0, 1, INT32_MAX};
  for (size_t i = 0; i != wide.size(); ++i)
    wide[i] = static_cast<int64_t>(i * 37 % 150);
  for (size_t i = 0; i != flags.size(); ++i)
    flags[i] = i * 7 % 3 != 0;
  Table allowed("allowed", flags, {4, 10, 10}), limit("limit", wide, {3, 9, 11}),
      ends("ends", extremes), doc = documents(2, 150, 21);
  Pattern patterns[] = {
      sameDocument(doc),
      predicate([&](Index, Index h, Index q, Index k) {
        return allowed(h, max(q, 0) / 16, k / 16) != 0;
      }),
      predicate([&](Index b, Index, Index q, Index k) {
        return k <= limit(b, max(q, 0) % 9, 3) || limit(2, q % 9, k % 11) > q + 100;
      }),
      predicate([&](Index, Index, Index q, Index k) {
        return ends(q % 5) == ends(k % 5) || ends(k % 5) > ends(min(max(q - k, 0), 4));
      }),
      // Products of more than 32 bits.
      predicate([&](Index, Index, Index q, Index k) {
        return ends(k % 5) * 5 + q >= ends(q % 5) * 5 + k;
      }),
      predicate([&](Index b, Index, Index, Index k) { return doc(b, doc(b, k) * 2) < 3; }),
      causal() & blockwise(predicate([&](Index, Index h, Index q, Index k) {
                             return allowed(h, q % 10, k % 10) == 1;
                           }),
                           5),
  };
  auto session = makeSession();
  for (const Pattern &pattern : patterns) {
    for (const char *cpu : {"", "x86-64-v3", "x86-64"}) {
      for (Sizes sizes : {Sizes{2, 4, 2, 77, 130, 24, 24}, Sizes{2, 4, 4, 150, 150, 16, 8}}) {
        CompileOptions options = optionsFor(sizes);
        options.cpu = cpu;
        auto kernel = compile(*session, pattern, options);
        ASSERT_TRUE(kernel);
        EXPECT_EQ(check(*kernel, pattern, sizes), "") << pattern.str() << " " << cpu;
      }
    }
  }
}

TEST(Lookup, IndicesThatLeaveAreRefusedAtLaunch) {
  auto session = makeSession();
  Sizes sizes{1, 2, 2, 50, 50, 16, 16};
  Pattern pattern = sameDocument(documents(1, 50, 7));
  auto kernel = compile(*session, pattern, optionsFor(sizes));
  ASSERT_TRUE(kernel);
  EXPECT_EQ(check(*kernel, pattern, sizes), "");
  sizes.batch = 2;
  Tensors more(sizes);
  EXPECT_EQ(launch(*kernel, more, pattern),
            "expected index 0 of table @doc, whose extent is 1, to lie in 0..0, but got 0..1");
  sizes.batch = 1;
  sizes.numQ = sizes.numK = 51;
  Tensors longer(sizes);
  EXPECT_EQ(launch(*kernel, longer, pattern),
            "expected index 1 of table @doc, whose extent is 50, to lie in 0..49, but got 0..50");
}

/// Tables come behind lists, whatever their order in the pattern.
TEST(Lookup, StandsBesideOtherTables) {
  auto session = makeSession();
  Sizes sizes{1, 2, 2, 96, 96, 16, 16};
  Table doc = documents(1, 96, 13);
  Pattern pattern = sameDocument(doc) | (segments({0, 30, 96}) & randomBlocks(16, 2, 3)) |
                    blockTable(32, {0, 1, 2, 3}, {2, 0, 1});
  auto kernel = compile(*session, pattern, optionsFor(sizes));
  ASSERT_TRUE(kernel);
  EXPECT_EQ(check(*kernel, pattern, sizes), "");
}
