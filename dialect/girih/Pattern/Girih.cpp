//===- Girih.cpp - Registration of the girih dialect ----------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Pattern/Girih.h"

#include "mlir/AsmParser/AsmParser.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;

// The guard of a range: a quoted integer set, or an attribute. The text of an
// attribute can't hold a bare `>=`, and bytecode falls back on the text.
static ParseResult parseGuard(AsmParser &parser, IntegerSetAttr &guard) {
  std::string text;
  SMLoc loc = parser.getCurrentLocation();
  if (failed(parser.parseOptionalString(&text)))
    return parser.parseAttribute(guard);
  IntegerSet set = parseIntegerSet(text, parser.getContext());
  if (!set)
    return parser.emitError(loc, "expected an integer set, but got \"") << text << '"';
  guard = IntegerSetAttr::get(set);
  return success();
}

static void printGuard(AsmPrinter &printer, IntegerSetAttr guard) {
  printer << '"';
  guard.getValue().print(printer.getStream());
  printer << '"';
}

#include "girih/Pattern/GirihDialect.cpp.inc"
#include "girih/Pattern/GirihEnums.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "girih/Pattern/GirihTypes.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "girih/Pattern/GirihAttributes.cpp.inc"

void girih::GirihDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "girih/Pattern/GirihOps.cpp.inc"
      >();
  addTypes<
#define GET_TYPEDEF_LIST
#include "girih/Pattern/GirihTypes.cpp.inc"
      >();
  addAttributes<
#define GET_ATTRDEF_LIST
#include "girih/Pattern/GirihAttributes.cpp.inc"
      >();
}

Operation *girih::GirihDialect::materializeConstant(OpBuilder &builder, Attribute value, Type type,
                                                    Location loc) {
  auto keepsAll = dyn_cast<BoolAttr>(value);
  if (!keepsAll || !isa<PatternType>(type))
    return nullptr;
  if (keepsAll.getValue())
    return FullOp::create(builder, loc);
  return EmptyOp::create(builder, loc);
}
