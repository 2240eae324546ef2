//===- BlockMap.cpp - Building and reading block maps ---------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Chooses a tier, derives all rows with it, and stores them flat.
//
//===----------------------------------------------------------------------===//

#include "BlockMapImpl.h"

#include "../Error.h"
#include "../Parallel.h"
#include "ClosedForm.h"
#include "Evaluator.h"
#include "Lookups.h"
#include "Repetition.h"
#include "TableRows.h"

#include <cinttypes>
#include <cstring>
#include <memory>
#include <optional>
#include <unordered_map>
#include <utility>

using namespace girih;

int girih::checkParams(const GirihMapParams &params, GirihStatus *status) {
  const struct {
    const char *name;
    int64_t value;
  } positive[] = {{"batch", params.batch}, {"heads", params.heads},   {"num_q", params.num_q},
                  {"num_k", params.num_k}, {"tile_q", params.tile_q}, {"tile_k", params.tile_k}};
  for (const auto &entry : positive)
    if (entry.value <= 0)
      return fail(status, GIRIH_INVALID, "expected %s to be positive, but got %" PRId64, entry.name,
                  entry.value);
  for (int i = 0; i < 4; ++i) {
    int64_t limit = i < 2 ? GIRIH_MAX_HEADS : GIRIH_MAX_TOKENS;
    if (positive[i].value > limit)
      return fail(status, GIRIH_UNSUPPORTED,
                  "expected %s to be at most %" PRId64 ", but got %" PRId64, positive[i].name,
                  limit, positive[i].value);
  }
  if (params.q_offset < -GIRIH_MAX_TOKENS || params.q_offset > GIRIH_MAX_TOKENS - params.num_q)
    return fail(status, GIRIH_UNSUPPORTED,
                "expected queries to stand within %" PRId64 " positions, but got %" PRId64
                " of them from %" PRId64,
                GIRIH_MAX_TOKENS, params.num_q, params.q_offset);
  if (params.q_end < -GIRIH_MAX_TOKENS || params.q_end > GIRIH_MAX_TOKENS)
    return fail(status, GIRIH_UNSUPPORTED,
                "expected q_end to be within %" PRId64 ", but got %" PRId64, GIRIH_MAX_TOKENS,
                params.q_end);
  int64_t pairs = params.num_q * params.num_k, all;
  if (__builtin_mul_overflow(pairs, params.batch, &all) ||
      __builtin_mul_overflow(all, params.heads, &all))
    return fail(status, GIRIH_UNSUPPORTED,
                "expected batch * heads * num_q * num_k to fit 64 bits, but got "
                "%" PRId64 " * %" PRId64 " * %" PRId64 " * %" PRId64,
                params.batch, params.heads, params.num_q, params.num_k);
  return GIRIH_OK;
}

namespace {

/// Derives the rows of every combination; read only while threads run.
class Builder {
public:
  Builder(const Program &program, GirihBlockMap &map)
      : program(program), map(map), closedForm(program, map.grid.reverse), tableUnion(program),
        base(tableUnion.rest()), rootPlan(program.plan({program.source().root})),
        basePlan(base.plan({base.source().root})) {
    chooseTier();
  }
  void build();

private:
  void chooseTier();
  void bindTables(const std::vector<int32_t> &indices);
  Evaluator evaluatorFor(const Program &of, int64_t combination) const;
  /// The list of `combination`, of a union without its tables.
  RowLists deriveBase(int64_t combination, int64_t &copied) const;
  void deriveDirect(int64_t combination, int64_t begin, int64_t end, KnownCells &known,
                    RowLists &rows) const;
  void derivePart(int64_t combination, int64_t begin, int64_t end, KnownCells &known,
                  RowLists &rows) const;
  RowLists addTables(int64_t combination, const RowLists &rest) const;
  void store(std::vector<RowLists> &lists);

  const Program &program;
  GirihBlockMap &map;
  ClosedFormPlans closedForm;
  TableUnion tableUnion;
  const Program &base; ///< what is derived first
  Plan rootPlan, basePlan;
  std::optional<Cells> cells; ///< where rows are bisected and no table leads to them
  bool alone = false;
  bool requiresTables = false;
  std::vector<const GirihBoundTable *> tables;
};

} // namespace

void Builder::bindTables(const std::vector<int32_t> &indices) {
  for (int32_t table : indices) {
    const GirihBoundTable &view = map.tables[table];
    int64_t units = ceilDiv(map.params.num_k, view.unit);
    tables.push_back(map.grid.reverse ? &map.tables.transposed(table, map.params.heads, units)
                                      : &view);
  }
}

void Builder::chooseTier() {
  if (closedForm.numTerms > 0) {
    map.tier = GIRIH_TIER_RANGES;
    return;
  }
  bindTables(requiredTables(program, alone));
  requiresTables = !tables.empty();
  if (alone && tables.front()->kind == GIRIH_TABLE_BLOCKS)
    map.tier = GIRIH_TIER_CSR;
  else if (!requiresTables)
    cells.emplace(base, map.grid);
  bindTables(tableUnion.tables());
}

Evaluator Builder::evaluatorFor(const Program &of, int64_t combination) const {
  Evaluator evaluator(of, map.tables, map.params);
  evaluator.bind(combination / map.numHeads(), combination % map.numHeads());
  return evaluator;
}

void Builder::derivePart(int64_t combination, int64_t begin, int64_t end, KnownCells &known,
                         RowLists &rows) const {
  Evaluator evaluator = evaluatorFor(map.tier == GIRIH_TIER_RANGES ? program : base, combination);
  if (map.tier == GIRIH_TIER_RANGES) {
    ClosedForm rowsOfTerms(closedForm, map.grid, evaluator);
    for (int64_t i = begin; i < end; ++i)
      rowsOfTerms.appendTileRow(i, rows);
    return;
  }
  if (requiresTables) {
    Bisection bisection(base, basePlan, map.grid, evaluator);
    TableRows rowsOfTables(tables, alone, map.grid, combination % map.numHeads(), bisection);
    for (int64_t i = begin; i < end; ++i)
      rowsOfTables.appendTileRow(i, rows);
    return;
  }
  Bisection bisection(base, basePlan, *cells, known, evaluator);
  Segments everything{{0, cells->grid().column.tiles(), Segment::Unknown}};
  bisection.appendTileRows(begin, end, everything, rows);
}

void Builder::deriveDirect(int64_t combination, int64_t begin, int64_t end, KnownCells &known,
                           RowLists &rows) const {
  int64_t count = ceilDiv(end - begin, kRowsPerItem);
  if (count == 1)
    return derivePart(combination, begin, end, known, rows);
  std::vector<RowLists> parts(static_cast<size_t>(count));
  forEachItem(count, end - begin >= kParallelRows, [&](int64_t part) {
    int64_t first = begin + part * kRowsPerItem;
    KnownCells knownHere;
    derivePart(combination, first, std::min(first + kRowsPerItem, end), knownHere, parts[part]);
  });
  size_t runs = rows.runs.size();
  for (const RowLists &part : parts)
    runs += part.runs.size();
  rows.runs.reserve(runs);
  for (RowLists &part : parts)
    rows.append(std::exchange(part, {}));
}

RowLists Builder::deriveBase(int64_t combination, int64_t &copied) const {
  RowLists list;
  KnownCells known;
  list.offsets.reserve(static_cast<size_t>(map.grid.row.tiles()) + 1);
  if (!cells) {
    deriveDirect(combination, 0, map.grid.row.tiles(), known, list);
    return list;
  }
  Repetition repetition(base, basePlan, cells->grid());
  Evaluator evaluator = evaluatorFor(base, combination);
  copied += repetition.deriveRows(
      evaluator,
      [&](int64_t begin, int64_t end) { deriveDirect(combination, begin, end, known, list); },
      list);
  return cells->merged(std::move(list));
}

RowLists Builder::addTables(int64_t combination, const RowLists &rest) const {
  Evaluator evaluator = evaluatorFor(program, combination);
  Bisection bisection(program, rootPlan, map.grid, evaluator);
  TableRows rowsOfTables(tables, /*alone=*/false, map.grid, combination % map.numHeads(),
                         bisection);
  RowLists list;
  list.runs.reserve(rest.runs.size());
  list.offsets.reserve(rest.offsets.size());
  for (int64_t row = 0; row < rest.rows(); ++row)
    rowsOfTables.appendUnion(row, rest, list);
  return list;
}

void Builder::build() {
  int64_t count = map.combinations();
  bool parallel = map.grid.row.tiles() * count >= kParallelRows;
  // Heads differ by their tables only: the rest is derived once.
  bool isShared =
      !tableUnion.tables().empty() && !(base.dependence(base.source().root) & (kOnBatch | kOnHead));
  std::vector<RowLists> bases(static_cast<size_t>(isShared ? 1 : count));
  std::vector<int64_t> copied(bases.size(), 0);
  forEachItem(static_cast<int64_t>(bases.size()), parallel,
              [&](int64_t c) { bases[c] = deriveBase(c, copied[c]); });
  for (int64_t rows : copied)
    map.copiedRows += rows;
  if (map.copiedRows > 0)
    map.tier = GIRIH_TIER_PERIODIC;
  if (tableUnion.tables().empty())
    return store(bases);
  std::vector<RowLists> lists(static_cast<size_t>(count));
  forEachItem(count, parallel,
              [&](int64_t c) { lists[c] = addTables(c, bases[isShared ? 0 : c]); });
  store(lists);
}

static uint64_t hashRuns(const RowLists &list) {
  uint64_t hash = 0xCBF29CE484222325u;
  auto mix = [&](uint64_t value) {
    hash = (hash ^ value) * 0x9E3779B97F4A7C15u;
    hash ^= hash >> 29;
  };
  for (const GirihRun &run : list.runs) {
    mix(static_cast<uint32_t>(run.begin) | static_cast<uint64_t>(static_cast<uint32_t>(run.end))
                                               << 32);
    mix(static_cast<uint32_t>(run.state));
  }
  for (int64_t offset : list.offsets)
    mix(static_cast<uint64_t>(offset));
  return hash;
}

static bool sameRuns(const RowLists &a, const RowLists &b) {
  return a.offsets == b.offsets &&
         (a.runs.empty() ||
          memcmp(a.runs.data(), b.runs.data(), a.runs.size() * sizeof(GirihRun)) == 0);
}

/// Keeps one of the lists that came out equal.
void Builder::store(std::vector<RowLists> &lists) {
  std::unordered_multimap<uint64_t, int32_t> known;
  for (RowLists &list : lists) {
    int32_t index = -1;
    uint64_t hash = lists.size() > 1 ? hashRuns(list) : 0;
    auto range = known.equal_range(hash);
    for (auto it = range.first; it != range.second; ++it)
      if (sameRuns(map.lists[it->second], list))
        index = it->second;
    if (index < 0) {
      index = static_cast<int32_t>(map.lists.size());
      known.emplace(hash, index);
      list.runs.shrink_to_fit();
      map.lists.push_back(std::move(list));
    }
    list = {};
    map.listOf.push_back(index);
  }
}

static int buildMap(const GirihMapProgram &source, const GirihMapParams &params, bool reverse,
                    GirihBlockMap **result, GirihStatus *status) {
  if (int code = checkParams(params, status))
    return code;
  Program program;
  if (int code = program.analyze(source, status))
    return code;
  auto map = std::make_unique<GirihBlockMap>(params, reverse);
  if (int code = map->tables.bind(source, params, status))
    return code;
  if (int code = proveLookups(program, map->tables, params, status))
    return code;
  map->params.operands = nullptr;
  uint8_t depends = program.dependence(source.root);
  map->perBatch = source.uses_batch || (depends & kOnBatch);
  map->perHead = source.uses_head || (depends & kOnHead);
  Builder(program, *map).build();
  *result = map.release();
  return succeed(status);
}

int girihBlockMapBuild(const GirihMapProgram *program, const GirihMapParams *params,
                       GirihBlockMap **map, GirihStatus *status) {
  *map = nullptr;
  return guarded(status, [&] { return buildMap(*program, *params, false, map, status); });
}

int girihBlockMapBuildReverse(const GirihMapProgram *program, const GirihMapParams *params,
                              GirihBlockMap **map, GirihStatus *status) {
  *map = nullptr;
  return guarded(status, [&] { return buildMap(*program, *params, true, map, status); });
}

void girihBlockMapFree(GirihBlockMap *map) { delete map; }

int64_t girihBlockMapRows(const GirihBlockMap *map) { return map->grid.row.tiles(); }

const GirihRun *girihBlockMapRuns(const GirihBlockMap *map, int64_t batch, int64_t head,
                                  int64_t row, int64_t *num_runs) {
  const RowLists &list = map->list(map->combination(batch, head));
  int64_t begin = list.offsets[row];
  *num_runs = list.offsets[row + 1] - begin;
  return list.runs.data() + begin;
}

const GirihBoundTable *girihBlockMapTables(const GirihBlockMap *map) { return map->tables.data(); }

int girihMapContains(const GirihBlockMap *map, const GirihMapProgram *program,
                     const GirihMapParams *params, int64_t b, int64_t h, int64_t q, int64_t k) {
  if (k < 0 || k >= params->num_k || q < params->q_offset || q >= params->q_offset + params->num_q)
    return 0;
  return evaluateOnce(*program, map->tables, *params, {b, h, q, k});
}
