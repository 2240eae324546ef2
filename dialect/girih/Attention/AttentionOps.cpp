//===- AttentionOps.cpp - Verifiers and syntax of attention ops -----------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Pattern/Girih.h"

using namespace mlir;
using namespace girih;

LogicalResult AttentionOp::verify() { return success(); }
LogicalResult BlockMapOp::verify() { return success(); }

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
      return parser.emitError(parser.getNameLoc(), "expected as many types as loop-carried values, but got ")
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
  p << " (" << getKTile() << ", " << getPartial() << ") of " << getMap() << '[' << getBatch() << ", "
    << getHead() << ", " << getQTile() << ']';
  if (!getInits().empty()) {
    p << " iter_args(";
    llvm::interleaveComma(llvm::zip(getIterArgs(), getInits()), p, [&](auto pair) {
      p << std::get<0>(pair) << " = " << std::get<1>(pair);
    });
    p << ") -> (" << getInits().getTypes() << ')';
  }
  p << ' ';
  p.printRegion(getBodyRegion(), /*printEntryBlockArgs=*/false);
  p.printOptionalAttrDict((*this)->getAttrs());
}

LogicalResult ForBlocksOp::verify() { return success(); }
