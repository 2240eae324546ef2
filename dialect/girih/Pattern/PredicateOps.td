//===- PredicateOps.td - Patterns by formula ------------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_PATTERN_PREDICATEOPS_TD
#define GIRIH_PATTERN_PREDICATEOPS_TD

include "girih/Pattern/LookupOps.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"

def Girih_PredicateOp : Girih_PatternOp<"predicate", [IsolatedFromAbove, SingleBlock]> {
  let summary = "Keep pairs for which a region yields true";
  let description = [{
    Keeps `(q, k)` of head `h` in batch `b` when the region yields true. Its
    arguments are `b, h, q, k, nq, nk`; `q` and `k` are absolute positions. The
    region below keeps keys of the query's parity:

        # . # .
        . # . #
        # . # .
        . # . #

    - [c1] The region takes 6 arguments of type `index`, then the tables.
    - [c2] It ends in `girih.yield` of one `i1`.
    - [c3] Its ops have no memory effects.
    - [c4] Its ops are total: no division whose divisor may be zero.
    - [c5] Its values are integers or `index`.

    ```mlir
    %parity = girih.predicate (%b, %h, %q, %k, %nq, %nk) {
      %two = arith.constant 2 : index
      %zero = arith.constant 0 : index
      %distance = arith.subi %q, %k : index
      %rest = arith.remsi %distance, %two : index
      %same = arith.cmpi eq, %rest, %zero : index
      girih.yield %same : i1
    }
    ```

    It is not called for each pair: analyses read it as a formula, so it costs what
    the same named pattern costs. Arrays that girih.lookup reads come in as `tables`;
    for lists of segments and blocks see `girih.segments` and `girih.block_table`.
  }];
  let arguments = (ins Arg<Variadic<Girih_IntegerArray>, "Arrays that the region looks up.">:$tables);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasFolder = 1;
  let hasRegionVerifier = 1;
}

def Girih_WhereOp : Girih_PatternOp<"where"> {
  let summary = "Keep pairs that satisfy a conjunction of affine constraints";
  let description = [{
    Keeps `(q, k)` of head `h` in batch `b` when every constraint of `set` holds.
    Dimensions of the set are `(b, h, q, k)`, symbols `[nq, nk, n]`, where `n` is
    the absolute query end. A set that multiplies variables takes all seven as
    symbols, in the same order, because affine dimensions can't be multiplied. The
    first set below:

        # . . .
        # . . .
        # . # .
        # . # .

    Symbols behind these stand for `terms`, in their order:

    - [c1] The set has 4 dimensions and 3 symbols, or no dimension and 7 symbols, and
      a symbol for each term.
    - [c2] Right sides of `mod`, `floordiv` and `ceildiv` are positive constants.

    ```mlir
    %even = girih.where affine_set<(b, h, q, k)[nq, nk, n] : (q - k >= 0, k mod 2 == 0)>
    %slope = girih.where affine_set<()[b, h, q, k, nq, nk, n] : (h * k - q >= 0)>
    ```

    It has no "or": that is `girih.union`.
  }];
  let arguments = (ins
    Arg<IntegerSetAttr, "The constraints that a kept pair satisfies.">:$set,
    Arg<Variadic<Girih_TermType>, "Terms that the set names as its last symbols.">:$terms);
  let assemblyFormat = "$set (`terms` `(` $terms^ `)`)? attr-dict";
  let builders = [OpBuilder<(ins "::mlir::IntegerSet":$set), [{
    build($_builder, $_state, $_builder.getType<PatternType>(), ::mlir::IntegerSetAttr::get(set), ::mlir::ValueRange());
  }]>];
  let hasFolder = 1;
  let hasCanonicalizeMethod = 1;
  let hasVerifier = 1;
}

def Girih_YieldOp : Girih_Op<"yield", [Pure, Terminator, ReturnLike]> {
  let summary = "Yield the values of a region to its op";
  let description = [{
    Ends the region of a predicate, a score function, a map or a block loop. How
    many values of which types is the business of the op around it, which checks
    them.

    ```mlir
    %all = girih.predicate (%b, %h, %q, %k, %nq, %nk) {
      %true = arith.constant true
      girih.yield %true : i1
    }
    ```

    It does not leave a function.
  }];
  let arguments = (ins Arg<Variadic<AnyType>, "What the region computes.">:$values);
  let assemblyFormat = "attr-dict ($values^ `:` type($values))?";
  let builders = [OpBuilder<(ins), [{ /* yields nothing */ }]>];
}

#endif // GIRIH_PATTERN_PREDICATEOPS_TD
