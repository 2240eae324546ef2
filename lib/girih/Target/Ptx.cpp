//===- Ptx.cpp - LLVM modules to PTX --------------------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Target/Ptx.h"

#include "girih/Support/Error.h"
#include "girih/Target/Optimize.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/Diagnostics.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/NVVM/NVVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "llvm/IR/DiagnosticHandler.h"
#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/DiagnosticPrinter.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"

#include <mutex>

using namespace girih;

void girih::registerPtxTranslations(mlir::DialectRegistry &registry) {
  mlir::registerBuiltinDialectTranslation(registry);
  mlir::registerLLVMDialectTranslation(registry);
  mlir::registerNVVMDialectTranslation(registry);
}

llvm::Expected<std::unique_ptr<llvm::Module>> girih::translateToLLVM(mlir::ModuleOp module,
                                                                     llvm::LLVMContext &context) {
  std::string messages;
  mlir::ScopedDiagnosticHandler handler(module.getContext(), [&](mlir::Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == mlir::DiagnosticSeverity::Error)
      messages += (messages.empty() ? "" : "; ") + diagnostic.str();
  });
  if (auto result = mlir::translateModuleToLLVMIR(module, context))
    return result;
  return internalError("translation to LLVM IR failed: " + messages);
}

static const llvm::Triple &ptxTriple() {
  static const llvm::Triple triple("nvptx64-nvidia-cuda");
  return triple;
}

static llvm::Expected<const llvm::Target *> lookupTarget() {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeNVPTXTargetInfo();
    LLVMInitializeNVPTXTarget();
    LLVMInitializeNVPTXTargetMC();
    LLVMInitializeNVPTXAsmPrinter();
  });
  std::string error;
  if (const llvm::Target *target = llvm::TargetRegistry::lookupTarget(ptxTriple(), error))
    return target;
  return unsupportedError("expected an LLVM with the NVPTX backend, but got none: " + error);
}

static llvm::Expected<std::unique_ptr<llvm::TargetMachine>> createMachine(const PtxTarget &ptx) {
  auto target = lookupTarget();
  if (!target)
    return target.takeError();
  std::unique_ptr<llvm::MCSubtargetInfo> info(
      (*target)->createMCSubtargetInfo(ptxTriple(), "", ""));
  if (!info->isCPUStringValid(ptx.chip))
    return invalidError("expected chip to be an NVIDIA architecture that LLVM knows, such as "
                        "sm_90a, but got '" +
                        ptx.chip + "'");
  std::string feature = "ptx" + std::to_string(ptx.ptxVersion);
  auto isFeature = [&](const llvm::SubtargetFeatureKV &known) { return feature == known.Key; };
  if (llvm::none_of(info->getAllProcessorFeatures(), isFeature))
    return invalidError("expected ptxVersion to be a PTX version that LLVM knows, such as 80, "
                        "but got " +
                        std::to_string(ptx.ptxVersion));
  llvm::TargetOptions options;
  // Products and sums may fuse: the tolerance table is for that.
  options.AllowFPOpFusion = llvm::FPOpFusion::Fast;
  return std::unique_ptr<llvm::TargetMachine>((*target)->createTargetMachine(
      ptxTriple(), ptx.chip, "+" + feature, options, /*RM=*/std::nullopt, /*CM=*/std::nullopt,
      llvm::CodeGenOptLevel::Aggressive));
}

namespace {

/// Collects the backend's errors, which LLVM's own handler answers with exit(1).
struct CollectErrors : llvm::DiagnosticHandler {
  explicit CollectErrors(std::string &messages) : messages(messages) {}
  bool handleDiagnostics(const llvm::DiagnosticInfo &info) override {
    if (info.getSeverity() != llvm::DS_Error)
      return true;
    llvm::raw_string_ostream stream(messages);
    llvm::DiagnosticPrinterRawOStream printer(stream);
    if (!messages.empty())
      stream << "; ";
    info.print(printer);
    return true;
  }
  std::string &messages;
};

} // namespace

llvm::Error girih::emitPtx(llvm::Module &module, const PtxTarget &target,
                           llvm::SmallVectorImpl<char> &ptxText) {
  auto machine = createMachine(target);
  if (!machine)
    return machine.takeError();
  std::string messages;
  llvm::LLVMContext &context = module.getContext();
  std::unique_ptr<llvm::DiagnosticHandler> previous = context.getDiagnosticHandler();
  context.setDiagnosticHandler(std::make_unique<CollectErrors>(messages));
  runDefaultPipeline(module, **machine, llvm::PipelineTuningOptions(), llvm::OptimizationLevel::O3);
  llvm::raw_svector_ostream stream(ptxText);
  llvm::legacy::PassManager passes;
  bool failed =
      (*machine)->addPassesToEmitFile(passes, stream, nullptr, llvm::CodeGenFileType::AssemblyFile);
  if (!failed)
    passes.run(module);
  context.setDiagnosticHandler(std::move(previous));
  if (failed)
    return internalError("the NVPTX backend cannot write text");
  if (!messages.empty())
    return internalError("the NVPTX backend failed: " + messages);
  return llvm::Error::success();
}
