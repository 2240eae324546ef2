//===- Check.cpp - Comparing a run with the reference ---------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Check.h"

#include "girih/Reference/Attention.h"

#include <algorithm>
#include <random>
#include <set>
#include <tuple>

using namespace girih;

/// Seconds of one reference row on one thread: membership of every key, then
/// dots, exponentials and sums of the keys that it keeps. Measured constants; a
/// factor of two does not matter.
static double secondsPerRow(const Request &r, const GirihMapStats &stats) {
  double rows = static_cast<double>(r.batch * r.heads) * static_cast<double>(r.numQ);
  double kept = static_cast<double>(stats.useful_pairs) / rows;
  return static_cast<double>(r.numK) * 10e-9 +
         kept * (static_cast<double>(r.dim + r.vDim) * 0.5e-9 + 15e-9);
}

static std::vector<RowIndex> chooseRows(const AttentionProblem &problem, int64_t count,
                                        int64_t tileQ, uint64_t seed) {
  int64_t heads = problem.shape.heads, groups = problem.batch * heads, numQ = problem.shape.numQ;
  if (groups * numQ <= count)
    return allRows(problem);
  std::set<std::tuple<int64_t, int64_t, int64_t>> chosen;
  auto add = [&](int64_t group, int64_t q) { chosen.insert({group / heads, group % heads, q}); };
  std::mt19937_64 random(seed);
  auto below = [&](int64_t n) { return static_cast<int64_t>(random() % static_cast<uint64_t>(n)); };
  auto size = [&] { return static_cast<int64_t>(chosen.size()); };

  for (int64_t group = 0; group < groups && size() < count / 2; ++group) {
    add(group, 0);
    add(group, numQ - 1);
  }
  // The last border first: the ragged tile is where lengths go wrong.
  int64_t tiles = (numQ + tileQ - 1) / tileQ;
  for (int64_t i = 1; i < tiles && size() < count * 3 / 4; ++i) {
    int64_t border = (i == 1 ? tiles - 1 : 1 + below(tiles - 1)) * tileQ;
    int64_t group = below(groups);
    add(group, border - 1);
    add(group, border);
  }
  if (numQ <= 4096)
    for (int64_t q = 0; q < numQ; ++q)
      add(q % groups, q);
  while (size() < count)
    add(below(groups), below(numQ));

  std::vector<RowIndex> rows;
  for (auto [b, h, q] : chosen)
    rows.push_back({b, h, q});
  return rows;
}

CheckResult girih::checkOutputs(const Request &r, Tensors &tensors, double scale,
                                const GirihMapStats &stats, int64_t tileQ, uint64_t seed) {
  AttentionProblem problem;
  problem.pattern = r.pattern;
  problem.shape = makeShape(r.numQ, r.numK, r.heads, r.align == GIRIH_TOP_LEFT);
  problem.batch = r.batch;
  problem.kvHeads = r.kvHeads;
  problem.dim = r.dim;
  problem.vDim = r.vDim;
  problem.scale = scale;
  problem.score = scoreFunction(r.score, problem.shape);
  problem.q = tensors.q.values().data();
  problem.k = tensors.k.values().data();
  problem.v = tensors.v.values().data();

  // Up to 4096 queries every row is wanted, so they get more time.
  const double seconds = r.numQ <= 4096 ? 12 : 5;
  int threads = girihCpuThreads();
  double affordable = seconds * threads / secondsPerRow(r, stats);
  int64_t count = static_cast<int64_t>(std::clamp(affordable, 64.0, 1e9));
  std::vector<RowIndex> rows = chooseRows(problem, count, tileQ, seed);
  AttentionResult expected = referenceAttention(problem, rows, static_cast<unsigned>(threads));

  std::vector<float> out, lse;
  out.reserve(rows.size() * r.vDim);
  lse.reserve(rows.size());
  for (const RowIndex &row : rows) {
    int64_t index = (row.b * r.heads + row.h) * r.numQ + row.q;
    auto begin = tensors.out.values().begin() + index * r.vDim;
    out.insert(out.end(), begin, begin + r.vDim);
    lse.push_back(tensors.lse[index]);
  }
  CheckResult result;
  result.rows = static_cast<int64_t>(rows.size());
  result.totalRows = r.batch * r.heads * r.numQ;
  result.comparison =
      compare(out.data(), expected.out.data(), static_cast<int64_t>(out.size()), lse.data(),
              expected.lse.data(), static_cast<int64_t>(lse.size()), r.dtype);
  return result;
}
