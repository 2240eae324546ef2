//===- Kernel.h - Kernels as handles ----------------------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A kernel is code for one kind of device and the tables that it reads. Its subclasses
// launch it: KernelCpu.cpp, KernelCuda.cpp.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_CAPI_KERNEL_H
#define GIRIH_CAPI_KERNEL_H

#include "girih/CAPI/Objects.h"
#include "girih/CAPI/Tensors.h"

#include <limits>

namespace girih::capi {

/// What a launch reads besides tensors: the pattern and the score, whose trees its operands
/// point into.
struct Tables {
  Tables(Pattern pattern, Score score);

  Pattern pattern;
  Score score; ///< may be none
  std::vector<GirihOperand> operands;
};

/// What a launch is told besides its tensors.
struct LaunchArguments {
  float scale;
  int32_t threads; ///< CPU; 0: every core
  void *stream;    ///< CUDA
};

/// `scale`, or 1 / sqrt(dim) where it is NaN.
float scaleOr(float scale, int64_t dim);

/// Lengths and operands of a launch, prepared and checked by the runtime.
struct Prepared {
  GirihLaunch launch{};
  GirihMapParams params{};
};
llvm::Error prepare(const GirihKernelDesc &desc, const Tensors &tensors, float scale,
                    const std::vector<GirihOperand> &operands, Prepared &prepared);

/// What a pattern asks of lengths and the runtime cannot know: a grid that they match,
/// every head covered. For new lengths only, as it walks the pattern.
llvm::Error checkLengths(const Pattern &pattern, const GirihMapParams &params);

/// What compile options say, as the session takes them.
struct CompileRequest {
  DLDeviceType device = kDLCPU;
  CompileOptions options;
};
/// Reads the options of a C caller. `chip` null for CUDA: that of the device, or sm_90a.
llvm::Expected<CompileRequest> readCompileOptions(const SessionRef &session,
                                                  const GirihCompileOptions *given);

} // namespace girih::capi

struct GirihKernel : girih::capi::Object {
  GirihKernel(girih::capi::SessionRef session, girih::capi::Tables tables)
      : session(std::move(session)), tables(std::move(tables)) {}
  GirihKernel(const GirihKernel &) = delete;
  virtual ~GirihKernel() = default;

  virtual double compileMs() const = 0;
  virtual DLDeviceType deviceType() const = 0;
  virtual const GirihKernelDesc &desc() const = 0;
  /// Computes attention; fills `report` but for its size.
  virtual llvm::Error launch(const girih::capi::Tensors &tensors,
                             const girih::capi::LaunchArguments &arguments,
                             GirihAttentionReport *report) = 0;
  /// Whether a CUDA graph has a launch of it.
  virtual bool isCaptured() const { return false; }
  /// The same code with other tables.
  virtual std::unique_ptr<GirihKernel> rebound(girih::capi::Tables tables) const = 0;

  girih::capi::SessionRef session;
  girih::capi::Tables tables;
};

namespace girih::capi {

llvm::Expected<std::unique_ptr<GirihKernel>> compileForCpu(const SessionRef &session,
                                                           const Pattern &pattern,
                                                           const CompileOptions &options,
                                                           bool &cacheHit);
llvm::Expected<std::unique_ptr<GirihKernel>> compileForCuda(const SessionRef &session,
                                                            const Pattern &pattern,
                                                            const CompileOptions &options,
                                                            bool &cacheHit);

} // namespace girih::capi

#endif // GIRIH_CAPI_KERNEL_H
