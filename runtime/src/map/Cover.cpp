//===- Cover.cpp - The fewest tiles that cover a pattern ------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tiles of a map start at multiples of their width. If they could start anywhere, the fewest that
// cover the keys of a tile row are found from left to right: the next one starts at the first key
// that is not covered yet (an exchange argument shows that nothing is better).
//
//===----------------------------------------------------------------------===//

#include "BlockMapImpl.h"

#include "../Error.h"
#include "Symmetry.h"

#include <cinttypes>
#include <map>

using namespace girih;

/// Tile rows that are remembered.
static constexpr size_t kMaxKnown = 1 << 14;

namespace {

/// Covers the rows of one (batch, head).
class Cover {
public:
  Cover(const GirihBlockMap &map, const Program &program, const Plan &plan,
        const Symmetry &symmetry, int64_t combination, int64_t &budget)
      : map(map), plan(plan), root(program.source().root), symmetry(symmetry),
        list(map.list(combination)), evaluator(program, map.tables, map.params), budget(budget) {
    evaluator.bind(combination / map.numHeads(), combination % map.numHeads());
  }

  /// Tiles for all rows; stops early when the budget is spent.
  int64_t tiles();

private:
  int64_t tilesOfRow(int64_t row);
  /// What the cover of a row depends on; false when some part of it repeats nowhere.
  bool describe(int64_t row);
  /// The first key in [k0, k1] that some query of the tile row keeps, or -1.
  int64_t firstKey(int64_t row, int64_t k0, int64_t k1);
  bool keeps(const Box &rows, int64_t k);

  const GirihBlockMap &map;
  const Plan &plan;
  int32_t root;
  const Symmetry &symmetry;
  const RowLists &list;
  Evaluator evaluator;
  int64_t &budget;
  std::vector<int64_t> description;
  std::map<std::vector<int64_t>, int64_t> known;
};

} // namespace

bool Cover::keeps(const Box &rows, int64_t k) {
  for (int64_t q = rows.q0; q <= rows.q1; q += Evaluator::kLanes) {
    int64_t count = std::min(Evaluator::kLanes, rows.q1 - q + 1);
    evaluator.range(plan, Evaluator::Along::Q, q, count, k);
    const int64_t *lanes = evaluator.lanes(root);
    if (std::find(lanes, lanes + count, 1) != lanes + count)
      return true;
  }
  return false;
}

int64_t Cover::firstKey(int64_t row, int64_t k0, int64_t k1) {
  if (--budget < 0)
    return -1;
  Box box = map.grid.ranges(map.grid.row.tileBegin(row), map.grid.row.tileLast(row), k0, k1);
  evaluator.box(plan, box);
  Bounds truth = evaluator.boundsOf(root);
  if (never(truth) || always(truth))
    return never(truth) ? -1 : k0;
  if (k0 == k1)
    return keeps(box, k0) ? k0 : -1;
  int64_t middle = splitPoint(k0, k1 + 1);
  int64_t found = firstKey(row, k0, middle - 1);
  return found >= 0 ? found : firstKey(row, middle, k1);
}

int64_t Cover::tilesOfRow(int64_t row) {
  const Axis &keys = map.grid.column;
  int64_t count = 0, next = 0; // keys before `next` are covered
  for (int64_t i = list.offsets[row]; i < list.offsets[row + 1]; ++i) {
    const GirihRun &run = list.runs[i];
    int64_t last = keys.tileLast(run.end - 1);
    next = std::max(next, keys.tileBegin(run.begin));
    if (run.state == GIRIH_TILE_FULL && next <= last) {
      int64_t tiles = ceilDiv(last - next + 1, keys.tile);
      count += tiles;
      next += tiles * keys.tile;
    }
    while (next <= last && budget >= 0) {
      int64_t key = firstKey(row, next, last);
      if (key < 0)
        break;
      ++count;
      next = key + keys.tile;
    }
  }
  return count;
}

bool Cover::describe(int64_t row) {
  description.clear();
  int64_t first = list.offsets[row];
  for (int64_t i = first; i < list.offsets[row + 1]; ++i) {
    const GirihRun &run = list.runs[i];
    description.insert(description.end(),
                       {run.begin - list.runs[first].begin, run.end - run.begin, run.state});
    if (run.state == GIRIH_TILE_FULL)
      continue;
    Box box = map.grid.box(row, row + 1, run.begin, run.end);
    --budget;
    evaluator.box(plan, box);
    BoxKey key;
    if (!symmetry.keyOf(box, evaluator, key))
      return false;
    description.insert(description.end(),
                       {key.q, key.k, key.height, key.width, static_cast<int64_t>(key.isOpen),
                        static_cast<int64_t>(key.isTrue)});
  }
  return true;
}

int64_t Cover::tiles() {
  int64_t total = 0;
  for (int64_t row = 0; row < list.rows() && budget >= 0; ++row) {
    bool repeats = describe(row);
    if (repeats)
      if (auto it = known.find(description); it != known.end()) {
        total += it->second;
        continue;
      }
    int64_t tiles = tilesOfRow(row);
    if (repeats && known.size() < kMaxKnown)
      known.emplace(description, tiles);
    total += tiles;
  }
  return total;
}

static int coverMap(const GirihBlockMap &map, const GirihMapProgram &source, int64_t budget,
                    int64_t &tiles, GirihStatus *status) {
  if (map.grid.reverse)
    return fail(status, GIRIH_INVALID, "expected a forward block map, but got a reverse one");
  Program program;
  if (int code = program.analyze(source, status))
    return code;
  Plan plan = program.plan({source.root});
  Symmetry symmetry(program, 1, std::max<int64_t>(map.params.num_k / kMinPeriods, 1));
  int64_t total = 0;
  for (int64_t combination = 0; combination < map.combinations(); ++combination)
    total += Cover(map, program, plan, symmetry, combination, budget).tiles();
  tiles = budget < 0 ? -1 : total * map.copies();
  return succeed(status);
}

int girihBlockMapMinimalTiles(const GirihBlockMap *map, const GirihMapProgram *program,
                              int64_t budget, int64_t *tiles, GirihStatus *status) {
  return guarded(status, [&] { return coverMap(*map, *program, budget, *tiles, status); });
}
