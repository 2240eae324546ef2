//===- Tensors.h - DLPack tensors as the runtime's views --------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_CAPI_TENSORS_H
#define GIRIH_CAPI_TENSORS_H

#include "girih-c/Compiler.h"

#include "llvm/Support/Error.h"

#include <array>

namespace girih::capi {

/// The tensors of one launch, all on one device.
struct Tensors {
  GirihView q, k, v, o;
  float *lse;     ///< null: not wanted
  int32_t device; ///< number of the CUDA device; 0 on the CPU
};

/// Reads the tensors of `args` for a kernel on `deviceType`: rank, dtype, device,
/// alignment, and what the runtime does not check of them. Messages name the argument.
llvm::Error readTensors(const GirihAttentionArgs &args, DLDeviceType deviceType, int32_t dtype,
                        int32_t oDtype, Tensors &tensors);

/// Whether o and lse lie apart from what the launch reads, and from each other: their elements,
/// not the addresses from first to last, so that views of one buffer may interleave. Sizes
/// were checked by girihPrepareLaunch.
llvm::Error checkOverlap(const Tensors &tensors);

/// Memory of a mask, after checking that it is contiguous bool or uint8 of that shape on
/// the CPU.
llvm::Expected<uint8_t *> maskMemory(const DLTensor *mask, std::array<int64_t, 4> shape);

} // namespace girih::capi

#endif // GIRIH_CAPI_TENSORS_H
