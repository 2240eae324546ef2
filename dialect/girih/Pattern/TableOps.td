//===- TableOps.td - Patterns that read tables ----------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Atoms of the normal form that no affine expression says. Run-time operands
// are SSA values: a new batch of documents compiles nothing.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_PATTERN_TABLEOPS_TD
#define GIRIH_PATTERN_TABLEOPS_TD

include "girih/Pattern/GirihBase.td"

def Girih_TableOperand : TypeConstraint<And<[1DTensorOf<[I64]>.predicate]>, "1-D tensor of i64", "::mlir::RankedTensorType">;

def Girih_SegmentsOp : Girih_PatternOp<"segments"> {
  let summary = "Keep pairs of one segment (packed documents)";
  let description = [{
    Keeps `(q, k)` when `offsets[s] <= q / unit < offsets[s + 1]` and
    `offsets[s] <= k / unit < offsets[s + 1]` for one `s`. With offsets =
    [0, 1, 4], unit = 1:

        # . . .
        . # # #
        . # # #
        . # # #

    - [c1] `unit >= 1`.

    The launch checks what only run time knows: offsets start at 0, do not
    decrease, and end at the number of units.

    ```mlir
    func.func @packed(%offsets: tensor<?xi64>) -> !girih.pattern {
      %same = girih.segments %offsets : tensor<?xi64>
      return %same : !girih.pattern
    }
    ```

    It is not causal within a segment: intersect it with `girih.causal`.
  }];
  let arguments = (ins
    Arg<Girih_TableOperand, "First unit of each segment, then the number of units.">:$offsets,
    Arg<DefaultValuedAttr<Girih_Positive, "1">, "Tokens of a unit of `offsets`.">:$unit);
  let assemblyFormat = "$offsets (`unit` `=` $unit^)? attr-dict `:` qualified(type($offsets))";
}

def Girih_RandomBlocksOp : Girih_PatternOp<"random_blocks"> {
  let summary = "Keep a few random key blocks for each query block";
  let description = [{
    Keeps `(q, k)` when `k / size` is one of `min(count, blocks)` distinct key
    blocks drawn for `(h, q / size)`, where `blocks = ceil(nk / size)`. The
    generator is counter-based and keyed `(seed, h, q / size)`, so a row's draw is
    the same for every tiling and launch of those keys. With size = 2, count = 1
    it may give:

        . . # # . .
        . . # # . .
        # # . . . .
        # # . . . .

    - [c1] `size >= 1`.
    - [c2] `count >= 0`.

    ```mlir
    %extra = girih.random_blocks size = 64 count = 3 seed = 0
    ```

    It is not a draw with replacement, nor the draw of any other library.
  }];
  let arguments = (ins
    Arg<Girih_Positive, "Tokens of a block.">:$size,
    Arg<Girih_NonNegative, "Key blocks drawn for each query block.">:$count,
    Arg<I64Attr, "Seed of the generator, read as unsigned.">:$seed);
  let assemblyFormat = "`size` `=` $size `count` `=` $count `seed` `=` $seed attr-dict";
  let hasCanonicalizeMethod = 1;
}

def Girih_BlockTableOp : Girih_PatternOp<"block_table"> {
  let summary = "Keep the key blocks listed for each query block";
  let description = [{
    Keeps `(q, k)` when `k / size` is among `indices[indptr[r] ..< indptr[r + 1]]`,
    where `r` is the row of query block `q / size`. With `heads > 1`, `indptr`
    holds that many row sets one after another and `h` chooses the set; with
    heads = 1 all heads share one. With size = 2, indptr = [0, 1, 3],
    indices = [1, 0, 1]:

        . . # #
        . . # #
        # # # #
        # # # #

    - [c1] `size >= 1`.
    - [c2] `heads >= 1`.

    The launch checks what only run time knows: `indptr` starts at 0 and does not
    decrease, and every index names a key block.

    ```mlir
    func.func @listed(%indptr: tensor<?xi64>, %indices: tensor<?xi64>) -> !girih.pattern {
      %chosen = girih.block_table %indptr, %indices size = 64 heads = 8 : tensor<?xi64>, tensor<?xi64>
      return %chosen : !girih.pattern
    }
    ```

    It is not a mask: a block is kept whole.
  }];
  let arguments = (ins
    Arg<Girih_TableOperand, "Start of each query block's list in `indices`, then the end, for each row set.">:$indptr,
    Arg<Girih_TableOperand, "Listed key blocks, one query block after another.">:$indices,
    Arg<Girih_Positive, "Tokens of a block.">:$size,
    Arg<DefaultValuedAttr<Girih_Positive, "1">, "Row sets in `indptr`: 1, or one for each query head.">:$heads);
  let assemblyFormat = [{
    $indptr `,` $indices `size` `=` $size (`heads` `=` $heads^)? attr-dict
    `:` qualified(type($indptr)) `,` qualified(type($indices))
  }];
}

#endif // GIRIH_PATTERN_TABLEOPS_TD
