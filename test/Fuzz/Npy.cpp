//===- Npy.cpp - Fuzzes the .npy reader -----------------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Any bytes are an array that their header describes, or an error. A header with
// a huge shape must not make the reader ask for the memory.
//
//===----------------------------------------------------------------------===//

#include "Fuzz.h"

#include "girih/Support/Npy.h"

using namespace girih;
using namespace girih::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  llvm::StringRef bytes(reinterpret_cast<const char *>(data), size);
  for (size_t rank : {2, 3, 4}) {
    llvm::Expected<NpyArray> array = parseNpy(bytes, "input.npy", rank);
    if (!array) {
      llvm::consumeError(array.takeError());
      continue;
    }
    int64_t elements = 1;
    for (int64_t extent : array->shape)
      elements *= extent;
    if (array->shape.size() != rank || static_cast<int64_t>(array->data.size()) != elements)
      broken("an array is not as large as its shape says");
  }
  llvm::Expected<NpyTable> table = parseNpyTable(bytes, "input.npy");
  if (!table) {
    llvm::consumeError(table.takeError());
    return 0;
  }
  int64_t elements = 1;
  for (int64_t extent : table->shape)
    elements *= extent;
  if (table->shape.empty() || table->shape.size() > 4 ||
      static_cast<int64_t>(table->isFloat ? table->floats.size() : table->ints.size()) != elements)
    broken("a table is not as large as its shape says");
  return 0;
}
