//===- PatternVerify.cpp - Verifiers of pattern ops -----------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What ODS constraints cannot say. Labels are those of the op's description.
//
//===----------------------------------------------------------------------===//

#include "girih/Pattern/RegionChecks.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace girih;

//===----------------------------------------------------------------------===//
// Leaves
//===----------------------------------------------------------------------===//

LogicalResult ColumnsOp::verify() {
  int64_t lo = getLo(), hi = getHi(), period = getPeriod();
  if (lo > hi)
    return emitOpError("[c2] expected lo <= hi, but got lo = ") << lo << " and hi = " << hi;
  if (hi > period)
    return emitOpError("[c2] expected hi <= period, but got hi = ")
           << hi << " and period = " << period;
  return success();
}

/// Far beyond any length; the pattern language has the same limit.
static constexpr int64_t maxGridTokens = int64_t(1) << 40;

LogicalResult NeighborhoodOp::verify() {
  size_t rank = getGrid().size();
  if (rank < 1 || rank > 3)
    return emitOpError("[c1] expected a grid of 1 to 3 dimensions, but got ") << rank;
  auto checkLength = [&](StringRef name, size_t size) -> LogicalResult {
    if (size == rank)
      return success();
    return emitOpError("[c2] expected ")
           << name << " to be as long as grid, but got " << size << " and " << rank;
  };
  if (failed(checkLength("kernel", getKernel().size())) ||
      failed(checkLength("dilation", getDilation().size())) ||
      failed(checkLength("stride", getStride().size())) ||
      failed(checkLength("causal", getCausal().size())))
    return failure();
  int64_t tokens = 1;
  for (size_t i = 0; i < rank; ++i) {
    int64_t grid = getGrid()[i], kernel = getKernel()[i], dilation = getDilation()[i],
            stride = getStride()[i];
    if (kernel < 1)
      return emitOpError("[c3] expected kernel >= 1, but got ") << kernel << " in dimension " << i;
    if (dilation < 1)
      return emitOpError("[c3] expected dilation >= 1, but got ")
             << dilation << " in dimension " << i;
    // The quotient form of kernel * dilation <= grid: the product may overflow.
    if (grid < 1 || kernel > grid / dilation)
      return emitOpError("[c4] expected kernel * dilation <= grid, but got kernel = ")
             << kernel << ", dilation = " << dilation << " and grid = " << grid << " in dimension "
             << i;
    if (stride < 1 || stride > kernel)
      return emitOpError("[c5] expected 1 <= stride <= kernel, but got stride = ")
             << stride << " and kernel = " << kernel << " in dimension " << i;
    // Pitches of the grid, and sums with them, stay far within 64 bits.
    if (__builtin_mul_overflow(tokens, grid, &tokens) || tokens > maxGridTokens)
      return emitOpError("[c6] expected a grid of at most ")
             << maxGridTokens << " tokens, but got more";
  }
  return success();
}

//===----------------------------------------------------------------------===//
// UnionOp, IntersectOp and HeadsOp
//===----------------------------------------------------------------------===//

// Without operands the text would run on into the next result: "girih.union %1 =".
LogicalResult UnionOp::verify() {
  if (getPatterns().empty())
    return emitOpError("[c1] expected at least one pattern, but got 0");
  return success();
}

LogicalResult IntersectOp::verify() {
  if (getPatterns().empty())
    return emitOpError("[c1] expected at least one pattern, but got 0");
  return success();
}

LogicalResult HeadsOp::verify() {
  ArrayRef<int64_t> first = getFirst(), last = getLast();
  size_t count = getPatterns().size();
  if (first.size() != count || last.size() != count)
    return emitOpError("[c1] expected as many patterns, first and last, but got ")
           << count << ", " << first.size() << " and " << last.size();
  for (size_t i = 0; i < count; ++i) {
    if (first[i] < 0)
      return emitOpError("[c2] expected first >= 0, but got ") << first[i] << " in range " << i;
    if (first[i] > last[i])
      return emitOpError("[c3] expected first <= last, but got ")
             << first[i] << " and " << last[i] << " in range " << i;
    if (i == 0 || first[i] > last[i - 1])
      continue;
    InFlightDiagnostic diag = emitOpError("[c4] expected ascending, disjoint ranges, but got ")
                              << first[i - 1] << ".." << last[i - 1] << " and " << first[i] << ".."
                              << last[i];
    diag.attachNote(getPatterns()[i - 1].getLoc())
        << "pattern of heads " << first[i - 1] << ".." << last[i - 1];
    diag.attachNote(getPatterns()[i].getLoc())
        << "pattern of heads " << first[i] << ".." << last[i];
    return diag;
  }
  return success();
}

//===----------------------------------------------------------------------===//
// PredicateOp
//===----------------------------------------------------------------------===//

static LogicalResult checkInteger(PredicateOp op, Operation *inner, Type type) {
  if (isa<IntegerType, IndexType>(type))
    return success();
  InFlightDiagnostic diag = op.emitOpError("[c5] expected values to be integers or index, but got ")
                            << type;
  diag.attachNote(inner->getLoc()) << "value here";
  return diag;
}

// Whether `op` has a result for all operands. A division is speculatable exactly
// when its divisor is known not to trap; upstream does not say so of remainders.
static bool isTotal(Operation *op) {
  if (!isa<arith::RemSIOp, arith::RemUIOp>(op))
    return isSpeculatable(op);
  APInt divisor;
  return matchPattern(op->getOperand(1), m_ConstantInt(&divisor)) && !divisor.isZero() &&
         !divisor.isAllOnes();
}

LogicalResult PredicateOp::verifyRegions() {
  Type index = IndexType::get(getContext());
  SmallVector<Type> arguments(6, index);
  llvm::append_range(arguments, getTables().getTypes());
  if (failed(checkRegionArguments(*this, getBody(), "c1", "the region", arguments)) ||
      failed(checkRegionYields(*this, getBody(), "c2", "the region",
                               IntegerType::get(getContext(), 1))) ||
      failed(checkRegionEffects(*this, getBody(), "c3", "the region")))
    return failure();
  WalkResult result = getBody().walk([&](Operation *inner) -> WalkResult {
    for (Type type : inner->getResultTypes())
      if (failed(checkInteger(*this, inner, type)))
        return WalkResult::interrupt();
    if (isTotal(inner))
      return WalkResult::advance();
    InFlightDiagnostic diag = emitOpError("[c4] expected total ops, but got '")
                              << inner->getName() << "'";
    diag.attachNote(inner->getLoc()) << "op that may fail here";
    diag.attachNote() << "supported: division by constants other than 0 and -1";
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

//===----------------------------------------------------------------------===//
// WhereOp and RangeAttr
//===----------------------------------------------------------------------===//

/// Checks that `expr` divides by positive constants only.
static LogicalResult checkDivisors(Operation *op, AffineExpr expr) {
  WalkResult result = expr.walk([&](AffineExpr inner) -> WalkResult {
    AffineExprKind kind = inner.getKind();
    if (kind != AffineExprKind::Mod && kind != AffineExprKind::FloorDiv &&
        kind != AffineExprKind::CeilDiv)
      return WalkResult::advance();
    AffineExpr divisor = cast<AffineBinaryOpExpr>(inner).getRHS();
    auto constant = dyn_cast<AffineConstantExpr>(divisor);
    if (constant && constant.getValue() > 0)
      return WalkResult::advance();
    std::string text;
    llvm::raw_string_ostream(text) << divisor;
    op->emitOpError("[c2] expected divisors to be positive constants, but got ") << text;
    return WalkResult::interrupt();
  });
  return failure(result.wasInterrupted());
}

LogicalResult WhereOp::verify() {
  IntegerSet set = getSet();
  unsigned terms = getTerms().size();
  bool affine = set.getNumDims() == numSetDims && set.getNumSymbols() == numSetSymbols + terms;
  bool semiAffine = set.getNumDims() == 0 && set.getNumSymbols() == NumPositions + terms;
  if (!affine && !semiAffine) {
    InFlightDiagnostic diag =
        emitOpError("[c1] expected a set of 4 dimensions and 3 symbols, or of 0 and 7, ");
    if (terms)
      diag << "and a symbol for each of " << terms << " terms, ";
    return diag << "but got " << set.getNumDims() << " and " << set.getNumSymbols();
  }
  for (AffineExpr constraint : set.getConstraints())
    if (failed(checkDivisors(*this, constraint)))
      return failure();
  return success();
}

//===----------------------------------------------------------------------===//
// Lookups and terms
//===----------------------------------------------------------------------===//

LogicalResult LookupOp::verify() {
  int64_t rank = getTable().getType().getRank();
  if (rank == static_cast<int64_t>(getIndices().size()))
    return success();
  return emitOpError("[c1] expected an index for each of ")
         << rank << " dimensions, but got " << getIndices().size();
}

/// Checks the map of a term; `results` 0 stands for one or more.
static LogicalResult checkTermMap(Operation *op, AffineMap map, unsigned terms, unsigned results) {
  if (map.getNumDims() != 0 || map.getNumSymbols() != NumPositions + terms)
    return op->emitOpError("[c1] expected a map of 0 dimensions and ")
           << NumPositions + terms << " symbols, but got " << map.getNumDims() << " and "
           << map.getNumSymbols();
  if (results ? map.getNumResults() != results : map.getNumResults() == 0)
    return op->emitOpError("[c1] expected ") << (results ? std::to_string(results) : "some")
                                             << " results, but got " << map.getNumResults();
  for (AffineExpr result : map.getResults())
    if (failed(checkDivisors(op, result)))
      return failure();
  return success();
}

LogicalResult TermLookupOp::verify() {
  return checkTermMap(*this, getAt(), getTerms().size(), getTable().getType().getRank());
}

LogicalResult TermExtremumOp::verify() {
  return checkTermMap(*this, getOf(), getTerms().size(), 0);
}

LogicalResult RangeAttr::verify(function_ref<InFlightDiagnostic()> emitError, AffineMapAttr lower,
                                AffineMapAttr upper, IntegerSetAttr guard) {
  auto check = [&](StringRef name, unsigned dims, unsigned symbols) -> LogicalResult {
    if (dims != 3)
      return emitError() << "[c1] expected " << name << " to have 3 dimensions, but got " << dims;
    unsigned expected = lower.getValue().getNumSymbols();
    if (symbols != expected)
      return emitError() << "[c2] expected " << name << " to have the " << expected
                         << " symbols of lower, but got " << symbols;
    return success();
  };
  AffineMap low = lower.getValue(), up = upper.getValue();
  if (failed(check("lower", low.getNumDims(), low.getNumSymbols())))
    return failure();
  // Three lengths, then begin and end of each segment table.
  if (low.getNumSymbols() < 3 || low.getNumSymbols() % 2 == 0)
    return emitError()
           << "[c2] expected lower to have 3 symbols and 2 for each segment table, but got "
           << low.getNumSymbols();
  if (failed(check("upper", up.getNumDims(), up.getNumSymbols())))
    return failure();
  if (!guard)
    return success();
  return check("guard", guard.getValue().getNumDims(), guard.getValue().getNumSymbols());
}
