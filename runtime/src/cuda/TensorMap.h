//===- TensorMap.h - Views as TMA tensor maps -------------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// q, k and v reach a kernel as tensor maps. The copy engine knows the lengths,
// so tiles that hang over an end, and columns beyond the head dim, arrive as
// zeros.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_RUNTIME_CUDA_TENSORMAP_H
#define GIRIH_RUNTIME_CUDA_TENSORMAP_H

#include "girih-c/Runtime.h"

#include "Driver.h"

namespace girih::cuda {

/// A view in the terms of the encoder, innermost first: dim, tokens, heads,
/// batch.
struct TensorMapShape {
  uint64_t dims[4];
  uint64_t strides[3]; ///< bytes, of tokens, heads and batch
  uint32_t box[4];     ///< elements that one copy moves
};

/// Describes a 16-bit view in boxes of `boxRows` tokens x `boxCols` elements.
/// GIRIH_UNSUPPORTED, naming `name` and the value, for what the copy engine
/// cannot read.
int describeTensorMap(const char *name, const GirihView &view, int32_t boxRows, int32_t boxCols,
                      TensorMapShape &shape, GirihStatus *status);

/// Describes and encodes.
int encodeTensorMap(const Driver &driver, const char *name, const GirihView &view, int32_t boxRows,
                    int32_t boxCols, TensorMap &map, GirihStatus *status);

} // namespace girih::cuda

#endif // GIRIH_RUNTIME_CUDA_TENSORMAP_H
