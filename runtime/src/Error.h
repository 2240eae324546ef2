//===- Error.h - Codes and messages of failing calls ------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every function of the runtime that can fail returns a GirihCode and writes
// one message. `guarded` keeps a failed allocation from leaving the C API as an
// exception.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_RUNTIME_ERROR_H
#define GIRIH_RUNTIME_ERROR_H

#include "girih-c/Status.h"

#include <new>

namespace girih {

/// Writes a printf-style message and returns `code`. `status` may be null.
__attribute__((format(printf, 3, 4))) int fail(GirihStatus *status, int code, const char *format,
                                               ...);

/// Clears `status` and returns GIRIH_OK. `status` may be null.
int succeed(GirihStatus *status);

/// Runs `body`, which returns a code; running out of memory or of threads
/// becomes GIRIH_INTERNAL.
template <typename Body> int guarded(GirihStatus *status, Body body) noexcept {
  try {
    return body();
  } catch (const std::bad_alloc &) {
    return fail(status, GIRIH_INTERNAL, "out of memory");
  } catch (...) {
    return fail(status, GIRIH_INTERNAL, "could not start a thread");
  }
}

} // namespace girih

#endif // GIRIH_RUNTIME_ERROR_H
