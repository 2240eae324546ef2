//===- Tile.h - The girih_tile dialect --------------------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_TILE_TILE_H
#define GIRIH_TILE_TILE_H

#include "girih/Pattern/Girih.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"

#include "girih/Tile/TileEnums.h.inc"

#include "girih/Tile/TileDialect.h.inc"

#define GET_OP_CLASSES
#include "girih/Tile/TileOps.h.inc"

#endif // GIRIH_TILE_TILE_H
