//===- TableFiles.h - Offsets and block tables in files ---------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The files that `@file` names in the pattern language. Values only: what they
// must satisfy is checked by `validate`.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_FRONTEND_TABLEFILES_H
#define GIRIH_FRONTEND_TABLEFILES_H

#include "girih/Frontend/Table.h"

#include <cstdint>
#include <string>
#include <vector>

namespace girih {

/// Reads a whole file of at most `limit` bytes into `text`. Returns an empty string, or
/// what is wrong.
std::string readTextFile(const std::string &path, std::string &text, uint64_t limit);

/// Tables of more than 1 GiB are refused.
///
/// Reads integers separated by spaces, commas or newlines; `#` starts a comment.
/// Returns an empty string, or what is wrong, with the line.
std::string readOffsetsFile(const std::string &path, std::vector<int64_t> &offsets);

/// Reads an array: a file of NumPy by the ending `.npy`, else a list of integers as
/// `readOffsetsFile` does. Returns an empty string, or what is wrong.
std::string readTableFile(const std::string &path, TableData &table);

/// What a block table file holds.
struct BlockTableFile {
  int64_t size = 0;
  int64_t heads = 1;
  std::vector<int64_t> indptr, indices;
};

/// Reads a JSON object with the integers `size` and, if present, `heads`, and the
/// integer lists `indptr` and `indices`. Returns an empty string, or what is
/// wrong, with the line.
std::string readBlockTableFile(const std::string &path, BlockTableFile &table);

} // namespace girih

#endif // GIRIH_FRONTEND_TABLEFILES_H
