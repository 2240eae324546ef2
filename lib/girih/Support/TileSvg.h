//===- TileSvg.h - Block maps as SVG ----------------------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Pictures to look into: panels with token positions on their axes, a tooltip on
// every cell, and a few lines of script with which a browser zooms (wheel), moves
// (drag) and goes back (double click). Without scripts it is a plain picture.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_SUPPORT_TILESVG_H
#define GIRIH_SUPPORT_TILESVG_H

#include "girih/Support/TilePicture.h"

namespace girih {

/// The tiles of some heads.
struct TilePanel {
  TileGrid grid;
  std::string title; ///< may be empty
};

/// What a picture shows.
struct TileDrawing {
  std::string title;              ///< wrapped, and cut after three lines
  std::vector<std::string> lines; ///< below the title
  std::vector<TilePanel> panels;
  int64_t numQ = 0, numK = 0;   ///< tokens along the axes
  int64_t firstQuery = 0;       ///< absolute position of query 0
  int64_t tileQ = 1, tileK = 1; ///< tokens of a tile
};

/// Most panels of a picture.
inline constexpr int64_t maxPanels = 16;

/// Cells along the longer side of each of so many panels. Together they have at
/// most 160 x 160 cells, with which a picture stays below `maxSvgBytes`.
int64_t cellsOfPanel(int64_t panels);

/// Longer sides up to which each panel shows pairs of tokens: fewer than 64 x 64 of them
/// where many panels share a picture.
int64_t tokensOfPanel(int64_t panels);

/// No picture with cells as `cellsOfPanel` says is larger.
inline constexpr int64_t maxSvgBytes = int64_t(6) << 20;

/// An SVG document. Text is escaped. The colour of a cell is mixed from the states of
/// its listed tiles, and the darker the more of them there are, on a log scale that
/// the legend shows.
std::string printSvg(const TileDrawing &drawing);

} // namespace girih

#endif // GIRIH_SUPPORT_TILESVG_H
