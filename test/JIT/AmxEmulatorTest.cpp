//===- AmxEmulatorTest.cpp - The emulator of AMX by itself ----------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Proves on instructions in assembly, with every form of address and registers beyond the
// eighth, that the emulator gives what Intel's manual says, and faults where it says so.
//
//===----------------------------------------------------------------------===//

#include "AmxEmulator.h"

#include "girih-c/CpuFeatures.h"
#include "girih/Reference/Rounding.h"

#include "gtest/gtest.h"

#include <array>
#include <cstring>

using namespace girih;
using namespace girih::testing;

#if defined(__x86_64__) && defined(__linux__)

namespace {

/// Tile 0: 3 lines of 2 f32. Tile 1: 3 lines of 2 pairs. Tile 2: 2 rows of 2 pairs.
struct alignas(64) Configuration {
  uint8_t palette = 1, startRow = 0, reserved[14] = {};
  uint16_t rowBytes[16] = {8, 8, 8};
  uint8_t rows[16] = {3, 3, 2};
};

/// For addresses relative to the instruction.
Configuration global;

class AmxEmulation : public ::testing::Test {
protected:
  void SetUp() override {
#define GIRIH_AMX(bit, name)                                                                       \
  if (!std::strcmp(name, "amx-bf16") && (girihCpuFeatures() >> (bit) & 1))                         \
    GTEST_SKIP() << "the processor does it itself";
    GIRIH_CPU_FEATURES(GIRIH_AMX)
#undef GIRIH_AMX
  }
};

void configure(const Configuration &shapes) {
  __asm__ volatile("ldtilecfg (%0)" ::"r"(&shapes) : "memory");
}

} // namespace

TEST_F(AmxEmulation, MultipliesPairs) {
  AmxEmulator emulator;
  global = Configuration();
  __asm__ volatile("ldtilecfg %0" ::"m"(global));
  Configuration stored{};
  __asm__ volatile("sttilecfg %0" : "=m"(stored));
  EXPECT_EQ(std::memcmp(&stored, &global, sizeof(stored)), 0);

  // Lines 16 bytes apart, of which 8 are loaded; rows one behind the other.
  uint16_t lines[3][8], rows[2][4];
  float expected[3][2], results[3][2] = {};
  for (int i = 0; i != 24; ++i)
    lines[i / 8][i % 8] = toBf16(static_cast<float>(i % 5) - 1.5f);
  for (int i = 0; i != 8; ++i)
    rows[i / 4][i % 4] = toBf16(static_cast<float>(i) * 0.25f);
  for (int i = 0; i != 3; ++i)
    for (int j = 0; j != 2; ++j) {
      expected[i][j] = 0.5f;
      for (int k = 0; k != 4; ++k)
        expected[i][j] += fromBf16(lines[i][k]) * fromBf16(rows[k / 2][2 * j + k % 2]);
    }
  register const void *far __asm__("r13") = reinterpret_cast<const char *>(rows) - 300;
  register int64_t stride __asm__("r9") = 8;
  std::array<float, 6> start;
  start.fill(0.5f);
  __asm__ volatile("tileloadd -16(%0, %1, 2), %%tmm1\n" // displacement of a byte, scale
                   "tileloaddt1 300(%2, %3), %%tmm2\n"  // of four, registers beyond the eighth
                   "tileloadd (%4, %1), %%tmm0\n"
                   "tdpbf16ps %%tmm2, %%tmm1, %%tmm0\n"
                   "tilestored %%tmm0, (%5, %1)\n" ::"r"(&lines[1]),
                   "r"(int64_t{8}), "r"(far), "r"(stride), "r"(start.data()), "r"(results)
                   : "memory");
  for (int i = 0; i != 3; ++i)
    for (int j = 0; j != 2; ++j)
      EXPECT_EQ(results[i][j], expected[i][j]) << i << " " << j;
  EXPECT_EQ(emulator.products(), 1);

  __asm__ volatile("tilezero %%tmm0\n"
                   "tilestored %%tmm0, (%0, %1)\n"
                   "tilerelease\n" ::"r"(results),
                   "r"(int64_t{8})
                   : "memory");
  EXPECT_EQ(results[2][1], 0.0f);
  EXPECT_EQ(emulator.configurations(), 1);
  EXPECT_EQ(emulator.unreleased(), 0);
}

TEST_F(AmxEmulation, SumsEvenAndOddElementsApart) {
  // 2^24 + 1 is no f32: in one sum after the other the ones would be lost. Denormals are 0.
  AmxEmulator emulator;
  configure(Configuration());
  const uint16_t one = toBf16(1), large = toBf16(16777216.0f), denormal = 1;
  uint16_t lines[3][4] = {{large, one, one, one}, {denormal, one, one, one}, {one, one, one, one}};
  uint16_t rows[2][4] = {{one, one, one, one}, {toBf16(0), one, toBf16(0), one}};
  float results[3][2];
  __asm__ volatile("tileloadd (%0, %2), %%tmm1\n"
                   "tileloadd (%1, %2), %%tmm2\n"
                   "tilezero %%tmm0\n"
                   "tdpbf16ps %%tmm2, %%tmm1, %%tmm0\n"
                   "tilestored %%tmm0, (%3, %2)\n"
                   "tilerelease\n" ::"r"(lines),
                   "r"(rows), "r"(int64_t{8}), "r"(results)
                   : "memory");
  EXPECT_EQ(results[0][0], 16777218.0f);
  EXPECT_EQ(results[1][0], 2.0f);
  EXPECT_EQ(results[2][1], 3.0f);
}

TEST_F(AmxEmulation, FaultsWhereAProcessorDoes) {
  auto inChild = [](void (*body)()) {
    AmxEmulator emulator;
    body();
    std::exit(0);
  };
  auto killed = ::testing::KilledBySignal(SIGILL);
  EXPECT_EXIT(inChild([] { __asm__ volatile("tilezero %tmm0"); }), killed, "");
  EXPECT_EXIT(inChild([] {
                Configuration bad;
                bad.rows[0] = 17;
                configure(bad);
              }),
              killed, "");
  EXPECT_EXIT(inChild([] { // shapes that do not fit
                configure(Configuration());
                __asm__ volatile("tdpbf16ps %tmm1, %tmm2, %tmm0");
              }),
              killed, "");
  EXPECT_EXIT(inChild([] { __asm__ volatile("ud2"); }), killed, "");
}

#endif
