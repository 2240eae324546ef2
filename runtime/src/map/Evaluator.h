//===- Evaluator.h - Points, ranges and boxes of a program ------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The three ways to ask a map program: one pair, a line of pairs, and a box of
// pairs (where the answer may be "some"). One object serves one thread.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_RUNTIME_MAP_EVALUATOR_H
#define GIRIH_RUNTIME_MAP_EVALUATOR_H

#include "Integer.h"
#include "Program.h"
#include "Tables.h"

namespace girih {

/// Bounds of an integer, or of a boolean as 0 and 1: {0,0} never, {1,1} always,
/// {0,1} unknown.
struct Bounds {
  int64_t lo;
  int64_t hi;
};
inline bool always(Bounds truth) { return truth.lo != 0; }
inline bool never(Bounds truth) { return truth.hi == 0; }

/// An inclusive box of absolute positions.
struct Box {
  int64_t q0, q1;
  int64_t k0, k1;
};

/// One pair of one (batch, head), q absolute.
struct Pair {
  int64_t b, h, q, k;
};

/// Whether `at` attends; takes a checked program and needs no analysis of it.
bool evaluateOnce(const GirihMapProgram &program, const BoundTables &tables,
                  const GirihMapParams &params, const Pair &at);

class Evaluator {
public:
  /// Most values that `range` computes at once.
  static constexpr int64_t kLanes = 128;

  Evaluator(const Program &program, const BoundTables &tables, const GirihMapParams &params);

  /// Fixes batch and head, and evaluates what depends on nothing else.
  void bind(int64_t batch, int64_t head);

  /// Evaluates the plan's nodes at (q, k); read them with `value`.
  void point(const Plan &plan, int64_t q, int64_t k);
  int64_t value(int32_t node) const { return values[node]; }

  /// Evaluates the plan's nodes for `count` <= kLanes values of one variable
  /// from `first` on; the other variable stands at `other`. Read them with
  /// `lanes`.
  enum class Along { Q, K };
  void range(const Plan &plan, Along along, int64_t first, int64_t count, int64_t other);
  /// The `count` values of `node` after `range`; borrowed until the next call.
  const int64_t *lanes(int32_t node);

  /// Bounds the plan's nodes over a box; read those of its roots with
  /// `boundsOf`. Every value that occurs lies within; linear forms, divisions
  /// and table rows are exact.
  void box(const Plan &plan, const Box &box);
  Bounds boundsOf(int32_t root) const { return bounds[root]; }

private:
  /// A node's value on a range: `lanes` when it varies along it.
  struct Operand {
    const int64_t *lanes;
    int64_t value;
  };
  template <typename Op> void map2(Op op, Operand a, Operand b, int64_t *out) const;
  Operand operand(int32_t node);
  void evaluatePoint(int32_t index, int64_t q, int64_t k);
  void evaluateRange(int32_t index);
  void evaluateUnits(int32_t index, int64_t *out);
  void divideRange(const GirihMapNode &node, const int64_t *in, int64_t *out);
  Bounds evaluateBox(int32_t index, const Box &box) const;
  Bounds boundForm(const LinearForm &form) const;
  Wide fixedPart(const LinearForm &form) const;
  Bounds boundEquality(int32_t index) const;
  Bounds boundSameSegment(int64_t table, const Box &box) const;
  Bounds boundInTable(int64_t table, const Box &box) const;
  Bounds boundLookup(const GirihMapNode &lookup) const;
  int64_t *laneBuffer(int32_t node) {
    return laneValues.data() + static_cast<size_t>(node) * kLanes;
  }

  const Program &program;
  const BoundTables &tables;
  const GirihMapParams &params;
  int64_t batch = 0;
  int64_t head = 0;
  std::vector<int64_t> values;
  std::vector<Bounds> bounds;
  std::vector<int64_t> laneValues;
  // The range under evaluation.
  uint8_t alongBit = 0;
  int64_t rangeFirst = 0;
  int64_t rangeCount = 0;
  int64_t rangeOther = 0;
};

} // namespace girih

#endif // GIRIH_RUNTIME_MAP_EVALUATOR_H
