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

// girih.predicate (%b, %h, %q, %k, %nq, %nk) tables(%t = %table : type) { ... }
// Without the lists the region may name its own arguments, as in generic form.
ParseResult PredicateOp::parse(OpAsmParser &parser, OperationState &result) {
  Builder &builder = parser.getBuilder();
  SmallVector<OpAsmParser::Argument> arguments;
  if (parser.parseArgumentList(arguments, OpAsmParser::Delimiter::OptionalParen))
    return failure();
  for (OpAsmParser::Argument &argument : arguments)
    argument.type = builder.getIndexType();
  auto parseTable = [&]() -> ParseResult {
    OpAsmParser::Argument argument;
    OpAsmParser::UnresolvedOperand table;
    if (parser.parseArgument(argument) || parser.parseEqual() || parser.parseOperand(table) ||
        parser.parseColonType(argument.type) ||
        parser.resolveOperand(table, argument.type, result.operands))
      return failure();
    arguments.push_back(argument);
    return success();
  };
  if (succeeded(parser.parseOptionalKeyword("tables")) &&
      parser.parseCommaSeparatedList(OpAsmParser::Delimiter::Paren, parseTable))
    return failure();
  if (parser.parseRegion(*result.addRegion(), arguments) ||
      parser.parseOptionalAttrDict(result.attributes))
    return failure();
  result.addTypes(builder.getType<PatternType>());
  return success();
}

void PredicateOp::print(OpAsmPrinter &p) {
  auto arguments = getBody().getArguments();
  p << " (";
  llvm::interleaveComma(arguments.drop_back(getTables().size()), p,
                        [&](BlockArgument argument) { p << argument; });
  p << ") ";
  if (!getTables().empty()) {
    p << "tables(";
    llvm::interleaveComma(llvm::zip(arguments.take_back(getTables().size()), getTables()), p,
                          [&](auto pair) {
                            auto [argument, table] = pair;
                            p << argument << " = " << table << " : " << table.getType();
                          });
    p << ") ";
  }
  p.printRegion(getBody(), /*printEntryBlockArgs=*/false);
  p.printOptionalAttrDict((*this)->getAttrs());
}

LogicalResult LookupOp::inferReturnTypes(MLIRContext *context, std::optional<Location>,
                                         Adaptor adaptor, SmallVectorImpl<Type> &types) {
  bool isFloat = cast<ShapedType>(adaptor.getTable().getType()).getElementType().isF32();
  types.push_back(isFloat ? Type(Float32Type::get(context)) : Type(IndexType::get(context)));
  return success();
}
