//===- Membership.h - Which pairs a pattern keeps ---------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The oracle: the definition of every pattern, straight from the table of the
// pattern language. It shares no code with the compiler, so that agreement means
// something.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_REFERENCE_MEMBERSHIP_H
#define GIRIH_REFERENCE_MEMBERSHIP_H

#include "girih/Frontend/Pattern.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace girih {

/// A pattern bound to the lengths of a launch. The pattern must pass `validate`
/// and `validateShape`. Safe to share between threads once made.
class Membership {
public:
  Membership(const Pattern &pattern, const Shape &shape);
  ~Membership();
  Membership(const Membership &) = delete;
  Membership &operator=(const Membership &) = delete;

  /// Whether query `q` of head `h` sees key `k`; `q` is absolute and may be
  /// negative.
  bool contains(int64_t b, int64_t h, int64_t q, int64_t k) const;

  /// Sets `keys[k]` to `contains(b, h, q, k)` for each k below numK, faster than
  /// one by one.
  void row(int64_t b, int64_t h, int64_t q, std::vector<uint8_t> &keys) const;

private:
  struct Node;
  std::unique_ptr<Node> root;
  int64_t numK;
};

/// The same for a single pair; binds the pattern anew at each call.
bool contains(const Pattern &pattern, const Shape &shape, int64_t b, int64_t h, int64_t q,
              int64_t k);

} // namespace girih

#endif // GIRIH_REFERENCE_MEMBERSHIP_H
