//===- CpuTest.cpp - What code for a processor may use --------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Proves that a target is the baseline and features that the runtime can check, and
// nothing else that its processor has.
//
//===----------------------------------------------------------------------===//

#include "girih/Target/Cpu.h"

#include "girih-c/CpuFeatures.h"
#include "girih/Support/Error.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/Target/TargetMachine.h"

#include <gtest/gtest.h>

using namespace girih;

/// The mask of features by name.
static uint64_t bitsOf(llvm::ArrayRef<llvm::StringRef> names) {
  uint64_t bits = 0;
#define GIRIH_ADD(bit, name)                                                                       \
  if (llvm::is_contained(names, name))                                                             \
    bits |= uint64_t{1} << bit;
  GIRIH_CPU_FEATURES(GIRIH_ADD)
#undef GIRIH_ADD
  return bits;
}

static CpuTarget named(llvm::StringRef cpu) {
  auto target = CpuTarget::named(cpu);
  if (!target) {
    ADD_FAILURE() << llvm::toString(target.takeError());
    return {};
  }
  return *target;
}

TEST(CpuTarget, HasTheFeaturesOfItsProcessor) {
  CpuTarget baseline = named("x86-64");
  EXPECT_EQ(baseline.featureBits, 0u);
  EXPECT_EQ(baseline.features, "");
  EXPECT_EQ(baseline.vectorWidth, 4);
  CpuTarget level3 = named("x86-64-v3");
  EXPECT_EQ(level3.featureBits, bitsOf({"sse3", "ssse3", "sse4.1", "sse4.2", "popcnt", "avx",
                                        "avx2", "fma", "f16c", "bmi", "bmi2", "lzcnt", "movbe"}));
  EXPECT_EQ(level3.vectorWidth, 8);
  uint64_t level4 = named("x86-64-v4").featureBits;
  EXPECT_EQ(level4 & ~level3.featureBits,
            bitsOf({"avx512f", "avx512cd", "avx512bw", "avx512dq", "avx512vl"}));
  uint64_t matrices = bitsOf({"amx-tile", "amx-int8", "amx-bf16", "avx512fp16"});
  EXPECT_EQ(named("sapphirerapids").featureBits & matrices, matrices);
  EXPECT_EQ(named("znver5").featureBits & matrices, 0u);
  CpuTarget less = named("sapphirerapids,-avx512fp16,-amx-int8");
  EXPECT_EQ(less.cpu, "sapphirerapids");
  EXPECT_EQ(less.featureBits & matrices, bitsOf({"amx-tile", "amx-bf16"}));
  EXPECT_EQ(named("x86-64,+avx").featureBits & bitsOf({"avx", "avx2"}), bitsOf({"avx"}));
}

TEST(CpuTarget, CodeMayUseWhatTheBitsSayAndNoMore) {
  // znver5 has sha, clzero and many more that nothing at run time would ask for.
  CpuTarget target = named("znver5");
  auto machine = target.createMachine();
  ASSERT_TRUE(bool(machine)) << llvm::toString(machine.takeError());
  const llvm::MCSubtargetInfo &info = *(*machine)->getMCSubtargetInfo();
#define GIRIH_SAME(bit, name)                                                                      \
  EXPECT_EQ(info.checkFeatures("+" name), (target.featureBits >> bit & 1) != 0) << name;
  GIRIH_CPU_FEATURES(GIRIH_SAME)
#undef GIRIH_SAME
  for (const char *other : {"+sha", "+clzero", "+avx512vp2intersect", "+vaes"})
    EXPECT_FALSE(info.checkFeatures(other)) << other;
}

/// LLVM dies of loads of bf16 with avx512bf16 and less of AVX-512 than server processors
/// have.
TEST(CpuTarget, Bf16TakesAllOfAvx512) {
  uint64_t bf16 = bitsOf({"avx512bf16"});
  for (const char *cpu : {"sapphirerapids", "cooperlake", "x86-64-v4,+avx512bf16"}) {
    EXPECT_TRUE(named(cpu).bf16Dots) << cpu;
    EXPECT_NE(named(cpu).featureBits & bf16, 0u) << cpu;
  }
  for (const char *cpu :
       {"sapphirerapids,-avx512vl", "cooperlake,-avx512vl", "cooperlake,-avx512dq",
        "knl,+avx512dq,+avx512bf16", "x86-64-v3,+avx512bf16"}) {
    CpuTarget target = named(cpu);
    EXPECT_FALSE(target.bf16Dots || target.amx) << cpu;
    EXPECT_EQ(target.featureBits & bf16, 0u) << cpu;
    EXPECT_EQ(target.features.find("bf16,"), std::string::npos) << cpu << ": " << target.features;
  }
  auto usable = CpuTarget::host(~bitsOf({"avx512vl"}));
  ASSERT_TRUE(bool(usable)) << llvm::toString(usable.takeError());
  EXPECT_FALSE(usable->bf16Dots);
}

TEST(CpuTarget, UnknownProcessorsAreInvalid) {
  auto target = CpuTarget::named("z80");
  ASSERT_FALSE(bool(target));
  GirihStatus status = takeStatus(target.takeError());
  EXPECT_EQ(status.code, GIRIH_INVALID);
  EXPECT_STREQ(status.message,
               "expected cpu to be an x86-64 processor that LLVM knows, but got 'z80'");
  for (const char *feature : {"avx2", "+sha", "+", "", "-no-such"}) {
    auto strange = CpuTarget::named((llvm::Twine("x86-64-v3,+avx512f,") + feature).str());
    ASSERT_FALSE(bool(strange)) << feature;
    GirihStatus refused = takeStatus(strange.takeError());
    EXPECT_EQ(refused.code, GIRIH_INVALID);
    EXPECT_EQ(std::string(refused.message),
              std::string("expected features of cpu 'x86-64-v3' to be names of "
                          "girih-c/CpuFeatures.h behind + or -, but got '") +
                  feature + "'");
  }
}

TEST(CpuTarget, HostHasWhatMayBeUsed) {
  auto all = CpuTarget::host(~uint64_t{0}), none = CpuTarget::host(0);
  ASSERT_TRUE(bool(all)) << llvm::toString(all.takeError());
  ASSERT_TRUE(bool(none)) << llvm::toString(none.takeError());
  EXPECT_EQ(none->featureBits, 0u);
  EXPECT_EQ(none->vectorWidth, 4);
  EXPECT_FALSE(none->amx);
  EXPECT_EQ(none->cpu, all->cpu);
  EXPECT_NE(all->featureBits, 0u);
}
