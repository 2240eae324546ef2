//===- Contribution.cpp - What parts of a pattern contribute --------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Analysis/Contribution.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>
#include <set>

using namespace girih;

namespace {

/// A step from a node to one of its children.
struct Step {
  const PatternNode *node;
  size_t child;
};

/// Walks the tree with the way back to its root.
class PartFinder {
public:
  PartFinder(size_t maxParts, int64_t &omitted) : maxParts(maxParts), omitted(omitted) {}

  void visit(const PatternRef &ref, int depth, bool negative);
  std::vector<PatternPart> take() { return std::move(parts); }

private:
  void add(const PatternRef &ref, const std::string &sign, int depth, bool negative,
           bool neutralIsFull);
  Pattern replaced(const Pattern &leaf) const;
  Pattern alone(const PatternRef &ref) const;

  size_t maxParts;
  int64_t &omitted;
  std::vector<Step> path;
  std::vector<PatternPart> parts;
};

} // namespace

/// The whole tree with `leaf` where the path ends.
Pattern PartFinder::replaced(const Pattern &leaf) const {
  PatternRef current = leaf.get();
  for (size_t i = path.size(); i-- > 0;) {
    auto copy = std::make_shared<PatternNode>(*path[i].node);
    copy->children[path[i].child] = current;
    current = copy;
  }
  return Pattern(current);
}

static Pattern onHeads(const Pattern &pattern, int64_t first, int64_t last) {
  return pattern & predicate([&](Index, Index h, Index, Index) {
           return h >= Index(first) && h <= Index(last);
         });
}

/// The node within what says which heads and blocks it is about.
Pattern PartFinder::alone(const PatternRef &ref) const {
  Pattern current(ref);
  for (size_t i = path.size(); i-- > 0;) {
    const PatternNode &node = *path[i].node;
    if (node.kind == PatternKind::Blockwise)
      current = blockwise(current, node.size);
    else if (node.kind == PatternKind::Heads)
      current = onHeads(current, node.headBegin[path[i].child], node.headEnd[path[i].child]);
  }
  return current;
}

/// The last step of the path leads to `ref`.
void PartFinder::add(const PatternRef &ref, const std::string &sign, int depth, bool negative,
                     bool neutralIsFull) {
  if (parts.size() >= maxParts) {
    ++omitted;
    return;
  }
  PatternPart part;
  part.pattern = Pattern(ref);
  bool joined = path.back().node->kind == PatternKind::Intersect ||
                (path.back().node->kind == PatternKind::Subtract && path.back().child > 0);
  bool loose = ref->kind == PatternKind::Union || ref->kind == PatternKind::Subtract;
  part.label = sign + (joined && loose ? "(" + part.pattern.str() + ")" : part.pattern.str());
  part.depth = depth;
  part.removes = neutralIsFull != negative;
  part.alone = alone(ref);
  part.without = replaced(neutralIsFull ? full() : empty());
  parts.push_back(std::move(part));
}

static std::string rangeText(int64_t first, int64_t last) {
  return first == last ? std::to_string(first)
                       : std::to_string(first) + ".." + std::to_string(last);
}

void PartFinder::visit(const PatternRef &ref, int depth, bool negative) {
  const PatternNode &node = *ref;
  switch (node.kind) {
  case PatternKind::Complement:
  case PatternKind::Blockwise:
    path.push_back({&node, 0});
    visit(node.children[0], depth, negative != (node.kind == PatternKind::Complement));
    path.pop_back();
    return;
  case PatternKind::Union:
  case PatternKind::Intersect:
  case PatternKind::Subtract:
  case PatternKind::Heads:
    break;
  default:
    return;
  }
  const char *sign = node.kind == PatternKind::Union       ? "| "
                     : node.kind == PatternKind::Intersect ? "& "
                                                           : "- ";
  for (size_t i = 0; i < node.children.size(); ++i) {
    path.push_back({&node, i});
    bool below = negative != (node.kind == PatternKind::Subtract && i > 0);
    add(node.children[i],
        node.kind == PatternKind::Heads ? rangeText(node.headBegin[i], node.headEnd[i]) + ": "
        : i                             ? sign
                                        : "",
        depth, below, node.kind == PatternKind::Intersect);
    visit(node.children[i], depth + 1, below);
    path.pop_back();
  }
}

std::vector<PatternPart> girih::partsOf(const Pattern &pattern, size_t maxParts, int64_t &omitted) {
  omitted = 0;
  PartFinder finder(maxParts, omitted);
  finder.visit(pattern.get(), 0, false);
  return finder.take();
}

llvm::Expected<Contributions> girih::contributions(PairCounter &counter, const Pattern &pattern) {
  Contributions result;
  for (PatternPart &part : partsOf(pattern, maxContributions, result.omitted)) {
    auto alone = counter.count(part.alone);
    if (!alone)
      return alone.takeError();
    auto exclusive = part.removes ? counter.difference(part.without, pattern)
                                  : counter.difference(pattern, part.without);
    if (!exclusive)
      return exclusive.takeError();
    result.parts.push_back({std::move(part), *alone, *exclusive});
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Heads
//===----------------------------------------------------------------------===//

static bool readsHead(const Expr &expr) {
  return (expr.kind == ExprKind::Variable && expr.var == Var::H) ||
         (expr.lhs && readsHead(*expr.lhs)) || (expr.rhs && readsHead(*expr.rhs)) ||
         llvm::any_of(expr.indices, [](const ExprRef &index) { return readsHead(*index); });
}

/// Collects the heads at which something new begins; returns whether every head
/// may differ from its neighbours.
static bool headBegins(const PatternNode &node, std::set<int64_t> &begins) {
  bool each = node.kind == PatternKind::RandomBlocks || node.tableHeads > 1 ||
              (node.expr && readsHead(*node.expr));
  for (size_t i = 0; i < node.headBegin.size(); ++i) {
    begins.insert(node.headBegin[i]);
    begins.insert(node.headEnd[i] + 1);
  }
  for (const PatternRef &child : node.children)
    each |= headBegins(*child, begins);
  return each;
}

std::vector<HeadCoverage> girih::headGroups(const Pattern &pattern, int64_t heads,
                                            int64_t &omitted) {
  omitted = 0;
  std::set<int64_t> begins{0};
  bool each = headBegins(*pattern, begins);
  std::vector<HeadCoverage> groups;
  for (int64_t first = 0; first < heads;) {
    if (groups.size() == maxHeadGroups) {
      omitted = heads - first;
      break;
    }
    auto next = begins.upper_bound(first);
    int64_t end = each ? first + 1 : next == begins.end() ? heads : std::min(*next, heads);
    HeadCoverage group;
    group.first = first;
    group.last = end - 1;
    groups.push_back(group);
    first = end;
  }
  return groups;
}

llvm::Error girih::countHeads(PairCounter &counter, const Pattern &pattern,
                              std::vector<HeadCoverage> &groups) {
  bool differ = groups.size() > 1;
  for (HeadCoverage &group : groups) {
    auto kept = counter.count(differ ? onHeads(pattern, group.first, group.last) : pattern);
    if (!kept)
      return kept.takeError();
    group.kept = *kept;
  }
  return llvm::Error::success();
}

static bool isCausal(const PatternRef &ref) {
  const std::vector<PatternRef> &children = ref->children;
  switch (ref->kind) {
  case PatternKind::Empty:
  case PatternKind::Causal:
    return true;
  case PatternKind::Window:
    return ref->right == 0;
  case PatternKind::Intersect:
    return llvm::any_of(children, isCausal);
  case PatternKind::Union:
  case PatternKind::Heads:
    return llvm::all_of(children, isCausal);
  case PatternKind::Subtract:
    return isCausal(children.front());
  default:
    return false;
  }
}

Pattern girih::causalPart(const Pattern &pattern) {
  return isCausal(pattern.get()) ? pattern : pattern & causal();
}

int64_t girih::causalPairs(const GirihMapParams &lengths) {
  // Query q sees keys 0 to q: none when q < 0, all when q >= num_k - 1.
  int64_t first = std::max<int64_t>(lengths.q_offset, 0);
  int64_t last = lengths.q_offset + lengths.num_q - 1;
  int64_t rising = std::min(last, lengths.num_k - 1);
  int64_t pairs = 0;
  if (rising >= first)
    pairs += (rising - first + 1) * (first + rising + 2) / 2;
  int64_t saturated = last - std::max(first, lengths.num_k) + 1;
  pairs += std::max<int64_t>(saturated, 0) * lengths.num_k;
  return pairs * lengths.batch * lengths.heads;
}
