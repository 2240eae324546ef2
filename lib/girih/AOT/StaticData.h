//===- StaticData.h - Descriptors as constants of C -------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A kernel compiled ahead of time carries its descriptor as constants: in an object
// file beside the code of a CPU kernel, in a C header beside an image for a GPU. What
// the constants are is said once, here, and written in either form.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_AOT_STATICDATA_H
#define GIRIH_AOT_STATICDATA_H

#include "girih-c/Cuda.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"

#include <cstdint>
#include <string>
#include <vector>

namespace llvm {
class Module;
} // namespace llvm

namespace girih {

/// The initial value of a field.
struct StaticValue {
  enum class Kind {
    Int32,
    Int64,
    UInt64,
    Null,
    Text,   ///< address of the characters of `text`
    Symbol, ///< address of the constant or function `text`
    Struct, ///< `fields`
  };
  Kind kind;
  int64_t integer = 0; ///< the bits of a UInt64, too
  std::string text;
  std::vector<StaticValue> fields;
};

/// A constant: one value, or an array of at least one.
struct StaticObject {
  std::string type; ///< in C, of an element
  std::string symbol;
  bool isArray = false;
  size_t elementBytes = 0; ///< what the C type has, to compare with
  std::vector<StaticValue> elements;
};

/// The constants that a descriptor consists of, the descriptor itself last. Symbols of the
/// others start with `name`; that of the descriptor is `symbol`. `name` is for messages,
/// too; `entry` is the function of a CPU kernel.
std::vector<StaticObject> describeKernel(const GirihKernelDesc &desc, llvm::StringRef name,
                                         llvm::StringRef symbol, llvm::StringRef entry);
std::vector<StaticObject> describeKernel(const GirihCudaKernelDesc &desc, llvm::StringRef name,
                                         llvm::StringRef symbol);

/// Writes them as `static const` definitions of C11 and C++17.
void printStatic(const std::vector<StaticObject> &objects, llvm::raw_ostream &os);

/// Adds them to `module` as constants that only the last of is visible outside. Symbols
/// that are not among them are looked up there. Fails with GIRIH_INTERNAL when a struct is
/// not laid out as C does it.
llvm::Error addStatic(const std::vector<StaticObject> &objects, llvm::Module &module);

} // namespace girih

#endif // GIRIH_AOT_STATICDATA_H
