//===- AmpereGateTest.cpp - What ptxas says of mma.sync kernels -----------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Each chip's sizes are its own, and a kernel that spills is several times too
// slow: every head dim for every chip, and patterns of every kind for one, must
// leave ptxas without a remark and fit the chip. Needs ptxas, but no GPU. That the
// numbers are right is not shown here.
//
//===----------------------------------------------------------------------===//

#include "GateTesting.h"

#include "girih/Conversion/TileToAmpere/Config.h"

#include "llvm/ADT/StringExtras.h"

using namespace girih;
using namespace girih::testing;

namespace {

class AmpereGate : public PtxasGate {};

} // namespace

/// mma instructions of a kernel: each is 16 of what is summed over for 8 columns.
static int64_t productsOf(const GateCase &gate, const CudaCode &code) {
  int64_t vDim = gate.options.vDim ? gate.options.vDim : gate.options.headDim;
  int64_t depth = (gate.options.headDim + 15) / 16;
  // Tiles are padded to 16 columns, but one that is as narrow as a product.
  int64_t width = vDim == 8 ? 1 : (vDim + 15) / 16 * 2;
  int64_t keys = code.desc.base.tile_k / 16;
  return depth * 2 * keys + keys * width;
}

/// What ptxas may say of a kernel; empty for all but one.
static llvm::StringRef toleratedComplaint(llvm::StringRef name) {
  // Three words a thread, beside the products; never timed.
  if (name == "sm_80_d64_softcap")
    return "8 bytes stack frame, 12 bytes spill stores, 12 bytes spill loads";
  return "";
}

TEST_P(AmpereGate, PtxasHasNoComplaints) {
  const GateCase &gate = GetParam();
  auto session = Session::create(SessionOptions::uncached());
  ASSERT_TRUE(bool(session)) << llvm::toString(session.takeError());
  auto compiled = (*session)->compileCuda(gate.pattern, gate.options);
  ASSERT_TRUE(bool(compiled)) << llvm::toString(compiled.takeError());
  const CudaCode &code = **compiled;
  EXPECT_FALSE(code.cubin.empty());
  EXPECT_EQ(llvm::join(code.complaints, "\n"), toleratedComplaint(gate.name));

  const ampere::Chip *chip = ampere::findChip(gate.options.chip);
  ASSERT_TRUE(chip);
  const GirihCudaKernelDesc &desc = code.desc;
  int64_t blocks = desc.blocks_per_multiprocessor;
  constexpr int64_t reserved = 1024; // of each block
  EXPECT_GT(desc.shared_bytes, 0);
  EXPECT_LE(desc.shared_bytes, chip->sharedPerBlock);
  EXPECT_LE(blocks * (desc.shared_bytes + reserved), chip->sharedPerMultiprocessor);
  EXPECT_LE(blocks * desc.threads, chip->threadsPerMultiprocessor);
  EXPECT_EQ(desc.threads, desc.base.tile_q * 2); // a warp for 16 query rows
  EXPECT_EQ(desc.uses_tensor_maps, 0);

  EXPECT_EQ(countOf(code.ptx, ".target " + gate.options.chip + "\n"), 1);
  EXPECT_EQ(countOf(code.ptx, ".minnctapersm " + std::to_string(blocks) + "\n"), 1);
  EXPECT_EQ(countOf(code.ptx, "mma.sync.aligned.m16n8k16"), productsOf(gate, code));
  EXPECT_GE(countOf(code.ptx, "cp.async.cg.shared.global"), 5); // q, and k and v twice
  EXPECT_EQ(countOf(code.ptx, "wgmma"), 0);
}

TEST(AmpereConfig, EveryHeadDimFitsEveryChip) {
  for (const char *name : {"sm_80", "sm_86", "sm_89"})
    for (int64_t dim = 1; dim <= 256; dim += 5)
      for (int64_t vDim = 1; vDim <= 256; vDim += 5) {
        ampere::Config config;
        config.dim = dim;
        config.vDim = vDim;
        config = ampere::chooseTiles(*ampere::findChip(name), config);
        EXPECT_LE(config.sharedBytes(), ampere::findChip(name)->sharedPerBlock)
            << name << " " << dim << " " << vDim;
        EXPECT_LE(config.registers(), 255) << name << " " << dim << " " << vDim;
        EXPECT_GE(config.tileK, 32) << name << " " << dim << " " << vDim;
      }
  EXPECT_EQ(ampere::findChip("sm_90a"), nullptr);
}

/// Eight rows of one column are in eight places of 16 bytes, modulo the 128 bytes
/// of all banks: what ldmatrix reads at once meets no conflict.
TEST(AmpereConfig, SwizzleHasNoBankConflicts) {
  for (int64_t columns = 1; columns <= 256; ++columns) {
    ampere::TileShape shape{64, columns};
    int64_t bits = shape.swizzleBits();
    for (int64_t column = 0; column != shape.pieces(); ++column) {
      unsigned banks = 0;
      for (int64_t row = 0; row != 8; ++row) {
        int64_t flipped = column ^ (row >> (3 - bits) & ((1 << bits) - 1));
        EXPECT_LT(flipped, shape.pieces());
        banks |= 1u << (row * shape.pieces() + flipped) % 8;
      }
      EXPECT_EQ(banks, 0xffu) << columns << " columns, column " << column;
    }
  }
}

//===----------------------------------------------------------------------===//
// Cases
//===----------------------------------------------------------------------===//

static CompileOptions optionsFor(const char *chip, int64_t dim, GirihDType dtype = GIRIH_BF16) {
  CompileOptions options;
  options.chip = chip;
  options.headDim = dim;
  options.dtype = dtype;
  return options;
}

static std::vector<GateCase> headDimCases() {
  std::vector<GateCase> cases;
  for (const char *chip : {"sm_80", "sm_86", "sm_89"})
    for (int64_t dim : {64, 96, 128, 192, 256}) {
      // Types and masks take turns: neither changes what a chip holds.
      bool isHalf = (dim / 32 + cases.size()) % 2;
      cases.push_back({std::string(chip) + "_d" + std::to_string(dim) + (isHalf ? "_f16" : "_bf16"),
                       isHalf ? full() : causal() & window(1023),
                       optionsFor(chip, dim, isHalf ? GIRIH_F16 : GIRIH_BF16)});
    }
  cases.push_back({"sm_80_d192x128_bf16", causal(), optionsFor("sm_80", 192)});
  cases.back().options.vDim = 128;
  // Head dims that fill no 16 columns of a product.
  cases.push_back({"sm_86_d72_f16", causal(), optionsFor("sm_86", 72, GIRIH_F16)});
  cases.push_back({"sm_80_d8_bf16", full(), optionsFor("sm_80", 8)});
  struct {
    const char *chip;
    int64_t dim, vDim;
  } padded[] = {{"sm_80", 20, 20},
                {"sm_86", 1, 8},
                {"sm_80", 100, 100},
                {"sm_89", 129, 33},
                {"sm_86", 250, 250}};
  for (auto [chip, dim, vDim] : padded) {
    cases.push_back({std::string(chip) + "_d" + std::to_string(dim) + "x" + std::to_string(vDim),
                     causal(), optionsFor(chip, dim)});
    cases.back().options.vDim = vDim;
  }
  return cases;
}

static std::vector<GateCase> patternCases() {
  Pattern bigbird = blockwise(window(1, 1) | global(1, 1), 64) | randomBlocks(64, 3, 0);
  Pattern divided = predicate(
      [](Index, Index, Index q, Index k) { return q >= k && (q - k < 700 || k / 96 % 5 == 2); });
  Pattern product = predicate([](Index, Index h, Index q, Index k) {
    return q >= k && q - k <= 64 * (h + 1) && (q * k) % 7 != 3;
  });
  // Arrays that masks look up: documents, and blocks chosen for each head.
  Table ids("ids", std::vector<int64_t>(4096, 0), {1, 4096});
  Table chosen("chosen", std::vector<int64_t>(64 * 64, 1), {1, 64, 64});
  Pattern documents =
      predicate([=](Index b, Index, Index q, Index k) { return q >= k && ids(b, q) == ids(b, k); });
  Pattern choice =
      predicate([=](Index, Index h, Index q, Index k) { return chosen(h, q / 64, k / 64) != 0; });
  struct {
    const char *name;
    Pattern pattern;
  } patterns[] = {
      {"full", full()},
      {"longformer", window(256, 256) | global(16)},
      {"bigbird", bigbird},
      {"segments", causal() & segments({0, 700, 1000, 4096})},
      {"block_table", causal() & blockTable(64, {0, 1, 3}, {0, 0, 1})},
      {"divided", divided},
      {"product", product},
      {"documents", documents},
      {"choice", choice},
  };
  std::vector<GateCase> cases;
  for (auto [chip, dim] :
       {std::pair("sm_80", 64), std::pair("sm_86", 128), std::pair("sm_80", 256)})
    for (auto &[name, pattern] : patterns)
      cases.push_back({std::string(chip) + "_d" + std::to_string(dim) + "_" + name, pattern,
                       optionsFor(chip, dim)});
  return cases;
}

static std::vector<GateCase> scoreCases() {
  std::vector<GateCase> cases;
  for (auto [chip, dim] : {std::pair("sm_80", 64), std::pair("sm_86", 128)})
    for (auto &[name, score] : typicalScores()) {
      cases.push_back({std::string(chip) + "_d" + std::to_string(dim) + "_" + name, causal(),
                       optionsFor(chip, dim)});
      cases.back().options.score = score;
    }
  return cases;
}

static std::string nameOf(const ::testing::TestParamInfo<GateCase> &info) {
  return info.param.name;
}

INSTANTIATE_TEST_SUITE_P(HeadDims, AmpereGate, ::testing::ValuesIn(headDimCases()), nameOf);
INSTANTIATE_TEST_SUITE_P(Patterns, AmpereGate, ::testing::ValuesIn(patternCases()), nameOf);
INSTANTIATE_TEST_SUITE_P(Scores, AmpereGate, ::testing::ValuesIn(scoreCases()), nameOf);
