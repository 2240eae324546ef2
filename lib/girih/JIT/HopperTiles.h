//===- HopperTiles.h - Tile sizes of a kernel for Hopper --------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_JIT_HOPPERTILES_H
#define GIRIH_JIT_HOPPERTILES_H

#include "girih-c/BlockMap.h"
#include "girih/Frontend/Pattern.h"

#include "llvm/ADT/SmallVector.h"

namespace girih {

/// Queries and keys of a tile, and how fast such tiles are computed next to those
/// of the fastest size.
struct HopperTile {
  int64_t q, k;
  double rate;
};

/// Whether tiles of q x k with these head dims fit a multiprocessor: its shared
/// memory, and the registers of its warpgroups.
bool fitsHopper(int64_t q, int64_t k, int64_t headDim, int64_t vDim);

/// Sizes that fit, the fastest first; at least one.
llvm::SmallVector<HopperTile> hopperTiles(int64_t headDim, int64_t vDim);

/// The size with the most useful pairs a second: the one whose listed tiles hold the
/// fewest pairs, rates considered. A kernel serves every length and every
/// table, so tiles are counted at a nominal length, with nominal documents and block
/// tables in place of the pattern's own.
HopperTile chooseHopperTile(const Pattern &pattern, const GirihMapProgram &program, int64_t headDim,
                            int64_t vDim);

} // namespace girih

#endif // GIRIH_JIT_HOPPERTILES_H
