//===- AttentionOps.td - Attention, block maps and the block loop ---------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_ATTENTION_ATTENTIONOPS_TD
#define GIRIH_ATTENTION_ATTENTIONOPS_TD

include "girih/Pattern/GirihBase.td"

def Girih_Align : I32EnumAttr<"Align", "where queries stand among the keys when the lengths differ", [
    I32EnumAttrCase<"BottomRight", 0, "bottom_right">,
    I32EnumAttrCase<"TopLeft", 1, "top_left">]> {
  let cppNamespace = "::girih";
}

def Girih_Provider : I32EnumAttr<"Provider", "how a block map is derived", [
    I32EnumAttrCase<"Ranges", 0, "ranges">,
    I32EnumAttrCase<"Table", 1, "table">,
    I32EnumAttrCase<"Csr", 2, "csr">]> {
  let cppNamespace = "::girih";
}

def Girih_Float : AnyTypeOf<[F32, BF16, F16], "f32, bf16 or f16">;
def Girih_Tensor4D : RankedTensorOf<[Girih_Float], [HasAnyRankOfPred<[4]>], "rank-4 tensor of f32, bf16 or f16">;

def Girih_AttentionOp : Girih_Op<"attention", [Pure, SingleBlock]> {
  let summary = "Attend over the pairs of a pattern";
  let arguments = (ins Girih_Tensor4D:$q, Girih_Tensor4D:$k, Girih_Tensor4D:$v, Girih_PatternType:$pattern,
                       Optional<F32>:$scale, DefaultValuedAttr<Girih_Align, "::girih::Align::BottomRight">:$align,
                       OptionalAttr<DenseI64ArrayAttr>:$tile);
  let results = (outs RankedTensorOf<[F32], [HasAnyRankOfPred<[4]>]>:$o,
                      RankedTensorOf<[F32], [HasAnyRankOfPred<[3]>]>:$lse);
  let regions = (region MaxSizedRegion<1>:$score);
  let assemblyFormat = [{
    `q` `(` $q `)` `k` `(` $k `)` `v` `(` $v `)` `pattern` `(` $pattern `)` (`scale` `(` $scale^ `)`)?
    (`align` $align^)? (`tile` $tile^)? (`score` $score^)? attr-dict `:` type($q) `,` type($k) `,` type($v) `->` type($o) `,` type($lse)
  }];
  let hasVerifier = 1;
}

def Girih_BlockMapOp : Girih_Op<"block_map", [Pure]> {
  let summary = "Derive which k-tiles each q-tile visits";
  let arguments = (ins Girih_PatternType:$pattern, DenseI64ArrayAttr:$tile, Girih_Provider:$provider,
                       OptionalAttr<TypedArrayAttrBase<Girih_RangeAttr, "array of key ranges">>:$ranges,
                       OptionalAttr<AffineMapAttr>:$qView, OptionalAttr<AffineMapAttr>:$kView);
  let results = (outs Girih_BlockMapType:$map);
  let assemblyFormat = [{
    $pattern `tile` $tile `provider` $provider (`ranges` $ranges^)? (`q_view` $qView^)? (`k_view` $kView^)? attr-dict
  }];
  let hasVerifier = 1;
}

def Girih_ForBlocksOp : Girih_Op<"for_blocks", [SingleBlock, RecursiveMemoryEffects]> {
  let summary = "Visit the k-tiles that a block map lists for a q-tile";
  let arguments = (ins Girih_BlockMapType:$map, Index:$batch, Index:$head, Index:$qTile, Variadic<AnyType>:$inits);
  let results = (outs Variadic<AnyType>:$results);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// Index of the k-tile that is visited.
    ::mlir::BlockArgument getKTile() { return getBody().getArgument(0); }
    /// i1: whether the tile needs the mask.
    ::mlir::BlockArgument getPartial() { return getBody().getArgument(1); }
    ::mlir::Block::BlockArgListType getIterArgs() { return getBody().getArguments().drop_front(2); }
  }];
}

#endif // GIRIH_ATTENTION_ATTENTIONOPS_TD
