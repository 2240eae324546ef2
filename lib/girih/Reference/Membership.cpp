//===- Membership.cpp - Which pairs a pattern keeps -----------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Definitions first: one function for each kind of leaf, as short as its line in
// the table. Below them, a walk over the tree that applies them to a pair or to a
// row of pairs.
//
//===----------------------------------------------------------------------===//

#include "girih/Reference/Membership.h"

#include "girih/Reference/Expression.h"

#include "girih-c/BlockMap.h"

#include <algorithm>
#include <cstdlib>

using namespace girih;

/// Division and modulo round towards minus infinity everywhere.
static int64_t floorDiv(int64_t a, int64_t b) { return a / b - (a % b < 0); }
static int64_t floorMod(int64_t a, int64_t b) { return a - b * floorDiv(a, b); }
static int64_t ceilDiv(int64_t a, int64_t b) { return -floorDiv(-a, b); }

/// Lengths as a node sees them: tokens, or blocks inside `blockwise`.
struct Lengths {
  int64_t numQ, numK, qOffset, qEnd, heads;
};

//===----------------------------------------------------------------------===//
// Neighborhoods
//===----------------------------------------------------------------------===//

/// One dimension of NATTEN's mask: whether query coordinate `q` sees key
/// coordinate `k` in a dimension of `length` tokens. Tokens of one residue class
/// modulo the dilation form an undilated dimension of their own; `stride`
/// queries share the window of their leader.
static bool seesInDimension(int64_t q, int64_t k, int64_t length, int64_t kernel, int64_t dilation,
                            int64_t stride, bool causal) {
  int64_t residue = q % dilation;
  if (k % dilation != residue)
    return false;
  int64_t classLength = (length - residue + dilation - 1) / dilation;
  int64_t i = q / dilation, j = k / dilation;
  int64_t group = i / stride * stride;
  if (causal) {
    int64_t leader = std::min(group + stride - 1, classLength - 1);
    int64_t start = std::max<int64_t>(leader - kernel + 1, 0);
    return start <= j && j <= i;
  }
  // An even kernel has its extra key on the left; the window shifts inward at
  // the borders and always holds `kernel` keys.
  int64_t leader = std::min(group + stride / 2, classLength - 1);
  int64_t start = std::clamp<int64_t>(leader - kernel / 2, 0, classLength - kernel);
  return start <= j && j < start + kernel;
}

static bool seesNeighbor(const PatternNode &node, int64_t q, int64_t k) {
  int64_t tokens = 1;
  for (int64_t size : node.grid)
    tokens *= size;
  if (q < 0 || q >= tokens || k < 0 || k >= tokens)
    return false;
  for (size_t d = node.grid.size(); d-- > 0;) {
    int64_t length = node.grid[d];
    if (!seesInDimension(q % length, k % length, length, node.kernel[d], node.dilations[d],
                         node.strides[d], node.causal[d]))
      return false;
    q /= length;
    k /= length;
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Leaves
//===----------------------------------------------------------------------===//

/// Leaves that depend on nothing but positions, values and lengths.
static bool leafContains(const PatternNode &p, const Lengths &n, int64_t b, int64_t h, int64_t q,
                         int64_t k) {
  switch (p.kind) {
  case PatternKind::Full:
    return true;
  case PatternKind::Empty:
    return false;
  case PatternKind::Causal:
    return k <= q;
  case PatternKind::Window:
    return (!p.left || q - k <= *p.left) && (!p.right || -*p.right <= q - k);
  case PatternKind::Dilated:
    return floorMod(q - k, p.dilation) == 0 && -*p.right * p.dilation <= q - k &&
           q - k <= *p.left * p.dilation;
  case PatternKind::Strided:
    return floorMod(q - k, p.stride) == 0;
  case PatternKind::Chunk:
    return floorDiv(q, p.size) == floorDiv(k, p.size);
  case PatternKind::Columns: {
    int64_t column = floorMod(k, p.period);
    return p.lo <= column && column < p.hi;
  }
  case PatternKind::GlobalColumns:
    return k < p.first || k >= n.numK - p.last;
  case PatternKind::GlobalRows:
    return q < p.first || q >= n.qEnd - p.last;
  case PatternKind::Global:
    return k < p.first || k >= n.numK - p.last || q < p.first || q >= n.qEnd - p.last;
  case PatternKind::Neighborhood:
    return seesNeighbor(p, q, k);
  case PatternKind::Predicate:
    return holds(*p.expr, {{b, h, q, k, n.numQ, n.numK}});
  default:
    return false;
  }
}

//===----------------------------------------------------------------------===//
// Trees
//===----------------------------------------------------------------------===//

namespace {
struct Blocks {
  const int64_t *first, *last;
  const int64_t *begin() const { return first; }
  const int64_t *end() const { return last; }
};
} // namespace

/// A pattern node with the lengths where it stands and its tables.
struct Membership::Node {
  PatternRef source;
  Lengths lengths;
  std::vector<std::unique_ptr<Node>> children;
  /// Segments: the segment of each position.
  std::vector<int32_t> segmentOf;
  /// RandomBlocks: `drawnCount` blocks for each head and each block row from
  /// `firstRow` on, unless there are too many to keep.
  std::vector<int64_t> drawn;
  int64_t drawnCount = 0, firstRow = 0, numRows = 0;

  Node(const PatternRef &source, const Lengths &lengths);

  bool contains(int64_t b, int64_t h, int64_t q, int64_t k) const;
  void row(int64_t b, int64_t h, int64_t q, std::vector<uint8_t> &keys) const;

private:
  const Node *headChild(int64_t h) const;
  void drawRows();
  /// Blocks listed for a row of RandomBlocks or BlockTable, ascending; borrowed
  /// from the node or from `scratch`.
  Blocks listedBlocks(int64_t h, int64_t row, std::vector<int64_t> &scratch) const;
  int64_t segment(int64_t position) const {
    bool inside = position >= 0 && position < int64_t(segmentOf.size());
    return inside ? segmentOf[position] : -1;
  }
};

Membership::Node::Node(const PatternRef &source, const Lengths &lengths)
    : source(source), lengths(lengths) {
  Lengths inner = lengths;
  if (source->kind == PatternKind::Blockwise)
    inner = {ceilDiv(lengths.numQ, source->size), ceilDiv(lengths.numK, source->size),
             floorDiv(lengths.qOffset, source->size), ceilDiv(lengths.qEnd, source->size),
             lengths.heads};
  for (const PatternRef &child : source->children)
    children.push_back(std::make_unique<Node>(child, inner));
  if (source->kind == PatternKind::Segments)
    for (size_t i = 0; i + 1 < source->offsets.size(); ++i)
      segmentOf.insert(segmentOf.end(), source->offsets[i + 1] - source->offsets[i], int32_t(i));
  if (source->kind == PatternKind::RandomBlocks)
    drawRows();
}

void Membership::Node::drawRows() {
  constexpr int64_t limit = int64_t(1) << 22;
  int64_t blocks = ceilDiv(lengths.numK, source->size);
  firstRow = floorDiv(lengths.qOffset, source->size);
  numRows = floorDiv(lengths.qOffset + lengths.numQ - 1, source->size) + 1 - firstRow;
  drawnCount = std::min(source->count, blocks);
  if (drawnCount == 0 || lengths.numQ == 0 ||
      __int128(drawnCount) * numRows * lengths.heads > limit) {
    numRows = 0;
    return;
  }
  drawn.resize(drawnCount * numRows * lengths.heads);
  int64_t *out = drawn.data();
  for (int64_t h = 0; h < lengths.heads; ++h)
    for (int64_t row = firstRow; row < firstRow + numRows; ++row)
      out += girihRandomBlocks(source->seed, h, row, blocks, drawnCount, out);
}

const Membership::Node *Membership::Node::headChild(int64_t h) const {
  for (size_t i = 0; i < children.size(); ++i)
    if (source->headBegin[i] <= h && h <= source->headEnd[i])
      return children[i].get();
  return nullptr;
}

Blocks Membership::Node::listedBlocks(int64_t h, int64_t row, std::vector<int64_t> &scratch) const {
  if (source->kind == PatternKind::RandomBlocks) {
    int64_t index = row - firstRow;
    if (index >= 0 && index < numRows && h >= 0 && h < lengths.heads) {
      const int64_t *first = drawn.data() + (h * numRows + index) * drawnCount;
      return {first, first + drawnCount};
    }
    scratch.resize(drawnCount);
    int64_t count = girihRandomBlocks(source->seed, h, row, ceilDiv(lengths.numK, source->size),
                                      drawnCount, scratch.data());
    return {scratch.data(), scratch.data() + count};
  }
  int64_t rows = int64_t(source->indptr.size()) / source->tableHeads - 1;
  if (row < 0 || row >= rows)
    return {nullptr, nullptr};
  const int64_t *indptr = source->indptr.data() + row;
  if (source->tableHeads > 1)
    indptr += h * (rows + 1);
  const int64_t *indices = source->indices.data();
  return {indices + indptr[0], indices + indptr[1]};
}

bool Membership::Node::contains(int64_t b, int64_t h, int64_t q, int64_t k) const {
  const PatternNode &p = *source;
  auto has = [&](const std::unique_ptr<Node> &child) { return child->contains(b, h, q, k); };
  switch (p.kind) {
  case PatternKind::Union:
    return std::any_of(children.begin(), children.end(), has);
  case PatternKind::Intersect:
    return std::all_of(children.begin(), children.end(), has);
  case PatternKind::Subtract:
    return has(children[0]) && !has(children[1]);
  case PatternKind::Complement:
    return !has(children[0]);
  case PatternKind::Blockwise:
    return children[0]->contains(b, h, floorDiv(q, p.size), floorDiv(k, p.size));
  case PatternKind::Heads: {
    const Node *child = headChild(h);
    return child && child->contains(b, h, q, k);
  }
  case PatternKind::Segments:
    return segment(q) >= 0 && segment(q) == segment(k);
  case PatternKind::RandomBlocks:
  case PatternKind::BlockTable: {
    std::vector<int64_t> scratch;
    Blocks listed = listedBlocks(h, floorDiv(q, p.size), scratch);
    return std::binary_search(listed.begin(), listed.end(), floorDiv(k, p.size));
  }
  default:
    return leafContains(p, lengths, b, h, q, k);
  }
}

void Membership::Node::row(int64_t b, int64_t h, int64_t q, std::vector<uint8_t> &keys) const {
  const PatternNode &p = *source;
  int64_t numK = lengths.numK;
  keys.assign(numK, 0);
  std::vector<uint8_t> other;
  switch (p.kind) {
  case PatternKind::Union:
  case PatternKind::Intersect:
  case PatternKind::Subtract:
  case PatternKind::Complement:
    children[0]->row(b, h, q, keys);
    if (p.kind == PatternKind::Complement)
      for (uint8_t &key : keys)
        key = !key;
    for (size_t i = 1; i < children.size(); ++i) {
      children[i]->row(b, h, q, other);
      for (int64_t k = 0; k < numK; ++k)
        keys[k] = p.kind == PatternKind::Union       ? keys[k] | other[k]
                  : p.kind == PatternKind::Intersect ? keys[k] & other[k]
                                                     : keys[k] & !other[k];
    }
    return;
  case PatternKind::Blockwise:
    children[0]->row(b, h, floorDiv(q, p.size), other);
    for (int64_t k = 0; k < numK; ++k)
      keys[k] = other[k / p.size];
    return;
  case PatternKind::Heads:
    if (const Node *child = headChild(h))
      child->row(b, h, q, keys);
    return;
  case PatternKind::Segments: {
    int64_t own = segment(q);
    for (int64_t k = 0; own >= 0 && k < numK; ++k)
      keys[k] = segmentOf[k] == own;
    return;
  }
  case PatternKind::RandomBlocks:
  case PatternKind::BlockTable: {
    std::vector<int64_t> scratch;
    for (int64_t block : listedBlocks(h, floorDiv(q, p.size), scratch)) {
      int64_t end = block < numK / p.size ? (block + 1) * p.size : numK;
      std::fill(keys.begin() + block * p.size, keys.begin() + end, 1);
    }
    return;
  }
  default:
    for (int64_t k = 0; k < numK; ++k)
      keys[k] = leafContains(p, lengths, b, h, q, k);
    return;
  }
}

Membership::Membership(const Pattern &pattern, const Shape &shape)
    : root(std::make_unique<Node>(
          pattern.get(), Lengths{shape.numQ, shape.numK, shape.qOffset, shape.qEnd, shape.heads})),
      numK(shape.numK) {}

Membership::~Membership() = default;

bool Membership::contains(int64_t b, int64_t h, int64_t q, int64_t k) const {
  return k >= 0 && k < numK && root->contains(b, h, q, k);
}

void Membership::row(int64_t b, int64_t h, int64_t q, std::vector<uint8_t> &keys) const {
  root->row(b, h, q, keys);
}

bool girih::contains(const Pattern &pattern, const Shape &shape, int64_t b, int64_t h, int64_t q,
                     int64_t k) {
  return Membership(pattern, shape).contains(b, h, q, k);
}
