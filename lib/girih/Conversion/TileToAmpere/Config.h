//===- Config.h - Sizes of kernels for sm_80, sm_86 and sm_89 ---*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What the chips have, what a kernel of some tile sizes needs of it, and the tile
// sizes to choose. Pure arithmetic: the session asks here before it builds IR, and
// the lowering asks the same again.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_CONVERSION_TILETOAMPERE_CONFIG_H
#define GIRIH_CONVERSION_TILETOAMPERE_CONFIG_H

#include "llvm/ADT/StringRef.h"

#include <cstdint>

namespace girih::ampere {

/// A chip that the lowering makes kernels for.
struct Chip {
  llvm::StringRef name;
  int64_t sharedPerBlock; ///< most bytes of shared memory that a block may ask for
  int64_t sharedPerMultiprocessor;
  int64_t threadsPerMultiprocessor;
};

/// The chip of that name; null when this path has none such.
const Chip *findChip(llvm::StringRef name);

/// A tile in shared memory: rows of pieces of 16 bytes. The low bits of a piece's
/// column are flipped by some of its row's, so that the same column of eight rows
/// lies in different banks: ldmatrix then needs one cycle a matrix.
struct TileShape {
  int64_t rows;
  int64_t columns;                                           ///< elements that the tensor has
  int64_t pieces() const { return (columns + 15) / 16 * 2; } ///< of a row; padding is zero
  int64_t rowBytes() const { return 16 * pieces(); }
  int64_t bytes() const { return rows * rowBytes(); }
  /// Column bits that are flipped: as many as the row's length leaves unchanged.
  int64_t swizzleBits() const;
};

/// Sizes of a kernel. A warp has 16 query rows; keys and values have two stages.
struct Config {
  int64_t tileQ = 0, tileK = 0;
  int64_t dim = 0, vDim = 0; ///< head dims
  static constexpr int64_t stages = 2;
  static constexpr int64_t warpRows = 16;

  TileShape q() const { return {tileQ, dim}; }
  TileShape k() const { return {tileK, dim}; }
  TileShape v() const { return {tileK, vDim}; }
  int64_t threads() const { return tileQ / warpRows * 32; }
  int64_t kAt() const { return q().bytes(); }
  int64_t vAt() const { return kAt() + stages * k().bytes(); }
  int64_t sharedBytes() const { return vAt() + stages * v().bytes(); }
  /// Estimated registers of a thread: scores, the probabilities made of them,
  /// output, and what addresses and masks take.
  int64_t registers(bool hasWideMask = false) const;
};

/// `given` with tile sizes; those that are not 0 stay. Shared memory decides, then
/// the number of rows that share keys, then the number of keys.
Config chooseTiles(const Chip &chip, Config given);

/// Blocks that a multiprocessor holds at a time, at least one. A wide mask computes in
/// 64 bits.
int64_t residentBlocks(const Chip &chip, const Config &config, bool hasWideMask = false);

} // namespace girih::ampere

#endif // GIRIH_CONVERSION_TILETOAMPERE_CONFIG_H
