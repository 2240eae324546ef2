//===- Cuda.h - Run a request on an NVIDIA GPU ------------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_TOOLS_COMMON_CUDA_H
#define GIRIH_TOOLS_COMMON_CUDA_H

#include "common/Measurement.h"
#include "common/Tensors.h"

namespace girih {

/// The chip that kernels are to be for: the request's, else the first device's,
/// else, without a device, sm_90a. GIRIH_UNSUPPORTED for a device that has no path.
llvm::Expected<std::string> chipFor(const Request &request);

/// Compiles for the GPU, copies inputs there, launches (with `bench`, repeatedly,
/// timed by events) and copies outputs back; fills `result`. `layout` is that of
/// tensors on the GPU (Layout.h). A kernel for a chip that the device is not is loaded
/// as PTX, which the driver compiles. Fails with GIRIH_NO_DEVICE where there is no GPU,
/// after compiling.
llvm::Error runCuda(Session &session, const Request &request, Tensors &tensors, float scale,
                    bool bench, llvm::StringRef layout, Measurement &result);

/// Opens the first device and closes it again; fails with GIRIH_NO_DEVICE where there
/// is none.
llvm::Error probeCuda();

} // namespace girih

#endif // GIRIH_TOOLS_COMMON_CUDA_H
