//===- Dice.h - Numbers for what is drawn at random -------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Standard distributions differ between libraries: only raw generator output is used,
// so that a seed means the same cases everywhere.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_REFERENCE_DICE_H
#define GIRIH_REFERENCE_DICE_H

#include <cstdint>
#include <initializer_list>
#include <random>

namespace girih {

/// Draws from a generator, which it borrows.
class Dice {
public:
  explicit Dice(std::mt19937_64 &random) : random(random) {}

  /// Uniform in [low, high], but for the little that 2^64 is no multiple of its size.
  int64_t between(int64_t low, int64_t high) {
    uint64_t size = static_cast<uint64_t>(high) - static_cast<uint64_t>(low) + 1;
    uint64_t drawn = random();
    return static_cast<int64_t>(static_cast<uint64_t>(low) + (size ? drawn % size : drawn));
  }
  bool oneIn(int64_t count) { return between(1, count) == 1; }
  template <typename T> T pick(std::initializer_list<T> list) {
    return list.begin()[between(0, static_cast<int64_t>(list.size()) - 1)];
  }

protected:
  std::mt19937_64 &random;
};

} // namespace girih

#endif // GIRIH_REFERENCE_DICE_H
