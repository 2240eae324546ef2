//===- girih-opt.cpp - Run passes over .mlir files ------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "common/ToolMain.h"

#include "girih/Pipelines/Pipelines.h"

#include "mlir/IR/DialectRegistry.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"

int main(int argc, char **argv) {
  return girih::toolMain("girih-opt", [&] {
    mlir::DialectRegistry registry;
    girih::registerDialects(registry);
    girih::registerPipelines();
    mlir::registerTransformsPasses();
    return mlir::asMainReturnCode(mlir::MlirOptMain(argc, argv, "Girih pass driver\n", registry));
  });
}
