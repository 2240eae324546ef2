//===- CudaTest.cpp - Compiling for Hopper, without a GPU -----------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "JitTesting.h"

#include "girih/Support/Error.h"
#include "girih/Target/Ptxas.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/Support/FileSystem.h"

using namespace girih;
using namespace girih::testing;

namespace {

class CudaCompile : public ::testing::Test {
protected:
  void SetUp() override {
    options.dtype = GIRIH_BF16;
    ASSERT_FALSE(llvm::sys::fs::createUniqueDirectory("girih-test", folder));
  }
  void TearDown() override { llvm::sys::fs::remove_directories(folder); }

  /// A session of its own with the disk cache of the test.
  std::shared_ptr<const CudaCode> compile(const Pattern &pattern, bool &hit) {
    SessionOptions settings;
    settings.cacheDir = std::string(folder);
    auto session = Session::create(settings);
    if (!session) {
      ADD_FAILURE() << llvm::toString(session.takeError());
      return nullptr;
    }
    auto code = (*session)->compileCuda(pattern, options, &hit);
    if (!code) {
      ADD_FAILURE() << llvm::toString(code.takeError());
      return nullptr;
    }
    EXPECT_EQ((*session)->compilations(), hit ? 0 : 1);
    return *code;
  }

  /// Only machine code is kept on disk: PTX alone would save little.
  static bool hasPtxas() { return !llvm::errorToBool(checkPtxas("sm_90a")); }

  CompileOptions options;
  llvm::SmallString<128> folder;
};

} // namespace

TEST_F(CudaCompile, DiskCacheGivesTheSameKernel) {
  if (!hasPtxas())
    GTEST_SKIP() << "machine code needs ptxas, and there is none";
  // One size of block each: 64 has three warpgroups.
  for (int64_t dim : {64, 128}) {
    options.headDim = dim;
    bool hit = true;
    auto first = compile(causal() & window(99), hit);
    ASSERT_TRUE(first);
    EXPECT_FALSE(hit);
    EXPECT_FALSE(first->cubin.empty());
    EXPECT_FALSE(first->ptx.empty());
    auto second = compile(causal() & window(99), hit);
    ASSERT_TRUE(second);
    EXPECT_TRUE(hit);
    EXPECT_TRUE(second->cubin == first->cubin);
    EXPECT_TRUE(second->ptx.empty());
    const GirihCudaKernelDesc &a = first->desc, &b = second->desc;
    EXPECT_EQ(b.threads, a.threads);
    EXPECT_EQ(b.shared_bytes, a.shared_bytes);
    EXPECT_EQ(b.box_q, a.box_q);
    EXPECT_EQ(b.box_k, a.box_k);
    EXPECT_EQ(b.box_cols, a.box_cols);
    EXPECT_EQ(b.blocks_per_multiprocessor, a.blocks_per_multiprocessor);
    EXPECT_EQ(b.uses_tensor_maps, a.uses_tensor_maps);
    EXPECT_STREQ(b.function, a.function);
    EXPECT_STREQ(b.merge_function, a.merge_function);
    EXPECT_STREQ(b.copy_function, a.copy_function);
    EXPECT_EQ(b.store_bytes, a.store_bytes);
    EXPECT_EQ(b.base.o_dtype, a.base.o_dtype);
    EXPECT_EQ(b.base.tile_q, a.base.tile_q);
    EXPECT_EQ(b.base.tile_k, a.base.tile_k);
    EXPECT_TRUE(b.base.map);
    // Another pattern is another kernel.
    ASSERT_TRUE(compile(causal() & window(100), hit));
    EXPECT_FALSE(hit);
  }
}

TEST_F(CudaCompile, DiskEntriesOfTheCpuAreOthers) {
  options.headDim = 64;
  SessionOptions settings;
  settings.cacheDir = std::string(folder);
  auto session = Session::create(settings);
  ASSERT_TRUE(bool(session)) << llvm::toString(session.takeError());
  ASSERT_TRUE(girih::testing::compile(**session, causal(), options));
  bool hit = true;
  ASSERT_TRUE(compile(causal(), hit));
  EXPECT_FALSE(hit);
}

TEST_F(CudaCompile, OutputsAreOfTheInputsTypeOrF32) {
  auto session = makeSession();
  for (auto [chip, dim] :
       {std::pair("sm_90a", 64), std::pair("sm_90a", 20), std::pair("sm_80", 64)}) {
    options.chip = chip;
    options.headDim = dim;
    options.oDtype.reset();
    auto same = session->compileCuda(causal(), options);
    ASSERT_TRUE(bool(same)) << llvm::toString(same.takeError());
    EXPECT_EQ((*same)->desc.base.o_dtype, options.dtype);
    EXPECT_EQ((*same)->desc.store_bytes, dim == 64 ? 8 : 4);
    options.oDtype = GIRIH_F32;
    auto wide = session->compileCuda(causal(), options);
    ASSERT_TRUE(bool(wide)) << llvm::toString(wide.takeError());
    EXPECT_EQ((*wide)->desc.base.o_dtype, GIRIH_F32);
    EXPECT_EQ((*wide)->desc.store_bytes, 8);
    EXPECT_NE((*wide)->id, (*same)->id);
    EXPECT_EQ((*wide)->complaints, std::vector<std::string>());
  }
}

TEST_F(CudaCompile, SessionsCompileOnce) {
  auto session = makeSession();
  bool hit = true;
  auto first = session->compileCuda(causal(), options, &hit);
  ASSERT_TRUE(bool(first)) << llvm::toString(first.takeError());
  EXPECT_FALSE(hit);
  auto second = session->compileCuda(causal(), options, &hit);
  ASSERT_TRUE(bool(second)) << llvm::toString(second.takeError());
  EXPECT_TRUE(hit);
  EXPECT_EQ(*first, *second);
  // f16 is another kernel.
  options.dtype = GIRIH_F16;
  auto third = session->compileCuda(causal(), options, &hit);
  ASSERT_TRUE(bool(third)) << llvm::toString(third.takeError());
  EXPECT_FALSE(hit);
  EXPECT_EQ(session->compilations(), 2);
}

TEST_F(CudaCompile, OperandValuesAreNotPartOfTheKey) {
  auto session = makeSession();
  auto first = session->compileCuda(segments({0, 30, 90}), options);
  ASSERT_TRUE(bool(first)) << llvm::toString(first.takeError());
  auto second = session->compileCuda(segments({0, 1, 50, 70}), options);
  ASSERT_TRUE(bool(second)) << llvm::toString(second.takeError());
  EXPECT_EQ(*first, *second);
}

TEST_F(CudaCompile, OptionsAreChecked) {
  struct {
    GirihDType dtype;
    int64_t dim, vDim;
    int code;
    std::vector<const char *> parts; ///< of the message
  } cases[] = {
      {GIRIH_F32, 64, 0, GIRIH_UNSUPPORTED, {"f32", "bf16, f16"}},
      {GIRIH_F16, 264, 0, GIRIH_UNSUPPORTED, {"264", "256"}},
      {GIRIH_F16, 0, 0, GIRIH_INVALID, {"dim 0", "at least 1"}},
  };
  auto session = makeSession();
  for (auto &bad : cases) {
    options.dtype = bad.dtype;
    options.headDim = bad.dim;
    options.vDim = bad.vDim;
    auto code = session->compileCuda(causal(), options);
    ASSERT_FALSE(bool(code)) << bad.dim;
    GirihStatus status = takeStatus(code.takeError());
    EXPECT_EQ(status.code, bad.code) << status.message;
    for (const char *part : bad.parts)
      EXPECT_NE(std::string(status.message).find(part), std::string::npos)
          << status.message << " has no " << part;
  }
  EXPECT_EQ(session->compilations(), 0);
}

TEST_F(CudaCompile, HeadDimsSayWhatIsStoredAtOnce) {
  auto session = makeSession();
  for (const char *chip : {"sm_90a", "sm_86"})
    for (auto [dim, vDim, bytes] : {std::tuple(33, 40, 8), std::tuple(7, 20, 4),
                                    std::tuple(64, 1, 2), std::tuple(12, 8, 8)}) {
      options.chip = chip;
      options.headDim = dim;
      options.vDim = vDim;
      auto code = session->compileCuda(causal(), options);
      ASSERT_TRUE(bool(code)) << llvm::toString(code.takeError());
      EXPECT_EQ((*code)->desc.store_bytes, bytes) << dim << " " << vDim;
      std::string copy = (*code)->desc.copy_function;
      EXPECT_EQ(copy.rfind("attention_copy_", 0), 0u) << copy;
      EXPECT_NE((*code)->ptx.find(".visible .entry " + copy + "("), std::string::npos);
      EXPECT_EQ((*code)->desc.base.head_dim, dim);
      EXPECT_EQ((*code)->desc.base.v_dim, vDim);
    }
}

TEST_F(CudaCompile, ChipsHaveKernelsOfTheirOwn) {
  auto session = makeSession();
  auto hopper = session->compileCuda(causal(), options);
  ASSERT_TRUE(bool(hopper)) << llvm::toString(hopper.takeError());
  options.chip = "sm_80";
  auto ampere = session->compileCuda(causal(), options);
  ASSERT_TRUE(bool(ampere)) << llvm::toString(ampere.takeError());
  EXPECT_NE(*hopper, *ampere);
  EXPECT_EQ((*hopper)->desc.uses_tensor_maps, 1);
  EXPECT_EQ((*ampere)->desc.uses_tensor_maps, 0);
  options.chip = "sm_100";
  auto unknown = session->compileCuda(causal(), options);
  ASSERT_FALSE(bool(unknown));
  GirihStatus status = takeStatus(unknown.takeError());
  EXPECT_EQ(status.code, GIRIH_UNSUPPORTED);
  EXPECT_STREQ(status.message,
               "chip 'sm_100' is not supported; supported: sm_80, sm_86, sm_89, sm_90a");
}
