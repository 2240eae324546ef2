//===- MapCheck.cpp - Block maps against membership, pair by pair ---------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Case.h"

#include "girih/Reference/Membership.h"

#include "llvm/Support/Error.h"

#include <fmt/format.h>

#include <algorithm>

using namespace girih;
using namespace girih::differential;

namespace {

constexpr int empty = -1;

/// Tile states, [q-tile][k-tile]: `empty` or a GirihTileState.
struct States {
  int64_t rows, columns;
  std::vector<int> values;

  States(int64_t rows, int64_t columns)
      : rows(rows), columns(columns), values(rows * columns, empty) {}
  int &at(int64_t row, int64_t column) { return values[row * columns + column]; }
};

struct FreeMap {
  void operator()(GirihBlockMap *map) const { girihBlockMapFree(map); }
};

class MapChecker {
public:
  MapChecker(const KernelCase &kernel, const LaunchCase &launch, const GirihKernelDesc &desc,
             const GirihMapParams &params)
      : launch(launch), params(params), tileQ(desc.tile_q), tileK(desc.tile_k),
        rows((launch.numQ + tileQ - 1) / tileQ), columns((launch.numK + tileK - 1) / tileK),
        membership(kernel.pattern, launch.shape(kernel)) {}

  std::string check(const GirihBlockMap &forward, const GirihBlockMap &reverse);
  std::string checkStats(const char *name, const GirihMapStats &stats) const;

private:
  /// What must be listed for (b, h); adds to the counts.
  States expect(int64_t b, int64_t h);
  /// Empty, or what breaks an invariant of the lists.
  std::string read(const GirihBlockMap &map, int64_t b, int64_t h, bool isReverse, States &states);

  const LaunchCase &launch;
  const GirihMapParams &params;
  int64_t tileQ, tileK, rows, columns;
  Membership membership;
  GirihMapStats expected{};
};

} // namespace

States MapChecker::expect(int64_t b, int64_t h) {
  std::vector<int64_t> counts(rows * columns);
  std::vector<uint8_t> keys(launch.numK);
  for (int64_t q = 0; q != launch.numQ; ++q) {
    membership.row(b, h, q + params.q_offset, keys);
    int64_t seen = 0;
    for (int64_t k = 0; k != launch.numK; ++k) {
      counts[q / tileQ * columns + k / tileK] += keys[k];
      seen += keys[k];
    }
    expected.useful_pairs += seen;
    expected.empty_rows += seen == 0;
  }
  States states(rows, columns);
  for (int64_t row = 0; row != rows; ++row) {
    for (int64_t column = 0; column != columns; ++column) {
      int64_t count = counts[row * columns + column];
      if (count == 0)
        continue;
      // Rows behind the last query are written by nobody; keys behind the last one
      // need the mask.
      bool isFull = count == std::min(tileQ, launch.numQ - row * tileQ) * tileK;
      states.at(row, column) = isFull ? GIRIH_TILE_FULL : GIRIH_TILE_PARTIAL;
      ++(isFull ? expected.listed_full : expected.listed_partial);
      expected.computed_pairs += std::min(tileQ, launch.numQ - row * tileQ) *
                                 std::min(tileK, launch.numK - column * tileK);
    }
  }
  return states;
}

std::string MapChecker::read(const GirihBlockMap &map, int64_t b, int64_t h, bool isReverse,
                             States &states) {
  int64_t lines = isReverse ? columns : rows, across = isReverse ? rows : columns;
  if (girihBlockMapRows(&map) != lines)
    return fmt::format("expected {} tile rows, but got {}", lines, girihBlockMapRows(&map));
  for (int64_t line = 0; line != lines; ++line) {
    int64_t numRuns = 0, end = 0;
    const GirihRun *runs = girihBlockMapRuns(&map, b, h, line, &numRuns);
    for (int64_t i = 0; i != numRuns; ++i) {
      if (runs[i].begin < end || runs[i].end <= runs[i].begin || runs[i].end > across)
        return fmt::format("run [{}, {}) of row {} is empty, out of order or out of bounds",
                           runs[i].begin, runs[i].end, line);
      end = runs[i].end;
      for (int64_t tile = runs[i].begin; tile != end; ++tile)
        states.at(isReverse ? tile : line, isReverse ? line : tile) = runs[i].state;
    }
  }
  return "";
}

std::string MapChecker::check(const GirihBlockMap &forward, const GirihBlockMap &reverse) {
  for (int64_t b = 0; b != launch.batch; ++b) {
    for (int64_t h = 0; h != launch.heads; ++h) {
      States truth = expect(b, h);
      for (bool isReverse : {false, true}) {
        States states(rows, columns);
        std::string problem = read(isReverse ? reverse : forward, b, h, isReverse, states);
        const char *name = isReverse ? "reverse" : "forward";
        if (!problem.empty())
          return fmt::format("{} block map of batch {}, head {}: {}", name, b, h, problem);
        for (int64_t i = 0; i != rows * columns; ++i)
          if (states.values[i] != truth.values[i])
            return fmt::format("{} block map of batch {}, head {}: expected state {} of tile "
                               "({}, {}), but got {} (-1 empty, 0 partial, 1 full)",
                               name, b, h, truth.values[i], i / columns, i % columns,
                               states.values[i]);
      }
    }
  }
  expected.total_pairs = launch.batch * launch.heads * launch.numQ * launch.numK;
  return "";
}

std::string MapChecker::checkStats(const char *name, const GirihMapStats &stats) const {
  const struct {
    const char *what;
    int64_t expected, actual;
  } counts[] = {{"useful_pairs", expected.useful_pairs, stats.useful_pairs},
                {"computed_pairs", expected.computed_pairs, stats.computed_pairs},
                {"total_pairs", expected.total_pairs, stats.total_pairs},
                {"listed_full", expected.listed_full, stats.listed_full},
                {"listed_partial", expected.listed_partial, stats.listed_partial},
                {"empty_rows", expected.empty_rows, stats.empty_rows}};
  for (const auto &count : counts)
    if (count.expected != count.actual)
      return fmt::format("expected {} of the {} map to be {}, but got {}", count.what, name,
                         count.expected, count.actual);
  return "";
}

std::string differential::checkMaps(CompiledKernel &kernel, const KernelCase &kernelCase,
                                    const LaunchCase &launch) {
  const GirihKernelDesc &desc = kernel.desc();
  std::vector<GirihOperand> operands = patternOperands(kernelCase.pattern, kernelCase.score);
  GirihMapParams params =
      mapParams(launch.batch, launch.heads, launch.numQ, launch.numK,
                kernelCase.topLeft ? GIRIH_TOP_LEFT : GIRIH_BOTTOM_RIGHT, operands, desc);
  auto forward = kernel.blockMap(params);
  if (!forward)
    return "block map: " + llvm::toString(forward.takeError());
  GirihStatus status{};
  GirihBlockMap *built = nullptr;
  if (girihBlockMapBuildReverse(desc.map, &params, &built, &status))
    return fmt::format("reverse block map: {}", status.message);
  std::unique_ptr<GirihBlockMap, FreeMap> reverse(built);

  MapChecker checker(kernelCase, launch, desc, params);
  if (std::string problem = checker.check(**forward, *reverse); !problem.empty())
    return problem;
  GirihMapStats stats{};
  if (girihBlockMapStats(forward->get(), desc.map, &params, &stats, &status))
    return fmt::format("block map statistics: {}", status.message);
  return checker.checkStats("forward", stats);
}
