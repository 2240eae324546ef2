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
  let dependentDialects = ["::girih::GirihDialect"];
}

class GirihTile_Op<string mnemonic, list<Trait> traits = []> : Op<GirihTile_Dialect, mnemonic, traits>;

class GirihTile_StaticTensor<list<Type> elements, list<int> ranks, string summary>
    : RankedTensorOf<elements, [HasStaticShapePred, HasAnyRankOfPred<ranks>], summary>;
def GirihTile_Tile : GirihTile_StaticTensor<[AnyFloat], [1, 2], "statically shaped 1-D or 2-D tile">;
def GirihTile_Tile2D : GirihTile_StaticTensor<[AnyFloat], [2], "statically shaped 2-D tile">;
def GirihTile_RowVector : GirihTile_StaticTensor<[F32], [1], "statically shaped row vector of f32">;

def GirihTile_Reduction : I32EnumAttr<"Reduction", "how a row is reduced", [
    I32EnumAttrCase<"Max", 0, "max">, I32EnumAttrCase<"Add", 1, "add">]> {
  let cppNamespace = "::girih::tile";
}

def GirihTile_TaskOp : GirihTile_Op<"task", [Pure]> {
  let summary = "Coordinates of the unit of work that this program computes";
  let results = (outs Index:$batch, Index:$head, Index:$qTile);
  let assemblyFormat = "attr-dict";
}

def GirihTile_LoadOp : GirihTile_Op<"load", [Pure]> {
  let summary = "Load consecutive rows of one head as a tile";
  let arguments = (ins RankedTensorOf<[AnyFloat], [HasAnyRankOfPred<[4]>]>:$source, Index:$batch, Index:$head, Index:$row);
  let results = (outs GirihTile_Tile2D:$tile);
  let assemblyFormat = "$source `[` $batch `,` $head `,` $row `]` attr-dict `:` type($source) `->` type($tile)";
  let hasVerifier = 1;
}

def GirihTile_StoreOp : GirihTile_Op<"store"> {
  let summary = "Store a tile to consecutive rows of one head";
  let arguments = (ins GirihTile_Tile:$tile,
                       Arg<MemRefRankOf<[F32], [3, 4]>, "destination [B, H, N, D], or [B, H, N] for a row vector", [MemWrite]>:$dest,
                       Index:$batch, Index:$head, Index:$row);
  let assemblyFormat = "$tile `,` $dest `[` $batch `,` $head `,` $row `]` attr-dict `:` type($tile) `,` type($dest)";
  let hasVerifier = 1;
}

def GirihTile_DotOp : GirihTile_Op<"dot", [Pure, AllTypesMatch<["acc", "result"]>]> {
  let summary = "Multiply two tiles and add an accumulator";
  let arguments = (ins GirihTile_Tile2D:$lhs, GirihTile_Tile2D:$rhs, GirihTile_Tile2D:$acc, UnitAttr:$transposeRhs);
  let results = (outs GirihTile_Tile2D:$result);
  let assemblyFormat = "$lhs `,` $rhs (`transposed` $transposeRhs^)? `acc` `(` $acc `)` attr-dict `:` type($lhs) `,` type($rhs) `->` type($result)";
  let hasVerifier = 1;
}

def GirihTile_RowReduceOp : GirihTile_Op<"row_reduce", [Pure]> {
  let summary = "Reduce every row of a tile to one number";
  let arguments = (ins GirihTile_Reduction:$kind, GirihTile_Tile2D:$tile);
  let results = (outs GirihTile_RowVector:$result);
  let assemblyFormat = "$kind $tile attr-dict `:` type($tile) `->` type($result)";
  let hasVerifier = 1;
}

def GirihTile_BroadcastOp : GirihTile_Op<"broadcast", [Pure]> {
  let summary = "Repeat a row vector along the columns of a tile";
  let arguments = (ins GirihTile_RowVector:$vector);
  let results = (outs GirihTile_Tile2D:$result);
  let assemblyFormat = "$vector attr-dict `:` type($vector) `->` type($result)";
  let hasVerifier = 1;
}

def GirihTile_SplatOp : GirihTile_Op<"splat", [Pure]> {
  let summary = "Fill a tile with a run-time number";
  let arguments = (ins F32:$value);
  let results = (outs GirihTile_Tile:$result);
  let assemblyFormat = "$value attr-dict `:` type($result)";
}

def GirihTile_MaskOp : GirihTile_Op<"mask", [Pure, AllTypesMatch<["tile", "result"]>]> {
  let summary = "Set the pairs that a pattern does not keep to minus infinity";
  let arguments = (ins GirihTile_Tile2D:$tile, Girih_PatternType:$pattern, Index:$batch, Index:$head,
                       Index:$qRow, Index:$kRow, I1:$when);
  let results = (outs GirihTile_Tile2D:$result);
  let assemblyFormat = [{
    $tile `keep` $pattern `at` `[` $batch `,` $head `,` $qRow `,` $kRow `]` `when` $when attr-dict `:` type($tile)
  }];
}

def GirihTile_MapOp : GirihTile_Op<"map", [Pure, SingleBlock, AllTypesMatch<["tile", "result"]>]> {
  let summary = "Apply a scalar function of element and coordinates to a tile";
  let arguments = (ins GirihTile_Tile2D:$tile, Index:$batch, Index:$head, Index:$qRow, Index:$kRow);
  let results = (outs GirihTile_Tile2D:$result);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$tile `at` `[` $batch `,` $head `,` $qRow `,` $kRow `]` $body attr-dict `:` type($tile)";
  let hasVerifier = 1;
}

#endif // GIRIH_TILE_TILEOPS_TD
