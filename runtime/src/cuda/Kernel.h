//===- Kernel.h - A kernel loaded on a device -------------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The descriptor outlives its owner here: kernels keep copies of its names.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_RUNTIME_CUDA_KERNEL_H
#define GIRIH_RUNTIME_CUDA_KERNEL_H

#include "Device.h"

#include <string>

struct GirihCudaKernel {
  GirihCudaDevice *device;
  /// `base.name`, `base.map` and the names of functions may only be compared with null:
  /// they are the caller's.
  GirihCudaKernelDesc desc;
  std::string name;
  girih::cuda::Module module = nullptr;
  girih::cuda::Function function = nullptr;
  girih::cuda::Function merge = nullptr; ///< null without a merge function
  girih::cuda::Function copy = nullptr;  ///< null without a copy function
};

namespace girih::cuda {

/// Threads of a block of the merge kernel: a warp for each row.
constexpr int32_t kMergeThreads = 128;
/// Rows of a q-tile that such a block merges.
constexpr int32_t kMergeRows = kMergeThreads / 32;

/// Threads of a block of the copy kernel.
constexpr unsigned kCopyThreads = 128;

/// Whether a descriptor is one of a CUDA kernel that can run somewhere.
int checkCudaKernel(const GirihCudaKernelDesc *desc, GirihStatus *status);

} // namespace girih::cuda

#endif // GIRIH_RUNTIME_CUDA_KERNEL_H
