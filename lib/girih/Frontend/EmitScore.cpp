//===- EmitScore.cpp - Score trees to the region of girih.attention -------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A score is computed for every pair that a kernel visits, so integers are 32 bits
// wide wherever their ranges say that this is enough, and a division is what the
// sign of its operand and its divisor need. Indices of lookups are index arithmetic
// as predicates are (EmitIR.cpp): both are analysed, and launches prove that lookups
// stay within their tables.
//
//===----------------------------------------------------------------------===//

#include "girih/Frontend/EmitScore.h"

#include "girih/Frontend/PatternDetail.h"

#include "girih/Pattern/Girih.h"

#include "mlir/Dialect/Affine/IR/AffineOps.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/SaveAndRestore.h"

#include <limits>

using namespace mlir;
using namespace girih;
using girih::detail::IntRange;

namespace {

class ScoreEmitter {
public:
  ScoreEmitter(OpBuilder &b, Location loc, const ScoreInputs &inputs)
      : b(b), loc(loc), inputs(inputs) {}

  /// An expression as f32; integers are converted.
  Value real(const Expr &expr);

private:
  /// A node with its value: f32, i1, or for integers i32 or index. Integer constants
  /// have none: they are made in the type that they meet.
  struct Known {
    Value value;
    IntRange range;
  };

  Known node(const Expr &expr);
  Value emit(const Expr &expr, IntRange range);
  Value emitInteger(const Expr &expr, IntRange range);
  Value emitReal(const Expr &expr);
  Value emitCondition(const Expr &expr);
  Value compare(const Expr &expr);
  Value divide(const Expr &expr, Type type);
  Value lookup(const Expr &expr);
  Value quotient(const Expr &lhs, const Expr &rhs);
  /// An integer expression as i32 or index; narrow values must fit.
  Value integer(const Expr &expr, Type type);
  Value condition(const Expr &expr) { return node(expr).value; }

  static bool isNarrow(IntRange range) {
    return range.lo >= std::numeric_limits<int32_t>::min() &&
           range.hi <= std::numeric_limits<int32_t>::max();
  }
  /// What an integer operation on these is done in.
  Type typeFor(std::initializer_list<IntRange> ranges) {
    return !isIndex && llvm::all_of(ranges, isNarrow) ? Type(b.getI32Type())
                                                      : Type(b.getIndexType());
  }
  Value constant(Type type, int64_t value) {
    return arith::ConstantOp::create(b, loc, b.getIntegerAttr(type, value));
  }
  Value constant(float value) {
    return arith::ConstantOp::create(b, loc, b.getF32FloatAttr(value));
  }

  OpBuilder &b;
  Location loc;
  const ScoreInputs &inputs;
  /// Whether what is emitted is the index of a lookup. Nodes are known apart for both.
  bool isIndex = false;
  llvm::DenseMap<const Expr *, Known> nodes[2];
  Value variables[6]; ///< as i32, which holds every position; by Var
};

} // namespace

ScoreEmitter::Known ScoreEmitter::node(const Expr &expr) {
  if (auto it = nodes[isIndex].find(&expr); it != nodes[isIndex].end())
    return it->second;
  IntRange range;
  if (expr.type == ExprType::Integer) {
    IntRange lhs = expr.lhs ? node(*expr.lhs).range : IntRange();
    IntRange rhs = expr.rhs ? node(*expr.rhs).range : IntRange();
    range = girih::detail::rangeOf(expr, lhs, rhs);
  }
  Value value = expr.kind == ExprKind::Constant ? Value() : emit(expr, range);
  nodes[isIndex][&expr] = {value, range};
  return {value, range};
}

Value ScoreEmitter::emit(const Expr &expr, IntRange range) {
  switch (expr.type) {
  case ExprType::Integer:
    return emitInteger(expr, range);
  case ExprType::Float:
    return emitReal(expr);
  case ExprType::Boolean:
    return emitCondition(expr);
  }
  llvm_unreachable("every type is handled");
}

//===----------------------------------------------------------------------===//
// Integers
//===----------------------------------------------------------------------===//

Value ScoreEmitter::integer(const Expr &expr, Type type) {
  if (expr.kind == ExprKind::Constant)
    return constant(type, expr.value);
  Value value = node(expr).value;
  return value.getType() == type ? value : arith::IndexCastOp::create(b, loc, type, value);
}

Value ScoreEmitter::emitInteger(const Expr &expr, IntRange range) {
  if (expr.kind == ExprKind::Lookup)
    return lookup(expr);
  if (expr.kind == ExprKind::Variable && isIndex)
    return inputs.variable(expr.var);
  if (expr.kind == ExprKind::Variable) {
    Value &known = variables[static_cast<int>(expr.var)];
    if (!known)
      known = arith::IndexCastOp::create(b, loc, b.getI32Type(), inputs.variable(expr.var));
    return known;
  }
  IntRange lhsRange = node(*expr.lhs).range; // emits it, if it was not yet
  IntRange rhsRange = expr.rhs ? node(*expr.rhs).range : IntRange();
  Type type = typeFor({range, lhsRange, rhsRange});
  if (expr.kind == ExprKind::Div || expr.kind == ExprKind::Mod)
    return divide(expr, type);
  Value lhs = integer(*expr.lhs, type), rhs = expr.rhs ? integer(*expr.rhs, type) : Value();
  switch (expr.kind) {
  case ExprKind::Add:
    return arith::AddIOp::create(b, loc, lhs, rhs);
  case ExprKind::Sub:
    return arith::SubIOp::create(b, loc, lhs, rhs);
  case ExprKind::Mul:
    return arith::MulIOp::create(b, loc, lhs, rhs);
  case ExprKind::Min:
    return arith::MinSIOp::create(b, loc, lhs, rhs);
  case ExprKind::Max:
    return arith::MaxSIOp::create(b, loc, lhs, rhs);
  case ExprKind::Where:
    return arith::SelectOp::create(b, loc, condition(*expr.condition), lhs, rhs);
  case ExprKind::Neg:
  case ExprKind::Abs: {
    Value negative = arith::SubIOp::create(b, loc, constant(type, 0), lhs);
    if (expr.kind == ExprKind::Neg)
      return negative;
    return arith::MaxSIOp::create(b, loc, lhs, negative);
  }
  default:
    llvm_unreachable("not an integer");
  }
}

/// Floor division or modulo by a positive constant.
Value ScoreEmitter::divide(const Expr &expr, Type type) {
  int64_t divisor = expr.rhs->value;
  bool isDiv = expr.kind == ExprKind::Div;
  if (isIndex) {
    AffineExpr x = getAffineDimExpr(0, b.getContext());
    AffineMap map = AffineMap::get(1, 0, isDiv ? x.floorDiv(divisor) : x % divisor);
    return affine::AffineApplyOp::create(b, loc, map, ValueRange{integer(*expr.lhs, type)});
  }
  Value x = integer(*expr.lhs, type), by = constant(type, divisor);
  // Shifts and masks of two's complement round down by themselves.
  if (llvm::isPowerOf2_64(static_cast<uint64_t>(divisor))) {
    if (!isDiv)
      return arith::AndIOp::create(b, loc, x, constant(type, divisor - 1));
    return arith::ShRSIOp::create(b, loc, x, constant(type, llvm::Log2_64(divisor)));
  }
  if (node(*expr.lhs).range.lo >= 0) {
    if (isDiv)
      return arith::DivUIOp::create(b, loc, x, by);
    return arith::RemUIOp::create(b, loc, x, by);
  }
  Value rest = arith::RemSIOp::create(b, loc, x, by), zero = constant(type, 0);
  Value isBelow = arith::CmpIOp::create(b, loc, arith::CmpIPredicate::slt, rest, zero);
  if (!isDiv) {
    Value wrapped = arith::AddIOp::create(b, loc, rest, by);
    return arith::SelectOp::create(b, loc, isBelow, wrapped, rest);
  }
  Value towardsZero = arith::DivSIOp::create(b, loc, x, by);
  Value less = arith::SubIOp::create(b, loc, towardsZero, constant(type, 1));
  return arith::SelectOp::create(b, loc, isBelow, less, towardsZero);
}

Value ScoreEmitter::lookup(const Expr &expr) {
  SmallVector<Value> indices;
  llvm::SaveAndRestore<bool> asIndex(isIndex, true);
  for (const ExprRef &index : expr.indices)
    indices.push_back(integer(*index, b.getIndexType()));
  return LookupOp::create(b, loc, inputs.table(*expr.table), indices);
}

//===----------------------------------------------------------------------===//
// Floats
//===----------------------------------------------------------------------===//

Value ScoreEmitter::real(const Expr &expr) {
  if (expr.type == ExprType::Float)
    return node(expr).value;
  if (expr.kind == ExprKind::Constant)
    return constant(static_cast<float>(expr.value));
  bool fits = isNarrow(node(expr).range);
  Value value = integer(expr, fits ? Type(b.getI32Type()) : Type(b.getIndexType()));
  if (!fits)
    value = arith::IndexCastOp::create(b, loc, b.getI64Type(), value);
  return arith::SIToFPOp::create(b, loc, b.getF32Type(), value);
}

/// Within two units in the last place, which is what a GPU divides fast.
Value ScoreEmitter::quotient(const Expr &lhs, const Expr &rhs) {
  std::optional<float> divisor;
  if (rhs.kind == ExprKind::Literal)
    divisor = rhs.real;
  else if (rhs.kind == ExprKind::Constant)
    divisor = static_cast<float>(rhs.value);
  if (divisor && std::isnormal(*divisor) && std::isnormal(1 / *divisor))
    return arith::MulFOp::create(b, loc, real(lhs), constant(1 / *divisor));
  return arith::DivFOp::create(b, loc, real(lhs), real(rhs), arith::FastMathFlags::afn);
}

Value ScoreEmitter::emitReal(const Expr &expr) {
  if (expr.kind == ExprKind::Literal)
    return constant(expr.real);
  if (expr.kind == ExprKind::Score)
    return inputs.score;
  if (expr.kind == ExprKind::Lookup)
    return lookup(expr);
  if (expr.kind == ExprKind::Div)
    return quotient(*expr.lhs, *expr.rhs);
  Value lhs = real(*expr.lhs), rhs = expr.rhs ? real(*expr.rhs) : Value();
  switch (expr.kind) {
  case ExprKind::ToFloat:
    return lhs;
  case ExprKind::Add:
    return arith::AddFOp::create(b, loc, lhs, rhs);
  case ExprKind::Sub:
    return arith::SubFOp::create(b, loc, lhs, rhs);
  case ExprKind::Mul:
    return arith::MulFOp::create(b, loc, lhs, rhs);
  case ExprKind::Neg:
    return arith::NegFOp::create(b, loc, lhs);
  case ExprKind::Min:
    return arith::MinimumFOp::create(b, loc, lhs, rhs);
  case ExprKind::Max:
    return arith::MaximumFOp::create(b, loc, lhs, rhs);
  case ExprKind::Where:
    return arith::SelectOp::create(b, loc, condition(*expr.condition), lhs, rhs);
  case ExprKind::Abs:
    return math::AbsFOp::create(b, loc, lhs);
  case ExprKind::Exp:
    return math::ExpOp::create(b, loc, lhs);
  case ExprKind::Exp2:
    return math::Exp2Op::create(b, loc, lhs);
  case ExprKind::Log:
    return math::LogOp::create(b, loc, lhs);
  case ExprKind::Log2:
    return math::Log2Op::create(b, loc, lhs);
  case ExprKind::Sqrt:
    return math::SqrtOp::create(b, loc, lhs);
  case ExprKind::Rsqrt:
    return math::RsqrtOp::create(b, loc, lhs);
  case ExprKind::Tanh:
    return math::TanhOp::create(b, loc, lhs);
  case ExprKind::Erf:
    return math::ErfOp::create(b, loc, lhs);
  case ExprKind::Sin:
    return math::SinOp::create(b, loc, lhs);
  case ExprKind::Cos:
    return math::CosOp::create(b, loc, lhs);
  case ExprKind::Floor:
    return math::FloorOp::create(b, loc, lhs);
  case ExprKind::Pow:
    return math::PowFOp::create(b, loc, lhs, rhs);
  case ExprKind::Sigmoid: {
    Value power = math::ExpOp::create(b, loc, arith::NegFOp::create(b, loc, lhs));
    Value sum = arith::AddFOp::create(b, loc, constant(1.0f), power);
    return arith::DivFOp::create(b, loc, constant(1.0f), sum, arith::FastMathFlags::afn);
  }
  default:
    llvm_unreachable("not a float");
  }
}

//===----------------------------------------------------------------------===//
// Conditions
//===----------------------------------------------------------------------===//

Value ScoreEmitter::emitCondition(const Expr &expr) {
  auto truth = [&](bool value) -> Value {
    return arith::ConstantOp::create(b, loc, b.getBoolAttr(value));
  };
  switch (expr.kind) {
  case ExprKind::True:
  case ExprKind::False:
    return truth(expr.kind == ExprKind::True);
  case ExprKind::Not:
    return arith::XOrIOp::create(b, loc, condition(*expr.lhs), truth(true));
  case ExprKind::And:
    return arith::AndIOp::create(b, loc, condition(*expr.lhs), condition(*expr.rhs));
  case ExprKind::Or:
    return arith::OrIOp::create(b, loc, condition(*expr.lhs), condition(*expr.rhs));
  default:
    return compare(expr);
  }
}

Value ScoreEmitter::compare(const Expr &expr) {
  struct Predicates {
    arith::CmpIPredicate integer;
    arith::CmpFPredicate real;
  };
  using I = arith::CmpIPredicate;
  using F = arith::CmpFPredicate;
  // As IEEE 754 and C have it: with a NaN only != holds.
  static constexpr Predicates all[] = {{I::slt, F::OLT}, {I::sle, F::OLE}, {I::sgt, F::OGT},
                                       {I::sge, F::OGE}, {I::eq, F::OEQ},  {I::ne, F::UNE}};
  Predicates predicates = all[static_cast<int>(expr.kind) - static_cast<int>(ExprKind::Lt)];
  if (expr.lhs->type == ExprType::Float || expr.rhs->type == ExprType::Float)
    return arith::CmpFOp::create(b, loc, predicates.real, real(*expr.lhs), real(*expr.rhs));
  Type type = typeFor({node(*expr.lhs).range, node(*expr.rhs).range});
  return arith::CmpIOp::create(b, loc, predicates.integer, integer(*expr.lhs, type),
                               integer(*expr.rhs, type));
}

Value girih::emitScore(OpBuilder &b, Location loc, const Score &score, const ScoreInputs &inputs) {
  return ScoreEmitter(b, loc, inputs).real(*score.get());
}
