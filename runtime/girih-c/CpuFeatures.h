//===- CpuFeatures.h - Instruction sets that a kernel may need ------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The compiler lets a kernel use these instruction sets beyond x86-64's baseline
// and no others, so that the runtime can tell before a launch whether the
// processor has what the kernel needs.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_C_CPUFEATURES_H
#define GIRIH_C_CPUFEATURES_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// X(bit of GirihKernelDesc::cpu_features, name); LLVM, GCC and Clang call them the
/// same. New ones go at the end.
#define GIRIH_CPU_FEATURES(X)                                                                      \
  X(0, "sse3")                                                                                     \
  X(1, "ssse3")                                                                                    \
  X(2, "sse4.1")                                                                                   \
  X(3, "sse4.2")                                                                                   \
  X(4, "popcnt")                                                                                   \
  X(5, "avx")                                                                                      \
  X(6, "avx2")                                                                                     \
  X(7, "fma")                                                                                      \
  X(8, "f16c")                                                                                     \
  X(9, "bmi")                                                                                      \
  X(10, "bmi2")                                                                                    \
  X(11, "lzcnt")                                                                                   \
  X(12, "movbe")                                                                                   \
  X(13, "adx")                                                                                     \
  X(14, "sse4a")                                                                                   \
  X(15, "fma4")                                                                                    \
  X(16, "xop")                                                                                     \
  X(17, "avx512f")                                                                                 \
  X(18, "avx512cd")                                                                                \
  X(19, "avx512bw")                                                                                \
  X(20, "avx512dq")                                                                                \
  X(21, "avx512vl")                                                                                \
  X(22, "avx512ifma")                                                                              \
  X(23, "avx512vbmi")                                                                              \
  X(24, "avx512vbmi2")                                                                             \
  X(25, "avx512vnni")                                                                              \
  X(26, "avx512bitalg")                                                                            \
  X(27, "avx512vpopcntdq")                                                                         \
  X(28, "avx512bf16")                                                                              \
  X(29, "avx512fp16")                                                                              \
  X(30, "avxvnni")                                                                                 \
  X(31, "gfni")                                                                                    \
  X(32, "amx-tile")                                                                                \
  X(33, "amx-int8")                                                                                \
  X(34, "amx-bf16")

/// The features that this processor has and its operating system lets programs use. On
/// Linux the first call asks it for AMX's tiles, which a process must do before it uses
/// them; without its leave there are no AMX features.
uint64_t girihCpuFeatures(void);

#ifdef __cplusplus
} // extern "C"
#endif

#endif // GIRIH_C_CPUFEATURES_H
