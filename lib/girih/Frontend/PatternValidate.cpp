//===- PatternValidate.cpp - Checks of the values of a tree ---------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Everything that is wrong whatever the lengths are. What depends on them is in
// ShapeValidate.cpp. Both return the first thing found.
//
//===----------------------------------------------------------------------===//

#include "girih/Frontend/Pattern.h"
#include "girih/Frontend/PatternDetail.h"

#include "girih-c/BlockMap.h"

#include <algorithm>
#include <fmt/format.h>

using namespace girih;

using Wide = __int128;

//===----------------------------------------------------------------------===//
// Nodes
//===----------------------------------------------------------------------===//

static std::string checkRange(const char *name, int64_t value, int64_t low,
                              int64_t high = maxValue) {
  if (value < low)
    return fmt::format("expected {} to be at least {}, but got {}", name, low, value);
  if (value > high)
    return fmt::format("expected {} to be at most {}, but got {}", name, high, value);
  return "";
}

static std::string checkSegments(const PatternNode &node) {
  if (node.offsets.empty())
    return "expected offsets to start at 0, but got an empty list";
  if (node.offsets[0] != 0)
    return fmt::format("expected offsets to start at 0, but got {}", node.offsets[0]);
  for (size_t i = 1; i < node.offsets.size(); ++i)
    if (node.offsets[i] < node.offsets[i - 1])
      return fmt::format("expected offsets not to decrease, but got {} after {}", node.offsets[i],
                         node.offsets[i - 1]);
  return checkRange("offsets", node.offsets.back(), 0);
}

static std::string checkTable(const PatternNode &node) {
  std::string error = checkRange("size", node.size, 1);
  if (error.empty())
    error = checkRange("heads", node.tableHeads, 1);
  if (!error.empty())
    return error;
  int64_t entries = int64_t(node.indptr.size());
  if (entries == 0 || entries % node.tableHeads)
    return fmt::format("expected indptr to have rows + 1 entries for each of {} "
                       "heads, but got {}",
                       node.tableHeads, entries);
  if (node.indptr[0] != 0)
    return fmt::format("expected indptr to start at 0, but got {}", node.indptr[0]);
  int64_t perHead = entries / node.tableHeads;
  int64_t size = int64_t(node.indices.size());
  for (int64_t i = 1; i < entries; ++i) {
    int64_t from = node.indptr[i - 1], to = node.indptr[i];
    if (i % perHead == 0) {
      if (to != from)
        return fmt::format("expected indptr of head {} to start at {}, where head "
                           "{} ends, but got {}",
                           i / perHead, from, i / perHead - 1, to);
      continue;
    }
    if (to < from)
      return fmt::format("expected indptr not to decrease, but got {} after {}", to, from);
    if (to > size)
      return fmt::format("expected indptr to be at most {}, the number of "
                         "indices, but got {}",
                         size, to);
    for (int64_t j = from; j < to; ++j) {
      error = checkRange("indices", node.indices[j], 0);
      if (!error.empty())
        return error;
      if (j > from && node.indices[j] <= node.indices[j - 1])
        return fmt::format("expected indices of row {} to ascend, but got {} "
                           "after {}",
                           (i - 1) % perHead, node.indices[j], node.indices[j - 1]);
    }
  }
  if (node.indptr.back() != size)
    return fmt::format("expected indptr to end at {}, the number of indices, but "
                       "got {}",
                       size, node.indptr.back());
  return "";
}

static std::string checkNeighborhood(const PatternNode &node) {
  size_t rank = node.grid.size();
  if (rank < 1 || rank > 3)
    return fmt::format("expected grid to have 1 to 3 dimensions, but got {}", rank);
  struct {
    const char *name;
    size_t size;
  } lists[] = {{"kernel", node.kernel.size()},
               {"dilation", node.dilations.size()},
               {"stride", node.strides.size()},
               {"causal", node.causal.size()}};
  for (const auto &list : lists)
    if (list.size != rank)
      return fmt::format("expected {} to have {} entries as grid has, but got {}", list.name, rank,
                         list.size);
  int64_t tokens = 1;
  for (size_t i = 0; i < rank; ++i) {
    int64_t grid = node.grid[i], kernel = node.kernel[i];
    std::string error = checkRange("grid", grid, 1);
    if (error.empty())
      error = checkRange("kernel", kernel, 1);
    if (error.empty())
      error = checkRange("dilation", node.dilations[i], 1);
    if (error.empty())
      error = checkRange("stride", node.strides[i], 1);
    if (!error.empty())
      return error;
    Wide span = Wide(kernel) * node.dilations[i];
    if (span > grid)
      return fmt::format("expected kernel * dilation to be at most the grid's {} "
                         "in dimension {}, but got {} * {}",
                         grid, i, kernel, node.dilations[i]);
    if (node.strides[i] > kernel)
      return fmt::format("expected stride to be at most the kernel's {} in "
                         "dimension {}, but got {}",
                         kernel, i, node.strides[i]);
    if (__builtin_mul_overflow(tokens, grid, &tokens) || tokens > maxValue)
      return fmt::format("expected grid to hold at most {} tokens, but got more", maxValue);
  }
  return "";
}

static std::string checkHeads(const PatternNode &node) {
  size_t size = node.children.size();
  if (size == 0)
    return "expected heads to have a pattern or more, but got none";
  if (node.headBegin.size() != size || node.headEnd.size() != size)
    return fmt::format("expected {} head ranges, but got {}", size, node.headBegin.size());
  std::vector<std::pair<int64_t, int64_t>> ranges;
  for (size_t i = 0; i < size; ++i) {
    int64_t begin = node.headBegin[i], end = node.headEnd[i];
    std::string error = checkRange("a head", begin, 0);
    if (error.empty())
      error = checkRange("a head", end, 0);
    if (!error.empty())
      return error;
    if (end < begin)
      return fmt::format("expected a head range to ascend, but got {}..{}", begin, end);
    ranges.push_back({begin, end});
  }
  std::sort(ranges.begin(), ranges.end());
  for (size_t i = 1; i < size; ++i)
    if (ranges[i].first <= ranges[i - 1].second)
      return fmt::format("expected head ranges not to overlap, but {} lies in "
                         "{}..{} and {}..{}",
                         ranges[i].first, ranges[i - 1].first, ranges[i - 1].second,
                         ranges[i].first, ranges[i].second);
  return "";
}

static std::string checkDilated(const PatternNode &node) {
  if (!node.left || !node.right)
    return fmt::format("expected {} of dilated to be given, but it is missing",
                       node.left ? "right" : "left");
  std::string error = checkRange("left", *node.left, 0);
  if (error.empty())
    error = checkRange("right", *node.right, 0);
  if (error.empty())
    error = checkRange("dilation", node.dilation, 1);
  if (error.empty() && Wide(std::max(*node.left, *node.right)) * node.dilation > maxValue)
    return fmt::format("expected left and right times dilation to be at most {}, "
                       "but got {} * {}",
                       maxValue, std::max(*node.left, *node.right), node.dilation);
  return error;
}

static std::string checkColumns(const PatternNode &node) {
  std::string error = checkRange("period", node.period, 1);
  if (error.empty())
    error = checkRange("lo", node.lo, 0, node.period);
  if (error.empty())
    error = checkRange("hi", node.hi, node.lo, node.period);
  return error;
}

static std::string checkChildren(const PatternNode &node) {
  size_t low = 0, high = 0;
  switch (node.kind) {
  case PatternKind::Union:
  case PatternKind::Intersect:
    low = 2;
    high = SIZE_MAX;
    break;
  case PatternKind::Subtract:
    low = high = 2;
    break;
  case PatternKind::Complement:
  case PatternKind::Blockwise:
    low = high = 1;
    break;
  case PatternKind::Heads:
    high = SIZE_MAX;
    break;
  default:
    break;
  }
  size_t size = node.children.size();
  if (size < low || size > high)
    return fmt::format("expected {} to have {} operands, but got {}", detail::kindName(node.kind),
                       low, size);
  for (const PatternRef &child : node.children)
    if (!child)
      return fmt::format("expected an operand of {} to be a pattern, but got none",
                         detail::kindName(node.kind));
  return "";
}

std::string detail::validateNode(const PatternNode &node) {
  std::string error = checkChildren(node);
  if (!error.empty())
    return error;
  switch (node.kind) {
  case PatternKind::Window:
    if (node.left)
      error = checkRange("left", *node.left, 0);
    if (error.empty() && node.right)
      error = checkRange("right", *node.right, 0);
    return error;
  case PatternKind::Dilated:
    return checkDilated(node);
  case PatternKind::Strided:
    return checkRange("stride", node.stride, 1);
  case PatternKind::Chunk:
  case PatternKind::Blockwise:
    return checkRange("size", node.size, 1);
  case PatternKind::Columns:
    return checkColumns(node);
  case PatternKind::GlobalColumns:
  case PatternKind::GlobalRows:
  case PatternKind::Global:
    error = checkRange("first", node.first, 0);
    return error.empty() ? checkRange("last", node.last, 0) : error;
  case PatternKind::Segments:
    return checkSegments(node);
  case PatternKind::RandomBlocks:
    error = checkRange("size", node.size, 1);
    return error.empty() ? checkRange("count", node.count, 0) : error;
  case PatternKind::BlockTable:
    return checkTable(node);
  case PatternKind::Neighborhood:
    return checkNeighborhood(node);
  case PatternKind::Heads:
    return checkHeads(node);
  case PatternKind::Predicate:
    return validatePredicate(node.expr);
  default:
    return "";
  }
}

//===----------------------------------------------------------------------===//
// Trees
//===----------------------------------------------------------------------===//

/// Nodes of an expression of which `validatePredicate` has bounded the number.
static int64_t countNodes(const Expr &expr) {
  int64_t count =
      1 + (expr.lhs ? countNodes(*expr.lhs) : 0) + (expr.rhs ? countNodes(*expr.rhs) : 0);
  for (const ExprRef &index : expr.indices)
    count += countNodes(*index);
  return count;
}

/// Depth of an expression within its own bound.
static int depthOf(const Expr &expr) {
  int depth = std::max(expr.lhs ? depthOf(*expr.lhs) : 0, expr.rhs ? depthOf(*expr.rhs) : 0);
  for (const ExprRef &index : expr.indices)
    depth = std::max(depth, depthOf(*index));
  return 1 + depth;
}

static std::string validateTree(const PatternNode &node, int depth, int64_t &budget) {
  if (depth > maxDepth)
    return fmt::format("expected at most {} levels of nesting, but got more", maxDepth);
  std::string error;
  if (--budget >= 0)
    error = detail::validateNode(node);
  if (!error.empty())
    return error;
  if (node.expr) {
    budget -= countNodes(*node.expr);
    if (depth + depthOf(*node.expr) > maxDepth)
      return fmt::format("expected at most {} levels of nesting, but got more", maxDepth);
  }
  if (budget < 0)
    return fmt::format("expected at most {} nodes, but got more", maxNodes);
  for (const PatternRef &child : node.children) {
    error = validateTree(*child, depth + 1, budget);
    if (!error.empty())
      return error;
  }
  return "";
}

std::string girih::validate(const Pattern &pattern) {
  if (!pattern)
    return "expected a pattern, but got none";
  int64_t budget = maxNodes;
  return validateTree(*pattern, 1, budget);
}
