//===- HopperGateTest.cpp - What ptxas says of every kind of kernel -------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A kernel that spills, or whose products ptxas has serialised, gives the right
// numbers and is several times too slow; only ptxas's remarks tell. So each
// configuration of head dims, and patterns of every kind at several tile sizes, are
// compiled for Hopper here and the remarks must be none (a few kernels, named in
// mostSpilled, may spill a little). What ptxas moves it does not remark on: the machine
// code is read for it. Needs ptxas, but no GPU.
//
//===----------------------------------------------------------------------===//

#include "GateTesting.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Object/ELFObjectFile.h"
#include "llvm/Support/Endian.h"

#include <algorithm>

using namespace girih;
using namespace girih::testing;

namespace {

/// Shared memory of sm_90: what a block may ask for, what the system takes of each
/// block besides, and what there is.
constexpr int64_t sharedLimit = 227 * 1024, sharedReserved = 1024;
constexpr int64_t sharedOfMultiprocessor = 228 * 1024;
constexpr int64_t registersOfMultiprocessor = 64 * 1024;

class HopperGate : public PtxasGate {};

} // namespace

/// wgmma instructions of a kernel. The loop over tiles is turned by one tile, so
/// both products are there twice: scores before it and in it, output in it and
/// behind it. Each has one instruction for 16 of what it sums over.
static int64_t productsOf(const GateCase &gate, const CudaCode &code) {
  int64_t depth = (gate.options.headDim + 15) / 16, keys = code.desc.base.tile_k / 16;
  return 2 * depth + 2 * keys;
}

/// The number behind each `word` in `text`, summed.
static int64_t sumBehind(llvm::StringRef text, llvm::StringRef word) {
  int64_t sum = 0;
  for (size_t at = text.find(word); at != llvm::StringRef::npos; at = text.find(word, at + 1)) {
    llvm::StringRef digits = text.drop_front(at + word.size()).ltrim();
    int64_t value = 0;
    digits.take_while(llvm::isDigit).getAsInteger(10, value);
    sum += value;
  }
  return sum;
}

/// The number before each `word` in `text`, summed.
static int64_t sumBefore(llvm::StringRef text, llvm::StringRef word) {
  int64_t sum = 0;
  for (size_t at = text.find(word); at != llvm::StringRef::npos; at = text.find(word, at + 1)) {
    llvm::StringRef head = text.take_front(at);
    int64_t value = 0;
    head.drop_front(head.rtrim("0123456789").size()).getAsInteger(10, value);
    sum += value;
  }
  return sum;
}

/// Bytes that a thread of a kernel may spill; 0 for all but a few, which are named.
/// Masks that look units up in a list, or multiply positions, are evaluated while an
/// output and its probabilities are in flight, and have loops or many values of their
/// own. They run on partial tiles only (the loop in TableBits.cpp, keyByKey in
/// PatternBits.cpp); but of what they displace, ptxas stores and reads back some ten
/// words on every tile, as it does of a sine's. What that costs has not been timed.
static int64_t mostSpilled(llvm::StringRef name) {
  static constexpr std::pair<llvm::StringLiteral, int64_t> known[] = {
      // Tables at 128 x 128; the tile that is chosen for blocks of 64 is 64 x 64.
      {"d128_128x128_bigbird", 160},
      {"d128_128x128_random_blocks", 160},
      {"d128_128x128_random_blocks_of_3", 160},
      {"d128_128x128_block_table", 160},
      {"d128_128x128_block_table_of_3", 160},
      {"d128_chosen_random_blocks_of_3", 160},
      // Three warpgroups have 160 registers a thread.
      {"d64_chosen_random_blocks_of_3", 256},
      {"d64_sine", 104},
      // (q k) mod 7 of each key: 64 residues.
      {"d128_128x128_product", 208},
  };
  for (auto [kernel, most] : known)
    if (name == kernel)
      return most;
  return 0;
}

/// Exponentials between the last wait for products and the product behind it, in the
/// loop over tiles. All of a tile's there means that the wait stands in front of the
/// softmax, and nothing overlaps with the second product of the tile before. -1 where
/// the machine code has no such loop.
static int64_t lateExponentials(const CudaCode &code) {
  // Instructions have 16 bytes. As nvdisasm shows them: the low 9 bits are the
  // opcode, WARPGROUP.DEPBAR is told from .ARRIVE by bit 47, and the number of products
  // that may be in flight is in the second word.
  constexpr uint64_t mufu = 0x108, hgmma = 0x1F0, warpgroup = 0x1C5, isWait = uint64_t{1} << 47;
  llvm::StringRef image(code.cubin.data(), code.cubin.size());
  auto elf = llvm::object::ObjectFile::createELFObjectFile(llvm::MemoryBufferRef(image, "cubin"));
  if (!elf) {
    llvm::consumeError(elf.takeError());
    return -1;
  }
  for (const llvm::object::SectionRef &section : (*elf)->sections()) {
    llvm::StringRef name = llvm::cantFail(section.getName());
    if (name != ".text." + code.function)
      continue;
    llvm::StringRef bytes = llvm::cantFail(section.getContents());
    bool isInLoop = false;
    int64_t exponentials = 0, late = -1;
    for (size_t at = 0; at + 16 <= bytes.size(); at += 16) {
      uint64_t low = llvm::support::endian::read64le(bytes.data() + at);
      uint64_t high = llvm::support::endian::read64le(bytes.data() + at + 8);
      uint64_t opcode = low & 0x1FF;
      if (opcode == mufu) {
        ++exponentials;
      } else if (opcode == warpgroup && (low & isWait)) {
        // Only the loop waits with a product in flight.
        isInLoop |= (high >> 8 & 0xFF) == 1;
        exponentials = 0;
      } else if (opcode == hgmma && isInLoop && late < 0) {
        late = exponentials;
      }
    }
    return late;
  }
  return -1;
}

TEST_P(HopperGate, PtxasHasNoComplaints) {
  const GateCase &gate = GetParam();
  auto session = Session::create(SessionOptions::uncached());
  ASSERT_TRUE(bool(session)) << llvm::toString(session.takeError());
  auto compiled = (*session)->compileCuda(gate.pattern, gate.options);
  ASSERT_TRUE(bool(compiled)) << llvm::toString(compiled.takeError());
  const CudaCode &code = **compiled;
  EXPECT_FALSE(code.cubin.empty());
  std::string complaints = llvm::join(code.complaints, "\n");
  if (int64_t most = mostSpilled(gate.name)) {
    EXPECT_LE(sumBefore(complaints, " bytes spill stores"), most) << complaints;
    EXPECT_EQ(countOf(complaints, "(C75"), 0) << complaints;
  } else {
    EXPECT_EQ(complaints, "");
  }

  const GirihCudaKernelDesc &desc = code.desc;
  if (gate.options.tileQ) {
    EXPECT_EQ(desc.base.tile_q, gate.options.tileQ);
    EXPECT_EQ(desc.base.tile_k, gate.options.tileK);
  }
  int64_t warpgroups = desc.base.tile_q / 64, blocks = desc.blocks_per_multiprocessor;
  EXPECT_GT(desc.shared_bytes, 0);
  EXPECT_LE(desc.shared_bytes, sharedLimit);
  EXPECT_GE(blocks, 1);
  EXPECT_LE(blocks * (desc.shared_bytes + sharedReserved), sharedOfMultiprocessor);
  // A producer, and a warpgroup for every 64 query rows.
  EXPECT_EQ(desc.threads, 128 * (warpgroups + 1));
  // Each role says once how many registers its threads have.
  EXPECT_EQ(countOf(code.ptx, "setmaxnreg."), 2);
  int64_t load = sumBehind(code.ptx, "setmaxnreg.dec.sync.aligned.u32");
  int64_t compute = sumBehind(code.ptx, "setmaxnreg.inc.sync.aligned.u32");
  EXPECT_GE(load, 24);
  EXPECT_GT(compute, load);
  EXPECT_LE(blocks * 128 * (load + warpgroups * compute), registersOfMultiprocessor);

  EXPECT_EQ(lateExponentials(code), 0);
  EXPECT_EQ(countOf(code.ptx, "wgmma.mma_async"), productsOf(gate, code));
  EXPECT_EQ(countOf(code.ptx, ".entry "), 3); // and those that merge parts and copy
  EXPECT_GE(countOf(code.ptx, "mbarrier.try_wait.parity"), 1);
  EXPECT_GE(countOf(code.ptx, "cp.async.bulk.tensor.4d"), 3); // q, k and v
}

//===----------------------------------------------------------------------===//
// Head dims
//===----------------------------------------------------------------------===//

static CompileOptions optionsFor(int64_t dim, int64_t vDim = 0, GirihDType dtype = GIRIH_BF16) {
  CompileOptions options;
  options.headDim = dim;
  options.vDim = vDim;
  options.dtype = dtype;
  return options;
}

/// Head dims that are no multiple of 16 bytes are padded; their outputs are stored in
/// words or halves of words.
static std::vector<GateCase> paddedCases() {
  struct {
    int64_t dim, vDim;
  } dims[] = {{1, 1}, {20, 20}, {33, 7}, {100, 100}, {36, 100}, {100, 36}, {129, 129}, {250, 250}};
  std::vector<GateCase> cases;
  for (auto [dim, vDim] : dims) {
    GirihDType dtype = cases.size() % 2 ? GIRIH_F16 : GIRIH_BF16;
    cases.push_back({"d" + std::to_string(dim) + "x" + std::to_string(vDim),
                     causal() & window(1000), optionsFor(dim, vDim, dtype)});
  }
  return cases;
}

/// Tiles of the size that is chosen for them. f16 is compiled like bf16 but for the
/// types of instructions.
static std::vector<GateCase> headDimCases() {
  struct {
    int64_t dim, vDim;
  } dims[] = {{64, 64}, {80, 80}, {96, 96}, {128, 128}, {192, 192}, {192, 128}, {256, 256}};
  std::vector<GateCase> cases;
  for (auto [dim, vDim] : dims) {
    std::string name = "d" + std::to_string(dim) + "x" + std::to_string(vDim);
    cases.push_back({name + "_bf16_full", full(), optionsFor(dim, vDim)});
    cases.push_back({name + "_bf16_causal", causal(), optionsFor(dim, vDim)});
    cases.push_back({name + "_f16_causal", causal(), optionsFor(dim, vDim, GIRIH_F16)});
  }
  return cases;
}

//===----------------------------------------------------------------------===//
// Patterns
//===----------------------------------------------------------------------===//

static std::vector<GateCase> patternCases() {
  Pattern longformer = window(256, 256) | global(16);
  Pattern bigbird = blockwise(window(1, 1) | global(1, 1), 64) | randomBlocks(64, 3, 0);
  // Division by a number that is no power of two, and a product of variables.
  Pattern divided = predicate(
      [](Index, Index, Index q, Index k) { return q >= k && (q - k < 700 || k / 96 % 5 == 2); });
  Pattern product = predicate([](Index, Index h, Index q, Index k) {
    return q >= k && q - k <= 64 * (h + 1) && (q * k) % 7 != 3;
  });
  // Arrays that masks look up: documents, blocks chosen for each head, a clamped distance.
  Table ids("ids", std::vector<int64_t>(4096, 0), {1, 4096});
  Table chosen("chosen", std::vector<int64_t>(64 * 64, 1), {1, 64, 64});
  Table reach("reach", std::vector<int64_t>(64, 1));
  Pattern documents =
      predicate([=](Index b, Index, Index q, Index k) { return q >= k && ids(b, q) == ids(b, k); });
  Pattern choice =
      predicate([=](Index, Index h, Index q, Index k) { return chosen(h, q / 64, k / 64) != 0; });
  Pattern distance = predicate([=](Index, Index, Index q, Index k) {
    return q >= k && q - k <= reach(min(max(q / 64 - k / 64, 0), 63));
  });
  // Each of 1001 blocks of three tokens keeps its own column and its left neighbour.
  std::vector<int64_t> indptr{0}, indices;
  for (int64_t row = 0; row != 1001; ++row) {
    for (int64_t block = std::max<int64_t>(row - 1, 0); block <= row; ++block)
      indices.push_back(block);
    indptr.push_back(static_cast<int64_t>(indices.size()));
  }
  struct {
    const char *name;
    Pattern pattern;
  } patterns[] = {
      {"causal", causal()},
      {"causal_window", causal() & window(1023)},
      {"window", window(256, 256)},
      {"sinks", causal() & (window(1023) | globalColumns(4))},
      {"longformer", longformer},
      {"bigbird", bigbird},
      {"dilated", dilated(64, 64, 4)},
      {"strided", causal() & (window(127) | strided(128))},
      {"fixed", causal() & (chunk(128) | columns(128, 120, 128))},
      {"segments", causal() & segments({0, 700, 1000, 4096})},
      {"random_blocks", randomBlocks(64, 4, 1)},
      {"random_blocks_of_3", causal() & randomBlocks(3, 40, 1)},
      {"block_table", causal() & blockTable(64, {0, 1, 3}, {0, 0, 1})},
      {"block_table_of_3", blockTable(3, indptr, indices)},
      {"neighborhood", neighborhood({64, 64}, {7, 9})},
      {"heads", heads({HeadRange{0, 7, causal()}, HeadRange{8, 15, causal() & window(511)}})},
      {"divided", divided},
      {"product", product},
      {"documents", documents},
      {"choice", choice},
      {"distance", distance},
  };
  constexpr llvm::StringLiteral scattered[] = {
      "bigbird",     "dilated",          "random_blocks", "random_blocks_of_3",
      "block_table", "block_table_of_3", "neighborhood",  "divided",
      "product",     "documents",        "choice",        "distance"};
  // Zeros: the tile that is chosen.
  struct {
    int64_t dim, tileQ, tileK;
  } tilings[] = {{64, 0, 0},    {128, 0, 0},    {64, 64, 64},
                 {128, 64, 64}, {128, 128, 64}, {128, 128, 128}};
  std::vector<GateCase> cases;
  for (auto [dim, tileQ, tileK] : tilings)
    for (auto &[name, pattern] : patterns) {
      // Other patterns are at 128 x 128 already: it is what is chosen for them.
      if (tileQ == 128 && tileK == 128 && !llvm::is_contained(scattered, llvm::StringRef(name)))
        continue;
      std::string tile =
          tileQ ? std::to_string(tileQ) + "x" + std::to_string(tileK) : std::string("chosen");
      CompileOptions options = optionsFor(dim);
      options.tileQ = tileQ;
      options.tileK = tileK;
      cases.push_back({"d" + std::to_string(dim) + "_" + tile + "_" + name, pattern, options});
    }
  return cases;
}

static std::vector<GateCase> scoreCases() {
  std::vector<GateCase> cases;
  for (int64_t dim : {64, 128})
    for (auto &[name, score] : typicalScores()) {
      cases.push_back({"d" + std::to_string(dim) + "_" + name, causal(), optionsFor(dim)});
      cases.back().options.score = score;
    }
  return cases;
}

static std::string nameOf(const ::testing::TestParamInfo<GateCase> &info) {
  return info.param.name;
}

INSTANTIATE_TEST_SUITE_P(HeadDims, HopperGate, ::testing::ValuesIn(headDimCases()), nameOf);
INSTANTIATE_TEST_SUITE_P(PaddedHeadDims, HopperGate, ::testing::ValuesIn(paddedCases()), nameOf);
INSTANTIATE_TEST_SUITE_P(Patterns, HopperGate, ::testing::ValuesIn(patternCases()), nameOf);
INSTANTIATE_TEST_SUITE_P(Scores, HopperGate, ::testing::ValuesIn(scoreCases()), nameOf);
