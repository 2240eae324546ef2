//===- LaunchTest.cpp - Launches of DLPack tensors on the CPU -------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CapiTesting.h"

#include "girih/Frontend/Parser.h"
#include "girih/Reference/Attention.h"
#include "girih/Reference/Tolerance.h"

using namespace girih::testing;

namespace {

/// Compares the contiguous outputs of a problem with the reference.
::testing::AssertionResult isRight(const CpuProblem &problem, const std::string &pattern,
                                   double scale) {
  girih::AttentionProblem reference;
  reference.pattern = girih::parsePattern(pattern).pattern;
  reference.shape =
      girih::makeShape(problem.qShape[2], problem.kShape[2], problem.qShape[1], false);
  reference.batch = problem.qShape[0];
  reference.kvHeads = problem.kShape[1];
  reference.dim = reference.vDim = problem.qShape[3];
  reference.scale = scale;
  reference.q = problem.qData.data();
  reference.k = problem.kData.data();
  reference.v = problem.vData.data();
  girih::AttentionResult expected = girih::referenceAttention(reference, girih::allRows(reference));
  girih::Comparison comparison =
      girih::compare(problem.oData.data(), expected.out.data(),
                     static_cast<int64_t>(problem.oData.size()), problem.lseData.data(),
                     expected.lse.data(), static_cast<int64_t>(problem.lseData.size()), GIRIH_F32);
  if (comparison.good)
    return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "relative error " << comparison.relError;
}

} // namespace

TEST(Launch, ComputesAttention) {
  SessionHandle session = makeSession();
  const std::string text = "causal & window(left=20)";
  KernelHandle kernel = compile(session, parse(session, text));
  for (int64_t tokens : {1, 63, 64, 150}) {
    CpuProblem problem(2, 4, 2, tokens, tokens + 7);
    GirihAttentionReport report{};
    report.size = sizeof(report);
    ASSERT_EQ("OK", problem.launch(kernel, &report));
    EXPECT_TRUE(isRight(problem, text, 0.25));
    EXPECT_EQ(0, report.map_cached);
    EXPECT_GT(report.map_ms, 0);
    EXPECT_GT(report.workspace_bytes, 0);
    EXPECT_EQ(0, report.copied_bytes);
    problem.args.scale = 0.5f;
    ASSERT_EQ("OK", problem.launch(kernel, &report));
    EXPECT_TRUE(isRight(problem, text, 0.5));
    EXPECT_EQ(1, report.map_cached);
    EXPECT_EQ(sizeof(report), report.size);
  }
  EXPECT_EQ(1, girihSessionCompilations(session.get()));
}

TEST(Launch, KeepsMapsOfTheLengthsUsedLast) {
  SessionHandle session = makeSession();
  KernelHandle kernel = compile(session, parse(session, "causal"));
  auto cached = [&](int64_t tokens) {
    CpuProblem problem(1, 1, 1, tokens, tokens);
    GirihAttentionReport report{};
    report.size = sizeof(report);
    EXPECT_EQ("OK", problem.launch(kernel, &report));
    return report.map_cached == 1;
  };
  for (int64_t tokens = 1; tokens != 16; ++tokens)
    EXPECT_FALSE(cached(tokens));
  for (int64_t tokens = 1; tokens != 16; ++tokens)
    EXPECT_TRUE(cached(tokens));
  for (int64_t tokens = 20; tokens != 40; ++tokens)
    EXPECT_FALSE(cached(tokens));
  EXPECT_FALSE(cached(1));
}

TEST(Launch, TakesStridesAndOffsets) {
  // [batch, tokens, heads, dim] in memory, seen as [batch, heads, tokens, dim].
  SessionHandle session = makeSession();
  KernelHandle kernel = compile(session, parse(session, "causal"));
  constexpr int64_t heads = 3, tokens = 70, dim = 16;
  CpuProblem plain(1, heads, heads, tokens, tokens), strided(1, heads, heads, tokens, tokens);
  ASSERT_EQ("OK", plain.launch(kernel));
  int64_t strides[] = {heads * tokens * dim, dim, heads * dim, 1};
  std::vector<std::vector<float>> memory;
  memory.reserve(4);
  const std::vector<float> *sources[] = {&plain.qData, &plain.kData, &plain.vData, &plain.oData};
  DLTensor *tensors[] = {&strided.q, &strided.k, &strided.v, &strided.o};
  constexpr int64_t shift = 5; // elements in front
  for (int i = 0; i != 4; ++i) {
    std::vector<float> &data = memory.emplace_back(shift + heads * tokens * dim, NAN);
    if (i != 3)
      for (int64_t h = 0; h != heads; ++h)
        for (int64_t n = 0; n != tokens; ++n)
          for (int64_t d = 0; d != dim; ++d)
            data[static_cast<size_t>(shift + n * strides[2] + h * strides[1] + d)] =
                (*sources[i])[static_cast<size_t>((h * tokens + n) * dim + d)];
    tensors[i]->data = data.data();
    tensors[i]->byte_offset = shift * sizeof(float);
    tensors[i]->strides = strides;
  }
  ASSERT_EQ("OK", strided.launch(kernel));
  for (int64_t h = 0; h != heads; ++h)
    for (int64_t n = 0; n != tokens; ++n)
      for (int64_t d = 0; d != dim; ++d)
        ASSERT_EQ(plain.oData[static_cast<size_t>((h * tokens + n) * dim + d)],
                  memory[3][static_cast<size_t>(shift + n * strides[2] + h * strides[1] + d)]);
  EXPECT_EQ(plain.lseData, strided.lseData);
  EXPECT_TRUE(std::isnan(memory[3][0]));
}

TEST(Launch, ExtentsOfOneHaveAnyStride) {
  SessionHandle session = makeSession();
  KernelHandle kernel = compile(session, parse(session, "full"));
  CpuProblem problem(1, 1, 1, 30, 30);
  int64_t strides[] = {-7, 1 << 20, 16, 1};
  for (DLTensor *tensor : {&problem.q, &problem.k, &problem.v, &problem.o})
    tensor->strides = strides;
  ASSERT_EQ("OK", problem.launch(kernel));
  EXPECT_TRUE(isRight(problem, "full", 0.25));
}

namespace {

/// A launch that is right but for what a test changes.
class ChangedLaunch : public ::testing::Test {
protected:
  template <typename Change> std::string with(Change change) {
    CpuProblem problem(1, 2, 2, 20, 20);
    change(problem);
    return problem.launch(kernel);
  }

  SessionHandle session = makeSession();
  KernelHandle kernel = compile(session, parse(session, "causal"));
};

} // namespace

TEST_F(ChangedLaunch, NamesWhatIsWrong) {
  int64_t shape[] = {1, 2, 21, 16}, huge[] = {int64_t{1} << 40, int64_t{1} << 40, 20, 16};
  int64_t repeated[] = {640, 0, 16, 1}, columns[] = {640, 320, 1, 20}, apart[] = {100, 50, 2};
  EXPECT_EQ("2: expected k, but got null", with([](CpuProblem &p) { p.args.k = nullptr; }));
  EXPECT_EQ("2: expected q to have 4 dimensions [batch, heads, tokens, dim], but got 3",
            with([](CpuProblem &p) { p.q.ndim = 3; }));
  EXPECT_EQ("2: expected v to have dtype float32, as the kernel has, but got float64",
            with([](CpuProblem &p) { p.v.dtype.bits = 64; }));
  EXPECT_EQ("2: expected k to have dtype float32, as the kernel has, but got bfloat16",
            with([](CpuProblem &p) { p.k.dtype = {kDLBfloat, 16, 1}; }));
  EXPECT_EQ("2: expected q to have dtype float32, as the kernel has, but got float32x4",
            with([](CpuProblem &p) { p.q.dtype.lanes = 4; }));
  EXPECT_EQ("2: expected o to be on the CPU, where the kernel runs, but got one on CUDA device 3",
            with([](CpuProblem &p) { p.o.device = {kDLCUDA, 3}; }));
  EXPECT_EQ("2: expected lse to be on the CPU, where the kernel runs, but got one on a device of "
            "DLPack's type 8",
            with([](CpuProblem &p) { p.lse.device = {kDLMetal, 0}; }));
  EXPECT_EQ("2: expected v to have data, but got null",
            with([](CpuProblem &p) { p.v.data = nullptr; }));
  EXPECT_EQ("2: expected the length of o to be 20, but got 21",
            with([&](CpuProblem &p) { p.o.shape = shape; }));
  EXPECT_EQ("2: expected o to have memory of its own for each element, but got stride 0 in "
            "dimension 1",
            with([&](CpuProblem &p) { p.o.strides = repeated; }));
  EXPECT_EQ("OK", with([&](CpuProblem &p) { p.k.strides = repeated; }));
  EXPECT_EQ("2: expected the innermost stride of q to be 1, but got 20",
            with([&](CpuProblem &p) { p.q.strides = columns; }));
  EXPECT_EQ("2: expected lse to be contiguous, stride 1 in dimension 2, but got 2",
            with([&](CpuProblem &p) { p.lse.strides = apart; }));
  EXPECT_EQ("2: expected lse to have batch, heads and tokens of q, [1, 2, 20], but got [1, 2, 21]",
            with([&](CpuProblem &p) { p.lse.shape = shape; }));
  EXPECT_EQ("2: expected lse to have 3 dimensions [batch, heads, tokens], but got 4",
            with([](CpuProblem &p) { p.lse.ndim = 4; }));
  EXPECT_EQ("2: expected threads of args to be from 0 to 4096, but got -1",
            with([](CpuProblem &p) { p.args.threads = -1; }));
  EXPECT_EQ("2: expected threads of args to be from 0 to 4096, but got 4097",
            with([](CpuProblem &p) { p.args.threads = 4097; }));
  EXPECT_EQ("2: expected reserved of args to be 0, but got 1",
            with([](CpuProblem &p) { p.args.reserved = 1; }));
  // Frameworks give tensors without elements no memory, and any strides.
  EXPECT_EQ("2: expected extent 2 of q to be positive, but got 0", with([&](CpuProblem &p) {
              p.qShape[2] = 0;
              p.q.data = nullptr;
              p.o.strides = repeated;
            }));
  EXPECT_EQ("2: expected scale to be finite, but got inf",
            with([](CpuProblem &p) { p.args.scale = INFINITY; }));
  EXPECT_EQ("2: expected the size of args to be at least 64, but got 8",
            with([](CpuProblem &p) { p.args.size = 8; }));
  EXPECT_EQ(
      "2: expected q to fit 64-bit offsets, but got shape 1099511627776 x 1099511627776 x 20 x 16",
      with([&](CpuProblem &p) {
        p.q.shape = huge;
        p.args.lse = nullptr;
      }));
  EXPECT_EQ(0u, with([](CpuProblem &p) { p.q.byte_offset = 2; })
                    .find("2: expected q to have data aligned to its elements of 4 bytes, but got "
                          "address 0x"));
  EXPECT_EQ("OK", with([](CpuProblem &p) { p.args.lse = nullptr; }));
  EXPECT_EQ("OK", with([](CpuProblem &p) { p.q.device = {kDLCUDAHost, 0}; }));

  GirihStatus status;
  CpuProblem problem(1, 1, 1, 5, 5);
  GirihAttentionReport report{};
  EXPECT_EQ("2: expected the size of report to be at least 32, but got 0",
            problem.launch(kernel, &report));
  EXPECT_TRUE(std::isnan(problem.oData[0]));
  EXPECT_EQ("2: expected a kernel, but got null",
            outcome(girihAttention(nullptr, &problem.args, nullptr, &status), status));
  EXPECT_EQ("2: expected args, but got null",
            outcome(girihAttention(kernel.get(), nullptr, nullptr, &status), status));
}

TEST_F(ChangedLaunch, WritesToMemoryThatNothingElseHas) {
  auto apart = [](const std::string &one, const std::string &other) {
    return "2: expected " + one + " and " + other +
           " to lie apart in memory, but got tensors that overlap";
  };
  EXPECT_EQ(apart("o", "q"), with([](CpuProblem &p) { p.o.data = p.q.data; }));
  EXPECT_EQ(apart("o", "k"), with([](CpuProblem &p) { p.o.data = p.k.data; }));
  // The last element of the one is the first of the other.
  EXPECT_EQ(apart("o", "v"), with([](CpuProblem &p) { p.o.data = &p.vData.back(); }));
  EXPECT_EQ(apart("o", "lse"), with([](CpuProblem &p) { p.lse.data = &p.oData[600]; }));
  EXPECT_EQ(apart("lse", "q"), with([](CpuProblem &p) { p.lse.data = &p.qData[3]; }));
  std::vector<float> both(4 * 640);
  EXPECT_EQ("OK", with([&](CpuProblem &p) {
              p.o.data = both.data();
              p.q.data = &both[640];
              p.lse.data = &both[1280];
            }));
  // Columns of one buffer, as of x[B, N, 4, H, D].
  int64_t columns[] = {4 * 640, 16, 4 * 32, 1};
  auto interleaved = [&](CpuProblem &p, int64_t column) {
    p.q.data = both.data();
    p.o.data = both.data() + column;
    p.q.strides = p.o.strides = columns;
  };
  EXPECT_EQ("OK", with([&](CpuProblem &p) { interleaved(p, 32); }));
  EXPECT_EQ("OK", with([&](CpuProblem &p) { interleaved(p, 96); }));
  EXPECT_EQ(apart("o", "q"), with([&](CpuProblem &p) { interleaved(p, 31); }));
  EXPECT_EQ(apart("o", "q"), with([&](CpuProblem &p) { interleaved(p, 128); }));
  int64_t sliding[] = {640, 320, 8, 1}, rows[] = {640, 16, 32, 1};
  EXPECT_EQ("2: expected o to have memory of its own for each element, but got stride 8 in "
            "dimension 2",
            with([&](CpuProblem &p) { p.o.strides = sliding; }));
  EXPECT_EQ("OK", with([&](CpuProblem &p) { p.o.strides = rows; }));
  // Backwards from the last row.
  int64_t back[] = {640, 320, -16, 1};
  EXPECT_EQ("OK", with([&](CpuProblem &p) {
              p.o.strides = back;
              p.o.data = &both[19 * 16];
              p.q.data = &both[640];
            }));
  EXPECT_EQ(apart("o", "q"), with([&](CpuProblem &p) {
              p.o.strides = back;
              p.o.data = &both[640 + 19 * 16];
              p.q.data = &both[1];
            }));
}
