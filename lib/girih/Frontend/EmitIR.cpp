//===- EmitIR.cpp - Pattern trees to the girih dialect --------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Frontend/EmitIR.h"

#include "girih/Frontend/EmitScore.h"
#include "girih/Pattern/Girih.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/Tensor/IR/Tensor.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace girih;

static void collect(const PatternNode *node, llvm::SetVector<const PatternNode *> &tables,
                    llvm::DenseSet<const PatternNode *> &visited) {
  if (!visited.insert(node).second)
    return;
  if (node->kind == PatternKind::Segments || node->kind == PatternKind::BlockTable)
    tables.insert(node);
  for (const PatternRef &child : node->children)
    collect(child.get(), tables, visited);
}

std::vector<const PatternNode *> girih::patternTables(const Pattern &pattern) {
  llvm::SetVector<const PatternNode *> tables;
  llvm::DenseSet<const PatternNode *> visited;
  collect(pattern.get().get(), tables, visited);
  return {tables.begin(), tables.end()};
}

Type girih::lookupType(MLIRContext *context, const TableData &table) {
  SmallVector<int64_t> shape(table.shape.size(), ShapedType::kDynamic);
  Type element = table.isFloat ? Type(Float32Type::get(context)) : IntegerType::get(context, 32);
  return RankedTensorType::get(shape, element);
}

namespace {

/// Emits the ops of a tree; shared nodes once.
class Emitter {
public:
  Emitter(OpBuilder &b, Location loc,
          const llvm::DenseMap<const PatternNode *, SmallVector<Value>> &operands,
          const llvm::DenseMap<const TableData *, Value> &arrays)
      : b(b), loc(loc), operands(operands), arrays(arrays) {}

  Value pattern(const PatternNode *node) {
    if (Value known = patterns.lookup(node))
      return known;
    Value result = patternImpl(*node);
    patterns[node] = result;
    return result;
  }

private:
  Value patternImpl(const PatternNode &node) {
    Type type = b.getType<PatternType>();
    auto i64 = [&](int64_t value) { return b.getI64IntegerAttr(value); };
    auto optional = [&](std::optional<int64_t> value) {
      return value ? i64(*value) : IntegerAttr();
    };
    SmallVector<Value> children;
    for (const PatternRef &child : node.children)
      children.push_back(pattern(child.get()));

    switch (node.kind) {
    case PatternKind::Full:
      return FullOp::create(b, loc, type);
    case PatternKind::Empty:
      return EmptyOp::create(b, loc, type);
    case PatternKind::Causal:
      return CausalOp::create(b, loc, type);
    case PatternKind::Window:
      return WindowOp::create(b, loc, type, optional(node.left), optional(node.right));
    case PatternKind::Dilated:
      return DilatedOp::create(b, loc, type, i64(*node.left), i64(*node.right), i64(node.dilation));
    case PatternKind::Strided:
      return StridedOp::create(b, loc, type, i64(node.stride));
    case PatternKind::Chunk:
      return ChunkOp::create(b, loc, type, i64(node.size));
    case PatternKind::Columns:
      return ColumnsOp::create(b, loc, type, i64(node.period), i64(node.lo), i64(node.hi));
    case PatternKind::GlobalColumns:
      return GlobalColumnsOp::create(b, loc, type, i64(node.first), i64(node.last));
    case PatternKind::GlobalRows:
      return GlobalRowsOp::create(b, loc, type, i64(node.first), i64(node.last));
    case PatternKind::Global: {
      Value parts[] = {GlobalColumnsOp::create(b, loc, type, i64(node.first), i64(node.last)),
                       GlobalRowsOp::create(b, loc, type, i64(node.first), i64(node.last))};
      return UnionOp::create(b, loc, type, ValueRange(parts));
    }
    case PatternKind::Blockwise:
      return BlockwiseOp::create(b, loc, type, children[0], i64(node.size));
    case PatternKind::Segments:
      return SegmentsOp::create(b, loc, type, operands.lookup(&node)[0], i64(1));
    case PatternKind::RandomBlocks:
      return RandomBlocksOp::create(b, loc, type, i64(node.size), i64(node.count),
                                    i64(static_cast<int64_t>(node.seed)));
    case PatternKind::BlockTable: {
      SmallVector<Value> table = operands.lookup(&node);
      return BlockTableOp::create(b, loc, type, table[0], table[1], i64(node.size),
                                  i64(node.tableHeads));
    }
    case PatternKind::Neighborhood: {
      SmallVector<bool> causal(node.causal.begin(), node.causal.end());
      return NeighborhoodOp::create(b, loc, type, node.grid, node.kernel, node.dilations,
                                    node.strides, causal);
    }
    case PatternKind::Heads:
      return heads(node, children);
    case PatternKind::Union:
      return UnionOp::create(b, loc, type, children);
    case PatternKind::Intersect:
      return IntersectOp::create(b, loc, type, children);
    case PatternKind::Subtract:
      return SubtractOp::create(b, loc, type, children[0], children[1]);
    case PatternKind::Complement:
      return ComplementOp::create(b, loc, type, children[0]);
    case PatternKind::Predicate:
      return predicate(*node.expr);
    }
    llvm_unreachable("every kind is handled");
  }

  /// The op wants its ranges ascending; the language takes them in any order.
  Value heads(const PatternNode &node, ValueRange children) {
    SmallVector<size_t> order(llvm::to_vector(llvm::seq<size_t>(0, children.size())));
    llvm::sort(order, [&](size_t x, size_t y) { return node.headBegin[x] < node.headBegin[y]; });
    SmallVector<Value> patterns;
    SmallVector<int64_t> first, last;
    for (size_t i : order) {
      patterns.push_back(children[i]);
      first.push_back(node.headBegin[i]);
      last.push_back(node.headEnd[i]);
    }
    return HeadsOp::create(b, loc, b.getType<PatternType>(), patterns, first, last);
  }

  Value predicate(const Expr &expr) {
    std::vector<TableRef> read = exprLookups(expr);
    SmallVector<Value> values;
    for (const TableRef &table : read)
      values.push_back(arrays.lookup(table.get()));
    auto op = PredicateOp::create(b, loc, b.getType<PatternType>(), values);
    OpBuilder::InsertionGuard guard(b);
    Block *body = b.createBlock(&op.getBody());
    for (int i = 0; i != 6; ++i)
      body->addArgument(b.getIndexType(), loc);
    tableArguments.clear();
    for (auto [table, value] : llvm::zip(read, values))
      tableArguments[table.get()] = body->addArgument(value.getType(), loc);
    exprs.clear();
    YieldOp::create(b, loc, expression(expr, *body));
    return op;
  }

  Value index(int64_t value) { return arith::ConstantIndexOp::create(b, loc, value); }

  Value expression(const Expr &expr, Block &body) {
    if (Value known = exprs.lookup(&expr))
      return known;
    Value result = expressionImpl(expr, body);
    exprs[&expr] = result;
    return result;
  }

  Value expressionImpl(const Expr &expr, Block &body) {
    Value lhs = expr.lhs ? expression(*expr.lhs, body) : Value();
    Value rhs = expr.rhs ? expression(*expr.rhs, body) : Value();
    auto compare = [&](arith::CmpIPredicate predicate) -> Value {
      return arith::CmpIOp::create(b, loc, predicate, lhs, rhs);
    };
    switch (expr.kind) {
    case ExprKind::Constant:
      return index(expr.value);
    case ExprKind::Variable:
      return body.getArgument(static_cast<unsigned>(expr.var));
    case ExprKind::Lookup: {
      SmallVector<Value> indices;
      for (const ExprRef &index : expr.indices)
        indices.push_back(expression(*index, body));
      return LookupOp::create(b, loc, tableArguments.lookup(expr.table.get()), indices);
    }
    case ExprKind::Add:
      return arith::AddIOp::create(b, loc, lhs, rhs);
    case ExprKind::Sub:
      return arith::SubIOp::create(b, loc, lhs, rhs);
    case ExprKind::Mul:
      return arith::MulIOp::create(b, loc, lhs, rhs);
    case ExprKind::Div:
      return arith::FloorDivSIOp::create(b, loc, lhs, rhs);
    case ExprKind::Mod: {
      // arith has a truncating remainder only.
      AffineExpr x = getAffineDimExpr(0, b.getContext());
      int64_t divisor = getConstantIntValue(rhs).value_or(1);
      return affine::AffineApplyOp::create(b, loc, AffineMap::get(1, 0, x % divisor),
                                           ValueRange{lhs});
    }
    case ExprKind::Min:
      return arith::MinSIOp::create(b, loc, lhs, rhs);
    case ExprKind::Max:
      return arith::MaxSIOp::create(b, loc, lhs, rhs);
    case ExprKind::Abs:
      return arith::MaxSIOp::create(b, loc, lhs, arith::SubIOp::create(b, loc, index(0), lhs));
    case ExprKind::Neg:
      return arith::SubIOp::create(b, loc, index(0), lhs);
    case ExprKind::Lt:
      return compare(arith::CmpIPredicate::slt);
    case ExprKind::Le:
      return compare(arith::CmpIPredicate::sle);
    case ExprKind::Gt:
      return compare(arith::CmpIPredicate::sgt);
    case ExprKind::Ge:
      return compare(arith::CmpIPredicate::sge);
    case ExprKind::Eq:
      return compare(arith::CmpIPredicate::eq);
    case ExprKind::Ne:
      return compare(arith::CmpIPredicate::ne);
    case ExprKind::And:
      return arith::AndIOp::create(b, loc, lhs, rhs);
    case ExprKind::Or:
      return arith::OrIOp::create(b, loc, lhs, rhs);
    case ExprKind::Not: {
      Value one = arith::ConstantOp::create(b, loc, b.getBoolAttr(true));
      return arith::XOrIOp::create(b, loc, lhs, one);
    }
    case ExprKind::True:
    case ExprKind::False:
      return arith::ConstantOp::create(b, loc, b.getBoolAttr(expr.kind == ExprKind::True));
    default:
      llvm_unreachable("in scores only");
    }
  }

  OpBuilder &b;
  Location loc;
  const llvm::DenseMap<const PatternNode *, SmallVector<Value>> &operands;
  const llvm::DenseMap<const TableData *, Value> &arrays;
  llvm::DenseMap<const PatternNode *, Value> patterns;
  llvm::DenseMap<const Expr *, Value> exprs;               ///< of the predicate that is emitted
  llvm::DenseMap<const TableData *, Value> tableArguments; ///< of the same
};

} // namespace

OwningOpRef<ModuleOp> girih::emitKernel(MLIRContext *context, const Pattern &pattern,
                                        const KernelSpec &spec) {
  OpBuilder b(context);
  Location loc = b.getUnknownLoc();
  OwningOpRef<ModuleOp> module(ModuleOp::create(b, loc));
  b.setInsertionPointToEnd(module->getBody());

  constexpr int64_t dynamic = ShapedType::kDynamic;
  auto tensor = [&](ArrayRef<int64_t> shape, Type element) {
    return RankedTensorType::get(shape, element);
  };
  Type qk = tensor({dynamic, dynamic, dynamic, spec.headDim}, spec.element);
  Type v = tensor({dynamic, dynamic, dynamic, spec.vDim}, spec.element);
  SmallVector<Type> inputs{qk, qk, v, b.getF32Type()};
  std::vector<const PatternNode *> tables = patternTables(pattern);
  Type list = tensor({dynamic}, b.getI64Type());
  for (const PatternNode *table : tables)
    inputs.append(table->kind == PatternKind::BlockTable ? 2 : 1, list);
  std::vector<TableRef> lookups = kernelLookups(pattern, spec.score);
  for (const TableRef &table : lookups)
    inputs.push_back(lookupType(context, *table));
  Type results[] = {tensor({dynamic, dynamic, dynamic, spec.vDim}, spec.output),
                    tensor({dynamic, dynamic, dynamic}, b.getF32Type())};
  auto func = func::FuncOp::create(b, loc, spec.name, b.getFunctionType(inputs, results));
  Block *entry = func.addEntryBlock();
  b.setInsertionPointToEnd(entry);

  llvm::DenseMap<const PatternNode *, SmallVector<Value>> operands;
  unsigned next = 4;
  for (const PatternNode *table : tables) {
    operands[table].push_back(entry->getArgument(next++));
    if (table->kind == PatternKind::BlockTable)
      operands[table].push_back(entry->getArgument(next++));
  }
  llvm::DenseMap<const TableData *, Value> arrays;
  for (const TableRef &table : lookups)
    arrays[table.get()] = entry->getArgument(next++);
  Value root = Emitter(b, loc, operands, arrays).pattern(pattern.get().get());
  auto attention = AttentionOp::create(
      b, loc, TypeRange(results), entry->getArgument(0), entry->getArgument(1),
      entry->getArgument(2), root, /*scale=*/entry->getArgument(3),
      /*map=*/Value(), /*reads=*/ValueRange(),
      AlignAttr::get(context, spec.topLeft ? Align::TopLeft : Align::BottomRight),
      /*tile=*/DenseI64ArrayAttr());
  func::ReturnOp::create(b, loc, attention.getResults());
  if (spec.score) {
    Type index = b.getIndexType();
    Block *body =
        b.createBlock(&attention.getScore(), {}, {b.getF32Type(), index, index, index, index},
                      {loc, loc, loc, loc, loc});
    auto variable = [&](Var var) -> Value {
      if (var != Var::NQ && var != Var::NK)
        return body->getArgument(1 + static_cast<unsigned>(var));
      // Lengths are the function's, not the pair's.
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPoint(attention);
      Value tensor = var == Var::NQ ? attention.getQ() : attention.getK();
      return tensor::DimOp::create(b, loc, tensor, 2);
    };
    auto table = [&](const TableData &data) { return arrays.lookup(&data); };
    YieldOp::create(b, loc, emitScore(b, loc, spec.score, {body->getArgument(0), variable, table}));
  }
  return module;
}
