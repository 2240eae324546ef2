//===- Layout.h - The order of dimensions in memory -------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Tensors of a run are [batch, heads, tokens, dim]; on a GPU they may lie otherwise.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_TOOLS_COMMON_LAYOUT_H
#define GIRIH_TOOLS_COMMON_LAYOUT_H

#include "girih-c/Runtime.h"

#include "llvm/ADT/StringRef.h"

#include <vector>

namespace girih {

/// The order in which dimensions lie in memory, the outermost first.
inline constexpr llvm::StringLiteral contiguousLayout = "bhnd";

/// Sets the strides of `view` to those of a tensor without gaps whose dimensions
/// lie in the order of `layout`: the letters b, h, n and d.
void setLayout(GirihView &view, llvm::StringRef layout);

/// The elements of `from`, which lies as `view` does, in the order of `layout`.
std::vector<char> rearranged(const GirihView &view, const void *from, llvm::StringRef layout);

} // namespace girih

#endif // GIRIH_TOOLS_COMMON_LAYOUT_H
