//===- Problem.h - A pattern at given lengths -------------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What questions about a pattern, and tools that launch one, are asked for. Every
// product that later code forms of these numbers is checked here.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_JIT_PROBLEM_H
#define GIRIH_JIT_PROBLEM_H

#include "girih/JIT/Session.h"

namespace girih {

/// What to attend, and over what: q [batch, heads, numQ, dim], k [batch, kvHeads, numK,
/// dim], v [batch, kvHeads, numK, vDim].
struct Problem {
  Pattern pattern;
  int64_t batch = 1, heads = 1, kvHeads = 1, numQ = 0, numK = 0, dim = 64, vDim = 64;
  GirihDType dtype = GIRIH_F32;     ///< of q, k and v
  std::optional<GirihDType> oDtype; ///< as in CompileOptions
  GirihAlign align = GIRIH_BOTTOM_RIGHT;
  int64_t tileQ = 0, tileK = 0; ///< rows of a q-tile and keys of a k-tile; 0: chosen
  Score score;                  ///< may be none
  bool cuda = false;            ///< for an NVIDIA GPU
  std::string chip;             ///< that kernels for it are for; empty: as in CompileOptions
  std::string cpu;              ///< that kernels for the CPU are for; empty: this one

  CompileOptions compileOptions() const;
  /// The dtype of o.
  GirihDType outDtype() const { return oDtype.value_or(cuda ? dtype : GIRIH_F32); }
};

/// Sizes below 1, unequal head counts, products that overflow and lengths that the
/// pattern does not fit fail with GIRIH_INVALID; lengths, head counts and head dims
/// beyond what kernels take with GIRIH_UNSUPPORTED. Messages name sizes as "heads" or
/// "v-dim", after `prefix`: "--" where they are flags.
llvm::Error checkProblem(const Problem &problem, llvm::StringRef prefix = "");

/// The half of `checkProblem` that does not ask the pattern; lengths may be 0.
llvm::Error checkSizes(const Problem &problem, llvm::StringRef prefix = "");

/// Bytes of a [batch, heads, tokens, dim] tensor; fails with GIRIH_INVALID when
/// they do not fit in 63 bits.
llvm::Expected<int64_t> tensorBytes(int64_t batch, int64_t heads, int64_t tokens, int64_t dim,
                                    int64_t elementBytes);

/// "f32", "bf16" or "f16".
const char *dtypeName(GirihDType dtype);

/// Bytes of an element.
inline int64_t dtypeBytes(GirihDType dtype) { return dtype == GIRIH_F32 ? 4 : 2; }

} // namespace girih

#endif // GIRIH_JIT_PROBLEM_H
