//===- RandomPatternsTest.cpp - Drawing, printing and shrinking -----------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Proves over thousands of random patterns that each is valid for its shape, that
// printing and parsing is the identity, that rows equal pairs, that the algebra of
// sets holds, and that shrinking ends at something that still fails.
//
//===----------------------------------------------------------------------===//

#include "girih/Reference/RandomPatterns.h"

#include "TestSeed.h"
#include "girih/Frontend/Parser.h"
#include "girih/Reference/Membership.h"

#include <gtest/gtest.h>
#include <set>

using namespace girih;

static Shape drawShape(std::mt19937_64 &random) {
  auto below = [&](uint64_t n) { return int64_t(random() % n); };
  int64_t numK = 1 + below(40);
  int64_t numQ = below(2) ? numK : 1 + below(40);
  return makeShape(numQ, numK, 1 + below(4), below(2));
}

static void collectKinds(const PatternNode &node, std::set<PatternKind> &kinds) {
  kinds.insert(node.kind);
  for (const PatternRef &child : node.children)
    collectKinds(*child, kinds);
}

/// Parses what a pattern prints; its tables are in memory.
static ParseResult parseAgain(const Pattern &pattern) {
  ParseOptions options;
  for (const TableRef &table : patternLookups(pattern))
    options.tables.push_back(Table(table));
  return parsePattern(pattern.str(), "<pattern>", options);
}

static int64_t countLookups(const Pattern &pattern) {
  return static_cast<int64_t>(patternLookups(pattern).size());
}

TEST(RandomPatterns, are_valid_and_print_and_parse_as_themselves) {
  std::mt19937_64 random(test::seed());
  std::set<PatternKind> kinds;
  int64_t lookups = 0;
  for (int i = 0; i < 6000; ++i) {
    DrawOptions options;
    options.shape = drawShape(random);
    options.maxDepth = int(i % 7);
    options.allowNonAffine = i % 2;
    Pattern pattern = drawPattern(random, options);
    ASSERT_EQ(validateShape(pattern, options.shape), "") << pattern.str();
    ParseResult parsed = parseAgain(pattern);
    ASSERT_TRUE(parsed) << parsed.error;
    ASSERT_TRUE(parsed.pattern == pattern) << pattern.str() << "\nparses as\n"
                                           << parsed.pattern.str();
    ASSERT_EQ(parsed.pattern.str(), pattern.str());
    collectKinds(*pattern, kinds);
    lookups += countLookups(pattern);
  }
  EXPECT_EQ(kinds.size(), size_t(PatternKind::Predicate) + 1);
  EXPECT_GT(lookups, 100);
}

TEST(RandomPatterns, are_the_same_for_the_same_seed) {
  std::mt19937_64 a(5), b(5);
  DrawOptions options;
  options.shape = makeShape(20, 30, 2, false);
  for (int i = 0; i < 50; ++i)
    EXPECT_EQ(drawPattern(a, options).str(), drawPattern(b, options).str());
}

TEST(RandomPatterns, options_keep_kinds_out) {
  std::mt19937_64 random(test::seed());
  DrawOptions options;
  options.shape = makeShape(24, 24, 2, false);
  options.allowTables = options.allowRandomBlocks = options.allowHeads = false;
  options.allowPredicates = options.allowNeighborhoods = options.allowBlockwise = false;
  std::set<PatternKind> kinds;
  for (int i = 0; i < 500; ++i)
    collectKinds(*drawPattern(random, options), kinds);
  for (PatternKind kind : {PatternKind::Segments, PatternKind::BlockTable,
                           PatternKind::RandomBlocks, PatternKind::Heads, PatternKind::Predicate,
                           PatternKind::Neighborhood, PatternKind::Blockwise})
    EXPECT_EQ(kinds.count(kind), 0u);
}

TEST(RandomPatterns, rows_equal_pairs_and_sets_obey_their_algebra) {
  std::mt19937_64 random(test::seed());
  for (int i = 0; i < 600; ++i) {
    DrawOptions options;
    options.shape = drawShape(random);
    Shape shape = options.shape;
    Pattern a = drawPattern(random, options), b = drawPattern(random, options);
    Membership ma(a, shape), mb(b, shape), both(a & b, shape), either(a | b, shape),
        minus(a - b, shape), complement(~a, shape);
    std::vector<uint8_t> keys;
    for (int64_t h = 0; h < shape.heads; ++h) {
      for (int64_t q = shape.qOffset; q < shape.qOffset + shape.numQ; ++q) {
        minus.row(1, h, q, keys);
        for (int64_t k = 0; k < shape.numK; ++k) {
          bool x = ma.contains(1, h, q, k), y = mb.contains(1, h, q, k);
          ASSERT_EQ(both.contains(1, h, q, k), x && y);
          ASSERT_EQ(either.contains(1, h, q, k), x || y);
          ASSERT_EQ(complement.contains(1, h, q, k), !x);
          ASSERT_EQ(bool(keys[k]), x && !y) << a.str() << " - " << b.str();
        }
      }
    }
  }
}

static int64_t count(const Pattern &pattern, const Shape &shape) {
  Membership membership(pattern, shape);
  int64_t pairs = 0;
  for (int64_t q = shape.qOffset; q < shape.qEnd; ++q)
    for (int64_t k = 0; k < shape.numK; ++k)
      pairs += membership.contains(0, 0, q, k);
  return pairs;
}

TEST(Shrink, ends_at_a_small_pattern_that_still_fails) {
  std::mt19937_64 random(test::seed());
  DrawOptions options;
  options.shape = makeShape(24, 24, 1, true);
  for (int i = 0; i < 40; ++i) {
    Pattern pattern = drawPattern(random, options);
    // "Fails" when query 3 sees key 5.
    auto fails = [&](const Pattern &p) {
      return validateShape(p, options.shape).empty() && contains(p, options.shape, 0, 0, 3, 5);
    };
    if (!fails(pattern))
      continue;
    int steps = 0;
    for (bool smaller = true; smaller; ++steps) {
      ASSERT_LT(steps, 1000);
      smaller = false;
      for (const Pattern &candidate : shrink(pattern)) {
        if (!fails(candidate))
          continue;
        pattern = candidate;
        smaller = true;
        break;
      }
    }
    EXPECT_EQ(pattern.str(), "full");
  }
}

TEST(Shrink, keeps_what_the_failure_needs) {
  Shape shape = makeShape(24, 24, 1, true);
  Pattern pattern =
      (causal() & window(17, 3)) | (segments({0, 5, 9, 24}) - chunk(7)) |
      predicate([](Index, Index, Index q, Index k) { return q >= k + 4 && (k / 3) % 2 == 1; });
  auto fails = [&](const Pattern &p) {
    if (!validateShape(p, shape).empty())
      return false;
    int64_t pairs = count(p, shape);
    return pairs > 24 && pairs < 24 * 24;
  };
  ASSERT_TRUE(fails(pattern));
  for (bool smaller = true; smaller;) {
    smaller = false;
    for (const Pattern &candidate : shrink(pattern)) {
      ASSERT_EQ(validate(candidate), "");
      ParseResult parsed = parseAgain(candidate);
      ASSERT_TRUE(parsed && parsed.pattern == candidate) << candidate.str();
      if (fails(candidate)) {
        pattern = candidate;
        smaller = true;
        break;
      }
    }
  }
  EXPECT_EQ(pattern->children.size(), 0u) << pattern.str();
}

TEST(Shrink, candidates_of_random_patterns_are_valid_and_canonical) {
  std::mt19937_64 random(test::seed());
  for (int i = 0; i < 300; ++i) {
    DrawOptions options;
    options.shape = drawShape(random);
    options.maxDepth = 3;
    Pattern pattern = drawPattern(random, options);
    for (const Pattern &candidate : shrink(pattern)) {
      ASSERT_EQ(validate(candidate), "");
      ParseResult parsed = parseAgain(candidate);
      ASSERT_TRUE(parsed && parsed.pattern == candidate) << candidate.str();
      ASSERT_FALSE(candidate == pattern);
    }
  }
}
