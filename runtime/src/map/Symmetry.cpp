//===- Symmetry.cpp - Moves that leave a program as it is -----------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// For each move, each integer node grows by a constant or by something unknown: sums add what
// their operands grow by, a division by c grows by a c-th if that is an integer, a remainder by
// nothing if the operand grows by a multiple. All of it is linear in the period, which is
// lengthened where a divisor asks for it.
//
//===----------------------------------------------------------------------===//

#include "Symmetry.h"

#include <numeric>

using namespace girih;

namespace {

constexpr Move kMoves[] = {kMoveQ, kMoveK, kMoveBoth};
constexpr int kNumMoves = 3;

/// What a node grows by under one move.
struct Growth {
  bool known = false;
  int64_t by = 0;
};

/// One growth for each move.
struct Growths {
  Growth of[kNumMoves];
};

class Finder {
public:
  Finder(const Program &program, int64_t period, int64_t limit)
      : program(program), growths(static_cast<size_t>(program.size())), period(period),
        limit(limit) {}

  void visit(int32_t index);
  uint8_t movesOf(int32_t index) const;
  int64_t length() const { return period; }

private:
  Growth growth(const GirihMapNode &node, int move) const;
  bool lengthen(int64_t factor);

  const Program &program;
  std::vector<Growths> growths;
  int64_t period, limit;
};

} // namespace

static Growth known(int64_t by) { return {true, by}; }

static Growth product(Growth growth, int64_t factor) {
  int64_t by = 0;
  if (!growth.known || __builtin_mul_overflow(growth.by, factor, &by))
    return {};
  return known(by);
}

Growth Finder::growth(const GirihMapNode &node, int move) const {
  auto operand = [&](int32_t index) { return growths[index].of[move]; };
  switch (node.op) {
  case GIRIH_MAP_VAR: {
    bool moved = (node.imm == GIRIH_VAR_Q && kMoves[move] != kMoveK) ||
                 (node.imm == GIRIH_VAR_K && kMoves[move] != kMoveQ);
    return known(moved ? period : 0);
  }
  case GIRIH_MAP_CONST:
    return known(0);
  case GIRIH_MAP_ADD: {
    Growth a = operand(node.a), b = operand(node.b);
    int64_t by = 0;
    if (!a.known || !b.known || __builtin_add_overflow(a.by, b.by, &by))
      return {};
    return known(by);
  }
  case GIRIH_MAP_MUL: {
    if (program.node(node.b).op == GIRIH_MAP_CONST)
      return product(operand(node.a), program.node(node.b).imm);
    if (program.node(node.a).op == GIRIH_MAP_CONST)
      return product(operand(node.b), program.node(node.a).imm);
    break;
  }
  case GIRIH_MAP_MIN:
  case GIRIH_MAP_MAX: {
    Growth a = operand(node.a), b = operand(node.b);
    return a.known && b.known && a.by == b.by ? a : Growth{};
  }
  case GIRIH_MAP_FLOORDIV:
  case GIRIH_MAP_MOD: {
    Growth a = operand(node.a);
    if (!a.known || a.by % node.imm != 0)
      return {};
    return known(node.op == GIRIH_MAP_MOD ? 0 : a.by / node.imm);
  }
  default:
    break;
  }
  // A product of two variables, an end of a segment or a lookup: constant if the operands are.
  Growth a = operand(node.a), b = numOperands(node.op) > 1 ? operand(node.b) : known(0);
  bool isConstant = a.known && a.by == 0 && b.known && b.by == 0;
  return isConstant ? known(0) : Growth{};
}

/// Multiplies the period, and with it what every visited node grows by.
bool Finder::lengthen(int64_t factor) {
  int64_t longer = 0;
  if (__builtin_mul_overflow(period, factor, &longer) || longer > limit)
    return false;
  period = longer;
  for (Growths &growth : growths)
    for (Growth &one : growth.of)
      one = product(one, factor);
  return true;
}

void Finder::visit(int32_t index) {
  const GirihMapNode &node = program.node(index);
  if (node.op >= GIRIH_MAP_TRUE)
    return;
  if (!program.varies(index)) {
    growths[index] = {{known(0), known(0), known(0)}};
    return;
  }
  if (node.op == GIRIH_MAP_FLOORDIV || node.op == GIRIH_MAP_MOD)
    for (int move = 0; move < kNumMoves; ++move) {
      Growth a = growths[node.a].of[move];
      if (a.known && a.by % node.imm != 0)
        lengthen(node.imm / std::gcd(a.by, node.imm));
    }
  for (int move = 0; move < kNumMoves; ++move)
    growths[index].of[move] = growth(node, move);
}

uint8_t Finder::movesOf(int32_t index) const {
  const GirihMapNode &node = program.node(index);
  uint8_t moves = 0;
  // Rows of tables differ as they like.
  if (node.op != GIRIH_MAP_GE0 && node.op != GIRIH_MAP_EQ0)
    return moves;
  for (int move = 0; move < kNumMoves; ++move) {
    Growth a = growths[node.a].of[move];
    if (a.known && a.by == 0)
      moves |= kMoves[move];
  }
  return moves;
}

Symmetry::Symmetry(const Program &program, int64_t multiple, int64_t limit) : length(multiple) {
  int32_t root = program.source().root;
  std::vector<uint8_t> needed(static_cast<size_t>(root) + 1, 0);
  needed[root] = 1;
  for (int32_t i = root; i >= 0; --i) {
    const GirihMapNode &node = program.node(i);
    int operands = needed[i] ? numOperands(node.op) : 0;
    if (operands > 0)
      needed[node.a] = 1;
    if (operands > 1)
      needed[node.b] = 1;
  }
  Finder finder(program, multiple, limit);
  for (int32_t i = 0; i <= root; ++i)
    if (needed[i])
      finder.visit(i);
  length = finder.length();
  for (int32_t i = 0; i <= root; ++i) {
    if (needed[i] && isLeaf(program.node(i).op) && program.varies(i))
      open.push_back({i, finder.movesOf(i)});
  }
}

size_t BoxKeyHash::operator()(const BoxKey &key) const {
  uint64_t hash = 0;
  for (uint64_t word : {static_cast<uint64_t>(key.q), static_cast<uint64_t>(key.k),
                        static_cast<uint64_t>(key.height), static_cast<uint64_t>(key.width),
                        key.isOpen, key.isTrue}) {
    hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
    hash ^= hash >> 29;
  }
  return hash;
}

/// Leaves that the boxes leave open are preserved by the moves between them, and the others are
/// constants that the key names.
bool Symmetry::keyOf(const Box &box, const Evaluator &evaluator, BoxKey &key) const {
  uint8_t moves = movesOf(evaluator);
  if (moves == 0 || open.size() > 64)
    return false;
  key = {box.q0, box.k0, box.q1 - box.q0 + 1, box.k1 - box.k0 + 1, 0, 0};
  for (size_t i = 0; i < open.size(); ++i) {
    Bounds truth = evaluator.boundsOf(open[i].node);
    key.isOpen |= uint64_t{truth.lo != truth.hi} << i;
    key.isTrue |= uint64_t{truth.lo != 0} << i;
  }
  if (moves & (kMoveQ | kMoveK)) {
    if (moves & kMoveQ)
      key.q = floorMod(key.q, length);
    if (moves & kMoveK)
      key.k = floorMod(key.k, length);
  } else {
    key.k -= floorDiv(key.q, length) * length;
    key.q = floorMod(key.q, length);
  }
  return true;
}
