//===- Tensors.h - Strided tensors in guarded memory ------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernels are compiled at run time, so no sanitizer sees their loads. A tensor
// here ends where an unmapped page begins, and what lies between its rows is NaN:
// a read too far crashes or shows in the output, a write too far shows in the
// padding.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_TEST_DIFFERENTIAL_TENSORS_H
#define GIRIH_TEST_DIFFERENTIAL_TENSORS_H

#include "Case.h"

#include <array>
#include <vector>

namespace girih::differential {

class GuardedTensor {
public:
  /// Every element and all padding are NaN.
  GuardedTensor(std::array<int64_t, 4> shape, GirihDType dtype, Layout layout);
  ~GuardedTensor();
  GuardedTensor(const GuardedTensor &) = delete;
  GuardedTensor &operator=(const GuardedTensor &) = delete;

  const GirihView &view() const { return tensor; }
  float get(const std::array<int64_t, 4> &index) const;
  /// Rounds to the dtype.
  void set(const std::array<int64_t, 4> &index, float value);
  /// The elements in the order of the shape.
  std::vector<float> values() const;
  /// Whether everything that is not an element is still NaN.
  bool paddingIntact() const;

private:
  int64_t offsetOf(const std::array<int64_t, 4> &index) const;
  float read(int64_t offset) const;

  GirihView tensor{};
  char *pages = nullptr; ///< the mapping, guard page included
  size_t mapped = 0;
  char *first = nullptr; ///< lowest element, padding included
  int64_t extent = 0;    ///< elements from there to the guard page
};

} // namespace girih::differential

#endif // GIRIH_TEST_DIFFERENTIAL_TENSORS_H
