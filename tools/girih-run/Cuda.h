//===- Cuda.h - Run a request on an NVIDIA GPU ------------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_TOOLS_GIRIH_RUN_CUDA_H
#define GIRIH_TOOLS_GIRIH_RUN_CUDA_H

#include "Report.h"

namespace girih {

/// Compiles for the GPU, copies inputs there, launches (with `bench`, repeatedly,
/// timed by events) and copies outputs back; fills `report`. Fails with
/// GIRIH_NO_DEVICE where there is no GPU, after compiling.
llvm::Error runCuda(Session &session, const Request &request, Tensors &tensors, float scale,
                    bool bench, RunReport &report);

} // namespace girih

#endif // GIRIH_TOOLS_GIRIH_RUN_CUDA_H
