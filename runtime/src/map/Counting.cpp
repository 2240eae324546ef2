//===- Counting.cpp - True pairs of a box, without visiting them ----------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What is known of a box is known of all boxes of its key.
//
//===----------------------------------------------------------------------===//

#include "Counting.h"

#include <cstring>

using namespace girih;

/// Boxes of so many pairs are scanned.
static constexpr int64_t kScannedPairs = 256;
/// Boxes that are remembered: some MiB.
static constexpr size_t kMaxKnown = 1 << 16;
static constexpr size_t kMaxKnownSeen = 1 << 12;

int64_t Counting::cut(int64_t first, int64_t last) const {
  int64_t period = symmetry.period();
  if (first / period != last / period)
    return splitPoint(first / period, last / period + 1) * period;
  return splitPoint(first, last + 1);
}

int64_t Counting::split(const Box &box) {
  Box low = box, high = box;
  if (box.q1 - box.q0 > box.k1 - box.k0) {
    high.q0 = qOrigin + cut(box.q0 - qOrigin, box.q1 - qOrigin);
    low.q1 = high.q0 - 1;
  } else {
    high.k0 = cut(box.k0, box.k1);
    low.k1 = high.k0 - 1;
  }
  return pairs(low) + pairs(high);
}

int64_t Counting::scan(const Box &box) {
  int64_t total = 0;
  for (int64_t q = box.q0; q <= box.q1; ++q) {
    for (int64_t k = box.k0; k <= box.k1; k += Evaluator::kLanes) {
      int64_t count = std::min(Evaluator::kLanes, box.k1 - k + 1);
      evaluator.range(plan, Evaluator::Along::K, k, count, q);
      const int64_t *lanes = evaluator.lanes(root);
      for (int64_t lane = 0; lane < count; ++lane)
        total += lanes[lane];
    }
  }
  return total;
}

int64_t Counting::pairs(const Box &box) {
  int64_t area = (box.q1 - box.q0 + 1) * (box.k1 - box.k0 + 1);
  evaluator.box(plan, box);
  Bounds truth = evaluator.boundsOf(root);
  if (never(truth) || always(truth))
    return never(truth) ? 0 : area;
  BoxKey key;
  bool hasKey = symmetry.keyOf(box, evaluator, key);
  if (hasKey)
    if (auto it = known.find(key); it != known.end())
      return it->second;
  int64_t count = area <= kScannedPairs ? scan(box) : split(box);
  if (hasKey && known.size() < kMaxKnown)
    known.emplace(key, count);
  return count;
}

bool Counting::keepsAny(int64_t q, int64_t k0, int64_t k1) {
  for (int64_t k = k0; k <= k1; k += Evaluator::kLanes) {
    int64_t count = std::min(Evaluator::kLanes, k1 - k + 1);
    evaluator.range(plan, Evaluator::Along::K, k, count, q);
    const int64_t *lanes = evaluator.lanes(root);
    if (std::find(lanes, lanes + count, 1) != lanes + count)
      return true;
  }
  return false;
}

void Counting::see(const Box &box, uint8_t *seen) {
  auto queries = static_cast<size_t>(box.q1 - box.q0 + 1);
  if (!memchr(seen, 0, queries))
    return;
  evaluator.box(plan, box);
  Bounds truth = evaluator.boundsOf(root);
  if (never(truth))
    return;
  if (always(truth)) {
    memset(seen, 1, queries);
    return;
  }
  BoxKey key;
  bool hasKey = symmetry.keyOf(box, evaluator, key) &&
                (knownSeen.size() < kMaxKnownSeen || knownSeen.count(key));
  if (!hasKey) {
    for (size_t i = 0; i < queries; ++i)
      if (!seen[i])
        seen[i] = keepsAny(box.q0 + static_cast<int64_t>(i), box.k0, box.k1);
    return;
  }
  std::vector<uint8_t> &all = knownSeen[key];
  if (all.empty()) {
    all.resize(queries);
    for (size_t i = 0; i < queries; ++i)
      all[i] = keepsAny(box.q0 + static_cast<int64_t>(i), box.k0, box.k1);
  }
  for (size_t i = 0; i < queries; ++i)
    seen[i] |= all[i];
}
