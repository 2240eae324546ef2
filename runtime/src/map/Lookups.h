//===- Lookups.h - Whether indices stay within their arrays -----*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Generated code does not check indices: the launch proves them for all of its
// pairs at once.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_RUNTIME_MAP_LOOKUPS_H
#define GIRIH_RUNTIME_MAP_LOOKUPS_H

#include "Program.h"
#include "Tables.h"

namespace girih {

/// Bounds every index of a lookup over all pairs of the launch, by interval arithmetic that
/// is exact for linear forms. GIRIH_INVALID names table, dimension, bounds and extent of the
/// first that may leave its array.
int proveLookups(const Program &program, const BoundTables &tables, const GirihMapParams &params,
                 GirihStatus *status);

} // namespace girih

#endif // GIRIH_RUNTIME_MAP_LOOKUPS_H
