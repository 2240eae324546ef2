//===- OverlapTest.cpp - Which strided tensors share memory ---------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Against a list of every byte of every element.
//
//===----------------------------------------------------------------------===//

#include "girih/CAPI/Overlap.h"

#include "gtest/gtest.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <random>
#include <set>

using namespace girih::capi;

namespace {

using Numbers = std::array<int64_t, 4>;

/// Nobody looks into this memory.
GirihView view(int64_t byte, Numbers shape, Numbers stride, GirihDType dtype = GIRIH_F32) {
  GirihView made{};
  made.data = reinterpret_cast<void *>((intptr_t(1) << 50) + byte);
  std::copy(shape.begin(), shape.end(), made.shape);
  std::copy(stride.begin(), stride.end(), made.stride);
  made.dtype = dtype;
  return made;
}

/// Calls `see` with the address of each byte of each element.
template <typename See> void bytes(const GirihView &view, See see) {
  const int64_t size = view.dtype == GIRIH_F32 ? 4 : 2;
  const int64_t *n = view.shape, *s = view.stride;
  for (int64_t b = 0; b != n[0]; ++b)
    for (int64_t h = 0; h != n[1]; ++h)
      for (int64_t i = 0; i != n[2]; ++i)
        for (int64_t d = 0; d != n[3]; ++d)
          for (int64_t byte = 0; byte != size; ++byte)
            see(reinterpret_cast<intptr_t>(view.data) + byte +
                size * (b * s[0] + h * s[1] + i * s[2] + d * s[3]));
}

Overlap listed(const GirihView &a, const GirihView &b) {
  std::set<int64_t> seen;
  bytes(a, [&](int64_t byte) { seen.insert(byte); });
  bool found = false;
  bytes(b, [&](int64_t byte) { found |= seen.count(byte) != 0; });
  return found ? Overlap::Some : Overlap::None;
}

Overlap listed(const GirihView &a) {
  std::set<int64_t> seen;
  bool found = false;
  bytes(a, [&](int64_t byte) { found |= !seen.insert(byte).second; });
  return found ? Overlap::Some : Overlap::None;
}

uint32_t seed() {
  const char *given = std::getenv("GIRIH_TEST_SEED");
  const uint32_t value = given ? static_cast<uint32_t>(std::atoll(given)) : std::random_device()();
  std::printf("GIRIH_TEST_SEED=%u\n", value);
  return value;
}

TEST(Overlap, IsExactForSmallTensors) {
  std::mt19937 random(seed());
  auto draw = [&](int64_t least, int64_t most) {
    return std::uniform_int_distribution<int64_t>(least, most)(random);
  };
  auto any = [&] {
    Numbers shape, stride;
    for (int i = 0; i != 4; ++i) {
      shape[i] = draw(1, 3);
      stride[i] = draw(-24, 24);
    }
    const GirihDType dtype = draw(0, 1) ? GIRIH_F32 : GIRIH_F16;
    return view(2 * draw(-60, 60), shape, stride, dtype);
  };
  constexpr int rounds = 3000;
  int overlaps = 0, selfOverlaps = 0;
  for (int round = 0; round != rounds; ++round) {
    const GirihView a = any(), b = any();
    ASSERT_EQ(listed(a, b), findOverlap(a, b)) << "round " << round;
    ASSERT_EQ(listed(a), findSelfOverlap(a)) << "round " << round;
    overlaps += listed(a, b) == Overlap::Some;
    selfOverlaps += listed(a) == Overlap::Some;
  }
  for (int found : {overlaps, selfOverlaps}) {
    EXPECT_LT(rounds / 10, found);
    EXPECT_GT(rounds * 9 / 10, found);
  }
}

TEST(Overlap, IsExactForViewsOfOneBuffer) {
  const int64_t tokens = 1 << 20, dim = 128, heads = 32, column = heads * dim;
  // Of x[B, N, 4, H, D]: offsets count elements.
  const Numbers stride = {tokens * 4 * column, dim, 4 * column, 1};
  auto slice = [&](int64_t offset, int64_t width = dim) {
    return view(4 * offset, {8, heads, tokens, width}, stride);
  };
  const GirihView q = slice(0);
  for (int64_t number : {1, 2, 3})
    EXPECT_EQ(Overlap::None, findOverlap(q, slice(number * column)));
  EXPECT_EQ(Overlap::Some, findOverlap(q, slice(column - 1)));
  EXPECT_EQ(Overlap::Some, findOverlap(q, slice(-1)));
  EXPECT_EQ(Overlap::None, findSelfOverlap(q));
  // Halves of rows.
  EXPECT_EQ(Overlap::None, findOverlap(slice(0, 64), slice(64, 64)));
  EXPECT_EQ(Overlap::Some, findOverlap(slice(0, 64), slice(63, 64)));
  // Backwards from the last token.
  const GirihView back =
      view(4 * (tokens - 1) * stride[2], {8, heads, tokens, dim}, {stride[0], dim, -stride[2], 1});
  EXPECT_EQ(Overlap::Some, findOverlap(q, back));
  EXPECT_EQ(Overlap::None, findOverlap(slice(column), back));
}

TEST(Overlap, GivesUpWhereItWouldTakeLong) {
  // 64 even sums, and an odd distance.
  const GirihView a = view(0, {9999, 9999, 9999, 1}, {100004, 100020, 100044, 0}, GIRIH_F16);
  const GirihView b = view(2, {9999, 9999, 9999, 1}, {100048, 100056, 100068, 0}, GIRIH_F16);
  EXPECT_EQ(Overlap::Unknown, findOverlap(a, b));
  EXPECT_EQ(Overlap::Unknown,
            findSelfOverlap(view(0, {2, 2, 2, 2}, {INT64_MAX, INT64_MIN, INT64_MAX, 1})));
}

} // namespace
