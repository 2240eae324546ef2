//===- main.cpp - Girih inside a C++ program ------------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Compiles a pattern once and launches it for sequences of three lengths.
//
//===----------------------------------------------------------------------===//

#include "girih/JIT/Session.h"

#include <cmath>
#include <cstdio>
#include <random>
#include <vector>

using girih::Index;

namespace {

/// A contiguous f32 tensor [1, heads, tokens, dim].
struct Tensor {
  Tensor(int64_t heads, int64_t tokens, int64_t dim)
      : shape{1, heads, tokens, dim}, data(heads * tokens * dim) {}

  GirihView view() {
    GirihView view{};
    view.data = data.data();
    view.dtype = GIRIH_F32;
    for (int i = 3, stride = 1; i >= 0; stride *= static_cast<int>(shape[i]), --i) {
      view.shape[i] = shape[i];
      view.stride[i] = stride;
    }
    return view;
  }

  int64_t shape[4];
  std::vector<float> data;
};

} // namespace

/// Attends over `tokens` tokens; returns the mean of the output.
static llvm::Expected<double> attend(girih::CompiledKernel &kernel, int64_t tokens) {
  const int64_t heads = 8, kvHeads = 2, dim = 64;
  Tensor q(heads, tokens, dim), k(kvHeads, tokens, dim), v(kvHeads, tokens, dim);
  Tensor out(heads, tokens, dim);
  std::mt19937 random(1);
  std::normal_distribution<float> normal;
  for (Tensor *tensor : {&q, &k})
    for (float &value : tensor->data)
      value = normal(random);
  // Each output is a mean of values that the softmax weights: all ones stay ones.
  v.data.assign(v.data.size(), 1.0f);

  std::vector<float> lse(heads * tokens);
  if (llvm::Error error = kernel.launch(q.view(), k.view(), v.view(), out.view(), lse.data(),
                                        1 / std::sqrt(64.0f), /*operands=*/{}, /*threads=*/0))
    return std::move(error);
  double sum = 0;
  for (float value : out.data)
    sum += value;
  return sum / static_cast<double>(out.data.size());
}

static llvm::Error run() {
  // The builder makes the same trees as the pattern language.
  girih::Pattern pattern = girih::predicate([](Index b, Index h, Index q, Index k) {
    return q >= k && (q - k < 700 || k / 96 % 5 == 2);
  });
  pattern = pattern | girih::globalColumns(4);
  std::printf("pattern: %s\n", pattern.str().c_str());

  auto session = girih::Session::create();
  if (!session)
    return session.takeError();
  girih::CompileOptions options;
  options.headDim = 64;
  for (int64_t tokens : {1000, 2000, 3001}) {
    // Compiled the first time; found again for every other length.
    auto kernel = (*session)->compile(pattern, options);
    if (!kernel)
      return kernel.takeError();
    llvm::Expected<double> mean = attend(**kernel, tokens);
    if (!mean)
      return mean.takeError();
    std::printf("%lld tokens: mean output %.6f\n", static_cast<long long>(tokens), *mean);
  }
  std::printf("compilations: %lld\n", static_cast<long long>((*session)->compilations()));
  return llvm::Error::success();
}

int main() {
  if (llvm::Error error = run()) {
    std::fprintf(stderr, "error: %s\n", llvm::toString(std::move(error)).c_str());
    return 1;
  }
  return 0;
}
