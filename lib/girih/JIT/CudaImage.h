//===- CudaImage.h - What of a kernel a GPU loads ---------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_JIT_CUDAIMAGE_H
#define GIRIH_JIT_CUDAIMAGE_H

#include "girih/JIT/Session.h"

namespace girih {

/// The chip of kernels that are made for a device. GIRIH_UNSUPPORTED for a device that has
/// no path.
llvm::Expected<std::string> chipOf(const GirihCudaDevice *device);

/// Whether the device runs machine code for `chip`: that of its own generation.
bool runsCubin(const GirihCudaDevice *device, llvm::StringRef chip);

/// `code`, which was compiled from `pattern` and `options`, or the same with PTX where the
/// device does not run its machine code: what comes from the disk cache has that only.
llvm::Expected<std::shared_ptr<const CudaCode>> withImageFor(const GirihCudaDevice *device,
                                                             std::shared_ptr<const CudaCode> code,
                                                             const Pattern &pattern,
                                                             const CompileOptions &options);

/// Loads machine code or, where the device does not run it or there is none, PTX, which the
/// driver compiles. The kernel is owned by the caller (girihCudaUnload).
llvm::Expected<GirihCudaKernel *> loadImage(GirihCudaDevice *device, const CudaCode &code,
                                            llvm::StringRef chip);

} // namespace girih

#endif // GIRIH_JIT_CUDAIMAGE_H
