//===- PatternOps.cpp - Verifiers and folds of pattern ops ----------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Pattern/Girih.h"

#define GET_OP_CLASSES
#include "girih/Pattern/GirihOps.cpp.inc"

using namespace mlir;
using namespace girih;

LogicalResult ColumnsOp::verify() { return success(); }
LogicalResult NeighborhoodOp::verify() { return success(); }
LogicalResult HeadsOp::verify() { return success(); }
LogicalResult PredicateOp::verify() { return success(); }
LogicalResult WhereOp::verify() { return success(); }
OpFoldResult FullOp::fold(FoldAdaptor) { return {}; }
OpFoldResult EmptyOp::fold(FoldAdaptor) { return {}; }
OpFoldResult UnionOp::fold(FoldAdaptor) { return {}; }
OpFoldResult IntersectOp::fold(FoldAdaptor) { return {}; }
OpFoldResult SubtractOp::fold(FoldAdaptor) { return {}; }
OpFoldResult ComplementOp::fold(FoldAdaptor) { return {}; }
OpFoldResult BlockwiseOp::fold(FoldAdaptor) { return {}; }
OpFoldResult WhereOp::fold(FoldAdaptor) { return {}; }
void UnionOp::getCanonicalizationPatterns(RewritePatternSet &, MLIRContext *) {}
void IntersectOp::getCanonicalizationPatterns(RewritePatternSet &, MLIRContext *) {}
