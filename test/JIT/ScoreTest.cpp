//===- ScoreTest.cpp - Score functions ------------------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "JitTesting.h"

#include "girih/Frontend/Parser.h"

#include <cmath>

using namespace girih;
using namespace girih::testing;

/// Compiles causal attention with a score and compares it with `expected`, or with the
/// reference's own evaluation of the score.
static void expectScore(const Score &score, ScoreFunction expected = {}, const char *cpu = "") {
  ASSERT_TRUE(score);
  auto session = makeSession();
  Sizes sizes{2, 4, 2, 77, 130, 24, 24};
  CompileOptions options = optionsFor(sizes);
  options.score = score;
  options.cpu = cpu;
  auto kernel = compile(*session, causal(), options);
  ASSERT_TRUE(kernel);
  if (!expected)
    expected = scoreFunction(score, makeShape(sizes.numQ, sizes.numK, sizes.heads, false));
  EXPECT_EQ(check(*kernel, causal(), sizes, expected, score), "") << score.str();
}

static void expectScore(const char *text, const char *cpu = "") {
  ScoreResult parsed = parseScore(text);
  ASSERT_TRUE(parsed) << parsed.error;
  expectScore(parsed.score, {}, cpu);
}

// The first few have a second definition, so that parser and reference are checked too.

TEST(Score, Softcap) {
  for (float cap : {0.5f, 30.0f})
    for (const char *cpu : {"", "x86-64-v3", "x86-64"})
      expectScore(
          score([&](Real s, Index, Index, Index, Index) { return cap * tanh(s / cap); }),
          [cap](double s, int64_t, int64_t, int64_t, int64_t) { return cap * std::tanh(s / cap); },
          cpu);
}

TEST(Score, Alibi) {
  expectScore(parseScore("score + exp2(-1 - float(h)) * (k - q)").score,
              [](double s, int64_t, int64_t h, int64_t q, int64_t k) {
                return s + std::exp2(-double(h + 1)) * double(k - q);
              });
}

TEST(Score, FloorDivisionOfNegativeDistances) {
  expectScore(
      parseScore("score + 0.125 * ((k - q) / 3) - 0.25 * ((k - q) % 5) + (k - q) / 8 % 2").score,
      [](double s, int64_t, int64_t, int64_t q, int64_t k) {
        double thirds = std::floor(double(k - q) / 3), eighths = std::floor((k - q) / 8.0);
        int64_t fives = ((k - q) % 5 + 5) % 5;
        return s + 0.125 * thirds - 0.25 * double(fives) + (eighths - 2 * std::floor(eighths / 2));
      });
}

TEST(Score, NeverReadsTheScore) {
  expectScore(parseScore("0.5").score,
              [](double, int64_t, int64_t, int64_t, int64_t) { return 0.5; });
}

TEST(Score, ReturnsTheScore) {
  expectScore(parseScore("score").score,
              [](double s, int64_t, int64_t, int64_t, int64_t) { return s; });
}

TEST(Score, LengthsOfTheLaunch) {
  expectScore(parseScore("score + 0.5 * float(q) / nq - log(float(nk - k))").score,
              [](double s, int64_t, int64_t, int64_t q, int64_t k) {
                return s + 0.5 * double(q) / 77 - std::log(double(130 - k));
              });
}

/// Every function, of vectors and of what is the same in all lanes, on each width of
/// vectors.
TEST(Score, EveryFunction) {
  const char *texts[] = {
      "abs(score) - abs(q - k) * 0.01",
      "min(score, 0.5, 0.01 * k) + max(score, -0.25 * h)",
      "exp(-abs(score)) + exp(-0.1 * h)",
      "exp2(-abs(score)) + exp2(-0.1 * b)",
      "log(1 + score * score) + log(1.5 + h)",
      "log2(1 + score * score) + log2(1.5 + b)",
      "sqrt(abs(score)) + sqrt(float(h))",
      "rsqrt(1 + score * score) + rsqrt(1.0 + k)",
      "tanh(score) + tanh(0.1 * h)",
      "sigmoid(score) * sigmoid(0.1 * h - 0.2)",
      "erf(score) - erf(0.1 * h)",
      "sin(3 * score) + sin(0.01 * (q - k)) + sin(0.1 * b)",
      "cos(3 * score) + cos(0.01 * (q - k)) + cos(0.1 * b)",
      "pow(1 + score * score, 1.5) * 0.1 + pow(1.0 + h, -0.5) + pow(score, 3) * 0.01",
      "score + floor(0.25 * q + 0.125) * 0.01",
      "where(q - k < 10 && (k % 3 != 1 || !(h == 2)), score, 0.5 * score)",
      "where(score < 0.0, score * 0.25, score)",
      "where(k % 7 == 3, -inf, score)",
      "score + where(h % 2 == 0, q - k, k / 3) * 0.01",
      "-score / (2 + h) - -0.5 / (1.0 + k)",
      "where(true && !false, score, 0)"};
  for (const char *text : texts)
    for (const char *cpu : {"", "x86-64-v3", "x86-64"})
      expectScore(text, cpu);
}

/// Vectors, and scalars that are the same in all lanes; products with powers of two are
/// exact, so that the reference sees the same arguments.
TEST(Score, SineAndCosineOfLargeArguments) {
  const char *texts[] = {
      "score + cos(float(q - k) * 24)", "score + sin(64.0 * q) - cos(524288.0 * (q - k))",
      "score + sin(float((q - k) * 100003))",
      "score + cos(1099511627776.0 * k) + sin(8388608.0 * h) + cos(1099511627776.0 * b)",
      // Every lane large, one lane large, none.
      "score + where(q % 16 == 3, sin(67108864.0 * (q + 1)), cos(0.5 * q))"};
  for (const char *text : texts)
    for (const char *cpu : {"", "x86-64-v3", "x86-64"})
      expectScore(text, cpu);
}

TEST(Score, WideIntegers) {
  // Bounds of these leave 32 bits, whatever the values are.
  expectScore("score + 0.001 * (h * (q - k)) - 0.5 * (q * k % 7 / 2)");
  expectScore("score + 0.0625 * ((q - k) * 5000000000 / 10000000001)");
  expectScore("where(q * q < k * k + 1000, score, score * 0.5)");
}

//===----------------------------------------------------------------------===//
// Lookups
//===----------------------------------------------------------------------===//

/// About N(0, 1) / 2, the same each time.
static Table drawTable(const char *name, std::vector<int64_t> shape) {
  int64_t count = 1;
  for (int64_t extent : shape)
    count *= extent;
  std::vector<float> values;
  for (int64_t i = 0; i != count; ++i)
    values.push_back(std::sin(static_cast<float>(i * i % 1009)));
  return Table::ofFloats(name, std::move(values), std::move(shape));
}

TEST(Score, LooksUpFloatsAndIntegers) {
  // 77 queries at 53 to 129 over 130 keys.
  Table bias = drawTable("bias", {4, 259}), wide = drawTable("wide", {2, 4, 16, 130});
  std::vector<int64_t> numbers;
  for (int64_t i = 0; i != 130; ++i)
    numbers.push_back(i * 37 % 31);
  Table bucket("bucket", numbers), slope("slope", {-4, 3, 2, -1});
  Score scores[] = {
      score([&](Real s, Index, Index h, Index q, Index k) { return s + bias(h, q - k + 129); }),
      score([&](Real s, Index, Index h, Index q, Index k) {
        return s + 0.125 * slope(h) * Real(abs(q - k)) / 64;
      }),
      score([&](Real s, Index b, Index h, Index q, Index k) {
        return s * Real(wide(b, h, q / 8 % 16, k)) + 0.25 * Real(bucket(k) % 3);
      }),
      // Lookups of lookups, clamped distances, branches.
      score([&](Real s, Index, Index h, Index q, Index k) {
        return s + bias(h, bucket(min(max(q - k, 0), 129)) + 31);
      }),
      score([&](Real s, Index, Index, Index q, Index k) {
        return where(bucket(q) == bucket(k), s, s - bias(0, where(q < k, q, k)));
      }),
      // The same for every lane, and for every pair.
      score([&](Real s, Index, Index h, Index, Index k) { return s + bias(h, k) + slope(2); }),
      score([&](Real s, Index, Index, Index, Index) {
        return s - 0.01 * Real(bucket((Index::nk() - Index::nq()) / 2));
      }),
  };
  for (const Score &score : scores)
    for (const char *cpu : {"", "x86-64-v3", "x86-64"})
      expectScore(score, {}, cpu);
}

TEST(Score, TablesCompileNothing) {
  auto session = makeSession();
  Sizes sizes{1, 4, 4, 60, 60, 16, 16};
  auto biased = [](const Table &bias) {
    return score([&](Real s, Index, Index h, Index, Index k) { return s + bias(h, k); });
  };
  Shape shape = makeShape(60, 60, 4, false);
  for (int64_t extent : {60, 100}) {
    CompileOptions options = optionsFor(sizes);
    options.score = biased(drawTable("bias", {4, extent}));
    auto kernel = compile(*session, causal(), options);
    ASSERT_TRUE(kernel);
    EXPECT_EQ(check(*kernel, causal(), sizes, scoreFunction(options.score, shape), options.score),
              "");
  }
  EXPECT_EQ(session->compilations(), 1);
  CompileOptions options = optionsFor(sizes);
  options.score = biased(drawTable("bias", {4, 59}));
  auto kernel = compile(*session, causal(), options);
  ASSERT_TRUE(kernel);
  EXPECT_EQ(session->compilations(), 1);
  Tensors tensors(sizes);
  EXPECT_EQ(launch(*kernel, tensors, causal(), 1, nullptr, options.score),
            "expected index 1 of table @bias, whose extent is 59, to lie in 0..58, but got 0..59");
}

/// A table that both read is one operand.
TEST(Score, SharesTablesWithThePattern) {
  auto session = makeSession();
  Sizes sizes{1, 2, 2, 90, 90, 16, 16};
  std::vector<int64_t> ids;
  for (int64_t i = 0; i != 90; ++i)
    ids.push_back(i / 20);
  Table doc("doc", ids), bias = drawTable("bias", {5, 5});
  Pattern pattern = predicate([&](Index, Index, Index q, Index k) { return doc(q) >= doc(k); });
  CompileOptions options = optionsFor(sizes);
  options.score = score([&](Real s, Index, Index, Index q, Index k) {
    return s + bias(min(max(doc(q), 0), 4), min(max(doc(k), 0), 4));
  });
  EXPECT_EQ(patternOperands(pattern, options.score).size(), 2u);
  auto kernel = compile(*session, pattern, options);
  ASSERT_TRUE(kernel);
  ScoreFunction expected = scoreFunction(options.score, makeShape(90, 90, 2, false));
  EXPECT_EQ(check(*kernel, pattern, sizes, expected, options.score), "");
}

TEST(Score, InvalidScoresAreErrors) {
  auto session = makeSession();
  CompileOptions options;
  options.score = score([](Real s, Index, Index, Index q, Index k) { return s + q / k; });
  int code = 0;
  std::string message = compileError(*session, causal(), options, &code);
  EXPECT_EQ(code, GIRIH_INVALID) << message;
  EXPECT_EQ(message, "score: expected the right side of '/' to be a positive constant, but got "
                     "'k'; float(...) of either side divides as floats do");
  // The session still works.
  options.score = {};
  EXPECT_TRUE(compile(*session, causal(), options));
}
