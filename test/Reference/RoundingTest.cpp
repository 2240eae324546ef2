//===- RoundingTest.cpp - Conversions of half types -----------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Proves rounding to nearest, ties to even, over every value of the half types
// and the midpoints between neighbours.
//
//===----------------------------------------------------------------------===//

#include "girih/Reference/Rounding.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

using namespace girih;

TEST(Rounding, every_half_value_survives) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    auto half = uint16_t(bits);
    if (std::isnan(fromF16(half)))
      EXPECT_TRUE(std::isnan(fromF16(toF16(fromF16(half)))));
    else
      EXPECT_EQ(toF16(fromF16(half)), half);
    if (std::isnan(fromBf16(half)))
      EXPECT_TRUE(std::isnan(fromBf16(toBf16(fromBf16(half)))));
    else
      EXPECT_EQ(toBf16(fromBf16(half)), half);
  }
}

/// Midpoints go to the even neighbour, anything beyond to the nearer one.
template <typename From, typename To> static void checkMidpoints(From from, To to, uint32_t last) {
  for (uint32_t bits = 0; bits < last; ++bits) {
    float low = from(uint16_t(bits)), high = from(uint16_t(bits + 1));
    float middle = float((double(low) + double(high)) / 2);
    uint16_t even = uint16_t(bits + (bits & 1));
    ASSERT_EQ(to(middle), even) << bits;
    ASSERT_EQ(to(std::nextafterf(middle, low)), bits) << bits;
    ASSERT_EQ(to(std::nextafterf(middle, high)), bits + 1) << bits;
    ASSERT_EQ(to(-middle), even | 0x8000) << bits;
  }
}

TEST(Rounding, f16_ties_go_to_even) { checkMidpoints(fromF16, toF16, 0x7BFF); }

TEST(Rounding, bf16_ties_go_to_even) { checkMidpoints(fromBf16, toBf16, 0x7F7F); }

TEST(Rounding, f16_edges) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(fromF16(0x3C00), 1.0F);
  EXPECT_EQ(fromF16(0x0001), 0x1p-24F);
  EXPECT_EQ(fromF16(0x7BFF), 65504.0F);
  EXPECT_EQ(roundTo(65519.996F, GIRIH_F16), 65504.0F);
  EXPECT_EQ(roundTo(65520.0F, GIRIH_F16), infinity);
  EXPECT_EQ(roundTo(-1e30F, GIRIH_F16), -infinity);
  EXPECT_EQ(roundTo(infinity, GIRIH_F16), infinity);
  EXPECT_TRUE(std::isnan(roundTo(std::nanf(""), GIRIH_F16)));
  EXPECT_EQ(roundTo(0x1p-25F, GIRIH_F16), 0.0F);
  EXPECT_EQ(roundTo(0x1.000002p-25F, GIRIH_F16), 0x1p-24F);
  EXPECT_EQ(roundTo(0x1p-140F, GIRIH_F16), 0.0F);
  EXPECT_TRUE(std::signbit(roundTo(-0x1p-140F, GIRIH_F16)));
}

TEST(Rounding, bf16_edges) {
  constexpr float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(fromBf16(0x3F80), 1.0F);
  EXPECT_EQ(roundTo(std::numeric_limits<float>::max(), GIRIH_BF16), infinity);
  EXPECT_EQ(roundTo(-infinity, GIRIH_BF16), -infinity);
  EXPECT_TRUE(std::isnan(roundTo(std::nanf(""), GIRIH_BF16)));
  EXPECT_EQ(roundTo(1.00390625F, GIRIH_BF16), 1.0F);
  EXPECT_EQ(roundTo(3.14159F, GIRIH_F32), 3.14159F);
}
