//===- Attention.h - Dense masked attention in f64 --------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What every kernel is compared with: the textbook definition in double
// precision, row by row, over the pairs that Membership keeps.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_REFERENCE_ATTENTION_H
#define GIRIH_REFERENCE_ATTENTION_H

#include "girih/Frontend/Score.h"

#include <cstdint>
#include <functional>
#include <vector>

namespace girih {

/// Maps a scaled score to the score that the softmax sees. `q` is absolute, as in
/// patterns. Minus infinity hides the pair; plus infinity or NaN makes the row NaN.
/// Called from several threads at once.
using ScoreFunction = std::function<double(double s, int64_t b, int64_t h, int64_t q, int64_t k)>;

/// A score as such a function; empty for none. The score must be valid.
ScoreFunction scoreFunction(const Score &score, const Shape &shape);

/// Inputs are contiguous f32, already rounded to the kernel's dtype: q
/// `[batch, heads, numQ, dim]`, k `[batch, kvHeads, numK, dim]`, v
/// `[batch, kvHeads, numK, vDim]`. Head h reads kv head h / (heads / kvHeads);
/// lengths and heads are those of `shape`.
struct AttentionProblem {
  Pattern pattern; ///< passes `validateShape` for `shape`
  Shape shape;
  int64_t batch = 1, kvHeads = 1;
  int64_t dim = 0, vDim = 0;
  double scale = 1;
  ScoreFunction score; ///< applied after the scale; may be empty
  const float *q = nullptr, *k = nullptr, *v = nullptr;
};

/// An output row; `q` counts from 0, whatever the alignment.
struct RowIndex {
  int64_t b, h, q;
};

/// One entry for each row asked for, in the same order.
struct AttentionResult {
  std::vector<double> out; ///< [rows, vDim]; zero for a row that sees nothing
  std::vector<double> lse; ///< [rows], natural log; -inf for such a row
};

/// Every row in the order of `[batch, heads, numQ]`.
std::vector<RowIndex> allRows(const AttentionProblem &problem);

/// About `count` rows, the first and the last of as many heads as fit among them,
/// the rest spread by a generator seeded with `seed`; all rows if there are not
/// more. No row comes twice.
std::vector<RowIndex> sampleRows(const AttentionProblem &problem, int64_t count, uint64_t seed);

/// Computes the given rows on `threads` threads.
AttentionResult referenceAttention(const AttentionProblem &problem,
                                   const std::vector<RowIndex> &rows, unsigned threads = 1);

} // namespace girih

#endif // GIRIH_REFERENCE_ATTENTION_H
