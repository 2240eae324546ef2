//===- GirihBase.td - The girih dialect, its types and attributes ---------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_PATTERN_GIRIHBASE_TD
#define GIRIH_PATTERN_GIRIHBASE_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

def Girih_Dialect : Dialect {
  let name = "girih";
  let cppNamespace = "::girih";
  let summary = "Attention sparsity patterns and attention over them";
  let description = [{
    Level L0 declares which (query, key) pairs attend, as `!girih.pattern`
    values made by pure ops, and attention over such a pattern. Level L1 adds
    the block map that a pattern gives for a tiling, and the one loop over keys.
    dialect/README.md has the vocabulary.
  }];
  let hasConstantMaterializer = 1;
  let useDefaultTypePrinterParser = 1;
  let useDefaultAttributePrinterParser = 1;
  let dependentDialects = ["::mlir::arith::ArithDialect"];
}

class Girih_Type<string name, string typeMnemonic> : TypeDef<Girih_Dialect, name> {
  let mnemonic = typeMnemonic;
}

def Girih_PatternType : Girih_Type<"Pattern", "pattern">,
    BuildableType<"$_builder.getType<::girih::PatternType>()"> {
  let summary = "A set of (batch, head, query, key) tuples that attend";
  let description = [{
    The set that a pattern op describes, for every length at once. `q` is the
    absolute query position: query `i` of a launch stands at `i + nk - nq`
    (`bottom_right`) or at `i` (`top_left`), so it may be negative. `h` is the
    query head. Only tuples of a launch count: `b >= 0`, `h >= 0`,
    `0 <= k < nk`, `n - nq <= q < n`, where `n` is the absolute query end.

    It is not a mask: no value of this type is ever held in memory.

    ```mlir
    func.func private @takes_a_pattern(!girih.pattern)
    ```
  }];
}

def Girih_BlockMapType : Girih_Type<"BlockMap", "block_map">,
    BuildableType<"$_builder.getType<::girih::BlockMapType>()"> {
  let summary = "For each q-tile, the k-tiles to visit and their state";
  let description = [{
    Ascending, disjoint runs of k-tiles for each (batch, head, q-tile), each run
    full (every pair is kept and in bounds) or partial (the mask decides). Every
    kept pair lies in exactly one listed tile.

    It is not a list of pairs: its size is proportional to runs, never to
    `nq * nk`.

    ```mlir
    func.func private @takes_a_map(!girih.block_map)
    ```
  }];
}

class Girih_Attr<string name, string attrMnemonic> : AttrDef<Girih_Dialect, name> {
  let mnemonic = attrMnemonic;
}

def Girih_RangeAttr : Girih_Attr<"Range", "range"> {
  let summary = "Closed-form key range of a query: one conjunctive term";
  let description = [{
    Query `q` of head `h` in batch `b` keeps the keys `max(lower) <= k <= min(upper)`
    when every constraint of `guard` holds. A map without results bounds nothing.
    Dimensions of maps and set are `(b, h, q)`, symbols `[nq, nk, n]` followed by
    `begin, end` of the segment that holds `q` for each segment table, in units of
    that table.

    - [c1] `lower`, `upper` and `guard` have 3 dimensions.
    - [c2] They have the same number of symbols: 3, plus 2 for each segment table.

    ```mlir
    #local = #girih.range<lower = affine_map<(b, h, q)[nq, nk, n] -> (0, q - 1023)>,
                          upper = affine_map<(b, h, q)[nq, nk, n] -> (q)>>
    ```

    A guard is quoted, because `>=` would end the text of the attribute; the alias
    of an `affine_set` does as well:

    ```mlir
    #strip = #girih.range<lower = affine_map<(b, h, q)[nq, nk, n] -> (0)>,
                          upper = affine_map<(b, h, q)[nq, nk, n] -> (63)>,
                          guard = "(b, h, q)[nq, nk, n] : (q - 64 >= 0)">
    ```

    It is not a clamp to the keys that exist: bounds may leave `0 .. nk - 1`.
  }];
  let parameters = (ins
    AttrParameter<"::mlir::AffineMapAttr", "Lower bounds of the key; the largest one counts.">:$lower,
    AttrParameter<"::mlir::AffineMapAttr", "Upper bounds of the key, inclusive; the smallest one counts.">:$upper,
    OptionalParameter<"::mlir::IntegerSetAttr", "Condition on (b, h, q) for the term to hold at all.">:$guard);
  let assemblyFormat = "`<` `lower` `=` $lower `,` `upper` `=` $upper (`,` `guard` `=` custom<Guard>($guard)^)? `>`";
  let genVerifyDecl = 1;
}

class Girih_Op<string mnemonic, list<Trait> traits = []> : Op<Girih_Dialect, mnemonic, traits>;

/// An op that makes a pattern out of attributes and other patterns.
class Girih_PatternOp<string mnemonic, list<Trait> traits = []>
    : Girih_Op<mnemonic, !listconcat([Pure], traits)> {
  let results = (outs Res<Girih_PatternType, "The set of kept pairs.">:$result);
}

def Girih_NonNegative : ConfinedAttr<I64Attr, [IntNonNegative]>;
def Girih_Positive : ConfinedAttr<I64Attr, [IntPositive]>;

#endif // GIRIH_PATTERN_GIRIHBASE_TD
