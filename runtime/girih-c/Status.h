//===- Status.h - Error codes and messages across the C boundary ----------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every runtime call that can fail returns a code and writes a message. The
// codes are also the exit codes of the command-line tools.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_C_STATUS_H
#define GIRIH_C_STATUS_H

#ifdef __cplusplus
extern "C" {
#endif

typedef enum GirihCode {
  GIRIH_OK = 0,
  GIRIH_MISMATCH = 1,    ///< a check against the reference failed
  GIRIH_INVALID = 2,     ///< a bad argument or pattern
  GIRIH_UNSUPPORTED = 3, ///< valid, but outside what is supported
  GIRIH_NO_DEVICE = 4,   ///< no such device
  GIRIH_INTERNAL = 5,    ///< out of memory or an error of ours
} GirihCode;

/// Owned by the caller. `message` is a NUL-terminated sentence without a full
/// stop; empty when `code` is GIRIH_OK.
typedef struct GirihStatus {
  int code;
  char message[1020];
} GirihStatus;

#ifdef __cplusplus
} // extern "C"
#endif

#endif // GIRIH_C_STATUS_H
