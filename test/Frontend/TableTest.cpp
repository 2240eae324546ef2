//===- TableTest.cpp - Lookups and tables in memory -----------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Proves that `@name` finds tables in memory and in files, that lookups print as they
// parse and are shared, and that each mistake has its message.
//
//===----------------------------------------------------------------------===//

#include "girih/Frontend/Parser.h"

#include <fstream>
#include <gtest/gtest.h>

using namespace girih;

namespace {

class Tables : public testing::Test {
protected:
  Tables() {
    folder = testing::TempDir() + "girih-table-test";
    options.tables = {Table("doc", {0, 0, 1, 1}), Table("allowed", {1, 0, 0, 1, 1, 1}, {3, 2}),
                      Table::ofFloats("bias", {0.5f}, {1}), Table("wide", {int64_t(1) << 40}),
                      Table("starts", {0, 3, 7})};
  }

  std::string write(const std::string &name, const std::string &bytes) {
    std::string path = folder + name;
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  }

  /// Version 1.0 of the format.
  static std::string npy(const std::string &type, const std::string &shape,
                         const std::string &data) {
    std::string header =
        "{'descr': '" + type + "', 'fortran_order': False, 'shape': (" + shape + "), }\n";
    return std::string("\x93NUMPY\x01\x00", 8) + char(header.size()) + '\0' + header + data;
  }

  Pattern parse(const std::string &text) {
    ParseResult result = parsePattern(text, "t", options);
    EXPECT_TRUE(result) << result.error;
    return result.pattern;
  }

  std::string errorOf(const std::string &text) {
    std::string error = parsePattern(text, "t", options).error;
    return error.substr(0, error.find('\n'));
  }

  ParseOptions options;
  std::string folder;
};

} // namespace

TEST_F(Tables, lookups_print_as_they_parse) {
  for (const char *text :
       {"{ q >= k && @doc[q] == @doc[k] }", "{ @allowed[h, k / 64] != 0 }",
        "{ @doc[@doc[q] + 1] < 1 }", "{ @doc[min(q, 3)] * 2 - 1 > @allowed[b % 3, 1] }",
        "causal & { @doc[q] / 2 == 0 }"}) {
    Pattern pattern = parse(text);
    EXPECT_EQ(pattern.str(), text);
    EXPECT_TRUE(parse(pattern.str()) == pattern);
  }
}

TEST_F(Tables, the_builder_makes_the_same_tree) {
  const Table &doc = options.tables[0], &allowed = options.tables[1];
  Pattern built = predicate([&](Index b, Index h, Index q, Index k) {
    return doc(q) == doc(k) && allowed(h, k / 2) != 0;
  });
  Pattern parsed = parse("{ @doc[q] == @doc[k] && @allowed[h, k / 2] != 0 }");
  EXPECT_TRUE(built == parsed);
  // Values count, not where they are.
  Table other("doc", {0, 0, 1, 1}), different("doc", {0, 0, 1, 2});
  EXPECT_TRUE(predicate([&](Index, Index, Index q, Index) { return other(q) == 0; }) ==
              parse("{ @doc[q] == 0 }"));
  EXPECT_FALSE(predicate([&](Index, Index, Index q, Index) { return different(q) == 0; }) ==
               parse("{ @doc[q] == 0 }"));
}

TEST_F(Tables, trees_share_tables) {
  Pattern pattern = parse("{ @doc[q] == @doc[k] } | { @allowed[0, 0] == @doc[0] }");
  std::vector<TableRef> tables = patternLookups(pattern);
  ASSERT_EQ(tables.size(), 2u);
  EXPECT_EQ(tables[0], options.tables[0].get());
  EXPECT_EQ(tables[1], options.tables[1].get());
}

TEST_F(Tables, lists_of_segments_and_block_tables) {
  Pattern packed = parse("segments(offsets=@starts)");
  EXPECT_EQ(packed->offsets, (std::vector<int64_t>{0, 3, 7}));
  EXPECT_EQ(packed.str(), "segments(offsets=@starts)");
  options.tables.push_back(Table("rows", {0, 1, 2}));
  options.tables.push_back(Table("blocks", {1, 0}));
  Pattern listed = parse("block_table(size=16, indptr=@rows, indices=@blocks)");
  EXPECT_EQ(listed->indptr, (std::vector<int64_t>{0, 1, 2}));
  EXPECT_EQ(listed->indices, (std::vector<int64_t>{1, 0}));
  EXPECT_EQ(listed.str(), "block_table(size=16, indptr=@rows, indices=@blocks)");
  EXPECT_TRUE(parse(listed.str()) == listed);
  EXPECT_EQ(errorOf("segments(offsets=@allowed)"),
            "t:1:18: error: expected '@allowed' to be a list of integers, but got integers of 2 "
            "dimensions");
  EXPECT_EQ(errorOf("segments(offsets=@bias)"),
            "t:1:18: error: expected '@bias' to be a list of integers, but got f32 of 1 "
            "dimensions");
}

TEST_F(Tables, files_are_read_once) {
  std::string text = write("ids.txt", "0 0\n1, 2 # documents\n");
  Pattern pattern = parse("{ @" + text + "[q] == @" + text + "[k] }");
  std::vector<TableRef> tables = patternLookups(pattern);
  ASSERT_EQ(tables.size(), 1u);
  EXPECT_EQ(tables[0]->ints, (std::vector<int64_t>{0, 0, 1, 2}));
  EXPECT_EQ(tables[0]->shape, (std::vector<int64_t>{4}));
}

TEST_F(Tables, numpy_files_have_shape_and_type) {
  std::string bytes = write("b.npy", npy("|b1", "2, 3", std::string("\1\0\0\1\1\0", 6)));
  TableRef read = patternLookups(parse("{ @" + bytes + "[h, k] != 0 }"))[0];
  EXPECT_EQ(read->shape, (std::vector<int64_t>{2, 3}));
  EXPECT_EQ(read->ints, (std::vector<int64_t>{1, 0, 0, 1, 1, 0}));
  std::string words = write("w.npy", npy("<i4", "2,", std::string("\xff\xff\xff\xff\2\0\0\0", 8)));
  read = patternLookups(parse("{ @" + words + "[h] != 0 }"))[0];
  EXPECT_EQ(read->ints, (std::vector<int64_t>{-1, 2}));
  std::string floats = write("f.npy", npy("<f4", "1,", std::string(4, '\0')));
  EXPECT_EQ(errorOf("{ @" + floats + "[h] != 0 }"),
            "t:1:3: error: expected table @" + floats +
                " to hold integers, but got f32, which score functions alone look up");
  std::string flat = write("s.npy", npy("<i8", "", std::string(8, '\0')));
  EXPECT_EQ(errorOf("{ @" + flat + "[h] != 0 }"),
            "t:1:3: error: " + flat + ": expected an array of 1 to 4 dimensions, but got 0");
  std::string large = write("u.npy", npy("<u8", "1,", std::string(8, '\xff')));
  EXPECT_EQ(errorOf("{ @" + large + "[h] != 0 }"),
            "t:1:3: error: " + large +
                ": expected integers of 64 bits with a sign, but got 18446744073709551615 at "
                "element 0");
}

TEST_F(Tables, mistakes_in_lookups) {
  EXPECT_EQ(errorOf("{ @doc == 1 }"),
            "t:1:8: error: expected '[' and the indices of table '@doc', but got '=='");
  EXPECT_EQ(errorOf("{ @doc[q == k] }"), "t:1:10: error: expected ']', but got '=='");
  EXPECT_EQ(errorOf("{ @doc[] == 1 }"),
            "t:1:8: error: expected an integer or a condition, but got ']'");
  EXPECT_EQ(errorOf("{ @doc[true] == 1 }"),
            "t:1:8: error: expected an integer as an index of '@doc', but got the condition "
            "'true'");
  EXPECT_EQ(errorOf("{ @doc[q, k] == 1 }"),
            "t:1:3: error: expected 1 indices of table @doc, one for each dimension, but got 2");
  EXPECT_EQ(errorOf("{ @bias[q] == 1 }"),
            "t:1:3: error: expected table @bias to hold integers, but got f32, which score "
            "functions alone look up");
  EXPECT_EQ(errorOf("{ @wide[q] == 1 }"),
            "t:1:3: error: expected values of table @wide to fit 32 bits, but got 1099511627776 "
            "at element 0");
  EXPECT_EQ(errorOf("{ @doc[q] }"),
            "t:1:3: error: expected a condition as a predicate, but got the integer '@doc[q]'");
  EXPECT_EQ(errorOf("window(left=@doc[0])"), "t:1:13: error: expected an integer, but got '@doc'");
  EXPECT_EQ(errorOf("{ @dox[q] == 1 }"),
            "t:1:3: error: cannot open 'dox': No such file or directory; did you mean '@doc'?");
  EXPECT_EQ(errorOf("{ q % @doc[0] == 0 }"),
            "t:1:7: error: expected the right side of '%' to be a positive constant, but got "
            "'@doc[0]'");
}

TEST_F(Tables, mistakes_in_tables) {
  auto errorWith = [](const Table &table) {
    ParseOptions options;
    options.tables = {table};
    return parsePattern("full", "t", options).error;
  };
  EXPECT_EQ(errorWith(Table("a.b", {1})),
            "error: expected the name of a table to be a letter or _, then letters, digits and "
            "_, but got 'a.b'");
  EXPECT_EQ(errorWith(Table("t", {1, 2, 3}, {2, 2})),
            "error: expected table @t to have 4 values as its shape says, but got 3");
  EXPECT_EQ(errorWith(Table("t", {1}, {1, 1, 1, 1, 1})),
            "error: expected table @t to have 1 to 4 dimensions, but got 5");
  EXPECT_EQ(errorWith(Table("t", {}, {-1})),
            "error: expected extents of table @t to be at least 0, but got -1");
  options.tables.push_back(Table("doc", {1}));
  EXPECT_EQ(errorOf("full"), "error: expected tables of different names, but got 'doc' again");
}

TEST_F(Tables, the_builder_is_checked_as_the_parser) {
  auto errorOfBuilt = [](const Table &table, std::vector<Index> indices) {
    return validate(predicate(table.lookup(std::move(indices)) == 0));
  };
  EXPECT_EQ(errorOfBuilt(Table("t", {1}), {}),
            "expected 1 indices of table @t, one for each dimension, but got 0");
  EXPECT_EQ(errorOfBuilt(Table(nullptr), {0}), "expected a lookup to name a table, but got none");
  EXPECT_EQ(errorOfBuilt(Table::ofFloats("t", {1}, {1}), {0}),
            "expected table @t to hold integers, but got f32, which score functions alone look up");
  // Any value is possible later.
  Table one("t", {1});
  EXPECT_NE(validate(predicate(one(0) * (int64_t(1) << 40) == 0)), "");
  EXPECT_EQ(validate(predicate(one(0) * (int64_t(1) << 30) == 0)), "");
}

TEST_F(Tables, deep_lookups_are_refused_and_freed) {
  Index deep = 0;
  Table table("t", {0});
  for (int i = 0; i < 100000; ++i)
    deep = table(deep);
  EXPECT_EQ(validate(predicate(deep == 0)), "expected at most 256 levels of nesting, but got more");
}
