//===- TileOps.td - Layout-free tiles -------------------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Level L2. Values are ranked tensors of static tile shape. Elementwise arith
// and math ops apply directly; the ops here are what upstream can't say.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_TILE_TILEOPS_TD
#define GIRIH_TILE_TILEOPS_TD

include "girih/Pattern/GirihBase.td"
include "mlir/Interfaces/InferTypeOpInterface.td"

def GirihTile_Dialect : Dialect {
  let name = "girih_tile";
  let cppNamespace = "::girih::tile";
  let summary = "Tiles of attention: value semantics, no layouts, no memory spaces";
  let description = [{
    Level L2, where attention is arithmetic on tiles. A tile is a ranked tensor of
    static shape; where its elements live is the backend's business, so one program
    serves CPU and GPU. Rows of a tile are consecutive tokens; coordinates are
    given as the row of the tile's first token and stay symbolic.
  }];
  let dependentDialects = ["::girih::GirihDialect"];
}

class GirihTile_Op<string mnemonic, list<Trait> traits = []> : Op<GirihTile_Dialect, mnemonic, traits>;

class GirihTile_StaticTensor<list<Type> elements, list<int> ranks, string summary>
    : RankedTensorOf<elements, [HasStaticShapePred, HasAnyRankOfPred<ranks>], summary>;
def GirihTile_Tile : GirihTile_StaticTensor<[F32], [1, 2], "statically shaped 1-D or 2-D tile">;
def GirihTile_Tile2D : GirihTile_StaticTensor<[AnyFloat], [2], "statically shaped 2-D tile">;
def GirihTile_F32Tile2D : GirihTile_StaticTensor<[F32], [2], "statically shaped 2-D tile">;
def GirihTile_RowVector : GirihTile_StaticTensor<[F32], [1], "statically shaped row vector">;

def GirihTile_RowCondition : GirihTile_StaticTensor<[I1], [1], "statically shaped row condition">;

def GirihTile_Reduction : I32EnumAttr<"Reduction", "how a row is reduced", [
    I32EnumAttrCase<"Max", 0, "max">, I32EnumAttrCase<"Add", 1, "add">]> {
  let cppNamespace = "::girih::tile";
}

def GirihTile_TaskOp : GirihTile_Op<"task", [Pure]> {
  let summary = "Coordinates of the unit of work that this program computes";
  let description = [{
    A program computes one q-tile of one head of one batch; the launch runs it for
    each. Which one is asked here.

    ```mlir
    %b, %h, %i = girih_tile.task
    ```

    It is not a thread index: how many threads share a task is not visible.
  }];
  let results = (outs
    Res<Index, "Batch.">:$batch,
    Res<Index, "Query head.">:$head,
    Res<Index, "Index of the q-tile.">:$qTile);
  let assemblyFormat = "attr-dict";
}

def GirihTile_LoadOp : GirihTile_Op<"load", [Pure]> {
  let summary = "Load consecutive rows of one head as a tile";
  let description = [{
    `tile[i, c] = source[batch, head, row + i, c]`, and 0 where `row + i` is out of
    bounds.

    - [c1] Element types of `source` and `tile` match.
    - [c2] The tile has as many columns as the last dimension of `source`, where
      that is static.

    ```mlir
    func.func @rows(%k: tensor<?x?x?x64xbf16>, %b: index, %h: index, %row: index) -> tensor<32x64xbf16> {
      %tile = girih_tile.load %k[%b, %h, %row] : tensor<?x?x?x64xbf16> -> tensor<32x64xbf16>
      return %tile : tensor<32x64xbf16>
    }
    ```

    It does not convert, and it does not choose a memory space.
  }];
  let arguments = (ins
    Arg<RankedTensorOf<[AnyFloat], [HasAnyRankOfPred<[4]>], "rank-4 tensor">, "Tokens, `[B, H, N, D]`.">:$source,
    Arg<Index, "Batch to load from.">:$batch,
    Arg<Index, "Head of `source` to load from.">:$head,
    Arg<Index, "Token of the tile's first row.">:$row);
  let results = (outs Res<GirihTile_Tile2D, "The rows.">:$tile);
  let assemblyFormat = "$source `[` $batch `,` $head `,` $row `]` attr-dict `:` type($source) `->` type($tile)";
  let hasVerifier = 1;
}

def GirihTile_StoreOp : GirihTile_Op<"store"> {
  let summary = "Store a tile to consecutive rows of one head";
  let description = [{
    `dest[batch, head, row + i, c] = tile[i, c]` where `row + i` is in bounds, rounded
    to the element type of `dest`; for a row vector `dest[batch, head, row + i] = tile[i]`.

    - [c1] `dest` has two dimensions more than `tile`.
    - [c2] A 2-D tile has as many columns as the last dimension of `dest`, where
      that is static.

    ```mlir
    func.func @out(%tile: tensor<32x64xf32>, %o: memref<?x?x?x64xf32>, %b: index, %h: index, %row: index) {
      girih_tile.store %tile, %o[%b, %h, %row] : tensor<32x64xf32>, memref<?x?x?x64xf32>
      return
    }
    ```

    It does not add to what is there, and rows out of bounds are dropped.
  }];
  let arguments = (ins
    Arg<GirihTile_Tile, "The rows to store.">:$tile,
    Arg<MemRefRankOf<[F32, BF16, F16], [3, 4]>, "Destination `[B, H, N, D]`, or `[B, H, N]` for a row vector.", [MemWrite]>:$dest,
    Arg<Index, "Batch to store to.">:$batch,
    Arg<Index, "Head of `dest` to store to.">:$head,
    Arg<Index, "Token of the tile's first row.">:$row);
  let assemblyFormat = "$tile `,` $dest `[` $batch `,` $head `,` $row `]` attr-dict `:` type($tile) `,` type($dest)";
  let hasVerifier = 1;
}

def GirihTile_DotOp : GirihTile_Op<"dot", [Pure, AllTypesMatch<["acc", "result"]>]> {
  let summary = "Multiply two tiles and add an accumulator";
  let description = [{
    `result[i, j] = acc[i, j] + sum over c of lhs[i, c] * rhs[c, j]`, products and
    sums in f32; with `transposed`, `rhs[j, c]`.

    - [c1] Columns of `lhs` and rows of `rhs` match (columns, when transposed).
    - [c2] `acc` has the rows of `lhs`.
    - [c3] `acc` has the columns of `rhs` (rows, when transposed).

    ```mlir
    func.func @scores(%q: tensor<16x64xbf16>, %k: tensor<32x64xbf16>, %zero: tensor<16x32xf32>) -> tensor<16x32xf32> {
      %s = girih_tile.dot %q, %k transposed acc(%zero) : tensor<16x64xbf16>, tensor<32x64xbf16> -> tensor<16x32xf32>
      return %s : tensor<16x32xf32>
    }
    ```

    The order of the sum is the backend's; it never rounds the accumulator to the
    type of the inputs.
  }];
  let arguments = (ins
    Arg<GirihTile_Tile2D, "Left tile, M x K.">:$lhs,
    Arg<GirihTile_Tile2D, "Right tile, K x N, or N x K when transposed.">:$rhs,
    Arg<GirihTile_F32Tile2D, "What the product is added to, M x N.">:$acc,
    Arg<UnitAttr, "Whether `rhs` is read transposed.">:$transposeRhs);
  let results = (outs Res<GirihTile_F32Tile2D, "Product plus accumulator, M x N.">:$result);
  let assemblyFormat = "$lhs `,` $rhs (`transposed` $transposeRhs^)? `acc` `(` $acc `)` attr-dict `:` type($lhs) `,` type($rhs) `->` type($result)";
  let hasVerifier = 1;
}

def GirihTile_RowReduceOp : GirihTile_Op<"row_reduce", [Pure]> {
  let summary = "Reduce every row of a tile to one number";
  let description = [{
    `result[i] = max over j of tile[i, j]`, or their sum with `add`.

    - [c1] The result has an element for each row of the tile.

    ```mlir
    func.func @peaks(%s: tensor<16x32xf32>) -> tensor<16xf32> {
      %m = girih_tile.row_reduce max %s : tensor<16x32xf32> -> tensor<16xf32>
      return %m : tensor<16xf32>
    }
    ```

    The order of a sum is the backend's.
  }];
  let arguments = (ins
    Arg<GirihTile_Reduction, "How two elements become one.">:$kind,
    Arg<GirihTile_F32Tile2D, "The rows to reduce.">:$tile);
  let results = (outs Res<GirihTile_RowVector, "One number a row.">:$result);
  let assemblyFormat = "$kind $tile attr-dict `:` type($tile) `->` type($result)";
  let hasVerifier = 1;
}

def GirihTile_FoldColumnsOp : GirihTile_Op<"fold_columns", [Pure]> {
  let summary = "Add the columns of a tile that are a multiple of the width apart";
  let description = [{
    `result[i, c] = sum over j of tile[i, w * j + c]`, with `w` the columns of the
    result: a sum over rows that stops where its last terms are with other threads.

    - [c1] The result has the rows of the tile.
    - [c2] Its columns divide those of the tile.

    ```mlir
    func.func @fold(%p: tensor<16x32xf32>) -> tensor<16x8xf32> {
      %sums = girih_tile.fold_columns %p : tensor<16x32xf32> -> tensor<16x8xf32>
      return %sums : tensor<16x8xf32>
    }
    ```

    The order of a sum is the backend's; `girih_tile.row_reduce` adds up the rest.
  }];
  let arguments = (ins Arg<GirihTile_F32Tile2D, "The rows to add up.">:$tile);
  let results = (outs Res<GirihTile_F32Tile2D, "Partial sums.">:$result);
  let assemblyFormat = "$tile attr-dict `:` type($tile) `->` type($result)";
  let hasVerifier = 1;
}

def GirihTile_AnyRowOp : GirihTile_Op<"any_row", [Pure]> {
  let summary = "Whether a condition holds for any row";
  let description = [{
    True when `condition[i]` is for some row `i`. A backend that keeps rows in groups
    may answer for each group by itself: what depends on it must be right for a row
    whether or not its own condition holds.

    ```mlir
    func.func @decay(%acc: tensor<16x64xf32>, %scale: tensor<16x64xf32>, %grew: tensor<16xi1>) -> tensor<16x64xf32> {
      %any = girih_tile.any_row %grew : tensor<16xi1>
      %result = scf.if %any -> tensor<16x64xf32> {
        %scaled = arith.mulf %acc, %scale : tensor<16x64xf32>
        scf.yield %scaled : tensor<16x64xf32>
      } else {
        scf.yield %acc : tensor<16x64xf32>
      }
      return %result : tensor<16x64xf32>
    }
    ```

    It is there to skip work, not to decide what the result is.
  }];
  let arguments = (ins Arg<GirihTile_RowCondition, "One condition a row.">:$condition);
  let results = (outs Res<I1, "Whether any holds.">:$any);
  let assemblyFormat = "$condition attr-dict `:` type($condition)";
}

def GirihTile_BroadcastOp : GirihTile_Op<"broadcast", [Pure]> {
  let summary = "Repeat a row vector along the columns of a tile";
  let description = [{
    `result[i, j] = vector[i]`.

    - [c1] The vector has an element for each row of the result.

    ```mlir
    func.func @spread(%m: tensor<16xf32>) -> tensor<16x32xf32> {
      %tile = girih_tile.broadcast %m : tensor<16xf32> -> tensor<16x32xf32>
      return %tile : tensor<16x32xf32>
    }
    ```

    It does not broadcast along rows: a number for each column has no use here.
  }];
  let arguments = (ins Arg<GirihTile_RowVector, "One number a row.">:$vector);
  let results = (outs Res<GirihTile_F32Tile2D, "The tile of equal columns.">:$result);
  let assemblyFormat = "$vector attr-dict `:` type($vector) `->` type($result)";
  let hasVerifier = 1;
}

def GirihTile_SplatOp : GirihTile_Op<"splat", [Pure]> {
  let summary = "Fill a tile with a run-time number";
  let description = [{
    Every element of the result is `value`.

    ```mlir
    func.func @fill(%scale: f32) -> tensor<16x32xf32> {
      %tile = girih_tile.splat %scale : tensor<16x32xf32>
      return %tile : tensor<16x32xf32>
    }
    ```

    A number known at compile time is an `arith.constant`.
  }];
  let arguments = (ins Arg<F32, "The number.">:$value);
  let results = (outs Res<GirihTile_Tile, "The tile of equal elements.">:$result);
  let assemblyFormat = "$value attr-dict `:` type($result)";
}

def GirihTile_MaskOp : GirihTile_Op<"mask", [Pure, AllTypesMatch<["tile", "result"]>]> {
  let summary = "Set the pairs that a pattern does not keep to minus infinity";
  let description = [{
    `result[i, j] = tile[i, j]` when `when` is false, or when key `k_row + j` is in
    bounds and `pattern` keeps it for a query at position `q_row + i`; else `-inf`.
    Causal at the diagonal, `s` kept:

        s s s s        s -inf -inf -inf
        s s s s   ->   s    s -inf -inf
        s s s s        s    s    s -inf

    ```mlir
    func.func @masked(%s: tensor<16x32xf32>, %b: index, %h: index, %q: index, %k: index, %partial: i1)
        -> tensor<16x32xf32> {
      %past = girih.causal
      %m = girih_tile.mask %s keep %past at [%b, %h, %q, %k] when %partial : tensor<16x32xf32>
      return %m : tensor<16x32xf32>
    }
    ```

    With `girih.full` it still drops keys out of bounds.
  }];
  let arguments = (ins
    Arg<GirihTile_F32Tile2D, "Scores.">:$tile,
    Arg<Girih_PatternType, "The pairs to keep.">:$pattern,
    Arg<Index, "Batch of the tile.">:$batch,
    Arg<Index, "Query head of the tile.">:$head,
    Arg<Index, "Absolute position of the tile's first query.">:$qRow,
    Arg<Index, "Key in the tile's first column.">:$kRow,
    Arg<I1, "Whether to mask at all: true on partial tiles.">:$when);
  let results = (outs Res<GirihTile_F32Tile2D, "Masked scores.">:$result);
  let assemblyFormat = [{
    $tile `keep` $pattern `at` `[` $batch `,` $head `,` $qRow `,` $kRow `]` `when` $when attr-dict `:` type($tile)
  }];
}

def GirihTile_MapOp : GirihTile_Op<"map", [Pure, SingleBlock, AllTypesMatch<["tile", "result"]>]> {
  let summary = "Apply a scalar function of element and coordinates to a tile";
  let description = [{
    `result[i, j] = body(tile[i, j], batch, head, q_row + i, k_row + j)`.

    - [c1] The region takes an `f32` and four `index`.
    - [c2] It ends in `girih.yield` of one `f32`.
    - [c3] Its ops have no memory effects.

    ```mlir
    func.func @alibi(%s: tensor<16x32xf32>, %b: index, %h: index, %q: index, %k: index) -> tensor<16x32xf32> {
      %biased = girih_tile.map %s at [%b, %h, %q, %k] {
      ^bb0(%x: f32, %bi: index, %hi: index, %qi: index, %ki: index):
        %slope = arith.constant 0.5 : f32
        %distance = arith.subi %ki, %qi : index
        %int = arith.index_cast %distance : index to i64
        %float = arith.sitofp %int : i64 to f32
        %bias = arith.mulf %float, %slope : f32
        %y = arith.addf %x, %bias : f32
        girih.yield %y : f32
      } : tensor<16x32xf32>
      return %biased : tensor<16x32xf32>
    }
    ```

    Elementwise functions that need no coordinates are arith and math ops on the
    tile.
  }];
  let arguments = (ins
    Arg<GirihTile_F32Tile2D, "Scores.">:$tile,
    Arg<Index, "Batch of the tile.">:$batch,
    Arg<Index, "Query head of the tile.">:$head,
    Arg<Index, "Absolute position of the tile's first query.">:$qRow,
    Arg<Index, "Key in the tile's first column.">:$kRow);
  let results = (outs Res<GirihTile_F32Tile2D, "Mapped scores.">:$result);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$tile `at` `[` $batch `,` $head `,` $qRow `,` $kRow `]` $body attr-dict `:` type($tile)";
  let hasRegionVerifier = 1;
}

#endif // GIRIH_TILE_TILEOPS_TD
