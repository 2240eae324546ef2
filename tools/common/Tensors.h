//===- Tensors.h - The tensors of a run -------------------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Inputs are given or drawn from the seed. Either way they are rounded to the
// kernel's dtype once, so that the kernel and the reference see the same numbers.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_TOOLS_COMMON_TENSORS_H
#define GIRIH_TOOLS_COMMON_TENSORS_H

#include "common/Request.h"

#include <array>
#include <vector>

namespace girih {

/// A contiguous tensor [batch, heads, tokens, dim].
class Tensor {
public:
  Tensor() = default;
  /// Takes over `values` and rounds them to `dtype`.
  Tensor(std::array<int64_t, 4> shape, GirihDType dtype, std::vector<float> values);

  /// What a kernel reads or writes; borrowed.
  GirihView view();
  /// The values as f32.
  const std::vector<float> &values() const { return rounded; }
  std::vector<float> &values() { return rounded; }
  /// Takes over what a kernel has written through view().
  void readBack();

private:
  std::array<int64_t, 4> shape{};
  GirihDType dtype = GIRIH_F32;
  std::vector<float> rounded;
  std::vector<uint16_t> bits; ///< empty for f32
};

/// Everything that one launch reads and writes.
struct Tensors {
  Tensor q, k, v, out;
  std::vector<float> lse; ///< [batch, heads, numQ]
};

/// Values of q, k and v in this order; empty ones are drawn.
using InputData = std::array<std::vector<float>, 3>;

/// Makes the tensors: inputs out of `data`, or drawn; outputs filled with NaN so
/// that a value which is never written shows. Fails with GIRIH_UNSUPPORTED when
/// they and the random blocks of the pattern are larger than the machine's memory.
llvm::Expected<Tensors> makeTensors(const Request &request, InputData data, uint64_t seed);

} // namespace girih

#endif // GIRIH_TOOLS_COMMON_TENSORS_H
