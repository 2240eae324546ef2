//===- RandomScoresTest.cpp - Drawing, printing and shrinking scores ------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Proves over thousands of random scores that each is valid, that printing and
// parsing is the identity, that no pair becomes NaN, that every kind of node is
// drawn, and that shrinking ends.
//
//===----------------------------------------------------------------------===//

#include "girih/Reference/RandomScores.h"

#include "TestSeed.h"
#include "girih/Frontend/Parser.h"
#include "girih/Reference/Attention.h"

#include <cmath>
#include <gtest/gtest.h>
#include <set>

using namespace girih;

static void collectKinds(const ExprRef &expr, std::set<ExprKind> &kinds) {
  if (!expr)
    return;
  kinds.insert(expr->kind);
  for (const ExprRef &child : {expr->lhs, expr->rhs, expr->condition})
    collectKinds(child, kinds);
  for (const ExprRef &index : expr->indices)
    collectKinds(index, kinds);
}

TEST(RandomScores, are_valid_and_print_and_parse_as_themselves) {
  std::mt19937_64 random(test::seed());
  std::set<ExprKind> kinds;
  for (int i = 0; i < 3000; ++i) {
    Score score = drawScore(random, i % 5);
    ASSERT_EQ(validate(score), "") << score.str();
    ParseOptions options;
    for (const TableRef &table : kernelLookups(causal(), score))
      options.tables.emplace_back(table);
    ScoreResult parsed = parseScore(score.str(), "<score>", options);
    ASSERT_TRUE(parsed) << parsed.error;
    ASSERT_TRUE(parsed.score == score) << score.str() << "\nparses as\n" << parsed.score.str();
    collectKinds(score.get(), kinds);
  }
  // All but `true` and `false`.
  EXPECT_EQ(kinds.size(), size_t(ExprKind::True));
}

TEST(RandomScores, are_numbers_and_moderate) {
  std::mt19937_64 random(test::seed());
  Shape shape = makeShape(90, 130, 4, false);
  for (int i = 0; i < 1000; ++i) {
    Score score = drawScore(random, i % 5);
    ScoreFunction function = scoreFunction(score, shape);
    for (double s : {-6.0, -0.25, 0.0, 3.0})
      for (int64_t q = -10; q < 130; q += 23)
        for (int64_t k = 0; k < 130; k += 17)
          ASSERT_FALSE(std::isnan(function(s, 1, q & 3, q, k))) << score.str();
    EXPECT_LT(largestMagnitude(score, shape, 2, 6.0, 50), 1e7) << score.str();
  }
}

TEST(RandomScores, are_the_same_for_the_same_seed) {
  std::mt19937_64 a(5), b(5);
  for (int i = 0; i < 50; ++i)
    EXPECT_TRUE(drawScore(a, 3) == drawScore(b, 3));
}

TEST(RandomScores, shrink_to_what_matters) {
  std::mt19937_64 random(test::seed());
  auto fails = [](const Score &score) {
    std::set<ExprKind> kinds;
    collectKinds(score.get(), kinds);
    return kinds.count(ExprKind::Tanh) != 0;
  };
  int shrunk = 0;
  for (int i = 0; i < 400; ++i) {
    Score score = drawScore(random, 3);
    if (!fails(score))
      continue;
    for (bool isSimpler = true; isSimpler;) {
      isSimpler = false;
      for (const Score &candidate : shrink(score)) {
        if (!fails(candidate))
          continue;
        score = candidate;
        isSimpler = true;
        break;
      }
    }
    EXPECT_LE(score.str().size(), 40u) << score.str();
    ++shrunk;
  }
  EXPECT_GT(shrunk, 10);
}
