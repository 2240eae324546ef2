//===- ScalarBuilder.cpp - Scalars, memory and lanes of a GPU thread ------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Conversion/Fragments/ScalarBuilder.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace girih::gpu;

//===----------------------------------------------------------------------===//
// Scalars
//===----------------------------------------------------------------------===//

Value ScalarBuilder::i32(int64_t value) {
  return LLVM::ConstantOp::create(b, loc, b.getI32Type(), b.getI32IntegerAttr(value));
}
Value ScalarBuilder::i64(int64_t value) {
  return LLVM::ConstantOp::create(b, loc, b.getI64Type(), b.getI64IntegerAttr(value));
}
Value ScalarBuilder::f32(float value) {
  return LLVM::ConstantOp::create(b, loc, b.getF32Type(), b.getF32FloatAttr(value));
}
Value ScalarBuilder::add(Value x, Value y) { return LLVM::AddOp::create(b, loc, x, y); }
Value ScalarBuilder::add(Value x, int64_t y) {
  if (!y)
    return x;
  return add(x, x.getType().isInteger(64) ? i64(y) : i32(y));
}
Value ScalarBuilder::sub(Value x, Value y) { return LLVM::SubOp::create(b, loc, x, y); }
Value ScalarBuilder::mul(Value x, Value y) { return LLVM::MulOp::create(b, loc, x, y); }
Value ScalarBuilder::mul(Value x, int64_t y) {
  return y == 1 ? x : mul(x, x.getType().isInteger(64) ? i64(y) : i32(y));
}
Value ScalarBuilder::bitXor(Value x, Value y) { return LLVM::XOrOp::create(b, loc, x, y); }
Value ScalarBuilder::bitAnd(Value x, int64_t y) { return LLVM::AndOp::create(b, loc, x, i32(y)); }
Value ScalarBuilder::shr(Value x, int64_t bits) {
  return LLVM::LShrOp::create(b, loc, x, i32(bits));
}
Value ScalarBuilder::compare(LLVM::ICmpPredicate predicate, Value x, Value y) {
  return LLVM::ICmpOp::create(b, loc, predicate, x, y);
}
Value ScalarBuilder::select(Value condition, Value x, Value y) {
  return LLVM::SelectOp::create(b, loc, condition, x, y);
}
Value ScalarBuilder::widen(Value x) { return LLVM::SExtOp::create(b, loc, b.getI64Type(), x); }
Value ScalarBuilder::fadd(Value x, Value y) { return LLVM::FAddOp::create(b, loc, x, y); }
Value ScalarBuilder::fmul(Value x, Value y) { return LLVM::FMulOp::create(b, loc, x, y); }
Value ScalarBuilder::fmax(Value x, Value y) { return LLVM::MaxNumOp::create(b, loc, x, y); }

Value ScalarBuilder::exp2(Value x) {
  return pure("ex2.approx.ftz.f32 $0, $1;", "=f,f", x, b.getF32Type());
}
Value ScalarBuilder::log2(Value x) {
  return pure("lg2.approx.ftz.f32 $0, $1;", "=f,f", x, b.getF32Type());
}

/// Every lane of the warp, as a mask and as the last one to read from.
static constexpr int64_t allLanes = -1, lastLane = 31;

Value ScalarBuilder::shuffleXor(Value x, int mask) {
  return NVVM::ShflOp::create(b, loc, x.getType(), i32(allLanes), x, i32(mask), i32(lastLane),
                              NVVM::ShflKind::bfly, /*return_value_and_is_valid=*/UnitAttr());
}

Value ScalarBuilder::anyLane(Value condition) {
  return NVVM::VoteSyncOp::create(b, loc, b.getI1Type(), i32(allLanes), condition,
                                  NVVM::VoteSyncKind::any);
}

Value ScalarBuilder::lowBits(Value count) {
  return pure("bmsk.clamp.b32 $0, 0, $1;", "=r,r", count, b.getI32Type());
}

Value ScalarBuilder::pack(Value x, Value y, bool isBf16) {
  // The first source operand becomes the high half.
  std::string type = isBf16 ? "bf16x2" : "f16x2";
  return pure("cvt.rn." + type + ".f32 $0, $1, $2;", "=r,f,f", {y, x}, b.getI32Type());
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

Value ScalarBuilder::load(Value base, int64_t bytes, Type type, bool isInvariant) {
  Value address = LLVM::GEPOp::create(b, loc, base.getType(), b.getI8Type(), base,
                                      ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(bytes)});
  return LLVM::LoadOp::create(b, loc, type, address, /*alignment=*/0, /*isVolatile=*/false,
                              /*isNonTemporal=*/false, isInvariant);
}

Value ScalarBuilder::element(Value base, Value index, Type type) {
  return LLVM::GEPOp::create(b, loc, base.getType(), type, base, ArrayRef<LLVM::GEPArg>{index});
}

void ScalarBuilder::storeWords(Value address, ValueRange words, Value when) {
  Type type = words.front().getType();
  const char *constraint = type.isF32() ? ",f" : type.isInteger(16) ? ",h" : ",r";
  const bool isVector = words.size() > 1;
  std::string code = "{ .reg .pred go; setp.ne.s32 go, $1, 0; @go st.global";
  if (isVector)
    code += ".v" + std::to_string(words.size());
  code += type.isInteger(16) ? ".b16 [$0], " : ".b32 [$0], ";
  code += isVector ? "{" : "";
  std::string constraints = "l,r";
  SmallVector<Value> operands{address, LLVM::ZExtOp::create(b, loc, b.getI32Type(), when)};
  for (Value word : words) {
    code += (operands.size() > 2 ? ", $" : "$") + std::to_string(operands.size());
    constraints += constraint;
    operands.push_back(word);
  }
  effect(code + (isVector ? "}; }" : "; }"), constraints + ",~{memory}", operands);
}

//===----------------------------------------------------------------------===//
// Inline PTX
//===----------------------------------------------------------------------===//

void ScalarBuilder::effect(const std::string &code, StringRef constraints, ValueRange operands) {
  LLVM::InlineAsmOp::create(
      b, loc, TypeRange{}, operands, code, constraints, /*has_side_effects=*/true,
      /*is_align_stack=*/false, LLVM::TailCallKind::None,
      LLVM::AsmDialectAttr::get(b.getContext(), LLVM::AsmDialect::AD_ATT), ArrayAttr());
}

Value ScalarBuilder::pure(const std::string &code, StringRef constraints, ValueRange operands,
                          Type type) {
  return LLVM::InlineAsmOp::create(
             b, loc, TypeRange{type}, operands, code, constraints,
             /*has_side_effects=*/false, /*is_align_stack=*/false, LLVM::TailCallKind::None,
             LLVM::AsmDialectAttr::get(b.getContext(), LLVM::AsmDialect::AD_ATT), ArrayAttr())
      .getResult(0);
}

SmallVector<Value> ScalarBuilder::results(const std::string &code, const std::string &constraints,
                                          ValueRange operands, size_t count) {
  Type f32Type = b.getF32Type();
  Type type = count == 1 ? f32Type
                         : Type(LLVM::LLVMStructType::getLiteral(
                               b.getContext(), SmallVector<Type>(count, f32Type)));
  Value all = LLVM::InlineAsmOp::create(
                  b, loc, TypeRange{type}, operands, code, constraints,
                  /*has_side_effects=*/true, /*is_align_stack=*/false, LLVM::TailCallKind::None,
                  LLVM::AsmDialectAttr::get(b.getContext(), LLVM::AsmDialect::AD_ATT), ArrayAttr())
                  .getResult(0);
  if (count == 1)
    return {all};
  SmallVector<Value> values;
  for (size_t i = 0; i != count; ++i)
    values.push_back(
        LLVM::ExtractValueOp::create(b, loc, all, ArrayRef<int64_t>{static_cast<int64_t>(i)}));
  return values;
}

//===----------------------------------------------------------------------===//
// Threads
//===----------------------------------------------------------------------===//

Value ScalarBuilder::special(StringRef name) {
  return pure("mov.u32 $0, %" + name.str() + ";", "=r", {}, b.getI32Type());
}

Value ScalarBuilder::uniform(Value x) {
  return NVVM::ShflOp::create(b, loc, x.getType(), i32(allLanes), x, i32(0), i32(lastLane),
                              NVVM::ShflKind::idx, /*return_value_and_is_valid=*/UnitAttr());
}

Value ScalarBuilder::opaque(Value x) {
  return LLVM::InlineAsmOp::create(
             b, loc, TypeRange{x.getType()}, x, "mov.b32 $0, $1;", "=r,r",
             /*has_side_effects=*/true, /*is_align_stack=*/false, LLVM::TailCallKind::None,
             LLVM::AsmDialectAttr::get(b.getContext(), LLVM::AsmDialect::AD_ATT), ArrayAttr())
      .getResult(0);
}

void ScalarBuilder::syncThreads() { NVVM::BarrierOp::create(b, loc); }
