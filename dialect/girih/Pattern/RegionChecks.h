//===- RegionChecks.h - What verifiers ask of regions -----------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Predicates, score functions, tile maps and block loops all hold a region with
// fixed arguments that ends in girih.yield. These checks word their errors once.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_PATTERN_REGIONCHECKS_H
#define GIRIH_PATTERN_REGIONCHECKS_H

#include "girih/Pattern/Girih.h"

namespace girih {

/// Checks that the block of `region` takes `types`. Errors start with `label`
/// and call the region `name`.
llvm::LogicalResult checkRegionArguments(mlir::Operation *op, mlir::Region &region,
                                         llvm::StringRef label, llvm::StringRef name,
                                         mlir::TypeRange types);

/// Checks that the block of `region` ends in girih.yield of values of `types`.
llvm::LogicalResult checkRegionYields(mlir::Operation *op, mlir::Region &region,
                                      llvm::StringRef label, llvm::StringRef name,
                                      mlir::TypeRange types);

/// Checks that no op of `region` has memory effects.
llvm::LogicalResult checkRegionEffects(mlir::Operation *op, mlir::Region &region,
                                       llvm::StringRef label, llvm::StringRef name);

/// Checks that `tile` is two positive numbers.
llvm::LogicalResult checkTile(mlir::Operation *op, llvm::StringRef label,
                              llvm::ArrayRef<int64_t> tile);

} // namespace girih

#endif // GIRIH_PATTERN_REGIONCHECKS_H
