//===- RandomBlocks.cpp - Blocks drawn by a counter-based generator -------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// random_blocks must mean the same pairs for every shape, tiling and device, so
// a row is a pure function of (seed, head, row): no generator state is carried
// from row to row.
//
//===----------------------------------------------------------------------===//

#include "girih-c/BlockMap.h"

#include <algorithm>
#include <cstdlib>

namespace {

/// Philox4x32-10 (Salmon et al., SC'11) as a stream of 64-bit words.
class PhiloxStream {
public:
  PhiloxStream(uint64_t seed, int64_t head, int64_t row)
      : seed(seed), head(static_cast<uint64_t>(head)), row(static_cast<uint32_t>(row)) {}

  /// Uniform in [0, bound): multiply-high, rejecting the draws that would make
  /// some results more likely (Lemire, 2019). The threshold is below the bound,
  /// so that most draws are accepted without its division.
  uint64_t below(uint64_t bound) {
    while (true) {
      auto product = static_cast<unsigned __int128>(next()) * bound;
      auto low = static_cast<uint64_t>(product);
      if (low >= bound || low >= (0 - bound) % bound)
        return static_cast<uint64_t>(product >> 64);
    }
  }

private:
  uint64_t next() {
    if (have == 0)
      refill();
    return words[--have];
  }

  void refill() {
    // Head, row and draw each have words of their own: no two streams meet.
    uint32_t c[4] = {draw++, row, static_cast<uint32_t>(head), static_cast<uint32_t>(head >> 32)};
    uint32_t key0 = static_cast<uint32_t>(seed);
    uint32_t key1 = static_cast<uint32_t>(seed >> 32);
    for (int round = 0; round < 10; ++round) {
      uint64_t p0 = uint64_t{0xD2511F53u} * c[0];
      uint64_t p1 = uint64_t{0xCD9E8D57u} * c[2];
      uint32_t n0 = static_cast<uint32_t>(p1 >> 32) ^ c[1] ^ key0;
      uint32_t n2 = static_cast<uint32_t>(p0 >> 32) ^ c[3] ^ key1;
      c[1] = static_cast<uint32_t>(p1);
      c[3] = static_cast<uint32_t>(p0);
      c[0] = n0;
      c[2] = n2;
      key0 += 0x9E3779B9u;
      key1 += 0xBB67AE85u;
    }
    words[1] = uint64_t{c[1]} << 32 | c[0];
    words[0] = uint64_t{c[3]} << 32 | c[2];
    have = 2;
  }

  uint64_t seed;
  uint64_t head;
  uint32_t row;
  uint32_t draw = 0;
  int have = 0;
  uint64_t words[2] = {};
};

/// Rows with more draws than this mark the drawn blocks in a bitmap instead of
/// inserting them in order, which is quadratic.
constexpr int64_t kInsertLimit = 256;

} // namespace

/// Floyd's sampling (Bentley and Floyd, CACM 1987): draw from [0, j] and take j
/// itself when the draw is already taken. j is above all that came before.
static int64_t drawByInsertion(PhiloxStream &stream, int64_t numBlocks, int64_t count,
                               int64_t *out) {
  int64_t size = 0;
  for (int64_t j = numBlocks - count; j < numBlocks; ++j) {
    auto draw = static_cast<int64_t>(stream.below(static_cast<uint64_t>(j) + 1));
    int64_t *place = std::lower_bound(out, out + size, draw);
    if (place != out + size && *place == draw) {
      draw = j;
      place = out + size;
    }
    std::copy_backward(place, out + size, out + size + 1);
    *place = draw;
    ++size;
  }
  return size;
}

static int64_t drawByBitmap(PhiloxStream &stream, int64_t numBlocks, int64_t count, int64_t *out,
                            uint64_t *taken) {
  for (int64_t j = numBlocks - count; j < numBlocks; ++j) {
    uint64_t draw = stream.below(static_cast<uint64_t>(j) + 1);
    if (taken[draw >> 6] >> (draw & 63) & 1)
      draw = static_cast<uint64_t>(j);
    taken[draw >> 6] |= uint64_t{1} << (draw & 63);
  }
  int64_t size = 0;
  for (int64_t block = 0; block < numBlocks; ++block)
    if (taken[block >> 6] >> (block & 63) & 1)
      out[size++] = block;
  return size;
}

int64_t girihRandomBlocks(uint64_t seed, int64_t head, int64_t row, int64_t num_blocks,
                          int64_t count, int64_t *out) {
  count = std::min(count, num_blocks);
  if (count <= 0)
    return 0;
  if (count == num_blocks) {
    for (int64_t block = 0; block < count; ++block)
      out[block] = block;
    return count;
  }
  PhiloxStream stream(seed, head, row);
  if (count > kInsertLimit) {
    auto words = static_cast<size_t>((num_blocks + 63) / 64);
    if (auto *taken = static_cast<uint64_t *>(calloc(words, sizeof(uint64_t)))) {
      int64_t size = drawByBitmap(stream, num_blocks, count, out, taken);
      free(taken);
      return size;
    }
  }
  return drawByInsertion(stream, num_blocks, count, out);
}
