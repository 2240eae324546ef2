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
      unsigned position = symbol.getPosition();
      if (position < NumPositions)
        return node(GIRIH_MAP_VAR, -1, -1, position);
      unsigned table = (position - NumPositions) / 2;
      int32_t unit = unitOf(segmentOf, out.tables[table].unit);
      bool isBegin = (position - NumPositions) % 2 == 0;
      return node(isBegin ? GIRIH_MAP_SEG_BEGIN : GIRIH_MAP_SEG_END, unit, -1, table);
    }
    auto binary = cast<AffineBinaryOpExpr>(e);
    int32_t lhs = expr(binary.getLHS(), segmentOf);
    switch (e.getKind()) {
    case AffineExprKind::Add:
      return node(GIRIH_MAP_ADD, lhs, expr(binary.getRHS(), segmentOf), 0);
    case AffineExprKind::Mul:
      return node(GIRIH_MAP_MUL, lhs, expr(binary.getRHS(), segmentOf), 0);
    case AffineExprKind::FloorDiv:
      return node(GIRIH_MAP_FLOORDIV, lhs, -1, divisor(binary));
    case AffineExprKind::CeilDiv: // ceil(a / c) = floor((a + c - 1) / c)
      return expr((binary.getLHS() + divisor(binary) - 1).floorDiv(divisor(binary)), segmentOf);
    default:
      return node(GIRIH_MAP_MOD, lhs, -1, divisor(binary));
    }
  }

  int32_t constraint(const Constraint &c, unsigned segmentOf = PosQ) {
    return node(c.isEquality ? GIRIH_MAP_EQ0 : GIRIH_MAP_GE0, expr(c.expr, segmentOf), -1, 0);
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

private:
  int32_t patternImpl(Operation *op) {
    if (isa<FullOp>(op))
      return node(GIRIH_MAP_TRUE, -1, -1, 0);
    if (isa<EmptyOp>(op))
      return node(GIRIH_MAP_FALSE, -1, -1, 0);
    if (auto where = dyn_cast<WhereOp>(op)) {
      int32_t result = -1;
      for (const Constraint &c : whereConstraints(where.getSet()))
        result = result < 0 ? constraint(c) : node(GIRIH_MAP_AND, result, constraint(c), 0);
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
  llvm::DenseMap<Value, int32_t> patterns;
  llvm::DenseMap<Operation *, int32_t> tableIndex;
  std::map<std::tuple<int, int32_t, int32_t, int64_t>, int32_t> unique;
};

} // namespace

std::unique_ptr<MapProgram> girih::buildMapProgram(Value pattern) {
  auto result = std::make_unique<MapProgram>();
  Flattener flattener(*result);
  for (Operation *table : collectTables(pattern))
    if (failed(flattener.addTable(table)))
      return nullptr;
  GirihMapProgram &program = result->program;
  program.root = flattener.pattern(pattern);
  if (program.root < 0)
    return nullptr;
  if (auto terms = solveClosedForm(pattern, PosK))
    flattener.addTerms(*terms, result->forward, PosQ);
  if (auto terms = solveClosedForm(pattern, PosQ))
    flattener.addTerms(*terms, result->reverse, PosK);
  for (const GirihMapTable &table : result->tables) {
    int32_t used = table.kind == GIRIH_TABLE_BLOCKS ? 2 : table.kind == GIRIH_TABLE_SEGMENTS;
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
