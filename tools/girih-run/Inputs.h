//===- Inputs.h - Inputs out of .npy files ----------------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_TOOLS_GIRIH_RUN_INPUTS_H
#define GIRIH_TOOLS_GIRIH_RUN_INPUTS_H

#include "Options.h"

#include "common/Tensors.h"

#include <array>
#include <string>

namespace girih {

/// Reads the files that are given and fills in the sizes that they imply. A size
/// that disagrees with a flag or another file fails with GIRIH_INVALID.
class InputFiles {
public:
  llvm::Error read(Options &options);

  /// Data of q, k or v (0, 1, 2); empty without a file.
  InputData data;

private:
  /// Takes a size from a file, or checks it against what is known.
  llvm::Error unify(std::optional<int64_t> &known, std::string &source, int64_t size,
                    llvm::StringRef file, llvm::StringRef what);
  std::array<std::string, 7> sources;
};

} // namespace girih

#endif // GIRIH_TOOLS_GIRIH_RUN_INPUTS_H
