//===- Code.h - From a tile kernel to callable code -------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_JIT_CODE_H
#define GIRIH_JIT_CODE_H

#include "girih-c/Runtime.h"
#include "girih/Target/Cpu.h"

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/Support/Error.h"

#include <memory>

namespace llvm::orc {
class LLJIT;
} // namespace llvm::orc

namespace girih {

/// Lowers a module of tile kernels (L2) in place to the LLVM dialect. Returns
/// the bytes of scratch that the kernel `name` needs.
llvm::Expected<int64_t> lowerToLLVMDialect(mlir::ModuleOp module, llvm::StringRef name,
                                           const CpuTarget &target);

/// May change an optimised module before it becomes code.
using ModuleFinisher = llvm::function_ref<llvm::Error(llvm::Module &)>;

/// Translates a module of the LLVM dialect and writes an object file or assembly.
llvm::Error compileModule(mlir::ModuleOp module, const CpuTarget &target, bool assembly,
                          llvm::SmallVectorImpl<char> &out, ModuleFinisher finish = {});

/// Loads object files into this process. Thread-safe.
class CodeLoader {
public:
  static llvm::Expected<std::shared_ptr<CodeLoader>> create(const CpuTarget &target);
  ~CodeLoader();

  /// Links `object` and returns its function `name`. Code stays loaded as long
  /// as the loader lives.
  llvm::Expected<GirihCpuEntry> load(llvm::ArrayRef<char> object, llvm::StringRef name);

private:
  CodeLoader();
  std::unique_ptr<llvm::orc::LLJIT> jit;
};

} // namespace girih

#endif // GIRIH_JIT_CODE_H
