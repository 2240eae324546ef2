//===- Explain.h - The report of girih-explain ------------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a pattern keeps, skips and costs at given lengths. Nothing here touches a
// tensor or every pair, so a million tokens take seconds.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_TOOLS_GIRIH_EXPLAIN_EXPLAIN_H
#define GIRIH_TOOLS_GIRIH_EXPLAIN_EXPLAIN_H

#include "common/Request.h"

#include "girih/Analysis/Reachability.h"

namespace girih {

/// Everything that the report says.
struct Explanation {
  int32_t tileQ = 0, tileK = 0;
  GirihMapStats stats{};
  MapCost cost{};
  double mapMs = 0, statsMs = 0;
  std::optional<int64_t> minimalTiles; ///< none: would have taken too long
  std::optional<Reachability> reach;   ///< none: too long, or q and k differ
  TileGrid picture;                    ///< for the terminal
  TileGrid largePicture;               ///< for SVG
};

/// Compiles the pattern for its tiling and derives the map; `head` is drawn.
llvm::Expected<Explanation> explain(Session &session, const Request &request, int64_t head);

/// One JSON object.
std::string jsonExplanation(const Request &request, const Explanation &explanation);

/// A table and a picture for people.
std::string textExplanation(const Request &request, const Explanation &explanation, int64_t head);

} // namespace girih

#endif // GIRIH_TOOLS_GIRIH_EXPLAIN_EXPLAIN_H
