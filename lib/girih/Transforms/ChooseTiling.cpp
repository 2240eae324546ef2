//===- ChooseTiling.cpp - Rows and keys of a tile -------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Transforms/Passes.h"

using namespace mlir;

namespace girih {
#define GEN_PASS_DEF_CHOOSETILING
#include "girih/Transforms/Passes.h.inc"
} // namespace girih

using namespace girih;

namespace {

// 64 x 64 keeps blocks of 64 (BigBird) whole and the working set of a tile
// (scores, keys, values, output) in the L2 cache up to head dim 256.
constexpr int64_t defaultTileQ = 64, defaultTileK = 64;

struct ChooseTiling : girih::impl::ChooseTilingBase<ChooseTiling> {
  using ChooseTilingBase::ChooseTilingBase;

  void runOnOperation() override {
    getOperation().walk([&](AttentionOp op) {
      if (op.getTile())
        return;
      op.setTile(ArrayRef<int64_t>{tileQ ? tileQ : defaultTileQ, tileK ? tileK : defaultTileK});
    });
  }
};

} // namespace
