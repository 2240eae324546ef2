//===- ScoreTest.cpp - Scores: parsing, printing, building, checking ------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Proves that the parser, the printer and the builder agree on trees, that each
// error says what was expected and where, and that no tree leaves its bounds.
//
//===----------------------------------------------------------------------===//

#include "girih/Frontend/Parser.h"
#include "girih/Frontend/PatternDetail.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

using namespace girih;

static std::string printed(std::string_view text) {
  ScoreResult result = parseScore(text);
  EXPECT_TRUE(result) << result.error;
  ScoreResult again = parseScore(result.score.str());
  EXPECT_TRUE(again) << again.error;
  EXPECT_TRUE(again.score == result.score) << text;
  return result.score.str();
}

static void expectError(std::string_view text, int column, const std::string &message) {
  ScoreResult result = parseScore(text, "s");
  EXPECT_FALSE(result) << text;
  std::string expected = "s:1:" + std::to_string(column) + ": error: " + message + "\n";
  EXPECT_EQ(result.error.substr(0, expected.size()), expected) << result.error;
}

static ExprType typeOf(std::string_view text) {
  ScoreResult result = parseScore(text);
  EXPECT_TRUE(result) << result.error;
  return result ? result.score.get()->type : ExprType::Boolean;
}

TEST(Score, prints_what_was_written) {
  for (const char *text :
       {"score", "score - 0.0625 * abs(q - k)", "where(q - k < 100, score, score * 0.5)",
        "30 * tanh(score / 30)", "exp2(-0.5 * (h + 1)) * (q - k) + score",
        "min(score, 1.0) + max(-2.5, score)", "(score + 1) / (score - 1) / 2.0",
        "score - (q - (k - 1))", "-score * -(q + 1.5)", "pow(abs(score), 0.5)",
        "float(q) / float(nk)", "(q + k) % 8 / 3 * 0.5",
        "where(score < 0.5 || !(q == k) && k % 2 != 1, -inf, score)",
        "exp(log(log2(sqrt(rsqrt(sigmoid(erf(sin(cos(floor(score))))))))))", "b + nq * score",
        "where(true, 1, 2) + score"})
    EXPECT_EQ(printed(text), text);
}

TEST(Score, prints_the_shortest_form) {
  EXPECT_EQ(printed("  ((score))*(1.50e0)  # comment"), "score * 1.5");
  EXPECT_EQ(printed("min(q, k, nk) + score"), "min(min(q, k), nk) + score");
  EXPECT_EQ(printed("score + q / (2 * 4)"), "score + q / 8");
  EXPECT_EQ(printed("float(score + 1) + float(q)"), "score + 1 + float(q)");
  EXPECT_EQ(printed("-(1.5) * -inf * - - score"), "-1.5 * -inf * --score");
}

TEST(Score, literals) {
  EXPECT_EQ(printed("1. * .5 + 2e3 - 1E-3 + 1.5e+2"), "1.0 * 0.5 + 2000.0 - 0.001 + 150.0");
  EXPECT_EQ(printed("0.1 + 16777217.0 + 1e-45 + 3.4028235e38"),
            "0.1 + 16777216.0 + 1e-45 + 3.4028235e+38");
  EXPECT_EQ(printed("-0.0 + 0.0"), "-0.0 + 0.0");
  EXPECT_FALSE(parseScore("0.0").score == parseScore("-0.0").score);
  EXPECT_TRUE(parseScore("0.1").score == parseScore("0.100000001").score);
  expectError("1e39", 1, "expected a number that f32 can hold, but got '1e39'");
  expectError("score * -1e39", 9, "expected a number that f32 can hold, but got '-1e39'");
  expectError("1.5x", 1, "expected a number, but got '1.5x'");
  expectError("score + 1e", 9, "expected a number, but got '1e'");
  expectError("1.2.3", 4, "expected an operator or the end of the input, but got '.3'");
}

TEST(Score, integers_and_floats) {
  EXPECT_EQ(typeOf("q + k"), ExprType::Integer);
  EXPECT_EQ(typeOf("q + 1.0"), ExprType::Float);
  EXPECT_EQ(typeOf("abs(q)"), ExprType::Integer);
  EXPECT_EQ(typeOf("abs(score)"), ExprType::Float);
  EXPECT_EQ(typeOf("min(q, k, 1.0)"), ExprType::Float);
  EXPECT_EQ(typeOf("q / 3"), ExprType::Integer);
  EXPECT_EQ(typeOf("q / 3.0"), ExprType::Float);
  EXPECT_EQ(typeOf("float(q) / k"), ExprType::Float);
  EXPECT_EQ(typeOf("sqrt(q)"), ExprType::Float);
  EXPECT_EQ(typeOf("where(q < k, 1, 2)"), ExprType::Integer);
  EXPECT_EQ(typeOf("where(q < k, 1, 2.0)"), ExprType::Float);
}

TEST(Score, builds_as_it_parses) {
  auto expectParses = [](std::string_view text, const Score &built) {
    EXPECT_EQ(validate(built), "");
    ScoreResult parsed = parseScore(text);
    ASSERT_TRUE(parsed) << parsed.error;
    EXPECT_TRUE(parsed.score == built) << built.str();
  };
  expectParses(
      "score - 0.0625 * float(abs(q - k))",
      score([](Real s, Index, Index, Index q, Index k) { return s - 0.0625 * abs(q - k); }));
  expectParses("30.0 * tanh(score / 30.0)",
               score([](Real s, Index, Index, Index, Index) { return 30 * tanh(s / 30); }));
  expectParses("where(q - k < 100 && score > 0.0, score, -inf)",
               score([](Real s, Index, Index, Index q, Index k) {
                 return where(q - k < 100 && s > 0, s, -std::numeric_limits<double>::infinity());
               }));
  expectParses("float(where(h == 0, q, k) / 2) + float(nq)",
               score([](Real, Index, Index h, Index q, Index k) {
                 return Real(where(h == 0, q, k) / 2) + Index::nq();
               }));
  expectParses("float(b)", score([](Real, Index b, Index, Index, Index) { return b; }));
}

TEST(Score, types_of_operands) {
  expectError("q < k", 1, "expected a number as the score, but got the condition 'q < k'");
  expectError("score + (q < k)", 9,
              "expected a number on the right of '+', but got the condition '(q < k)'");
  expectError("score % 2", 1, "expected an integer on the left of '%', but got the float 'score'");
  expectError("q % 2.0", 5, "expected an integer on the right of '%', but got the float '2.0'");
  expectError("!score", 2, "expected a condition after '!', but got the float 'score'");
  expectError("score && true", 1,
              "expected a condition on the left of '&&', but got the float 'score'");
  expectError("where(q, 1, 2)", 7,
              "expected a condition as the first argument of 'where', but got the integer 'q'");
  expectError("where(q < k, true, 2)", 14,
              "expected a number in 'where', but got the condition 'true'");
  expectError("exp(q < k)", 5, "expected a number in 'exp', but got the condition 'q < k'");
  expectError("1 < score < 2", 11,
              "expected one comparison, but got a chain; write 'a < b && b < c'");
}

TEST(Score, integer_division) {
  std::string hint = "; float(...) of either side divides as floats do";
  expectError("score + q / k", 13,
              "expected the right side of '/' to be a positive constant, but got 'k'" + hint);
  expectError("q / 0", 5, "expected the right side of '/' to be a positive constant, but got 0");
  expectError("q % k", 5, "expected the right side of '%' to be a positive constant, but got 'k'");
  EXPECT_EQ(printed("score / k + q / 0.0"), "score / k + q / 0.0");
}

TEST(Score, arguments) {
  expectError("where(q < k, 1)", 15, "expected ',' and a third number, but got ')'");
  expectError("pow(score)", 10, "expected ',' and a second number, but got ')'");
  expectError("exp(score, 1)", 10, "expected ')', but got ','");
  expectError("min(score)", 10, "expected ',' and a second number, but got ')'");
  expectError("exp score", 5, "expected '(', but got 'score'");
  expectError("exp()", 5, "expected a number or a condition, but got ')'");
}

TEST(Score, names) {
  expectError("scor + 1", 1, "unknown name 'scor'; did you mean 'score'?");
  expectError("tahn(score)", 1, "unknown name 'tahn'; did you mean 'tanh'?");
  expectError("score + zebra", 9,
              "unknown name 'zebra'; known here: score, inf, b, h, q, k, nq, nk, min, max, abs, "
              "float, exp, exp2, log, log2, sqrt, rsqrt, tanh, sigmoid, erf, sin, cos, floor, "
              "pow, where, true, false");
  expectError("", 1, "expected a score, but got an empty expression");
  expectError("score score", 7, "expected an operator or the end of the input, but got 'score'");
  expectError("{ score }", 1, "expected a number or a condition, but got '{'");
}

TEST(Score, predicates_have_neither_floats_nor_their_functions) {
  auto error = [](std::string_view text) {
    std::string message = parsePattern(text, "p").error;
    return message.substr(0, message.find('\n'));
  };
  EXPECT_EQ(error("{ q < 1.5 }"), "p:1:7: error: expected an integer, but got '1.5'");
  EXPECT_EQ(error("{ where(q < k, q, k) < 3 }"),
            "p:1:3: error: unknown name 'where'; known here: b, h, q, k, nq, nk, min, max, abs, "
            "true, false");
  Pattern floats = predicate([](Index, Index, Index q, Index) { return Real(q) < 0.5; });
  EXPECT_EQ(validate(floats), "expected an integer in a predicate, but got the float 'float(q)'");
  Pattern chosen = predicate([](Index, Index, Index q, Index k) { return where(q < k, q, k) < 3; });
  EXPECT_EQ(validate(chosen),
            "expected an integer in a predicate, but got the integer 'where(q < k, q, k)'");
}

TEST(Score, builders_are_checked) {
  EXPECT_EQ(validate(Score()), "expected a score, but got none");
  EXPECT_EQ(validate(score(Real(std::nan("")))), "expected a number, but got nan");
  EXPECT_EQ(validate(Score(detail::makeTruth(true))),
            "expected a number as the score, but got the condition 'true'");
  EXPECT_EQ(validate(Score(detail::makeExpr(ExprKind::Mod, Real(0.5).get(), Real(2).get()))),
            "expected integers beside '%', but got the float '0.5'");
  EXPECT_EQ(validate(Score(detail::makeExpr(ExprKind::Exp, nullptr))),
            "expected an expression, but got none");
  Index wide(INT64_MAX / 2);
  EXPECT_EQ(validate(score(Real(wide * 4))),
            "expected index arithmetic to stay within 62 bits for positions up to 67108864, but "
            "'4611686018427387903 * 4' may not");
}

TEST(Score, size_is_bounded) {
  auto nested = [](int depth) {
    return std::string(depth, '(') + "score" + std::string(depth, ')');
  };
  EXPECT_TRUE(parseScore(nested(maxDepth)));
  expectError(nested(maxDepth + 1), maxDepth + 1,
              "expected at most 256 levels of nesting, but got more");
  expectError(nested(200000), maxDepth + 1, "expected at most 256 levels of nesting, but got more");
  std::string chain = "score";
  for (int i = 0; i < 100000; ++i)
    chain += " + 1.0";
  EXPECT_FALSE(parseScore(chain));
  Real deep = 1.0;
  for (int i = 0; i < 200000; ++i)
    deep = exp(deep);
  EXPECT_EQ(validate(score(deep)), "expected at most 256 levels of nesting, but got more");
  Real wide = 1.0;
  for (int i = 0; i < 60; ++i)
    wide = wide + wide;
  EXPECT_EQ(validate(score(wide)), "expected at most 131072 nodes, but got more");
}
