//===- AlgebraOps.td - Patterns out of patterns ---------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_PATTERN_ALGEBRAOPS_TD
#define GIRIH_PATTERN_ALGEBRAOPS_TD

include "girih/Pattern/GirihBase.td"

def Girih_UnionOp : Girih_PatternOp<"union", [Commutative]> {
  let summary = "Keep pairs that any operand keeps";
  let description = [{
    Keeps `(q, k)` when at least one operand keeps it. A window with left = 1,
    right = 0 and one global column:

        # . . .       # . . .       # . . .
        # # . .   |   # . . .   =   # # . .
        . # # .       # . . .       # # # .
        . . # #       # . . .       # . # #

    - [c1] There is at least one operand: `girih.empty` is the union of none.

    ```mlir
    %local = girih.window left = 1 right = 0
    %sink = girih.global_columns first = 1
    %both = girih.union %local, %sink
    ```

    It does not count: a pair that two operands keep is attended once.
  }];
  let arguments = (ins Arg<Variadic<Girih_PatternType>, "The patterns to join, in any order.">:$patterns);
  let assemblyFormat = "$patterns attr-dict";
  let hasVerifier = 1;
  let hasFolder = 1;
  let hasCanonicalizer = 1;
}

def Girih_IntersectOp : Girih_PatternOp<"intersect", [Commutative]> {
  let summary = "Keep pairs that every operand keeps";
  let description = [{
    Keeps `(q, k)` when all operands keep it. Causal and chunks of two:

        # . . .       # # . .       # . . .
        # # . .   &   # # . .   =   # # . .
        # # # .       . . # #       . . # .
        # # # #       . . # #       . . # #

    - [c1] There is at least one operand: `girih.full` is the intersection of none.

    ```mlir
    %past = girih.causal
    %own = girih.chunk size = 2
    %both = girih.intersect %past, %own
    ```

    It is not the intersection of blocks: pairs count, whatever the tiling.
  }];
  let arguments = (ins Arg<Variadic<Girih_PatternType>, "The patterns to meet, in any order.">:$patterns);
  let assemblyFormat = "$patterns attr-dict";
  let hasVerifier = 1;
  let hasFolder = 1;
  let hasCanonicalizer = 1;
}

def Girih_SubtractOp : Girih_PatternOp<"subtract"> {
  let summary = "Keep pairs of the first pattern that the second does not keep";
  let description = [{
    Keeps `(q, k)` when `lhs` keeps it and `rhs` does not. Causal without a window
    of left = 0, right = 0:

        # . . .       # . . .       . . . .
        # # . .   -   . # . .   =   # . . .
        # # # .       . . # .       # # . .
        # # # #       . . . #       # # # .

    ```mlir
    %past = girih.causal
    %self = girih.window left = 0 right = 0
    %others = girih.subtract %past, %self
    ```

    It is not symmetric: pairs of `rhs` alone are not kept.
  }];
  let arguments = (ins
    Arg<Girih_PatternType, "The pairs to choose from.">:$lhs,
    Arg<Girih_PatternType, "The pairs to leave out.">:$rhs);
  let assemblyFormat = "$lhs `,` $rhs attr-dict";
  let hasFolder = 1;
  let hasCanonicalizeMethod = 1;
}

def Girih_ComplementOp : Girih_PatternOp<"complement"> {
  let summary = "Keep pairs that the operand does not keep";
  let description = [{
    Keeps `(q, k)` when `pattern` does not. The complement of causal:

        . # # #
        . . # #
        . . . #
        . . . .

    ```mlir
    %past = girih.causal
    %future = girih.complement %past
    ```

    It keeps no pair out of bounds.
  }];
  let arguments = (ins Arg<Girih_PatternType, "The pairs to leave out.">:$pattern);
  let assemblyFormat = "$pattern attr-dict";
  let hasFolder = 1;
}

def Girih_BlockwiseOp : Girih_PatternOp<"blockwise"> {
  let summary = "Lift a pattern from tokens to blocks of tokens";
  let description = [{
    Keeps `(q, k)` when `pattern` keeps `(q / size, k / size)`, with lengths
    counted in blocks: `ceil(nq / size)`, `ceil(nk / size)`, `ceil(n / size)`.
    Causal with size = 2:

        # # . .
        # # . .
        # # # #
        # # # #

    - [c1] `size >= 1`.

    ```mlir
    %past = girih.causal
    %blocks = girih.blockwise %past size = 64
    ```

    It says nothing about the tiling of a kernel: any tile size gives these pairs.
  }];
  let arguments = (ins
    Arg<Girih_PatternType, "The pattern over blocks.">:$pattern,
    Arg<Girih_Positive, "Tokens of a block.">:$size);
  let assemblyFormat = "$pattern `size` `=` $size attr-dict";
  let hasFolder = 1;
  let hasCanonicalizeMethod = 1;
}

def Girih_HeadsOp : Girih_PatternOp<"heads"> {
  let summary = "Choose a pattern by query head";
  let description = [{
    Keeps `(q, k)` of head `h` when `patterns[i]` keeps it, where
    `first[i] <= h <= last[i]`; a head in no range keeps nothing. With first =
    [0, 1], last = [0, 1], causal and chunks of two:

        # . . .     # # . .
        # # . .     # # . .
        # # # .     . . # #
        # # # #     . . # #
         h = 0       h = 1

    - [c1] `patterns`, `first` and `last` are equally many.
    - [c2] `first >= 0` in each range.
    - [c3] `first <= last` in each range.
    - [c4] Ranges are ascending and disjoint.

    ```mlir
    %past = girih.causal
    %own = girih.chunk size = 128
    %mixed = girih.heads %past, %own first = [0, 8] last = [7, 15]
    ```

    It does not set the number of heads; a launch rejects heads that no range has.
  }];
  let arguments = (ins
    Arg<Variadic<Girih_PatternType>, "The pattern of each range of heads.">:$patterns,
    Arg<DenseI64ArrayAttr, "First query head of each range.">:$first,
    Arg<DenseI64ArrayAttr, "Last query head of each range, inclusive.">:$last);
  let assemblyFormat = "$patterns `first` `=` $first `last` `=` $last attr-dict";
  let hasVerifier = 1;
}

#endif // GIRIH_PATTERN_ALGEBRAOPS_TD
