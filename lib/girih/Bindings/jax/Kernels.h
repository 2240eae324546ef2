//===- Kernels.h - The kernels that XLA programs name -----------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An XLA program holds the name of a kernel, not the kernel: programs are copied,
// cached on disk and loaded elsewhere. Kernels stay for the life of the process, as
// nobody can say when the last program that names one is gone.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_BINDINGS_JAX_KERNELS_H
#define GIRIH_BINDINGS_JAX_KERNELS_H

#include "girih-c/Compiler.h"

#include <string_view>

namespace girih::xla {

/// girihAttention of the library that made a kernel. A pointer, so that this library
/// links none, and two cannot be mixed.
using AttentionFunction = decltype(&girihAttention);

/// A kernel, and what launches it; null pointers: none.
struct NamedKernel {
  GirihKernel *kernel = nullptr;
  AttentionFunction attention = nullptr;
};

/// Makes `name` stand for `kernel` from now on. False when there is no memory for it.
bool keepKernel(std::string_view name, NamedKernel kernel) noexcept;

/// The kernel called `name`, if this process has one.
NamedKernel findKernel(std::string_view name) noexcept;

} // namespace girih::xla

#endif // GIRIH_BINDINGS_JAX_KERNELS_H
