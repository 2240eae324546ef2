//===- RandomScores.h - Scores drawn from the grammar -----------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Test inputs, as RandomPatterns.h has them: every function of the score language
// over all its variables.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_REFERENCE_RANDOMSCORES_H
#define GIRIH_REFERENCE_RANDOMSCORES_H

#include "girih/Frontend/Score.h"

#include <random>
#include <vector>

namespace girih {

/// Draws a valid score that f32 computes well: rounding errors of its parts are
/// not amplified by more than a few times, comparisons of floats are continuous,
/// and no pair becomes NaN. `depth` bounds nesting of integers and biases. The
/// same generator state gives the same score on every host.
Score drawScore(std::mt19937_64 &random, int depth);

/// The largest magnitude of a float in the score at `points` pairs of a launch,
/// drawn by a generator of its own, for scores up to `score`: what absolute
/// rounding errors are measured by.
double largestMagnitude(const Score &score, const Shape &shape, int64_t batch, double largestScore,
                        int points);

/// Valid scores that are simpler than `score`: its parts, the simplest first.
/// Replacing a score by a candidate, again and again, ends.
std::vector<Score> shrink(const Score &score);

} // namespace girih

#endif // GIRIH_REFERENCE_RANDOMSCORES_H
