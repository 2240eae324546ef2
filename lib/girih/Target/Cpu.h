//===- Cpu.h - LLVM modules to x86 code -------------------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_TARGET_CPU_H
#define GIRIH_TARGET_CPU_H

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <memory>
#include <string>

namespace llvm {
class Module;
class TargetMachine;
} // namespace llvm

namespace girih {

/// A CPU that kernels are compiled for. Code uses x86-64's baseline and `features`, all of
/// which are in CpuFeatures.h, so that the runtime can check them; `cpu` decides how long
/// instructions are thought to take.
struct CpuTarget {
  std::string cpu;          ///< LLVM's name of the processor
  std::string features;     ///< as LLVM takes them: "+avx,+avx2"
  uint64_t featureBits = 0; ///< the same as GirihKernelDesc::cpu_features has them
  int vectorWidth = 4;      ///< f32 lanes: 16 with AVX-512F and DQ, 8 with AVX, else 4
  bool bf16Dots = false;    ///< AVX512-BF16 with 16 lanes: products of pairs of bf16
  bool amx = false;         ///< with those, AMX-BF16: products of tiles of them

  /// The processor this runs on, with those of its features that are among the bits of
  /// `usable`.
  static llvm::Expected<CpuTarget> host(uint64_t usable);
  /// An LLVM name of an x86-64 processor or level, such as "x86-64-v3", and features of
  /// CpuFeatures.h that it has or lacks other than that: "sapphirerapids,-avx512fp16".
  static llvm::Expected<CpuTarget> named(llvm::StringRef cpu);

  /// The caller owns it. Not thread-safe.
  llvm::Expected<std::unique_ptr<llvm::TargetMachine>> createMachine() const;
};

/// Optimises `module` for the machine, in place.
void optimizeModule(llvm::Module &module, const CpuTarget &target, llvm::TargetMachine &machine);

/// Appends an object file, or assembly text, to `out`.
llvm::Error emitCode(llvm::Module &module, llvm::TargetMachine &machine, bool assembly,
                     llvm::SmallVectorImpl<char> &out);

} // namespace girih

#endif // GIRIH_TARGET_CPU_H
