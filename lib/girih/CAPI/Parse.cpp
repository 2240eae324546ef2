//===- Parse.cpp - From texts and tables to patterns and scores -----------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/CAPI/Parse.h"

#include "girih/CAPI/Objects.h"

using namespace girih;
using namespace girih::capi;

/// Values of a table, `elements` of them.
template <typename T> static std::vector<T> valuesOf(const GirihTable &table, int64_t elements) {
  const auto *data = static_cast<const T *>(table.data);
  return std::vector<T>(data, data + elements);
}

static llvm::Expected<Table> readTable(const GirihTable &table) {
  if (!table.name)
    return nullError("the name of a table");
  auto problem = [&](const std::string &what, const std::string &expected, const std::string &got) {
    return invalidError("expected " + what + " of table '" + table.name + "' to be " + expected +
                        ", but got " + got);
  };
  if (table.dtype != GIRIH_TABLE_I64 && table.dtype != GIRIH_TABLE_F32)
    return problem("dtype", "GIRIH_TABLE_I64 (0) or GIRIH_TABLE_F32 (1)",
                   std::to_string(table.dtype));
  if (table.rank < 1 || table.rank > static_cast<int32_t>(maxTableRank))
    return problem("rank", "from 1 to 4", std::to_string(table.rank));
  int64_t elements = 1;
  for (int32_t i = 0; i != table.rank; ++i) {
    constexpr int64_t most = int64_t{1} << 40;
    const int64_t extent = table.shape[i];
    if (extent < 0 || extent > most)
      return problem("extent " + std::to_string(i), "from 0 to 2^40", std::to_string(extent));
    if (elements > 0 && extent > most / elements)
      return problem("the product of extents", "at most 2^40", "more");
    elements *= extent;
  }
  if (!table.data && elements > 0)
    return problem("data", "memory", "null");
  std::vector<int64_t> shape(table.shape, table.shape + table.rank);
  if (table.dtype == GIRIH_TABLE_F32)
    return Table::ofFloats(table.name, valuesOf<float>(table, elements), std::move(shape));
  return Table(table.name, valuesOf<int64_t>(table, elements), std::move(shape));
}

llvm::Expected<ParseOptions> capi::readTables(const GirihTable *tables, int64_t count) {
  ParseOptions options;
  if (count < 0 || (count > 0 && !tables))
    return invalidError("expected " + std::to_string(count) + " tables, but got " +
                        (count < 0 ? "a negative number" : "null"));
  for (int64_t i = 0; i != count; ++i) {
    auto table = readTable(tables[i]);
    if (!table)
      return table.takeError();
    options.tables.push_back(std::move(*table));
  }
  return options;
}

int girihPatternParse(GirihSession *session, const char *text, const GirihTable *tables,
                      int64_t num_tables, GirihPattern **pattern, GirihStatus *status) {
  return guarded(status, [&]() -> llvm::Error {
    if (llvm::Error error = checkHandle(session, "a session"))
      return error;
    if (!text || !pattern)
      return nullError(!text ? "the text of a pattern" : "room for a pattern");
    auto options = readTables(tables, num_tables);
    if (!options)
      return options.takeError();
    ParseResult parsed = parsePattern(text, "<pattern>", *options);
    if (!parsed)
      return invalidError(parsed.error);
    *pattern = new GirihPattern{{}, session->state, std::move(parsed.pattern)};
    return llvm::Error::success();
  });
}

int girihScoreParse(GirihSession *session, const char *text, const GirihTable *tables,
                    int64_t num_tables, GirihScore **score, GirihStatus *status) {
  return guarded(status, [&]() -> llvm::Error {
    if (llvm::Error error = checkHandle(session, "a session"))
      return error;
    if (!text || !score)
      return nullError(!text ? "the text of a score" : "room for a score");
    auto options = readTables(tables, num_tables);
    if (!options)
      return options.takeError();
    ScoreResult parsed = parseScore(text, "<score>", *options);
    if (!parsed)
      return invalidError(parsed.error);
    *score = new GirihScore{{}, session->state, std::move(parsed.score)};
    return llvm::Error::success();
  });
}

void girihPatternRelease(GirihPattern *pattern) { release(pattern); }

void girihScoreRelease(GirihScore *score) { release(score); }
