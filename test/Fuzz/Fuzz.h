//===- Fuzz.h - What every fuzz target shares -------------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A target is one LLVMFuzzerTestOneInput: libFuzzer calls it in the `fuzz` preset,
// Replay.cpp calls it with the corpus everywhere else.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_TEST_FUZZ_FUZZ_H
#define GIRIH_TEST_FUZZ_FUZZ_H

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

namespace girih::fuzz {

/// Ends the run with a message: what the target promises does not hold.
[[noreturn]] inline void broken(const std::string &what) {
  std::fprintf(stderr, "broken promise: %s\n", what.c_str());
  std::abort();
}

/// Reads small numbers off the bytes of an input; zeros when there are no more.
class Bytes {
public:
  Bytes(const uint8_t *data, size_t size) : at(data), end(data + size) {}

  bool empty() const { return at == end; }
  uint8_t byte() { return at == end ? 0 : *at++; }
  /// A number in [0, bound), bound <= 256.
  int below(int bound) { return byte() % bound; }
  /// Mostly small, sometimes near a power of two, sometimes eight bytes as they are.
  int64_t integer() {
    uint8_t form = byte();
    if (form < 0xC0)
      return static_cast<int64_t>(form) - 0x40;
    if (form < 0xF0) {
      auto power = static_cast<int64_t>(uint64_t{1} << (byte() % 64));
      return static_cast<int64_t>(static_cast<uint64_t>(power) + form % 4 - 2);
    }
    uint64_t value = 0;
    for (int i = 0; i < 8; ++i)
      value = value << 8 | byte();
    return static_cast<int64_t>(value);
  }

private:
  const uint8_t *at, *end;
};

} // namespace girih::fuzz

#endif // GIRIH_TEST_FUZZ_FUZZ_H
