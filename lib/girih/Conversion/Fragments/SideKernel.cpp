//===- SideKernel.cpp - Small kernels beside the one of attention ---------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Conversion/Fragments/SideKernel.h"

using namespace mlir;
using namespace girih::gpu;

SideKernel::SideKernel(ScalarBuilder &a, LLVM::LLVMFuncOp kernel, StringRef suffix, int32_t threads,
                       size_t argumentBytes)
    : a(a), b(a.b), loc(a.loc), i32(b.getI32Type()), i64(b.getI64Type()), f32(b.getF32Type()),
      pointer(LLVM::LLVMPointerType::get(b.getContext())) {
  b.setInsertionPointAfter(kernel);
  auto type = LLVM::LLVMFunctionType::get(LLVM::LLVMVoidType::get(b.getContext()), pointer);
  function = LLVM::LLVMFuncOp::create(b, loc, (kernel.getName() + "_" + suffix).str(), type);
  function->setAttr("nvvm.kernel", b.getUnitAttr());
  function->setAttr("nvvm.reqntid", b.getDenseI32ArrayAttr({threads}));
  function.setArgAttr(0, LLVM::LLVMDialect::getByValAttrName(),
                      TypeAttr::get(LLVM::LLVMArrayType::get(b.getI8Type(), argumentBytes)));
  function.setArgAttr(0, LLVM::LLVMDialect::getAlignAttrName(), b.getI64IntegerAttr(8));
  function.setArgAttr(0, "nvvm.grid_constant", b.getUnitAttr());
  Block *entry = function.addEntryBlock(b);
  b.setInsertionPointToEnd(entry);
  arguments = entry->getArgument(0);
}

Block *SideKernel::addBlock(ArrayRef<Type> types) {
  Block *block = new Block();
  function.getBody().push_back(block);
  for (Type type : types)
    block->addArgument(type, loc);
  return block;
}

void SideKernel::guarded(Value condition, llvm::function_ref<void()> body) {
  Block *yes = addBlock(), *after = addBlock();
  LLVM::CondBrOp::create(b, loc, condition, yes, after);
  b.setInsertionPointToEnd(yes);
  body();
  LLVM::BrOp::create(b, loc, ValueRange(), after);
  b.setInsertionPointToEnd(after);
}

void SideKernel::returnUnless(Value condition) {
  Block *work = addBlock(), *exit = addBlock();
  LLVM::CondBrOp::create(b, loc, condition, work, exit);
  b.setInsertionPointToEnd(exit);
  LLVM::ReturnOp::create(b, loc, ValueRange());
  b.setInsertionPointToEnd(work);
}
