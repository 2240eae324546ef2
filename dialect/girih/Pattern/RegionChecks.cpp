//===- RegionChecks.cpp - What verifiers ask of regions -------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Pattern/RegionChecks.h"

using namespace mlir;
using namespace girih;

LogicalResult girih::checkRegionArguments(Operation *op, Region &region, StringRef label,
                                          StringRef name, TypeRange types) {
  TypeRange actual = region.front().getArgumentTypes();
  if (actual == types)
    return success();
  return op->emitOpError() << '[' << label << "] expected " << name << " to take (" << types
                           << "), but got (" << actual << ')';
}

LogicalResult girih::checkRegionYields(Operation *op, Region &region, StringRef label,
                                       StringRef name, TypeRange types) {
  Operation *last = region.front().getTerminator();
  auto yield = dyn_cast<YieldOp>(last);
  if (!yield) {
    InFlightDiagnostic diag = op->emitOpError()
                              << '[' << label << "] expected " << name
                              << " to end in 'girih.yield', but got '" << last->getName() << "'";
    diag.attachNote(last->getLoc()) << "last op here";
    return diag;
  }
  TypeRange actual = yield.getValues().getTypes();
  if (actual == types)
    return success();
  InFlightDiagnostic diag = op->emitOpError()
                            << '[' << label << "] expected " << name << " to yield (" << types
                            << "), but got (" << actual << ')';
  diag.attachNote(yield.getLoc()) << "yielded here";
  return diag;
}

LogicalResult girih::checkRegionEffects(Operation *op, Region &region, StringRef label,
                                        StringRef name) {
  for (Operation &inner : region.front()) {
    if (isMemoryEffectFree(&inner))
      continue;
    InFlightDiagnostic diag = op->emitOpError()
                              << '[' << label << "] expected ops of " << name
                              << " to have no memory effects, but got '" << inner.getName() << "'";
    diag.attachNote(inner.getLoc()) << "op with effects here";
    return diag;
  }
  return success();
}

LogicalResult girih::checkTile(Operation *op, StringRef label, ArrayRef<int64_t> tile) {
  if (tile.size() == 2 && tile[0] > 0 && tile[1] > 0)
    return success();
  return op->emitOpError() << '[' << label
                           << "] expected tile to be two positive numbers, but got [" << tile
                           << ']';
}
