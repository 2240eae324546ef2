//===- KernelTest.cpp - Compiling, emitting and rebinding -----------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CapiTesting.h"

#include <chrono>
#include <cstring>

using namespace girih::testing;

static std::string compileError(const SessionHandle &session, const PatternHandle &pattern,
                                const GirihCompileOptions &options) {
  GirihKernel *kernel = nullptr;
  GirihStatus status;
  std::string result = outcome(
      girihCompile(session.get(), pattern.get(), &options, &kernel, nullptr, &status), status);
  EXPECT_EQ(nullptr, kernel);
  return result;
}

TEST(Compile, OnceForAPatternAndItsOptions) {
  SessionHandle session = makeSession();
  int32_t hit = 7;
  KernelHandle first = compile(session, parse(session, "causal"), cpuOptions(), &hit);
  EXPECT_EQ(0, hit);
  EXPECT_GT(girihKernelCompileMs(first.get()), 0);
  KernelHandle second = compile(session, parse(session, "causal"), cpuOptions(), &hit);
  EXPECT_EQ(1, hit);
  EXPECT_EQ(1, girihSessionCompilations(session.get()));
  GirihCompileOptions options = cpuOptions();
  options.tile_q = options.tile_k = 32;
  compile(session, parse(session, "causal"), options, &hit);
  EXPECT_EQ(0, hit);
}

TEST(Compile, NamesWhatIsWrong) {
  SessionHandle session = makeSession(), other = makeSession();
  PatternHandle pattern = parse(session, "causal");
  auto with = [&](int32_t GirihCompileOptions::*field, int32_t value) {
    GirihCompileOptions options = cpuOptions();
    options.*field = value;
    return compileError(session, pattern, options);
  };
  EXPECT_EQ("2: expected device of options to be kDLCPU (1) or kDLCUDA (2), but got 10",
            with(&GirihCompileOptions::device, 10));
  EXPECT_EQ("2: expected dtype of options to be f32 (0), bf16 (1) or f16 (2), but got 3",
            with(&GirihCompileOptions::dtype, 3));
  EXPECT_EQ("2: expected o_dtype of options to be f32 (0) or that of dtype, but got 2",
            with(&GirihCompileOptions::o_dtype, GIRIH_F16));
  EXPECT_EQ("2: expected align of options to be 0 (bottom right) or 1 (top left), but got -1",
            with(&GirihCompileOptions::align, -1));
  EXPECT_EQ("2: expected head dims of at least 1, but got dim 0 and v-dim 0",
            with(&GirihCompileOptions::head_dim, 0));
  EXPECT_EQ("3: head dims 257 and 257 are not supported; supported: 1 to 256",
            with(&GirihCompileOptions::head_dim, 257));
  EXPECT_EQ("3: tile of 7 x 0 is not supported; supported: rows a multiple of 16, keys a multiple "
            "of 8",
            with(&GirihCompileOptions::tile_q, 7));
  EXPECT_EQ("3: dtype f32 is not supported on cuda; supported: bf16, f16",
            with(&GirihCompileOptions::device, kDLCUDA));
  GirihCompileOptions options = cpuOptions();
  options.chip = "pentium-9";
  EXPECT_NE(std::string::npos, compileError(session, pattern, options).find("pentium-9"));
  options.device = kDLCUDA;
  options.dtype = options.o_dtype = GIRIH_BF16;
  options.chip = "sm_75";
  EXPECT_EQ("3: chip 'sm_75' is not supported; supported: sm_80, sm_86, sm_89, sm_90a",
            compileError(session, pattern, options));
  options.o_dtype = GIRIH_F32;
  EXPECT_EQ("3: o_dtype f32 is not supported on cuda; supported: that of dtype",
            compileError(session, pattern, options));

  EXPECT_EQ("2: expected a pattern of the same session, but got one of another",
            compileError(other, pattern, cpuOptions()));
  EXPECT_EQ("2: expected a pattern, but got null",
            compileError(session, PatternHandle(nullptr, girihPatternRelease), cpuOptions()));
  GirihStatus status;
  options = cpuOptions();
  GirihKernel *kernel = nullptr;
  EXPECT_EQ("2: expected room for a kernel, but got null",
            outcome(girihCompile(session.get(), pattern.get(), &options, nullptr, nullptr, &status),
                    status));
  EXPECT_EQ("2: expected options, but got null",
            outcome(girihCompile(session.get(), pattern.get(), nullptr, &kernel, nullptr, &status),
                    status));
  EXPECT_EQ(0, girihSessionCompilations(session.get()));
}

TEST(Compile, ForGpusWithoutOne) {
  SessionHandle session = makeSession();
  GirihCompileOptions options = cpuOptions();
  options.device = kDLCUDA;
  options.dtype = options.o_dtype = GIRIH_BF16;
  options.head_dim = 64;
  options.chip = "sm_80";
  KernelHandle kernel = compile(session, parse(session, "causal"), options);
  CpuProblem problem(1, 1, 1, 16, 16, 64);
  EXPECT_EQ("2: expected q to have dtype bfloat16, as the kernel has, but got float32",
            problem.launch(kernel));
  for (DLTensor *tensor : {&problem.q, &problem.k, &problem.v, &problem.o})
    tensor->dtype = {kDLBfloat, 16, 1};
  EXPECT_EQ("2: expected q to be on a CUDA device, where the kernel runs, but got one on the CPU",
            problem.launch(kernel));
}

TEST(Emit, WritesAStage) {
  SessionHandle session = makeSession();
  PatternHandle pattern = parse(session, "causal");
  GirihCompileOptions options = cpuOptions();
  GirihStatus status;
  char *text = nullptr;
  ASSERT_EQ(
      "OK",
      outcome(girihEmit(session.get(), pattern.get(), &options, "girih", &text, &status), status));
  EXPECT_NE(nullptr, strstr(text, "girih.causal")) << text;
  girihTextFree(text);
  EXPECT_EQ(
      "3: stage 'ptx' is not supported for this target; supported: girih, blocks, tile, cpu, "
      "llvm, asm",
      outcome(girihEmit(session.get(), pattern.get(), &options, "ptx", &text, &status), status));
  EXPECT_EQ(
      "2: expected a stage, but got null",
      outcome(girihEmit(session.get(), pattern.get(), &options, nullptr, &text, &status), status));
}

//===----------------------------------------------------------------------===//
// Scores
//===----------------------------------------------------------------------===//

static ScoreHandle parseScore(const SessionHandle &session, const char *text,
                              const std::vector<GirihTable> &tables = {}) {
  GirihScore *score = nullptr;
  GirihStatus status;
  EXPECT_EQ("OK", outcome(girihScoreParse(session.get(), text, tables.data(),
                                          static_cast<int64_t>(tables.size()), &score, &status),
                          status));
  return ScoreHandle(score, girihScoreRelease);
}

TEST(Score, IsPartOfAKernel) {
  SessionHandle session = makeSession(), other = makeSession();
  PatternHandle pattern = parse(session, "causal");
  ScoreHandle score = parseScore(session, "where(k == 0, score, -inf)");
  GirihCompileOptions options = cpuOptions();
  options.score = score.get();
  KernelHandle kernel = compile(session, pattern, options);
  CpuProblem problem(1, 1, 1, 40, 40);
  ASSERT_EQ("OK", problem.launch(kernel));
  for (size_t q = 0; q != 40; ++q)
    EXPECT_FLOAT_EQ(problem.vData[0], problem.oData[16 * q]);
  score.reset();
  EXPECT_EQ("OK", problem.launch(kernel));

  ScoreHandle another = parseScore(session, "score * 2"), foreign = parseScore(other, "score");
  GirihKernel *rebound = nullptr;
  GirihStatus status;
  EXPECT_EQ(
      "2: expected a score that differs from the kernel's in tables only, which is "
      "'where(k == 0, score, -inf)', but got 'score * 2'",
      outcome(girihKernelRebind(kernel.get(), nullptr, another.get(), &rebound, &status), status));
  EXPECT_EQ(
      "2: expected a score of the same session, but got one of another",
      outcome(girihKernelRebind(kernel.get(), nullptr, foreign.get(), &rebound, &status), status));
  options.score = foreign.get();
  EXPECT_EQ("2: expected a score of the same session, but got one of another",
            compileError(session, pattern, options));
}

TEST(Score, LooksUpTables) {
  SessionHandle session = makeSession();
  // All of the weight on one key, then on another.
  std::vector<float> first(40, -INFINITY), last(40, -INFINITY);
  first.front() = last.back() = 0;
  auto biasOf = [&](const std::vector<float> &values) {
    GirihTable bias{};
    bias.name = "bias";
    bias.data = values.data();
    bias.dtype = GIRIH_TABLE_F32;
    bias.rank = 2;
    bias.shape[0] = 1;
    bias.shape[1] = static_cast<int64_t>(values.size());
    return parseScore(session, "score + @bias[h, k]", {bias});
  };
  ScoreHandle score = biasOf(first), other = biasOf(last);
  PatternHandle pattern = parse(session, "full");
  GirihCompileOptions options = cpuOptions();
  options.score = score.get();
  KernelHandle kernel = compile(session, pattern, options);
  score.reset();
  CpuProblem problem(1, 1, 1, 40, 40);
  ASSERT_EQ("OK", problem.launch(kernel));
  EXPECT_FLOAT_EQ(problem.vData[0], problem.oData[16 * 7]);
  GirihKernel *made = nullptr;
  GirihStatus status;
  ASSERT_EQ("OK",
            outcome(girihKernelRebind(kernel.get(), nullptr, other.get(), &made, &status), status));
  KernelHandle rebound(made, girihKernelRelease);
  ASSERT_EQ("OK", problem.launch(rebound));
  EXPECT_FLOAT_EQ(problem.vData[16 * 39], problem.oData[16 * 7]);
  EXPECT_EQ(1, girihSessionCompilations(session.get()));
}

TEST(Score, SaysWhereATextIsWrong) {
  SessionHandle session = makeSession();
  GirihScore *score = nullptr;
  GirihStatus status;
  std::string refused =
      outcome(girihScoreParse(session.get(), "score + windo", nullptr, 0, &score, &status), status);
  EXPECT_EQ(0u, refused.find("2: <score>:1:9: error: ")) << refused;
  EXPECT_EQ("2: expected the text of a score, but got null",
            outcome(girihScoreParse(session.get(), nullptr, nullptr, 0, &score, &status), status));
  EXPECT_EQ("2: expected room for a score, but got null",
            outcome(girihScoreParse(session.get(), "score", nullptr, 0, nullptr, &status), status));
  EXPECT_EQ("2: expected a session, but got null",
            outcome(girihScoreParse(nullptr, "score", nullptr, 0, &score, &status), status));
}

//===----------------------------------------------------------------------===//
// Outputs of the inputs' dtype
//===----------------------------------------------------------------------===//

TEST(Compile, ForOutputsOfEitherDtype) {
  SessionHandle session = makeSession();
  PatternHandle pattern = parse(session, "causal");
  GirihCompileOptions options = cpuOptions();
  options.dtype = options.o_dtype = GIRIH_BF16;
  KernelHandle kernel = compile(session, pattern, options);
  CpuProblem problem(1, 1, 1, 16, 16);
  for (DLTensor *tensor : {&problem.q, &problem.k, &problem.v})
    tensor->dtype = {kDLBfloat, 16, 1};
  EXPECT_EQ("2: expected o to have dtype bfloat16, as the kernel has, but got float32",
            problem.launch(kernel));
  problem.o.dtype = {kDLBfloat, 16, 1};
  EXPECT_EQ("OK", problem.launch(kernel));
  options.o_dtype = GIRIH_F32;
  KernelHandle wide = compile(session, pattern, options);
  EXPECT_EQ("2: expected o to have dtype float32, as the kernel has, but got bfloat16",
            problem.launch(wide));
  EXPECT_EQ(2, girihSessionCompilations(session.get()));
}

//===----------------------------------------------------------------------===//
// Rebinding
//===----------------------------------------------------------------------===//

namespace {

/// A list of integers as a table. Borrows the list.
GirihTable table(const char *name, const std::vector<int64_t> &values) {
  GirihTable table{};
  table.name = name;
  table.data = values.data();
  table.rank = 1;
  table.shape[0] = static_cast<int64_t>(values.size());
  return table;
}

/// The smallest key that each query sees, by where its document starts, told from a V whose
/// rows are their positions and queries that weigh all keys alike.
void checkDocuments(const KernelHandle &kernel, const std::vector<int64_t> &offsets) {
  const int64_t tokens = offsets.back();
  CpuProblem problem(1, 1, 1, tokens, tokens);
  std::fill(problem.qData.begin(), problem.qData.end(), 0.0f);
  for (size_t i = 0; i != problem.vData.size(); ++i)
    problem.vData[i] = static_cast<float>(i / 16);
  ASSERT_EQ("OK", problem.launch(kernel));
  for (size_t document = 1; document != offsets.size(); ++document)
    for (int64_t q = offsets[document - 1]; q != offsets[document]; ++q)
      EXPECT_NEAR(static_cast<double>(offsets[document - 1] + q) / 2,
                  problem.oData[static_cast<size_t>(16 * q)], 1e-4)
          << "query " << q;
}

std::string rebindError(const KernelHandle &kernel, const PatternHandle &pattern,
                        const GirihScore *score = nullptr) {
  GirihKernel *rebound = nullptr;
  GirihStatus status;
  std::string result =
      outcome(girihKernelRebind(kernel.get(), pattern.get(), score, &rebound, &status), status);
  girihKernelRelease(rebound);
  return result.substr(0, result.find(", which is"));
}

} // namespace

TEST(Rebind, ReplacesTablesOnly) {
  SessionHandle session = makeSession(), other = makeSession();
  const std::vector<int64_t> offsets = {0, 3, 20}, others = {0, 10, 11, 30, 41};
  const GirihTable docs = table("docs", offsets), more = table("docs", others);
  const std::string text = "causal & segments(offsets=@docs)";
  PatternHandle pattern = parse(session, text, {docs});
  KernelHandle kernel = compile(session, pattern);
  checkDocuments(kernel, offsets);

  GirihKernel *made = nullptr;
  GirihStatus status;
  PatternHandle replaced = parse(session, text, {more});
  ASSERT_EQ("OK", outcome(girihKernelRebind(kernel.get(), replaced.get(), nullptr, &made, &status),
                          status));
  KernelHandle rebound(made, girihKernelRelease);
  replaced.reset();
  checkDocuments(rebound, others);
  checkDocuments(kernel, offsets);
  EXPECT_EQ(1, girihSessionCompilations(session.get()));
  ASSERT_EQ("OK",
            outcome(girihKernelRebind(rebound.get(), nullptr, nullptr, &made, &status), status));
  KernelHandle same(made, girihKernelRelease);
  kernel.reset();
  rebound.reset();
  checkDocuments(same, others);

  const char *wanted = "2: expected a pattern that differs from the kernel's in tables only";
  EXPECT_EQ(wanted, rebindError(same, parse(session, "causal")));
  EXPECT_EQ(wanted, rebindError(same, parse(session, "full & segments(offsets=@docs)", {docs})));
  EXPECT_EQ(wanted, rebindError(same, parse(session, "segments(offsets=@docs) & causal", {docs})));
  EXPECT_EQ("2: expected a pattern of the same session, but got one of another",
            rebindError(same, parse(other, text, {docs})));
  EXPECT_EQ("2: expected a kernel, but got null",
            outcome(girihKernelRebind(nullptr, pattern.get(), nullptr, &made, &status), status));
  EXPECT_EQ("2: expected room for a kernel, but got null",
            outcome(girihKernelRebind(same.get(), nullptr, nullptr, nullptr, &status), status));
}

TEST(Rebind, ReplacesArraysThatPredicatesLookUp) {
  SessionHandle session = makeSession();
  const std::string text = "{ @place[q] >= @place[k] }";
  // Every key but the last is seen by the first query, or by the last one only.
  std::vector<int64_t> falling(30), rising(30);
  for (int64_t i = 0; i != 30; ++i) {
    rising[static_cast<size_t>(i)] = i;
    falling[static_cast<size_t>(i)] = -i;
  }
  KernelHandle kernel = compile(session, parse(session, text, {table("place", rising)}));
  CpuProblem causal(1, 1, 1, 30, 30), anticausal(1, 1, 1, 30, 30);
  ASSERT_EQ("OK", causal.launch(kernel));
  EXPECT_EQ(causal.vData[0], causal.oData[0]);
  PatternHandle other = parse(session, text, {table("place", falling)});
  GirihKernel *made = nullptr;
  ASSERT_EQ(GIRIH_OK, girihKernelRebind(kernel.get(), other.get(), nullptr, &made, nullptr));
  KernelHandle rebound(made, girihKernelRelease);
  ASSERT_EQ("OK", anticausal.launch(rebound));
  EXPECT_EQ(anticausal.vData.back(), anticausal.oData.back());
  EXPECT_EQ(1, girihSessionCompilations(session.get()));
  // An index that leaves the array is found before anything is launched.
  CpuProblem longer(1, 1, 1, 31, 31);
  const std::string refused = longer.launch(rebound);
  EXPECT_EQ(0u, refused.find("2: ")) << refused;
  EXPECT_NE(std::string::npos, refused.find("place")) << refused;
}

TEST(Rebind, TakesMicroseconds) {
  SessionHandle session = makeSession();
  const std::vector<int64_t> offsets = {0, 3, 20};
  PatternHandle pattern =
      parse(session, "causal & segments(offsets=@docs)", {table("docs", offsets)});
  KernelHandle kernel = compile(session, pattern);
  const auto start = std::chrono::steady_clock::now();
  constexpr int repeat = 1000;
  for (int i = 0; i != repeat; ++i) {
    GirihKernel *made = nullptr;
    ASSERT_EQ(GIRIH_OK, girihKernelRebind(kernel.get(), pattern.get(), nullptr, &made, nullptr));
    girihKernelRelease(made);
  }
  const double us =
      std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - start).count() /
      repeat;
  // Far above what it takes, far below a compilation.
  EXPECT_LT(us, 1000);
  RecordProperty("microseconds", std::to_string(us));
}
