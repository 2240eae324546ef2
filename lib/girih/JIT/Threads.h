//===- Threads.h - How many threads launches take ---------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_JIT_THREADS_H
#define GIRIH_JIT_THREADS_H

#include "llvm/Support/Error.h"

#include <cstdint>

namespace girih {

/// Most threads of a launch: beyond the cores of any machine, and not enough to stall a small one.
constexpr int32_t maxThreads = 4096;

/// What GIRIH_NUM_THREADS asks for, in launches on the CPU that do not say how many threads they
/// want; 0, every core, when it is not set or empty. Fails with GIRIH_INVALID when it is no
/// number from 0 to 4096.
llvm::Expected<int32_t> threadsOfEnvironment();

} // namespace girih

#endif // GIRIH_JIT_THREADS_H
