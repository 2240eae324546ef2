//===- TableRows.h - Block maps from the rows of a table --------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The CSR tier. A pattern that is a table, or a table and more, can only attend
// where the table lists something: the rows of the table are walked, and the
// rest of the plane is never looked at. A pattern that is a table or more is
// derived without it first; then what the table lists is added row by row.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_RUNTIME_MAP_TABLEROWS_H
#define GIRIH_RUNTIME_MAP_TABLEROWS_H

#include "Bisection.h"
#include "Intervals.h"

namespace girih {

/// Tables that the root of `program` is an AND of, together with anything else;
/// `alone` is set when the root is one table and nothing else.
std::vector<int32_t> requiredTables(const Program &program, bool &alone);

/// A program of the form "tables or the rest".
class TableUnion {
public:
  explicit TableUnion(const Program &program);
  /// Empty unless the root is an OR with a table among its operands.
  const std::vector<int32_t> &tables() const { return listed; }
  /// The program as if these tables listed nothing; the program itself if there are none. The
  /// union with the tables is what it was, wherever else they occur.
  const Program &rest() const { return listed.empty() ? whole : without; }

private:
  const Program &whole;
  std::vector<int32_t> listed;
  std::vector<GirihMapNode> nodes;
  GirihMapProgram source;
  Program without;
};

/// Derives rows of one (batch, head); one object serves one thread.
class TableRows {
public:
  /// `tables` have their rows along the grid's rows.
  TableRows(const std::vector<const GirihBoundTable *> &tables, bool alone, const Grid &grid,
            int64_t head, Bisection &bisection)
      : tables(tables), alone(alone), grid(grid), head(head), bisection(bisection) {}

  /// Appends tile row `index` of a pattern that requires the tables.
  void appendTileRow(int64_t index, RowLists &rows);
  /// Appends tile row `index` of the union of the tables and `rest`, which holds that row.
  void appendUnion(int64_t index, const RowLists &rest, RowLists &rows);

private:
  /// Columns that some row of the tile row lists in `table`, into `any`; those
  /// that all of them list into `all`.
  void collect(const GirihBoundTable &table, int64_t index);

  const std::vector<const GirihBoundTable *> &tables;
  bool alone;
  const Grid &grid;
  int64_t head;
  Bisection &bisection;
  Intervals any, all, row, scratch, candidates, tiles, covered;
  Segments segments, united;
  RowLists listed;
};

} // namespace girih

#endif // GIRIH_RUNTIME_MAP_TABLEROWS_H
