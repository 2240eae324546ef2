//===- TileSvg.cpp - Block maps as SVG ------------------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Support/TileSvg.h"

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

#include <algorithm>
#include <cmath>

using namespace girih;

int64_t girih::cellsOfPanel(int64_t panels) {
  constexpr double cells = 160;
  auto count = static_cast<double>(std::clamp<int64_t>(panels, 1, maxPanels));
  return static_cast<int64_t>(cells / std::sqrt(count));
}

int64_t girih::tokensOfPanel(int64_t panels) { return std::min<int64_t>(64, cellsOfPanel(panels)); }

static std::string escapeXml(const std::string &text) {
  std::string out;
  for (char c : llvm::json::fixUTF8(text)) {
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

/// How dark a cell is, from the share of its tiles that are listed: 1 for all of them,
/// and a fifth less for each factor of ten. Sparse patterns list a ten-thousandth of
/// the tiles of a large cell, and have to be seen.
static double shadeOf(double listed) {
  return listed <= 0 ? 0 : std::max(0.2, 1 + 0.2 * std::log10(std::min(listed, 1.0)));
}

/// Like CSS colours: #rrggbb.
static std::string mix(const TileCell &cell) {
  auto full = static_cast<double>(cell.full), partial = static_cast<double>(cell.partial);
  double listed = full + partial;
  double shade = shadeOf(listed / static_cast<double>(std::max<int64_t>(cell.total, 1)));
  double ofFull = listed > 0 ? full / listed : 0;
  auto channel = [&](double Colour::*part) {
    double hue = fullColour.*part * ofFull + partialColour.*part * (1 - ofFull);
    return static_cast<unsigned>(emptyColour.*part * (1 - shade) + hue * shade + 0.5);
  };
  std::string out;
  llvm::raw_string_ostream os(out);
  os << llvm::format("#%02x%02x%02x", channel(&Colour::red), channel(&Colour::green),
                     channel(&Colour::blue));
  return out;
}

// Wheel and drag move the view box; getScreenCTM says where the pointer is in it.
static const char script[] = R"(<script><![CDATA[
(function () {
  var svg = (document.currentScript || {}).ownerSVGElement || document.documentElement;
  var view = svg.viewBox.baseVal, home = [view.x, view.y, view.width, view.height], held = null;
  function at(event) {
    var point = svg.createSVGPoint();
    point.x = event.clientX;
    point.y = event.clientY;
    return point.matrixTransform(svg.getScreenCTM().inverse());
  }
  svg.addEventListener("wheel", function (event) {
    event.preventDefault();
    var point = at(event), factor = event.deltaY < 0 ? 0.8 : 1.25;
    view.x = point.x - (point.x - view.x) * factor;
    view.y = point.y - (point.y - view.y) * factor;
    view.width *= factor;
    view.height *= factor;
  }, { passive: false });
  svg.addEventListener("pointerdown", function (event) { held = at(event); });
  window.addEventListener("pointerup", function () { held = null; });
  svg.addEventListener("pointermove", function (event) {
    if (!held) return;
    var point = at(event);
    view.x += held.x - point.x;
    view.y += held.y - point.y;
  });
  svg.addEventListener("dblclick", function () {
    view.x = home[0]; view.y = home[1]; view.width = home[2]; view.height = home[3];
  });
})();
]]></script>
)";

namespace {

// Sizes in user units, which are pixels before zooming.
constexpr int64_t margin = 12, lineHeight = 18, axisLeft = 74, axisTop = 40, gap = 18;

/// Writes one document.
class SvgPrinter {
public:
  explicit SvgPrinter(const TileDrawing &drawing) : d(drawing), os(out) {}
  std::string print();

private:
  void text(int64_t x, int64_t y, const std::string &words, const char *more = "");
  void swatch(int64_t &x, int64_t y, const TileCell &cell, const char *name);
  void legend(int64_t y);
  void panel(const TilePanel &panel, int64_t x, int64_t y);
  void axes(int64_t x, int64_t y);
  void tileEdges(int64_t x, int64_t y);
  void cells(const TileGrid &grid);
  void tooltip(const TileGrid &grid, int64_t row, int64_t begin, int64_t end);

  const TileDrawing &d;
  std::string out;
  llvm::raw_string_ostream os;
  int64_t plotWidth = 0, plotHeight = 0; ///< of a panel's cells
  bool small = false;                    ///< several panels in a row
};

} // namespace

/// Cuts long text into at most three lines.
static std::vector<std::string> wrap(const std::string &text, size_t width) {
  std::vector<std::string> lines;
  size_t begin = 0;
  while (begin < text.size() && lines.size() < 3) {
    size_t end = std::min(begin + width, text.size());
    if (end < text.size())
      if (size_t space = text.rfind(' ', end); space != std::string::npos && space > begin)
        end = space + 1;
    lines.push_back(text.substr(begin, end - begin));
    begin = end;
  }
  if (begin < text.size())
    lines.back() += "...";
  return lines;
}

void SvgPrinter::text(int64_t x, int64_t y, const std::string &words, const char *more) {
  os << "<text x=\"" << x << "\" y=\"" << y << "\"" << more << ">" << escapeXml(words)
     << "</text>\n";
}

void SvgPrinter::swatch(int64_t &x, int64_t y, const TileCell &cell, const char *name) {
  os << "<rect x=\"" << x << "\" y=\"" << y - 11 << "\" width=\"12\" height=\"12\" "
     << "stroke=\"#888888\" stroke-width=\"0.5\" fill=\"" << mix(cell) << "\"/>\n";
  text(x + 17, y, name);
  x += 75;
}

void SvgPrinter::legend(int64_t y) {
  int64_t x = margin;
  const bool tokens = !d.panels.empty() && d.panels.front().grid.tokens;
  swatch(x, y, {0, 0, 1}, tokens ? "skipped" : "empty");
  swatch(x, y, {0, 1, 1}, tokens ? "masked" : "partial");
  swatch(x, y, {1, 0, 1}, tokens ? "kept" : "full");
  if (tokens)
    return text(x, y, "a cell is one query and one key; lines are around tiles");
  int64_t tiles = d.panels.empty() ? 1 : d.panels.front().grid.tilesPerCell;
  if (tiles == 1)
    return text(x, y, "a cell is one tile");
  std::string side = std::to_string(tiles);
  text(x, y, "a cell is a group of " + side + " x " + side + " tiles; listed of them:");
  x += 330;
  swatch(x, y, {1, 0, 10000}, "0.01 %");
  swatch(x, y, {1, 0, 100}, "1 %");
  swatch(x, y, {1, 0, 1}, "100 %");
}

/// "q 0 to 63, k 64 to 127: ..." for the cells [begin, end) of a row.
void SvgPrinter::tooltip(const TileGrid &grid, int64_t row, int64_t begin, int64_t end) {
  int64_t height = grid.tokens ? 1 : grid.tilesPerCell * d.tileQ;
  int64_t width = grid.tokens ? 1 : grid.tilesPerCell * d.tileK;
  int64_t q = row * height, qEnd = std::min(q + height, d.numQ);
  int64_t k = begin * width, kEnd = std::min(end * width, d.numK);
  if (grid.tokens) {
    os << "<title>q " << q + d.firstQuery << ", k " << k;
    if (kEnd - k > 1)
      os << " to " << kEnd - 1;
    os << (grid.at(row, begin).full ? ": kept" : ": masked") << "</title>";
    return;
  }
  TileCell sum;
  for (int64_t column = begin; column < end; ++column) {
    const TileCell &cell = grid.at(row, column);
    sum.full += cell.full;
    sum.partial += cell.partial;
    sum.total += cell.total;
  }
  os << "<title>q " << q + d.firstQuery << " to " << qEnd - 1 + d.firstQuery << ", k " << k
     << " to " << kEnd - 1 << ": ";
  if (sum.full)
    os << sum.full << " full" << (sum.partial ? ", " : "");
  if (sum.partial)
    os << sum.partial << " partial";
  os << " of " << sum.total << "</title>";
}

/// In units of cells. Runs of equal cells become one rectangle, and empty cells
/// the background, which keeps files small.
void SvgPrinter::cells(const TileGrid &grid) {
  auto same = [](const TileCell &a, const TileCell &b) {
    return a.full == b.full && a.partial == b.partial && a.total == b.total;
  };
  for (int64_t row = 0; row < grid.rows; ++row) {
    for (int64_t column = 0; column < grid.columns;) {
      const TileCell &cell = grid.at(row, column);
      int64_t end = column + 1;
      while (end < grid.columns && same(grid.at(row, end), cell))
        ++end;
      if (cell.full + cell.partial > 0) {
        os << "<rect x=\"" << column << "\" y=\"" << row << "\" width=\"" << end - column
           << "\" height=\"1\" fill=\"" << mix(cell) << "\">";
        tooltip(grid, row, column, end);
        os << "</rect>\n";
      }
      column = end;
    }
  }
}

namespace {

/// A position on an axis: of the token, and in pixels.
struct Tick {
  int64_t token, pixel;
};

} // namespace

/// Up to `parts` + 1 positions, both ends among them, as far as their labels leave each
/// other room. `extent` says which pixels the label of a tick takes. The end matters
/// most, then the beginning.
static std::vector<Tick>
ticksOf(int64_t tokens, int64_t pixels, int64_t parts,
        llvm::function_ref<std::pair<int64_t, int64_t>(const Tick &)> extent) {
  std::vector<Tick> ticks;
  std::vector<std::pair<int64_t, int64_t>> taken;
  auto add = [&](int64_t i) {
    int64_t token = tokens / parts * i + tokens % parts * i / parts;
    double share = static_cast<double>(token) / static_cast<double>(std::max<int64_t>(tokens, 1));
    Tick tick{token, static_cast<int64_t>(static_cast<double>(pixels) * share)};
    std::pair<int64_t, int64_t> room = extent(tick);
    for (auto [begin, end] : taken)
      if (room.first < end + 3 && begin < room.second + 3)
        return;
    taken.push_back(room);
    ticks.push_back(tick);
  };
  add(parts);
  for (int64_t i = 0; i < parts; ++i)
    add(i);
  return ticks;
}

/// Token positions along the top and the left side of a plot at (x, y).
void SvgPrinter::axes(int64_t x, int64_t y) {
  constexpr int64_t digit = 7, height = 11; // of a label
  const int64_t parts = small ? 1 : 4;
  // Labels at the ends stay within the plot.
  auto across = [&](const Tick &tick) {
    auto width = static_cast<int64_t>(std::to_string(tick.token).size()) * digit;
    int64_t begin = tick.token == 0        ? 0
                    : tick.token == d.numK ? plotWidth - width
                                           : tick.pixel - width / 2;
    return std::pair(begin, begin + width);
  };
  for (const Tick &tick : ticksOf(d.numK, plotWidth, parts, across)) {
    os << "<path d=\"M" << x + tick.pixel << ' ' << y - 5 << "v5\"/>\n";
    text(x + tick.pixel, y - 8, std::to_string(tick.token),
         tick.token == 0        ? ""
         : tick.token == d.numK ? " text-anchor=\"end\""
                                : " text-anchor=\"middle\"");
  }
  auto down = [&](const Tick &tick) {
    int64_t baseline = tick.pixel + (tick.token == 0 ? 9 : 2);
    return std::pair(baseline - height, baseline);
  };
  for (const Tick &tick : ticksOf(d.numQ, plotHeight, parts, down)) {
    os << "<path d=\"M" << x - 5 << ' ' << y + tick.pixel << "h5\"/>\n";
    text(x - 7, y + down(tick).second, std::to_string(tick.token + d.firstQuery),
         " text-anchor=\"end\"");
  }
}

/// Lines between the tiles of a panel of tokens.
void SvgPrinter::tileEdges(int64_t x, int64_t y) {
  for (int64_t k = d.tileK; k < d.numK; k += d.tileK)
    os << "<path class=\"edge\" d=\"M" << x + plotWidth * k / d.numK << ' ' << y << 'v'
       << plotHeight << "\"/>\n";
  for (int64_t q = d.tileQ; q < d.numQ; q += d.tileQ)
    os << "<path class=\"edge\" d=\"M" << x << ' ' << y + plotHeight * q / d.numQ << 'h'
       << plotWidth << "\"/>\n";
}

void SvgPrinter::panel(const TilePanel &panel, int64_t x, int64_t y) {
  const TileGrid &grid = panel.grid;
  x += axisLeft;
  std::string heading = panel.title;
  if (!small)
    heading += std::string(heading.empty() ? "" : ": ") + "queries down, keys across";
  text(x, y + 12, heading);
  y += axisTop;
  axes(x, y);
  os << "<rect x=\"" << x << "\" y=\"" << y << "\" width=\"" << plotWidth << "\" height=\""
     << plotHeight << "\" fill=\"" << mix({0, 0, 1}) << "\" stroke=\"#888888\"/>\n";
  if (grid.cells.empty())
    return;
  auto scale = [](int64_t length, int64_t cells) {
    return static_cast<double>(length) / static_cast<double>(cells);
  };
  os << "<g transform=\"translate(" << x << ' ' << y << ") scale("
     << llvm::format("%.5g %.5g", scale(plotWidth, grid.columns), scale(plotHeight, grid.rows))
     << ")\" stroke=\"none\" shape-rendering=\"crispEdges\">\n";
  cells(grid);
  os << "</g>\n";
  if (grid.tokens)
    tileEdges(x, y);
}

std::string SvgPrinter::print() {
  auto panels = static_cast<int64_t>(d.panels.size());
  auto across = static_cast<int64_t>(std::ceil(std::sqrt(static_cast<double>(panels))));
  small = across > 1;
  const int64_t longer = small ? std::max<int64_t>(170, 640 / across) : 720;
  int64_t most = std::max<int64_t>({d.numQ, d.numK, 1});
  // A single query against a million keys still gets a stripe.
  auto side = [&](int64_t tokens) {
    return std::max<int64_t>(
        24, static_cast<int64_t>(static_cast<double>(longer) * static_cast<double>(tokens) /
                                 static_cast<double>(most)));
  };
  plotWidth = side(d.numK);
  plotHeight = side(d.numQ);

  std::vector<std::string> heading = wrap(d.title, 110);
  int64_t top = margin + static_cast<int64_t>(heading.size() + d.lines.size() + 1) * lineHeight + 6;
  int64_t panelWidth = axisLeft + plotWidth + gap, panelHeight = axisTop + plotHeight + gap;
  int64_t down = across ? (panels + across - 1) / across : 0;
  int64_t width = std::max<int64_t>(across * panelWidth, axisLeft + 720 + gap) + margin;
  int64_t height = top + down * panelHeight + margin;

  os << "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" << width << "\" height=\"" << height
     << "\" viewBox=\"0 0 " << width << ' ' << height
     << "\" font-family=\"sans-serif\" font-size=\"13\">\n<title>";
  for (const std::string &line : heading)
    os << escapeXml(line);
  os << "</title>\n<rect width=\"" << width << "\" height=\"" << height
     << "\" fill=\"#ffffff\"/>\n";
  int64_t y = margin + 10;
  for (const std::string &line : heading) {
    text(margin, y, line, " font-weight=\"bold\"");
    y += lineHeight;
  }
  for (const std::string &line : d.lines) {
    text(margin, y, line);
    y += lineHeight;
  }
  legend(y);
  os << "<g font-size=\"11\" "
        "stroke-width=\"0.5\">\n<style>path{stroke:#888888}.edge{stroke:#222222}</style>\n";
  for (int64_t i = 0; i < panels; ++i)
    panel(d.panels[i], margin / 2 + i % across * panelWidth, top + i / across * panelHeight);
  os << "</g>\n" << script << "</svg>\n";
  return std::move(out);
}

std::string girih::printSvg(const TileDrawing &drawing) { return SvgPrinter(drawing).print(); }
