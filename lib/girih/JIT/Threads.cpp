//===- Threads.cpp - How many threads launches take -----------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/JIT/Threads.h"

#include "girih/Support/Error.h"

#include "llvm/ADT/StringExtras.h"

#include <cstdlib>

using namespace girih;

llvm::Expected<int32_t> girih::threadsOfEnvironment() {
  const char *text = std::getenv("GIRIH_NUM_THREADS");
  if (!text || !*text)
    return 0;
  int32_t threads = 0;
  if (!llvm::to_integer(text, threads, 10) || threads < 0 || threads > maxThreads)
    return invalidError("expected GIRIH_NUM_THREADS to be a number from 0 to " +
                        std::to_string(maxThreads) + ", but got '" + text + "'");
  return threads;
}
