//===- Inputs.h - The tensors of a run --------------------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Inputs come from .npy files or are drawn from the seed. Either way they are
// rounded to the kernel's dtype once, so that the kernel and the reference see
// the same numbers.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_TOOLS_GIRIH_RUN_INPUTS_H
#define GIRIH_TOOLS_GIRIH_RUN_INPUTS_H

#include "Options.h"

#include "girih/Support/Npy.h"

#include <array>
#include <string>
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

private:
  std::array<int64_t, 4> shape{};
  GirihDType dtype = GIRIH_F32;
  std::vector<float> rounded;
  std::vector<uint16_t> bits; ///< empty for f32
};

/// Reads the files that are given and fills in the sizes that they imply. A size
/// that disagrees with a flag or another file fails with GIRIH_INVALID.
class InputFiles {
public:
  llvm::Error read(Options &options);

  /// Data of q, k or v (0, 1, 2); empty without a file.
  std::array<std::vector<float>, 3> data;

private:
  /// Takes a size from a file, or checks it against what is known.
  llvm::Error unify(std::optional<int64_t> &known, std::string &source, int64_t size,
                    llvm::StringRef file, llvm::StringRef what);
  std::array<std::string, 7> sources;
};

/// Everything that one launch reads and writes.
struct Tensors {
  Tensor q, k, v, out;
  std::vector<float> lse; ///< [batch, heads, numQ]
};

/// Makes the tensors: inputs out of `files`, or drawn; outputs filled with NaN so
/// that a value which is never written shows. Fails with GIRIH_UNSUPPORTED when
/// they are larger than the machine's memory.
llvm::Expected<Tensors> makeTensors(const Request &request, InputFiles files, uint64_t seed);

} // namespace girih

#endif // GIRIH_TOOLS_GIRIH_RUN_INPUTS_H
