//===- TestSeed.h - The seed of random tests --------------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Random tests print their seed, and take another from GIRIH_TEST_SEED.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_TEST_REFERENCE_TESTSEED_H
#define GIRIH_TEST_REFERENCE_TESTSEED_H

#include <cstdint>
#include <cstdio>
#include <cstdlib>

namespace girih::test {

inline uint64_t seed() {
  const char *text = std::getenv("GIRIH_TEST_SEED");
  uint64_t value = text ? std::strtoull(text, nullptr, 10) : 20240229;
  std::printf("GIRIH_TEST_SEED=%llu\n", static_cast<unsigned long long>(value));
  return value;
}

} // namespace girih::test

#endif // GIRIH_TEST_REFERENCE_TESTSEED_H
