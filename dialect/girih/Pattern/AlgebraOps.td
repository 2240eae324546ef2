//===- AlgebraOps.td - Patterns out of patterns, and predicates -----------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_PATTERN_ALGEBRAOPS_TD
#define GIRIH_PATTERN_ALGEBRAOPS_TD

include "girih/Pattern/GirihBase.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"

def Girih_UnionOp : Girih_PatternOp<"union", [Commutative]> {
  let summary = "Keep pairs that any operand keeps";
  let arguments = (ins Variadic<Girih_PatternType>:$patterns);
  let assemblyFormat = "$patterns attr-dict";
  let hasFolder = 1;
  let hasCanonicalizer = 1;
}

def Girih_IntersectOp : Girih_PatternOp<"intersect", [Commutative]> {
  let summary = "Keep pairs that every operand keeps";
  let arguments = (ins Variadic<Girih_PatternType>:$patterns);
  let assemblyFormat = "$patterns attr-dict";
  let hasFolder = 1;
  let hasCanonicalizer = 1;
}

def Girih_SubtractOp : Girih_PatternOp<"subtract"> {
  let summary = "Keep pairs of the first pattern that the second does not keep";
  let arguments = (ins Girih_PatternType:$lhs, Girih_PatternType:$rhs);
  let assemblyFormat = "$lhs `,` $rhs attr-dict";
  let hasFolder = 1;
}

def Girih_ComplementOp : Girih_PatternOp<"complement"> {
  let summary = "Keep pairs that the operand does not keep";
  let arguments = (ins Girih_PatternType:$pattern);
  let assemblyFormat = "$pattern attr-dict";
  let hasFolder = 1;
}

def Girih_BlockwiseOp : Girih_PatternOp<"blockwise"> {
  let summary = "Lift a pattern from tokens to blocks of tokens";
  let arguments = (ins Girih_PatternType:$pattern, Girih_Positive:$size);
  let assemblyFormat = "$pattern `size` `=` $size attr-dict";
  let hasFolder = 1;
}

def Girih_HeadsOp : Girih_PatternOp<"heads"> {
  let summary = "Choose a pattern by query head";
  let arguments = (ins Variadic<Girih_PatternType>:$patterns, DenseI64ArrayAttr:$first, DenseI64ArrayAttr:$last);
  let assemblyFormat = "$patterns `first` `=` $first `last` `=` $last attr-dict";
  let hasVerifier = 1;
}

def Girih_PredicateOp : Girih_PatternOp<"predicate", [IsolatedFromAbove, SingleBlock]> {
  let summary = "Keep pairs for which a region yields true";
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$body attr-dict";
  let hasVerifier = 1;
}

def Girih_WhereOp : Girih_PatternOp<"where"> {
  let summary = "Keep pairs that satisfy a conjunction of affine constraints";
  let arguments = (ins IntegerSetAttr:$set);
  let assemblyFormat = "$set attr-dict";
  let hasFolder = 1;
  let hasVerifier = 1;
}

def Girih_YieldOp : Girih_Op<"yield", [Pure, Terminator, ReturnLike]> {
  let summary = "Yield the values of a region to its op";
  let arguments = (ins Variadic<AnyType>:$values);
  let assemblyFormat = "attr-dict ($values^ `:` type($values))?";
  let builders = [OpBuilder<(ins), [{ /* yields nothing */ }]>];
}

#endif // GIRIH_PATTERN_ALGEBRAOPS_TD
