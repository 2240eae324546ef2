//===- Opt.cpp - Fuzzes IR, as text or bytecode, through every pipeline ---===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What girih-opt reads: a module parses and verifies or is refused, and each
// pipeline either leaves verified IR or says why it failed. MLIR's own reader of
// bytecode ends the program on sizes that no memory holds (report_fatal_error);
// such inputs are given up, so that the rest of the run is about this project.
//
//===----------------------------------------------------------------------===//

#include "Fuzz.h"

#include "girih/Pipelines/Pipelines.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/DialectRegistry.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Transforms/Passes.h"

#include "llvm/Support/ErrorHandling.h"

#include <csetjmp>
#include <memory>
#include <vector>

using namespace girih;
using namespace girih::fuzz;

namespace {

/// A context and every pipeline. Types and attributes are never freed, so it is
/// replaced now and then.
class Driver {
public:
  Driver() : context(mlir::MLIRContext::Threading::DISABLED) {
    mlir::DialectRegistry registry;
    registerDialects(registry);
    context.appendDialectRegistry(registry);
    context.loadAllAvailableDialects();
    context.getDiagEngine().registerHandler([&](mlir::Diagnostic &) { hasMessage = true; });
    using Stage = void (*)(mlir::OpPassManager &, const PipelineOptions &);
    auto add = [&](bool tensorCores, std::initializer_list<Stage> stages) {
      PipelineOptions options;
      options.tensorCores = tensorCores;
      mlir::PassManager &pm =
          *pipelines.emplace_back(std::make_unique<mlir::PassManager>(&context));
      for (Stage stage : stages)
        stage(pm, options);
    };
    add(false, {[](mlir::OpPassManager &pm, const PipelineOptions &) {
          pm.addPass(mlir::createCanonicalizerPass());
          pm.addPass(mlir::createCSEPass());
        }});
    add(false, {buildBlocksPipeline, buildTilePipeline, buildCpuPipeline, buildLLVMPipeline});
    add(true, {buildBlocksPipeline, buildTilePipeline, buildWsPipeline, buildHopperPipeline});
    add(true, {buildBlocksPipeline, buildTilePipeline, buildAmperePipeline});
  }

  void run(llvm::StringRef text) {
    hasMessage = false;
    mlir::OwningOpRef<mlir::ModuleOp> module =
        mlir::parseSourceString<mlir::ModuleOp>(text, &context);
    if (!module)
      return;
    for (const auto &pipeline : pipelines) {
      mlir::OwningOpRef<mlir::ModuleOp> copy = module->clone();
      hasMessage = false;
      if (mlir::failed(pipeline->run(*copy)) && !hasMessage)
        broken("a pass failed without saying why");
    }
  }

private:
  mlir::MLIRContext context;
  std::vector<std::unique_ptr<mlir::PassManager>> pipelines;
  bool hasMessage = false;
};

} // namespace

static jmp_buf afterInput;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static std::unique_ptr<Driver> driver;
  static int uses = 0;
  if (uses++ == 0)
    llvm::install_fatal_error_handler(
        [](void *, const char *, bool) { std::longjmp(afterInput, 1); });
  if (!driver || uses % 500 == 0)
    driver = std::make_unique<Driver>();
  static std::string text;
  text.assign(reinterpret_cast<const char *>(data), size); // MLIR's lexer wants the zero behind it
  if (setjmp(afterInput) == 0)
    driver->run(text);
  else
    (void)driver.release(); // in no state to be used or freed
  return 0;
}
