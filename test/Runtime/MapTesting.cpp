//===- MapTesting.cpp - Programs and a brute-force oracle for tests -------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Written for clarity: O(num_q * num_k) and proud of it.
//
//===----------------------------------------------------------------------===//

#include "MapTesting.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sstream>

using namespace girih::testing;

uint64_t girih::testing::testSeed() {
  const char *text = getenv("GIRIH_TEST_SEED");
  uint64_t seed = text ? strtoull(text, nullptr, 0) : 20240607;
  printf("GIRIH_TEST_SEED=%llu\n", static_cast<unsigned long long>(seed));
  return seed;
}

int64_t girih::testing::testCases(int64_t usual) {
  const char *text = getenv("GIRIH_TEST_CASES");
  return text ? atoll(text) : usual;
}

//===----------------------------------------------------------------------===//
// ProgramBuilder
//===----------------------------------------------------------------------===//

int32_t ProgramBuilder::add(int32_t op, int32_t a, int32_t b, int64_t imm) {
  nodes.push_back({op, a, b, 0, imm});
  return static_cast<int32_t>(nodes.size()) - 1;
}

int64_t ProgramBuilder::segments(int64_t unit, std::vector<int64_t> offsets) {
  tables.push_back({GIRIH_TABLE_SEGMENTS, static_cast<int32_t>(values.size()), unit, 0, 0});
  values.push_back(std::move(offsets));
  return static_cast<int64_t>(tables.size()) - 1;
}

int64_t ProgramBuilder::blocks(int64_t unit, int64_t heads, std::vector<int64_t> indptr,
                               std::vector<int64_t> indices) {
  tables.push_back({GIRIH_TABLE_BLOCKS, static_cast<int32_t>(values.size()), unit, heads, 0});
  values.push_back(std::move(indptr));
  values.push_back(std::move(indices));
  usesHead |= heads > 1;
  return static_cast<int64_t>(tables.size()) - 1;
}

int64_t ProgramBuilder::random(int64_t unit, int64_t count, uint64_t seed) {
  tables.push_back({GIRIH_TABLE_RANDOM, -1, unit, count, seed});
  usesHead = true;
  return static_cast<int64_t>(tables.size()) - 1;
}

int64_t ProgramBuilder::array(std::vector<int64_t> shape, std::vector<int64_t> entries) {
  auto operand = static_cast<int32_t>(values.size());
  tables.push_back({GIRIH_TABLE_LOOKUP, operand, 1, static_cast<int64_t>(shape.size()), 0});
  values.push_back(std::move(entries));
  shapes.resize(values.size());
  names.resize(values.size());
  shapes[operand] = std::move(shape);
  names[operand] = "t" + std::to_string(operand);
  return static_cast<int64_t>(tables.size()) - 1;
}

int32_t ProgramBuilder::lookup(int64_t table, const std::vector<int32_t> &indices) {
  int32_t place = indices[0];
  for (size_t d = 1; d < indices.size(); ++d)
    place = add(GIRIH_MAP_PLACE, place, indices[d], 4 * table + static_cast<int64_t>(d));
  return add(GIRIH_MAP_LOOKUP, place, -1, table);
}

void ProgramBuilder::term(std::vector<GirihMapTerm> &terms, const std::vector<int32_t> &guards,
                          const std::vector<int32_t> &lower, const std::vector<int32_t> &upper) {
  terms.push_back({static_cast<int32_t>(termNodes.size()), static_cast<int32_t>(guards.size()),
                   static_cast<int32_t>(lower.size()), static_cast<int32_t>(upper.size())});
  for (const auto *list : {&guards, &lower, &upper})
    termNodes.insert(termNodes.end(), list->begin(), list->end());
}

GirihMapProgram ProgramBuilder::program(int32_t root) {
  GirihMapProgram result{};
  result.nodes = nodes.data();
  result.tables = tables.data();
  result.forward = forward.data();
  result.reverse = reverse.data();
  result.term_nodes = termNodes.data();
  result.num_nodes = static_cast<int32_t>(nodes.size());
  result.num_tables = static_cast<int32_t>(tables.size());
  result.num_forward = static_cast<int32_t>(forward.size());
  result.num_reverse = static_cast<int32_t>(reverse.size());
  result.num_operands = static_cast<int32_t>(values.size());
  result.root = root;
  result.uses_batch = usesBatch;
  result.uses_head = usesHead;
  return result;
}

std::vector<GirihOperand> ProgramBuilder::operands() const {
  std::vector<GirihOperand> result;
  // An empty list still has data, as an empty numpy array does.
  static const int64_t nothing = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    GirihOperand operand{};
    operand.data = values[i].empty() ? &nothing : values[i].data();
    operand.size = static_cast<int64_t>(values[i].size());
    if (i < shapes.size() && !shapes[i].empty()) {
      operand.name = names[i].c_str();
      operand.rank = static_cast<int32_t>(shapes[i].size());
      std::copy(shapes[i].begin(), shapes[i].end(), operand.shape);
    }
    result.push_back(operand);
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Maps
//===----------------------------------------------------------------------===//

GirihMapParams girih::testing::makeParams(int64_t numQ, int64_t numK, bool bottomRight,
                                          int32_t tileQ, int32_t tileK, int64_t heads,
                                          int64_t batch) {
  GirihMapParams params{};
  params.batch = batch;
  params.heads = heads;
  params.num_q = numQ;
  params.num_k = numK;
  params.q_offset = bottomRight ? numK - numQ : 0;
  params.q_end = bottomRight ? numK : numQ;
  params.tile_q = tileQ;
  params.tile_k = tileK;
  return params;
}

Map girih::testing::buildMap(const GirihMapProgram &program, const GirihMapParams &params,
                             bool reverse) {
  GirihBlockMap *map = nullptr;
  GirihStatus status{};
  int code = reverse ? girihBlockMapBuildReverse(&program, &params, &map, &status)
                     : girihBlockMapBuild(&program, &params, &map, &status);
  EXPECT_EQ(code, GIRIH_OK) << status.message;
  return Map(map);
}

static int64_t ceilDiv(int64_t a, int64_t b) { return (a + b - 1) / b; }

States girih::testing::readStates(const GirihBlockMap &map, const GirihMapParams &params,
                                  bool reverse, int64_t b, int64_t h) {
  int64_t qTiles = ceilDiv(params.num_q, params.tile_q);
  int64_t kTiles = ceilDiv(params.num_k, params.tile_k);
  States states(qTiles, std::vector<int>(kTiles, -1));
  EXPECT_EQ(girihBlockMapRows(&map), reverse ? kTiles : qTiles);
  for (int64_t row = 0; row < girihBlockMapRows(&map); ++row) {
    int64_t count = 0;
    const GirihRun *runs = girihBlockMapRuns(&map, b, h, row, &count);
    for (int64_t i = 0; i < count; ++i) {
      const GirihRun &run = runs[i];
      EXPECT_LT(run.begin, run.end);
      EXPECT_EQ(run.view, 0);
      if (i > 0) {
        EXPECT_LE(runs[i - 1].end, run.begin);
        EXPECT_TRUE(runs[i - 1].end < run.begin || runs[i - 1].state != run.state);
      }
      for (int64_t j = run.begin; j < run.end; ++j)
        (reverse ? states.at(j).at(row) : states.at(row).at(j)) = run.state;
    }
  }
  return states;
}

//===----------------------------------------------------------------------===//
// Oracle
//===----------------------------------------------------------------------===//

static int64_t floorDivision(int64_t a, int64_t b) {
  int64_t quotient = a / b;
  return quotient * b > a ? quotient - 1 : quotient;
}

/// Segment of `unit`, or -1.
static int64_t segmentOf(const GirihMapTable &table, const GirihOperand *operands, int64_t unit) {
  const GirihOperand &offsets = operands[table.operand];
  const auto *at = static_cast<const int64_t *>(offsets.data);
  for (int64_t i = 0; i + 1 < offsets.size; ++i)
    if (at[i] <= unit && unit < at[i + 1])
      return i;
  return -1;
}

static bool isListed(const GirihMapTable &table, const GirihMapParams &params, int64_t h,
                     int64_t row, int64_t unit) {
  if (table.kind == GIRIH_TABLE_RANDOM) {
    int64_t units = ceilDiv(params.num_k, table.unit);
    std::vector<int64_t> drawn(static_cast<size_t>(units));
    int64_t count = girihRandomBlocks(table.seed, h, row, units, table.count, drawn.data());
    return std::find(drawn.begin(), drawn.begin() + count, unit) != drawn.begin() + count;
  }
  const GirihOperand &indptr = params.operands[table.operand];
  const GirihOperand &indices = params.operands[table.operand + 1];
  int64_t rows = indptr.size / table.count - 1;
  if (row < 0 || row >= rows)
    return false;
  const int64_t *at =
      static_cast<const int64_t *>(indptr.data) + (table.count > 1 ? h : 0) * (rows + 1) + row;
  for (int64_t i = at[0]; i < at[1]; ++i)
    if (static_cast<const int64_t *>(indices.data)[i] == unit)
      return true;
  return false;
}

bool Oracle::contains(int64_t b, int64_t h, int64_t q, int64_t k) {
  for (int32_t i = 0; i < program.num_nodes; ++i) {
    const GirihMapNode &n = program.nodes[i];
    int64_t a = n.a >= 0 ? memo[n.a] : 0, c = n.b >= 0 ? memo[n.b] : 0;
    int64_t &out = memo[i];
    const GirihMapTable *table = n.op == GIRIH_MAP_SEG_BEGIN || n.op == GIRIH_MAP_SEG_END ||
                                         n.op == GIRIH_MAP_LOOKUP || n.op >= GIRIH_MAP_SAME_SEGMENT
                                     ? &program.tables[n.imm]
                                 : n.op == GIRIH_MAP_PLACE ? &program.tables[n.imm / 4]
                                                           : nullptr;
    auto list = [&] { return static_cast<const int64_t *>(params.operands[table->operand].data); };
    switch (n.op) {
    case GIRIH_MAP_CONST:
      out = n.imm;
      break;
    case GIRIH_MAP_VAR: {
      const int64_t variables[] = {b, h, q, k, params.num_q, params.num_k, params.q_end};
      out = variables[n.imm];
      break;
    }
    case GIRIH_MAP_ADD:
      out = a + c;
      break;
    case GIRIH_MAP_MUL:
      out = a * c;
      break;
    case GIRIH_MAP_FLOORDIV:
      out = floorDivision(a, n.imm);
      break;
    case GIRIH_MAP_MOD:
      out = a - n.imm * floorDivision(a, n.imm);
      break;
    case GIRIH_MAP_SEG_BEGIN: {
      int64_t id = segmentOf(*table, params.operands, a);
      out = id < 0 ? a + 1 : list()[id];
      break;
    }
    case GIRIH_MAP_SEG_END: {
      int64_t id = segmentOf(*table, params.operands, a);
      out = id < 0 ? a : list()[id + 1] - 1;
      break;
    }
    case GIRIH_MAP_MIN:
      out = std::min(a, c);
      break;
    case GIRIH_MAP_MAX:
      out = std::max(a, c);
      break;
    case GIRIH_MAP_PLACE:
      out = a * params.operands[table->operand].shape[n.imm % 4] + c;
      break;
    case GIRIH_MAP_LOOKUP:
      EXPECT_TRUE(a >= 0 && a < params.operands[table->operand].size);
      out = list()[a];
      break;
    case GIRIH_MAP_TRUE:
      out = 1;
      break;
    case GIRIH_MAP_FALSE:
      out = 0;
      break;
    case GIRIH_MAP_GE0:
      out = a >= 0;
      break;
    case GIRIH_MAP_EQ0:
      out = a == 0;
      break;
    case GIRIH_MAP_AND:
      out = a && c;
      break;
    case GIRIH_MAP_OR:
      out = a || c;
      break;
    case GIRIH_MAP_NOT:
      out = !a;
      break;
    case GIRIH_MAP_SAME_SEGMENT: {
      int64_t unitQ = floorDivision(q, table->unit);
      int64_t unitK = floorDivision(k, table->unit);
      int64_t id = segmentOf(*table, params.operands, unitQ);
      out = id >= 0 && id == segmentOf(*table, params.operands, unitK);
      break;
    }
    case GIRIH_MAP_IN_TABLE:
      out =
          isListed(*table, params, h, floorDivision(q, table->unit), floorDivision(k, table->unit));
      break;
    }
  }
  return memo[program.root] != 0;
}

States Oracle::states(int64_t b, int64_t h, GirihMapStats &stats) {
  int64_t qTiles = ceilDiv(params.num_q, params.tile_q);
  int64_t kTiles = ceilDiv(params.num_k, params.tile_k);
  std::vector<std::vector<int64_t>> trues(qTiles, std::vector<int64_t>(kTiles, 0));
  for (int64_t i = 0; i < params.num_q; ++i) {
    int64_t seen = 0;
    for (int64_t k = 0; k < params.num_k; ++k) {
      bool truth = contains(b, h, i + params.q_offset, k);
      seen += truth;
      trues[i / params.tile_q][k / params.tile_k] += truth;
    }
    stats.useful_pairs += seen;
    stats.empty_rows += seen == 0;
  }
  States states(qTiles, std::vector<int>(kTiles, -1));
  for (int64_t i = 0; i < qTiles; ++i) {
    for (int64_t j = 0; j < kTiles; ++j) {
      if (trues[i][j] == 0)
        continue;
      int64_t height = std::min<int64_t>(params.tile_q, params.num_q - i * params.tile_q);
      int64_t width = std::min<int64_t>(params.tile_k, params.num_k - j * params.tile_k);
      bool full = trues[i][j] == height * params.tile_k;
      states[i][j] = full ? GIRIH_TILE_FULL : GIRIH_TILE_PARTIAL;
      stats.computed_pairs += height * width;
      ++(full ? stats.listed_full : stats.listed_partial);
    }
  }
  stats.total_pairs += params.num_q * params.num_k;
  return states;
}

int64_t Oracle::minimalTiles(int64_t b, int64_t h) {
  int64_t tiles = 0;
  for (int64_t begin = 0; begin < params.num_q; begin += params.tile_q) {
    int64_t end = std::min<int64_t>(begin + params.tile_q, params.num_q);
    for (int64_t k = 0; k < params.num_k;) {
      bool touched = false;
      for (int64_t i = begin; i < end && !touched; ++i)
        touched = contains(b, h, i + params.q_offset, k);
      tiles += touched;
      k += touched ? params.tile_k : 1;
    }
  }
  return tiles;
}

static std::string compareStats(const GirihMapStats &expected, const GirihMapStats &actual) {
  std::ostringstream out;
  auto compare = [&](const char *name, int64_t a, int64_t b) {
    if (a != b)
      out << name << ": expected " << a << ", but got " << b << "\n";
  };
  compare("listed_full", expected.listed_full, actual.listed_full);
  compare("listed_partial", expected.listed_partial, actual.listed_partial);
  compare("useful_pairs", expected.useful_pairs, actual.useful_pairs);
  compare("computed_pairs", expected.computed_pairs, actual.computed_pairs);
  compare("total_pairs", expected.total_pairs, actual.total_pairs);
  compare("empty_rows", expected.empty_rows, actual.empty_rows);
  return out.str();
}

std::string girih::testing::compareWithOracle(const GirihMapProgram &program,
                                              const GirihMapParams &params) {
  Map forward = buildMap(program, params);
  Map reverse = buildMap(program, params, /*reverse=*/true);
  if (!forward || !reverse)
    return "a map was not built\n";
  Oracle oracle(program, params);
  GirihMapStats expected{};
  std::ostringstream out;
  int64_t fewest = 0, minimal = 0;
  for (int64_t b = 0; b < params.batch; ++b) {
    for (int64_t h = 0; h < params.heads; ++h) {
      States truth = oracle.states(b, h, expected);
      fewest += oracle.minimalTiles(b, h);
      for (bool isReverse : {false, true}) {
        States states = readStates(isReverse ? *reverse : *forward, params, isReverse, b, h);
        for (size_t i = 0; i < truth.size(); ++i)
          for (size_t j = 0; j < truth[i].size(); ++j)
            if (states[i][j] != truth[i][j])
              out << (isReverse ? "reverse" : "forward") << " b " << b << " h " << h << " tile "
                  << i << ", " << j << ": expected " << truth[i][j] << ", but got " << states[i][j]
                  << "\n";
      }
    }
  }
  GirihStatus coverStatus{};
  if (girihBlockMapMinimalTiles(forward.get(), &program, INT32_MAX, &minimal, &coverStatus))
    out << "minimal tiles: " << coverStatus.message << "\n";
  if (minimal != fewest)
    out << "minimal tiles: expected " << fewest << ", but got " << minimal << "\n";
  for (GirihBlockMap *map : {forward.get(), reverse.get()}) {
    GirihMapStats stats{};
    GirihStatus status{};
    if (girihBlockMapStats(map, &program, &params, &stats, &status))
      out << "stats: " << status.message << "\n";
    out << compareStats(expected, stats);
  }
  return out.str();
}

std::string girih::testing::describe(const GirihMapProgram &program, const GirihMapParams &params) {
  std::ostringstream out;
  out << "num_q " << params.num_q << " num_k " << params.num_k << " q_offset " << params.q_offset
      << " tiles " << params.tile_q << " x " << params.tile_k << " heads " << params.heads
      << " root " << program.root << "\n";
  for (int32_t i = 0; i < program.num_nodes; ++i) {
    const GirihMapNode &n = program.nodes[i];
    out << "  " << i << ": op " << n.op << " a " << n.a << " b " << n.b << " imm " << n.imm << "\n";
  }
  for (int32_t i = 0; i < program.num_forward; ++i)
    out << "  forward term: " << program.forward[i].num_guards << " guards, "
        << program.forward[i].num_lower << " lower, " << program.forward[i].num_upper << " upper\n";
  return out.str();
}
