//===- MapProgram.cpp - Flatten a pattern for the runtime -----------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Analysis/MapProgram.h"

#include "llvm/ADT/DenseMap.h"

#include <map>
#include <tuple>

using namespace mlir;
using namespace girih;

// GirihMapVar numbers the positions as SetPosition does.
static_assert(int(GIRIH_VAR_B) == PosB && int(GIRIH_VAR_H) == PosH && int(GIRIH_VAR_Q) == PosQ &&
              int(GIRIH_VAR_K) == PosK && int(GIRIH_VAR_NQ) == PosNq &&
              int(GIRIH_VAR_NK) == PosNk && int(GIRIH_VAR_END) == PosEnd);

namespace {

class Flattener {
public:
  explicit Flattener(MapProgram &out) : out(out) {}

  /// The node of a pattern, or -1 after an error.
  int32_t pattern(Value value) {
    if (auto it = patterns.find(value); it != patterns.end())
      return it->second;
    Operation *op = value.getDefiningOp();
    if (!op)
      emitError(value.getLoc(), "expected patterns to be made in the function that uses them");
    int32_t result = op ? patternImpl(op) : -1;
    patterns[value] = result;
    return result;
  }

  /// `segmentOf` is the position whose segment the extra symbols describe.
  int32_t expr(AffineExpr e, unsigned segmentOf = PosQ) {
    if (auto constant = dyn_cast<AffineConstantExpr>(e))
      return node(GIRIH_MAP_CONST, -1, -1, constant.getValue());
    if (auto symbol = dyn_cast<AffineSymbolExpr>(e)) {
      if (Value term = terms.termOf(symbol))
        return termNode(term);
      unsigned position = symbol.getPosition();
      if (position < NumPositions)
        return node(GIRIH_MAP_VAR, -1, -1, position);
      unsigned table = numLookupTables + (position - NumPositions) / 2;
      int32_t unit = unitOf(segmentOf, out.tables[table].unit);
      bool isBegin = (position - NumPositions) % 2 == 0;
      return node(isBegin ? GIRIH_MAP_SEG_BEGIN : GIRIH_MAP_SEG_END, unit, -1, table);
    }
    auto binary = cast<AffineBinaryOpExpr>(e);
    int32_t lhs = expr(binary.getLHS(), segmentOf);
    if (lhs < 0)
      return -1;
    switch (e.getKind()) {
    case AffineExprKind::Add:
    case AffineExprKind::Mul: {
      int32_t rhs = expr(binary.getRHS(), segmentOf);
      bool isSum = e.getKind() == AffineExprKind::Add;
      return rhs < 0 ? -1 : node(isSum ? GIRIH_MAP_ADD : GIRIH_MAP_MUL, lhs, rhs, 0);
    }
    case AffineExprKind::FloorDiv:
      return node(GIRIH_MAP_FLOORDIV, lhs, -1, divisor(binary));
    case AffineExprKind::CeilDiv: // ceil(a / c) = floor((a + c - 1) / c)
      return expr((binary.getLHS() + divisor(binary) - 1).floorDiv(divisor(binary)), segmentOf);
    default:
      return node(GIRIH_MAP_MOD, lhs, -1, divisor(binary));
    }
  }

  int32_t constraint(const Constraint &c, unsigned segmentOf = PosQ) {
    int32_t value = expr(c.expr, segmentOf);
    return value < 0 ? -1 : node(c.isEquality ? GIRIH_MAP_EQ0 : GIRIH_MAP_GE0, value, -1, 0);
  }

  /// The node of a term, or -1 after an error.
  int32_t termNode(Value term) {
    if (auto it = termNodes.find(term); it != termNodes.end())
      return it->second;
    Operation *op = term.getDefiningOp();
    int32_t result = op ? termImpl(op) : -1;
    if (!op)
      emitError(term.getLoc(), "expected terms to be made in the function that uses them");
    return termNodes[term] = result;
  }

  void addTerms(ArrayRef<ClosedTerm> terms, std::vector<GirihMapTerm> &into, unsigned free) {
    for (const ClosedTerm &term : terms) {
      GirihMapTerm flat{};
      flat.first = out.termNodes.size();
      flat.num_guards = term.guards.size();
      flat.num_lower = term.lower.size();
      flat.num_upper = term.upper.size();
      for (const Constraint &guard : term.guards)
        out.termNodes.push_back(constraint(guard, free));
      for (AffineExpr bound : term.lower)
        out.termNodes.push_back(expr(bound, free));
      for (AffineExpr bound : term.upper)
        out.termNodes.push_back(expr(bound, free));
      into.push_back(flat);
    }
  }

  LogicalResult addTable(Operation *op) {
    GirihMapTable table{};
    table.operand = -1;
    table.count = 1;
    if (auto segments = dyn_cast<SegmentsOp>(op)) {
      table.kind = GIRIH_TABLE_SEGMENTS;
      table.unit = segments.getUnit();
      table.operand = operandIndex(op, segments.getOffsets());
    } else if (auto blocks = dyn_cast<BlockTableOp>(op)) {
      table.kind = GIRIH_TABLE_BLOCKS;
      table.unit = blocks.getSize();
      table.count = blocks.getHeads();
      table.operand = operandIndex(op, blocks.getIndptr());
      if (table.operand >= 0 && operandIndex(op, blocks.getIndices()) != table.operand + 1)
        return op->emitOpError("expected indices to be the function argument after indptr");
    } else {
      auto random = cast<RandomBlocksOp>(op);
      table.kind = GIRIH_TABLE_RANDOM;
      table.unit = random.getSize();
      table.count = random.getCount();
      table.seed = random.getSeed();
      out.program.uses_head = 1;
    }
    if (table.kind != GIRIH_TABLE_RANDOM && table.operand < 0)
      return failure();
    if (table.kind == GIRIH_TABLE_BLOCKS && table.count > 1)
      out.program.uses_head = 1;
    tableIndex[op] = out.tables.size();
    out.tables.push_back(table);
    return success();
  }

  void addLookupTables(Block &function) {
    for (BlockArgument argument : lookupTables(function)) {
      auto type = cast<RankedTensorType>(argument.getType());
      bool isFloat = type.getElementType().isF32();
      GirihMapTable table{};
      table.kind = isFloat ? GIRIH_TABLE_LOOKUP_F32 : GIRIH_TABLE_LOOKUP;
      table.operand = static_cast<int32_t>(argument.getArgNumber() - firstOperandArgument);
      table.unit = 1;
      table.count = type.getRank();
      out.tables.push_back(table);
    }
    numLookupTables = out.tables.size();
  }

  TermSymbols terms;

private:
  int32_t termImpl(Operation *op) {
    SmallVector<int32_t> nodes;
    for (AffineExpr expr : termExprs(op, terms)) {
      nodes.push_back(expr ? this->expr(expr) : -1);
      if (nodes.back() < 0)
        return -1;
    }
    int32_t result = nodes.front();
    if (auto extremum = dyn_cast<TermExtremumOp>(op)) {
      auto kind = extremum.getWhich() == Extremum::Min ? GIRIH_MAP_MIN : GIRIH_MAP_MAX;
      for (int32_t next : ArrayRef(nodes).drop_front())
        result = node(kind, result, next, 0);
      return result;
    }
    std::optional<unsigned> table = lookupTableIndex(cast<TermLookupOp>(op).getTable());
    if (!table) {
      op->emitOpError(
          "expected run-time operands to be function arguments after q, k, v and scale");
      return -1;
    }
    for (auto [dimension, next] : llvm::enumerate(ArrayRef(nodes).drop_front()))
      result = node(GIRIH_MAP_PLACE, result, next, 4 * int64_t{*table} + dimension + 1);
    return node(GIRIH_MAP_LOOKUP, result, -1, *table);
  }

  int32_t patternImpl(Operation *op) {
    if (isa<FullOp>(op))
      return node(GIRIH_MAP_TRUE, -1, -1, 0);
    if (isa<EmptyOp>(op))
      return node(GIRIH_MAP_FALSE, -1, -1, 0);
    if (auto where = dyn_cast<WhereOp>(op)) {
      int32_t result = -1;
      for (const Constraint &c : whereConstraints(where, terms)) {
        int32_t next = constraint(c);
        if (next < 0)
          return -1;
        result = result < 0 ? next : node(GIRIH_MAP_AND, result, next, 0);
      }
      return result;
    }
    if (auto complement = dyn_cast<ComplementOp>(op)) {
      int32_t inner = pattern(complement.getPattern());
      return inner < 0 ? -1 : node(GIRIH_MAP_NOT, inner, -1, 0);
    }
    if (isa<UnionOp, IntersectOp>(op)) {
      int32_t result = -1;
      for (Value operand : op->getOperands()) {
        int32_t next = pattern(operand);
        if (next < 0)
          return -1;
        result = result < 0
                     ? next
                     : node(isa<UnionOp>(op) ? GIRIH_MAP_OR : GIRIH_MAP_AND, result, next, 0);
      }
      if (result < 0)
        result = node(isa<UnionOp>(op) ? GIRIH_MAP_FALSE : GIRIH_MAP_TRUE, -1, -1, 0);
      return result;
    }
    if (isa<SegmentsOp>(op))
      return node(GIRIH_MAP_SAME_SEGMENT, -1, -1, tableIndex.lookup(op));
    if (isa<BlockTableOp, RandomBlocksOp>(op))
      return node(GIRIH_MAP_IN_TABLE, -1, -1, tableIndex.lookup(op));
    op->emitOpError("expected a pattern in normal form; run girih-expand-named-patterns first");
    return -1;
  }

  int32_t operandIndex(Operation *op, Value operand) {
    auto argument = dyn_cast<BlockArgument>(operand);
    if (!argument || argument.getArgNumber() < firstOperandArgument) {
      op->emitOpError(
          "expected run-time operands to be function arguments after q, k, v and scale");
      return -1;
    }
    return argument.getArgNumber() - firstOperandArgument;
  }

  int32_t unitOf(unsigned position, int64_t unit) {
    int32_t variable = node(GIRIH_MAP_VAR, -1, -1, position);
    return unit == 1 ? variable : node(GIRIH_MAP_FLOORDIV, variable, -1, unit);
  }

  static int64_t divisor(AffineBinaryOpExpr binary) {
    return cast<AffineConstantExpr>(binary.getRHS()).getValue();
  }

  int32_t node(GirihMapOp op, int32_t a, int32_t b, int64_t imm) {
    auto [it, isNew] = unique.try_emplace({op, a, b, imm}, out.nodes.size());
    if (isNew) {
      out.nodes.push_back({op, a, b, 0, imm});
      if (op == GIRIH_MAP_VAR) {
        out.program.uses_batch |= imm == GIRIH_VAR_B;
        out.program.uses_head |= imm == GIRIH_VAR_H;
      }
    }
    return it->second;
  }

  MapProgram &out;
  unsigned numLookupTables = 0; ///< before the tables of ops
  llvm::DenseMap<Value, int32_t> patterns, termNodes;
  llvm::DenseMap<Operation *, int32_t> tableIndex;
  std::map<std::tuple<int, int32_t, int32_t, int64_t>, int32_t> unique;
};

} // namespace

std::unique_ptr<MapProgram> girih::buildMapProgram(Value pattern, ValueRange reads) {
  auto result = std::make_unique<MapProgram>();
  Flattener flattener(*result);
  flattener.addLookupTables(*pattern.getParentBlock());
  for (Operation *table : collectTables(pattern))
    if (failed(flattener.addTable(table)))
      return nullptr;
  GirihMapProgram &program = result->program;
  program.root = flattener.pattern(pattern);
  if (program.root < 0)
    return nullptr;
  if (auto terms = solveClosedForm(pattern, PosK, flattener.terms))
    flattener.addTerms(*terms, result->forward, PosQ);
  if (auto terms = solveClosedForm(pattern, PosQ, flattener.terms))
    flattener.addTerms(*terms, result->reverse, PosK);
  // What a score reads makes no map differ between heads.
  const int32_t usesBatch = program.uses_batch, usesHead = program.uses_head;
  for (Value term : reads)
    if (flattener.termNode(term) < 0)
      return nullptr;
  program.uses_batch = usesBatch;
  program.uses_head = usesHead;
  for (const GirihMapTable &table : result->tables) {
    int32_t used = table.kind == GIRIH_TABLE_BLOCKS ? 2 : table.kind != GIRIH_TABLE_RANDOM;
    if (used)
      program.num_operands = std::max(program.num_operands, table.operand + used);
  }
  program.nodes = result->nodes.data();
  program.num_nodes = result->nodes.size();
  program.tables = result->tables.data();
  program.num_tables = result->tables.size();
  program.forward = result->forward.data();
  program.num_forward = result->forward.size();
  program.reverse = result->reverse.data();
  program.num_reverse = result->reverse.size();
  program.term_nodes = result->termNodes.data();
  return result;
}
