//===- Npy.h - Reading and writing .npy files -------------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// NumPy's array files are how tensors enter and leave the tools. The reader
// trusts nothing: every length is checked before it is used, so a damaged or
// hostile file is an error and never a crash.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_SUPPORT_NPY_H
#define GIRIH_SUPPORT_NPY_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <cstdint>
#include <string>
#include <vector>

namespace girih {

/// Element types that are read: '<f4', '<f2' and '<f8', and for tables also booleans ('|b1')
/// and integers of 8 to 64 bits.
enum class NpyType { F16, F32, F64, Bool, I8, I16, I32, I64, U8, U16, U32, U64 };

/// What the header of a file says. The data follows at `dataOffset`.
struct NpyHeader {
  NpyType type = NpyType::F32;
  std::vector<int64_t> shape;
  size_t dataOffset = 0;
  int64_t elements = 0; ///< product of the shape; elements * size fits in int64
};

/// An array in C order, widened or narrowed to f32.
struct NpyArray {
  NpyType type = NpyType::F32; ///< as stored in the file
  std::vector<int64_t> shape;
  std::vector<float> data;
};

/// An array in C order that lookups read: integers, or floats narrowed to f32.
struct NpyTable {
  std::vector<int64_t> shape;
  bool isFloat = false;
  std::vector<int64_t> ints; ///< unless isFloat
  std::vector<float> floats; ///< if isFloat
};

/// Reads versions 1.0, 2.0 and 3.0 of the header out of `bytes`; `name` is the
/// file, for messages. Fails with GIRIH_INVALID on bad magic or version, a
/// truncated or malformed header, other element types (integers unless
/// `takesIntegers`), big-endian or Fortran order, and negative or overflowing shapes.
llvm::Expected<NpyHeader> parseNpyHeader(llvm::StringRef bytes, llvm::StringRef name,
                                         bool takesIntegers = false);

/// Reads an array of `rank` dimensions out of the bytes of a file. Also fails on
/// truncated data and on bytes after it.
llvm::Expected<NpyArray> parseNpy(llvm::StringRef bytes, llvm::StringRef name, size_t rank);

/// The same of the file at `path`, which may be a pipe.
llvm::Expected<NpyArray> readNpy(const std::string &path, size_t rank);

/// Reads an array of 1 to 4 dimensions and of any element type. Also fails on truncated
/// data, on bytes after it, and on integers beyond int64.
llvm::Expected<NpyTable> parseNpyTable(llvm::StringRef bytes, llvm::StringRef name);

/// Writes f32 data in version 1.0 as OutputFile does: on failure, what was in a plain file
/// is still there. Messages start with `flag`.
llvm::Error writeNpy(const std::string &path, llvm::ArrayRef<int64_t> shape,
                     llvm::ArrayRef<float> data, llvm::StringRef flag = "");

} // namespace girih

#endif // GIRIH_SUPPORT_NPY_H
