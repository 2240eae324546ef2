//===- MapProgram.h - Flatten a pattern for the runtime ---------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_ANALYSIS_MAPPROGRAM_H
#define GIRIH_ANALYSIS_MAPPROGRAM_H

#include "girih-c/BlockMap.h"
#include "girih/Analysis/ClosedForm.h"

#include <memory>
#include <vector>

namespace girih {

/// A GirihMapProgram and the memory it points into. Not movable once built:
/// hand it around by pointer.
class MapProgram {
public:
  const GirihMapProgram &get() const { return program; }

  std::vector<GirihMapNode> nodes;
  std::vector<GirihMapTable> tables;
  std::vector<GirihMapTerm> forward, reverse;
  std::vector<int32_t> termNodes;
  GirihMapProgram program{};
};

/// Flattens `pattern`, which is in normal form. Emits an error at the op that
/// is not, or whose operand is not an argument of the enclosing function, and
/// returns null.
/// `reads` are terms that no pair depends on: their lookups are in the program so that
/// launches prove their indices.
std::unique_ptr<MapProgram> buildMapProgram(mlir::Value pattern, mlir::ValueRange reads = {});

} // namespace girih

#endif // GIRIH_ANALYSIS_MAPPROGRAM_H
