//===- LeafOps.td - Named patterns ----------------------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The leaves of the pattern language. Each is sugar: the pass
// girih-expand-named-patterns turns it into girih.where and table atoms.
// Pictures show queries 0, 1, ... from top to bottom and keys from left to
// right; `/` and `%` in formulas are floor division and modulo.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_PATTERN_LEAFOPS_TD
#define GIRIH_PATTERN_LEAFOPS_TD

include "girih/Pattern/GirihBase.td"

def Girih_FullOp : Girih_PatternOp<"full", [ConstantLike]> {
  let summary = "Keep every pair";
  let description = [{
    Keeps every `(q, k)`.

        # # # #
        # # # #
        # # # #

    ```mlir
    %all = girih.full
    ```

    It is not "no mask": keys past the end of the keys are still not kept.
  }];
  let assemblyFormat = "attr-dict";
  let hasFolder = 1;
}

def Girih_EmptyOp : Girih_PatternOp<"empty", [ConstantLike]> {
  let summary = "Keep no pair";
  let description = [{
    Keeps no `(q, k)`. Attention over it gives output 0 and LSE -inf in every row.

        . . . .
        . . . .
        . . . .

    ```mlir
    %none = girih.empty
    ```

    It is not an error, nor a uniform average over all keys.
  }];
  let assemblyFormat = "attr-dict";
  let hasFolder = 1;
}

def Girih_CausalOp : Girih_PatternOp<"causal"> {
  let summary = "Keep keys that do not come after the query";
  let description = [{
    Keeps `(q, k)` when `k <= q`.

        # . . .
        # # . .
        # # # .
        # # # #

    ```mlir
    %past = girih.causal
    ```

    It does not choose how queries stand among keys when the lengths differ:
    `align` of the attention does, and `q` is the position that it gives.
  }];
  let assemblyFormat = "attr-dict";
}

def Girih_WindowOp : Girih_PatternOp<"window"> {
  let summary = "Keep keys within a fixed distance of the query";
  let description = [{
    Keeps `(q, k)` when `-right <= q - k <= left`; a side that is absent is
    unbounded. With left = 1, right = 0:

        # . . .
        # # . .
        . # # .
        . . # #

    - [c1] `left >= 0`.
    - [c2] `right >= 0`.

    ```mlir
    %local = girih.window left = 1 right = 0
    %behind = girih.window left = 255
    ```

    The sides are inclusive distances, not a width: `left = 255` keeps 256 keys
    with the query's own.
  }];
  let arguments = (ins
    Arg<OptionalAttr<Girih_NonNegative>, "Largest distance of a kept key before the query; unbounded when absent.">:$left,
    Arg<OptionalAttr<Girih_NonNegative>, "Largest distance of a kept key after the query; unbounded when absent.">:$right);
  let assemblyFormat = "(`left` `=` $left^)? (`right` `=` $right^)? attr-dict";
  let hasCanonicalizeMethod = 1;
}

def Girih_DilatedOp : Girih_PatternOp<"dilated"> {
  let summary = "Keep a window of taps that lie a dilation apart";
  let description = [{
    Keeps `(q, k)` when `(q - k) % dilation == 0` and
    `-right * dilation <= q - k <= left * dilation`. With left = 1, right = 1,
    dilation = 2:

        # . # . .
        . # . # .
        # . # . #
        . # . # .
        . . # . #

    - [c1] `left >= 0`.
    - [c2] `right >= 0`.
    - [c3] `dilation >= 1`.

    ```mlir
    %taps = girih.dilated left = 128 right = 128 dilation = 4
    ```

    `left` and `right` count taps, not tokens.
  }];
  let arguments = (ins
    Arg<Girih_NonNegative, "Taps before the query.">:$left,
    Arg<Girih_NonNegative, "Taps after the query.">:$right,
    Arg<Girih_Positive, "Tokens from one tap to the next.">:$dilation);
  let assemblyFormat = "`left` `=` $left `right` `=` $right `dilation` `=` $dilation attr-dict";
  let hasCanonicalizeMethod = 1;
}

def Girih_StridedOp : Girih_PatternOp<"strided"> {
  let summary = "Keep keys at a multiple of the stride from the query";
  let description = [{
    Keeps `(q, k)` when `(q - k) % stride == 0`. With stride = 2:

        # . # .
        . # . #
        # . # .
        . # . #

    - [c1] `stride >= 1`.

    ```mlir
    %far = girih.strided stride = 128
    ```

    It is not causal, and its columns move with the query: see `girih.columns`
    for columns that stay.
  }];
  let arguments = (ins Arg<Girih_Positive, "Tokens from one kept key to the next.">:$stride);
  let assemblyFormat = "`stride` `=` $stride attr-dict";
  let hasCanonicalizeMethod = 1;
}

def Girih_ChunkOp : Girih_PatternOp<"chunk"> {
  let summary = "Keep keys of the query's own chunk";
  let description = [{
    Keeps `(q, k)` when `q / size == k / size`. With size = 2:

        # # . .
        # # . .
        . . # #
        . . # #

    - [c1] `size >= 1`.

    ```mlir
    %own = girih.chunk size = 128
    ```

    It is not a sliding window: chunks are aligned to multiples of `size`.
  }];
  let arguments = (ins Arg<Girih_Positive, "Tokens of a chunk.">:$size);
  let assemblyFormat = "`size` `=` $size attr-dict";
  let hasCanonicalizeMethod = 1;
}

def Girih_ColumnsOp : Girih_PatternOp<"columns"> {
  let summary = "Keep a strip of key columns in every period";
  let description = [{
    Keeps `(q, k)` when `lo <= k % period < hi`. With period = 3, lo = 2, hi = 3:

        . . # . . #
        . . # . . #

    - [c1] `period >= 1`.
    - [c2] `0 <= lo <= hi <= period`; `lo = hi` keeps nothing.

    ```mlir
    %summaries = girih.columns period = 128 lo = 96 hi = 128
    ```

    It does not depend on the query.
  }];
  let arguments = (ins
    Arg<Girih_Positive, "Tokens of a period.">:$period,
    Arg<Girih_NonNegative, "First kept column of a period.">:$lo,
    Arg<Girih_NonNegative, "One past the last kept column of a period.">:$hi);
  let assemblyFormat = "`period` `=` $period `lo` `=` $lo `hi` `=` $hi attr-dict";
  let hasVerifier = 1;
  let hasCanonicalizeMethod = 1;
}

def Girih_GlobalColumnsOp : Girih_PatternOp<"global_columns"> {
  let summary = "Keep the first and last key columns for every query";
  let description = [{
    Keeps `(q, k)` when `k < first` or `k >= nk - last`. With first = 1, last = 1:

        # . . #
        # . . #
        # . . #

    - [c1] `first >= 0`.
    - [c2] `last >= 0`.

    ```mlir
    %sink = girih.global_columns first = 4
    %ends = girih.global_columns first = 1 last = 1
    ```

    It is not causal: a query sees the last columns before it reaches them.
  }];
  let arguments = (ins
    Arg<Girih_NonNegative, "Kept columns at the start of the keys.">:$first,
    Arg<DefaultValuedAttr<Girih_NonNegative, "0">, "Kept columns at the end of the keys.">:$last);
  let assemblyFormat = "`first` `=` $first (`last` `=` $last^)? attr-dict";
  let hasCanonicalizeMethod = 1;
}

def Girih_GlobalRowsOp : Girih_PatternOp<"global_rows"> {
  let summary = "Keep every key for the first and last queries";
  let description = [{
    Keeps `(q, k)` when `q < first` or `q >= n - last`, where `n` is the absolute
    query end. With first = 1, last = 1:

        # # # #
        . . . .
        . . . .
        # # # #

    - [c1] `first >= 0`.
    - [c2] `last >= 0`.

    ```mlir
    %readers = girih.global_rows first = 4
    %ends = girih.global_rows first = 1 last = 1
    ```

    Rows are absolute positions: with more keys than queries and
    `align = bottom_right`, the first positions may hold no query of the launch;
    with more queries than keys, negative positions are before `first` as well, so
    `first = 0` is not nothing.
  }];
  let arguments = (ins
    Arg<Girih_NonNegative, "Positions at the start whose queries see every key.">:$first,
    Arg<DefaultValuedAttr<Girih_NonNegative, "0">, "Positions at the end whose queries see every key.">:$last);
  let assemblyFormat = "`first` `=` $first (`last` `=` $last^)? attr-dict";
}

def Girih_NeighborhoodOp : Girih_PatternOp<"neighborhood"> {
  let summary = "Keep the neighbours of a query on a row-major grid";
  let description = [{
    Tokens are the points of a grid of 1 to 3 dimensions, the last one fastest. A
    pair is kept when each dimension keeps it. In a dimension of length `L` with
    dilation `d`, kernel `w` and stride `s`, point `x` has `i = x / d` and
    `g = x % d`; the key needs the same `g` and its `i` in `[start, end)`, where
    `L' = (L - g + d - 1) / d` points share `g`, `wl = w / 2`, `wr = w - wl - 1`:

    - not causal: `lead = min(i / s * s + s / 2, L' - 1)`,
      `start = max(lead - wl, 0) + (lead + wr >= L' ? L' - wr - lead - 1 : 0)`,
      `end = start + w`: exactly `w` keys, the window shifts inward at borders;
    - causal: `lead = min(i / s * s + s - 1, L' - 1)`,
      `start = max(lead - w + 1, 0)`, `end = min(i + 1, L')`.

    With grid = [5], kernel = [3], no dilation, stride 1, not causal:

        # # # . .
        # # # . .
        . # # # .
        . . # # #
        . . # # #

    - [c1] The grid has 1 to 3 dimensions.
    - [c2] `kernel`, `dilation`, `stride` and `causal` are as long as `grid`.
    - [c3] Every `kernel >= 1`, and `dilation >= 1`.
    - [c4] `kernel * dilation <= grid` in each dimension.
    - [c5] `1 <= stride <= kernel` in each dimension.
    - [c6] The grid holds at most 2^40 tokens.

    ```mlir
    %image = girih.neighborhood grid = [48, 64] kernel = [7, 9] dilation = [1, 1]
                                stride = [1, 1] causal = [false, false]
    ```

    It does not take other lengths: a launch needs `nq = nk` = the product of the
    grid. Even kernels put the extra key before the query.
  }];
  let arguments = (ins
    Arg<DenseI64ArrayAttr, "Points of each dimension, the last one fastest.">:$grid,
    Arg<DenseI64ArrayAttr, "Keys that a query sees in each dimension.">:$kernel,
    Arg<DenseI64ArrayAttr, "Points from one neighbour to the next in each dimension.">:$dilation,
    Arg<DenseI64ArrayAttr, "Neighbouring queries that share a window in each dimension.">:$stride,
    Arg<DenseBoolArrayAttr, "Whether keys after the query are dropped in each dimension.">:$causal);
  let assemblyFormat = [{
    `grid` `=` $grid `kernel` `=` $kernel `dilation` `=` $dilation `stride` `=` $stride
    `causal` `=` $causal attr-dict
  }];
  let hasVerifier = 1;
}

#endif // GIRIH_PATTERN_LEAFOPS_TD
