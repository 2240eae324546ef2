//===- Inputs.cpp - Inputs out of .npy files ------------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Inputs.h"

#include "girih/Support/Error.h"
#include "girih/Support/Npy.h"

#include <fmt/format.h>

using namespace girih;

llvm::Error InputFiles::unify(std::optional<int64_t> &known, std::string &source, int64_t size,
                              llvm::StringRef file, llvm::StringRef what) {
  if (size < 1)
    return invalidError(
        fmt::format("{}: expected at least 1 {}, but got {}", file.str(), what.str(), size));
  if (known && *known != size)
    return invalidError(fmt::format("{}: expected {} {} as {} says, but got {}", file.str(), *known,
                                    what.str(), source, size));
  if (!known) {
    known = size;
    source = file.str();
  }
  return llvm::Error::success();
}

llvm::Error InputFiles::read(Options &options) {
  RequestFlags &r = options.request;
  sources = {"--batch", "--heads", "--kv-heads", "--q-len", "--k-len", "--dim", "--v-dim"};
  const struct {
    std::optional<std::string> &file;
    std::array<int, 4> sizes; ///< which of the seven each dimension is
  } inputs[] = {
      {options.qFile, {0, 1, 3, 5}}, {options.kFile, {0, 2, 4, 5}}, {options.vFile, {0, 2, 4, 6}}};
  const std::array<std::optional<int64_t> *, 7> known = {&r.batch, &r.heads, &r.kvHeads, &r.qLen,
                                                         &r.kLen,  &r.dim,   &r.vDim};
  const char *names[] = {"batches", "heads",       "key and value heads",  "queries",
                         "keys",    "as head dim", "as head dim of values"};
  for (int i = 0; i < 3; ++i) {
    if (!inputs[i].file)
      continue;
    const std::string &file = *inputs[i].file;
    llvm::Expected<NpyArray> array = readNpy(file, 4);
    if (!array)
      return array.takeError();
    for (int d = 0; d < 4; ++d) {
      int size = inputs[i].sizes[d];
      if (llvm::Error error =
              unify(*known[size], sources[size], array->shape[d], file, names[size]))
        return error;
    }
    data[i] = std::move(array->data);
  }
  return llvm::Error::success();
}
