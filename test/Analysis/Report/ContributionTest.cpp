//===- ContributionTest.cpp - Parts and heads against brute force ---------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ReportTesting.h"

#include <gtest/gtest.h>

using namespace girih;

namespace {

std::vector<std::string> labels(const std::string &text) {
  int64_t omitted = 0;
  std::vector<std::string> out;
  for (const PatternPart &part : partsOf(parsed(text), 100, omitted))
    out.push_back(std::string(2 * part.depth, ' ') + (part.removes ? "removes " : "adds ") +
                  part.label);
  return out;
}

using Lines = std::vector<std::string>;

TEST(Parts, leaves_have_none) {
  EXPECT_EQ(labels("causal"), Lines());
  EXPECT_EQ(labels("~causal"), Lines());
  EXPECT_EQ(labels("blockwise(causal, size=4)"), Lines());
}

TEST(Parts, operators_nest) {
  EXPECT_EQ(labels("causal & (window(left=3) | chunk(size=4))"),
            Lines({"removes causal", "removes & (window(left=3) | chunk(size=4))",
                   "  adds window(left=3)", "  adds | chunk(size=4)"}));
}

TEST(Parts, what_is_taken_away_has_the_opposite_effect) {
  EXPECT_EQ(labels("full - (causal & chunk(size=4))"),
            Lines({"adds full", "removes - causal & chunk(size=4)", "  adds causal",
                   "  adds & chunk(size=4)"}));
  EXPECT_EQ(labels("~(causal | chunk(size=4))"),
            Lines({"removes causal", "removes | chunk(size=4)"}));
  EXPECT_EQ(labels("full - ~(causal | empty)"),
            Lines({"adds full", "removes - ~(causal | empty)", "  adds causal", "  adds | empty"}));
}

TEST(Parts, blocks_and_heads_stay_around_what_is_alone) {
  int64_t omitted = 0;
  auto parts =
      partsOf(parsed("heads(0..1: blockwise(causal | empty, size=4), 2: full)"), 10, omitted);
  ASSERT_EQ(parts.size(), 4u);
  EXPECT_EQ(parts[0].label, "0..1: blockwise(causal | empty, size=4)");
  EXPECT_EQ(parts[1].alone.str(), "blockwise(causal, size=4) & { h >= 0 && h <= 1 }");
  EXPECT_EQ(parts[1].without.str(), "heads(0..1: blockwise(empty | empty, size=4), 2: full)");
  EXPECT_EQ(parts[3].label, "2: full");
}

TEST(Parts, are_counted_beyond_the_limit) {
  Pattern many = causal();
  for (int i = 1; i < 40; ++i)
    many = many | window(i, 0);
  int64_t omitted = 0;
  EXPECT_EQ(partsOf(many, 16, omitted).size(), 16u);
  EXPECT_EQ(omitted, 24);
}

/// Alone: the reference's count. Exclusive: pairs in which the pattern differs with
/// and without the part, which the reference counts too.
TEST(Contributions, agree_with_the_reference) {
  const char *patterns[] = {
      "window(left=9, right=9) | global(first=3)",
      "causal & (window(left=20) | columns(period=16, lo=3, hi=5))",
      "window(left=50, right=50) - (strided(stride=3) | chunk(size=10))",
      "~(causal & chunk(size=30))",
      ("blockwise(window(left=1, right=1) | global(first=1), size=16) | "
       "random_blocks(size=16, count=2, seed=5)"),
      "heads(0: causal | global(first=5), 1: chunk(size=30) & causal)",
      "segments(offsets=[0, 40, 97]) & (causal | {q % 5 == h})",
      "causal | causal",
  };
  for (const char *text : patterns) {
    Pattern pattern = parsed(text);
    PairCounter counter(boundPattern, lengthsOf(97, 97, /*heads=*/2));
    Contributions result = llvm::cantFail(contributions(counter, pattern));
    EXPECT_EQ(result.omitted, 0);
    EXPECT_GE(result.parts.size(), 2u) << text;
    int64_t whole = bruteForcePairs(pattern, counter.lengths());
    for (const Contribution &c : result.parts) {
      EXPECT_TRUE(c.alone.exact && c.exclusive.exact);
      EXPECT_EQ(c.alone.pairs, bruteForcePairs(c.part.alone, counter.lengths()))
          << c.part.label << " of " << text;
      int64_t without = bruteForcePairs(c.part.without, counter.lengths());
      // Dropping it changes pairs in one direction only.
      int64_t common = bruteForcePairs(c.part.without & pattern, counter.lengths());
      EXPECT_EQ(common, std::min(whole, without)) << c.part.label << " of " << text;
      EXPECT_EQ(c.exclusive.pairs, c.part.removes ? without - whole : whole - without)
          << c.part.label << " of " << text;
    }
  }
}

TEST(Contributions, add_up_for_what_does_not_overlap) {
  PairCounter counter(boundPattern, lengthsOf(100, 100));
  Contributions result =
      llvm::cantFail(contributions(counter, parsed("columns(period=4, lo=0, hi=1) | "
                                                   "columns(period=4, lo=2, hi=3)")));
  ASSERT_EQ(result.parts.size(), 2u);
  for (const Contribution &c : result.parts) {
    EXPECT_EQ(c.alone.pairs, 2500);
    EXPECT_EQ(c.exclusive.pairs, 2500);
  }
}

std::vector<std::pair<int64_t, int64_t>> groupsOf(const std::string &text, int64_t heads,
                                                  int64_t *omitted = nullptr) {
  int64_t ignored = 0;
  std::vector<std::pair<int64_t, int64_t>> out;
  for (const HeadCoverage &group : headGroups(parsed(text), heads, omitted ? *omitted : ignored))
    out.emplace_back(group.first, group.last);
  return out;
}

using Groups = std::vector<std::pair<int64_t, int64_t>>;

TEST(Heads, are_one_group_when_equal) { EXPECT_EQ(groupsOf("causal", 8), Groups({{0, 7}})); }

TEST(Heads, follow_the_ranges_of_the_tree) {
  EXPECT_EQ(groupsOf("heads(0..3: causal, 4: full, 5..7: empty)", 8),
            Groups({{0, 3}, {4, 4}, {5, 7}}));
  EXPECT_EQ(groupsOf("causal & heads(0..1: causal, 2..99: full)", 4), Groups({{0, 1}, {2, 3}}));
}

TEST(Heads, are_told_apart_where_the_tree_can_t) {
  Groups three{{0, 0}, {1, 1}, {2, 2}};
  EXPECT_EQ(groupsOf("random_blocks(size=4, count=1, seed=0)", 3), three);
  EXPECT_EQ(groupsOf("{ k > h }", 3), three);
  EXPECT_EQ(groupsOf("{ k > b }", 3), Groups({{0, 2}}));
  int64_t omitted = 0;
  EXPECT_EQ(groupsOf("{ k > h }", 40, &omitted).size(), maxHeadGroups);
  EXPECT_EQ(omitted, 24);
}

TEST(Heads, are_counted_one_group_at_a_time) {
  Pattern pattern = parsed("heads(0..1: causal, 2: {k % (5) == b}, 3: full)");
  PairCounter counter(boundPattern, lengthsOf(60, 60, /*heads=*/4, /*batch=*/2));
  int64_t omitted = 0;
  auto groups = headGroups(pattern, 4, omitted);
  llvm::cantFail(countHeads(counter, pattern, groups));
  ASSERT_EQ(groups.size(), 3u);
  EXPECT_EQ(groups[0].kept.pairs, 2 * 2 * 60 * 61 / 2);
  EXPECT_EQ(groups[1].kept.pairs, 60 * (12 + 12));
  EXPECT_EQ(groups[2].kept.pairs, 2 * 60 * 60);
}

TEST(Causal, pairs_are_those_of_the_pattern_causal) {
  for (auto [numQ, numK] : {std::pair(1, 1), std::pair(7, 7), std::pair(5, 12), std::pair(12, 5)}) {
    GirihMapParams lengths = lengthsOf(numQ, numK, 2, 3);
    EXPECT_EQ(causalPairs(lengths), bruteForcePairs(causal(), lengths)) << numQ << " x " << numK;
    // Aligned top left some queries stand behind the last key.
    lengths.q_offset = 0;
    int64_t pairs = 0;
    for (int64_t q = 0; q < numQ; ++q)
      pairs += std::min<int64_t>(q + 1, numK);
    EXPECT_EQ(causalPairs(lengths), 6 * pairs) << numQ << " x " << numK;
  }
}

TEST(Causal, part_is_the_pattern_itself_when_it_has_no_later_keys) {
  for (const char *text :
       {"causal", "full & causal", "window(left=4, right=0) | empty", "causal - chunk(size=4)",
        "heads(0: causal, 1: window(left=2, right=0))"})
    EXPECT_EQ(causalPart(parsed(text)), parsed(text)) << text;
  for (const char *text :
       {"full", "window(left=4)", "window(left=4, right=1)", "causal | full", "~causal"})
    EXPECT_EQ(causalPart(parsed(text)), parsed(text) & causal()) << text;
}

} // namespace
