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

/// Most threads of a launch.
constexpr int32_t maxThreads = 1 << 16;

/// What GIRIH_NUM_THREADS asks for, in launches on the CPU that do not say how many threads they
/// want; 0, every core, when it is not set or empty. Fails with GIRIH_INVALID when it is no
/// number from 0 to 65536.
llvm::Expected<int32_t> threadsOfEnvironment();

} // namespace girih

#endif // GIRIH_JIT_THREADS_H
