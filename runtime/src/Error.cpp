//===- Error.cpp - Codes and messages of failing calls --------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The only place that writes into a GirihStatus.
//
//===----------------------------------------------------------------------===//

#include "Error.h"

#include <cstdarg>
#include <cstdio>

int girih::fail(GirihStatus *status, int code, const char *format, ...) {
  if (!status)
    return code;
  status->code = code;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(status->message, sizeof(status->message), format, arguments);
  va_end(arguments);
  return code;
}

int girih::succeed(GirihStatus *status) {
  if (status) {
    status->code = GIRIH_OK;
    status->message[0] = '\0';
  }
  return GIRIH_OK;
}
