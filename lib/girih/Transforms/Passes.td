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
    sets over h, regions of girih.predicate are read as affine constraints.

    *Needs*: patterns made in the function that uses them.

    *Leaves*: only girih.full, empty, where, union, intersect, complement,
    segments, block_table and random_blocks.

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

#endif // GIRIH_TRANSFORMS_PASSES_TD
