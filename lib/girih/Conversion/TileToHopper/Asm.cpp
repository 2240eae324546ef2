//===- Asm.cpp - The Hopper instructions that kernels are made of ---------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Conversion/TileToHopper/Asm.h"

using namespace mlir;
using namespace girih::hopper;

//===----------------------------------------------------------------------===//
// Scalars
//===----------------------------------------------------------------------===//

Value Asm::i32(int64_t value) {
  return LLVM::ConstantOp::create(b, loc, b.getI32Type(), b.getI32IntegerAttr(value));
}
Value Asm::i64(int64_t value) {
  return LLVM::ConstantOp::create(b, loc, b.getI64Type(), b.getI64IntegerAttr(value));
}
Value Asm::f32(float value) {
  return LLVM::ConstantOp::create(b, loc, b.getF32Type(), b.getF32FloatAttr(value));
}
Value Asm::add(Value x, Value y) { return LLVM::AddOp::create(b, loc, x, y); }
Value Asm::add(Value x, int64_t y) {
  if (!y)
    return x;
  return add(x, x.getType().isInteger(64) ? i64(y) : i32(y));
}
Value Asm::sub(Value x, Value y) { return LLVM::SubOp::create(b, loc, x, y); }
Value Asm::mul(Value x, Value y) { return LLVM::MulOp::create(b, loc, x, y); }
Value Asm::mul(Value x, int64_t y) {
  return y == 1 ? x : mul(x, x.getType().isInteger(64) ? i64(y) : i32(y));
}
Value Asm::bitXor(Value x, Value y) { return LLVM::XOrOp::create(b, loc, x, y); }
Value Asm::bitAnd(Value x, int64_t y) { return LLVM::AndOp::create(b, loc, x, i32(y)); }
Value Asm::shr(Value x, int64_t bits) { return LLVM::LShrOp::create(b, loc, x, i32(bits)); }
Value Asm::compare(LLVM::ICmpPredicate predicate, Value x, Value y) {
  return LLVM::ICmpOp::create(b, loc, predicate, x, y);
}
Value Asm::select(Value condition, Value x, Value y) {
  return LLVM::SelectOp::create(b, loc, condition, x, y);
}
Value Asm::widen(Value x) { return LLVM::SExtOp::create(b, loc, b.getI64Type(), x); }
Value Asm::fadd(Value x, Value y) { return LLVM::FAddOp::create(b, loc, x, y); }
Value Asm::fmul(Value x, Value y) { return LLVM::FMulOp::create(b, loc, x, y); }
Value Asm::fmax(Value x, Value y) { return LLVM::MaxNumOp::create(b, loc, x, y); }

Value Asm::exp2(Value x) { return pure("ex2.approx.ftz.f32 $0, $1;", "=f,f", x, b.getF32Type()); }
Value Asm::log2(Value x) { return pure("lg2.approx.ftz.f32 $0, $1;", "=f,f", x, b.getF32Type()); }

Value Asm::shuffleXor(Value x, int mask) {
  return results("shfl.sync.bfly.b32 $0, $1, " + std::to_string(mask) + ", 31, -1;", "=f,f", x,
                 1)[0];
}

Value Asm::pack(Value x, Value y, bool isBf16) {
  // The first source operand becomes the high half.
  std::string type = isBf16 ? "bf16x2" : "f16x2";
  return pure("cvt.rn." + type + ".f32 $0, $1, $2;", "=r,f,f", {y, x}, b.getI32Type());
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

Value Asm::load(Value base, int64_t bytes, Type type, bool isInvariant) {
  Value address = LLVM::GEPOp::create(b, loc, base.getType(), b.getI8Type(), base,
                                      ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(bytes)});
  return LLVM::LoadOp::create(b, loc, type, address, /*alignment=*/0, /*isVolatile=*/false,
                              /*isNonTemporal=*/false, isInvariant);
}

Value Asm::element(Value base, Value index, Type type) {
  return LLVM::GEPOp::create(b, loc, base.getType(), type, base, ArrayRef<LLVM::GEPArg>{index});
}

//===----------------------------------------------------------------------===//
// Inline PTX
//===----------------------------------------------------------------------===//

void Asm::effect(const std::string &code, StringRef constraints, ValueRange operands) {
  LLVM::InlineAsmOp::create(
      b, loc, TypeRange{}, operands, code, constraints, /*has_side_effects=*/true,
      /*is_align_stack=*/false, LLVM::TailCallKind::None,
      LLVM::AsmDialectAttr::get(b.getContext(), LLVM::AsmDialect::AD_ATT), ArrayAttr());
}

Value Asm::pure(const std::string &code, StringRef constraints, ValueRange operands, Type type) {
  return LLVM::InlineAsmOp::create(
             b, loc, TypeRange{type}, operands, code, constraints,
             /*has_side_effects=*/false, /*is_align_stack=*/false, LLVM::TailCallKind::None,
             LLVM::AsmDialectAttr::get(b.getContext(), LLVM::AsmDialect::AD_ATT), ArrayAttr())
      .getResult(0);
}

SmallVector<Value> Asm::results(const std::string &code, const std::string &constraints,
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
// Threads and barriers
//===----------------------------------------------------------------------===//

Value Asm::special(StringRef name) {
  return pure("mov.u32 $0, %" + name.str() + ";", "=r", {}, b.getI32Type());
}

Value Asm::uniform(Value x) {
  return LLVM::InlineAsmOp::create(
             b, loc, TypeRange{b.getI32Type()}, x, "shfl.sync.idx.b32 $0, $1, 0, 31, -1;", "=r,r",
             true, false, LLVM::TailCallKind::None,
             LLVM::AsmDialectAttr::get(b.getContext(), LLVM::AsmDialect::AD_ATT), ArrayAttr())
      .getResult(0);
}

void Asm::syncThreads() { effect("bar.sync 0;", "~{memory}", {}); }
void Asm::namedSync(Value id, int threads) {
  effect("bar.sync $0, " + std::to_string(threads) + ";", "r,~{memory}", id);
}
void Asm::namedArrive(Value id, int threads) {
  effect("bar.arrive $0, " + std::to_string(threads) + ";", "r,~{memory}", id);
}
void Asm::setRegisters(bool increase, int count) {
  effect(std::string("setmaxnreg.") + (increase ? "inc" : "dec") + ".sync.aligned.u32 " +
             std::to_string(count) + ";",
         "", {});
}
void Asm::barrierInit(Value address, int arrivals) {
  effect("mbarrier.init.shared::cta.b64 [$0], " + std::to_string(arrivals) + ";", "r,~{memory}",
         address);
}
void Asm::fenceBarrierInit() { effect("fence.mbarrier_init.release.cluster;", "~{memory}", {}); }
void Asm::barrierArrive(Value address) {
  effect("mbarrier.arrive.shared::cta.b64 _, [$0];", "r,~{memory}", address);
}
void Asm::barrierExpect(Value address, Value bytes) {
  effect("mbarrier.arrive.expect_tx.shared::cta.b64 _, [$0], $1;", "r,r,~{memory}",
         {address, bytes});
}
void Asm::barrierWait(Value address, Value parity) {
  // Labels are local to the braces.
  effect("{ .reg .pred done; WAIT: mbarrier.try_wait.parity.shared::cta.b64 done, [$0], $1; "
         "@done bra DONE; bra WAIT; DONE: }",
         "r,r,~{memory}", {address, parity});
}
void Asm::copyTile(Value shared, Value map, ArrayRef<Value> coordinates, Value barrier) {
  std::string code = "cp.async.bulk.tensor." + std::to_string(coordinates.size()) +
                     "d.shared::cluster.global.mbarrier::complete_tx::bytes [$0], [$1, {";
  std::string constraints = "r,l";
  SmallVector<Value> operands{shared, map};
  for (auto [i, coordinate] : llvm::enumerate(coordinates)) {
    code += (i ? ", $" : "$") + std::to_string(operands.size());
    constraints += ",r";
    operands.push_back(coordinate);
  }
  code += "}], [$" + std::to_string(operands.size()) + "];";
  operands.push_back(barrier);
  effect(code, constraints + ",r,~{memory}", operands);
}

//===----------------------------------------------------------------------===//
// Warpgroup products
//===----------------------------------------------------------------------===//

Value Asm::descriptor(Value address, int64_t leadingBytes, int64_t strideBytes) {
  constexpr int64_t swizzle128 = int64_t(1) << 62;
  Value start = bitAnd(shr(address, 4), 0x3fff);
  Value wide = LLVM::ZExtOp::create(b, loc, b.getI64Type(), start);
  return LLVM::OrOp::create(
      b, loc, wide, i64(((leadingBytes >> 4) << 16) | ((strideBytes >> 4) << 32) | swizzle128));
}

void Asm::productFence() { effect("wgmma.fence.sync.aligned;", "~{memory}", {}); }
void Asm::productCommit() { effect("wgmma.commit_group.sync.aligned;", "~{memory}", {}); }

static std::string repeated(StringRef item, size_t count) {
  std::string text;
  for (size_t i = 0; i != count; ++i)
    text += (i ? "," : "") + item.str();
  return text;
}

SmallVector<Value> Asm::productWait(ArrayRef<Value> values, int pending) {
  std::string constraints = repeated("=f", values.size());
  for (size_t i = 0; i != values.size(); ++i)
    constraints += "," + std::to_string(i);
  return results("wgmma.wait_group.sync.aligned " + std::to_string(pending) + ";", constraints,
                 values, values.size());
}

SmallVector<Value> Asm::product(const Product &p) {
  size_t count = p.n / 2, steps = p.rhsSteps.size();
  bool accumulates = !p.acc.empty();
  std::string constraints = repeated(accumulates ? "=f" : "=&f", count);
  SmallVector<Value> operands;
  size_t next = count;
  auto operand = [&](Value value, const std::string &constraint) {
    constraints += "," + constraint;
    operands.push_back(value);
    return next++;
  };
  if (accumulates)
    for (size_t i = 0; i != count; ++i)
      operand(p.acc[i], std::to_string(i));
  size_t lhs = next;
  if (p.lhsFragments.empty())
    operand(p.lhs, "l");
  for (Value fragment : p.lhsFragments)
    operand(fragment, "r");
  size_t rhs = operand(p.rhs, "l");

  std::string registers = "{";
  for (size_t i = 0; i != count; ++i)
    registers += (i ? ",$" : "$") + std::to_string(i);
  registers += "}";
  std::string element = p.isBf16 ? "bf16" : "f16";
  std::string code = "{ .reg .b64 da, db; ";
  for (size_t step = 0; step != steps; ++step) {
    std::string scale = accumulates || step ? "1" : "0", transposed = p.rhsIsTransposed ? "1" : "0";
    std::string instruction = "wgmma.mma_async.sync.aligned.m64n" + std::to_string(p.n) +
                              "k16.f32." + element + "." + element + " " + registers;
    code += "add.s64 db, $" + std::to_string(rhs) + ", " + std::to_string(p.rhsSteps[step]) + "; ";
    if (p.lhsFragments.empty()) {
      code += "add.s64 da, $" + std::to_string(lhs) + ", " + std::to_string(p.lhsSteps[step]) +
              "; " + instruction + ", da, db, " + scale + ", 1, 1, 0, " + transposed + "; ";
      continue;
    }
    std::string fragment = "{";
    for (size_t i = 0; i != 4; ++i)
      fragment += (i ? ",$" : "$") + std::to_string(lhs + 4 * step + i);
    code += instruction + ", " + fragment + "}, db, " + scale + ", 1, 1, " + transposed + "; ";
  }
  return results(code + "}", constraints, operands, count);
}
