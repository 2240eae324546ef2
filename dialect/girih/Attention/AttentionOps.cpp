//===- AttentionOps.cpp - Verifiers and syntax of attention ops -----------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Pattern/RegionChecks.h"

using namespace mlir;
using namespace girih;

//===----------------------------------------------------------------------===//
// AttentionOp
//===----------------------------------------------------------------------===//

static constexpr int64_t maxHeadDim = 256;

// Checks that a size of `b` is a size of `a`, where both are static.
static LogicalResult checkSameSize(Operation *op, StringRef label, StringRef what, Value a, Value b,
                                   StringRef nameA, StringRef nameB, unsigned dim) {
  int64_t sizeA = cast<ShapedType>(a.getType()).getDimSize(dim);
  int64_t sizeB = cast<ShapedType>(b.getType()).getDimSize(dim);
  if (sizeA == sizeB || ShapedType::isDynamic(sizeA) || ShapedType::isDynamic(sizeB))
    return success();
  InFlightDiagnostic diag = op->emitOpError()
                            << '[' << label << "] expected " << what << " of " << nameA << " and "
                            << nameB << " to match, but got " << sizeA << " and " << sizeB;
  diag.attachNote(b.getLoc()) << nameB << " defined here";
  return diag;
}

static std::string describeSize(int64_t size) {
  return ShapedType::isDynamic(size) ? "a dynamic size" : std::to_string(size);
}

static LogicalResult checkHeadDim(Operation *op, Value value, StringRef name) {
  int64_t size = cast<ShapedType>(value.getType()).getDimSize(3);
  if (size >= 1 && size <= maxHeadDim)
    return success();
  InFlightDiagnostic diag = op->emitOpError()
                            << "[c4] expected the head dim of " << name << " in 1.." << maxHeadDim
                            << ", but got " << describeSize(size);
  diag.attachNote(value.getLoc()) << name << " defined here";
  return diag;
}

LogicalResult AttentionOp::verify() {
  Value q = getQ(), k = getK(), v = getV();
  Operation *op = *this;
  if (failed(checkSameSize(op, "c1", "batch", q, k, "q", "k", 0)) ||
      failed(checkSameSize(op, "c1", "batch", q, v, "q", "v", 0)) ||
      failed(checkSameSize(op, "c1", "heads", k, v, "k", "v", 1)) ||
      failed(checkSameSize(op, "c1", "lengths", k, v, "k", "v", 2)))
    return failure();
  int64_t heads = getQ().getType().getDimSize(1);
  for (auto [value, name] : {std::pair(k, "k"), std::pair(v, "v")}) {
    int64_t kvHeads = cast<ShapedType>(value.getType()).getDimSize(1);
    if (ShapedType::isDynamic(heads) || ShapedType::isDynamic(kvHeads) ||
        (kvHeads > 0 && heads % kvHeads == 0))
      continue;
    InFlightDiagnostic diag = emitOpError("[c2] expected heads of q to be a multiple of heads of ")
                              << name << ", but got " << heads << " and " << kvHeads;
    diag.attachNote(value.getLoc()) << name << " defined here";
    return diag;
  }
  if (failed(checkSameSize(op, "c3", "head dims", q, k, "q", "k", 3)) ||
      failed(checkHeadDim(op, k, "k")) || failed(checkHeadDim(op, v, "v")))
    return failure();
  Type element = getQ().getType().getElementType();
  for (auto [value, name] : {std::pair(k, "k"), std::pair(v, "v")}) {
    Type other = cast<ShapedType>(value.getType()).getElementType();
    if (other == element)
      continue;
    InFlightDiagnostic diag = emitOpError("[c5] expected element types of q and ")
                              << name << " to match, but got " << element << " and " << other;
    diag.attachNote(value.getLoc()) << name << " defined here";
    return diag;
  }
  static constexpr StringLiteral dims[] = {"batch", "heads", "lengths"};
  for (unsigned dim = 0; dim < 3; ++dim)
    if (failed(checkSameSize(op, "c6", dims[dim], q, getO(), "q", "o", dim)))
      return failure();
  // Head dims are static in v, so a dynamic one in o says less than is known.
  int64_t valueDim = getV().getType().getDimSize(3), outputDim = getO().getType().getDimSize(3);
  if (outputDim != valueDim)
    return emitOpError("[c6] expected head dims of v and o to match, but got ")
           << valueDim << " and " << describeSize(outputDim);
  for (unsigned dim = 0; dim < 3; ++dim)
    if (failed(checkSameSize(op, "c7", dims[dim], q, getLse(), "q", "lse", dim)))
      return failure();
  Type output = getO().getType().getElementType();
  if (!output.isF32() && output != element)
    return emitOpError("[c12] expected o to be f32 or of the element type of q, ")
           << element << ", but got " << output;
  if (std::optional<ArrayRef<int64_t>> tile = getTile())
    return checkTile(op, "c11", *tile);
  return success();
}

LogicalResult AttentionOp::verifyRegions() {
  Region &score = getScore();
  if (score.empty())
    return success();
  Type f32 = Float32Type::get(getContext()), index = IndexType::get(getContext());
  if (failed(
          checkRegionArguments(*this, score, "c8", "score", {f32, index, index, index, index})) ||
      failed(checkRegionYields(*this, score, "c9", "score", f32)))
    return failure();
  return checkRegionEffects(*this, score, "c10", "score");
}

//===----------------------------------------------------------------------===//
// BlockMapOp
//===----------------------------------------------------------------------===//

LogicalResult BlockMapOp::verify() {
  if (failed(checkTile(*this, "c1", getTile())))
    return failure();
  bool wantsRanges = getProvider() == Provider::Ranges;
  if (wantsRanges != getRanges().has_value())
    return emitOpError("[c2] expected ")
           << (wantsRanges ? "ranges" : "no ranges") << " with provider "
           << stringifyProvider(getProvider()) << ", but got " << (wantsRanges ? "none" : "ranges");
  auto checkView = [&](StringRef name, std::optional<AffineMap> view) -> LogicalResult {
    if (!view ||
        (view->getNumInputs() == 1 && view->getNumDims() == 1 && view->getNumResults() == 1))
      return success();
    return emitOpError("[c3] expected ")
           << name << " to have one dimension and one result, but got "
           << AffineMapAttr::get(*view);
  };
  if (failed(checkView("q_view", getQView())))
    return failure();
  return checkView("k_view", getKView());
}

//===----------------------------------------------------------------------===//
// ForBlocksOp
//===----------------------------------------------------------------------===//

// girih.for_blocks (%j, %partial) of %map[%b, %h, %i]
//     iter_args(%x = %init) -> (type) { ... }
ParseResult ForBlocksOp::parse(OpAsmParser &parser, OperationState &result) {
  Builder &builder = parser.getBuilder();
  Type index = builder.getIndexType();
  SmallVector<OpAsmParser::Argument> arguments(2);
  OpAsmParser::UnresolvedOperand map;
  SmallVector<OpAsmParser::UnresolvedOperand> coordinates, inits;
  SmallVector<OpAsmParser::Argument> iterArgs;
  if (parser.parseLParen() || parser.parseArgument(arguments[0]) || parser.parseComma() ||
      parser.parseArgument(arguments[1]) || parser.parseRParen() || parser.parseKeyword("of") ||
      parser.parseOperand(map) ||
      parser.parseOperandList(coordinates, 3, OpAsmParser::Delimiter::Square))
    return failure();
  arguments[0].type = index;
  arguments[1].type = builder.getI1Type();
  if (succeeded(parser.parseOptionalKeyword("iter_args"))) {
    if (parser.parseAssignmentList(iterArgs, inits) || parser.parseArrowTypeList(result.types))
      return failure();
    if (iterArgs.size() != result.types.size())
      return parser.emitError(parser.getNameLoc(),
                              "expected as many types as loop-carried values, but got ")
             << result.types.size() << " and " << iterArgs.size();
  }
  for (auto [argument, type] : llvm::zip(iterArgs, result.types))
    argument.type = type;
  arguments.append(iterArgs);
  if (parser.resolveOperand(map, builder.getType<BlockMapType>(), result.operands) ||
      parser.resolveOperands(coordinates, index, result.operands) ||
      parser.resolveOperands(inits, result.types, parser.getNameLoc(), result.operands) ||
      parser.parseRegion(*result.addRegion(), arguments) ||
      parser.parseOptionalAttrDict(result.attributes))
    return failure();
  return success();
}

void ForBlocksOp::print(OpAsmPrinter &p) {
  p << " (" << getKTile() << ", " << getPartial() << ") of " << getMap() << '[' << getBatch()
    << ", " << getHead() << ", " << getQTile() << ']';
  if (!getInits().empty()) {
    p << " iter_args(";
    llvm::interleaveComma(llvm::zip(getIterArgs(), getInits()), p,
                          [&](auto pair) { p << std::get<0>(pair) << " = " << std::get<1>(pair); });
    p << ") -> (" << getInits().getTypes() << ')';
  }
  p << ' ';
  p.printRegion(getBodyRegion(), /*printEntryBlockArgs=*/false);
  p.printOptionalAttrDict((*this)->getAttrs());
}

LogicalResult ForBlocksOp::verify() {
  TypeRange inits = getInits().getTypes(), results = getResultTypes();
  if (inits == results)
    return success();
  return emitOpError("[c3] expected results to have the types of initial values, but got (")
         << results << ") and (" << inits << ')';
}

LogicalResult ForBlocksOp::verifyRegions() {
  SmallVector<Type> arguments{IndexType::get(getContext()), IntegerType::get(getContext(), 1)};
  llvm::append_range(arguments, getInits().getTypes());
  if (failed(checkRegionArguments(*this, getBodyRegion(), "c1", "the body", arguments)))
    return failure();
  return checkRegionYields(*this, getBodyRegion(), "c2", "the body", getInits().getTypes());
}
