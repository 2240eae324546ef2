//===- PatternTest.cpp - The builder, equality and printing ---------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Proves that builder and parser make the same trees, that printing gives the
// expected text, and that no depth or length overflows the stack.
//
//===----------------------------------------------------------------------===//

#include "girih/Frontend/Pattern.h"
#include "girih/Frontend/Parser.h"

#include <gtest/gtest.h>

using namespace girih;

/// The pattern prints as `text`, which parses into an equal tree.
static void expectPrints(const Pattern &pattern, const std::string &text) {
  EXPECT_EQ(pattern.str(), text);
  ParseResult parsed = parsePattern(text);
  EXPECT_TRUE(parsed) << parsed.error;
  EXPECT_TRUE(parsed && parsed.pattern == pattern) << text;
}

/// `text` parses into `pattern`, however that prints.
static void expectParses(const std::string &text, const Pattern &pattern) {
  ParseResult parsed = parsePattern(text);
  EXPECT_TRUE(parsed) << parsed.error;
  EXPECT_TRUE(parsed && parsed.pattern == pattern) << text;
}

TEST(Pattern, prints_every_leaf) {
  expectPrints(full(), "full");
  expectPrints(empty(), "empty");
  expectPrints(causal(), "causal");
  expectPrints(window(1, 2), "window(left=1, right=2)");
  expectPrints(window({}, 0), "window(right=0)");
  expectPrints(window(7), "window(left=7)");
  expectPrints(window({}), "window()");
  expectPrints(dilated(1, 0, 3), "dilated(left=1, right=0, dilation=3)");
  expectPrints(strided(4), "strided(stride=4)");
  expectPrints(chunk(9), "chunk(size=9)");
  expectPrints(columns(8, 2, 4), "columns(period=8, lo=2, hi=4)");
  expectPrints(globalColumns(3), "global_columns(first=3)");
  expectPrints(globalRows(0, 2), "global_rows(last=2)");
  expectPrints(global(1, 2), "global(first=1, last=2)");
  expectPrints(global(0), "global(first=0)");
  expectPrints(blockwise(causal(), 64), "blockwise(causal, size=64)");
  expectPrints(segments({0, 3, 9}), "segments(offsets=[0, 3, 9])");
  expectPrints(randomBlocks(64, 3, UINT64_MAX),
               "random_blocks(size=64, count=3, seed=18446744073709551615)");
  expectPrints(blockTable(4, {0, 1, 3}, {0, 0, 1}),
               "block_table(size=4, indptr=[0, 1, 3], indices=[0, 0, 1])");
  expectPrints(blockTable(4, {0, 1, 1, 2}, {0, 1}, 2),
               "block_table(size=4, indptr=[0, 1, 1, 2], indices=[0, 1], heads=2)");
  expectPrints(neighborhood({4, 8}, {3, 5}), "neighborhood(grid=[4, 8], kernel=[3, 5])");
  expectPrints(neighborhood({8}, {3}, {2}, {2}, {true}),
               "neighborhood(grid=[8], kernel=[3], dilation=[2], stride=[2], "
               "causal=[true])");
}

TEST(Pattern, heads_of_list_and_of_ranges_are_one_kind) {
  Pattern list = heads(std::vector<Pattern>{causal(), full()});
  expectPrints(list, "heads(0: causal, 1: full)");
  expectParses("heads([causal, full])", list);
  expectParses("heads(0..0: causal, 1..1: full)", list);
  expectPrints(heads(std::vector<HeadRange>{{4, 7, full()}, {0, 3, causal() | full()}}),
               "heads(4..7: full, 0..3: causal | full)");
}

TEST(Pattern, chains_flatten_on_the_left_only) {
  Pattern a = causal(), b = full(), c = empty(), d = chunk(2);
  expectPrints(a | b | c, "causal | full | empty");
  EXPECT_EQ((a | b | c)->children.size(), 3u);
  expectParses("(causal | full) | empty", a | b | c);
  expectPrints(a | (b | c), "causal | (full | empty)");
  EXPECT_EQ((a | (b | c))->children.size(), 2u);
  expectPrints(a & b & c, "causal & full & empty");
  expectParses("(causal & full) & empty", a & b & c);
  expectPrints(a & (b & c), "causal & (full & empty)");
  expectPrints((a | b | c) | (d | a | b),
               "causal | full | empty | (chunk(size=2) | causal | full)");
}

TEST(Pattern, parentheses_follow_precedence) {
  Pattern a = causal(), b = full(), c = empty();
  expectPrints(a - b - c, "causal - full - empty");
  expectPrints(a - (b - c), "causal - (full - empty)");
  expectPrints((a | b) - c, "causal | full - empty");
  expectPrints(a | (b - c), "causal | (full - empty)");
  expectPrints((a - b) | c, "causal - full | empty");
  expectPrints((a | b) & c, "(causal | full) & empty");
  expectPrints((a & b) | c, "causal & full | empty");
  expectPrints(a & (b - c), "causal & (full - empty)");
  expectPrints(~a & ~(b & c), "~causal & ~(full & empty)");
  expectPrints(~~(a | b), "~~(causal | full)");
  expectPrints(blockwise(a | b, 2), "blockwise(causal | full, size=2)");
}

TEST(Pattern, predicate_lambda_equals_parsed_predicate) {
  Pattern mine = predicate([](Index b, Index h, Index q, Index k) {
    return q >= k && (q - k < 700 || k / 96 % 5 == 2);
  });
  expectPrints(mine, "{ q >= k && (q - k < 700 || k / 96 % 5 == 2) }");
  expectParses("{ q >= k && (q - k < 700 || (k / 96) % 5 == 2) }", mine);
}

TEST(Pattern, predicates_print_every_operator) {
  auto of = [](auto callable) { return predicate(callable); };
  expectPrints(of([](Index b, Index h, Index q, Index k) {
                 return !(q + h * 2 != k) || b < min(q, max(k, 3));
               }),
               "{ !(q + h * 2 != k) || b < min(q, max(k, 3)) }");
  expectPrints(of([](Index, Index, Index q, Index k) {
                 return (abs(q - k) <= Index::nq() && -q > -Index::nk()) && !(q == k);
               }),
               "{ abs(q - k) <= nq && -q > -nk && !(q == k) }");
  expectPrints(of([](Index, Index, Index q, Index k) { return q - (k - q) < q * (k + 1); }),
               "{ q - (k - q) < q * (k + 1) }");
  expectPrints(of([](Index, Index, Index q, Index k) {
                 return q / 2 * 3 < q * (k % 2) && (q < k || (k < q && q < 3));
               }),
               "{ q / 2 * 3 < q * (k % 2) && (q < k || k < q && q < 3) }");
  expectParses("{ q < min(1, 2, k) }",
               of([](Index, Index, Index q, Index k) { return q < min(min(Index(1), 2), k); }));
  expectParses("{ true || false }", predicate(Bool(parsePattern("{true}").pattern->expr) ||
                                              Bool(parsePattern("{false}").pattern->expr)));
}

TEST(Pattern, constants_fold_alike) {
  auto of = [](auto callable) { return predicate(callable); };
  expectParses("{ q - -5 < -(-k) }",
               of([](Index, Index, Index q, Index k) { return q - -5 < -(-k); }));
  expectPrints(of([](Index, Index, Index q, Index) { return q - Index(-5) < -Index(3); }),
               "{ q - -5 < -3 }");
  expectPrints(of([](Index, Index, Index q, Index) { return q % (Index(2) * 32) == 0; }),
               "{ q % 64 == 0 }");
  expectParses("{ q % (2 * 32) == 0 }", parsePattern("{ q % 64 == 0 }").pattern);
  constexpr int64_t largest = int64_t(1) << 62;
  expectParses("{ q > -4611686018427387904 + 1 + 4611686018427387904 }",
               of([](Index, Index, Index q, Index) { return q > Index(-largest) + 1 + largest; }));
}

TEST(Pattern, equality_sees_every_field) {
  EXPECT_FALSE(window(1, 2) == window(2, 1));
  EXPECT_FALSE(window(1) == window(1, 0));
  EXPECT_FALSE(global(1) == globalRows(1));
  EXPECT_FALSE(randomBlocks(1, 2, 3) == randomBlocks(1, 2, 4));
  EXPECT_FALSE(segments({0, 2}) == segments({0, 3}));
  EXPECT_FALSE(neighborhood({4}, {3}) == neighborhood({4}, {3}, {}, {}, {true}));
  EXPECT_FALSE((causal() | full()) == (causal() & full()));
  EXPECT_FALSE((causal() | full()) == (causal() | full() | full()));
  EXPECT_FALSE(parsePattern("{ q < k }").pattern == parsePattern("{ q < nk }").pattern);
  EXPECT_FALSE(Pattern() == causal());
  EXPECT_TRUE(Pattern() == Pattern());
}

TEST(Pattern, deep_builder_trees_do_not_overflow_the_stack) {
  constexpr int depth = 200000;
  Pattern a = causal(), b = causal();
  Index x = 1, y = 1;
  for (int i = 0; i < depth; ++i) {
    a = ~(a - full());
    b = ~(b - full());
    x = -(x + Index::nq());
    y = -(y + Index::nq());
  }
  EXPECT_TRUE(a == b);
  EXPECT_GT(a.str().size(), size_t(depth));
  EXPECT_NE(validate(a).find("expected at most 256 levels of nesting"), std::string::npos);
  Pattern p = predicate(x < y), r = predicate(y < x);
  EXPECT_TRUE(p == r); // x and y are equal
  EXPECT_GT(p.str().size(), size_t(depth));
  EXPECT_NE(validate(p).find("expected at most 256 levels of nesting"), std::string::npos);
  EXPECT_NE(validate(predicate(x / x < y)).find("expected"), std::string::npos);
}

TEST(Pattern, shared_trees_that_stand_for_huge_ones_are_refused) {
  Pattern p = causal();
  Index x = Index::nk();
  for (int i = 0; i < 60; ++i) {
    p = p - p;
    x = x + x;
  }
  EXPECT_EQ(validate(p), "expected at most 131072 nodes, but got more");
  EXPECT_EQ(validate(predicate(x < 1)), "expected at most 131072 nodes, but got more");
}

TEST(Pattern, long_unions_work) {
  std::string text = "causal";
  for (int i = 1; i < 50000; ++i)
    text += " | causal";
  ParseResult parsed = parsePattern(text);
  ASSERT_TRUE(parsed) << parsed.error;
  EXPECT_EQ(parsed.pattern->children.size(), 50000u);
  EXPECT_EQ(parsed.pattern.str(), text);
  EXPECT_EQ(validate(parsed.pattern), "");
}

TEST(Pattern, null_patterns_are_reported_not_followed) {
  Pattern none;
  EXPECT_EQ(validate(none), "expected a pattern, but got none");
  EXPECT_EQ(validate(none | causal()),
            "expected an operand of union to be a pattern, but got none");
  EXPECT_EQ(validate(blockwise(none, 2)),
            "expected an operand of blockwise to be a pattern, but got none");
  EXPECT_EQ((none - none).str(), "<none> - <none>");
  EXPECT_EQ(validate(predicate(Bool(ExprRef()))), "expected an expression, but got none");
}
