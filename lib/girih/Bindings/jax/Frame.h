//===- Frame.h - What XLA hands to a handler --------------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads call frames through XLA's C header alone. The C++ header beside it depends on
// structs that have changed between versions; what is used here stands at the same
// place in every version since 0.1, so that a library built with the headers of one
// jaxlib serves others.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_BINDINGS_JAX_FRAME_H
#define GIRIH_BINDINGS_JAX_FRAME_H

#include "girih-c/Compiler.h"

#include <stddef.h>
#include <stdint.h>
#include <string_view>

// XLA's C headers want size_t without including it.
#include "xla/ffi/api/c_api.h"

namespace girih::xla {

/// An error that XLA raises as an exception with `message`.
XLA_FFI_Error *makeError(const XLA_FFI_CallFrame &frame, XLA_FFI_Error_Code code,
                         const char *message);

/// An error for what girih says.
XLA_FFI_Error *makeError(const XLA_FFI_CallFrame &frame, const GirihStatus &status);

/// Answers XLA's question for the version of the interface, which is the older one of
/// XLA's and the headers'. False when the frame is a call.
bool answerMetadata(XLA_FFI_CallFrame &frame);

/// The attribute `name`; empty, or null, when there is none of this type.
std::string_view textAttribute(const XLA_FFI_CallFrame &frame, std::string_view name);
const float *floatAttribute(const XLA_FFI_CallFrame &frame, std::string_view name);

/// The stream of a call on a GPU.
XLA_FFI_Error *streamOf(const XLA_FFI_CallFrame &frame, void *&stream);

/// The number of its device.
XLA_FFI_Error *deviceOf(const XLA_FFI_CallFrame &frame, int32_t &device);

/// A buffer as a DLPack tensor. It points into itself: not to be copied.
class Tensor {
public:
  Tensor() = default;
  Tensor(const Tensor &) = delete;
  Tensor &operator=(const Tensor &) = delete;

  /// Borrows a contiguous buffer. With `swapped` its dimensions 1 and 2 change places.
  /// False when its rank or dtype is none that attention has.
  bool set(const XLA_FFI_Buffer &buffer, int rank, bool swapped, DLDevice device);

  const DLTensor *get() const { return &tensor; }

private:
  DLTensor tensor{};
  int64_t shape[4];
  int64_t strides[4];
};

} // namespace girih::xla

#endif // GIRIH_BINDINGS_JAX_FRAME_H
