//===- Cpu.cpp - LLVM modules to x86 code ---------------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Target/Cpu.h"

#include "girih-c/CpuFeatures.h"
#include "girih/Support/Error.h"
#include "girih/Target/Optimize.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/MCSubtargetInfo.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/TargetParser/Host.h"
#include "llvm/TargetParser/SubtargetFeature.h"

#include <mutex>

using namespace girih;

/// What code may use without asking.
static constexpr llvm::StringLiteral baseline = "x86-64";

static const llvm::Triple &hostTriple() {
  static const llvm::Triple triple(llvm::sys::getProcessTriple());
  return triple;
}

static llvm::Expected<const llvm::Target *> lookupTarget() {
  static std::once_flag once;
  std::call_once(once, [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    LLVMInitializeX86AsmParser();
  });
  std::string error;
  if (const llvm::Target *target = llvm::TargetRegistry::lookupTarget(hostTriple(), error))
    return target;
  return unsupportedError("expected an x86-64 host, but got " + hostTriple().str());
}

llvm::Expected<std::unique_ptr<llvm::TargetMachine>> CpuTarget::createMachine() const {
  auto target = lookupTarget();
  if (!target)
    return target.takeError();
  llvm::TargetOptions options;
  // Products and sums may fuse: the tolerance table is for that.
  options.AllowFPOpFusion = llvm::FPOpFusion::Fast;
  return std::unique_ptr<llvm::TargetMachine>((*target)->createTargetMachine(
      hostTriple(), baseline, features, options, llvm::Reloc::PIC_, std::nullopt,
      llvm::CodeGenOptLevel::Aggressive, /*JIT=*/true));
}

static constexpr llvm::StringLiteral neededForBf16[] = {"avx512f", "avx512bw", "avx512dq",
                                                        "avx512vl"};

/// Keeps what CpuFeatures.h lists, and `usable` has, of the features that `cpu` and
/// `features` stand for. avx512bf16 goes unless there is all that server processors have
/// with it: LLVM 22 cannot select loads of bf16 for the rest, and dies.
static CpuTarget targetOf(llvm::StringRef cpu, const llvm::MCSubtargetInfo &info,
                          uint64_t usable = ~uint64_t{0}) {
  CpuTarget target;
  target.cpu = cpu.str();
  llvm::SubtargetFeatures kept;
  uint64_t present = 0, wanted = 0; // by bit
#define GIRIH_COLLECT(bit, name)                                                                   \
  if (info.checkFeatures("+" name))                                                                \
    present |= (usable & uint64_t{1} << bit);                                                      \
  if (llvm::is_contained(neededForBf16, name))                                                     \
    wanted |= uint64_t{1} << bit;
  GIRIH_CPU_FEATURES(GIRIH_COLLECT)
#undef GIRIH_COLLECT
  const bool dropsBf16 = (present & wanted) != wanted;
  auto keep = [&](int bit, llvm::StringRef name) {
    if (!(present >> bit & 1) || (dropsBf16 && name == "avx512bf16"))
      return;
    kept.AddFeature(name);
    target.featureBits |= uint64_t{1} << bit;
  };
#define GIRIH_KEEP(bit, name) keep(bit, name);
  GIRIH_CPU_FEATURES(GIRIH_KEEP)
#undef GIRIH_KEEP
  target.features = kept.getString();
  auto has = [&](llvm::StringRef name) {
    return llvm::is_contained(kept.getFeatures(), ("+" + name).str());
  };
  bool isWide = has("avx512f") && has("avx512dq");
  target.vectorWidth = isWide ? 16 : has("avx") ? 8 : 4;
  target.bf16Dots = isWide && has("avx512bf16");
  target.amx = target.bf16Dots && has("amx-tile") && has("amx-bf16");
  return target;
}

llvm::Expected<CpuTarget> CpuTarget::host(uint64_t usable) {
  auto target = lookupTarget();
  if (!target)
    return target.takeError();
  llvm::StringRef cpu = llvm::sys::getHostCPUName();
  llvm::SubtargetFeatures features;
  for (const auto &feature : llvm::sys::getHostCPUFeatures())
    features.AddFeature(feature.first(), feature.second);
  std::unique_ptr<llvm::MCSubtargetInfo> info(
      (*target)->createMCSubtargetInfo(hostTriple(), cpu, features.getString()));
  return targetOf(cpu, *info, usable);
}

/// Whether CpuFeatures.h has a feature of that name.
static bool isListed(llvm::StringRef feature) {
#define GIRIH_IS(bit, name)                                                                        \
  if (feature == name)                                                                             \
    return true;
  GIRIH_CPU_FEATURES(GIRIH_IS)
#undef GIRIH_IS
  return false;
}

llvm::Expected<CpuTarget> CpuTarget::named(llvm::StringRef text) {
  auto target = lookupTarget();
  if (!target)
    return target.takeError();
  auto [cpu, features] = text.split(',');
  std::unique_ptr<llvm::MCSubtargetInfo> info(
      (*target)->createMCSubtargetInfo(hostTriple(), baseline, ""));
  if (!info->isCPUStringValid(cpu))
    return invalidError("expected cpu to be an x86-64 processor that LLVM knows, but got '" +
                        cpu.str() + "'");
  for (llvm::StringRef feature : llvm::split(features, ','))
    if (bool isSigned = feature.starts_with("+") || feature.starts_with("-");
        !features.empty() && !(isSigned && isListed(feature.drop_front())))
      return invalidError("expected features of cpu '" + cpu.str() +
                          "' to be names of girih-c/CpuFeatures.h behind + or -, but got '" +
                          feature.str() + "'");
  info.reset((*target)->createMCSubtargetInfo(hostTriple(), cpu, features));
  return targetOf(cpu, *info);
}

/// Fused multiply-adds become products and sums where the processor has none: they
/// would be calls of the math library, lane by lane.
static void unfuse(llvm::Module &module) {
  for (llvm::Function &function : module)
    for (llvm::Instruction &instruction : llvm::instructions(function))
      if (auto *call = llvm::dyn_cast<llvm::IntrinsicInst>(&instruction);
          call && call->getIntrinsicID() == llvm::Intrinsic::fma)
        call->setCalledFunction(llvm::Intrinsic::getOrInsertDeclaration(
            &module, llvm::Intrinsic::fmuladd, call->getType()));
}

void girih::optimizeModule(llvm::Module &module, const CpuTarget &target,
                           llvm::TargetMachine &machine) {
  for (llvm::Function &function : module) {
    if (function.isDeclaration())
      continue;
    function.addFnAttr("target-cpu", baseline);
    function.addFnAttr("tune-cpu", target.cpu);
    if (!target.features.empty())
      function.addFnAttr("target-features", target.features);
    if (target.vectorWidth == 16)
      function.addFnAttr("prefer-vector-width", "512");
    function.addFnAttr(llvm::Attribute::NoUnwind);
  }
  if (!machine.getMCSubtargetInfo()->checkFeatures("+fma"))
    unfuse(module);
  // The lowering has vectorised and unrolled already. O2 takes a quarter longer, and
  // what it finds is within 1 % of the time of a kernel.
  llvm::PipelineTuningOptions tuning;
  tuning.LoopVectorization = false;
  tuning.SLPVectorization = false;
  tuning.LoopUnrolling = false;
  runDefaultPipeline(module, machine, tuning, llvm::OptimizationLevel::O1);
}

llvm::Error girih::emitCode(llvm::Module &module, llvm::TargetMachine &machine, bool assembly,
                            llvm::SmallVectorImpl<char> &out) {
  llvm::raw_svector_ostream stream(out);
  llvm::legacy::PassManager passes;
  auto type = assembly ? llvm::CodeGenFileType::AssemblyFile : llvm::CodeGenFileType::ObjectFile;
  if (machine.addPassesToEmitFile(passes, stream, nullptr, type))
    return internalError("the x86 backend cannot write this kind of file");
  passes.run(module);
  return llvm::Error::success();
}
