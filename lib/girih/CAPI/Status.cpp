//===- Status.cpp - Errors and structs across the C boundary --------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/CAPI/Status.h"

#include "llvm/ADT/StringRef.h"

#include <algorithm>

using namespace girih;

int capi::report(GirihStatus *status, llvm::Error error) {
  GirihStatus taken = takeStatus(std::move(error));
  if (status)
    *status = taken;
  return taken.code;
}

llvm::Error capi::nullError(const char *what) {
  return invalidError(std::string("expected ") + what + ", but got null");
}

char *capi::copyText(llvm::StringRef text) {
  // Freed by free: callers of C have no delete.
  auto *copy = static_cast<char *>(std::malloc(text.size() + 1));
  if (!copy)
    throw std::bad_alloc();
  std::copy(text.begin(), text.end(), copy);
  copy[text.size()] = '\0';
  return copy;
}

llvm::Error capi::readBytes(const char *name, const void *given, size_t known, void *to) {
  if (!given)
    return nullError(name);
  uint32_t size = 0;
  std::memcpy(&size, given, sizeof(size));
  if (size < known)
    return invalidError(std::string("expected the size of ") + name + " to be at least " +
                        std::to_string(known) + ", but got " + std::to_string(size));
  // A newer caller's fields mean what they always meant while they are 0.
  const auto *bytes = static_cast<const unsigned char *>(given);
  if (std::any_of(bytes + known, bytes + size, [](unsigned char byte) { return byte != 0; }))
    return unsupportedError(std::string("expected fields of ") + name + " behind the " +
                            std::to_string(known) + " bytes that this library knows to be 0");
  std::memcpy(to, given, known);
  return llvm::Error::success();
}
