//===- TableRows.cpp - Block maps from the rows of a table ----------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A table alone needs no evaluation at all: listed by some row is touched,
// listed by every row is full. In a union that holds too, unless a tile is partial
// on both sides: only these are looked at.
//
//===----------------------------------------------------------------------===//

#include "TableRows.h"

using namespace girih;

/// Marks the operands of marked nodes of kind `op`, down from the root.
static std::vector<uint8_t> operandsOf(const Program &program, int32_t op) {
  int32_t root = program.source().root;
  std::vector<uint8_t> marked(static_cast<size_t>(program.size()), 0);
  marked[root] = 1;
  // Operands come before users, so one backward sweep finds the chain.
  for (int32_t i = root; i >= 0; --i) {
    const GirihMapNode &node = program.node(i);
    if (marked[i] && node.op == op) {
      marked[node.a] = 1;
      marked[node.b] = 1;
    }
  }
  return marked;
}

std::vector<int32_t> girih::requiredTables(const Program &program, bool &alone) {
  std::vector<int32_t> result;
  alone = program.node(program.source().root).op == GIRIH_MAP_IN_TABLE;
  std::vector<uint8_t> required = operandsOf(program, GIRIH_MAP_AND);
  for (int32_t i = 0; i < program.size(); ++i)
    if (required[i] && program.node(i).op == GIRIH_MAP_IN_TABLE)
      result.push_back(static_cast<int32_t>(program.node(i).imm));
  return result;
}

TableUnion::TableUnion(const Program &program) : whole(program), source(program.source()) {
  if (program.node(source.root).op != GIRIH_MAP_OR)
    return;
  std::vector<uint8_t> free = operandsOf(program, GIRIH_MAP_OR);
  nodes.assign(source.nodes, source.nodes + source.num_nodes);
  for (int32_t i = 0; i < program.size(); ++i) {
    if (!free[i] || nodes[i].op != GIRIH_MAP_IN_TABLE)
      continue;
    listed.push_back(static_cast<int32_t>(nodes[i].imm));
    nodes[i].op = GIRIH_MAP_FALSE;
  }
  source.nodes = nodes.data();
  if (!listed.empty())
    without.analyze(source, nullptr); // as well formed as the whole
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
    int64_t limit = grid.fullColumns(index);
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

/// The union of `segments` and `runs`; tiles that are partial in both are unknown.
static void unite(const Segments &segments, const std::vector<GirihRun> &runs, Segments &result) {
  result.clear();
  auto a = segments.begin();
  auto b = runs.begin();
  int64_t at = 0;
  while (a != segments.end() || b != runs.end()) {
    int64_t beginA = a != segments.end() ? std::max(a->begin, at) : INT64_MAX;
    int64_t beginB = b != runs.end() ? std::max<int64_t>(b->begin, at) : INT64_MAX;
    at = std::min(beginA, beginB);
    bool inA = beginA == at, inB = beginB == at;
    int64_t end = std::min(inA ? a->end : beginA, inB ? b->end : beginB);
    Segment::State state = inA ? a->state : Segment::Partial;
    if (inB && b->state == GIRIH_TILE_FULL)
      state = Segment::Full;
    else if (inA && inB && state == Segment::Partial)
      state = Segment::Unknown;
    result.push_back({at, end, state});
    at = end;
    a += inA && a->end == at;
    b += inB && b->end == at;
  }
}

void TableRows::appendUnion(int64_t index, const RowLists &rest, RowLists &rows) {
  segments.clear();
  for (int64_t i = rest.offsets[index]; i < rest.offsets[index + 1]; ++i) {
    const GirihRun &run = rest.runs[i];
    segments.push_back(
        {run.begin, run.end, run.state == GIRIH_TILE_FULL ? Segment::Full : Segment::Partial});
  }
  for (const GirihBoundTable *table : tables) {
    collect(*table, index);
    touchedTiles(any, grid.column, tiles);
    coveredTiles(all, grid.column, grid.fullColumns(index), covered);
    listed.clear();
    appendRow(tiles, covered, listed);
    unite(segments, listed.runs, united);
    segments.swap(united);
  }
  bisection.appendTileRows(index, index + 1, segments, rows);
}
