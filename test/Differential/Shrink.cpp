//===- Shrink.cpp - Simpler cases that still fail -------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Case.h"

#include "girih/Reference/RandomPatterns.h"
#include "girih/Reference/RandomScores.h"

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/Error.h"

#include <fmt/format.h>

#include <chrono>

using namespace girih;
using namespace girih::differential;

namespace {

using Clock = std::chrono::steady_clock;

class Shrinker {
public:
  Shrinker(uint64_t seed, KernelCase &kernel, LaunchCase &launch, double seconds)
      : seed(seed), kernel(kernel), launch(launch),
        end(Clock::now() + std::chrono::microseconds(int64_t(seconds * 1e6))) {}

  void run() {
    bool isSimpler = true;
    while (isSimpler && Clock::now() < end) {
      isSimpler = simplifySettings();
      isSimpler |= simplifyLengths();
      isSimpler |= simplifyPattern();
      isSimpler |= simplifyScore();
    }
  }

private:
  /// Takes a changed case if it is valid and fails.
  bool attempt(llvm::function_ref<void(KernelCase &, LaunchCase &)> change) {
    if (Clock::now() >= end)
      return false;
    KernelCase newKernel = kernel;
    LaunchCase newLaunch = launch;
    change(newKernel, newLaunch);
    if (!validateShape(newKernel.pattern, newLaunch.shape(newKernel)).empty())
      return false;
    auto session = Session::create(SessionOptions::uncached());
    if (!session) {
      llvm::consumeError(session.takeError());
      return false;
    }
    if (runAlone(seed, **session, newKernel, newLaunch).empty())
      return false;
    kernel = newKernel;
    launch = newLaunch;
    return true;
  }

  template <typename T> bool set(T KernelCase::*member, T value) {
    return !(kernel.*member == value) &&
           attempt([&](KernelCase &k, LaunchCase &) { k.*member = value; });
  }
  template <typename T> bool set(T LaunchCase::*member, T value) {
    return !(launch.*member == value) &&
           attempt([&](KernelCase &, LaunchCase &l) { l.*member = value; });
  }

  bool simplifySettings() {
    bool isSimpler = false;
    for (bool isTaken : {set(&KernelCase::cpu, std::string()), set(&KernelCase::dtype, GIRIH_F32),
                         set(&KernelCase::roundsOutput, false), set(&KernelCase::score, Score()),
                         set(&KernelCase::tileQ, int64_t(0)), set(&KernelCase::tileK, int64_t(0)),
                         set(&KernelCase::topLeft, false), set(&LaunchCase::batch, int64_t(1)),
                         set(&LaunchCase::magnitude, 1.0f), set(&LaunchCase::scale, 0.0f),
                         set(&LaunchCase::zeroScale, false), set(&LaunchCase::threads, 1)})
      isSimpler |= isTaken;
    for (auto member : {&LaunchCase::q, &LaunchCase::k, &LaunchCase::v, &LaunchCase::o})
      isSimpler |= set(member, Layout::Contiguous);
    if (launch.heads > 1)
      isSimpler |= attempt([](KernelCase &, LaunchCase &l) { l.heads = l.kvHeads = 1; });
    for (auto member : {&KernelCase::dim, &KernelCase::vDim})
      for (int64_t value : {int64_t(1), int64_t(8), kernel.*member / 2})
        if (value >= 1 && value < kernel.*member)
          isSimpler |= set(member, value);
    return isSimpler;
  }

  bool simplifyLengths() {
    bool isSimpler = false;
    for (int64_t part : {2, 4, 8}) {
      // Patterns such as neighbourhoods want both at once.
      isSimpler |=
          launch.numQ >= part && launch.numK >= part && attempt([&](KernelCase &, LaunchCase &l) {
            l.numQ -= l.numQ / part;
            l.numK -= l.numK / part;
          });
      for (auto member : {&LaunchCase::numQ, &LaunchCase::numK})
        isSimpler |= launch.*member >= part && set(member, launch.*member - launch.*member / part);
    }
    for (auto member : {&LaunchCase::numQ, &LaunchCase::numK})
      if (launch.*member > 1)
        isSimpler |= set(member, launch.*member - 1);
    return isSimpler;
  }

  bool simplifyPattern() {
    for (const Pattern &candidate : shrink(kernel.pattern))
      if (attempt([&](KernelCase &k, LaunchCase &) { k.pattern = candidate; }))
        return true;
    return false;
  }

  bool simplifyScore() {
    for (const Score &candidate : shrink(kernel.score))
      if (attempt([&](KernelCase &k, LaunchCase &) { k.score = candidate; }))
        return true;
    return false;
  }

  uint64_t seed;
  KernelCase &kernel;
  LaunchCase &launch;
  Clock::time_point end;
};

} // namespace

void differential::shrinkCase(uint64_t seed, KernelCase &kernel, LaunchCase &launch,
                              double seconds) {
  Shrinker(seed, kernel, launch, seconds).run();
}

std::string differential::commandLine(const KernelCase &kernel, const LaunchCase &launch) {
  static const char *const dtypes[] = {"f32", "bf16", "f16"};
  static const char *const layouts[] = {"contiguous", "token-major", "padded", "reversed",
                                        "shared-batch"};
  std::string line = fmt::format(
      "girih-run --check --pattern '{}' --q-len {} --k-len {} --batch {} --heads {} "
      "--kv-heads {} --dim {} --v-dim {} --dtype {} --out-dtype {} --align {} --threads {}",
      kernel.pattern.str(), launch.numQ, launch.numK, launch.batch, launch.heads, launch.kvHeads,
      kernel.dim, kernel.vDim, dtypes[kernel.dtype], kernel.roundsOutput ? "same" : "f32",
      kernel.topLeft ? "top_left" : "bottom_right", launch.threads);
  if (launch.zeroScale || launch.scale != 0)
    line += fmt::format(" --scale {}", launch.scale);
  if (kernel.score)
    line += fmt::format(" --score '{}'", kernel.score.str());
  return line + fmt::format("\n  and, which it has no flags for: tile {}x{} (0: chosen), cpu '{}', "
                            "layouts q {}, k {}, v {}, o {}, q times {}",
                            kernel.tileQ, kernel.tileK, kernel.cpu, layouts[int(launch.q)],
                            layouts[int(launch.k)], layouts[int(launch.v)], layouts[int(launch.o)],
                            launch.magnitude);
}
