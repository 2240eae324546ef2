//===- Case.h - One random case of the differential test --------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A group is one kernel and the launches that it must serve without being
// compiled again. Everything about a group follows from (seed, number), so that a
// failure is replayed by two integers.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_TEST_DIFFERENTIAL_CASE_H
#define GIRIH_TEST_DIFFERENTIAL_CASE_H

#include "girih/JIT/Session.h"
#include "girih/Reference/Attention.h"

#include <string>
#include <vector>

namespace girih::differential {

/// Where the elements of a tensor are.
enum class Layout {
  Contiguous, ///< [B, H, N, D]
  TokenMajor, ///< [B, N, H, D] in memory
  Padded,     ///< rows longer than D, by an odd number
  Reversed,   ///< tokens from the last to the first: a negative stride
  SharedBatch ///< batch stride 0; inputs only
};

/// What a kernel is compiled for.
struct KernelCase {
  Pattern pattern;
  GirihDType dtype = GIRIH_F32;
  bool roundsOutput = false; ///< o has `dtype`, else f32
  int64_t dim = 1, vDim = 1;
  bool topLeft = false;
  int64_t tileQ = 0, tileK = 0;
  std::string cpu; ///< empty: the host
  Score score;     ///< may be none

  GirihDType oDtype() const { return roundsOutput ? dtype : GIRIH_F32; }
};

/// What one launch of it adds.
struct LaunchCase {
  int64_t number = 0; ///< of the case, for messages and inputs
  int64_t batch = 1, heads = 1, kvHeads = 1, numQ = 1, numK = 1;
  Layout q = Layout::Contiguous, k = Layout::Contiguous, v = Layout::Contiguous,
         o = Layout::Contiguous;
  float magnitude = 1; ///< of the entries of q
  float scale = 0;     ///< 0: 1 / sqrt(D)
  bool zeroScale = false;
  int threads = 1;
  bool wantsLse = true;

  Shape shape(const KernelCase &kernel) const {
    return makeShape(numQ, numK, heads, kernel.topLeft);
  }
};

struct Group {
  KernelCase kernel;
  std::vector<LaunchCase> launches;
};

/// Cases that share a kernel.
inline constexpr int64_t launchesPerGroup = 3;

/// Draws group `number`: cases number * launchesPerGroup and following.
Group drawGroup(uint64_t seed, int64_t number);

CompileOptions compileOptions(const KernelCase &kernel);

/// Launches and compares outputs, log-sum-exps and block maps with the
/// reference. Returns an empty string, or what is wrong.
std::string runLaunch(uint64_t seed, CompiledKernel &kernel, const KernelCase &kernelCase,
                      const LaunchCase &launch);

/// Compiles `kernelCase` and runs one launch.
std::string runAlone(uint64_t seed, Session &session, const KernelCase &kernelCase,
                     const LaunchCase &launch);

/// Compares the block maps of a launch, forward and reverse, and their counts
/// with membership pair by pair.
std::string checkMaps(CompiledKernel &kernel, const KernelCase &kernelCase,
                      const LaunchCase &launch);

/// Makes a failing case simpler for at most `seconds`; it still fails after that.
void shrinkCase(uint64_t seed, KernelCase &kernel, LaunchCase &launch, double seconds);

/// The command line of girih-run that is nearest to a case, and what it leaves out.
std::string commandLine(const KernelCase &kernel, const LaunchCase &launch);

} // namespace girih::differential

#endif // GIRIH_TEST_DIFFERENTIAL_CASE_H
