//===- TableRows.cpp - Block maps from the rows of a table ----------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A table alone needs no evaluation at all: listed by some row is touched,
// listed by every row is full.
//
//===----------------------------------------------------------------------===//

#include "TableRows.h"

using namespace girih;

std::vector<int32_t> girih::requiredTables(const Program &program, bool &alone) {
  std::vector<int32_t> result;
  int32_t root = program.source().root;
  alone = program.node(root).op == GIRIH_MAP_IN_TABLE;
  // Operands come before users, so one backward sweep finds the chain.
  std::vector<uint8_t> required(static_cast<size_t>(program.size()), 0);
  required[root] = 1;
  for (int32_t i = root; i >= 0; --i) {
    const GirihMapNode &node = program.node(i);
    if (!required[i])
      continue;
    if (node.op == GIRIH_MAP_IN_TABLE) {
      result.push_back(static_cast<int32_t>(node.imm));
    } else if (node.op == GIRIH_MAP_AND) {
      required[node.a] = 1;
      required[node.b] = 1;
    }
  }
  return result;
}

void TableRows::collect(const GirihBoundTable &table, int64_t index) {
  const Axis &columns = grid.column;
  any.clear();
  all.assign(1, {columns.origin, columns.last()});
  int64_t first = floorDiv(grid.row.tileBegin(index), table.unit);
  int64_t last = floorDiv(grid.row.tileLast(index), table.unit);
  for (int64_t unit = first; unit <= last; ++unit) {
    row.clear();
    UnitRow list = unitRow(table, head, unit);
    for (; list.begin != list.end; ++list.begin) {
      int64_t begin = *list.begin * table.unit;
      addInterval(row, std::max(begin, columns.origin),
                  std::min(begin + table.unit - 1, columns.last()));
    }
    normalize(row);
    any.insert(any.end(), row.begin(), row.end());
    intersect(all, row, scratch);
    all.swap(scratch);
  }
  normalize(any);
}

void TableRows::appendTileRow(int64_t index, RowLists &rows) {
  collect(*tables.front(), index);
  if (alone) {
    int64_t limit = grid.rowMayBeFull(index) ? grid.fullColumns() : 0;
    touchedTiles(any, grid.column, tiles);
    coveredTiles(all, grid.column, limit, covered);
    return appendRow(tiles, covered, rows);
  }
  candidates = any;
  for (size_t t = 1; t < tables.size(); ++t) {
    collect(*tables[t], index);
    intersect(candidates, any, scratch);
    candidates.swap(scratch);
  }
  touchedTiles(candidates, grid.column, tiles);
  segments.clear();
  for (Interval range : tiles)
    segments.push_back({range.lo, range.hi + 1, Segment::Unknown});
  bisection.appendTileRows(index, index + 1, segments, rows);
}
