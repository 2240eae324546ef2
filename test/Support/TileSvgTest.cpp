//===- TileSvgTest.cpp - Pictures that a browser opens --------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// That the documents are well-formed is tested in test/Tools/girih-explain, where
// there is an XML parser.
//
//===----------------------------------------------------------------------===//

#include "girih/Support/TileSvg.h"

#include <gtest/gtest.h>

using namespace girih;

namespace {

/// One panel of `rows` by `columns` tiles of 64 x 64.
TileDrawing drawing(int64_t rows, int64_t columns, int64_t cells = 8) {
  TileDrawing d;
  d.numQ = rows * 64;
  d.numK = columns * 64;
  d.tileQ = d.tileK = 64;
  d.panels.push_back({TileGrid::create(rows, columns, cells), ""});
  return d;
}

int64_t count(const std::string &text, const std::string &what) {
  int64_t found = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
    ++found;
  return found;
}

TEST(TileSvg, nothing_to_draw) {
  EXPECT_EQ(count(printSvg({}), "</svg>"), 1);
  EXPECT_EQ(count(printSvg(drawing(0, 0)), "</svg>"), 1);
}

TEST(TileSvg, escapes_what_it_is_given) {
  TileDrawing d = drawing(1, 1);
  d.title = "a<b & \"c\"\n";
  d.lines = {"1 < 2"};
  d.panels[0].title = "bad \xff UTF-8";
  std::string svg = printSvg(d);
  EXPECT_EQ(count(svg, "<title>a&lt;b &amp; &quot;c&quot; </title>"), 1);
  EXPECT_EQ(count(svg, "1 &lt; 2"), 1);
  EXPECT_EQ(count(svg, "\xff"), 0);
}

TEST(TileSvg, long_titles_are_cut_after_three_lines) {
  TileDrawing d = drawing(1, 1);
  for (int i = 0; i < 1000; ++i)
    d.title += "word" + std::to_string(i) + " ";
  std::string svg = printSvg(d);
  EXPECT_EQ(count(svg, " font-weight=\"bold\""), 3);
  EXPECT_EQ(count(svg, "word0 "), 2) << "in the title of the document and in the heading";
  EXPECT_EQ(count(svg, "word999"), 0);
}

TEST(TileSvg, states_differ_in_colour) {
  TileDrawing d = drawing(1, 3);
  d.panels[0].grid.at(0, 1).partial = 1;
  d.panels[0].grid.at(0, 2).full = 1;
  std::string svg = printSvg(d);
  for (const char *colour : {"#f4f1ea", "#e69f3c", "#185a82"})
    EXPECT_EQ(count(svg, colour), 2) << colour << " in the picture and the legend";
}

TEST(TileSvg, cells_say_what_they_are) {
  TileDrawing d = drawing(2, 4);
  d.firstQuery = -30;
  d.numK = 250;
  TileGrid &grid = d.panels[0].grid;
  grid.at(0, 2).full = grid.at(0, 3).full = 1;
  grid.at(1, 0).partial = 1;
  std::string svg = printSvg(d);
  // Equal neighbours are one rectangle; positions are absolute and end with the keys.
  EXPECT_EQ(count(svg, "<rect x=\"2\" y=\"0\" width=\"2\" height=\"1\" fill=\"#185a82\">"
                       "<title>q -30 to 33, k 128 to 249: 2 full of 2</title></rect>"),
            1);
  EXPECT_EQ(count(svg, "<title>q 34 to 97, k 0 to 63: 1 partial of 1</title>"), 1);
  EXPECT_EQ(count(svg, "a cell is one tile"), 1);
}

TEST(TileSvg, axes_have_token_positions) {
  TileDrawing d = drawing(16, 16, 16);
  d.firstQuery = 5;
  std::string svg = printSvg(d);
  for (const char *position : {">0<", ">256<", ">512<", ">768<", ">1024<"})
    EXPECT_EQ(count(svg, position), 1) << position;
  for (const char *position : {">5<", ">261<", ">517<", ">773<", ">1029<"})
    EXPECT_EQ(count(svg, position), 1) << position;
}

TEST(TileSvg, labels_leave_each_other_room) {
  // Two keys: positions 0, 1 and 2, and no position twice.
  TileDrawing d = drawing(1, 1);
  d.numQ = d.numK = 2;
  std::string svg = printSvg(d);
  for (const char *position : {">0<", ">1<", ">2<"})
    EXPECT_EQ(count(svg, position), 2) << position << " across and down";
  // A stripe of 24 pixels has no room for more than the last position of its keys.
  d.numQ = int64_t(1) << 26;
  d.numK = 100000;
  svg = printSvg(d);
  EXPECT_EQ(count(svg, ">100000<"), 1);
  EXPECT_EQ(count(svg, ">25000<") + count(svg, ">50000<") + count(svg, ">75000<"), 0);
  EXPECT_EQ(count(svg, ">0<"), 1) << "of the queries";
}

TEST(TileSvg, pairs_of_tokens) {
  TileDrawing d = drawing(1, 1);
  d.numQ = d.numK = 40;
  d.tileQ = d.tileK = 16;
  d.firstQuery = 3;
  TileGrid grid = TileGrid::ofTokens(40, 40);
  grid.at(1, 4).full = grid.at(1, 5).full = grid.at(2, 7).full = 1;
  grid.at(1, 6).partial = 1;
  d.panels[0].grid = grid;
  std::string svg = printSvg(d);
  EXPECT_EQ(count(svg, "<title>q 4, k 4 to 5: kept</title>"), 1);
  EXPECT_EQ(count(svg, "<title>q 4, k 6: masked</title>"), 1);
  EXPECT_EQ(count(svg, "<title>q 5, k 7: kept</title>"), 1);
  for (const char *name : {">skipped<", ">masked<", ">kept<", "a cell is one query and one key"})
    EXPECT_EQ(count(svg, name), 1) << name;
  EXPECT_EQ(count(svg, "class=\"edge\""), 4) << "after 16 and 32 tokens, across and down";
}

TEST(TileSvg, groups_of_tiles_are_named_and_shaded) {
  TileDrawing d = drawing(800, 800);
  TileGrid &grid = d.panels[0].grid;
  grid.at(0, 0).full = 100; // 1 % of its 10,000 tiles
  grid.at(1, 1).full = 1;
  grid.at(2, 2).full = 10000;
  std::string svg = printSvg(d);
  EXPECT_EQ(count(svg, "a cell is a group of 100 x 100 tiles"), 1);
  // Each shade is in the picture and in the legend; "full" and "100 %" are one.
  EXPECT_EQ(count(svg, "#185a82"), 3);
  EXPECT_EQ(count(svg, "#7096ac"), 2);
  EXPECT_EQ(count(svg, "#c8d3d5"), 2);
  EXPECT_EQ(count(svg, "1 full of 10000"), 1);
}

TEST(TileSvg, zooms_where_scripts_run) {
  std::string svg = printSvg(drawing(2, 2));
  EXPECT_EQ(count(svg, "<script><![CDATA["), 1);
  EXPECT_EQ(count(svg, "addEventListener(\"wheel\""), 1);
  EXPECT_EQ(count(svg, "viewBox=\"0 0 "), 1);
}

TEST(TileSvg, heads_become_panels_side_by_side) {
  TileDrawing d = drawing(4, 4);
  d.panels[0].title = "head 0..3";
  d.panels.push_back({TileGrid::create(4, 4, 8), "head 4..7"});
  std::string svg = printSvg(d);
  EXPECT_EQ(count(svg, ">head 0..3<"), 1);
  EXPECT_EQ(count(svg, ">head 4..7<"), 1);
}

TEST(TileSvg, a_single_query_gets_a_stripe) {
  TileDrawing d = drawing(1, 4096, 160);
  d.numQ = 1;
  d.panels[0].grid.at(0, 0).partial = 1;
  EXPECT_EQ(count(printSvg(d), "width=\"720\" height=\"24\""), 1);
}

TEST(TileSvg, size_is_bounded) {
  // The most cells, no two neighbours equal, and the longest numbers there are.
  for (int64_t panels : {int64_t(1), int64_t(2), int64_t(5), maxPanels}) {
    TileDrawing d;
    d.title = std::string(100000, '&');
    d.numQ = d.numK = int64_t(1) << 26;
    d.firstQuery = -d.numQ;
    d.tileQ = d.tileK = 64;
    for (int64_t i = 0; i < panels; ++i) {
      TileGrid grid = TileGrid::create(1 << 20, 1 << 20, cellsOfPanel(panels));
      for (size_t cell = 0; cell < grid.cells.size(); ++cell) {
        grid.cells[cell].full = grid.cells[cell].total / 2 - static_cast<int64_t>(cell % 2);
        grid.cells[cell].partial = grid.cells[cell].total - grid.cells[cell].full;
      }
      d.panels.push_back({std::move(grid), "head"});
    }
    // Pairs of tokens take no more room.
    TileDrawing pairs = d;
    pairs.numQ = pairs.numK = tokensOfPanel(panels);
    for (TilePanel &panel : pairs.panels) {
      panel.grid = TileGrid::ofTokens(pairs.numQ, pairs.numK);
      for (size_t cell = 0; cell < panel.grid.cells.size(); ++cell)
        ++(cell % 2 ? panel.grid.cells[cell].full : panel.grid.cells[cell].partial);
    }
    EXPECT_LT(static_cast<int64_t>(printSvg(pairs).size()), maxSvgBytes) << panels;
    std::string svg = printSvg(d);
    EXPECT_LT(static_cast<int64_t>(svg.size()), maxSvgBytes) << panels;
    EXPECT_GT(static_cast<int64_t>(svg.size()), maxSvgBytes / 3) << panels << ": not the worst";
  }
}

} // namespace
