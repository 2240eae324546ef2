//===- girih-lsp-server.cpp - .mlir files in an editor --------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// MLIR's language server with the dialects that girih-opt reads: diagnostics as
// one types, hover, definitions, references, completion. It speaks LSP on stdin
// and stdout; README.md says how an editor starts it.
//
//===----------------------------------------------------------------------===//

#include "common/ToolMain.h"

#include "girih/Pipelines/Pipelines.h"

#include "mlir/IR/DialectRegistry.h"
#include "mlir/Support/LLVM.h"
#include "mlir/Tools/mlir-lsp-server/MlirLspServerMain.h"

int main(int argc, char **argv) {
  return girih::toolMain("girih-lsp-server", [&] {
    mlir::DialectRegistry registry;
    girih::registerDialects(registry);
    return mlir::failed(mlir::MlirLspServerMain(argc, argv, registry)) ? 1 : 0;
  });
}
