//===- Counting.h - True pairs of a box, without visiting them --*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Boxes are halved until interval arithmetic decides them or few pairs are left. Boxes that a move
// of the plane takes to one another (Symmetry.h) are counted once: a pattern that repeats costs as
// much as what is different in it.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_RUNTIME_MAP_COUNTING_H
#define GIRIH_RUNTIME_MAP_COUNTING_H

#include "Grid.h"
#include "Symmetry.h"

#include <unordered_map>

namespace girih {

/// Counts for one (batch, head); one object serves one thread.
class Counting {
public:
  /// `plan` is that of the program's root; `evaluator` is bound by the caller. No box
  /// begins before query `qOrigin`.
  Counting(const Program &program, const Plan &plan, const Symmetry &symmetry, Evaluator &evaluator,
           int64_t qOrigin)
      : plan(plan), root(program.source().root), symmetry(symmetry), evaluator(evaluator),
        qOrigin(qOrigin) {}

  /// True pairs of a box.
  int64_t pairs(const Box &box);

  /// Sets `seen[q - box.q0]` for each query that has a true pair in the box.
  void see(const Box &box, uint8_t *seen);

private:
  int64_t split(const Box &box);
  int64_t scan(const Box &box);
  bool keepsAny(int64_t q, int64_t k0, int64_t k1);
  /// Where to cut [first, last], relative to an origin; on multiples of the period where it can.
  int64_t cut(int64_t first, int64_t last) const;

  const Plan &plan;
  int32_t root;
  const Symmetry &symmetry;
  Evaluator &evaluator;
  int64_t qOrigin;
  std::unordered_map<BoxKey, int64_t, BoxKeyHash> known;
  std::unordered_map<BoxKey, std::vector<uint8_t>, BoxKeyHash> knownSeen;
};

} // namespace girih

#endif // GIRIH_RUNTIME_MAP_COUNTING_H
