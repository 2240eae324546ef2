//===- Layout.cpp - The order of dimensions in memory ---------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "common/Layout.h"

#include "llvm/ADT/STLExtras.h"

#include <algorithm>
#include <cstring>

using namespace girih;

void girih::setLayout(GirihView &view, llvm::StringRef layout) {
  int64_t stride = 1;
  for (char letter : llvm::reverse(layout)) {
    size_t dimension = contiguousLayout.find(letter);
    view.stride[dimension] = stride;
    stride *= view.shape[dimension];
  }
}

std::vector<char> girih::rearranged(const GirihView &view, const void *from,
                                    llvm::StringRef layout) {
  GirihView target = view;
  setLayout(target, layout);
  const int64_t size = view.dtype == GIRIH_F32 ? 4 : 2;
  const int64_t *shape = view.shape;
  std::vector<char> to(static_cast<size_t>(shape[0] * shape[1] * shape[2] * shape[3] * size));
  if (std::equal(view.stride, view.stride + 4, target.stride)) {
    memcpy(to.data(), from, to.size());
    return to;
  }
  auto place = [&](const GirihView &v, int64_t b, int64_t h, int64_t n, int64_t d) {
    return (b * v.stride[0] + h * v.stride[1] + n * v.stride[2] + d * v.stride[3]) * size;
  };
  for (int64_t b = 0; b != shape[0]; ++b)
    for (int64_t h = 0; h != shape[1]; ++h)
      for (int64_t n = 0; n != shape[2]; ++n)
        for (int64_t d = 0; d != shape[3]; ++d)
          memcpy(&to[place(target, b, h, n, d)],
                 static_cast<const char *>(from) + place(view, b, h, n, d),
                 static_cast<size_t>(size));
  return to;
}
