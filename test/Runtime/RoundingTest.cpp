//===- RoundingTest.cpp - f32 to bf16 and f16, every value ----------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Goes through all pairs of neighbours of both types: what lies between them goes to the
// nearer one, and the middle to the even one.
//
//===----------------------------------------------------------------------===//

#include "src/cpu/Rounding.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

using namespace girih;

namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

struct Format {
  const char *name;
  uint16_t (*round)(float);
  int fractionBits, bias;

  uint16_t infinity() const { return static_cast<uint16_t>((2 * bias + 1) << fractionBits); }
  /// The value of bits without a sign, below infinity; of infinity 2^(bias + 1), where the
  /// next number would be.
  double valueOf(uint16_t bits) const {
    int exponent = bits >> fractionBits, fraction = bits & ((1 << fractionBits) - 1);
    int one = exponent ? 1 << fractionBits : 0;
    return std::ldexp(one + fraction, std::max(exponent, 1) - bias - fractionBits);
  }
};

class Rounding : public ::testing::TestWithParam<Format> {};

} // namespace

TEST_P(Rounding, IsToNearestAndEven) {
  const Format &f = GetParam();
  for (int i = 0; i < f.infinity(); ++i) {
    auto low = static_cast<uint16_t>(i), high = static_cast<uint16_t>(i + 1);
    double middle = (f.valueOf(low) + f.valueOf(high)) / 2;
    auto between = static_cast<float>(middle);
    ASSERT_EQ(f.round(static_cast<float>(f.valueOf(low))), low);
    if (double{between} != middle)
      continue; // less than the smallest f32
    ASSERT_EQ(f.round(between), low % 2 == 0 ? low : high) << i;
    ASSERT_EQ(f.round(std::nextafter(between, 0.0f)), low) << i;
    ASSERT_EQ(f.round(std::nextafter(between, kInfinity)), high) << i;
    ASSERT_EQ(f.round(-between), 0x8000 | (low % 2 == 0 ? low : high)) << i;
  }
}

TEST_P(Rounding, KeepsWhatIsNotFinite) {
  const Format &f = GetParam();
  EXPECT_EQ(f.round(kInfinity), f.infinity());
  EXPECT_EQ(f.round(-kInfinity), 0x8000 | f.infinity());
  EXPECT_EQ(f.round(std::numeric_limits<float>::max()), f.infinity());
  // NaNs whose payload is in the bits that go.
  for (uint32_t payload : {1u, 0x1fffu, 0xffffu, 0x400000u, 0x7fffffu})
    for (uint32_t sign : {0u, 0x80000000u}) {
      uint32_t bits = sign | 0x7f800000u | payload;
      float value = 0;
      std::memcpy(&value, &bits, sizeof(value));
      uint16_t rounded = f.round(value);
      EXPECT_GT(rounded & 0x7fff, f.infinity()) << payload;
      EXPECT_EQ(rounded & 0x8000u, sign >> 16) << payload;
    }
}

INSTANTIATE_TEST_SUITE_P(Formats, Rounding,
                         ::testing::Values(Format{"bf16", toBf16, 7, 127},
                                           Format{"f16", toF16, 10, 15}),
                         [](const auto &info) { return std::string(info.param.name); });
