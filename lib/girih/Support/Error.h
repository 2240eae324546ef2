//===- Error.h - Errors that carry an exit code -----------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Errors of the compiler and the JIT travel as llvm::Error. This one adds the
// code that the C API returns and the tools exit with.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_SUPPORT_ERROR_H
#define GIRIH_SUPPORT_ERROR_H

#include "girih-c/Status.h"

#include "llvm/Support/Error.h"

#include <string>

namespace girih {

/// An error with a GirihCode and a message without a full stop.
class CodedError : public llvm::ErrorInfo<CodedError> {
public:
  static char ID;
  CodedError(GirihCode code, std::string message) : code(code), message(std::move(message)) {}

  GirihCode getCode() const { return code; }
  const std::string &getMessage() const { return message; }
  void log(llvm::raw_ostream &os) const override;
  std::error_code convertToErrorCode() const override;

private:
  GirihCode code;
  std::string message;
};

/// A bad argument or pattern.
llvm::Error invalidError(std::string message);
/// Valid, but outside what is supported; the message says what is.
llvm::Error unsupportedError(std::string message);
/// An error of ours.
llvm::Error internalError(std::string message);
/// GIRIH_OK becomes success, anything else a CodedError.
llvm::Error statusError(const GirihStatus &status);

/// Takes `error` apart: its code (GIRIH_INTERNAL if it is not ours) and message.
GirihStatus takeStatus(llvm::Error error);

} // namespace girih

#endif // GIRIH_SUPPORT_ERROR_H
