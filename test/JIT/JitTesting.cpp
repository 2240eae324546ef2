//===- JitTesting.cpp - Tensors and comparisons for JIT tests -------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "JitTesting.h"

#include "girih/Reference/Tolerance.h"
#include "girih/Support/Error.h"

#include <cmath>
#include <limits>
#include <random>

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
                   LaunchReport *report) {
  std::vector<GirihOperand> operands = patternOperands(pattern);
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
                  const ScoreFunction &score) {
  Tensors tensors(sizes);
  if (std::string problem = launch(kernel, tensors, pattern); !problem.empty())
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
