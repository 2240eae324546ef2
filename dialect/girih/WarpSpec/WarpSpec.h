//===- WarpSpec.h - The girih_ws dialect ------------------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_WARPSPEC_WARPSPEC_H
#define GIRIH_WARPSPEC_WARPSPEC_H

#include "girih/Tile/Tile.h"

#include "mlir/Interfaces/SideEffectInterfaces.h"

#include <optional>

#include "girih/WarpSpec/WarpSpecEnums.h.inc"

namespace girih::ws {

/// Layout of a tile; none when its type has no layout as encoding.
std::optional<Place> placeOf(mlir::Type type);
/// `type` in another layout, elements and shape kept.
mlir::RankedTensorType withPlace(mlir::RankedTensorType type, Place place);
/// Shared memory of a tile of 16-bit elements: columns of 64 elements (128 bytes),
/// each of all rows.
int64_t sharedBytes(mlir::RankedTensorType tile);

} // namespace girih::ws

#include "girih/WarpSpec/WarpSpecDialect.h.inc"

#define GET_ATTRDEF_CLASSES
#include "girih/WarpSpec/WarpSpecAttributes.h.inc"

#define GET_TYPEDEF_CLASSES
#include "girih/WarpSpec/WarpSpecTypes.h.inc"

#define GET_OP_CLASSES
#include "girih/WarpSpec/WarpSpecOps.h.inc"

#endif // GIRIH_WARPSPEC_WARPSPEC_H
