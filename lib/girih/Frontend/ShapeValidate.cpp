//===- ShapeValidate.cpp - Checks of a tree against lengths ---------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Everything that must agree with the lengths of a launch: offsets, grids, head
// ranges and block tables. Inside `blockwise` lengths count blocks.
//
//===----------------------------------------------------------------------===//

#include "girih/Frontend/Pattern.h"

#include <algorithm>
#include <fmt/format.h>

using namespace girih;

Shape girih::makeShape(int64_t numQ, int64_t numK, int64_t heads, bool topLeft) {
  Shape shape;
  shape.numQ = numQ;
  shape.numK = numK;
  shape.heads = heads;
  shape.qOffset = topLeft ? 0 : numK - numQ;
  shape.qEnd = topLeft ? numQ : numK;
  return shape;
}

static int64_t floorDiv(int64_t a, int64_t b) { return a / b - (a % b < 0); }
static int64_t ceilDiv(int64_t a, int64_t b) { return a / b + (a % b > 0); }

/// Heads `begin..end` that reach a subtree.
struct HeadSpan {
  int64_t begin, end;
};

static std::string spell(int64_t begin, int64_t end) {
  return begin == end ? std::to_string(begin) : fmt::format("{}..{}", begin, end);
}

static std::string checkCovered(const PatternNode &node, HeadSpan span, int64_t heads) {
  std::vector<std::pair<int64_t, int64_t>> ranges;
  for (size_t i = 0; i < node.children.size(); ++i) {
    ranges.push_back({node.headBegin[i], node.headEnd[i]});
    if (node.headEnd[i] >= heads)
      return fmt::format("expected heads to cover {}, but got a pattern for {}",
                         spell(0, heads - 1), spell(node.headBegin[i], node.headEnd[i]));
  }
  std::sort(ranges.begin(), ranges.end());
  int64_t next = span.begin;
  for (auto [begin, end] : ranges) {
    if (begin > next)
      return fmt::format("expected heads to cover {}, but {} have no pattern",
                         spell(span.begin, span.end), spell(next, std::min(begin - 1, span.end)));
    next = std::max(next, end + 1);
    if (next > span.end)
      return "";
  }
  return fmt::format("expected heads to cover {}, but {} have no pattern",
                     spell(span.begin, span.end), spell(next, span.end));
}

static std::string checkTable(const PatternNode &node, const Shape &shape) {
  if (node.tableHeads != 1 && node.tableHeads != shape.heads)
    return fmt::format("expected heads of block_table to be 1 or {}, but got {}", shape.heads,
                       node.tableHeads);
  int64_t rows = int64_t(node.indptr.size()) / node.tableHeads - 1;
  int64_t needed = ceilDiv(shape.qEnd, node.size);
  if (rows < needed)
    return fmt::format("expected block_table to have at least {} rows for {} "
                       "positions in blocks of {}, but got {}",
                       needed, shape.qEnd, node.size, rows);
  int64_t blocks = ceilDiv(shape.numK, node.size);
  for (int64_t index : node.indices)
    if (index >= blocks)
      return fmt::format("expected indices of block_table to be less than {} for "
                         "{} keys in blocks of {}, but got {}",
                         blocks, shape.numK, node.size, index);
  return "";
}

static std::string checkGrid(const PatternNode &node, const Shape &shape) {
  int64_t tokens = 1;
  for (int64_t size : node.grid)
    tokens *= size;
  if (tokens != shape.numQ || tokens != shape.numK)
    return fmt::format("expected grid to hold {} queries and {} keys, but got {} "
                       "positions",
                       shape.numQ, shape.numK, tokens);
  // Blocks of queries can start before the keys even when their numbers agree.
  if (shape.qOffset < 0)
    return fmt::format("expected queries of neighborhood to start at position 0 or "
                       "later, but got {}",
                       shape.qOffset);
  return "";
}

static std::string checkTree(const PatternNode &node, const Shape &shape, HeadSpan span) {
  std::string error;
  switch (node.kind) {
  case PatternKind::Segments:
    if (node.offsets.back() != shape.numK)
      return fmt::format("expected offsets to end at {}, the number of keys, but "
                         "got {}",
                         shape.numK, node.offsets.back());
    return "";
  case PatternKind::BlockTable:
    return checkTable(node, shape);
  case PatternKind::Neighborhood:
    return checkGrid(node, shape);
  case PatternKind::Heads:
    error = checkCovered(node, span, shape.heads);
    for (size_t i = 0; i < node.children.size() && error.empty(); ++i) {
      HeadSpan inner = {std::max(span.begin, node.headBegin[i]),
                        std::min(span.end, node.headEnd[i])};
      if (inner.begin <= inner.end)
        error = checkTree(*node.children[i], shape, inner);
    }
    return error;
  case PatternKind::Blockwise: {
    Shape inner = shape;
    inner.numQ = ceilDiv(shape.numQ, node.size);
    inner.numK = ceilDiv(shape.numK, node.size);
    inner.qEnd = ceilDiv(shape.qEnd, node.size);
    inner.qOffset = floorDiv(shape.qOffset, node.size);
    return checkTree(*node.children[0], inner, span);
  }
  default:
    for (size_t i = 0; i < node.children.size() && error.empty(); ++i)
      error = checkTree(*node.children[i], shape, span);
    return error;
  }
}

std::string girih::validateShape(const Pattern &pattern, const Shape &shape) {
  std::string error = validate(pattern);
  if (!error.empty())
    return error;
  if (shape.numQ < 0 || shape.numK < 0 || shape.heads < 1)
    return fmt::format("expected lengths of at least 0 and a head or more, but got "
                       "{} queries, {} keys and {} heads",
                       shape.numQ, shape.numK, shape.heads);
  return checkTree(*pattern, shape, {0, shape.heads - 1});
}
