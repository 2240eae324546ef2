//===- Run.cpp - Launching a case and comparing it ------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Case.h"
#include "Tensors.h"

#include "girih/Reference/Membership.h"
#include "girih/Reference/RandomScores.h"
#include "girih/Reference/Tolerance.h"

#include "llvm/Support/Error.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

using namespace girih;
using namespace girih::differential;

namespace {

/// Tensors of a launch, and the same numbers as the reference reads them.
struct Problem {
  GuardedTensor q, k, v, o;
  std::vector<float> qValues, kValues, vValues;
  AttentionProblem reference;
};

/// Errors allowed in a case.
struct Limits {
  double relative;
  /// Beyond this the reference says nothing about single probabilities.
  bool isMeaningful;
};

} // namespace

/// About N(0, 1): the sum of four uniform numbers, which never is an outlier.
static void fillTensor(GuardedTensor &tensor, std::mt19937_64 &random, float magnitude) {
  const int64_t *shape = tensor.view().shape;
  std::array<int64_t, 4> i;
  for (i[0] = 0; i[0] != shape[0]; ++i[0])
    for (i[1] = 0; i[1] != shape[1]; ++i[1])
      for (i[2] = 0; i[2] != shape[2]; ++i[2])
        for (i[3] = 0; i[3] != shape[3]; ++i[3]) {
          uint64_t bits = random();
          float sum = 0;
          for (int part = 0; part != 4; ++part)
            sum += static_cast<float>((bits >> (16 * part)) & 0xffff) / 65536.0f;
          tensor.set(i, (sum - 2.0f) * 1.7320508f * magnitude);
        }
}

static Layout outputLayout(Layout layout) {
  return layout == Layout::SharedBatch ? Layout::Contiguous : layout;
}

static std::unique_ptr<Problem> makeProblem(uint64_t seed, const KernelCase &kernel,
                                            const LaunchCase &launch) {
  std::unique_ptr<Problem> p(new Problem{
      {{launch.batch, launch.heads, launch.numQ, kernel.dim}, kernel.dtype, launch.q},
      {{launch.batch, launch.kvHeads, launch.numK, kernel.dim}, kernel.dtype, launch.k},
      {{launch.batch, launch.kvHeads, launch.numK, kernel.vDim}, kernel.dtype, launch.v},
      {{launch.batch, launch.heads, launch.numQ, kernel.vDim},
       kernel.oDtype(),
       outputLayout(launch.o)},
      {},
      {},
      {},
      {}});
  std::mt19937_64 random(seed ^ (static_cast<uint64_t>(launch.number) << 20));
  fillTensor(p->q, random, launch.magnitude);
  fillTensor(p->k, random, 1);
  fillTensor(p->v, random, 1);
  p->qValues = p->q.values();
  p->kValues = p->k.values();
  p->vValues = p->v.values();
  AttentionProblem &r = p->reference;
  r.pattern = kernel.pattern;
  r.shape = launch.shape(kernel);
  r.batch = launch.batch;
  r.kvHeads = launch.kvHeads;
  r.dim = kernel.dim;
  r.vDim = kernel.vDim;
  r.scale = static_cast<float>(1.0 / std::sqrt(double(kernel.dim)));
  if (launch.zeroScale || launch.scale != 0)
    r.scale = launch.scale;
  r.score = scoreFunction(kernel.score, r.shape);
  r.q = p->qValues.data();
  r.k = p->kValues.data();
  r.v = p->vValues.data();
  return p;
}

/// Over what is not exactly zero: empty rows do not count.
template <typename T> static double rootMeanSquare(const std::vector<T> &values) {
  double sum = 0, count = 0;
  for (T value : values) {
    sum += double(value) * double(value);
    count += value != 0;
  }
  return std::sqrt(sum / std::max(count, 1.0)) + std::numeric_limits<double>::min();
}

static double largestNorm(const std::vector<float> &values, int64_t dim) {
  double largest = 0;
  for (size_t row = 0; row < values.size(); row += dim) {
    double sum = 0;
    for (int64_t i = 0; i != dim; ++i)
      sum += double(values[row + i]) * values[row + i];
    largest = std::max(largest, sum);
  }
  return std::sqrt(largest);
}

/// A score of size S carries an f32 rounding error of about S * 2^-24, and a
/// probability moves by as much, so the table holds for moderate scores only.
static Limits limitsOf(const Problem &p, const KernelCase &kernel, const LaunchCase &launch) {
  const AttentionProblem &r = p.reference;
  double score = largestNorm(p.qValues, r.dim) * largestNorm(p.kValues, r.dim) * std::fabs(r.scale);
  if (kernel.score)
    score = std::max(score, largestMagnitude(kernel.score, r.shape, launch.batch, score,
                                             /*points=*/100));
  double relative = std::max(tolerance(kernel.dtype), score * 0x1p-22);
  return {relative, relative < 0.05};
}

/// Compares row by row. Norms over all rows let one pair among hundreds in one
/// row among hundreds pass; a row by itself does not.
static std::string compareRows(const std::vector<float> &out, const std::vector<double> &expected,
                               int64_t numQ, int64_t heads, int64_t vDim, double limit) {
  double typical = 0;
  for (double value : expected)
    typical += value * value;
  typical = std::sqrt(typical / std::max<double>(1, double(expected.size())) * double(vDim));
  for (size_t row = 0; row * vDim < out.size(); ++row) {
    double difference = 0, norm = 0;
    for (int64_t i = 0; i != vDim; ++i) {
      double e = expected[row * vDim + i], d = out[row * vDim + i] - e;
      difference += d * d;
      norm += e * e;
    }
    double scale = std::max(std::sqrt(norm), typical);
    if (!(std::sqrt(difference) <= 4 * limit * scale))
      return fmt::format("row {} of head {} of batch {}: relative error {:.3g}, limit {:.3g}",
                         int64_t(row) % numQ, int64_t(row) / numQ % heads,
                         int64_t(row) / numQ / heads, std::sqrt(difference) / scale, 4 * limit);
  }
  return "";
}

static std::string compareResults(const Problem &p, const KernelCase &kernel,
                                  const LaunchCase &launch, const std::vector<float> &lse) {
  AttentionResult expected = referenceAttention(p.reference, allRows(p.reference));
  std::vector<float> out = p.o.values();
  for (size_t row = 0; row != expected.lse.size(); ++row) {
    if (expected.lse[row] != -std::numeric_limits<double>::infinity())
      continue;
    if (launch.wantsLse && lse[row] != -std::numeric_limits<float>::infinity())
      return fmt::format("empty row {}: expected lse -inf, but got {}", row, lse[row]);
    for (int64_t i = 0; i != kernel.vDim; ++i)
      if (out[row * kernel.vDim + i] != 0)
        return fmt::format("empty row {}: expected output 0, but got {}", row,
                           out[row * kernel.vDim + i]);
  }

  Limits limits = limitsOf(p, kernel, launch);
  // Where values cancel, the norm of what is left says little about their rounding.
  double cancelled = rootMeanSquare(p.vValues) / rootMeanSquare(expected.out);
  limits.relative = std::max(limits.relative, std::min(cancelled, 1e4) * 0x1p-22);
  if (launch.wantsLse) {
    Comparison logs = compareLse(lse.data(), expected.lse.data(), int64_t(lse.size()), GIRIH_F32);
    double limit = std::max(tolerance(GIRIH_F32), limits.isMeaningful ? limits.relative : 1e-5);
    if (logs.mismatched || !(logs.relError <= limit))
      return fmt::format("lse: relative error {:.3g}, limit {:.3g}, {} values not finite",
                         logs.relError, limit, logs.mismatched);
  }
  if (!limits.isMeaningful) {
    // Still a convex combination of values, but for the rounding of probabilities.
    float slack = kernel.dtype == GIRIH_BF16 ? 0x1p-8f : 1e-4f, largest = 0;
    for (float value : p.vValues)
      largest = std::max(largest, std::fabs(value));
    for (float value : out)
      if (!(std::fabs(value) <= largest * (1 + slack)))
        return fmt::format("output {} is larger than every value, {}", value, largest);
    return "";
  }
  Comparison outputs =
      compareOutputs(out.data(), expected.out.data(), int64_t(out.size()), kernel.dtype);
  if (outputs.mismatched || !(outputs.relError <= limits.relative))
    return fmt::format("output: relative error {:.3g}, limit {:.3g}, {} values not finite",
                       outputs.relError, limits.relative, outputs.mismatched);
  return compareRows(out, expected.out, launch.numQ, launch.heads, kernel.vDim, limits.relative);
}

CompileOptions differential::compileOptions(const KernelCase &kernel) {
  CompileOptions options;
  options.dtype = kernel.dtype;
  options.oDtype = kernel.oDtype();
  options.headDim = kernel.dim;
  options.vDim = kernel.vDim;
  options.align = kernel.topLeft ? GIRIH_TOP_LEFT : GIRIH_BOTTOM_RIGHT;
  options.tileQ = kernel.tileQ;
  options.tileK = kernel.tileK;
  options.cpu = kernel.cpu;
  options.score = kernel.score;
  return options;
}

std::string differential::runLaunch(uint64_t seed, CompiledKernel &kernel,
                                    const KernelCase &kernelCase, const LaunchCase &launch) {
  if (std::string problem = checkMaps(kernel, kernelCase, launch); !problem.empty())
    return problem;
  std::unique_ptr<Problem> p = makeProblem(seed, kernelCase, launch);
  // One more than there is to write.
  std::vector<float> lse(launch.batch * launch.heads * launch.numQ + 1,
                         std::numeric_limits<float>::quiet_NaN());
  std::vector<GirihOperand> operands = patternOperands(kernelCase.pattern, kernelCase.score);
  if (llvm::Error error =
          kernel.launch(p->q.view(), p->k.view(), p->v.view(), p->o.view(),
                        launch.wantsLse ? lse.data() : nullptr,
                        static_cast<float>(p->reference.scale), operands, launch.threads))
    return "launch: " + llvm::toString(std::move(error));
  if (!std::isnan(lse.back()))
    return "lse: written behind its end";
  lse.pop_back();
  if (!p->o.paddingIntact())
    return "output: written outside of its elements";
  return compareResults(*p, kernelCase, launch, lse);
}

std::string differential::runAlone(uint64_t seed, Session &session, const KernelCase &kernelCase,
                                   const LaunchCase &launch) {
  auto kernel = session.compile(kernelCase.pattern, compileOptions(kernelCase));
  if (!kernel)
    return "compile: " + llvm::toString(kernel.takeError());
  return runLaunch(seed, **kernel, kernelCase, launch);
}
