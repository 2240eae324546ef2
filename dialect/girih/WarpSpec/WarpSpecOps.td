//===- WarpSpecOps.td - Warp-specialised programs -------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Level L4. A kernel is a few roles that run at the same time and hand tiles to
// each other through channels. Arithmetic on tiles is still that of L2.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_WARPSPEC_WARPSPECOPS_TD
#define GIRIH_WARPSPEC_WARPSPECOPS_TD

include "girih/Pattern/GirihBase.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"

def GirihWs_Dialect : Dialect {
  let name = "girih_ws";
  let cppNamespace = "::girih::ws";
  let summary = "Warp-specialised programs: roles, channels, products in flight";
  let description = [{
    Level L4, where a tile kernel has become a program of roles: threads that copy
    tiles, and warpgroups that multiply them. Tiles carry a layout as encoding;
    channels, tokens and turns say what waits for what. Barriers, phases and
    addresses come below.
  }];
  let dependentDialects = ["::girih::GirihDialect", "::girih::tile::GirihTileDialect"];
  let useDefaultAttributePrinterParser = 1;
  let useDefaultTypePrinterParser = 1;
}

class GirihWs_Op<string mnemonic, list<Trait> traits = []> : Op<GirihWs_Dialect, mnemonic, traits>;

//===----------------------------------------------------------------------===//
// Layouts
//===----------------------------------------------------------------------===//

def GirihWs_Place : I32EnumAttr<"Place", "where the elements of a tile live", [
    I32EnumAttrCase<"SharedK", 0, "shared_k">,
    I32EnumAttrCase<"SharedMN", 1, "shared_mn">,
    I32EnumAttrCase<"Accumulator", 2, "accumulator">,
    I32EnumAttrCase<"Operand", 3, "operand">,
    I32EnumAttrCase<"Rows", 4, "rows">]> {
  let cppNamespace = "::girih::ws";
  let genSpecializedAttr = 0;
}

def GirihWs_LayoutAttr : AttrDef<GirihWs_Dialect, "Layout"> {
  let mnemonic = "layout";
  let summary = "Where the elements of a tile live";
  let description = [{
    The closed set of layouts, as tensor encodings:

    - `shared_k`: shared memory in rows of 128 bytes, 128-byte swizzle, read along
      the rows: q and k in q k^T.
    - `shared_mn`: the same bytes, read across the rows: v in p v.
    - `accumulator`: registers of a warpgroup, f32: element `4 j + 2 r + x` of a
      thread is row `16 warp + lane / 4 + 8 r`, column `8 j + 2 (lane % 4) + x`.
    - `operand`: registers, pairs of 16-bit elements of an accumulator: the left
      side of the next product.
    - `rows`: a number for each row of an accumulator, with every thread that has
      elements of it.

    ```mlir
    func.func private @scores(tensor<128x64xf32, #girih_ws.layout<accumulator>>)
    ```
  }];
  let parameters = (ins EnumParameter<GirihWs_Place>:$place);
  let assemblyFormat = "`<` $place `>`";
}

class GirihWs_TileIn<string place, string summary, int rank = 2> : Type<
    And<[RankedTensorOf<[AnyType], [HasStaticShapePred, HasAnyRankOfPred<[rank]>]>.predicate,
         CPred<"::girih::ws::placeOf($_self) == ::girih::ws::Place::" # place>]>, summary,
    "::mlir::RankedTensorType">;
def GirihWs_Accumulator : GirihWs_TileIn<"Accumulator", "tile in an accumulator">;
def GirihWs_Operand : GirihWs_TileIn<"Operand", "tile of a left operand in registers">;
def GirihWs_SharedK : GirihWs_TileIn<"SharedK", "tile in shared memory, read along its rows">;
def GirihWs_SharedMN : GirihWs_TileIn<"SharedMN", "tile in shared memory, read across its rows">;
def GirihWs_RowVector : GirihWs_TileIn<"Rows", "row vector", 1>;
def GirihWs_Shared : AnyTypeOf<[GirihWs_SharedK, GirihWs_SharedMN], "tile in shared memory",
                               "::mlir::RankedTensorType">;

//===----------------------------------------------------------------------===//
// Types
//===----------------------------------------------------------------------===//

def GirihWs_ChannelType : TypeDef<GirihWs_Dialect, "Channel"> {
  let mnemonic = "channel";
  let summary = "A ring of tiles in shared memory, from one role to another";
  let description = [{
    Holds `stages` tiles. The n-th tile that is put is the n-th that is got; a put
    waits for the tile that was `stages` before it to be released.
  }];
  let parameters = (ins "::mlir::RankedTensorType":$tile, "int64_t":$stages);
  let assemblyFormat = "`<` $tile `,` $stages `>`";
  let genVerifyDecl = 1;
}

def GirihWs_TokenType : TypeDef<GirihWs_Dialect, "Token"> {
  let mnemonic = "token";
  let summary = "A product in flight";
  let description = [{
    What it stands for is in registers that nobody may touch before a
    `girih_ws.wait` makes the tile of it.
  }];
  let parameters = (ins "::mlir::RankedTensorType":$tile);
  let assemblyFormat = "`<` $tile `>`";
}

def GirihWs_RoleKind : I32EnumAttr<"RoleKind", "what the threads of a role do", [
    I32EnumAttrCase<"Load", 0, "load">, I32EnumAttrCase<"Compute", 1, "compute">]> {
  let cppNamespace = "::girih::ws";
}

//===----------------------------------------------------------------------===//
// Roles and items
//===----------------------------------------------------------------------===//

def GirihWs_RoleOp : GirihWs_Op<"role", [NoTerminator, SingleBlock]> {
  let summary = "What some warpgroups of every block do, beside the other roles";
  let description = [{
    `load` is one thread of one warpgroup; `compute` is `warpgroups` warpgroups of
    64 rows each of every tile, which all run the region.

    - [c1] `registers` is a multiple of 8 in 24..256.
    - [c2] `warpgroups` is in 1..8: a block has at most 1024 threads.

    ```mlir
    func.func @nothing() {
      girih_ws.role load warpgroups 1 registers 24 {
      }
      return
    }
    ```

    It is not a function: roles of a kernel start together and end together.
  }];
  let arguments = (ins
    Arg<GirihWs_RoleKind, "What its threads do.">:$kind,
    Arg<I64Attr, "Warpgroups of 128 threads.">:$warpgroups,
    Arg<I64Attr, "Registers of each thread.">:$registers);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$kind `warpgroups` $warpgroups `registers` $registers $body attr-dict";
  let hasVerifier = 1;
}

def GirihWs_ForItemsOp : GirihWs_Op<"for_items", [HasParent<"RoleOp">, RecursiveMemoryEffects]> {
  let summary = "Visit every (q-tile, k-tile) of every task of this block";
  let description = [{
    The tasks of a block are lists of k-tiles, one list for a q-tile of a head (or
    a part of one). This is the one loop over all of them, in order: an item is a
    k-tile of a task, and knows whether it is the first or the last of it. So a
    pipeline over items runs through from one task into the next. A block has at
    least one task and a task at least one item.

    Regions take `(batch, head, kv_head, q_tile, k_tile, slot : index, first, last,
    partial : i1)` and the carried values. `slot` is where the results of a part of
    a split list go, negative for a whole list. Where `first` is empty, `rest` runs for
    every item, and carried values begin as `inits`. Else `first` runs for the very
    first item, without carried values, and yields them for `rest`, which runs for
    all others. Results are the last ones yielded.

    - [c1] Regions take the nine parts of an item, and `rest` the carried values.
    - [c2] Regions yield the carried values.
    - [c3] `inits` are as many as results without `first`, none with it.

    ```mlir
    func.func @count(%map: !girih.block_map) {
      girih_ws.role load warpgroups 1 registers 24 {
        %zero = arith.constant 0 : index
        %n = girih_ws.for_items of %map init(%zero : index) first {} rest {
        ^bb0(%b: index, %h: index, %g: index, %i: index, %j: index, %s: index, %first: i1, %last: i1, %partial: i1, %before: index):
          %one = arith.constant 1 : index
          %next = arith.addi %before, %one : index
          girih.yield %next : index
        } -> index
      }
      return
    }
    ```

    It does not say who reads the lists: one role may, and tell the others.
  }];
  let arguments = (ins
    Arg<Girih_BlockMapType, "The lists to read.">:$map,
    Arg<Variadic<AnyType>, "Carried values before the first item; none with `first`.">:$inits);
  let results = (outs Res<Variadic<AnyType>, "Carried values behind the last item.">:$results);
  let regions = (region MaxSizedRegion<1>:$first, SizedRegion<1>:$rest);
  let assemblyFormat = [{
    `of` $map (`init` `(` $inits^ `:` type($inits) `)`)? `first` $first `rest` $rest attr-dict (`->` type($results)^)?
  }];
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    /// Position of each part of an item among the arguments of a region.
    enum Part { Batch, Head, KvHead, QTile, KTile, Slot, First, Last, Partial, NumParts };
    ::mlir::BlockArgument getPart(Part part) { return getRest().getArgument(part); }
    ::mlir::Block::BlockArgListType getCarried() { return getRest().getArguments().drop_front(NumParts); }
  }];
}

//===----------------------------------------------------------------------===//
// Channels
//===----------------------------------------------------------------------===//

def GirihWs_MakeChannelOp : GirihWs_Op<"make_channel"> {
  let summary = "Set up a channel";
  let description = [{
    Takes shared memory for the tiles of the ring, and two barriers a stage.

    ```mlir
    %keys = girih_ws.make_channel : !girih_ws.channel<tensor<128x64xbf16, #girih_ws.layout<shared_k>>, 2>
    ```
  }];
  let results = (outs Res<GirihWs_ChannelType, "The channel, empty.">:$channel);
  let assemblyFormat = "attr-dict `:` type($channel)";
}

def GirihWs_PutOp : GirihWs_Op<"put"> {
  let summary = "Copy rows of one head to the next free tile of a channel";
  let description = [{
    Waits until the tile is free, then starts a copy that fills it with
    `source[batch, head, row + i, c]`, and 0 where that is out of bounds. With
    `when`, only if it is true.

    - [c1] Element types of `source` and of the channel match.
    - [c2] `source` and the channel have as many columns, where that is static.

    ```mlir
    func.func @fill(%k: tensor<?x?x?x64xbf16>, %b: index, %h: index, %row: index) {
      %keys = girih_ws.make_channel : !girih_ws.channel<tensor<128x64xbf16, #girih_ws.layout<shared_k>>, 2>
      girih_ws.put %keys, %k[%b, %h, %row]
        : !girih_ws.channel<tensor<128x64xbf16, #girih_ws.layout<shared_k>>, 2>, tensor<?x?x?x64xbf16>
      return
    }
    ```

    It does not wait for the copy: a get does.
  }];
  let arguments = (ins
    Arg<GirihWs_ChannelType, "Where to put the rows.", [MemWrite]>:$channel,
    Arg<RankedTensorOf<[AnyFloat], [HasAnyRankOfPred<[4]>], "rank-4 tensor">, "Tokens, `[B, H, N, D]`.">:$source,
    Arg<Index, "Batch to copy from.">:$batch,
    Arg<Index, "Head of `source` to copy from.">:$head,
    Arg<Index, "Token of the tile's first row.">:$row,
    Arg<Optional<I1>, "Whether to put at all.">:$when);
  let assemblyFormat = [{
    $channel `,` $source `[` $batch `,` $head `,` $row `]` (`when` $when^)? attr-dict `:` type($channel) `,` type($source)
  }];
  let hasVerifier = 1;
}

def GirihWs_GetOp : GirihWs_Op<"get"> {
  let summary = "Wait for the next tile of a channel";
  let description = [{
    The n-th get of a role waits for what the n-th put copied. With `when` false
    the tile is the one that was got last.

    - [c1] The result is the tile of the channel.

    ```mlir
    func.func @take() {
      %keys = girih_ws.make_channel : !girih_ws.channel<tensor<128x64xbf16, #girih_ws.layout<shared_k>>, 2>
      %k = girih_ws.get %keys : !girih_ws.channel<tensor<128x64xbf16, #girih_ws.layout<shared_k>>, 2>
        -> tensor<128x64xbf16, #girih_ws.layout<shared_k>>
      girih_ws.release %keys : !girih_ws.channel<tensor<128x64xbf16, #girih_ws.layout<shared_k>>, 2>
      return
    }
    ```
  }];
  let arguments = (ins
    Arg<GirihWs_ChannelType, "Where to take the tile from.", [MemRead, MemWrite]>:$channel,
    Arg<Optional<I1>, "Whether to go on to the next tile.">:$when);
  let results = (outs Res<GirihWs_Shared, "The tile, in shared memory.">:$tile);
  let assemblyFormat = "$channel (`when` $when^)? attr-dict `:` type($channel) `->` type($tile)";
  let hasVerifier = 1;
}

def GirihWs_ReleaseOp : GirihWs_Op<"release"> {
  let summary = "Give the tile that was got last back to the channel";
  let description = [{
    Nothing may read the tile behind this, products in flight included. With
    `when`, only if it is true. See `girih_ws.get`.
  }];
  let arguments = (ins
    Arg<GirihWs_ChannelType, "Where the tile came from.", [MemRead, MemWrite]>:$channel,
    Arg<Optional<I1>, "Whether to release at all.">:$when);
  let assemblyFormat = "$channel (`when` $when^)? attr-dict `:` type($channel)";
}

//===----------------------------------------------------------------------===//
// Products in flight
//===----------------------------------------------------------------------===//

def GirihWs_PackOp : GirihWs_Op<"pack", [Pure]> {
  let summary = "Round an accumulator to a left operand";
  let description = [{
    `result[i, j] = round(tile[i, j])` to the element type of the result, to
    nearest, ties to even. No element changes threads.
  }];
  let arguments = (ins Arg<GirihWs_Accumulator, "f32 elements.">:$tile);
  let results = (outs Res<GirihWs_Operand, "The same in 16 bits.">:$result);
  let assemblyFormat = "$tile attr-dict `:` type($tile) `->` type($result)";
}

def GirihWs_DotAsyncOp : GirihWs_Op<"dot_async", [AttrSizedOperandSegments]> {
  let summary = "Start a product";
  let description = [{
    As `girih_tile.dot`, but only started: `token` stands for
    `lhs * rhs + acc`, or `lhs * rhs` alone where `acc` is absent or `fresh` is
    true. The registers of `acc` become those of the result. `rhs` is read
    transposed when its layout is `shared_k`.

    - [c1] The token is of an accumulator with the rows of `lhs`.
    - [c2] `acc` has the type of the token's tile.
    - [c3] Columns of `lhs` and the K of `rhs` match.
    - [c4] Columns of the token's tile and the N of `rhs` match.

    Products end in the order in which they started.
  }];
  let arguments = (ins
    Arg<AnyTypeOf<[GirihWs_SharedK, GirihWs_Operand]>, "Left tile, M x K.">:$lhs,
    Arg<GirihWs_Shared, "Right tile, K x N (`shared_mn`) or N x K (`shared_k`).">:$rhs,
    Arg<Optional<GirihWs_Accumulator>, "What the product is added to, M x N.">:$acc,
    Arg<Optional<I1>, "Whether to leave `acc` out.">:$fresh);
  let results = (outs Res<GirihWs_TokenType, "The product in flight.">:$token);
  let assemblyFormat = [{
    $lhs `,` $rhs (`acc` `(` $acc^ `:` type($acc) `)`)? (`fresh` $fresh^)? attr-dict `:` type($lhs) `,` type($rhs) `->` type($token)
  }];
  let hasVerifier = 1;
}

def GirihWs_WaitOp : GirihWs_Op<"wait"> {
  let summary = "Wait for a product";
  let description = [{
    Waits until at most `pending` products of this warpgroup are in flight, and
    gives the tile that `token` stands for.

    - [c1] The result is the tile of the token.
  }];
  let arguments = (ins
    Arg<GirihWs_TokenType, "The product.">:$token,
    Arg<I64Attr, "How many later products may go on.">:$pending);
  let results = (outs Res<GirihWs_Accumulator, "Its result.">:$tile);
  let assemblyFormat = "$token `pending` $pending attr-dict `:` type($token) `->` type($tile)";
  let hasVerifier = 1;
}

def GirihWs_KeepOp : GirihWs_Op<"keep", [Pure]> {
  let summary = "Evaluate a pattern on the pairs of a tile";
  let description = [{
    `result[i, j]` is whether key `k_row + j` is in bounds and `pattern` keeps it for
    a query at position `q_row + i`; anything when `when` is false.

    It is what `girih_tile.mask` asks for each score, apart from the scores, so that
    it can be done before they are there.
  }];
  let arguments = (ins
    Arg<Girih_PatternType, "The pairs to keep.">:$pattern,
    Arg<Index, "Batch of the tile.">:$batch,
    Arg<Index, "Query head of the tile.">:$head,
    Arg<Index, "Absolute position of the tile's first query.">:$qRow,
    Arg<Index, "Key in the tile's first column.">:$kRow,
    Arg<I1, "Whether to evaluate at all: true on partial tiles.">:$when);
  let results = (outs Res<GirihWs_Accumulator, "i1, one for each pair.">:$result);
  let assemblyFormat = [{
    $pattern `at` `[` $batch `,` $head `,` $qRow `,` $kRow `]` `when` $when attr-dict `:` type($result)
  }];
}

def GirihWs_DropOp : GirihWs_Op<"drop", [Pure, AllTypesMatch<["tile", "result"]>]> {
  let summary = "Set the scores that are not kept to minus infinity";
  let description = [{
    `result[i, j] = tile[i, j]` when `when` is false or `keep[i, j]` is true, else
    `-inf`.

    - [c1] `keep` has an i1 for each element of `tile`.
  }];
  let arguments = (ins
    Arg<GirihWs_Accumulator, "Scores.">:$tile,
    Arg<GirihWs_Accumulator, "Which to keep, i1.">:$keep,
    Arg<I1, "Whether to drop any: true on partial tiles.">:$when);
  let results = (outs Res<GirihWs_Accumulator, "Masked scores.">:$result);
  let assemblyFormat = "$tile `keep` $keep `when` $when attr-dict `:` type($tile) `,` type($keep)";
  let hasVerifier = 1;
}

def GirihWs_StoreOp : GirihWs_Op<"store"> {
  let summary = "Store a tile to an output, or to the workspace of a split list";
  let description = [{
    As `girih_tile.store` where `slot` is negative. Else the tile is that of a part
    of the list, and goes to `workspace[slot, i, c]` in f32, from where the parts are
    merged.
  }];
  let arguments = (ins
    Arg<AnyTypeOf<[GirihWs_Accumulator, GirihWs_RowVector], "tile in registers", "::mlir::RankedTensorType">, "The rows to store.">:$tile,
    Arg<MemRefRankOf<[F32, BF16, F16], [3, 4]>, "Destination `[B, H, N, D]`, or `[B, H, N]` for a row vector.", [MemWrite]>:$dest,
    Arg<Index, "Batch to store to.">:$batch,
    Arg<Index, "Head of `dest` to store to.">:$head,
    Arg<Index, "Token of the tile's first row.">:$row,
    Arg<Index, "Slot of the workspace; negative: none.">:$slot);
  let assemblyFormat = [{
    $tile `,` $dest `[` $batch `,` $head `,` $row `]` `slot` $slot attr-dict `:` type($tile) `,` type($dest)
  }];
}

def GirihWs_TurnOp : GirihWs_Op<"turn", [SingleBlock, RecursiveMemoryEffects]> {
  let summary = "Run a region while no other warpgroup of the role runs it";
  let description = [{
    Warpgroups take turns, in order: each runs the region n times when the others
    have run it n times or n - 1 times. So one starts its products while another
    computes its softmax.

    - [c1] The region yields the results.
  }];
  let results = (outs Res<Variadic<AnyType>, "What the region yields.">:$results);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$body attr-dict (`->` type($results)^)?";
  let hasRegionVerifier = 1;
}

#endif // GIRIH_WARPSPEC_WARPSPECOPS_TD
