//===- Stats.cpp - Counting what a block map lists ------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Exact counts: listed tiles from the runs, true pairs from closed-form rows
// where there are any, else from full tiles by area and partial tiles by scan.
//
//===----------------------------------------------------------------------===//

#include "BlockMapImpl.h"

#include "../Error.h"
#include "../Parallel.h"
#include "ClosedForm.h"

#include <memory>

using namespace girih;

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
        rootPlan(program.plan({program.source().root})) {}

  Counts count(int64_t combination) const;

private:
  void countListed(const RowLists &list, Counts &counts) const;
  void countClosedForm(int64_t combination, Counts &counts) const;
  void countByScan(int64_t combination, const RowLists &list, Counts &counts) const;
  int64_t scanRun(int64_t row, const GirihRun &run, Evaluator &evaluator, uint8_t *seen) const;
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

/// True pairs of a partial run; marks the queries that see something.
int64_t Counter::scanRun(int64_t row, const GirihRun &run, Evaluator &evaluator,
                         uint8_t *seen) const {
  Box box = map.grid.box(row, row + 1, run.begin, run.end);
  int32_t root = program.source().root;
  int64_t total = 0;
  for (int64_t q = box.q0; q <= box.q1; ++q) {
    int64_t sum = 0;
    for (int64_t k = box.k0; k <= box.k1; k += Evaluator::kLanes) {
      int64_t count = std::min(Evaluator::kLanes, box.k1 - k + 1);
      evaluator.range(rootPlan, Evaluator::Along::K, k, count, q);
      const int64_t *lanes = evaluator.lanes(root);
      for (int64_t lane = 0; lane < count; ++lane)
        sum += lanes[lane];
    }
    total += sum;
    seen[q - forwardGrid.row.origin] |= sum > 0;
  }
  return total;
}

void Counter::countByScan(int64_t combination, const RowLists &list, Counts &counts) const {
  const Axis &queries = forwardGrid.row;
  bool reverse = map.grid.reverse;
  std::vector<uint8_t> seen(static_cast<size_t>(queries.length), 0);
  // Queries of full tiles, as differences: a reverse row may cover them all.
  std::vector<int64_t> full(static_cast<size_t>(queries.length) + 1, 0);
  int64_t items = ceilDiv(list.rows(), kRowsPerItem);
  std::vector<int64_t> useful(static_cast<size_t>(items), 0);
  // Rows of a reverse map share queries, so they take turns.
  forEachItem(items, !reverse, [&](int64_t item) {
    Evaluator evaluator = makeEvaluator(combination);
    int64_t begin = item * kRowsPerItem;
    int64_t end = std::min(begin + kRowsPerItem, list.rows());
    for (int64_t row = begin; row < end; ++row) {
      for (int64_t i = list.offsets[row]; i < list.offsets[row + 1]; ++i) {
        const GirihRun &run = list.runs[i];
        if (run.state == GIRIH_TILE_PARTIAL) {
          useful[item] += scanRun(row, run, evaluator, seen.data());
          continue;
        }
        useful[item] += map.grid.row.span(row, row + 1) * map.grid.column.span(run.begin, run.end);
        Box box = map.grid.box(row, row + 1, run.begin, run.end);
        if (!reverse) {
          std::fill(seen.begin() + (box.q0 - queries.origin),
                    seen.begin() + (box.q1 - queries.origin) + 1, 1);
        } else {
          ++full[box.q0 - queries.origin];
          --full[box.q1 - queries.origin + 1];
        }
      }
    }
  });
  for (int64_t part : useful)
    counts.useful += part;
  int64_t covering = 0;
  for (int64_t q = 0; q < queries.length; ++q) {
    covering += full[q];
    counts.emptyRows += covering == 0 && !seen[q];
  }
}

Counts Counter::count(int64_t combination) const {
  const RowLists &list = map.list(combination);
  Counts counts;
  countListed(list, counts);
  if (closedForm.numTerms > 0)
    countClosedForm(combination, counts);
  else
    countByScan(combination, list, counts);
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
  stats.distinct_lists = static_cast<int32_t>(map.lists.size());
  return succeed(status);
}

int girihBlockMapStats(const GirihBlockMap *map, const GirihMapProgram *program,
                       const GirihMapParams *params, GirihMapStats *stats, GirihStatus *status) {
  return guarded(status, [&] { return computeStats(*map, *program, *params, *stats, status); });
}
