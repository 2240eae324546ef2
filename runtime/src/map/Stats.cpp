//===- Stats.cpp - Counting what a block map lists ------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Exact counts: listed tiles from the runs, true pairs from closed-form rows
// where there are any, else box by box, equal boxes once.
//
//===----------------------------------------------------------------------===//

#include "BlockMapImpl.h"

#include "../Error.h"
#include "../Parallel.h"
#include "ClosedForm.h"
#include "Counting.h"

#include <numeric>

using namespace girih;

/// Tile rows that share what was counted before.
static constexpr int64_t kCountedRows = 1024;

namespace {

struct Counts {
  int64_t full = 0;
  int64_t partial = 0;
  int64_t useful = 0;
  int64_t computed = 0;
  int64_t emptyRows = 0;

  void add(const Counts &other, int64_t times) {
    full += other.full * times;
    partial += other.partial * times;
    useful += other.useful * times;
    computed += other.computed * times;
    emptyRows += other.emptyRows * times;
  }
};

/// Counts one (batch, head).
class Counter {
public:
  Counter(const GirihBlockMap &map, const Program &program)
      : map(map), program(program), forwardGrid(map.params, false), closedForm(program, false),
        rootPlan(program.plan({program.source().root})),
        symmetry(program, 1, std::max<int64_t>(map.params.num_k / kMinPeriods, 1)) {}

  Counts count(int64_t combination) const;

private:
  void countListed(const RowLists &list, Counts &counts) const;
  void countClosedForm(int64_t combination, Counts &counts) const;
  int64_t countPairs(int64_t combination, const RowLists &list) const;
  template <typename Body>
  int64_t sumRows(int64_t combination, int64_t rows, const Body &body) const;
  int64_t countEmpty(int64_t combination, const RowLists &list) const;
  int64_t countEmptyOfRow(const RowLists &list, int64_t row, Counting &counting) const;
  int64_t countEmptyByColumns(const RowLists &list, Counting &counting) const;
  Evaluator makeEvaluator(int64_t combination) const {
    Evaluator evaluator(program, map.tables, map.params);
    evaluator.bind(combination / map.numHeads(), combination % map.numHeads());
    return evaluator;
  }

  const GirihBlockMap &map;
  const Program &program;
  Grid forwardGrid;
  ClosedFormPlans closedForm;
  Plan rootPlan;
  Symmetry symmetry;
};

} // namespace

void Counter::countListed(const RowLists &list, Counts &counts) const {
  for (int64_t row = 0; row < list.rows(); ++row) {
    int64_t height = map.grid.row.span(row, row + 1);
    for (int64_t i = list.offsets[row]; i < list.offsets[row + 1]; ++i) {
      const GirihRun &run = list.runs[i];
      int64_t pairs = height * map.grid.column.span(run.begin, run.end);
      counts.computed += pairs;
      if (run.state == GIRIH_TILE_FULL)
        counts.full += run.end - run.begin;
      else
        counts.partial += run.end - run.begin;
    }
  }
}

void Counter::countClosedForm(int64_t combination, Counts &counts) const {
  constexpr int64_t rowsPerItem = 16 * Evaluator::kLanes;
  const Axis &queries = forwardGrid.row;
  int64_t items = ceilDiv(queries.length, rowsPerItem);
  std::vector<Counts> parts(static_cast<size_t>(items));
  forEachItem(items, items > 8, [&](int64_t item) {
    Evaluator evaluator = makeEvaluator(combination);
    ClosedForm rows(closedForm, forwardGrid, evaluator);
    int64_t first = queries.origin + item * rowsPerItem;
    Counts &part = parts[item];
    rows.forEachRow(first, std::min(first + rowsPerItem - 1, queries.last()),
                    [&](const Intervals &row) {
                      for (Interval keys : row)
                        part.useful += keys.hi - keys.lo + 1;
                      part.emptyRows += row.empty();
                    });
  });
  for (const Counts &part : parts)
    counts.add(part, 1);
}

/// Sums `body(first row, last row + 1, counting)` over groups of rows.
template <typename Body>
int64_t Counter::sumRows(int64_t combination, int64_t rows, const Body &body) const {
  int64_t items = ceilDiv(rows, kCountedRows);
  std::vector<int64_t> sums(static_cast<size_t>(items), 0);
  forEachItem(items, true, [&](int64_t item) {
    Evaluator evaluator = makeEvaluator(combination);
    Counting counting(program, rootPlan, symmetry, evaluator, forwardGrid.row.origin);
    int64_t begin = item * kCountedRows;
    sums[item] = body(begin, std::min(begin + kCountedRows, rows), counting);
  });
  return std::accumulate(sums.begin(), sums.end(), int64_t{0});
}

int64_t Counter::countPairs(int64_t combination, const RowLists &list) const {
  const std::vector<Leaf> &leaves = symmetry.leaves();
  bool repeats =
      std::all_of(leaves.begin(), leaves.end(), [](const Leaf &leaf) { return leaf.moves != 0; });
  if (repeats) {
    Evaluator evaluator = makeEvaluator(combination);
    Counting counting(program, rootPlan, symmetry, evaluator, forwardGrid.row.origin);
    return counting.pairs(
        forwardGrid.box(0, forwardGrid.row.tiles(), 0, forwardGrid.column.tiles()));
  }
  // Tables tell no two boxes apart from afar; the lists know where they are.
  return sumRows(combination, list.rows(), [&](int64_t begin, int64_t end, Counting &counting) {
    int64_t pairs = 0;
    for (int64_t row = begin; row < end; ++row) {
      for (int64_t i = list.offsets[row]; i < list.offsets[row + 1]; ++i) {
        const GirihRun &run = list.runs[i];
        pairs += run.state == GIRIH_TILE_FULL
                     ? map.grid.row.span(row, row + 1) * map.grid.column.span(run.begin, run.end)
                     : counting.pairs(map.grid.box(row, row + 1, run.begin, run.end));
      }
    }
    return pairs;
  });
}

/// Queries of tile row `row` of a forward map that see nothing.
int64_t Counter::countEmptyOfRow(const RowLists &list, int64_t row, Counting &counting) const {
  int64_t begin = list.offsets[row], end = list.offsets[row + 1];
  int64_t queries = map.grid.row.span(row, row + 1);
  for (int64_t i = begin; i < end; ++i)
    if (list.runs[i].state == GIRIH_TILE_FULL)
      return 0;
  // Most patterns let a query see what is near it: begin there.
  int64_t near = map.grid.row.tileBegin(row) / map.grid.column.tile;
  int64_t middle = std::partition_point(list.runs.begin() + begin, list.runs.begin() + end,
                                        [&](const GirihRun &run) { return run.end <= near; }) -
                   list.runs.begin();
  std::vector<uint8_t> seen(static_cast<size_t>(queries), 0);
  for (int64_t i = 0; i < end - begin; ++i) {
    int64_t at = begin + (middle - begin + i) % (end - begin);
    counting.see(map.grid.box(row, row + 1, list.runs[at].begin, list.runs[at].end), seen.data());
  }
  return std::count(seen.begin(), seen.end(), 0);
}

/// The same for a reverse map, whose rows share queries.
int64_t Counter::countEmptyByColumns(const RowLists &list, Counting &counting) const {
  std::vector<uint8_t> seen(static_cast<size_t>(forwardGrid.row.length), 0);
  // Queries of full tiles, as differences: a row may cover them all.
  std::vector<int64_t> full(seen.size() + 1, 0);
  for (int64_t row = 0; row < list.rows(); ++row) {
    for (int64_t i = list.offsets[row]; i < list.offsets[row + 1]; ++i) {
      const GirihRun &run = list.runs[i];
      if (run.state == GIRIH_TILE_FULL) {
        Box box = map.grid.box(row, row + 1, run.begin, run.end);
        ++full[box.q0 - forwardGrid.row.origin];
        --full[box.q1 - forwardGrid.row.origin + 1];
        continue;
      }
      for (int64_t tile = run.begin; tile < run.end; ++tile) {
        Box box = map.grid.box(row, row + 1, tile, tile + 1);
        counting.see(box, seen.data() + (box.q0 - forwardGrid.row.origin));
      }
    }
  }
  int64_t covering = 0, empty = 0;
  for (size_t q = 0; q < seen.size(); ++q) {
    covering += full[q];
    empty += covering == 0 && !seen[q];
  }
  return empty;
}

int64_t Counter::countEmpty(int64_t combination, const RowLists &list) const {
  if (map.grid.reverse) {
    Evaluator evaluator = makeEvaluator(combination);
    Counting counting(program, rootPlan, symmetry, evaluator, forwardGrid.row.origin);
    return countEmptyByColumns(list, counting);
  }
  return sumRows(combination, list.rows(), [&](int64_t begin, int64_t end, Counting &counting) {
    int64_t empty = 0;
    for (int64_t row = begin; row < end; ++row)
      empty += countEmptyOfRow(list, row, counting);
    return empty;
  });
}

Counts Counter::count(int64_t combination) const {
  const RowLists &list = map.list(combination);
  Counts counts;
  countListed(list, counts);
  if (closedForm.numTerms > 0) {
    countClosedForm(combination, counts);
  } else {
    counts.useful = countPairs(combination, list);
    counts.emptyRows = countEmpty(combination, list);
  }
  return counts;
}

static int computeStats(const GirihBlockMap &map, const GirihMapProgram &source,
                        const GirihMapParams &params, GirihMapStats &stats, GirihStatus *status) {
  const GirihMapParams &own = map.params;
  if (params.batch != own.batch || params.heads != own.heads || params.num_q != own.num_q ||
      params.num_k != own.num_k || params.q_offset != own.q_offset || params.q_end != own.q_end ||
      params.tile_q != own.tile_q || params.tile_k != own.tile_k)
    return fail(status, GIRIH_INVALID, "expected the lengths that the block map was built with");
  Program program;
  if (int code = program.analyze(source, status))
    return code;
  Counter counter(map, program);
  Counts total;
  for (int64_t c = 0; c < map.combinations(); ++c)
    total.add(counter.count(c), map.copies());
  stats = GirihMapStats{};
  stats.listed_full = total.full;
  stats.listed_partial = total.partial;
  stats.useful_pairs = total.useful;
  stats.computed_pairs = total.computed;
  stats.total_pairs = own.batch * own.heads * own.num_q * own.num_k;
  stats.empty_rows = total.emptyRows;
  stats.map_bytes = map.tables.bytes() + static_cast<int64_t>(map.listOf.size() * sizeof(int32_t));
  for (const RowLists &list : map.lists)
    stats.map_bytes += static_cast<int64_t>(list.runs.size() * sizeof(GirihRun) +
                                            list.offsets.size() * sizeof(int64_t));
  stats.tier = map.tier;
  stats.copied_rows = map.copiedRows;
  stats.distinct_lists = static_cast<int32_t>(map.lists.size());
  return succeed(status);
}

int girihBlockMapStats(const GirihBlockMap *map, const GirihMapProgram *program,
                       const GirihMapParams *params, GirihMapStats *stats, GirihStatus *status) {
  return guarded(status, [&] { return computeStats(*map, *program, *params, *stats, status); });
}
