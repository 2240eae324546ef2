//===- ExpandNamedPatterns.cpp - Named patterns to normal form ------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Formulas are those of the ops' descriptions; the neighbourhood follows
// NATTEN's reference mask (github.com/SHI-Labs/NATTEN, mask.hpp).
//
//===----------------------------------------------------------------------===//

#include "girih/Transforms/NormalForm.h"
#include "girih/Transforms/Passes.h"

#include "girih-c/BlockMap.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/TypeSwitch.h"

#include <algorithm>

using namespace mlir;

namespace girih {
#define GEN_PASS_DEF_EXPANDNAMEDPATTERNS
#include "girih/Transforms/Passes.h.inc"
} // namespace girih

using namespace girih;

namespace {

class Expander {
public:
  Expander(OpBuilder &builder, Location loc) : build(builder, loc) {}

  /// The normal form of `pattern` over `positions`; null after an error.
  Value expand(Value pattern, const Positions &p) {
    auto key = std::make_pair(pattern, p.unit);
    if (auto it = done.find(key); it != done.end())
      return it->second;
    Operation *op = pattern.getDefiningOp();
    if (!op) {
      emitError(pattern.getLoc(), "expected patterns to be made in the function that uses them");
      return {};
    }
    Value result = p.unit == 1 && isNormal(op) ? pattern : expandOp(op, p);
    done[key] = result;
    return result;
  }

private:
  /// Whether `op` is in normal form already, and within bounds.
  bool isNormal(Operation *op) {
    if (!op)
      return false;
    if (auto it = normal.find(op); it != normal.end())
      return it->second;
    bool result = isa<FullOp, EmptyOp>(op) || (isTable(op) && unitOf(op) <= GIRIH_MAX_TOKENS);
    if (auto where = dyn_cast<WhereOp>(op))
      result = llvm::all_of(whereConstraints(where, build.terms),
                            [](const Constraint &c) { return boundsOf(c.expr).has_value(); });
    if (isa<UnionOp, IntersectOp, ComplementOp>(op))
      result = llvm::all_of(op->getOperands(),
                            [&](Value operand) { return isNormal(operand.getDefiningOp()); });
    return normal[op] = result;
  }

  Value expandOp(Operation *op, const Positions &p) {
    return llvm::TypeSwitch<Operation *, Value>(op)
        .Case<FullOp>([&](auto) { return build.constant(true); })
        .Case<EmptyOp>([&](auto) { return build.constant(false); })
        .Case<CausalOp>([&](auto) { return build.atLeastZero(p[PosQ] - p[PosK]); })
        .Case<WindowOp>([&](auto op) { return window(op.getLeft(), op.getRight(), p); })
        .Case<DilatedOp>([&](DilatedOp op) {
          int64_t d = op.getDilation();
          std::optional<uint64_t> left = span(op.getLeft(), d), right = span(op.getRight(), d);
          return build.conjunction({sameResidue(p, d), window(left, right, p)});
        })
        .Case<StridedOp>([&](StridedOp op) { return sameResidue(p, op.getStride()); })
        .Case<ChunkOp>([&](ChunkOp op) {
          int64_t size = op.getSize();
          return build.equalsZero(p[PosQ].floorDiv(size) - p[PosK].floorDiv(size));
        })
        .Case<ColumnsOp>([&](ColumnsOp op) {
          AffineExpr column = p[PosK] % op.getPeriod();
          return build.conjunction(
              {atLeast(column, op.getLo()), atMost(column, int64_t(op.getHi()) - 1)});
        })
        .Case<GlobalColumnsOp>([&](GlobalColumnsOp op) {
          return ends(p[PosK], p[PosNk], op.getFirst(), op.getLast());
        })
        .Case<GlobalRowsOp>(
            [&](GlobalRowsOp op) { return ends(p[PosQ], p[PosEnd], op.getFirst(), op.getLast()); })
        .Case<NeighborhoodOp>([&](NeighborhoodOp op) { return neighborhood(op, p); })
        .Case<WhereOp>([&](WhereOp op) { return where(op, p); })
        .Case<SegmentsOp, BlockTableOp, RandomBlocksOp>(
            [&](Operation *op) { return scaleTable(op, p); })
        .Case<UnionOp, IntersectOp>([&](Operation *op) -> Value {
          SmallVector<Value> parts;
          for (Value operand : op->getOperands()) {
            parts.push_back(expand(operand, p));
            if (!parts.back())
              return {};
          }
          return isa<UnionOp>(op) ? build.disjunction(parts) : build.conjunction(parts);
        })
        .Case<SubtractOp>([&](SubtractOp op) -> Value {
          Value lhs = expand(op.getLhs(), p), rhs = expand(op.getRhs(), p);
          return lhs && rhs ? build.conjunction({lhs, build.complement(rhs)}) : Value();
        })
        .Case<ComplementOp>([&](ComplementOp op) -> Value {
          Value inner = expand(op.getPattern(), p);
          return inner ? build.complement(inner) : Value();
        })
        .Case<BlockwiseOp>([&](BlockwiseOp op) -> Value {
          std::optional<Positions> blocks = p.inBlocks(op.getSize());
          if (!blocks) {
            op.emitOpError("expected nested block sizes to multiply to at most 2^61, but got ")
                << p.unit << " x " << op.getSize();
            return {};
          }
          return expand(op.getPattern(), *blocks);
        })
        .Case<HeadsOp>([&](HeadsOp op) -> Value {
          SmallVector<Value> parts;
          for (auto [pattern, first, last] :
               llvm::zip(op.getPatterns(), op.getFirst(), op.getLast())) {
            Value above = atLeast(p[PosH], first), below = atMost(p[PosH], last);
            Value inner = expand(pattern, p);
            if (!inner)
              return {};
            parts.push_back(build.conjunction({above, below, inner}));
          }
          return build.disjunction(parts);
        })
        .Case<PredicateOp>([&](PredicateOp op) { return readPredicate(op, p, build); })
        .Default([&](Operation *op) -> Value {
          op->emitOpError("is not a pattern that can be expanded");
          return {};
        });
  }

  Value atLeast(AffineExpr expr, int64_t bound) { return build.atLeastZero(expr - bound); }
  Value atMost(AffineExpr expr, int64_t bound) { return build.atLeastZero(-expr + bound); }

  /// taps * dilation, or unbounded where that leaves every sequence.
  static std::optional<uint64_t> span(uint64_t taps, uint64_t dilation) {
    __uint128_t tokens = static_cast<__uint128_t>(taps) * dilation;
    return tokens > (uint64_t(1) << 62) ? std::nullopt : std::optional<uint64_t>(tokens);
  }

  Value sameResidue(const Positions &p, int64_t modulus) {
    return build.equalsZero((p[PosQ] - p[PosK]) % modulus);
  }

  Value window(std::optional<uint64_t> left, std::optional<uint64_t> right, const Positions &p) {
    SmallVector<Value> sides;
    AffineExpr distance = p[PosQ] - p[PosK];
    // A side beyond 2^62 is no bound; and adding it could leave 64 bits.
    constexpr uint64_t unbounded = uint64_t(1) << 62;
    if (left && *left < unbounded)
      sides.push_back(atMost(distance, *left));
    if (right && *right < unbounded)
      sides.push_back(atLeast(distance, -static_cast<int64_t>(*right)));
    return build.conjunction(sides);
  }

  /// x < first, or x >= length - last.
  Value ends(AffineExpr x, AffineExpr length, uint64_t first, uint64_t last) {
    constexpr uint64_t everything = uint64_t(1) << 62;
    if (first >= everything || last >= everything)
      return build.constant(true);
    SmallVector<Value> sides{atMost(x, static_cast<int64_t>(first) - 1)};
    if (last)
      sides.push_back(build.atLeastZero(x - length + last));
    return build.disjunction(sides);
  }

  /// `expr` over `p`, its terms too.
  AffineExpr substitute(AffineExpr expr, const Positions &p) {
    llvm::DenseMap<AffineExpr, AffineExpr> values;
    expr.walk([&](AffineExpr e) {
      if (Value term = isa<AffineSymbolExpr>(e) ? build.terms.termOf(e) : Value())
        values[e] = termOver(term, p);
    });
    for (unsigned i = 0; i != NumPositions; ++i)
      values[positionExpr(expr.getContext(), i)] = p[i];
    return expr.replace(values);
  }

  AffineExpr termOver(Value term, const Positions &p) {
    Operation *op = term.getDefiningOp();
    if (p.unit == 1 || !op)
      return build.terms.symbolOf(term);
    SmallVector<AffineExpr> exprs;
    for (AffineExpr expr : termExprs(op, build.terms))
      exprs.push_back(substitute(expr, p));
    if (auto lookup = dyn_cast<TermLookupOp>(op))
      return build.lookup(lookup.getTable(), exprs);
    std::vector<IndexTree> children(exprs.begin(), exprs.end());
    bool isMin = cast<TermExtremumOp>(op).getWhich() == Extremum::Min;
    return build.flat({isMin ? IndexTree::Min : IndexTree::Max, std::move(children)});
  }

  Value where(WhereOp op, const Positions &p) {
    SmallVector<Value> parts;
    for (const Constraint &c : whereConstraints(op, build.terms)) {
      AffineExpr expr = substitute(c.expr, p);
      if (!boundsOf(expr)) {
        op.emitOpError("expected index arithmetic to stay within 62 bits for lengths up to 2^26");
        return {};
      }
      parts.push_back(c.isEquality ? build.equalsZero(expr) : build.atLeastZero(expr));
    }
    return build.conjunction(parts);
  }

  static bool isTable(Operation *op) { return isa<SegmentsOp, BlockTableOp, RandomBlocksOp>(op); }
  /// Tokens of a table's unit.
  static int64_t unitOf(Operation *op) {
    return llvm::TypeSwitch<Operation *, int64_t>(op)
        .Case<SegmentsOp>([](auto op) { return op.getUnit(); })
        .Case<BlockTableOp, RandomBlocksOp>([](auto op) { return op.getSize(); });
  }

  /// A table in blocks of blocks is the table with a larger unit. Units that hold
  /// every sequence are all the same: they have one block before token 0, and one
  /// from there on.
  Value scaleTable(Operation *op, const Positions &p) {
    __int128 scaled = static_cast<__int128>(unitOf(op)) * p.unit;
    int64_t unit = std::min<__int128>(scaled, GIRIH_MAX_TOKENS);
    Operation *copy = build.getBuilder().clone(*op);
    copy->setAttr(isa<SegmentsOp>(op) ? "unit" : "size",
                  build.getBuilder().getI64IntegerAttr(unit));
    return copy->getResult(0);
  }

  Value neighborhood(NeighborhoodOp op, const Positions &p) {
    SmallVector<Value> parts;
    ArrayRef<int64_t> grid = op.getGrid();
    // As bytes: from bytecode they may be others than 0 and 1, which no bool is.
    ArrayRef<char> causal = op.getCausalAttr().getRawData();
    int64_t inner = 1;
    SmallVector<int64_t> pitch(grid.size());
    for (size_t i = grid.size(); i-- > 0; inner *= grid[i])
      pitch[i] = inner;
    for (size_t i = 0; i != grid.size(); ++i) {
      // The outermost coordinate needs no modulo: positions are below the product.
      AffineExpr q = p[PosQ].floorDiv(pitch[i]), k = p[PosK].floorDiv(pitch[i]);
      if (i != 0) {
        q = q % grid[i];
        k = k % grid[i];
      }
      parts.push_back(neighborhoodAxis(q, k, grid[i], op.getKernel()[i], op.getDilation()[i],
                                       op.getStride()[i], causal[i] != 0));
    }
    return build.conjunction(parts);
  }

  /// NATTEN along one axis of length `size`: among the positions of q's residue
  /// modulo the dilation, `kernel` keys around the leader of q's stride group,
  /// shifted inward at the borders.
  Value neighborhoodAxis(AffineExpr q, AffineExpr k, int64_t size, int64_t kernel, int64_t dilation,
                         int64_t stride, bool causal) {
    AffineExpr x = q.floorDiv(dilation), y = k.floorDiv(dilation);
    // Positions of the residue class: ceil((size - residue) / dilation).
    AffineExpr residue = q % dilation;
    AffineExpr length = (-residue + (size + dilation - 1)).floorDiv(dilation);
    int64_t left = kernel / 2, right = kernel / 2 + kernel % 2 - 1;
    SmallVector<Value> parts;
    if (dilation > 1)
      parts.push_back(build.equalsZero(residue - k % dilation));
    AffineExpr group = x.floorDiv(stride) * stride;
    if (causal) {
      IndexTree lead = IndexTree::min(group + (stride - 1), length - 1);
      IndexTree start =
          IndexTree::max(lead + -(left + right), getAffineConstantExpr(0, q.getContext()));
      parts.push_back(build.atLeastZero(IndexTree(y) - start));
      parts.push_back(build.atLeastZero(x - y));
      return build.conjunction(parts);
    }
    IndexTree lead = IndexTree::min(group + stride / 2, length - 1);
    IndexTree start = IndexTree::max(IndexTree::min(lead + -left, length - kernel),
                                     getAffineConstantExpr(0, q.getContext()));
    parts.push_back(build.atLeastZero(IndexTree(y) - start));
    parts.push_back(build.atLeastZero(start + (kernel - 1) - IndexTree(y)));
    return build.conjunction(parts);
  }

  NormalFormBuilder build;
  llvm::DenseMap<std::pair<Value, int64_t>, Value> done;
  llvm::DenseMap<Operation *, bool> normal;
};

struct ExpandNamedPatterns : girih::impl::ExpandNamedPatternsBase<ExpandNamedPatterns> {
  void runOnOperation() override {
    // Roots: patterns that something else than a pattern op uses.
    llvm::SetVector<Value> roots;
    getOperation().walk([&](Operation *op) {
      if (op->getNumResults() == 1 && isa<PatternType>(op->getResult(0).getType()))
        return;
      for (Value operand : op->getOperands())
        if (isa<PatternType>(operand.getType()))
          roots.insert(operand);
    });
    for (Value root : roots) {
      OpBuilder builder(&getContext());
      builder.setInsertionPointAfterValue(root);
      Value expanded =
          Expander(builder, root.getLoc()).expand(root, Positions::identity(&getContext()));
      if (!expanded)
        return signalPassFailure();
      root.replaceUsesWithIf(expanded, [](OpOperand &use) {
        Operation *user = use.getOwner();
        return user->getNumResults() != 1 || !isa<PatternType>(user->getResult(0).getType());
      });
    }
    WalkResult scores = getOperation().walk([&](AttentionOp op) {
      if (op.getScore().empty() || !op.getReads().empty())
        return WalkResult::advance();
      OpBuilder builder(op);
      NormalFormBuilder build(builder, op.getLoc());
      SmallVector<Value> reads;
      if (failed(readScore(op.getScore(), build, reads)))
        return WalkResult::interrupt();
      op.getReadsMutable().assign(reads);
      return WalkResult::advance();
    });
    if (scores.wasInterrupted())
      return signalPassFailure();
    // What the roots were made of has no use any more.
    SmallVector<Operation *> patternOps;
    getOperation().walk([&](Operation *op) {
      if (op->getNumResults() == 1 && isa<PatternType, TermType>(op->getResult(0).getType()))
        patternOps.push_back(op);
    });
    for (Operation *op : llvm::reverse(patternOps))
      if (isOpTriviallyDead(op))
        op->erase();
  }
};

} // namespace
