//===- Attention.cpp - Dense masked attention in f64 ----------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Plain loops, two passes over a row: scores and their maximum, then the sums.
// Rows are independent, so threads only share what they read.
//
//===----------------------------------------------------------------------===//

#include "girih/Reference/Attention.h"

#include "girih/Reference/Expression.h"
#include "girih/Reference/Membership.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <random>
#include <set>
#include <thread>
#include <tuple>

using namespace girih;

/// Eight partial sums let the compiler use vectors without reordering anything.
static double dot(const float *a, const float *b, int64_t size) {
  double sums[8] = {};
  int64_t i = 0;
  for (; i + 8 <= size; i += 8)
    for (int64_t j = 0; j < 8; ++j)
      sums[j] += double(a[i + j]) * double(b[i + j]);
  for (; i < size; ++i)
    sums[i % 8] += double(a[i]) * double(b[i]);
  return ((sums[0] + sums[4]) + (sums[2] + sums[6])) + ((sums[1] + sums[5]) + (sums[3] + sums[7]));
}

/// Computes one row into `out`; returns its log-sum-exp.
static double computeRow(const AttentionProblem &p, const Membership &membership,
                         const RowIndex &row, std::vector<uint8_t> &keys,
                         std::vector<double> &scores, double *out) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  int64_t numK = p.shape.numK, position = p.shape.qOffset + row.q;
  int64_t kvHead = row.h / (p.shape.heads / p.kvHeads);
  const float *q = p.q + ((row.b * p.shape.heads + row.h) * p.shape.numQ + row.q) * p.dim;
  const float *k = p.k + (row.b * p.kvHeads + kvHead) * numK * p.dim;
  const float *v = p.v + (row.b * p.kvHeads + kvHead) * numK * p.vDim;

  membership.row(row.b, row.h, position, keys);
  scores.resize(numK);
  double maximum = -infinity;
  for (int64_t j = 0; j < numK; ++j) {
    if (!keys[j])
      continue;
    double score = dot(q, k + j * p.dim, p.dim) * p.scale;
    if (p.score)
      score = p.score(score, row.b, row.h, position, j);
    scores[j] = score;
    // A NaN must reach the result, not disappear in a comparison.
    maximum = std::isnan(score) ? score : std::isnan(maximum) ? maximum : std::max(maximum, score);
  }
  std::fill(out, out + p.vDim, 0.0);
  if (maximum == -infinity)
    return -infinity;

  double sum = 0;
  for (int64_t j = 0; j < numK; ++j) {
    if (!keys[j] || scores[j] == -infinity)
      continue;
    double weight = std::exp(scores[j] - maximum);
    sum += weight;
    for (int64_t d = 0; d < p.vDim; ++d)
      out[d] += weight * double(v[j * p.vDim + d]);
  }
  for (int64_t d = 0; d < p.vDim; ++d)
    out[d] /= sum;
  return maximum + std::log(sum);
}

ScoreFunction girih::scoreFunction(const Score &score, const Shape &shape) {
  if (!score)
    return {};
  int64_t numQ = shape.numQ, numK = shape.numK;
  return [score, numQ, numK](double s, int64_t b, int64_t h, int64_t q, int64_t k) {
    return realValue(*score.get(), {{b, h, q, k, numQ, numK}, s});
  };
}

AttentionResult girih::referenceAttention(const AttentionProblem &problem,
                                          const std::vector<RowIndex> &rows, unsigned threads) {
  AttentionResult result;
  result.out.resize(rows.size() * problem.vDim);
  result.lse.resize(rows.size());
  const Membership membership(problem.pattern, problem.shape);
  std::atomic<size_t> next{0};
  auto work = [&] {
    std::vector<uint8_t> keys;
    std::vector<double> scores;
    for (size_t i = next++; i < rows.size(); i = next++)
      result.lse[i] = computeRow(problem, membership, rows[i], keys, scores,
                                 result.out.data() + i * problem.vDim);
  };
  std::vector<std::thread> others;
  for (unsigned i = 1; i < std::min<size_t>(threads, rows.size()); ++i)
    others.emplace_back(work);
  work();
  for (std::thread &thread : others)
    thread.join();
  return result;
}

std::vector<RowIndex> girih::allRows(const AttentionProblem &problem) {
  std::vector<RowIndex> rows;
  rows.reserve(problem.batch * problem.shape.heads * problem.shape.numQ);
  for (int64_t b = 0; b < problem.batch; ++b)
    for (int64_t h = 0; h < problem.shape.heads; ++h)
      for (int64_t q = 0; q < problem.shape.numQ; ++q)
        rows.push_back({b, h, q});
  return rows;
}

std::vector<RowIndex> girih::sampleRows(const AttentionProblem &problem, int64_t count,
                                        uint64_t seed) {
  int64_t numQ = problem.shape.numQ, groups = problem.batch * problem.shape.heads;
  if (groups * numQ <= count)
    return allRows(problem);
  std::mt19937_64 random(seed);
  std::set<std::tuple<int64_t, int64_t, int64_t>> chosen;
  auto add = [&](int64_t group, int64_t q) {
    chosen.insert({group / problem.shape.heads, group % problem.shape.heads, q});
  };
  // Ends first: that is where off-by-one errors live.
  for (int64_t group = 0; group < groups && int64_t(chosen.size()) + 2 <= count; ++group) {
    add(group, 0);
    add(group, numQ - 1);
  }
  while (int64_t(chosen.size()) < count)
    add(int64_t(random() % uint64_t(groups)), int64_t(random() % uint64_t(numQ)));
  std::vector<RowIndex> rows;
  for (auto [b, h, q] : chosen)
    rows.push_back({b, h, q});
  return rows;
}
