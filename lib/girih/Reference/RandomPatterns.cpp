//===- RandomPatterns.cpp - Patterns drawn from the grammar ---------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Draws values where mistakes hide: zero, one, just below and above a length, and
// sizes that divide nothing. Standard distributions differ between libraries and
// the order of arguments between compilers, so only raw generator output is used,
// one draw after another.
//
//===----------------------------------------------------------------------===//

#include "girih/Reference/RandomPatterns.h"

#include "girih/Reference/Dice.h"

#include <algorithm>

using namespace girih;

static int64_t floorDiv(int64_t a, int64_t b) { return a / b - (a % b < 0); }
static int64_t ceilDiv(int64_t a, int64_t b) { return a / b + (a % b > 0); }

namespace {

class Drawer : Dice {
public:
  Drawer(std::mt19937_64 &random, const DrawOptions &options) : Dice(random), options(options) {}

  /// A pattern for `shape` that heads `firstHead..lastHead` use.
  Pattern draw(const Shape &shape, int64_t firstHead, int64_t lastHead, int depth);

private:
  /// At least `low`, mostly small, sometimes near or beyond `length`.
  int64_t number(int64_t low, int64_t length);

  Pattern drawLeaf(const Shape &shape);
  Pattern drawBlockTable(const Shape &shape);
  Pattern drawSegments(const Shape &shape);
  Pattern drawNeighborhood(const Shape &shape);
  Pattern drawHeads(const Shape &shape, int64_t firstHead, int64_t lastHead, int depth);
  Bool drawCondition(const Shape &shape, int depth);
  Index drawIndex(const Shape &shape, int depth);
  Table drawTable(const Shape &shape, std::vector<int64_t> extents);
  Index drawLookup(const Shape &shape, int depth);
  Bool drawSameDocument(const Shape &shape);
  /// `index` kept within `extent` by a remainder or by clamping.
  Index within(Index index, int64_t extent);

  const DrawOptions &options;
  int64_t numTables = 0;
};

} // namespace

int64_t Drawer::number(int64_t low, int64_t length) {
  switch (between(0, 5)) {
  case 0:
    return low + between(0, 1);
  case 1:
  case 2:
    return low + between(0, 7);
  case 3:
    return std::max(low, length + between(-2, 2));
  default:
    return low + between(0, std::max<int64_t>(length, 1));
  }
}

//===----------------------------------------------------------------------===//
// Leaves
//===----------------------------------------------------------------------===//

Pattern Drawer::drawSegments(const Shape &shape) {
  std::vector<int64_t> offsets = {0};
  for (int64_t i = between(0, 5); i > 0; --i)
    offsets.push_back(between(0, shape.numK)); // equal ones: empty documents
  offsets.push_back(shape.numK);
  std::sort(offsets.begin(), offsets.end());
  return segments(std::move(offsets));
}

Pattern Drawer::drawBlockTable(const Shape &shape) {
  // At least a sixteenth of the length, so that tables stay small.
  int64_t longest = std::max({shape.numK, shape.qEnd, int64_t(1)});
  int64_t size = number(ceilDiv(longest, 16), longest);
  int64_t rows = ceilDiv(std::max<int64_t>(shape.qEnd, 0), size) + between(0, 1);
  int64_t blocks = ceilDiv(shape.numK, size);
  int64_t tableHeads = oneIn(2) ? 1 : shape.heads;
  std::vector<int64_t> indptr, indices;
  for (int64_t head = 0; head < tableHeads; ++head) {
    indptr.push_back(int64_t(indices.size()));
    for (int64_t row = 0; row < rows; ++row) {
      int64_t sparsity = between(1, 4);
      for (int64_t block = 0; block < blocks; ++block)
        if (oneIn(sparsity))
          indices.push_back(block);
      indptr.push_back(int64_t(indices.size()));
    }
  }
  return blockTable(size, std::move(indptr), std::move(indices), tableHeads);
}

Pattern Drawer::drawNeighborhood(const Shape &shape) {
  std::vector<int64_t> grid, kernel, dilation, stride;
  std::vector<bool> causal;
  int64_t rest = shape.numK;
  for (int64_t rank = between(1, 3); rank > 1; --rank) {
    std::vector<int64_t> divisors;
    for (int64_t d = 1; d * d <= rest; ++d)
      if (rest % d == 0)
        divisors.insert(divisors.end(), {d, rest / d});
    grid.push_back(divisors[between(0, int64_t(divisors.size()) - 1)]);
    rest /= grid.back();
  }
  grid.push_back(rest);
  for (int64_t length : grid) {
    kernel.push_back(between(1, oneIn(2) ? length : std::min<int64_t>(length, 5)));
    int64_t most = length / kernel.back();
    dilation.push_back(oneIn(2) ? 1 : between(1, std::min<int64_t>(most, 4)));
    stride.push_back(oneIn(2) ? 1 : between(1, kernel.back()));
    causal.push_back(oneIn(3));
  }
  return neighborhood(std::move(grid), std::move(kernel), std::move(dilation), std::move(stride),
                      std::move(causal));
}

Pattern Drawer::drawLeaf(const Shape &shape) {
  int64_t n = std::max(shape.numK, shape.qEnd);
  while (true) {
    switch (between(0, 16)) {
    case 0:
      return oneIn(2) ? full() : empty();
    case 1:
    case 2:
      return causal();
    case 3:
    case 4: {
      std::optional<int64_t> left, right;
      if (!oneIn(4))
        left = number(0, n);
      if (!oneIn(3))
        right = number(0, n);
      return window(left, right);
    }
    case 5: {
      int64_t left = number(0, n / 4), right = number(0, n / 4);
      return dilated(left, right, between(1, 5));
    }
    case 6:
      return strided(number(1, n));
    case 7:
      return chunk(number(1, n));
    case 8: {
      int64_t period = number(1, n), lo = between(0, period);
      return columns(period, lo, between(lo, period));
    }
    case 9:
    case 10:
    case 11: {
      int64_t first = number(0, n / 4), last = oneIn(2) ? 0 : number(0, n / 4);
      int64_t form = between(0, 2);
      return form == 0   ? globalColumns(first, last)
             : form == 1 ? globalRows(first, last)
                         : global(first, last);
    }
    case 12:
      if (!options.allowTables)
        break;
      return oneIn(2) ? drawSegments(shape) : drawBlockTable(shape);
    case 13: {
      if (!options.allowRandomBlocks)
        break;
      int64_t size = number(1, n / 2), count = between(0, 4);
      return randomBlocks(size, count, oneIn(4) ? random() : uint64_t(between(0, 9)));
    }
    case 14:
      if (!options.allowNeighborhoods || shape.numK < 1 || shape.numQ != shape.numK ||
          shape.qOffset < 0)
        break;
      return drawNeighborhood(shape);
    default:
      if (!options.allowPredicates)
        break;
      return predicate(drawCondition(shape, int(between(0, 3))));
    }
  }
}

//===----------------------------------------------------------------------===//
// Predicates
//===----------------------------------------------------------------------===//

Index Drawer::drawIndex(const Shape &shape, int depth) {
  if (depth == 0) {
    switch (between(0, 11)) {
    case 0:
      return between(-3, 3);
    case 1:
      return number(0, shape.numK);
    case 2:
      return -number(0, shape.numK);
    case 3:
      return detail::variable(Var::B);
    case 4:
      return detail::variable(Var::H);
    case 5:
      return oneIn(2) ? Index::nq() : Index::nk();
    case 6:
    case 7:
      return detail::variable(Var::Q);
    case 8:
      if (options.allowNonAffine)
        return detail::variable(Var::Q) * detail::variable(Var::K);
      [[fallthrough]];
    case 9:
      return detail::variable(Var::Q) - detail::variable(Var::K);
    default:
      return detail::variable(Var::K);
    }
  }
  Index a = drawIndex(shape, depth - 1);
  switch (between(0, 11)) {
  case 0:
  case 1:
    return a + drawIndex(shape, depth - 1);
  case 2:
  case 3:
    return a - drawIndex(shape, depth - 1);
  case 4:
    return oneIn(2) ? a * between(-4, 4) : Index(between(-4, 4)) * a;
  case 5:
    return a / number(1, shape.numK / 2);
  case 6:
    return a % number(1, shape.numK / 2);
  case 7:
    return oneIn(2) ? min(a, drawIndex(shape, depth - 1)) : max(a, drawIndex(shape, depth - 1));
  case 8:
    return abs(a);
  case 9:
    return -a;
  default:
    return options.allowTables ? drawLookup(shape, depth - 1) : -a;
  }
}

Index Drawer::within(Index index, int64_t extent) {
  return oneIn(2) ? index % extent : max(min(index, extent - 1), 0);
}

/// Sorted ids, few values, or anything.
Table Drawer::drawTable(const Shape &shape, std::vector<int64_t> extents) {
  int64_t size = 1, form = between(0, 2), at = 0;
  for (int64_t extent : extents)
    size *= extent;
  std::vector<int64_t> values;
  int64_t run = std::max<int64_t>(1, shape.numK / 8);
  for (int64_t i = 0; i < size; ++i)
    values.push_back(form == 0   ? at += oneIn(run)
                     : form == 1 ? between(0, 2)
                                 : between(-shape.numK, shape.numK));
  return Table("t" + std::to_string(numTables++), std::move(values), std::move(extents));
}

Index Drawer::drawLookup(const Shape &shape, int depth) {
  std::vector<int64_t> extents;
  for (int64_t rank = between(1, 4); rank > 0; --rank)
    extents.push_back(between(1, rank == 1 ? std::max<int64_t>(shape.numK, 1) : 4));
  Table table = drawTable(shape, extents);
  std::vector<Index> indices;
  for (int64_t extent : extents)
    indices.push_back(within(drawIndex(shape, depth), extent));
  return table.lookup(std::move(indices));
}

/// What packed documents are in FlexAttention: ids of both sides are equal.
Bool Drawer::drawSameDocument(const Shape &shape) {
  int64_t longest = std::max({shape.numK, shape.qEnd, int64_t(1)});
  Table ids = drawTable(shape, {2, longest});
  Index row = oneIn(2) ? detail::variable(Var::H) % 2 : Index(between(0, 1));
  // Queries may stand before the keys, and other launches have other lengths.
  auto at = [&](Var var) { return max(min(detail::variable(var), longest - 1), 0); };
  return ids(row, at(Var::Q)) == ids(row, at(Var::K));
}

Bool Drawer::drawCondition(const Shape &shape, int depth) {
  if (depth > 0 && !oneIn(4)) {
    Bool a = drawCondition(shape, depth - 1);
    switch (between(0, 4)) {
    case 0:
      return !a;
    case 1:
    case 2:
      return a && drawCondition(shape, depth - 1);
    default:
      return a || drawCondition(shape, depth - 1);
    }
  }
  if (options.allowTables && oneIn(6))
    return drawSameDocument(shape);
  Index a = drawIndex(shape, int(between(0, 3)));
  Index b = oneIn(2) ? Index(number(0, shape.numK)) : drawIndex(shape, int(between(0, 2)));
  switch (between(0, 7)) {
  case 0:
    return a < b;
  case 1:
    return a <= b;
  case 2:
    return a > b;
  case 3:
    return a >= b;
  case 4:
    return a == b;
  case 5:
    return a != b;
  case 6: {
    Index rest = a % number(1, 9);
    return rest == between(0, 3);
  }
  default:
    return detail::variable(Var::Q) >= detail::variable(Var::K);
  }
}

//===----------------------------------------------------------------------===//
// Trees
//===----------------------------------------------------------------------===//

Pattern Drawer::drawHeads(const Shape &shape, int64_t firstHead, int64_t lastHead, int depth) {
  std::vector<HeadRange> ranges;
  for (int64_t begin = firstHead; begin <= lastHead;) {
    int64_t end = between(begin, lastHead);
    ranges.push_back({begin, end, draw(shape, begin, end, depth - 1)});
    begin = end + 1;
  }
  if (oneIn(2)) // any order means the same
    std::reverse(ranges.begin(), ranges.end());
  return heads(std::move(ranges));
}

Pattern Drawer::draw(const Shape &shape, int64_t firstHead, int64_t lastHead, int depth) {
  auto inner = [&] { return draw(shape, firstHead, lastHead, depth - 1); };
  if (depth <= 0 || oneIn(4))
    return drawLeaf(shape);
  switch (between(0, 9)) {
  case 0:
  case 1:
  case 2: {
    Pattern a = inner();
    return a | inner();
  }
  case 3:
  case 4:
  case 5: {
    Pattern a = inner();
    return a & inner();
  }
  case 6: {
    Pattern a = inner();
    return a - inner();
  }
  case 7:
    return ~inner();
  case 8: {
    if (!options.allowBlockwise)
      return drawLeaf(shape);
    int64_t size = number(1, shape.numK / 2);
    Shape blocks = shape;
    blocks.numQ = ceilDiv(shape.numQ, size);
    blocks.numK = ceilDiv(shape.numK, size);
    blocks.qEnd = ceilDiv(shape.qEnd, size);
    blocks.qOffset = floorDiv(shape.qOffset, size);
    return blockwise(draw(blocks, firstHead, lastHead, depth - 1), size);
  }
  default:
    if (!options.allowHeads)
      return drawLeaf(shape);
    return drawHeads(shape, firstHead, lastHead, depth);
  }
}

Pattern girih::drawPattern(std::mt19937_64 &random, const DrawOptions &options) {
  Drawer drawer(random, options);
  return drawer.draw(options.shape, 0, options.shape.heads - 1, options.maxDepth);
}
