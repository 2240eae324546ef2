//===- TableOps.td - Patterns that read tables ----------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Atoms of the normal form that no affine expression says. Run-time operands
// are SSA values: a new batch of documents compiles nothing.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_PATTERN_TABLEOPS_TD
#define GIRIH_PATTERN_TABLEOPS_TD

include "girih/Pattern/GirihBase.td"

def Girih_TableOperand : TypeConstraint<And<[1DTensorOf<[I64]>.predicate]>, "1-D tensor of i64", "::mlir::RankedTensorType">;

def Girih_SegmentsOp : Girih_PatternOp<"segments"> {
  let summary = "Keep pairs of one segment (packed documents)";
  let arguments = (ins Girih_TableOperand:$offsets, DefaultValuedAttr<Girih_Positive, "1">:$unit);
  let assemblyFormat = "$offsets (`unit` `=` $unit^)? attr-dict `:` qualified(type($offsets))";
}

def Girih_RandomBlocksOp : Girih_PatternOp<"random_blocks"> {
  let summary = "Keep a few random key blocks for each query block";
  let arguments = (ins Girih_Positive:$size, Girih_NonNegative:$count, I64Attr:$seed);
  let assemblyFormat = "`size` `=` $size `count` `=` $count `seed` `=` $seed attr-dict";
}

def Girih_BlockTableOp : Girih_PatternOp<"block_table"> {
  let summary = "Keep the key blocks listed for each query block";
  let arguments = (ins Girih_TableOperand:$indptr, Girih_TableOperand:$indices, Girih_Positive:$size,
                       DefaultValuedAttr<Girih_Positive, "1">:$heads);
  let assemblyFormat = [{
    $indptr `,` $indices `size` `=` $size (`heads` `=` $heads^)? attr-dict
    `:` qualified(type($indptr)) `,` qualified(type($indices))
  }];
}

#endif // GIRIH_PATTERN_TABLEOPS_TD
