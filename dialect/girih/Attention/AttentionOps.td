//===- AttentionOps.td - Attention, block maps and the block loop ---------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_ATTENTION_ATTENTIONOPS_TD
#define GIRIH_ATTENTION_ATTENTIONOPS_TD

include "girih/Pattern/LookupOps.td"

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
def Girih_Tensor4D : RankedTensorOf<[Girih_Float], [HasAnyRankOfPred<[4]>], "rank-4 tensor">;
def Girih_Output3D : RankedTensorOf<[F32], [HasAnyRankOfPred<[3]>], "rank-3 tensor">;

def Girih_AttentionOp : Girih_Op<"attention", [Pure, SingleBlock, AttrSizedOperandSegments]> {
  let summary = "Attend over the pairs of a pattern";
  let description = [{
    For every batch `b`, query head `h` and query `i` at position `q`, with
    `S = {k : pattern keeps (b, h, q, k)}` and KV head `g = h / (Hq / Hkv)`:

        s[k]         = score(scale * dot(q[b, h, i], k[b, g, k]), b, h, q, k)
        lse[b, h, i] = log(sum over S of exp(s[k]))
        o[b, h, i]   = sum over S of exp(s[k] - lse[b, h, i]) * v[b, g, k]

    An empty `S` gives `o = 0` and `lse = -inf`. Without `scale` it is `1 / sqrt(D)`;
    without `score` it is the identity. With `align bottom_right`, `q = i + Nk - Nq`;
    with `top_left`, `q = i`.

    - [c1] `k` and `v` agree with `q` in batch, and with each other in heads and
      length, where sizes are static.
    - [c2] `Hq` is a multiple of `Hkv`, where both are static.
    - [c3] The head dims of `q` and `k` match.
    - [c4] The head dims of `k` and `v` are static and in 1..256.
    - [c5] `q`, `k` and `v` have one element type.
    - [c6] `o` is `[B, Hq, Nq, Dv]`.
    - [c7] `lse` is `[B, Hq, Nq]`.
    - [c8] `score` takes an `f32` and four `index`.
    - [c9] `score` ends in `girih.yield` of one `f32`.
    - [c10] Ops of `score` have no memory effects.
    - [c11] `tile` is two positive numbers.
    - [c12] The element type of `o` is f32 or that of the inputs.

    ```mlir
    func.func @softcapped(%q: tensor<?x8x?x64xbf16>, %k: tensor<?x2x?x64xbf16>, %v: tensor<?x2x?x80xbf16>)
        -> (tensor<?x8x?x80xf32>, tensor<?x8x?xf32>) {
      %past = girih.causal
      %o, %lse = girih.attention q(%q) k(%k) v(%v) pattern(%past) score {
      ^bb0(%s: f32, %b: index, %h: index, %i: index, %j: index):
        %cap = arith.constant 30.0 : f32
        %scaled = arith.divf %s, %cap : f32
        %bent = math.tanh %scaled : f32
        %capped = arith.mulf %bent, %cap : f32
        girih.yield %capped : f32
      } : tensor<?x8x?x64xbf16>, tensor<?x2x?x64xbf16>, tensor<?x2x?x80xbf16>
          -> tensor<?x8x?x80xf32>, tensor<?x8x?xf32>
      return %o, %lse : tensor<?x8x?x80xf32>, tensor<?x8x?xf32>
    }
    ```

    `score` may read scalars of the function, such as lengths. It can't skip a pair, only
    set it to minus infinity: masks are patterns. Softmax statistics are f32
    whatever the inputs are.
  }];
  let arguments = (ins
    Arg<Girih_Tensor4D, "Queries, `[B, Hq, Nq, D]`.">:$q,
    Arg<Girih_Tensor4D, "Keys, `[B, Hkv, Nk, D]`.">:$k,
    Arg<Girih_Tensor4D, "Values, `[B, Hkv, Nk, Dv]`.">:$v,
    Arg<Girih_PatternType, "The pairs that attend.">:$pattern,
    Arg<Optional<F32>, "Factor of the dot products; `1 / sqrt(D)` when absent.">:$scale,
    Arg<Optional<Girih_BlockMapType>, "Tiles to visit for each q-tile; derived by a pass when absent.">:$map,
    Arg<Variadic<Girih_TermType>, "What `score` looks up, as a pass finds it, so that launches prove its indices.">:$reads,
    Arg<DefaultValuedAttr<Girih_Align, "::girih::Align::BottomRight">, "Where queries stand among the keys.">:$align,
    Arg<OptionalAttr<DenseI64ArrayAttr>, "Rows of a q-tile and of a k-tile; chosen by a pass when absent.">:$tile);
  let results = (outs
    Res<Girih_Tensor4D, "Outputs, `[B, Hq, Nq, Dv]`: f32, or rounded to the type of the inputs.">:$o,
    Res<Girih_Output3D, "Natural log of the sum of exponentials, `[B, Hq, Nq]`.">:$lse);
  let regions = (region MaxSizedRegion<1>:$score);
  let assemblyFormat = [{
    `q` `(` $q `)` `k` `(` $k `)` `v` `(` $v `)` `pattern` `(` $pattern `)` (`scale` `(` $scale^ `)`)?
    (`map` `(` $map^ `)`)? (`reads` `(` $reads^ `)`)?
    (`align` $align^)? (`tile` $tile^)? (`score` $score^)? attr-dict `:` type($q) `,` type($k) `,` type($v) `->` type($o) `,` type($lse)
  }];
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
}

def Girih_BlockMapOp : Girih_Op<"block_map", [Pure]> {
  let summary = "Derive which k-tiles each q-tile visits";
  let description = [{
    With tile = [BM, BN], q-tile `i` holds queries `i * BM ..< (i + 1) * BM` of the
    launch and k-tile `j` keys `j * BN ..< (j + 1) * BN`. The map lists tile
    `(i, j)` when it holds a kept pair, as full when every pair is kept and in
    bounds. Causal with tile = [2, 2], `P` partial and `F` full:

        # . . .
        # # . .   ->   P .
        # # # .        F P
        # # # #

    Providers: `ranges` derives runs in closed form from `ranges`, whose union is
    the pattern; `table` bisects the index space once for each launch shape; `csr`
    takes lists from run time.

    - [c1] `tile` is two positive numbers.
    - [c2] `ranges` is present exactly when the provider is `ranges`.
    - [c3] Views have one dimension and one result.

    ```mlir
    %past = girih.causal
    %map = girih.block_map %past tile [64, 64] provider table
    %view = girih.block_map %past tile [64, 64] provider ranges
        ranges [#girih.range<lower = affine_map<(b, h, q)[nq, nk, n] -> (0)>,
                             upper = affine_map<(b, h, q)[nq, nk, n] -> (q)>>]
        q_view affine_map<(d0) -> (d0)> k_view affine_map<(d0) -> (d0)>
    ```

    It is not a scan: no provider visits all `nq * nk` pairs, or all tiles.
  }];
  let arguments = (ins
    Arg<Girih_PatternType, "The pairs that listed tiles cover.">:$pattern,
    Arg<DenseI64ArrayAttr, "Rows of a q-tile and of a k-tile.">:$tile,
    Arg<Girih_Provider, "How lists are derived.">:$provider,
    Arg<OptionalAttr<TypedArrayAttrBase<Girih_RangeAttr, "array of key ranges">>, "Closed form of the pattern: the union of these terms.">:$ranges,
    Arg<OptionalAttr<AffineMapAttr>, "Token of a position in q-tile order; the identity when absent.">:$qView,
    Arg<OptionalAttr<AffineMapAttr>, "Token of a position in k-tile order; the identity when absent.">:$kView);
  let results = (outs Res<Girih_BlockMapType, "The lists of k-tiles.">:$map);
  let assemblyFormat = [{
    $pattern `tile` $tile `provider` $provider (`ranges` $ranges^)? (`q_view` $qView^)? (`k_view` $kView^)? attr-dict
  }];
  let hasVerifier = 1;
}

def Girih_ForBlocksOp : Girih_Op<"for_blocks", [SingleBlock, RecursiveMemoryEffects]> {
  let summary = "Visit the k-tiles that a block map lists for a q-tile";
  let description = [{
    Runs the region once for each k-tile that `map` lists for `(batch, head,
    q_tile)`, in ascending order, with the index of the tile, whether it is
    partial, and the loop-carried values. Results are the last values yielded, or
    the initial ones when no tile is listed. For q-tile 1 of the picture at
    `girih.block_map` it visits `(0, false)`, then `(1, true)`.

    - [c1] The region takes an `index`, an `i1` and the loop-carried types.
    - [c2] It ends in `girih.yield` of the loop-carried types.
    - [c3] Results have the types of the initial values.

    ```mlir
    func.func @count(%map: !girih.block_map, %b: index, %h: index, %i: index) -> index {
      %zero = arith.constant 0 : index
      %one = arith.constant 1 : index
      %tiles = girih.for_blocks (%j, %partial) of %map[%b, %h, %i] iter_args(%n = %zero) -> (index) {
        %next = arith.addi %n, %one : index
        girih.yield %next : index
      }
      return %tiles : index
    }
    ```

    It does not visit keys: what to do with a tile is the region's business.
  }];
  let arguments = (ins
    Arg<Girih_BlockMapType, "The lists to read.">:$map,
    Arg<Index, "Batch of the q-tile.">:$batch,
    Arg<Index, "Query head of the q-tile.">:$head,
    Arg<Index, "Index of the q-tile.">:$qTile,
    Arg<Variadic<AnyType>, "Initial loop-carried values.">:$inits);
  let results = (outs Res<Variadic<AnyType>, "Final loop-carried values.">:$results);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasRegionVerifier = 1;
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
