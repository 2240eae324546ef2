//===- LookupOps.td - Integers and floats out of arrays -------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Lookups in regions of predicates and score functions, and what they become in
// the normal form: terms, which the sets of girih.where name as symbols. Arrays are
// run-time operands: other values and extents compile nothing.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_PATTERN_LOOKUPOPS_TD
#define GIRIH_PATTERN_LOOKUPOPS_TD

include "girih/Pattern/GirihBase.td"

def Girih_Array : RankedTensorOf<[I32, F32], [HasAnyRankOfPred<[1, 2, 3, 4]>], "array of 1 to 4 dimensions">;
def Girih_IntegerArray : RankedTensorOf<[I32], [HasAnyRankOfPred<[1, 2, 3, 4]>], "integer array of 1 to 4 dimensions">;

def Girih_TermType : Girih_Type<"Term", "term">,
    BuildableType<"$_builder.getType<::girih::TermType>()"> {
  let summary = "An integer for each (batch, head, query, key)";
  let description = [{
    What an affine expression cannot say: the entry of an array at indices that are
    affine in `(b, h, q, k)`, the lengths and other terms, or the least or greatest
    of such expressions. The sets of girih.where name terms as symbols.

    It is not a tensor: no value of this type is ever held in memory.

    ```mlir
    func.func private @takes_a_term(!girih.term)
    ```
  }];
}

def Girih_Extremum : I32EnumAttr<"Extremum", "which of several integers", [
    I32EnumAttrCase<"Min", 0, "min">,
    I32EnumAttrCase<"Max", 1, "max">]> {
  let cppNamespace = "::girih";
}

def Girih_LookupOp : Girih_Op<"lookup", [Pure, InferTypeOpAdaptor]> {
  let summary = "Read an array in a predicate or a score function";
  let description = [{
    `table[indices]`: an `index` out of an array of i32, an `f32` out of an array of
    f32. It stands in the region of a girih.predicate, which takes the array as an
    argument and has no use for f32, and in the score region of girih.attention, which
    names the array itself. Its result may be an index of another lookup.

    - [c1] There is an index for each dimension.

    ```mlir
    func.func @packed(%ids: tensor<?x?xi32>) -> !girih.pattern {
      %same = girih.predicate (%b, %h, %q, %k, %nq, %nk) tables(%doc = %ids : tensor<?x?xi32>) {
        %mine = girih.lookup %doc[%b, %q] : tensor<?x?xi32>
        %its = girih.lookup %doc[%b, %k] : tensor<?x?xi32>
        %equal = arith.cmpi eq, %mine, %its : index
        girih.yield %equal : i1
      }
      return %same : !girih.pattern
    }
    ```

    It does not check its indices: a launch proves once, for all of its pairs, that
    they stay within the array.
  }];
  let arguments = (ins
    Arg<Girih_Array, "What is read; a function argument in the end.">:$table,
    Arg<Variadic<Index>, "Where.">:$indices);
  let results = (outs Res<AnyTypeOf<[Index, F32]>, "The entry.">:$result);
  let assemblyFormat = "$table `[` $indices `]` attr-dict `:` qualified(type($table))";
  let hasVerifier = 1;
}

def Girih_TermLookupOp : Girih_Op<"term_lookup", [Pure]> {
  let summary = "The entry of an array as a term";
  let description = [{
    `table[at(b, h, q, k, nq, nk, n, terms...)]`. What girih.lookup becomes in the
    normal form. Of an array of f32 it has no use in a pattern, but says what a score
    function reads, so that the launch proves the indices.

    - [c1] `at` has 7 symbols and one for each term, no dimensions, and a result for
      each dimension of the table.
    - [c2] Right sides of `mod`, `floordiv` and `ceildiv` are positive constants.

    ```mlir
    func.func @documents(%ids: tensor<?x?xi32>) -> !girih.pattern {
      %mine = girih.term_lookup %ids at affine_map<()[b, h, q, k, nq, nk, n] -> (b, q)> : tensor<?x?xi32>
      %its = girih.term_lookup %ids at affine_map<()[b, h, q, k, nq, nk, n] -> (b, k)> : tensor<?x?xi32>
      %same = girih.where affine_set<(b, h, q, k)[nq, nk, n, x, y] : (x - y == 0)> terms(%mine, %its)
      return %same : !girih.pattern
    }
    ```

    It is not evaluated for each pair: block maps ask for the least and greatest
    entry over a box of pairs.
  }];
  let arguments = (ins
    Arg<Girih_Array, "What is read; a function argument.">:$table,
    Arg<AffineMapAttr, "The indices.">:$at,
    Arg<Variadic<Girih_TermType>, "Terms that `at` names, in their order.">:$terms);
  let results = (outs Res<Girih_TermType, "The entry.">:$result);
  let assemblyFormat = "$table `at` $at (`terms` `(` $terms^ `)`)? attr-dict `:` qualified(type($table))";
  let hasVerifier = 1;
}

def Girih_TermExtremumOp : Girih_Op<"term_extremum", [Pure]> {
  let summary = "The least or greatest of some expressions as a term";
  let description = [{
    The least or greatest result of `of(b, h, q, k, nq, nk, n, terms...)`. Indices of
    lookups are clamped by it, as in `@bias[max(q - k, 0)]`.

    - [c1] `of` has 7 symbols and one for each term, no dimensions, and a result or
      more.
    - [c2] Right sides of `mod`, `floordiv` and `ceildiv` are positive constants.

    ```mlir
    %distance = girih.term_extremum max affine_map<()[b, h, q, k, nq, nk, n] -> (q - k, k - q)>
    ```

    It is not made where a girih.where can say the same: a minimum in a comparison is
    an intersection or a union.
  }];
  let arguments = (ins
    Arg<Girih_Extremum, "Least or greatest.">:$which,
    Arg<AffineMapAttr, "The expressions.">:$of,
    Arg<Variadic<Girih_TermType>, "Terms that `of` names, in their order.">:$terms);
  let results = (outs Res<Girih_TermType, "The extremum.">:$result);
  let assemblyFormat = "$which $of (`terms` `(` $terms^ `)`)? attr-dict";
  let hasVerifier = 1;
}

#endif // GIRIH_PATTERN_LOOKUPOPS_TD
