//===- MapTesting.h - Programs and a brute-force oracle for tests -*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Map programs written node by node, and the slow truth about them. Shares no
// code with the runtime but the drawing of random blocks.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_TEST_RUNTIME_MAPTESTING_H
#define GIRIH_TEST_RUNTIME_MAPTESTING_H

#include "girih-c/BlockMap.h"

#include <memory>
#include <random>
#include <string>
#include <vector>

namespace girih::testing {

/// The seed of a random test: GIRIH_TEST_SEED or a fixed one; printed.
uint64_t testSeed();
/// Random cases of a property test: GIRIH_TEST_CASES or `usual`.
int64_t testCases(int64_t usual);

/// Builds a GirihMapProgram; methods return node indices.
class ProgramBuilder {
public:
  int32_t constant(int64_t value) { return add(GIRIH_MAP_CONST, -1, -1, value); }
  int32_t var(GirihMapVar v) { return add(GIRIH_MAP_VAR, -1, -1, v); }
  int32_t q() { return var(GIRIH_VAR_Q); }
  int32_t k() { return var(GIRIH_VAR_K); }
  int32_t plus(int32_t a, int32_t b) { return add(GIRIH_MAP_ADD, a, b); }
  int32_t times(int32_t a, int64_t c) {
    int32_t factor = constant(c);
    return add(GIRIH_MAP_MUL, a, factor);
  }
  int32_t minus(int32_t a, int32_t b) { return plus(a, times(b, -1)); }
  int32_t shift(int32_t a, int64_t c) { return plus(a, constant(c)); }
  int32_t div(int32_t a, int64_t d) { return add(GIRIH_MAP_FLOORDIV, a, -1, d); }
  int32_t mod(int32_t a, int64_t d) { return add(GIRIH_MAP_MOD, a, -1, d); }
  int32_t ge0(int32_t a) { return add(GIRIH_MAP_GE0, a); }
  int32_t eq0(int32_t a) { return add(GIRIH_MAP_EQ0, a); }
  /// a >= b
  int32_t ge(int32_t a, int32_t b) { return ge0(minus(a, b)); }
  int32_t both(int32_t a, int32_t b) { return add(GIRIH_MAP_AND, a, b); }
  int32_t either(int32_t a, int32_t b) { return add(GIRIH_MAP_OR, a, b); }
  int32_t negate(int32_t a) { return add(GIRIH_MAP_NOT, a); }
  int32_t add(int32_t op, int32_t a = -1, int32_t b = -1, int64_t imm = 0);

  int64_t segments(int64_t unit, std::vector<int64_t> offsets);
  int64_t blocks(int64_t unit, int64_t heads, std::vector<int64_t> indptr,
                 std::vector<int64_t> indices);
  int64_t random(int64_t unit, int64_t count, uint64_t seed);
  /// An array to be looked up, called "t0", "t1" and so on by its operand.
  int64_t array(std::vector<int64_t> shape, std::vector<int64_t> entries);
  int32_t lookup(int64_t table, const std::vector<int32_t> &indices);
  int32_t min(int32_t a, int32_t b) { return add(GIRIH_MAP_MIN, a, b); }
  int32_t max(int32_t a, int32_t b) { return add(GIRIH_MAP_MAX, a, b); }

  void term(std::vector<GirihMapTerm> &terms, const std::vector<int32_t> &guards,
            const std::vector<int32_t> &lower, const std::vector<int32_t> &upper);

  /// Views of everything; valid until this object changes.
  GirihMapProgram program(int32_t root);
  std::vector<GirihOperand> operands() const;

  std::vector<GirihMapNode> nodes;
  std::vector<GirihMapTable> tables;
  std::vector<GirihMapTerm> forward, reverse;
  std::vector<int32_t> termNodes;
  std::vector<std::vector<int64_t>> values;
  std::vector<std::vector<int64_t>> shapes; ///< of values; empty for lists
  std::vector<std::string> names;           ///< of values; empty for lists
  bool usesBatch = false, usesHead = false;
};

struct FreeMap {
  void operator()(GirihBlockMap *map) const { girihBlockMapFree(map); }
};
using Map = std::unique_ptr<GirihBlockMap, FreeMap>;

/// Lengths with the alignment applied.
GirihMapParams makeParams(int64_t numQ, int64_t numK, bool bottomRight, int32_t tileQ,
                          int32_t tileK, int64_t heads = 1, int64_t batch = 1);

/// Builds a map; a failure fails the test and gives null.
Map buildMap(const GirihMapProgram &program, const GirihMapParams &params, bool reverse = false);

/// Tile states of one (batch, head): -1 empty, else a GirihTileState;
/// [q-tile][k-tile].
using States = std::vector<std::vector<int>>;
States readStates(const GirihBlockMap &map, const GirihMapParams &params, bool reverse, int64_t b,
                  int64_t h);

/// Evaluates `program` pair by pair.
class Oracle {
public:
  Oracle(const GirihMapProgram &program, const GirihMapParams &params)
      : program(program), params(params), memo(static_cast<size_t>(program.num_nodes)) {}
  bool contains(int64_t b, int64_t h, int64_t q, int64_t k);
  /// Tile states of (b, h), and what girihBlockMapStats should add for it.
  States states(int64_t b, int64_t h, GirihMapStats &stats);
  /// The fewest k-tiles, starting anywhere, that cover what the q-tiles of (b, h) keep.
  int64_t minimalTiles(int64_t b, int64_t h);

private:
  const GirihMapProgram &program;
  const GirihMapParams &params;
  std::vector<int64_t> memo;
};

/// Builds both maps and compares them, and the statistics of both, with the
/// oracle. Returns an empty string or what differs.
std::string compareWithOracle(const GirihMapProgram &program, const GirihMapParams &params);

/// Readable form of a program, for messages.
std::string describe(const GirihMapProgram &program, const GirihMapParams &params);

} // namespace girih::testing

#endif // GIRIH_TEST_RUNTIME_MAPTESTING_H
