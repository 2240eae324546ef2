//===- TargetTesting.cpp - What tests of the targets share ----------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TargetTesting.h"

#include "llvm/AsmParser/Parser.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/SourceMgr.h"

using namespace girih;

static GirihStatus compile(llvm::StringRef text, const PtxTarget &target, std::string &ptx) {
  llvm::LLVMContext context;
  llvm::SMDiagnostic diagnostic;
  auto module = llvm::parseAssemblyString(text, diagnostic, context);
  if (!module) {
    ADD_FAILURE() << "line " << diagnostic.getLineNo() << ": " << diagnostic.getMessage().str();
    return GirihStatus{};
  }
  llvm::SmallVector<char, 0> bytes;
  GirihStatus status = takeStatus(emitPtx(*module, target, bytes));
  ptx.assign(bytes.begin(), bytes.end());
  return status;
}

std::string girih::testing::toPtx(llvm::StringRef text, const PtxTarget &target) {
  std::string ptx;
  GirihStatus status = compile(text, target, ptx);
  EXPECT_EQ(status.code, GIRIH_OK) << status.message;
  return ptx;
}

GirihStatus girih::testing::ptxFailure(llvm::StringRef text, const PtxTarget &target) {
  std::string ptx;
  GirihStatus status = compile(text, target, ptx);
  EXPECT_NE(status.code, GIRIH_OK);
  return status;
}
