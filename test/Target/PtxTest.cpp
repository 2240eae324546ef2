//===- PtxTest.cpp - LLVM modules to PTX ----------------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TargetTesting.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Parser/Parser.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"

using namespace girih;
using namespace girih::testing;

static bool contains(llvm::StringRef text, llvm::StringRef part) { return text.contains(part); }

static constexpr char axpy[] = R"(
define ptx_kernel void @axpy(ptr addrspace(1) %y, float %a, float %b) {
  %m = fmul float %a, %b
  %x = load float, ptr addrspace(1) %y
  %s = fadd float %m, %x
  store float %s, ptr addrspace(1) %y
  ret void
})";

TEST(Ptx, NamesTheTarget) {
  std::string ptx = toPtx(axpy);
  EXPECT_PRED2(contains, ptx, ".target sm_90a");
  EXPECT_PRED2(contains, ptx, ".version 8.0");
  EXPECT_PRED2(contains, ptx, ".visible .entry axpy(");
}

TEST(Ptx, CompilesForOlderChips) {
  EXPECT_PRED2(contains, toPtx(axpy, {"sm_80", 80}), ".target sm_80");
}

TEST(Ptx, FusesProductsAndSums) { EXPECT_PRED2(contains, toPtx(axpy), "fma.rn.f32"); }

TEST(Ptx, OptimisesTheModule) {
  // A loop that only the middle end can see through.
  std::string ptx = toPtx(R"(
define ptx_kernel void @k(ptr addrspace(1) %y) {
entry:
  br label %loop
loop:
  %i = phi i32 [ 0, %entry ], [ %n, %loop ]
  %s = phi i32 [ 0, %entry ], [ %t, %loop ]
  %t = add i32 %s, %i
  %n = add i32 %i, 1
  %c = icmp ult i32 %n, 100
  br i1 %c, label %loop, label %exit
exit:
  store i32 %t, ptr addrspace(1) %y
  ret void
})");
  EXPECT_PRED2(contains, ptx, "4950");
}

TEST(Ptx, RejectsUnknownChips) {
  GirihStatus status = ptxFailure(axpy, {"sm_7x", 80});
  EXPECT_EQ(status.code, GIRIH_INVALID);
  EXPECT_PRED2(contains, status.message, "but got 'sm_7x'");
}

TEST(Ptx, RejectsUnknownPtxVersions) {
  GirihStatus status = ptxFailure(axpy, {"sm_90a", 12});
  EXPECT_EQ(status.code, GIRIH_INVALID);
  EXPECT_PRED2(contains, status.message, "but got 12");
}

/// Translates MLIR text and compiles it.
static GirihStatus compileMlir(llvm::StringRef text, std::string &ptx) {
  mlir::DialectRegistry registry;
  registry.insert<mlir::LLVM::LLVMDialect, mlir::NVVM::NVVMDialect, mlir::arith::ArithDialect>();
  registerPtxTranslations(registry);
  mlir::MLIRContext context(registry, mlir::MLIRContext::Threading::DISABLED);
  auto module = mlir::parseSourceString<mlir::ModuleOp>(text, &context);
  EXPECT_TRUE(module);
  llvm::LLVMContext llvmContext;
  auto translated = translateToLLVM(*module, llvmContext);
  if (!translated)
    return takeStatus(translated.takeError());
  llvm::SmallVector<char, 0> bytes;
  GirihStatus status = takeStatus(emitPtx(**translated, PtxTarget(), bytes));
  ptx.assign(bytes.begin(), bytes.end());
  return status;
}

TEST(Ptx, TranslatesNvvm) {
  std::string ptx;
  GirihStatus status = compileMlir(R"(
llvm.func @k(%out: !llvm.ptr<1>) attributes {nvvm.kernel, nvvm.reqntid = array<i32: 384>} {
  %tid = nvvm.read.ptx.sreg.tid.x : i32
  nvvm.barrier
  llvm.store %tid, %out : i32, !llvm.ptr<1>
  llvm.return
})",
                                   ptx);
  EXPECT_EQ(status.code, GIRIH_OK) << status.message;
  EXPECT_PRED2(contains, ptx, ".reqntid 384");
  EXPECT_PRED2(contains, ptx, "%tid.x");
}

TEST(Ptx, SaysWhatDoesNotTranslate) {
  std::string ptx;
  GirihStatus status = compileMlir(R"(
llvm.func @k(%a: i32) -> i32 {
  %b = arith.addi %a, %a : i32
  llvm.return %b : i32
})",
                                   ptx);
  EXPECT_EQ(status.code, GIRIH_INTERNAL);
  EXPECT_PRED2(contains, status.message, "translation to LLVM IR failed");
  EXPECT_PRED2(contains, status.message, "arith.addi");
}
