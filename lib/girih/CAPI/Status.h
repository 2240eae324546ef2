//===- Status.h - Errors and structs across the C boundary ------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What every function of the C API does at its edge: no exception leaves it, an
// llvm::Error becomes a code and a message, and structs that start with their size
// are read as far as both sides know them.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_CAPI_STATUS_H
#define GIRIH_CAPI_STATUS_H

#include "girih/Support/Error.h"

#include <cstring>
#include <new>

namespace girih::capi {

/// Writes `error` to `status`, which may be null, and returns its code.
int report(GirihStatus *status, llvm::Error error);

/// Runs `body`, which returns an llvm::Error; whatever it throws is GIRIH_INTERNAL.
template <typename Body> int guarded(GirihStatus *status, Body body) noexcept {
  try {
    if (llvm::Error error = body())
      return report(status, std::move(error));
  } catch (const std::bad_alloc &) {
    return report(status, internalError("out of memory"));
  } catch (const std::exception &exception) {
    return report(status, internalError(exception.what()));
  } catch (...) {
    return report(status, internalError("an unknown exception"));
  }
  if (status) {
    status->code = GIRIH_OK;
    status->message[0] = '\0';
  }
  return GIRIH_OK;
}

/// "expected WHAT, but got null".
llvm::Error nullError(const char *what);

/// A copy of `text` that girihTextFree frees.
char *copyText(llvm::StringRef text);

/// What readStruct does, without types: `known` bytes of `given` go to `to`.
llvm::Error readBytes(const char *name, const void *given, size_t known, void *to);

/// Copies the struct `given`, called `name` in messages, whose first field is its size
/// in the caller's view. GIRIH_INVALID when it is smaller than version 1, GIRIH_UNSUPPORTED
/// when fields that are unknown here are set.
template <typename Struct>
llvm::Error readStruct(const char *name, const Struct *given, Struct &to) {
  static_assert(std::is_trivially_copyable_v<Struct>);
  return readBytes(name, given, sizeof(Struct), &to);
}

} // namespace girih::capi

#endif // GIRIH_CAPI_STATUS_H
