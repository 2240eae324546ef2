//===- Kernel.h - A compiled kernel and its block maps ----------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_JIT_KERNEL_H
#define GIRIH_JIT_KERNEL_H

#include "girih/Analysis/MapProgram.h"
#include "girih/JIT/Code.h"
#include "girih/JIT/Session.h"

#include <list>
#include <mutex>

namespace girih {

/// The one implementation of CompiledKernel.
class JitKernel : public CompiledKernel {
public:
  JitKernel(GirihKernelDesc descriptor, std::unique_ptr<MapProgram> program,
            std::shared_ptr<CodeLoader> code, double compileMs);

  const GirihKernelDesc &desc() const override { return descriptor; }
  double compileMs() const override { return milliseconds; }
  llvm::Error launch(const GirihView &q, const GirihView &k, const GirihView &v, const GirihView &o,
                     float *lse, float scale, llvm::ArrayRef<GirihOperand> operands, int threads,
                     LaunchReport *report) override;
  llvm::Expected<std::shared_ptr<const GirihBlockMap>> blockMap(const GirihMapParams &params,
                                                                double *mapMs) override;

private:
  /// A map, and the lengths and operand values that it was derived for.
  struct CachedMap {
    std::vector<int64_t> lengths;
    std::vector<std::vector<char>> operands; ///< their bytes
    std::shared_ptr<const GirihBlockMap> map;
    bool matches(const std::vector<int64_t> &others, const GirihMapParams &params) const;
  };
  static constexpr size_t maxCachedMaps = 8;

  GirihKernelDesc descriptor;
  std::unique_ptr<MapProgram> program;
  std::shared_ptr<CodeLoader> code;
  double milliseconds;
  std::mutex mutex;
  std::list<CachedMap> maps; ///< most recently used first
};

} // namespace girih

#endif // GIRIH_JIT_KERNEL_H
