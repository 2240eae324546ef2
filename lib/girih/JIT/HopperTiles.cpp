//===- HopperTiles.cpp - Tile sizes of a kernel for Hopper ----------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/JIT/HopperTiles.h"

#include "llvm/ADT/ArrayRef.h"

#include <algorithm>
#include <memory>

using namespace girih;

static int64_t chunks(int64_t dim) { return (dim + 63) / 64; }

bool girih::fitsHopper(int64_t q, int64_t k, int64_t headDim, int64_t vDim) {
  if (q % 64 || q < 64 || q > 192 || k % 16 || k < 16 || k > 256)
    return false;
  // Two tiles of keys and of values beside one of queries; a kilobyte for barriers.
  // Blocks of one warpgroup run in pairs.
  const int64_t warpgroups = q / 64, pairs = warpgroups == 1 ? 2 : 1;
  int64_t bytes = 128 * (q * chunks(headDim) + 2 * k * (chunks(headDim) + chunks(vDim)));
  if (pairs * (bytes + 1024) > 226 * 1024)
    return false;
  // Registers of a thread: scores, half as many for the probabilities in flight,
  // outputs. The limits are FlashAttention's, which hold here too.
  int64_t held = k / 2 + k / 4 + (vDim + 15) / 16 * 8;
  return held <= (warpgroups == 3 ? 128 : 216);
}

// Rates: measured on an H100 where test/GPU/RESULTS.md has the size, between long
// lists and windows; those of head dims above 128 are from D=256 alone.
llvm::SmallVector<HopperTile> girih::hopperTiles(int64_t headDim, int64_t vDim) {
  static constexpr HopperTile narrow[] = {// head dims up to 64
                                          {192, 128, 1.0},
                                          {64, 128, 0.84},
                                          {64, 64, 0.76}};
  static constexpr HopperTile middle[] = {// up to 128
                                          {128, 128, 1.0},
                                          {128, 96, 0.93},
                                          {64, 64, 0.85}};
  static constexpr HopperTile wide[] = {{128, 96, 1.0}, {128, 80, 1.0}, {128, 64, 0.95}};
  int64_t widest = std::max(headDim, vDim);
  llvm::ArrayRef<HopperTile> sizes = wide;
  if (widest <= 64)
    sizes = narrow;
  else if (widest <= 128)
    sizes = middle;
  llvm::SmallVector<HopperTile> tiles;
  for (const HopperTile &tile : sizes)
    if (fitsHopper(tile.q, tile.k, headDim, vDim))
      tiles.push_back(tile);
  return tiles;
}

namespace {

/// Operands in place of those that a launch will bring: documents of about a
/// thousand tokens, as offsets or as arrays of their numbers, block tables of the
/// diagonal and some blocks elsewhere.
class NominalOperands {
public:
  NominalOperands(const GirihMapProgram &program, int64_t length) {
    lists.resize(program.num_operands);
    for (int32_t i = 0; i != program.num_tables; ++i) {
      const GirihMapTable &table = program.tables[i];
      int64_t units = (length + table.unit - 1) / table.unit;
      if (table.kind == GIRIH_TABLE_SEGMENTS) {
        int64_t step = std::max<int64_t>(1, 1000 / table.unit);
        std::vector<int64_t> &offsets = lists[table.operand];
        for (int64_t at = 0; at < units; at += step)
          offsets.push_back(at);
        offsets.push_back(units);
      } else if (table.kind == GIRIH_TABLE_BLOCKS) {
        std::vector<int64_t> &indptr = lists[table.operand], &indices = lists[table.operand + 1];
        indptr.push_back(0);
        for (int64_t row = 0; row != units; ++row) {
          for (int64_t unit : {row * 5 / 8, row})
            if (indices.size() == static_cast<size_t>(indptr.back()) || unit > indices.back())
              indices.push_back(unit);
          indptr.push_back(indices.size());
        }
      }
    }
    for (const std::vector<int64_t> &list : lists) {
      GirihOperand operand{};
      operand.data = list.data();
      operand.size = static_cast<int64_t>(list.size());
      operands.push_back(operand);
    }
    for (int32_t i = 0; i != program.num_tables; ++i) {
      const GirihMapTable &table = program.tables[i];
      if (table.kind == GIRIH_TABLE_LOOKUP) {
        setArray(operands[table.operand], table.count, lists[table.operand], length);
      } else if (table.kind == GIRIH_TABLE_LOOKUP_F32) { // which no pair depends on
        operands[table.operand].type = GIRIH_OPERAND_F32;
        operands[table.operand].rank = static_cast<int32_t>(table.count);
      }
    }
  }

  std::vector<GirihOperand> operands;

private:
  /// A number of documents for each token, for some batches and heads.
  static void setArray(GirihOperand &operand, int64_t rank, std::vector<int64_t> &values,
                       int64_t length) {
    constexpr int64_t copies = 4;
    operand.rank = static_cast<int32_t>(rank);
    operand.size = length;
    for (int64_t d = 0; d != rank; ++d) {
      operand.shape[d] = d + 1 == rank ? length : copies;
      operand.size *= d + 1 == rank ? 1 : copies;
    }
    for (int64_t i = 0; i != operand.size; ++i)
      values.push_back(i % length / 1000);
    operand.data = values.data();
  }

  std::vector<std::vector<int64_t>> lists;
};

/// Tokens of the first grid in the tree, or 0.
int64_t gridTokens(const PatternNode &node) {
  int64_t tokens = node.grid.empty() ? 0 : 1;
  for (int64_t size : node.grid)
    tokens *= size;
  for (const PatternRef &child : node.children)
    if (!tokens)
      tokens = gridTokens(*child);
  return tokens;
}

/// Heads that the tree tells apart by number, at least one.
int64_t namedHeads(const PatternNode &node) {
  int64_t heads = 1;
  for (int64_t end : node.headEnd)
    heads = std::max(heads, end + 1);
  for (const PatternRef &child : node.children)
    heads = std::max(heads, namedHeads(*child));
  return heads;
}

struct FreeMap {
  void operator()(GirihBlockMap *map) const { girihBlockMapFree(map); }
};

} // namespace

/// Pairs of the listed tiles; 0 where the map cannot be made. The kept pairs are the
/// same for every size, so that counting tiles is enough.
static double computedPairs(const GirihMapProgram &program, int64_t length, int64_t heads,
                            const std::vector<GirihOperand> &operands, const HopperTile &tile) {
  GirihMapParams params{};
  params.batch = 1;
  params.heads = program.uses_head ? heads : 1;
  params.num_q = params.num_k = params.q_end = length;
  params.tile_q = static_cast<int32_t>(tile.q);
  params.tile_k = static_cast<int32_t>(tile.k);
  params.operands = operands.data();
  params.num_operands = static_cast<int64_t>(operands.size());
  GirihStatus status{};
  GirihBlockMap *made = nullptr;
  if (girihBlockMapBuild(&program, &params, &made, &status) != GIRIH_OK)
    return 0;
  std::unique_ptr<GirihBlockMap, FreeMap> map(made);
  int64_t tiles = 0;
  for (int64_t head = 0; head != params.heads; ++head)
    for (int64_t row = 0; row != girihBlockMapRows(made); ++row) {
      int64_t count = 0;
      const GirihRun *runs = girihBlockMapRuns(made, /*batch=*/0, head, row, &count);
      for (int64_t i = 0; i != count; ++i)
        tiles += runs[i].end - runs[i].begin;
    }
  return static_cast<double>(tiles) * static_cast<double>(tile.q * tile.k);
}

HopperTile girih::chooseHopperTile(const Pattern &pattern, const GirihMapProgram &program,
                                   int64_t headDim, int64_t vDim) {
  llvm::SmallVector<HopperTile> tiles = hopperTiles(headDim, vDim);
  if (tiles.size() == 1)
    return tiles.front();
  constexpr int64_t nominalLength = 4096, longest = 1 << 16;
  int64_t grid = gridTokens(*pattern);
  int64_t length = grid > 0 && grid <= longest ? grid : nominalLength;
  NominalOperands nominal(program, length);
  constexpr int64_t fewHeads = 4, manyHeads = 64;
  int64_t heads = std::clamp(namedHeads(*pattern), fewHeads, manyHeads);
  HopperTile best = tiles.front();
  double least = 0; // time of the best, in pairs of the fastest size
  for (const HopperTile &tile : tiles) {
    double pairs = computedPairs(program, length, heads, nominal.operands, tile);
    double time = pairs / tile.rate;
    // A smaller tile has to win clearly: its rate is that of long lists.
    constexpr double margin = 0.97;
    if (pairs > 0 && (least == 0 || time < margin * least)) {
      best = tile;
      least = time;
    }
  }
  return best;
}
