//===- PatternOps.cpp - Definitions and syntax of girih ops ---------------===//
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

// girih.predicate (%b, %h, %q, %k, %nq, %nk) { ... }
// Without the list the region may name its own arguments, as in generic form.
ParseResult PredicateOp::parse(OpAsmParser &parser, OperationState &result) {
  Builder &builder = parser.getBuilder();
  SmallVector<OpAsmParser::Argument> arguments;
  if (parser.parseArgumentList(arguments, OpAsmParser::Delimiter::OptionalParen))
    return failure();
  for (OpAsmParser::Argument &argument : arguments)
    argument.type = builder.getIndexType();
  if (parser.parseRegion(*result.addRegion(), arguments) ||
      parser.parseOptionalAttrDict(result.attributes))
    return failure();
  result.addTypes(builder.getType<PatternType>());
  return success();
}

void PredicateOp::print(OpAsmPrinter &p) {
  p << " (";
  llvm::interleaveComma(getBody().getArguments(), p,
                        [&](BlockArgument argument) { p << argument; });
  p << ") ";
  p.printRegion(getBody(), /*printEntryBlockArgs=*/false);
  p.printOptionalAttrDict((*this)->getAttrs());
}
