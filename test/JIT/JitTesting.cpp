//===- JitTesting.cpp - Tensors and comparisons for JIT tests -------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "JitTesting.h"

#include "girih/Reference/Rounding.h"
#include "girih/Reference/Tolerance.h"
#include "girih/Support/Error.h"

#include <cmath>
#include <limits>
#include <random>
#include <sys/mman.h>
#include <unistd.h>

using namespace girih;

namespace girih::testing {

static std::vector<float> draw(int64_t count, std::mt19937_64 &random) {
  std::vector<float> values(count);
  for (float &value : values)
    value = (static_cast<float>(random() >> 40) * 0x1p-24f - 0.5f) * 3.4641016f;
  return values;
}

static GirihView viewOf(std::vector<float> &data, int64_t batch, int64_t heads, int64_t tokens,
                        int64_t dim) {
  GirihView view{};
  view.data = data.data();
  view.dtype = GIRIH_F32;
  const int64_t shape[] = {batch, heads, tokens, dim};
  int64_t stride = 1;
  for (int i = 3; i >= 0; --i) {
    view.shape[i] = shape[i];
    view.stride[i] = stride;
    stride *= shape[i];
  }
  return view;
}

Tensors::Tensors(const Sizes &s, uint64_t seed)
    : sizes(s), scale(static_cast<float>(1 / std::sqrt(double(s.dim)))) {
  std::mt19937_64 random(seed);
  qData = draw(s.batch * s.heads * s.numQ * s.dim, random);
  kData = draw(s.batch * s.kvHeads * s.numK * s.dim, random);
  vData = draw(s.batch * s.kvHeads * s.numK * s.vDim, random);
  float nan = std::numeric_limits<float>::quiet_NaN();
  oData.assign(s.batch * s.heads * s.numQ * s.vDim, nan);
  lse.assign(s.batch * s.heads * s.numQ, nan);
  q = viewOf(qData, s.batch, s.heads, s.numQ, s.dim);
  k = viewOf(kData, s.batch, s.kvHeads, s.numK, s.dim);
  v = viewOf(vData, s.batch, s.kvHeads, s.numK, s.vDim);
  o = viewOf(oData, s.batch, s.heads, s.numQ, s.vDim);
}

void Tensors::roundInputs(GirihDType dtype) {
  for (auto *data : {&qData, &kData, &vData})
    for (float &value : *data)
      value = roundTo(value, dtype);
}

NarrowCopy::NarrowCopy(const GirihView &from, GirihDType dtype, int64_t gap) : view(from) {
  int64_t numRows = from.shape[0] * from.shape[1] * from.shape[2], dim = from.shape[3];
  size_t bytes = static_cast<size_t>(numRows * (dim + gap) - gap) * sizeof(uint16_t);
  size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  mapped = (bytes + page - 1) / page * page + page;
  pages = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  char *end = static_cast<char *>(pages) + mapped - page;
  if (pages == MAP_FAILED || mprotect(end, page, PROT_NONE) != 0)
    llvm::report_fatal_error("no memory for a tensor");
  auto *bits = reinterpret_cast<uint16_t *>(end - bytes);
  std::fill(bits, reinterpret_cast<uint16_t *>(end), uint16_t{0x7FC0}); // NaN of both types
  const auto *values = static_cast<const float *>(from.data);
  for (int64_t row = 0; row != numRows; ++row)
    for (int64_t i = 0; i != dim; ++i) {
      float value = values[row * dim + i];
      bits[row * (dim + gap) + i] = dtype == GIRIH_BF16 ? toBf16(value) : toF16(value);
    }
  view.data = bits;
  view.dtype = dtype;
  view.stride[2] = dim + gap;
  view.stride[1] = view.stride[2] * from.shape[2];
  view.stride[0] = view.stride[1] * from.shape[1];
}

NarrowCopy::~NarrowCopy() { munmap(pages, mapped); }

std::unique_ptr<Session> makeSession() {
  auto session = Session::create(SessionOptions::uncached());
  if (!session)
    llvm::report_fatal_error(session.takeError());
  return std::move(*session);
}

std::shared_ptr<CompiledKernel> compile(Session &session, const Pattern &pattern,
                                        const CompileOptions &options, bool *cacheHit) {
  auto kernel = session.compile(pattern, options, cacheHit);
  if (kernel)
    return *kernel;
  ADD_FAILURE() << llvm::toString(kernel.takeError());
  return nullptr;
}

CompileOptions optionsFor(const Sizes &sizes) {
  CompileOptions options;
  options.headDim = sizes.dim;
  options.vDim = sizes.vDim;
  return options;
}

std::string launch(CompiledKernel &kernel, Tensors &t, const Pattern &pattern, int threads,
                   LaunchReport *report, const Score &read) {
  std::vector<GirihOperand> operands = patternOperands(pattern, read);
  if (llvm::Error error =
          kernel.launch(t.q, t.k, t.v, t.o, t.lse.data(), t.scale, operands, threads, report))
    return llvm::toString(std::move(error));
  return "";
}

std::string compareWithReference(const Tensors &t, const Pattern &pattern,
                                 const ScoreFunction &score, bool topLeft, GirihDType dtype) {
  AttentionProblem problem;
  problem.pattern = pattern;
  problem.shape = makeShape(t.sizes.numQ, t.sizes.numK, t.sizes.heads, topLeft);
  if (std::string what = validateShape(pattern, problem.shape); !what.empty())
    return "bad test: " + what;
  problem.batch = t.sizes.batch;
  problem.kvHeads = t.sizes.kvHeads;
  problem.dim = t.sizes.dim;
  problem.vDim = t.sizes.vDim;
  problem.scale = t.scale;
  problem.score = score;
  problem.q = t.qData.data();
  problem.k = t.kData.data();
  problem.v = t.vData.data();
  AttentionResult expected = referenceAttention(problem, allRows(problem));
  Comparison result =
      girih::compare(t.oData.data(), expected.out.data(), int64_t(t.oData.size()), t.lse.data(),
                     expected.lse.data(), int64_t(t.lse.size()), dtype);
  if (result.good)
    return "";
  return "relative error " + std::to_string(result.relError) + ", " +
         std::to_string(result.mismatched) + " values not finite";
}

std::string check(CompiledKernel &kernel, const Pattern &pattern, const Sizes &sizes,
                  const ScoreFunction &score, const Score &read) {
  Tensors tensors(sizes);
  std::string problem = launch(kernel, tensors, pattern, /*threads=*/1, /*report=*/nullptr, read);
  if (!problem.empty())
    return problem;
  return compareWithReference(tensors, pattern, score, kernel.desc().align == GIRIH_TOP_LEFT);
}

std::string compileError(Session &session, const Pattern &pattern, const CompileOptions &options,
                         int *code) {
  auto kernel = session.compile(pattern, options);
  if (kernel) {
    ADD_FAILURE() << "expected a compilation to fail";
    return "";
  }
  GirihStatus status = takeStatus(kernel.takeError());
  if (code)
    *code = status.code;
  return status.message;
}

} // namespace girih::testing
