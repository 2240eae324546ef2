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
include "mlir/Interfaces/SideEffectInterfaces.td"

def Girih_Dialect : Dialect {
  let name = "girih";
  let cppNamespace = "::girih";
  let summary = "Attention sparsity patterns and attention over them";
  let description = [{
    Level L0 declares which (query, key) pairs attend, as `!girih.pattern`
    values made by pure ops, and attention over such a pattern. Level L1 adds
    the block map that a pattern gives for a tiling, and the one loop over keys.
    README.md beside this folder has the vocabulary.
  }];
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
}

def Girih_BlockMapType : Girih_Type<"BlockMap", "block_map">,
    BuildableType<"$_builder.getType<::girih::BlockMapType>()"> {
  let summary = "For each q-tile, the k-tiles to visit and their state";
}

class Girih_Attr<string name, string attrMnemonic> : AttrDef<Girih_Dialect, name> {
  let mnemonic = attrMnemonic;
}

def Girih_RangeAttr : Girih_Attr<"Range", "range"> {
  let summary = "Closed-form key range of a query: one conjunctive term";
  let description = [{
    Query `q` of head `h` in batch `b` keeps the keys `max(lower) <= k <= min(upper)`
    when every constraint of `guard` holds. Dimensions of maps and set are
    `(b, h, q)`, symbols `[nq, nk, n]` followed by `begin, end` of the segment
    that holds `q` for each segment table, in units of that table.

    ```mlir
    #girih.range<lower = affine_map<(b, h, q)[nq, nk, n] -> (0, q - 1023)>,
                 upper = affine_map<(b, h, q)[nq, nk, n] -> (q)>>
    ```
  }];
  let parameters = (ins "::mlir::AffineMapAttr":$lower, "::mlir::AffineMapAttr":$upper,
                        OptionalParameter<"::mlir::IntegerSetAttr">:$guard);
  let assemblyFormat = "`<` `lower` `=` $lower `,` `upper` `=` $upper (`,` `guard` `=` $guard^)? `>`";
}

class Girih_Op<string mnemonic, list<Trait> traits = []> : Op<Girih_Dialect, mnemonic, traits>;

/// An op that makes a pattern out of attributes and other patterns.
class Girih_PatternOp<string mnemonic, list<Trait> traits = []>
    : Girih_Op<mnemonic, !listconcat([Pure], traits)> {
  let results = (outs Girih_PatternType:$result);
}

def Girih_NonNegative : ConfinedAttr<I64Attr, [IntNonNegative]>;
def Girih_Positive : ConfinedAttr<I64Attr, [IntPositive]>;

#endif // GIRIH_PATTERN_GIRIHBASE_TD
