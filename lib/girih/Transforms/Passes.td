//===- Passes.td - Passes from girih to girih -----------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_TRANSFORMS_PASSES_TD
#define GIRIH_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"

def ExpandNamedPatterns : Pass<"girih-expand-named-patterns", "::mlir::func::FuncOp"> {
  let summary = "Expand named patterns and predicates to the normal form";
  let description = [{
    *Does*: replaces every pattern that a non-pattern op uses by its predicate
    normal form: unions, intersections and complements of girih.where sets and
    table atoms. girih.blockwise is substituted into the sets, girih.heads becomes
    sets over h, regions of girih.predicate are read as affine constraints, their
    lookups as terms that sets name. What a score region looks up becomes `reads` of
    its girih.attention.

    *Needs*: patterns made in the function that uses them.

    *Leaves*: only girih.full, empty, where, union, intersect, complement,
    segments, block_table and random_blocks, and terms.

    *Declines*: what is in normal form already. A predicate that leaves 62 bits,
    divides by a variable or calls an op that is no index arithmetic is an error.

    *Example*: test/Transforms/expand-named-patterns.mlir
  }];
  let dependentDialects = ["::girih::GirihDialect"];
}

def SimplifyPatterns : Pass<"girih-simplify-patterns", "::mlir::func::FuncOp"> {
  let summary = "Push complements to the leaves and drop what is provably empty";
  let description = [{
    *Does*: canonicalises pattern ops, moves complements inwards by De Morgan's
    laws, complements single constraints in place, and merges intersections of
    sets.

    *Needs*: nothing; it works on named patterns too.

    *Leaves*: complements only above table atoms and named patterns.

    *Declines*: complements of sets with more than eight constraints, which would
    grow.

    *Example*: test/Transforms/simplify-patterns.mlir
  }];
  let dependentDialects = ["::girih::GirihDialect"];
}

def ChooseTiling : Pass<"girih-choose-tiling", "::mlir::func::FuncOp"> {
  let summary = "Choose rows and keys of a tile";
  let description = [{
    *Does*: sets `tile` of every girih.attention that has none.

    *Needs*: nothing.

    *Leaves*: every girih.attention with a tile.

    *Declines*: attention that has a tile already.

    *Example*: test/Transforms/choose-tiling.mlir
  }];
  let options = [
    Option<"tileQ", "girih-tile-q", "int64_t", "0", "Rows of a q-tile; 0 lets the pass choose">,
    Option<"tileK", "girih-tile-k", "int64_t", "0", "Keys of a k-tile; 0 lets the pass choose">];
}

def BuildBlockMaps : Pass<"girih-build-block-maps", "::mlir::func::FuncOp"> {
  let summary = "Derive a block map for every attention";
  let description = [{
    *Does*: gives every girih.attention a girih.block_map of its pattern and tile.
    The provider is `ranges` with the closed form where the pattern solves for the
    key, `csr` where the pattern is one run-time table, else `table`.

    *Needs*: patterns in normal form and a tile on every attention.

    *Leaves*: every girih.attention with a map.

    *Declines*: attention that has a map already.

    *Example*: test/Transforms/build-block-maps.mlir
  }];
  let dependentDialects = ["::girih::GirihDialect"];
}

def AssignLayouts : Pass<"girih-assign-layouts", "::mlir::func::FuncOp"> {
  let summary = "Say where the tiles of a GPU kernel live";
  let description = [{
    *Does*: gives every tile of a tile kernel a layout as encoding, from the closed
    set of girih_ws.layout: loads live in shared memory, in the way that their
    product reads them; results of products and what is computed from them in
    accumulators; row vectors with the threads of their rows. Rounding to the left
    side of a product becomes girih_ws.pack.

    *Needs*: what girih-convert-attention-to-tile with girih-tensor-cores leaves.

    *Leaves*: no tile without a layout.

    *Declines*: functions without girih_tile.task. A tile that would need another
    layout is an error.

    *Example*: test/Transforms/assign-layouts.mlir
  }];
  let dependentDialects = ["::girih::ws::GirihWsDialect"];
}

def WsAsyncDot : Pass<"girih-ws-async-dot", "::mlir::func::FuncOp"> {
  let summary = "Split products into their start and a wait";
  let description = [{
    *Does*: rewrites girih_tile.dot in compute roles to girih_ws.dot_async and a
    girih_ws.wait right behind it. An accumulator that begins anew with a condition
    (select of zero) becomes the `fresh` operand, which costs no instruction.

    *Needs*: layouts on every tile.

    *Leaves*: no girih_tile.dot in roles.

    *Declines*: functions without roles.

    *Example*: test/Transforms/ws-async-dot.mlir
  }];
  let dependentDialects = ["::girih::ws::GirihWsDialect"];
}

def WsEarlyMasks : Pass<"girih-ws-early-masks", "::mlir::func::FuncOp"> {
  let summary = "Evaluate costly patterns before the scores are there";
  let description = [{
    *Does*: splits girih_tile.mask into girih_ws.keep, in front of the first product
    of the item, and girih_ws.drop in its place, where the pattern needs more than a
    few compares an element. While products are in flight and scores wait, hardly a
    register is free; before that, many are.

    *Needs*: products in flight (girih-ws-async-dot), a loop that is not pipelined
    yet.

    *Leaves*: cheap masks as girih_tile.mask.

    *Declines*: patterns of a few constraints: on the scores they cost one compare
    and one select an element.

    *Example*: test/Transforms/ws-early-masks.mlir
  }];
  let dependentDialects = ["::girih::ws::GirihWsDialect"];
}

def WsPipeline : Pass<"girih-ws-pipeline", "::mlir::func::FuncOp"> {
  let summary = "Overlap the second product of an item with the next item";
  let description = [{
    *Does*: splits the loop over items of a compute role into two stages, up to the
    last product and from it on, and runs the second stage of an item after the
    first product of the next one has started: both are in flight at a time, and
    the softmax of an item runs while the values of the one before are multiplied.
    As items run through tasks, the last product and the output of a task overlap
    the beginning of the next.

    *Needs*: products in flight (girih-ws-async-dot), two of them an item.

    *Leaves*: a `first` region in the loop; the second stage of the last item behind
    it.

    *Declines*: loops that have a `first` region or fewer than two products.

    *Example*: test/Transforms/ws-pipeline.mlir
  }];
  let dependentDialects = ["::girih::ws::GirihWsDialect", "::mlir::scf::SCFDialect"];
}

def WsPingPong : Pass<"girih-ws-ping-pong", "::mlir::func::FuncOp"> {
  let summary = "Let warpgroups take turns at the tensor cores";
  let description = [{
    *Does*: wraps the products that each item starts in girih_ws.turn, from the
    first one to the last, so that one warpgroup multiplies while another computes
    its softmax.

    *Needs*: a pipelined loop (girih-ws-pipeline).

    *Leaves*: one turn an item.

    *Declines*: roles of one warpgroup, and loops that have turns.

    *Example*: test/Transforms/ws-ping-pong.mlir
  }];
  let dependentDialects = ["::girih::ws::GirihWsDialect"];
}

def WsVerify : Pass<"girih-ws-verify", "::mlir::func::FuncOp"> {
  let summary = "Prove that a warp-specialised program neither hangs nor races";
  let description = [{
    *Does*: checks of every program that each channel has one role that puts and
    one that gets, as many tiles an item on both sides and under the same
    condition; that a tile is got before it is released, and released before the
    next one is got; that no product reads a tile or an accumulator that was given
    back or is in flight; that waits leave no more products in flight than started
    behind theirs; that every warpgroup takes as many turns as the others; that no
    order of tasks leaves roles waiting for each other; that registers, threads,
    barriers and shared memory fit a multiprocessor.

    *Needs*: nothing.

    *Leaves*: the function as it is.

    *Declines*: functions without roles.

    *Example*: test/Transforms/ws-verify.mlir
  }];
}

#endif // GIRIH_TRANSFORMS_PASSES_TD
