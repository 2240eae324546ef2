//===- Asm.cpp - Asynchronous copies and warp products of sm_80 -----------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Conversion/TileToAmpere/Asm.h"

#include "mlir/Dialect/LLVMIR/NVVMDialect.h"

using namespace mlir;
using namespace girih::ampere;

std::array<Value, 4> Asm::four(const std::string &code, StringRef constraints, ValueRange operands,
                               Type type) {
  Type all = LLVM::LLVMStructType::getLiteral(b.getContext(), SmallVector<Type>(4, type));
  // A side effect keeps products and loads in the order in which they are written.
  Value result =
      LLVM::InlineAsmOp::create(b, loc, all, operands, code, constraints, /*has_side_effects=*/true,
                                /*is_align_stack=*/false, LLVM::TailCallKind::None,
                                LLVM::AsmDialectAttr::get(b.getContext(), LLVM::AsmDialect::AD_ATT),
                                ArrayAttr())
          .getResult(0);
  std::array<Value, 4> values;
  for (int64_t i = 0; i != 4; ++i)
    values[i] = LLVM::ExtractValueOp::create(b, loc, result, ArrayRef<int64_t>{i});
  return values;
}

Value Asm::threadAgain() {
  return LLVM::InlineAsmOp::create(
             b, loc, TypeRange{b.getI32Type()}, ValueRange(), "mov.u32 $0, %tid.x;", "=r",
             /*has_side_effects=*/true, /*is_align_stack=*/false, LLVM::TailCallKind::None,
             LLVM::AsmDialectAttr::get(b.getContext(), LLVM::AsmDialect::AD_ATT), ArrayAttr())
      .getResult(0);
}

void Asm::copyAsync(Value to, int64_t toBytes, Value from, int64_t fromBytes, Value count) {
  effect("cp.async.cg.shared.global [$0+" + std::to_string(toBytes) + "], [$1+" +
             std::to_string(fromBytes) + "], 16, $2;",
         "r,l,r,~{memory}", {to, from, count});
}

void Asm::copyCommit() { NVVM::CpAsyncCommitGroupOp::create(b, loc); }

void Asm::copyWait(int pending) { NVVM::CpAsyncWaitGroupOp::create(b, loc, pending); }

Matrices Asm::loadMatrices(Value address, int64_t bytes, bool isTransposed) {
  return four(std::string("ldmatrix.sync.aligned.m8n8.x4") + (isTransposed ? ".trans" : "") +
                  ".shared.b16 {$0,$1,$2,$3}, [$4+" + std::to_string(bytes) + "];",
              "=r,=r,=r,=r,r,~{memory}", address, b.getI32Type());
}

std::array<Value, 4> Asm::product(ArrayRef<Value> acc, const Matrices &a, Value b0, Value b1,
                                  bool isBf16) {
  std::string type = isBf16 ? "bf16" : "f16";
  SmallVector<Value> operands(a.begin(), a.end());
  operands.append({b0, b1});
  llvm::append_range(operands, acc);
  return four("mma.sync.aligned.m16n8k16.row.col.f32." + type + "." + type +
                  ".f32 {$0,$1,$2,$3}, {$4,$5,$6,$7}, {$8,$9}, {$10,$11,$12,$13};",
              "=f,=f,=f,=f,r,r,r,r,r,r,f,f,f,f", operands, b.getF32Type());
}
