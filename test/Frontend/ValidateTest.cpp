//===- ValidateTest.cpp - Checks of values and of lengths -----------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Proves that every value that the language forbids is refused, with both values
// in the message, and that the neighbours of each limit are accepted.
//
//===----------------------------------------------------------------------===//

#include "girih/Frontend/Parser.h"

#include <gtest/gtest.h>

using namespace girih;

TEST(Validate, distances) {
  EXPECT_EQ(validate(window(0, 0)), "");
  EXPECT_EQ(validate(window(-1)), "expected left to be at least 0, but got -1");
  EXPECT_EQ(validate(window({}, -1)), "expected right to be at least 0, but got -1");
  EXPECT_EQ(validate(window(INT64_MAX)), "expected left to be at most 1099511627776, "
                                         "but got 9223372036854775807");
  EXPECT_EQ(validate(dilated(-1, 0, 1)), "expected left to be at least 0, but got -1");
  EXPECT_EQ(validate(dilated(0, -1, 1)), "expected right to be at least 0, but got -1");
  EXPECT_EQ(validate(dilated(0, 0, 0)), "expected dilation to be at least 1, but got 0");
  EXPECT_EQ(validate(dilated(1, maxValue, 2)),
            "expected left and right times dilation to be at most 1099511627776, but "
            "got 1099511627776 * 2");
  EXPECT_EQ(validate(strided(0)), "expected stride to be at least 1, but got 0");
  EXPECT_EQ(validate(chunk(0)), "expected size to be at least 1, but got 0");
  EXPECT_EQ(validate(blockwise(causal(), 0)), "expected size to be at least 1, but got 0");
  EXPECT_EQ(validate(global(-1)), "expected first to be at least 0, but got -1");
  EXPECT_EQ(validate(globalRows(0, -1)), "expected last to be at least 0, but got -1");
  EXPECT_EQ(validate(globalColumns(0, -1)), "expected last to be at least 0, but got -1");
}

TEST(Validate, columns) {
  EXPECT_EQ(validate(columns(4, 0, 4)), "");
  EXPECT_EQ(validate(columns(4, 4, 4)), "");
  EXPECT_EQ(validate(columns(0, 0, 0)), "expected period to be at least 1, but got 0");
  EXPECT_EQ(validate(columns(4, -1, 2)), "expected lo to be at least 0, but got -1");
  EXPECT_EQ(validate(columns(4, 5, 5)), "expected lo to be at most 4, but got 5");
  EXPECT_EQ(validate(columns(4, 3, 2)), "expected hi to be at least 3, but got 2");
  EXPECT_EQ(validate(columns(4, 3, 5)), "expected hi to be at most 4, but got 5");
}

TEST(Validate, random_blocks) {
  EXPECT_EQ(validate(randomBlocks(1, 0, 0)), "");
  EXPECT_EQ(validate(randomBlocks(0, 1, 0)), "expected size to be at least 1, but got 0");
  EXPECT_EQ(validate(randomBlocks(1, -1, 0)), "expected count to be at least 0, but got -1");
}

TEST(Validate, segments) {
  EXPECT_EQ(validate(segments({0})), "");
  EXPECT_EQ(validate(segments({0, 2, 2, 5})), "");
  EXPECT_EQ(validate(segments({})), "expected offsets to start at 0, but got an empty list");
  EXPECT_EQ(validate(segments({1, 2})), "expected offsets to start at 0, but got 1");
  EXPECT_EQ(validate(segments({0, 3, 2})), "expected offsets not to decrease, but got 2 after 3");
  EXPECT_EQ(validate(segments({0, INT64_MAX})),
            "expected offsets to be at most 1099511627776, but got "
            "9223372036854775807");
}

TEST(Validate, block_tables) {
  EXPECT_EQ(validate(blockTable(2, {0}, {})), "");
  EXPECT_EQ(validate(blockTable(2, {0, 1, 1, 2}, {0, 0}, 2)), "");
  EXPECT_EQ(validate(blockTable(0, {0}, {})), "expected size to be at least 1, but got 0");
  EXPECT_EQ(validate(blockTable(1, {0}, {}, 0)), "expected heads to be at least 1, but got 0");
  EXPECT_EQ(validate(blockTable(1, {}, {})),
            "expected indptr to have rows + 1 entries for each of 1 heads, but got 0");
  EXPECT_EQ(validate(blockTable(1, {0, 0, 0}, {}, 2)),
            "expected indptr to have rows + 1 entries for each of 2 heads, but got 3");
  EXPECT_EQ(validate(blockTable(1, {1, 1}, {0})), "expected indptr to start at 0, but got 1");
  EXPECT_EQ(validate(blockTable(1, {0, 1, 0}, {0})),
            "expected indptr not to decrease, but got 0 after 1");
  EXPECT_EQ(validate(blockTable(1, {0, 2}, {0})),
            "expected indptr to be at most 1, the number of indices, but got 2");
  EXPECT_EQ(validate(blockTable(1, {0, 1}, {0, 1})),
            "expected indptr to end at 2, the number of indices, but got 1");
  EXPECT_EQ(validate(blockTable(1, {0, 1, 0, 1}, {0}, 2)),
            "expected indptr of head 1 to start at 1, where head 0 ends, but got 0");
  EXPECT_EQ(validate(blockTable(1, {0, 1}, {-1})), "expected indices to be at least 0, but got -1");
  EXPECT_EQ(validate(blockTable(1, {0, 0, 2}, {1, 1})),
            "expected indices of row 1 to ascend, but got 1 after 1");
}

TEST(Validate, neighborhoods) {
  EXPECT_EQ(validate(neighborhood({6, 4, 2}, {3, 1, 2}, {2, 4, 1}, {3, 1, 2})), "");
  EXPECT_EQ(validate(neighborhood({}, {})), "expected grid to have 1 to 3 dimensions, but got 0");
  EXPECT_EQ(validate(neighborhood({2, 2, 2, 2}, {1, 1, 1, 1})),
            "expected grid to have 1 to 3 dimensions, but got 4");
  EXPECT_EQ(validate(neighborhood({4, 4}, {3})),
            "expected kernel to have 2 entries as grid has, but got 1");
  EXPECT_EQ(validate(neighborhood({4}, {3}, {1, 1})),
            "expected dilation to have 1 entries as grid has, but got 2");
  EXPECT_EQ(validate(neighborhood({4}, {3}, {1}, {1, 1})),
            "expected stride to have 1 entries as grid has, but got 2");
  EXPECT_EQ(validate(neighborhood({4}, {3}, {1}, {1}, {true, true})),
            "expected causal to have 1 entries as grid has, but got 2");
  EXPECT_EQ(validate(neighborhood({0}, {1})), "expected grid to be at least 1, but got "
                                              "0");
  EXPECT_EQ(validate(neighborhood({4}, {0})), "expected kernel to be at least 1, but got 0");
  EXPECT_EQ(validate(neighborhood({4}, {1}, {0})), "expected dilation to be at least 1, but got 0");
  EXPECT_EQ(validate(neighborhood({4}, {1}, {1}, {0})),
            "expected stride to be at least 1, but got 0");
  EXPECT_EQ(validate(neighborhood({8, 4}, {3, 5})),
            "expected kernel * dilation to be at most the grid's 4 in dimension 1, but "
            "got 5 * 1");
  EXPECT_EQ(validate(neighborhood({5}, {3}, {2})),
            "expected kernel * dilation to be at most the grid's 5 in dimension 0, but "
            "got 3 * 2");
  EXPECT_EQ(validate(neighborhood({5}, {3}, {1}, {4})),
            "expected stride to be at most the kernel's 3 in dimension 0, but got 4");
  EXPECT_EQ(validate(neighborhood({maxValue, 2}, {1, 1})),
            "expected grid to hold at most 1099511627776 tokens, but got more");
}

TEST(Validate, heads) {
  auto ranges = [](int64_t a, int64_t b, int64_t c, int64_t d) {
    return heads(std::vector<HeadRange>{{a, b, causal()}, {c, d, full()}});
  };
  EXPECT_EQ(validate(ranges(4, 7, 0, 3)), "");
  EXPECT_EQ(validate(ranges(0, 4, 4, 7)),
            "expected head ranges not to overlap, but 4 lies in 0..4 and 4..7");
  EXPECT_EQ(validate(ranges(5, 6, 0, 9)),
            "expected head ranges not to overlap, but 5 lies in 0..9 and 5..6");
  EXPECT_EQ(validate(ranges(3, 2, 4, 7)), "expected a head range to ascend, but got 3..2");
  EXPECT_EQ(validate(ranges(-1, 2, 4, 7)), "expected a head to be at least 0, but got "
                                           "-1");
  EXPECT_EQ(validate(heads(std::vector<Pattern>{})),
            "expected heads to have a pattern or more, but got none");
}

TEST(Validate, predicates_of_the_builder) {
  Index q = detail::variable(Var::Q), k = detail::variable(Var::K);
  EXPECT_EQ(validate(predicate(q / k < 1)),
            "expected the right side of '/' to be a positive constant, but got 'k'");
  EXPECT_EQ(validate(predicate(q % 0 == 1)),
            "expected the right side of '%' to be a positive constant, but got 0");
  EXPECT_EQ(validate(predicate(q % -2 == 1)),
            "expected the right side of '%' to be a positive constant, but got -2");
  EXPECT_EQ(validate(predicate(Bool((q + k).get()))),
            "expected a condition, but got the integer 'q + k'");
  EXPECT_EQ(validate(predicate(Bool((q + k).get()) && q < k)),
            "expected a condition, but got the integer 'q + k'");
  EXPECT_EQ(validate(predicate(q + Index((q < k).get()) < 1)),
            "expected an integer, but got the condition 'q < k'");
}

TEST(Validate, index_arithmetic_stays_within_62_bits) {
  Index q = detail::variable(Var::Q), k = detail::variable(Var::K);
  EXPECT_EQ(validate(predicate(q * k * 512 < 1)), "");
  EXPECT_NE(validate(predicate(q * k * 4096 < 1)), "");
  // 62 bits are the compiler's limit, too: one less may be a value, one more not.
  constexpr int64_t limit = int64_t(1) << 62;
  EXPECT_EQ(validate(predicate(k * (int64_t(1) << 36) >= 1)), "");
  EXPECT_EQ(validate(predicate(k * ((int64_t(1) << 36) + 1) >= 1)),
            "expected index arithmetic to stay within 62 bits for positions up to "
            "67108864, but 'k * 68719476737' may not");
  EXPECT_EQ(validate(predicate(Index(limit) % 7 < 1)), "");
  EXPECT_EQ(validate(predicate(Index(limit + 1) % 7 < 1)),
            "expected index arithmetic to stay within 62 bits for positions up to "
            "67108864, but '4611686018427387905' may not");
  EXPECT_EQ(validate(predicate(q < Index(INT64_MAX))),
            "expected index arithmetic to stay within 62 bits for positions up to "
            "67108864, but '9223372036854775807' may not");
  EXPECT_NE(validate(predicate(-Index(INT64_MIN) < 1)), "");
  EXPECT_EQ(validate(predicate(q * k % 7 * q * k < 1)), "");
  EXPECT_EQ(validate(predicate(abs(min(q, k)) * max(q, -k) / 3 < 1)), "");
  // The compiler multiplies either side of a minimum, unless it is never the lesser one.
  Index large(int64_t(1) << 40);
  EXPECT_EQ(validate(predicate(min(k, large) * q < 5)), "");
  EXPECT_EQ(validate(predicate(max(q - large, k) * q < 5)), "");
  EXPECT_EQ(validate(predicate(min(k, q * large) < 5)),
            "expected index arithmetic to stay within 62 bits for positions up to 67108864, but "
            "'q * 1099511627776' may not");
  EXPECT_EQ(validate(predicate(min(k, q * k) * q < 5)),
            "expected index arithmetic to stay within 62 bits for positions up to 67108864, but "
            "'min(k, q * k) * q' may not");
}

TEST(ValidateShape, make_shape_aligns) {
  Shape right = makeShape(3, 5, 2, false), left = makeShape(3, 5, 2, true);
  EXPECT_EQ(right.qOffset, 2);
  EXPECT_EQ(right.qEnd, 5);
  EXPECT_EQ(left.qOffset, 0);
  EXPECT_EQ(left.qEnd, 3);
  EXPECT_EQ(makeShape(5, 3, 1, false).qOffset, -2);
}

TEST(ValidateShape, lengths) {
  EXPECT_EQ(validateShape(causal(), makeShape(0, 0, 1, false)), "");
  EXPECT_EQ(validateShape(causal(), makeShape(-1, 3, 1, false)),
            "expected lengths of at least 0 and a head or more, but got -1 queries, 3 "
            "keys and 1 heads");
  EXPECT_EQ(validateShape(chunk(0), makeShape(3, 3, 1, false)),
            "expected size to be at least 1, but got 0");
}

TEST(ValidateShape, segments_end_at_the_length) {
  Shape shape = makeShape(4, 9, 1, false);
  EXPECT_EQ(validateShape(causal() & segments({0, 3, 9}), shape), "");
  EXPECT_EQ(validateShape(segments({0, 3, 8}), shape),
            "expected offsets to end at 9, the number of keys, but got 8");
  EXPECT_EQ(validateShape(blockwise(segments({0, 3}), 4), shape), "");
  EXPECT_EQ(validateShape(blockwise(segments({0, 9}), 4), shape),
            "expected offsets to end at 3, the number of keys, but got 9");
}

TEST(ValidateShape, grids_match_the_length) {
  EXPECT_EQ(validateShape(neighborhood({3, 4}, {1, 1}), makeShape(12, 12, 1, true)), "");
  EXPECT_EQ(validateShape(neighborhood({3, 4}, {1, 1}), makeShape(11, 11, 1, true)),
            "expected grid to hold 11 queries and 11 keys, but got 12 positions");
  EXPECT_EQ(validateShape(neighborhood({3, 4}, {1, 1}), makeShape(4, 12, 1, true)),
            "expected grid to hold 4 queries and 12 keys, but got 12 positions");
  EXPECT_EQ(validateShape(blockwise(neighborhood({3, 2}, {1, 1}), 8), makeShape(41, 41, 1, true)),
            "");
  // Six blocks of queries and of keys, but the queries start before the keys.
  EXPECT_EQ(validateShape(blockwise(neighborhood({3, 2}, {1, 1}), 8), makeShape(47, 41, 1, false)),
            "expected queries of neighborhood to start at position 0 or later, but got "
            "-1");
}

TEST(ValidateShape, heads_are_covered) {
  auto ranges = [](int64_t a, int64_t b, int64_t c, int64_t d) {
    return heads(std::vector<HeadRange>{{a, b, causal()}, {c, d, full()}});
  };
  Shape shape = makeShape(4, 4, 16, false);
  EXPECT_EQ(validateShape(ranges(8, 15, 0, 7), shape), "");
  EXPECT_EQ(validateShape(ranges(0, 3, 4, 7), shape),
            "expected heads to cover 0..15, but 8..15 have no pattern");
  EXPECT_EQ(validateShape(ranges(0, 3, 5, 15), shape),
            "expected heads to cover 0..15, but 4 have no pattern");
  EXPECT_EQ(validateShape(ranges(2, 3, 4, 15), shape),
            "expected heads to cover 0..15, but 0..1 have no pattern");
  EXPECT_EQ(validateShape(ranges(0, 7, 8, 16), shape),
            "expected heads to cover 0..15, but got a pattern for 8..16");
  Pattern nested = heads(std::vector<HeadRange>{{0, 7, ranges(0, 3, 4, 7)}, {8, 15, full()}});
  EXPECT_EQ(validateShape(nested, shape), "");
  nested = heads(std::vector<HeadRange>{{0, 8, ranges(0, 3, 4, 7)}, {9, 15, full()}});
  EXPECT_EQ(validateShape(nested, shape), "expected heads to cover 0..8, but 8 have no pattern");
}

TEST(ValidateShape, block_tables_fit) {
  Shape shape = makeShape(5, 9, 2, false);
  EXPECT_EQ(validateShape(blockTable(4, {0, 0, 0, 1}, {2}), shape), "");
  EXPECT_EQ(validateShape(blockTable(4, {0, 0, 1}, {2}), shape),
            "expected block_table to have at least 3 rows for 9 positions in blocks of "
            "4, but got 2");
  EXPECT_EQ(validateShape(blockTable(4, {0, 0, 0, 1}, {3}), shape),
            "expected indices of block_table to be less than 3 for 9 keys in blocks of "
            "4, but got 3");
  EXPECT_EQ(validateShape(blockTable(9, {0, 0, 0, 0, 0, 0}, {}, 3), shape),
            "expected heads of block_table to be 1 or 2, but got 3");
  EXPECT_EQ(validateShape(blockTable(9, {0, 0, 0, 1}, {0}, 2), shape), "");
}
