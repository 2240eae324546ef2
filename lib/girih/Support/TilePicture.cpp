//===- TilePicture.cpp - Block maps as pictures ---------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Support/TilePicture.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>

using namespace girih;

TileGrid TileGrid::create(int64_t tileRows, int64_t tileColumns, int64_t maxCells) {
  TileGrid grid;
  grid.tileRows = tileRows;
  grid.tileColumns = tileColumns;
  int64_t longer = std::max({tileRows, tileColumns, int64_t(1)});
  grid.tilesPerCell = llvm::divideCeil(longer, maxCells);
  grid.rows = llvm::divideCeil(tileRows, grid.tilesPerCell);
  grid.columns = llvm::divideCeil(tileColumns, grid.tilesPerCell);
  grid.cells.resize(grid.rows * grid.columns);
  for (int64_t row = 0; row < grid.rows; ++row) {
    for (int64_t column = 0; column < grid.columns; ++column) {
      int64_t height = std::min(grid.tilesPerCell, tileRows - row * grid.tilesPerCell);
      int64_t width = std::min(grid.tilesPerCell, tileColumns - column * grid.tilesPerCell);
      grid.at(row, column).total = height * width;
    }
  }
  return grid;
}

std::string girih::printAscii(const TileGrid &grid, const std::string &indent) {
  std::string out;
  for (int64_t row = 0; row < grid.rows; ++row) {
    out += indent;
    for (int64_t column = 0; column < grid.columns; ++column) {
      const TileCell &cell = grid.at(row, column);
      // Characters are about twice as high as wide: a space keeps cells square.
      if (column != 0)
        out += ' ';
      out += cell.full + cell.partial == 0 ? '.' : cell.full == cell.total ? '#' : '+';
    }
    out += '\n';
  }
  return out;
}

static std::string escapeXml(const std::string &text) {
  std::string out;
  for (char c : text) {
    switch (c) {
    case '<':
      out += "&lt;";
      break;
    case '>':
      out += "&gt;";
      break;
    case '&':
      out += "&amp;";
      break;
    case '"':
      out += "&quot;";
      break;
    default:
      // Control characters are not allowed in XML at all.
      out += static_cast<unsigned char>(c) < 32 ? ' ' : c;
    }
  }
  return out;
}

namespace {
struct Colour {
  double red, green, blue;
};
} // namespace

static const Colour emptyColour{244, 241, 234}, partialColour{230, 159, 60},
    fullColour{24, 90, 130};

/// Like CSS colours: #rrggbb.
static std::string mix(const TileCell &cell) {
  double total = static_cast<double>(std::max<int64_t>(cell.total, 1));
  double full = static_cast<double>(cell.full) / total;
  double partial = static_cast<double>(cell.partial) / total;
  // A thin diagonal in a big picture must stay visible.
  double listed = full + partial;
  if (listed > 0 && listed < 0.25) {
    full *= 0.25 / listed;
    partial *= 0.25 / listed;
  }
  double empty = 1 - full - partial;
  auto channel = [&](double Colour::*part) {
    return static_cast<unsigned>(emptyColour.*part * empty + partialColour.*part * partial +
                                 fullColour.*part * full + 0.5);
  };
  std::string out;
  llvm::raw_string_ostream os(out);
  os << llvm::format("#%02x%02x%02x", channel(&Colour::red), channel(&Colour::green),
                     channel(&Colour::blue));
  return out;
}

std::string girih::printSvg(const TileGrid &grid, const std::string &title) {
  const int64_t top = 28, legend = 30, margin = 8;
  int64_t pixels = std::max<int64_t>(2, 768 / std::max<int64_t>({grid.rows, grid.columns, 1}));
  pixels = std::min<int64_t>(pixels, 32);
  int64_t width = std::max<int64_t>(grid.columns * pixels, 360) + 2 * margin;
  int64_t height = grid.rows * pixels + top + legend + margin;

  std::string out;
  llvm::raw_string_ostream os(out);
  os << "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" << width << "\" height=\"" << height
     << "\" viewBox=\"0 0 " << width << ' ' << height << "\" font-family=\"sans-serif\" "
     << "font-size=\"13\">\n<title>" << escapeXml(title) << "</title>\n"
     << "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
     << "<text x=\"" << margin << "\" y=\"18\">" << escapeXml(title) << "</text>\n"
     << "<g shape-rendering=\"crispEdges\">\n";
  // Runs of one colour become one rectangle, which keeps files small.
  for (int64_t row = 0; row < grid.rows; ++row) {
    for (int64_t column = 0; column < grid.columns;) {
      std::string colour = mix(grid.at(row, column));
      int64_t end = column + 1;
      while (end < grid.columns && mix(grid.at(row, end)) == colour)
        ++end;
      os << "<rect x=\"" << margin + column * pixels << "\" y=\"" << top + row * pixels
         << "\" width=\"" << (end - column) * pixels << "\" height=\"" << pixels << "\" fill=\""
         << colour << "\"/>\n";
      column = end;
    }
  }
  os << "</g>\n";
  const struct {
    const char *name;
    TileCell cell;
  } entries[] = {{"empty", {0, 0, 1}}, {"partial", {0, 1, 1}}, {"full", {1, 0, 1}}};
  int64_t x = margin, y = top + grid.rows * pixels + 10;
  for (const auto &entry : entries) {
    os << "<rect x=\"" << x << "\" y=\"" << y << "\" width=\"12\" height=\"12\" stroke=\"#888888\" "
       << "stroke-width=\"0.5\" fill=\"" << mix(entry.cell) << "\"/>\n<text x=\"" << x + 17
       << "\" y=\"" << y + 11 << "\">" << entry.name << "</text>\n";
    x += 80;
  }
  os << "<text x=\"" << x << "\" y=\"" << y + 11 << "\">" << grid.tilesPerCell << " x "
     << grid.tilesPerCell << " tiles a cell</text>\n</svg>\n";
  return out;
}
