//===- LeafOps.td - Named patterns ----------------------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The leaves of the pattern language. Each is sugar: the pass
// girih-expand-named-patterns turns it into girih.where and table atoms.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_PATTERN_LEAFOPS_TD
#define GIRIH_PATTERN_LEAFOPS_TD

include "girih/Pattern/GirihBase.td"

def Girih_FullOp : Girih_PatternOp<"full", [ConstantLike]> {
  let summary = "Keep every pair";
  let assemblyFormat = "attr-dict";
  let hasFolder = 1;
}

def Girih_EmptyOp : Girih_PatternOp<"empty", [ConstantLike]> {
  let summary = "Keep no pair";
  let assemblyFormat = "attr-dict";
  let hasFolder = 1;
}

def Girih_CausalOp : Girih_PatternOp<"causal"> {
  let summary = "Keep keys that do not come after the query";
  let assemblyFormat = "attr-dict";
}

def Girih_WindowOp : Girih_PatternOp<"window"> {
  let summary = "Keep keys within a fixed distance of the query";
  let arguments = (ins OptionalAttr<Girih_NonNegative>:$left, OptionalAttr<Girih_NonNegative>:$right);
  let assemblyFormat = "(`left` `=` $left^)? (`right` `=` $right^)? attr-dict";
}

def Girih_DilatedOp : Girih_PatternOp<"dilated"> {
  let summary = "Keep a window of taps that lie a dilation apart";
  let arguments = (ins Girih_NonNegative:$left, Girih_NonNegative:$right, Girih_Positive:$dilation);
  let assemblyFormat = "`left` `=` $left `right` `=` $right `dilation` `=` $dilation attr-dict";
}

def Girih_StridedOp : Girih_PatternOp<"strided"> {
  let summary = "Keep keys at a multiple of the stride from the query";
  let arguments = (ins Girih_Positive:$stride);
  let assemblyFormat = "`stride` `=` $stride attr-dict";
}

def Girih_ChunkOp : Girih_PatternOp<"chunk"> {
  let summary = "Keep keys of the query's own chunk";
  let arguments = (ins Girih_Positive:$size);
  let assemblyFormat = "`size` `=` $size attr-dict";
}

def Girih_ColumnsOp : Girih_PatternOp<"columns"> {
  let summary = "Keep a strip of key columns in every period";
  let arguments = (ins Girih_Positive:$period, Girih_NonNegative:$lo, Girih_NonNegative:$hi);
  let assemblyFormat = "`period` `=` $period `lo` `=` $lo `hi` `=` $hi attr-dict";
  let hasVerifier = 1;
}

def Girih_GlobalColumnsOp : Girih_PatternOp<"global_columns"> {
  let summary = "Keep the first and last key columns for every query";
  let arguments = (ins Girih_NonNegative:$first, DefaultValuedAttr<Girih_NonNegative, "0">:$last);
  let assemblyFormat = "`first` `=` $first (`last` `=` $last^)? attr-dict";
}

def Girih_GlobalRowsOp : Girih_PatternOp<"global_rows"> {
  let summary = "Keep every key for the first and last queries";
  let arguments = (ins Girih_NonNegative:$first, DefaultValuedAttr<Girih_NonNegative, "0">:$last);
  let assemblyFormat = "`first` `=` $first (`last` `=` $last^)? attr-dict";
}

def Girih_NeighborhoodOp : Girih_PatternOp<"neighborhood"> {
  let summary = "Keep the neighbours of a query on a row-major grid";
  let arguments = (ins DenseI64ArrayAttr:$grid, DenseI64ArrayAttr:$kernel, DenseI64ArrayAttr:$dilation,
                       DenseI64ArrayAttr:$stride, DenseBoolArrayAttr:$causal);
  let assemblyFormat = [{
    `grid` `=` $grid `kernel` `=` $kernel `dilation` `=` $dilation `stride` `=` $stride
    `causal` `=` $causal attr-dict
  }];
  let hasVerifier = 1;
}

#endif // GIRIH_PATTERN_LEAFOPS_TD
