//===- Table.cpp - Fuzzes the readers of offsets and block tables ---------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Files that a pattern names with '@': any bytes are a list of numbers, or an
// error that says where it stands.
//
//===----------------------------------------------------------------------===//

#include "Fuzz.h"

#include "girih/Frontend/TableFiles.h"

#include <sys/mman.h>
#include <unistd.h>

using namespace girih;
using namespace girih::fuzz;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  // A file without a disk.
  static const int file = memfd_create("table", 0);
  static const std::string path = "/proc/self/fd/" + std::to_string(file);
  if (ftruncate(file, 0) != 0 || pwrite(file, data, size, 0) != static_cast<ssize_t>(size))
    broken("the input was not written");
  std::vector<int64_t> offsets;
  readOffsetsFile(path, offsets);
  BlockTableFile table;
  readBlockTableFile(path, table);
  return 0;
}
