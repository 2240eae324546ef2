//===- HopperGateTest.cpp - What ptxas says of every kind of kernel -------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A kernel that spills, or whose products ptxas has serialised, gives the right
// numbers and is several times too slow; only ptxas's remarks tell. So each
// configuration of head dims, and patterns of every kind, are compiled for Hopper
// here and the remarks must be none. Needs ptxas, but no GPU.
//
//===----------------------------------------------------------------------===//

#include "girih/JIT/Session.h"
#include "girih/Support/Error.h"
#include "girih/Target/Ptxas.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Builders.h"
#include "llvm/ADT/StringExtras.h"

#include "gtest/gtest.h"

#include <ostream>

using namespace girih;
namespace arith = mlir::arith;

namespace {

struct GateCase {
  std::string name;
  Pattern pattern;
  CompileOptions options;
};

void PrintTo(const GateCase &gate, std::ostream *os) { *os << gate.name; }

/// Most shared memory that a block of sm_90 may ask for.
constexpr int64_t sharedLimit = 227 * 1024;

class HopperGate : public ::testing::TestWithParam<GateCase> {
protected:
  void SetUp() override {
    auto ptxas = findPtxas();
    if (ptxas)
      return;
    GirihStatus status = takeStatus(ptxas.takeError());
    ASSERT_EQ(status.code, GIRIH_UNSUPPORTED) << status.message;
    GTEST_SKIP() << "the gate needs ptxas: " << status.message;
  }
};

} // namespace

/// Every place of `word` in `text`.
static int64_t countOf(llvm::StringRef text, llvm::StringRef word) {
  return static_cast<int64_t>(text.count(word));
}

/// wgmma instructions of a kernel. The loop over tiles is turned by one tile, so
/// both products are there twice: scores before it and in it, output in it and
/// behind it. Each has one instruction for 16 of what it sums over.
static int64_t productsOf(const GateCase &gate, const CudaCode &code) {
  int64_t depth = (gate.options.headDim + 15) / 16, keys = code.desc.base.tile_k / 16;
  return 2 * depth + 2 * keys;
}

TEST_P(HopperGate, PtxasHasNoComplaints) {
  const GateCase &gate = GetParam();
  auto session = Session::create();
  ASSERT_TRUE(bool(session)) << llvm::toString(session.takeError());
  auto compiled = (*session)->compileCuda(gate.pattern, gate.options);
  ASSERT_TRUE(bool(compiled)) << llvm::toString(compiled.takeError());
  const CudaCode &code = **compiled;
  EXPECT_FALSE(code.cubin.empty());
  EXPECT_EQ(llvm::join(code.complaints, "\n"), "");

  const GirihCudaKernelDesc &desc = code.desc;
  EXPECT_GT(desc.shared_bytes, 0);
  EXPECT_LE(desc.shared_bytes, sharedLimit);
  // A producer, and a warpgroup for every 64 query rows.
  EXPECT_EQ(desc.threads, 128 * (desc.base.tile_q / 64 + 1));

  EXPECT_EQ(countOf(code.ptx, "wgmma.mma_async"), productsOf(gate, code));
  EXPECT_EQ(countOf(code.ptx, ".entry "), 1);
  EXPECT_GE(countOf(code.ptx, "setmaxnreg.inc"), 1);
  EXPECT_GE(countOf(code.ptx, "setmaxnreg.dec"), 1);
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

static std::vector<GateCase> headDimCases() {
  struct {
    int64_t dim, vDim;
  } dims[] = {{64, 64}, {80, 80}, {96, 96}, {128, 128}, {192, 192}, {192, 128}, {256, 256}};
  std::vector<GateCase> cases;
  for (auto [dim, vDim] : dims)
    for (GirihDType dtype : {GIRIH_BF16, GIRIH_F16})
      for (bool isCausal : {false, true})
        cases.push_back({"d" + std::to_string(dim) + "x" + std::to_string(vDim) +
                             (dtype == GIRIH_BF16 ? "_bf16_" : "_f16_") +
                             (isCausal ? "causal" : "full"),
                         isCausal ? causal() : full(), optionsFor(dim, vDim, dtype)});
  return cases;
}

//===----------------------------------------------------------------------===//
// Patterns
//===----------------------------------------------------------------------===//

/// score + (k - q) 2^-(h + 1)
static mlir::Value alibi(mlir::OpBuilder &b, mlir::Location loc, mlir::ValueRange in) {
  auto toReal = [&](mlir::Value index) -> mlir::Value {
    mlir::Value narrow = arith::IndexCastOp::create(b, loc, b.getI32Type(), index);
    return arith::SIToFPOp::create(b, loc, b.getF32Type(), narrow);
  };
  mlir::Value minusOne = arith::ConstantOp::create(b, loc, b.getF32FloatAttr(-1));
  mlir::Value slope = mlir::math::Exp2Op::create(
      b, loc, arith::SubFOp::create(b, loc, minusOne, toReal(in[2])).getResult());
  mlir::Value distance = toReal(arith::SubIOp::create(b, loc, in[4], in[3]));
  mlir::Value bias = arith::MulFOp::create(b, loc, distance, slope);
  return arith::AddFOp::create(b, loc, in[0], bias);
}

static std::vector<GateCase> patternCases() {
  Pattern longformer = window(256, 256) | global(16);
  Pattern bigbird = blockwise(window(1, 1) | global(1, 1), 64) | randomBlocks(64, 3, 0);
  // Division by a number that is no power of two, and a product of variables.
  Pattern divided = predicate(
      [](Index, Index, Index q, Index k) { return q >= k && (q - k < 700 || k / 96 % 5 == 2); });
  Pattern product = predicate([](Index, Index h, Index q, Index k) {
    return q >= k && q - k <= 64 * (h + 1) && (q * k) % 7 != 3;
  });
  struct {
    const char *name;
    Pattern pattern;
    ScoreBuilder score;
  } patterns[] = {
      {"causal_window", causal() & window(1023), {}},
      {"window", window(256, 256), {}},
      {"sinks", causal() & (window(1023) | globalColumns(4)), {}},
      {"longformer", longformer, {}},
      {"bigbird", bigbird, {}},
      {"dilated", dilated(64, 64, 4), {}},
      {"strided", causal() & (window(127) | strided(128)), {}},
      {"fixed", causal() & (chunk(128) | columns(128, 120, 128)), {}},
      {"segments", causal() & segments({0, 700, 1000, 4096}), {}},
      {"random_blocks", randomBlocks(64, 4, 1), {}},
      {"block_table", causal() & blockTable(64, {0, 1, 3}, {0, 0, 1}), {}},
      {"neighborhood", neighborhood({64, 64}, {7, 9}), {}},
      {"heads", heads({HeadRange{0, 7, causal()}, HeadRange{8, 15, causal() & window(511)}}), {}},
      {"divided", divided, {}},
      {"product", product, {}},
      {"alibi", causal(), alibi},
  };
  std::vector<GateCase> cases;
  for (int64_t dim : {64, 128})
    for (auto &[name, pattern, score] : patterns) {
      cases.push_back({"d" + std::to_string(dim) + "_" + name, pattern, optionsFor(dim)});
      cases.back().options.score = score;
    }
  return cases;
}

static std::string nameOf(const ::testing::TestParamInfo<GateCase> &info) {
  return info.param.name;
}

INSTANTIATE_TEST_SUITE_P(HeadDims, HopperGate, ::testing::ValuesIn(headDimCases()), nameOf);
INSTANTIATE_TEST_SUITE_P(Patterns, HopperGate, ::testing::ValuesIn(patternCases()), nameOf);
