//===- Cells.cpp - Stretches of tile rows that look alike -----------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Granules are as coarse as they can be: finer ones cost more boxes.
//
//===----------------------------------------------------------------------===//

#include "Cells.h"

#include <numeric>

using namespace girih;

/// Positions of the widest cell.
static constexpr int64_t kMaxCell = 4096;
/// Most granules of a tile.
static constexpr int64_t kMaxGranules = 16;
/// Tile rows of a period that are derived one by one rather than in granules.
static constexpr int64_t kFewRows = 16;

/// The part of a tile, in positions, that makes tile rows repeat soon and cells short.
static int64_t granuleOf(const Program &program, const Symmetry &moves, const Grid &grid) {
  int64_t tile = grid.column.tile, longest = grid.row.length / kMinPeriods;
  if (std::max(grid.row.tile, tile) > longest)
    return tile;
  auto finer = [&](int64_t granule) { return tile / granule <= kMaxGranules ? granule : tile; };
  int64_t granule = tile;
  // Rows repeat at this period if granules divide it.
  int64_t period = std::lcm(grid.row.tile, Symmetry(program, 1, longest).period());
  if (period <= longest && std::lcm(period, tile) > kFewRows * grid.row.tile)
    granule = finer(std::gcd(tile, period));
  if (std::lcm(moves.period(), granule) > kMaxCell)
    granule = finer(std::gcd(granule, moves.period()));
  return granule;
}

Cells::Cells(const Program &program, const Grid &tiles)
    : tiles(tiles), moves(program, 1, kMaxCell), granules(tiles) {
  granules.column.tile = granuleOf(program, moves, tiles);
  int64_t width = std::lcm(moves.period(), granules.column.tile);
  if (width <= kMaxCell && 2 * width <= tiles.column.length)
    cellWidth = width / granules.column.tile;
}

RowLists Cells::merged(RowLists list) const {
  int64_t ratio = tiles.column.tile / granules.column.tile;
  if (ratio == 1)
    return list;
  int64_t all = granules.column.tiles();
  RowLists result;
  result.runs.reserve(list.runs.size());
  result.offsets.reserve(list.offsets.size());
  for (int64_t row = 0; row < list.rows(); ++row) {
    int64_t next = 0; // tiles before `next` are written
    for (int64_t i = list.offsets[row]; i < list.offsets[row + 1]; ++i) {
      const GirihRun &run = list.runs[i];
      int64_t begin = std::max(run.begin / ratio, next), end = ceilDiv(run.end, ratio);
      if (run.state == GIRIH_TILE_FULL) {
        int64_t first = ceilDiv(run.begin, ratio);
        int64_t last = run.end == all ? end : run.end / ratio;
        if (first < last) {
          result.append(begin, first, GIRIH_TILE_PARTIAL);
          result.appendFull(first, last, tiles.fullColumns(row));
          begin = last;
        }
      }
      result.append(begin, end, GIRIH_TILE_PARTIAL);
      next = std::max(next, end);
    }
    result.closeRow();
  }
  return result;
}
