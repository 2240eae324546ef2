//===- LaunchChecks.h - What must hold before a kernel runs -----*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Checks that CPU and GPU launches share.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_RUNTIME_LAUNCHCHECKS_H
#define GIRIH_RUNTIME_LAUNCHCHECKS_H

#include "girih-c/Runtime.h"

namespace girih {

/// "f32", "bf16" or "f16"; null for anything else.
const char *dtypeName(int32_t dtype);

/// Whether the descriptor is one of this ABI and makes sense by itself; it may
/// be null. Returns a GirihCode.
int checkKernel(const GirihKernelDesc *kernel, GirihStatus *status);

/// Whether a block map that was built for `built` is the one that `kernel`
/// needs for `launch`. Returns a GirihCode.
int checkMapLengths(const GirihKernelDesc &kernel, const GirihLaunch &launch,
                    const GirihMapParams &built, GirihStatus *status);

} // namespace girih

#endif // GIRIH_RUNTIME_LAUNCHCHECKS_H
