//===- Symmetry.h - Moves that leave a program as it is ---------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Patterns repeat: a window looks the same one token further down the diagonal, columns of a
// period look the same to every query. A program is a boolean function of its leaves (comparisons
// and lookups), so a move of the plane that changes no leaf changes no pair. Where a leaf does
// change, it is often constant over the box at hand; so symmetry is known leaf by leaf, and a box
// asks only for the leaves that it leaves open.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_RUNTIME_MAP_SYMMETRY_H
#define GIRIH_RUNTIME_MAP_SYMMETRY_H

#include "Evaluator.h"

namespace girih {

/// Moves by one period; bits of a set of moves.
enum Move : uint8_t {
  kMoveQ = 1,    ///< (q, k) to (q + period, k)
  kMoveK = 2,    ///< (q, k) to (q, k + period)
  kMoveBoth = 4, ///< (q, k) to (q + period, k + period)
};

/// Periods that should fit a length: a longer one repeats too rarely to be of use.
constexpr int64_t kMinPeriods = 16;

/// A comparison or lookup that depends on Q or K.
struct Leaf {
  int32_t node;
  uint8_t moves; ///< those that never change its value, for all integers q and k
};

/// A box up to the moves of the plane that its open leaves allow: two boxes of one key keep the
/// same pairs.
struct BoxKey {
  int64_t q, k, height, width;
  uint64_t isOpen, isTrue; ///< bits of leaves
  bool operator==(const BoxKey &other) const {
    return q == other.q && k == other.k && height == other.height && width == other.width &&
           isOpen == other.isOpen && isTrue == other.isTrue;
  }
};

struct BoxKeyHash {
  size_t operator()(const BoxKey &key) const;
};

class Symmetry {
public:
  /// Finds a period for the leaves below the root: a multiple of `multiple`, at most `limit` (or
  /// `multiple` itself, if that is more). Divisors that would need a longer one make leaves that
  /// fewer moves preserve.
  Symmetry(const Program &program, int64_t multiple, int64_t limit);

  int64_t period() const { return length; }
  const std::vector<Leaf> &leaves() const { return open; }
  /// Moves that keep every leaf that `evaluator` left open in its last box.
  uint8_t movesOf(const Evaluator &evaluator) const {
    uint8_t moves = kMoveQ | kMoveK | kMoveBoth;
    for (const Leaf &leaf : open) {
      Bounds truth = evaluator.boundsOf(leaf.node);
      if (truth.lo != truth.hi)
        moves &= leaf.moves;
    }
    return moves;
  }

  /// The key of the box that `evaluator` evaluated last; false when no move keeps it.
  bool keyOf(const Box &box, const Evaluator &evaluator, BoxKey &key) const;

private:
  int64_t length;
  std::vector<Leaf> open;
};

} // namespace girih

#endif // GIRIH_RUNTIME_MAP_SYMMETRY_H
