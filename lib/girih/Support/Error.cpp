//===- Error.cpp - Errors that carry an exit code -------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/Support/Error.h"

#include "llvm/Support/raw_ostream.h"

#include <algorithm>
#include <cstring>

using namespace girih;

char CodedError::ID = 0;

void CodedError::log(llvm::raw_ostream &os) const { os << message; }

std::error_code CodedError::convertToErrorCode() const { return llvm::inconvertibleErrorCode(); }

llvm::Error girih::invalidError(std::string message) {
  return llvm::make_error<CodedError>(GIRIH_INVALID, std::move(message));
}

llvm::Error girih::unsupportedError(std::string message) {
  return llvm::make_error<CodedError>(GIRIH_UNSUPPORTED, std::move(message));
}

llvm::Error girih::internalError(std::string message) {
  return llvm::make_error<CodedError>(GIRIH_INTERNAL, std::move(message));
}

llvm::Error girih::statusError(const GirihStatus &status) {
  if (status.code == GIRIH_OK)
    return llvm::Error::success();
  return llvm::make_error<CodedError>(static_cast<GirihCode>(status.code), status.message);
}

GirihStatus girih::takeStatus(llvm::Error error) {
  GirihStatus status{};
  auto set = [&](int code, const std::string &message) {
    status.code = code;
    size_t length = std::min(message.size(), sizeof(status.message) - 1);
    std::memcpy(status.message, message.data(), length);
    status.message[length] = '\0';
  };
  llvm::handleAllErrors(
      std::move(error), [&](const CodedError &e) { set(e.getCode(), e.getMessage()); },
      [&](const llvm::ErrorInfoBase &e) { set(GIRIH_INTERNAL, e.message()); });
  return status;
}
