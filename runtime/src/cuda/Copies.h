//===- Copies.h - Copies of tensors that kernels cannot address -*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The copy engine and vector stores want multiples of 16 bytes. Head dims and strides
// that are none are copied to memory of the plan, rows a multiple of 16 bytes apart,
// before the kernel runs; an output is copied back after it.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_RUNTIME_CUDA_COPIES_H
#define GIRIH_RUNTIME_CUDA_COPIES_H

#include "girih-c/Cuda.h"

#include <array>

namespace girih::cuda {

/// An operand of a launch.
struct Operand {
  const char *name;
  GirihView GirihLaunch::*view;
  bool isOutput;
};
constexpr int kNumOperands = 4;
constexpr std::array<Operand, kNumOperands> kOperands = {{{"q", &GirihLaunch::q, false},
                                                          {"k", &GirihLaunch::k, false},
                                                          {"v", &GirihLaunch::v, false},
                                                          {"o", &GirihLaunch::o, true}}};

/// Memory of a plan for the copies of each operand.
struct CopyRoom {
  std::array<char *, kNumOperands> memory{};
  std::array<int64_t, kNumOperands> bytes{}; ///< 0: none
};

/// What one launch of the copy kernel does; nothing when `count` is 0.
struct CopyList {
  GirihCudaCopies copies{};
  unsigned count = 0;
  unsigned blocks = 0; ///< of the largest copy
};

/// Whether kernels of `desc` take the operand as it is; else says why they do not.
/// Returns a GirihCode.
int checkDirect(const GirihCudaKernelDesc &desc, const Operand &operand, const GirihView &view,
                GirihStatus *status);

/// Where the rows of a copy lie, and how it is shared among blocks.
struct CopyShape {
  GirihView view; ///< the copy; `data` null
  int64_t lines, heads, rows;
  int64_t bytes; ///< memory of the copy
  int64_t moved; ///< bytes that are copied
  int64_t blocks, blocksPerLine;
};

/// Describes the copy of an operand. Dimensions of an input that a stride of 0 repeats
/// are copied once. GIRIH_UNSUPPORTED when it is too large for any device.
int describeCopy(const Operand &operand, const GirihView &view, CopyShape &shape,
                 GirihStatus *status);

/// Points the views of `launch` that kernels of `desc` do not take as they are to copies
/// in `room`, and lists what is to be copied before the kernel runs and after it.
/// GIRIH_INVALID when there is too little room.
int placeCopies(const GirihCudaKernelDesc &desc, const CopyRoom &room, GirihLaunch &launch,
                CopyList &before, CopyList &after, GirihStatus *status);

} // namespace girih::cuda

#endif // GIRIH_RUNTIME_CUDA_COPIES_H
