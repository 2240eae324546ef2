//===- MembershipTest.cpp - Off-by-one conventions as pictures ------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Proves each definition against a mask drawn by hand: rows are queries, columns
// keys, '#' attends.
//
//===----------------------------------------------------------------------===//

#include "girih/Reference/Membership.h"

#include "girih-c/BlockMap.h"
#include "girih/Frontend/Parser.h"

#include <gtest/gtest.h>

using namespace girih;

static std::string maskOf(const Pattern &pattern, const Shape &shape, int64_t h = 0,
                          int64_t b = 0) {
  EXPECT_EQ(validateShape(pattern, shape), "");
  Membership membership(pattern, shape);
  std::string mask;
  std::vector<uint8_t> keys;
  for (int64_t i = 0; i < shape.numQ; ++i) {
    int64_t q = shape.qOffset + i;
    membership.row(b, h, q, keys);
    EXPECT_EQ(int64_t(keys.size()), shape.numK);
    for (int64_t k = 0; k < shape.numK; ++k) {
      bool one = membership.contains(b, h, q, k);
      EXPECT_EQ(bool(keys[k]), one) << pattern.str() << " q " << q << " k " << k;
      mask += one ? '#' : '.';
    }
    mask += '\n';
  }
  return mask;
}

/// A square of `n` tokens.
static std::string square(const Pattern &pattern, int64_t n) {
  return maskOf(pattern, makeShape(n, n, 1, false));
}

TEST(Membership, full_and_empty) {
  EXPECT_EQ(square(full(), 2), "##\n##\n");
  EXPECT_EQ(square(empty(), 2), "..\n..\n");
}

TEST(Membership, causal_includes_itself) {
  EXPECT_EQ(square(causal(), 3), "#..\n"
                                 "##.\n"
                                 "###\n");
}

TEST(Membership, causal_follows_the_alignment) {
  EXPECT_EQ(maskOf(causal(), makeShape(2, 4, 1, false)), "###.\n"
                                                         "####\n");
  EXPECT_EQ(maskOf(causal(), makeShape(2, 4, 1, true)), "#...\n"
                                                        "##..\n");
  EXPECT_EQ(maskOf(causal(), makeShape(4, 2, 1, false)), "..\n"
                                                         "..\n"
                                                         "#.\n"
                                                         "##\n");
  EXPECT_EQ(maskOf(causal(), makeShape(4, 2, 1, true)), "#.\n"
                                                        "##\n"
                                                        "##\n"
                                                        "##\n");
}

TEST(Membership, window_bounds_are_inclusive) {
  EXPECT_EQ(square(window(2, 1), 5), "##...\n"
                                     "###..\n"
                                     "####.\n"
                                     ".####\n"
                                     "..###\n");
  EXPECT_EQ(square(window(0, 0), 3), "#..\n.#.\n..#\n");
  EXPECT_EQ(square(window(1), 4), "####\n"
                                  "####\n"
                                  ".###\n"
                                  "..##\n");
  EXPECT_EQ(square(window({}, 0), 3), square(causal(), 3));
  EXPECT_EQ(square(window({}), 3), square(full(), 3));
}

TEST(Membership, dilated_counts_taps) {
  EXPECT_EQ(square(dilated(2, 1, 2), 7), "#.#....\n"
                                         ".#.#...\n"
                                         "#.#.#..\n"
                                         ".#.#.#.\n"
                                         "#.#.#.#\n"
                                         ".#.#.#.\n"
                                         "..#.#.#\n");
}

TEST(Membership, strided_reaches_both_ways) {
  EXPECT_EQ(square(strided(3), 5), "#..#.\n"
                                   ".#..#\n"
                                   "..#..\n"
                                   "#..#.\n"
                                   ".#..#\n");
}

TEST(Membership, chunks_start_at_zero) {
  EXPECT_EQ(square(chunk(2), 5), "##...\n"
                                 "##...\n"
                                 "..##.\n"
                                 "..##.\n"
                                 "....#\n");
}

TEST(Membership, negative_positions_floor) {
  // Queries stand at -3 ... 1.
  Shape shape = makeShape(5, 2, 1, false);
  EXPECT_EQ(maskOf(chunk(2), shape), "..\n..\n..\n##\n##\n");
  EXPECT_EQ(maskOf(strided(2), shape), ".#\n#.\n.#\n#.\n.#\n");
  EXPECT_EQ(maskOf(dilated(1, 1, 2), shape), "..\n#.\n.#\n#.\n.#\n");
  EXPECT_EQ(maskOf(blockwise(window(0, 1), 2), shape), "..\n##\n##\n##\n##\n");
  EXPECT_EQ(maskOf(parsePattern("{ q / 2 == -1 && k == 0 || q % 2 == k }").pattern, shape),
            ".#\n#.\n##\n#.\n.#\n");
}

TEST(Membership, columns_are_half_open) {
  EXPECT_EQ(square(columns(4, 1, 3), 6), ".##..#\n"
                                         ".##..#\n"
                                         ".##..#\n"
                                         ".##..#\n"
                                         ".##..#\n"
                                         ".##..#\n");
  EXPECT_EQ(square(columns(2, 1, 1), 2), "..\n..\n");
}

TEST(Membership, globals_count_from_both_ends) {
  EXPECT_EQ(square(globalColumns(1, 2), 5), "#..##\n#..##\n#..##\n#..##\n#..##\n");
  EXPECT_EQ(square(globalRows(1, 2), 5), "#####\n.....\n.....\n#####\n#####\n");
  EXPECT_EQ(square(global(1, 1), 4), "####\n#..#\n#..#\n####\n");
  EXPECT_EQ(square(global(9), 2), "##\n##\n");
}

TEST(Membership, global_rows_end_where_queries_end) {
  EXPECT_EQ(maskOf(globalRows(2, 1), makeShape(2, 4, 1, false)), "....\n####\n");
  EXPECT_EQ(maskOf(globalRows(1, 1), makeShape(3, 5, 1, true)), "#####\n.....\n#####\n");
  // Negative positions come before the first rows.
  EXPECT_EQ(maskOf(globalRows(1, 0), makeShape(4, 2, 1, false)), "##\n##\n##\n..\n");
}

TEST(Membership, blockwise_lifts_and_rounds_up) {
  EXPECT_EQ(square(blockwise(causal(), 2), 5), "##...\n"
                                               "##...\n"
                                               "####.\n"
                                               "####.\n"
                                               "#####\n");
  EXPECT_EQ(square(blockwise(global(0, 1), 2), 5), "....#\n"
                                                   "....#\n"
                                                   "....#\n"
                                                   "....#\n"
                                                   "#####\n");
  // Inside, positions and lengths count blocks.
  EXPECT_EQ(square(blockwise(parsePattern("{ k == nk - 1 && q < nq - 1 }").pattern, 3), 5),
            "...##\n...##\n...##\n.....\n.....\n");
  EXPECT_EQ(square(blockwise(blockwise(causal(), 2), 2), 5), square(blockwise(causal(), 4), 5));
  EXPECT_EQ(square(blockwise(segments({0, 1, 3}), 2), 5), "##...\n"
                                                          "##...\n"
                                                          "..###\n"
                                                          "..###\n"
                                                          "..###\n");
}

TEST(Membership, segments_are_half_open) {
  EXPECT_EQ(square(segments({0, 2, 2, 3, 5}), 5), "##...\n"
                                                  "##...\n"
                                                  "..#..\n"
                                                  "...##\n"
                                                  "...##\n");
  // Outside [0, n) there is no segment.
  EXPECT_EQ(maskOf(segments({0, 2}), makeShape(4, 2, 1, false)), "..\n..\n##\n##\n");
  EXPECT_EQ(maskOf(segments({0, 2}), makeShape(4, 2, 1, true)), "##\n##\n..\n..\n");
  EXPECT_EQ(maskOf(segments({0, 1, 4}), makeShape(2, 4, 1, false)), ".###\n.###\n");
}

TEST(Membership, block_tables_list_rows_of_blocks) {
  Pattern shared = blockTable(2, {0, 1, 1, 3}, {1, 0, 2});
  EXPECT_EQ(square(shared, 5), "..##.\n"
                               "..##.\n"
                               ".....\n"
                               ".....\n"
                               "##..#\n");
  Pattern perHead = blockTable(2, {0, 1, 1, 1, 1, 3}, {1, 0, 1}, 2);
  Shape shape = makeShape(3, 3, 2, false);
  EXPECT_EQ(maskOf(perHead, shape, 0), "..#\n..#\n...\n");
  EXPECT_EQ(maskOf(perHead, shape, 1), "...\n...\n###\n");
  // Rows before the first are empty.
  EXPECT_EQ(maskOf(blockTable(2, {0, 1}, {0}), makeShape(4, 2, 1, false)), "..\n..\n##\n##\n");
}

TEST(Membership, random_blocks_are_those_of_the_generator) {
  constexpr int64_t size = 3, count = 2;
  constexpr uint64_t seed = 7;
  Shape shape = makeShape(17, 20, 2, false);
  Pattern pattern = randomBlocks(size, count, seed);
  Membership membership(pattern, shape);
  for (int64_t h = 0; h < 2; ++h) {
    for (int64_t q = shape.qOffset; q < shape.qEnd; ++q) {
      int64_t drawn[count];
      ASSERT_EQ(girihRandomBlocks(seed, h, q / size, 7, count, drawn), count);
      for (int64_t k = 0; k < shape.numK; ++k)
        EXPECT_EQ(membership.contains(0, h, q, k), k / size == drawn[0] || k / size == drawn[1]);
    }
  }
  // A row that was not drawn in advance follows the same generator.
  int64_t drawn[count];
  girihRandomBlocks(seed, 1, -4, 7, count, drawn);
  EXPECT_TRUE(membership.contains(0, 1, -10, drawn[0] * size));
  EXPECT_EQ(square(randomBlocks(2, 9, 1), 3), square(full(), 3));
  EXPECT_EQ(square(randomBlocks(2, 0, 1), 3), square(empty(), 3));
}

TEST(Membership, heads_choose_by_head) {
  Pattern pattern = heads(std::vector<HeadRange>{{1, 2, full()}, {0, 0, causal()}});
  Shape shape = makeShape(2, 2, 3, false);
  EXPECT_EQ(maskOf(pattern, shape, 0), "#.\n##\n");
  EXPECT_EQ(maskOf(pattern, shape, 1), "##\n##\n");
  EXPECT_EQ(maskOf(pattern, shape, 2), "##\n##\n");
}

TEST(Membership, set_operators) {
  Pattern a = causal(), b = window(1, 1), c = columns(2, 0, 1);
  EXPECT_EQ(square(a & b, 3), "#..\n##.\n.##\n");
  EXPECT_EQ(square(a | c, 3), "#.#\n###\n###\n");
  EXPECT_EQ(square(a - b, 3), "...\n...\n#..\n");
  EXPECT_EQ(square(~a, 3), ".##\n..#\n...\n");
  EXPECT_EQ(square(a & b & c, 3), "#..\n#..\n..#\n");
  EXPECT_EQ(square((a & b) | (c - a), 3), "#.#\n###\n.##\n");
}

TEST(Membership, predicates_read_every_variable) {
  Shape shape = makeShape(2, 3, 4, false);
  auto mask = [&](const char *text, int64_t h, int64_t b) {
    return maskOf(parsePattern(text).pattern, shape, h, b);
  };
  EXPECT_EQ(mask("{ q == 2 }", 0, 0), "...\n###\n"); // absolute: 1 and 2
  EXPECT_EQ(mask("{ k >= 1 && k != 2 }", 0, 0), ".#.\n.#.\n");
  EXPECT_EQ(mask("{ h > 1 || b == 1 }", 1, 0), "...\n...\n");
  EXPECT_EQ(mask("{ h > 1 || b == 1 }", 2, 0), "###\n###\n");
  EXPECT_EQ(mask("{ h > 1 || b == 1 }", 0, 1), "###\n###\n");
  EXPECT_EQ(mask("{ nq == 2 && nk == 3 }", 0, 0), "###\n###\n");
  EXPECT_EQ(mask("{ (k - 2) / 2 == -1 && (k - 2) % 2 == 1 }", 0, 0), ".#.\n.#.\n");
  EXPECT_EQ(mask("{ min(q, k) == 1 && max(-k, -1) == -1 && abs(k - 2) <= 1 }", 0, 0), ".##\n.#.\n");
  EXPECT_EQ(mask("{ !(q * k < 2) && true && !false }", 0, 0), "..#\n.##\n");
}

TEST(Membership, keys_outside_attend_nothing) {
  Shape shape = makeShape(2, 2, 1, false);
  EXPECT_FALSE(contains(full(), shape, 0, 0, 0, 2));
  EXPECT_FALSE(contains(full(), shape, 0, 0, 0, -1));
  EXPECT_TRUE(contains(full(), shape, 0, 0, 0, 1));
}
