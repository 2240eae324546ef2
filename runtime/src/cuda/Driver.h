//===- Driver.h - The CUDA driver, loaded when it is first needed -*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Nothing links libcuda: programs that carry the runtime start without it, and
// learn only when they ask for a device that there is none.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_RUNTIME_CUDA_DRIVER_H
#define GIRIH_RUNTIME_CUDA_DRIVER_H

#include "girih-c/Status.h"

#include "DriverTypes.h"

namespace girih::cuda {

/// The functions of DriverSymbols.def, by name.
struct Driver {
  // `parameters` has parentheses of its own.
  // NOLINTNEXTLINE(bugprone-macro-parentheses)
#define GIRIH_CUDA_REQUIRED(name, exported, parameters) Result(*name) parameters = nullptr;
#include "DriverSymbols.def"
  int version = 0; ///< 1000 * major + 10 * minor, of CUDA
};

/// Loads and initialises the driver in `library`. GIRIH_NO_DEVICE when there is
/// none, it is too old or it finds no device.
int loadDriver(const char *library, Driver &driver, GirihStatus *status);

/// The driver of this process, loaded by the first call; null, and what
/// loadDriver said in `status`, when there is none.
const Driver *sharedDriver(GirihStatus *status);

/// Writes "<printf-style message>: <the driver's text> (<its name>)" and returns
/// the GirihCode for `result`.
__attribute__((format(printf, 4, 5))) int failCall(const Driver &driver, Result result,
                                                   GirihStatus *status, const char *format, ...);

} // namespace girih::cuda

#endif // GIRIH_RUNTIME_CUDA_DRIVER_H
