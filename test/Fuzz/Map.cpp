//===- Map.cpp - Fuzzes map programs and the maps derived from them -------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Bytes become the arrays of a map program, good or bad, with run-time operands and
// lengths. The runtime refuses what is malformed; otherwise both maps keep their
// invariants and, where no value leaves 64 bits, list exactly what the program says
// pair by pair. Array lengths are the caller's word, so they are always right.
//
//===----------------------------------------------------------------------===//

#include "Fuzz.h"

#include "girih-c/BlockMap.h"

#include <algorithm>
#include <memory>
#include <vector>

using namespace girih::fuzz;

namespace {

using Wide = __int128;

struct FreeMap {
  void operator()(GirihBlockMap *map) const { girihBlockMapFree(map); }
};
using Map = std::unique_ptr<GirihBlockMap, FreeMap>;

/// One input: a program, its operands and the lengths of a launch.
struct Problem {
  std::vector<GirihMapNode> nodes;
  std::vector<GirihMapTable> tables;
  std::vector<GirihMapTerm> forward, reverse;
  std::vector<int32_t> termNodes;
  std::vector<std::vector<int64_t>> values;
  std::vector<std::vector<int64_t>> shapes; ///< of values; empty for lists
  std::vector<GirihOperand> operands;
  GirihMapProgram program{};
  GirihMapParams params{};

  explicit Problem(Bytes &in);

private:
  void readLengths(Bytes &in);
  void readTables(Bytes &in);
  void readArray(Bytes &in, const GirihMapTable &table);
  void readNodes(Bytes &in);
  void addLookup(Bytes &in, GirihMapNode node);
  void readTerms(Bytes &in, std::vector<GirihMapTerm> &terms);
};

} // namespace

void Problem::readLengths(Bytes &in) {
  bool wild = in.below(16) == 0; // lengths that must be refused
  auto length = [&](int bound) { return wild ? in.integer() : 1 + in.below(bound); };
  params.batch = length(2);
  params.heads = length(3);
  params.num_q = length(70);
  params.num_k = length(70);
  int align = in.below(3);
  params.q_offset = in.below(128) - 64;
  int64_t difference;
  if (align == 0 && !__builtin_sub_overflow(params.num_k, params.num_q, &difference))
    params.q_offset = difference;
  else if (align == 1)
    params.q_offset = 0;
  params.q_end = align == 0 ? params.num_k : align == 1 ? params.num_q : in.below(128) - 16;
  params.tile_q = static_cast<int32_t>(length(40));
  params.tile_k = static_cast<int32_t>(length(40));
  // What is accepted must end soon; what is refused may be anything.
  Wide pairs = 1;
  for (int64_t length : {params.batch, params.heads, params.num_q, params.num_k})
    pairs *= std::clamp<int64_t>(length, 1, GIRIH_MAX_TOKENS);
  bool isAccepted = params.batch <= GIRIH_MAX_HEADS && params.heads <= GIRIH_MAX_HEADS &&
                    params.num_q <= GIRIH_MAX_TOKENS && params.num_k <= GIRIH_MAX_TOKENS;
  if (isAccepted && pairs > int64_t(1) << 16)
    params.heads = -1;
}

void Problem::readTables(Bytes &in) {
  for (int i = in.below(3); i > 0; --i) {
    GirihMapTable table{};
    table.kind = in.below(16) ? in.below(5) : static_cast<int32_t>(in.integer());
    table.unit = in.below(8) ? 1 + in.below(20) : in.integer();
    table.count = in.below(8) ? in.below(4) : in.integer();
    table.seed = static_cast<uint64_t>(in.integer());
    table.operand = in.below(8) ? static_cast<int32_t>(values.size()) : in.below(6) - 1;
    tables.push_back(table);
    if (table.kind == GIRIH_TABLE_SEGMENTS && table.unit > 0) {
      // Offsets that are right more often than chance would have it.
      int64_t units = params.num_k / table.unit + (params.num_k % table.unit > 0), at = 0;
      std::vector<int64_t> offsets{in.below(32) ? 0 : in.integer()};
      for (int j = in.below(5); j > 0; --j) {
        at = std::min<int64_t>(at + in.below(40), units);
        offsets.push_back(in.below(8) ? at : in.integer());
      }
      offsets.push_back(in.below(16) ? units : in.integer());
      values.push_back(std::move(offsets));
    } else if (table.kind == GIRIH_TABLE_BLOCKS) {
      std::vector<int64_t> indptr, indices;
      for (int64_t set = 0; set < std::clamp<int64_t>(table.count, 1, 4); ++set) {
        indptr.push_back(static_cast<int64_t>(indices.size()));
        for (int row = in.below(12); row > 0; --row) {
          int64_t block = -1;
          for (int j = in.below(4); j > 0; --j) {
            block += 1 + in.below(6);
            indices.push_back(in.below(16) ? block : in.integer());
          }
          indptr.push_back(in.below(32) ? static_cast<int64_t>(indices.size()) : in.integer());
        }
      }
      values.push_back(std::move(indptr));
      values.push_back(std::move(indices));
    } else if (table.kind == GIRIH_TABLE_LOOKUP || table.kind == GIRIH_TABLE_LOOKUP_F32) {
      readArray(in, table);
    }
  }
}

/// An array that is as large as its shape says, mostly.
void Problem::readArray(Bytes &in, const GirihMapTable &table) {
  std::vector<int64_t> shape, entries;
  int64_t size = 1;
  for (int64_t rank = std::clamp<int64_t>(table.count, 1, 4); rank > 0; --rank) {
    shape.push_back(in.below(32) ? 1 + in.below(rank == 1 ? 90 : 4) : in.below(3) - 1);
    size *= shape.back();
  }
  if (in.below(32) == 0)
    size += in.below(5) - 2;
  int64_t at = 0;
  int form = in.below(3);
  for (int64_t i = 0; i < size; ++i)
    entries.push_back(form == 0   ? at += in.below(16) == 0
                      : form == 1 ? in.below(4) - 1
                                  : in.integer());
  values.push_back(std::move(entries));
  shapes.resize(values.size());
  shapes.back() = std::move(shape);
}

/// A lookup with the places of its indices, which stay within the array, mostly.
void Problem::addLookup(Bytes &in, GirihMapNode node) {
  auto table = static_cast<int64_t>(in.below(2));
  if (table >= static_cast<int64_t>(tables.size()) || tables[table].kind < GIRIH_TABLE_LOOKUP ||
      tables[table].operand < 0 || tables[table].operand >= static_cast<int64_t>(shapes.size()))
    return;
  const std::vector<int64_t> &shape = shapes[tables[table].operand];
  auto push = [&](int32_t op, int32_t a, int32_t b, int64_t imm) {
    nodes.push_back({op, a, b, 0, imm});
    return static_cast<int32_t>(nodes.size()) - 1;
  };
  int32_t place = -1;
  for (size_t d = 0; d < shape.size(); ++d) {
    int32_t index = d % 2 ? node.b : node.a;
    if (shape[d] > 0 && in.below(16))
      index = push(GIRIH_MAP_MOD, index, -1, shape[d]);
    place =
        d == 0 ? index : push(GIRIH_MAP_PLACE, place, index, 4 * table + static_cast<int64_t>(d));
  }
  push(GIRIH_MAP_LOOKUP, place, -1, table);
}

void Problem::readNodes(Bytes &in) {
  static constexpr int32_t ops[] = {
      GIRIH_MAP_CONST, GIRIH_MAP_VAR,          GIRIH_MAP_VAR,      GIRIH_MAP_ADD,
      GIRIH_MAP_MUL,   GIRIH_MAP_FLOORDIV,     GIRIH_MAP_MOD,      GIRIH_MAP_SEG_BEGIN,
      GIRIH_MAP_TRUE,  GIRIH_MAP_SEG_END,      GIRIH_MAP_FALSE,    GIRIH_MAP_GE0,
      GIRIH_MAP_EQ0,   GIRIH_MAP_AND,          GIRIH_MAP_OR,       GIRIH_MAP_NOT,
      GIRIH_MAP_GE0,   GIRIH_MAP_SAME_SEGMENT, GIRIH_MAP_IN_TABLE, GIRIH_MAP_ADD,
      GIRIH_MAP_MIN,   GIRIH_MAP_MAX,          GIRIH_MAP_PLACE,    GIRIH_MAP_LOOKUP};
  for (int i = 1 + in.below(30); i > 0 && !in.empty(); --i) {
    GirihMapNode node{};
    bool wild = in.below(64) == 0;
    node.op = wild ? static_cast<int32_t>(in.integer()) : ops[in.below(std::size(ops))];
    // An operand is the nearest node of the right type at or below the one drawn.
    bool wantsBoolean =
        node.op == GIRIH_MAP_AND || node.op == GIRIH_MAP_OR || node.op == GIRIH_MAP_NOT;
    auto operand = [&] {
      if (wild || nodes.empty())
        return static_cast<int32_t>(in.integer());
      auto at = static_cast<int32_t>(nodes.size()) - 1 -
                in.below(static_cast<int>(std::min<size_t>(nodes.size(), 256)));
      int32_t found = at;
      while (found > 0 && (nodes[found].op >= GIRIH_MAP_TRUE) != wantsBoolean)
        --found;
      return found;
    };
    node.a = operand();
    node.b = operand();
    bool isTable = node.op == GIRIH_MAP_SEG_BEGIN || node.op == GIRIH_MAP_SEG_END ||
                   node.op == GIRIH_MAP_SAME_SEGMENT || node.op == GIRIH_MAP_IN_TABLE;
    if (node.op == GIRIH_MAP_VAR)
      node.imm = wild ? in.integer() : in.below(7);
    else if (isTable && !wild)
      node.imm = in.below(2);
    else if (node.op == GIRIH_MAP_PLACE && !wild)
      node.imm = in.below(8);
    else if (node.op == GIRIH_MAP_LOOKUP && !wild && !nodes.empty()) {
      addLookup(in, node);
      continue;
    } else
      node.imm = in.integer();
    nodes.push_back(node);
  }
}

/// Terms need not agree with the root; they only have to be well formed.
void Problem::readTerms(Bytes &in, std::vector<GirihMapTerm> &terms) {
  for (int i = in.below(3); i > 0; --i) {
    GirihMapTerm term{static_cast<int32_t>(termNodes.size()), in.below(2), in.below(3),
                      in.below(3)};
    for (int j = term.num_guards + term.num_lower + term.num_upper; j > 0; --j)
      termNodes.push_back(in.byte() - 1);
    terms.push_back(term);
  }
}

Problem::Problem(Bytes &in) {
  readLengths(in);
  readTables(in);
  readNodes(in);
  if (in.below(4) == 0) {
    readTerms(in, forward);
    readTerms(in, reverse);
  }
  static const int64_t nothing = 0;
  shapes.resize(values.size());
  for (size_t i = 0; i < values.size(); ++i) {
    GirihOperand operand{};
    operand.data = values[i].empty() ? &nothing : values[i].data();
    operand.size = static_cast<int64_t>(values[i].size());
    operand.rank = static_cast<int32_t>(shapes[i].size());
    std::copy(shapes[i].begin(), shapes[i].end(), operand.shape);
    operands.push_back(operand);
  }
  for (const GirihMapTable &table : tables)
    if (table.kind == GIRIH_TABLE_LOOKUP_F32 && table.operand >= 0 &&
        table.operand < static_cast<int64_t>(operands.size()))
      operands[table.operand].type = GIRIH_OPERAND_F32;
  program.nodes = nodes.data();
  program.tables = tables.data();
  program.forward = forward.data();
  program.reverse = reverse.data();
  program.term_nodes = termNodes.data();
  program.num_nodes = static_cast<int32_t>(nodes.size());
  program.num_tables = static_cast<int32_t>(tables.size());
  program.num_forward = static_cast<int32_t>(forward.size());
  program.num_reverse = static_cast<int32_t>(reverse.size());
  program.num_operands = static_cast<int32_t>(operands.size()) + (in.below(32) == 0);
  program.root = in.below(16) ? program.num_nodes - 1 : in.below(64) - 1;
  params.operands = operands.data();
  params.num_operands = static_cast<int64_t>(operands.size());
}

/// Whether every integer of the program fits 64 bits at (b, h, q, k), as its
/// compiler has to prove. Segment bounds are small whatever their argument.
static bool fits(const Problem &problem, int64_t b, int64_t h, int64_t q, int64_t k) {
  const GirihMapParams &p = problem.params;
  const Wide variables[] = {b, h, q, k, p.num_q, p.num_k, p.q_end};
  std::vector<Wide> values;
  for (const GirihMapNode &node : problem.nodes) {
    Wide a = node.a >= 0 && node.a < static_cast<int32_t>(values.size()) ? values[node.a] : 0;
    Wide c = node.b >= 0 && node.b < static_cast<int32_t>(values.size()) ? values[node.b] : 0;
    Wide value = 0;
    switch (node.op) {
    case GIRIH_MAP_CONST:
      value = node.imm;
      break;
    case GIRIH_MAP_VAR:
      value = variables[node.imm];
      break;
    case GIRIH_MAP_ADD:
      value = a + c;
      break;
    case GIRIH_MAP_MUL:
      value = a * c;
      break;
    case GIRIH_MAP_FLOORDIV:
      value = a / node.imm - (a % node.imm < 0);
      break;
    case GIRIH_MAP_MOD:
      value = a % node.imm + (a % node.imm < 0 ? node.imm : 0);
      break;
    case GIRIH_MAP_MIN:
      value = std::min(a, c);
      break;
    case GIRIH_MAP_MAX:
      value = std::max(a, c);
      break;
    case GIRIH_MAP_PLACE:
      // Extents of arrays that are not empty are below 100 here.
      value = std::max<Wide>(a < 0 ? -a : a, 1) * 100 + (c < 0 ? -c : c);
      break;
    case GIRIH_MAP_LOOKUP:
      value = INT32_MAX; // or less
      break;
    case GIRIH_MAP_SEG_BEGIN:
    case GIRIH_MAP_SEG_END:
      // Outside of every segment the bound is the unit itself, or the next one.
      value = std::max<Wide>(a < 0 ? -a : a, p.num_k) + 1;
      break;
    default:
      break;
    }
    if (value > INT64_MAX || value < INT64_MIN)
      return false;
    values.push_back(value);
  }
  return true;
}

/// Checks the lists of a map, and its tiles against the program unless closed-form
/// terms, which may say anything here, served it.
static void checkMap(const Problem &problem, const GirihBlockMap &map, bool reverse) {
  const GirihMapParams &p = problem.params;
  int64_t columns = reverse ? (p.num_q - 1) / p.tile_q + 1 : (p.num_k - 1) / p.tile_k + 1;
  bool isDerived = (reverse ? problem.reverse : problem.forward).empty();
  for (int64_t b = 0; b < p.batch; ++b) {
    for (int64_t h = 0; h < p.heads; ++h) {
      for (int64_t row = 0; row < girihBlockMapRows(&map); ++row) {
        int64_t count = 0, end = 0;
        const GirihRun *runs = girihBlockMapRuns(&map, b, h, row, &count);
        std::vector<int> states(columns, -1);
        for (int64_t i = 0; i < count; ++i) {
          if (runs[i].begin < end || runs[i].begin >= runs[i].end || runs[i].end > columns ||
              runs[i].view != 0 || (runs[i].state & ~1) != 0)
            broken("a run is empty, out of order or out of bounds");
          end = runs[i].end;
          std::fill(states.begin() + runs[i].begin, states.begin() + end, runs[i].state);
        }
        for (int64_t column = 0; isDerived && column < columns; ++column) {
          int64_t q0 = (reverse ? column : row) * p.tile_q,
                  k0 = (reverse ? row : column) * p.tile_k;
          int64_t q1 = std::min(q0 + p.tile_q, p.num_q), k1 = std::min(k0 + p.tile_k, p.num_k);
          int64_t pairs = 0;
          bool isDefined = true;
          for (int64_t q = q0 + p.q_offset; q < q1 + p.q_offset; ++q) {
            for (int64_t k = k0; k < k1; ++k) {
              isDefined = isDefined && fits(problem, b, h, q, k);
              pairs += girihMapContains(&map, &problem.program, &p, b, h, q, k);
            }
          }
          int expected = pairs == 0                      ? -1
                         : pairs == (q1 - q0) * p.tile_k ? int{GIRIH_TILE_FULL}
                                                         : int{GIRIH_TILE_PARTIAL};
          if (isDefined && states[column] != expected)
            broken(std::string(reverse ? "reverse" : "forward") + " tile (" + std::to_string(row) +
                   ", " + std::to_string(column) + ") should be " + std::to_string(expected) +
                   " but is " + std::to_string(states[column]));
        }
      }
    }
  }
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Bytes in(data, size);
  Problem problem(in);
  for (bool reverse : {false, true}) {
    GirihBlockMap *built = nullptr;
    GirihStatus status{};
    int code = reverse
                   ? girihBlockMapBuildReverse(&problem.program, &problem.params, &built, &status)
                   : girihBlockMapBuild(&problem.program, &problem.params, &built, &status);
    Map map(built);
    if (code != status.code || (code == GIRIH_OK) != (built != nullptr) ||
        (code != GIRIH_OK && !status.message[0]))
      broken("code, status and map do not agree");
    if (!map)
      continue;
    checkMap(problem, *map, reverse);
    GirihMapStats stats{};
    if (girihBlockMapStats(map.get(), &problem.program, &problem.params, &stats, &status))
      broken("no statistics of a map that was built");
  }
  return 0;
}
