//===- JitTesting.h - Tensors and comparisons for JIT tests -----*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_TEST_JIT_JITTESTING_H
#define GIRIH_TEST_JIT_JITTESTING_H

#include "girih/JIT/Session.h"
#include "girih/Reference/Attention.h"

#include "gtest/gtest.h"

#include <string>
#include <vector>

namespace girih::testing {

/// Sizes of one launch.
struct Sizes {
  int64_t batch = 1, heads = 2, kvHeads = 2, numQ = 50, numK = 50, dim = 16, vDim = 16;
};

/// Contiguous f32 tensors with random inputs and NaN in the outputs.
class Tensors {
public:
  explicit Tensors(const Sizes &sizes, uint64_t seed = 1);

  /// Makes the inputs numbers that `dtype` has.
  void roundInputs(GirihDType dtype);

  Sizes sizes;
  std::vector<float> qData, kData, vData, oData, lse;
  GirihView q, k, v, o;
  float scale;
};

/// A contiguous f32 tensor, rounded to 16 bits. Its rows lie `gap` elements apart, with NaN
/// between them, and its last one ends where the process may not read.
class NarrowCopy {
public:
  NarrowCopy(const GirihView &from, GirihDType dtype, int64_t gap = 0);
  ~NarrowCopy();
  NarrowCopy(const NarrowCopy &) = delete;
  NarrowCopy &operator=(const NarrowCopy &) = delete;

  GirihView view;

private:
  void *pages;
  size_t mapped;
};

/// A session; its creation must work.
std::unique_ptr<Session> makeSession();

/// Compiles; a failure fails the test and gives null.
std::shared_ptr<CompiledKernel> compile(Session &session, const Pattern &pattern,
                                        const CompileOptions &options = {},
                                        bool *cacheHit = nullptr);

/// Options for the dims of `sizes`, f32.
CompileOptions optionsFor(const Sizes &sizes);

/// Launches with the operands of `pattern` and of the score `read`; empty or the error.
std::string launch(CompiledKernel &kernel, Tensors &tensors, const Pattern &pattern,
                   int threads = 1, LaunchReport *report = nullptr, const Score &read = {});

/// Empty, or how far the outputs of a launch are from the reference, by what a kernel
/// for inputs of `dtype` may be off.
std::string compareWithReference(const Tensors &tensors, const Pattern &pattern,
                                 const ScoreFunction &score = {}, bool topLeft = false,
                                 GirihDType dtype = GIRIH_F32);

/// launch() and compareWithReference().
std::string check(CompiledKernel &kernel, const Pattern &pattern, const Sizes &sizes,
                  const ScoreFunction &score = {}, const Score &read = {});

/// The error of a compilation that must fail.
std::string compileError(Session &session, const Pattern &pattern, const CompileOptions &options,
                         int *code = nullptr);

} // namespace girih::testing

#endif // GIRIH_TEST_JIT_JITTESTING_H
