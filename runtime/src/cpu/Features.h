//===- Features.h - Whether this processor runs a kernel --------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_RUNTIME_CPU_FEATURES_H
#define GIRIH_RUNTIME_CPU_FEATURES_H

#include "girih-c/Runtime.h"

namespace girih {

/// GIRIH_UNSUPPORTED, with the names of what is missing, when the kernel needs an
/// instruction set that `available` (see girihCpuFeatures) lacks.
int checkCpuFeatures(const GirihKernelDesc &kernel, uint64_t available, GirihStatus *status);

} // namespace girih

#endif // GIRIH_RUNTIME_CPU_FEATURES_H
