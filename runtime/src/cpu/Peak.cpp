//===- Peak.cpp - The speed that the cores could reach --------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A loop of multiply-adds that stay in registers. On x86 it is written in
// assembly: the number must not depend on how this file was optimised.
//
//===----------------------------------------------------------------------===//

#include "girih-c/Runtime.h"

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

namespace {

/// Runs `rounds` rounds of multiply-adds.
using Loop = void (*)(int64_t rounds);

struct Measure {
  Loop loop;
  /// Floating-point operations of a round.
  double flops;
};

} // namespace

#if defined(__x86_64__)

// Twelve accumulators cover two units of up to six cycles latency.
#define GIRIH_FMA_LOOP(reg)                                                                        \
  __asm__ volatile("1:\n\t"                                                                        \
                   "vfmadd231ps %%" reg "12, %%" reg "13, %%" reg "0\n\t"                          \
                   "vfmadd231ps %%" reg "12, %%" reg "13, %%" reg "1\n\t"                          \
                   "vfmadd231ps %%" reg "12, %%" reg "13, %%" reg "2\n\t"                          \
                   "vfmadd231ps %%" reg "12, %%" reg "13, %%" reg "3\n\t"                          \
                   "vfmadd231ps %%" reg "12, %%" reg "13, %%" reg "4\n\t"                          \
                   "vfmadd231ps %%" reg "12, %%" reg "13, %%" reg "5\n\t"                          \
                   "vfmadd231ps %%" reg "12, %%" reg "13, %%" reg "6\n\t"                          \
                   "vfmadd231ps %%" reg "12, %%" reg "13, %%" reg "7\n\t"                          \
                   "vfmadd231ps %%" reg "12, %%" reg "13, %%" reg "8\n\t"                          \
                   "vfmadd231ps %%" reg "12, %%" reg "13, %%" reg "9\n\t"                          \
                   "vfmadd231ps %%" reg "12, %%" reg "13, %%" reg "10\n\t"                         \
                   "vfmadd231ps %%" reg "12, %%" reg "13, %%" reg "11\n\t"                         \
                   "dec %0\n\t"                                                                    \
                   "jnz 1b\n\t"                                                                    \
                   "vzeroupper"                                                                    \
                   : "+r"(rounds)                                                                  \
                   :                                                                               \
                   : "cc", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8", \
                     "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15")

// Zero operands: no denormals, no overflow, the same speed.
#define GIRIH_ZERO_REGISTERS                                                                       \
  __asm__ volatile("vzeroall" ::                                                                   \
                       : "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7", "xmm8",   \
                         "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15")

__attribute__((target("avx512f"))) static void loopAvx512(int64_t rounds) {
  GIRIH_ZERO_REGISTERS;
  GIRIH_FMA_LOOP("zmm");
}

__attribute__((target("avx2,fma"))) static void loopAvx2(int64_t rounds) {
  GIRIH_ZERO_REGISTERS;
  GIRIH_FMA_LOOP("ymm");
}

#undef GIRIH_FMA_LOOP
#undef GIRIH_ZERO_REGISTERS
#endif

/// What any compiler makes of multiply-adds on vectors.
static void loopGeneric(int64_t rounds) {
  typedef float Vector __attribute__((vector_size(16)));
  Vector sums[8] = {};
  Vector a = {1e-9f, 1e-9f, 1e-9f, 1e-9f}, b = a;
  for (int64_t i = 0; i < rounds; ++i) {
    for (Vector &sum : sums)
      sum += a * b;
    // Keeps the products inside the loop.
    __asm__ volatile("" : "+m"(a), "+m"(b));
  }
  volatile float sink = 0;
  for (Vector &sum : sums)
    sink = sink + sum[0];
}

static Measure widest() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f"))
    return {loopAvx512, 12 * 16 * 2};
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
    return {loopAvx2, 12 * 8 * 2};
#endif
  return {loopGeneric, 8 * 4 * 2};
}

/// GFLOP/s of this thread.
static double measure(const Measure &kind) {
  using Clock = std::chrono::steady_clock;
  constexpr int64_t rounds = 20000;
  auto runFor = [&](std::chrono::milliseconds time) {
    Clock::time_point begin = Clock::now(), now = begin;
    int64_t done = 0;
    while (now - begin < time) {
      kind.loop(rounds);
      done += rounds;
      now = Clock::now();
    }
    double seconds = std::chrono::duration<double>(now - begin).count();
    return static_cast<double>(done) * kind.flops / seconds * 1e-9;
  };
  // Cores raise their clock, and wake their wide units, in the first ones.
  runFor(std::chrono::milliseconds(4));
  return runFor(std::chrono::milliseconds(16));
}

double girihCpuPeakGflops(int32_t threads) {
  threads = threads <= 0 ? girihCpuThreads() : threads;
  Measure kind = widest();
  std::vector<double> results;
  std::vector<std::thread> helpers;
  std::atomic<int32_t> waiting{threads};
  auto work = [&](int32_t index) {
    waiting.fetch_sub(1);
    while (waiting.load() > 0)
      std::this_thread::yield();
    results[static_cast<size_t>(index)] = measure(kind);
  };
  try {
    results.assign(static_cast<size_t>(threads), 0.0);
    helpers.reserve(static_cast<size_t>(threads) - 1);
    for (int32_t i = 1; i < threads; ++i)
      helpers.emplace_back(work, i);
  } catch (...) {
    if (results.empty())
      return 0;
    // Fewer threads than asked for: count those that run.
    waiting.fetch_sub(threads - 1 - static_cast<int32_t>(helpers.size()));
  }
  work(0);
  for (std::thread &helper : helpers)
    helper.join();
  double sum = 0;
  for (double result : results)
    sum += result;
  return sum;
}
