//===- PatternCanonicalize.cpp - Canonical forms of named patterns --------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every rewrite here is exact for all integers q, negative ones included: the
// absolute position of a query is negative when there are more queries than keys.
//
//===----------------------------------------------------------------------===//

#include "girih/Pattern/Girih.h"
#include "girih/Pattern/PatternLimits.h"

#include "mlir/IR/PatternMatch.h"
#include "llvm/ADT/SetVector.h"

#include <numeric>

using namespace mlir;
using namespace girih;

//===----------------------------------------------------------------------===//
// Windows
//===----------------------------------------------------------------------===//

namespace {
// A side of a window; absent means unbounded.
using Side = std::optional<int64_t>;
struct Reach {
  Side left, right;
};
} // namespace

// Creates the shortest op for a window: full, causal or window.
static Value createWindow(PatternRewriter &rewriter, Location loc, Reach reach) {
  if (!reach.left && !reach.right)
    return FullOp::create(rewriter, loc);
  if (!reach.left && *reach.right == 0)
    return CausalOp::create(rewriter, loc);
  auto attribute = [&](Side side) {
    return side ? rewriter.getI64IntegerAttr(*side) : IntegerAttr();
  };
  return WindowOp::create(rewriter, loc, attribute(reach.left), attribute(reach.right));
}

LogicalResult WindowOp::canonicalize(WindowOp op, PatternRewriter &rewriter) {
  Reach reach{op.getLeft(), op.getRight()};
  if (reach.left || (reach.right && *reach.right != 0))
    return rewriter.notifyMatchFailure(op, "a bounded window that is not causal");
  rewriter.replaceOp(op, createWindow(rewriter, op.getLoc(), reach));
  return success();
}

//===----------------------------------------------------------------------===//
// Trivial leaves
//===----------------------------------------------------------------------===//

// Keeps (q, k) exactly when q = k.
static Value createDiagonal(PatternRewriter &rewriter, Location loc) {
  return createWindow(rewriter, loc, {0, 0});
}

LogicalResult DilatedOp::canonicalize(DilatedOp op, PatternRewriter &rewriter) {
  int64_t left = op.getLeft(), right = op.getRight();
  bool noTaps = left == 0 && right == 0;
  if (!noTaps && op.getDilation() != 1)
    return rewriter.notifyMatchFailure(op, "taps lie apart");
  rewriter.replaceOp(op, createWindow(rewriter, op.getLoc(), {left, right}));
  return success();
}

LogicalResult StridedOp::canonicalize(StridedOp op, PatternRewriter &rewriter) {
  if (op.getStride() != 1)
    return rewriter.notifyMatchFailure(op, "the stride skips keys");
  rewriter.replaceOpWithNewOp<FullOp>(op);
  return success();
}

LogicalResult ChunkOp::canonicalize(ChunkOp op, PatternRewriter &rewriter) {
  if (op.getSize() != 1)
    return rewriter.notifyMatchFailure(op, "chunks hold several tokens");
  rewriter.replaceOp(op, createDiagonal(rewriter, op.getLoc()));
  return success();
}

LogicalResult ColumnsOp::canonicalize(ColumnsOp op, PatternRewriter &rewriter) {
  if (op.getLo() == op.getHi())
    return rewriter.replaceOpWithNewOp<EmptyOp>(op), success();
  if (op.getLo() == 0 && op.getHi() == op.getPeriod())
    return rewriter.replaceOpWithNewOp<FullOp>(op), success();
  return rewriter.notifyMatchFailure(op, "the strip is a proper part of the period");
}

LogicalResult GlobalColumnsOp::canonicalize(GlobalColumnsOp op, PatternRewriter &rewriter) {
  if (op.getFirst() != 0 || op.getLast() != 0)
    return rewriter.notifyMatchFailure(op, "some column is global");
  rewriter.replaceOpWithNewOp<EmptyOp>(op);
  return success();
}

LogicalResult RandomBlocksOp::canonicalize(RandomBlocksOp op, PatternRewriter &rewriter) {
  if (op.getCount() != 0)
    return rewriter.notifyMatchFailure(op, "some block is drawn");
  rewriter.replaceOpWithNewOp<EmptyOp>(op);
  return success();
}

//===----------------------------------------------------------------------===//
// Lifts and differences
//===----------------------------------------------------------------------===//

LogicalResult SubtractOp::canonicalize(SubtractOp op, PatternRewriter &rewriter) {
  if (!op.getLhs().getDefiningOp<FullOp>())
    return rewriter.notifyMatchFailure(op, "not a difference from full");
  rewriter.replaceOpWithNewOp<ComplementOp>(op, op.getRhs());
  return success();
}

// A chunk of blocks is a larger chunk; the diagonal of blocks is a chunk.
LogicalResult BlockwiseOp::canonicalize(BlockwiseOp op, PatternRewriter &rewriter) {
  std::optional<int64_t> size;
  if (auto chunk = op.getPattern().getDefiningOp<ChunkOp>())
    size = boundedProduct(chunk.getSize(), op.getSize());
  else if (auto window = op.getPattern().getDefiningOp<WindowOp>();
           window && window.getLeft() == Side(0) && window.getRight() == Side(0))
    size = op.getSize();
  if (!size)
    return rewriter.notifyMatchFailure(op, "not a chunk of blocks");
  rewriter.replaceOpWithNewOp<ChunkOp>(op, *size);
  return success();
}

//===----------------------------------------------------------------------===//
// Unions and intersections
//===----------------------------------------------------------------------===//

namespace {

// union(union(a, b), c) -> union(a, b, c). Repeated operands drop out, so shared
// nested ops don't make the result grow beyond the distinct leaves.
template <typename OpT> struct FlattenNested : OpRewritePattern<OpT> {
  using OpRewritePattern<OpT>::OpRewritePattern;

  LogicalResult matchAndRewrite(OpT op, PatternRewriter &rewriter) const override {
    llvm::SetVector<Value> operands;
    bool found = false;
    for (Value value : op.getPatterns()) {
      auto nested = value.getDefiningOp<OpT>();
      if (!nested) {
        operands.insert(value);
        continue;
      }
      found = true;
      operands.insert(nested.getPatterns().begin(), nested.getPatterns().end());
    }
    if (!found)
      return rewriter.notifyMatchFailure(op, "no operand is the same kind of op");
    rewriter.replaceOpWithNewOp<OpT>(op, operands.takeVector());
    return success();
  }
};

// Operands of one leaf kind gathered into one: the first of them, how many, and
// what they amount to.
template <typename T> struct Gathered {
  Value first;
  unsigned count = 0;
  T amount;

  // Takes `value` in by `join(T, T) -> std::optional<T>`; false: it stays apart.
  template <typename Join> bool add(Value value, T next, Join join) {
    std::optional<T> joined = count == 0 ? std::optional<T>(next) : join(amount, next);
    if (!joined)
      return false;
    if (count++ == 0)
      first = value;
    amount = *joined;
    return true;
  }
};

// Merges leaves of a kind where the result is exactly one leaf of that kind.
template <typename OpT> struct MergeLeaves : OpRewritePattern<OpT> {
  using OpRewritePattern<OpT>::OpRewritePattern;
  static constexpr bool isUnion = std::is_same_v<OpT, UnionOp>;
  using Ends = std::pair<int64_t, int64_t>;

  // Windows all hold distance 0, so their union has no gap: it is the larger
  // side on either hand, and their intersection the smaller one.
  static Side joinSides(Side a, Side b) {
    if (!a || !b)
      return isUnion ? std::nullopt : (a ? a : b);
    return isUnion ? std::max(*a, *b) : std::min(*a, *b);
  }
  static std::optional<Reach> joinWindows(Reach a, Reach b) {
    return Reach{joinSides(a.left, b.left), joinSides(a.right, b.right)};
  }
  // Multiples of a and of b are multiples of lcm(a, b). A union is one stride
  // when one divides the other.
  static std::optional<int64_t> joinStrides(int64_t a, int64_t b) {
    int64_t low = std::min(a, b), high = std::max(a, b);
    if (high % low == 0)
      return isUnion ? low : high;
    return isUnion ? std::nullopt : boundedProduct(a / std::gcd(a, b), b);
  }
  // Chunks nest when one size divides the other.
  static std::optional<int64_t> joinChunks(int64_t a, int64_t b) {
    int64_t low = std::min(a, b), high = std::max(a, b);
    if (high % low != 0)
      return std::nullopt;
    return isUnion ? high : low;
  }
  static std::optional<Ends> joinEnds(Ends a, Ends b) {
    return Ends(std::max(a.first, b.first), std::max(a.second, b.second));
  }

  LogicalResult matchAndRewrite(OpT op, PatternRewriter &rewriter) const override {
    Gathered<Reach> windows;
    Gathered<int64_t> strides, chunks;
    Gathered<Ends> columns, rows;
    SmallVector<Value> operands;
    for (Value value : op.getPatterns()) {
      Operation *def = value.getDefiningOp();
      bool taken = false;
      if (auto window = dyn_cast_or_null<WindowOp>(def))
        taken = windows.add(value, {window.getLeft(), window.getRight()}, joinWindows);
      else if (isa_and_nonnull<CausalOp>(def))
        taken = windows.add(value, {std::nullopt, 0}, joinWindows);
      else if (auto strided = dyn_cast_or_null<StridedOp>(def))
        taken = strides.add(value, strided.getStride(), joinStrides);
      else if (auto chunk = dyn_cast_or_null<ChunkOp>(def))
        taken = chunks.add(value, chunk.getSize(), joinChunks);
      else if (auto global = dyn_cast_or_null<GlobalColumnsOp>(def); isUnion && global)
        taken = columns.add(value, Ends(global.getFirst(), global.getLast()), joinEnds);
      else if (auto global = dyn_cast_or_null<GlobalRowsOp>(def); isUnion && global)
        taken = rows.add(value, Ends(global.getFirst(), global.getLast()), joinEnds);
      if (!taken)
        operands.push_back(value);
    }
    if (std::max({windows.count, strides.count, chunks.count, columns.count, rows.count}) < 2)
      return rewriter.notifyMatchFailure(op, "no two leaves merge");
    auto append = [&](auto &gathered, auto create) {
      if (gathered.count > 0)
        operands.push_back(gathered.count == 1 ? gathered.first : Value(create(gathered.amount)));
    };
    Location loc = op.getLoc();
    append(windows, [&](Reach reach) { return createWindow(rewriter, loc, reach); });
    append(strides, [&](int64_t stride) { return StridedOp::create(rewriter, loc, stride); });
    append(chunks, [&](int64_t size) { return ChunkOp::create(rewriter, loc, size); });
    append(columns, [&](Ends ends) {
      return GlobalColumnsOp::create(rewriter, loc, ends.first, ends.second);
    });
    append(rows,
           [&](Ends ends) { return GlobalRowsOp::create(rewriter, loc, ends.first, ends.second); });
    rewriter.replaceOpWithNewOp<OpT>(op, operands);
    return success();
  }
};

// intersect(where S, where T) -> where S and T, for sets of one form.
struct MergeWheres : OpRewritePattern<IntersectOp> {
  using OpRewritePattern<IntersectOp>::OpRewritePattern;

  LogicalResult matchAndRewrite(IntersectOp op, PatternRewriter &rewriter) const override {
    // By number of dimensions: 4, or 0 for sets that multiply variables.
    for (unsigned dims : {numSetDims, 0u}) {
      unsigned symbols = NumPositions - dims; // without terms
      SmallVector<Value> operands;
      SmallVector<WhereOp> wheres;
      for (Value value : op.getPatterns()) {
        auto where = value.getDefiningOp<WhereOp>();
        if (where && where.getSet().getNumDims() == dims)
          wheres.push_back(where);
        else
          operands.push_back(value);
      }
      if (wheres.size() < 2)
        continue;
      SmallVector<AffineExpr> constraints;
      SmallVector<bool> equalities;
      llvm::SetVector<Value> terms;
      for (WhereOp where : wheres) {
        SmallVector<AffineExpr> symbolOf;
        for (unsigned i = 0; i != symbols; ++i)
          symbolOf.push_back(rewriter.getAffineSymbolExpr(i));
        for (Value term : where.getTerms()) {
          terms.insert(term);
          auto place = llvm::find(terms, term) - terms.begin();
          symbolOf.push_back(rewriter.getAffineSymbolExpr(symbols + place));
        }
        IntegerSet set = where.getSet();
        for (AffineExpr constraint : set.getConstraints())
          constraints.push_back(constraint.replaceSymbols(symbolOf));
        llvm::append_range(equalities, set.getEqFlags());
      }
      IntegerSet all = IntegerSet::get(dims, symbols + terms.size(), constraints, equalities);
      operands.push_back(WhereOp::create(rewriter, op.getLoc(), op.getType(),
                                         IntegerSetAttr::get(all), terms.getArrayRef()));
      rewriter.replaceOpWithNewOp<IntersectOp>(op, operands);
      return success();
    }
    return rewriter.notifyMatchFailure(op, "no two sets of one form");
  }
};

} // namespace

void UnionOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<FlattenNested<UnionOp>, MergeLeaves<UnionOp>>(context);
}

void IntersectOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<FlattenNested<IntersectOp>, MergeLeaves<IntersectOp>, MergeWheres>(context);
}
