//===- Runtime.h - The ABI between compiled kernels, compiler and runtime -===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The one header that compiler and runtime share. Plain C11: a compiled kernel,
// the compiler that made it and the runtime that launches it may come from
// different builds, so everything that crosses between them is here, with a
// version and a magic number. README.md beside this folder goes through it
// field by field.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_C_RUNTIME_H
#define GIRIH_C_RUNTIME_H

#include "girih-c/BlockMap.h"
#include "girih-c/Status.h"

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Version of every struct in girih-c. A kernel with another version is refused.
#define GIRIH_ABI_VERSION 4u
/// "GIRI": the first word of a kernel descriptor.
#define GIRIH_MAGIC 0x47495249u

/// Element types of tensors. `lse` is always f32.
typedef enum GirihDType {
  GIRIH_F32 = 0,
  GIRIH_BF16 = 1,
  GIRIH_F16 = 2,
} GirihDType;

/// A borrowed rank-4 tensor `[batch, heads, tokens, dim]`. Strides count
/// elements and may be anything; CPU kernels want 1 for the last dimension.
typedef struct GirihView {
  void *data;
  int64_t shape[4];
  int64_t stride[4];
  int32_t dtype; ///< a GirihDType
  int32_t reserved;
} GirihView;

/// What the generated code of one launch reads. Filled by the runtime; the
/// generated code addresses it by byte offset, so the order is part of the ABI.
typedef struct GirihLaunch {
  GirihView q; ///< [B, Hq, Nq, D]
  GirihView k; ///< [B, Hkv, Nk, D]
  GirihView v; ///< [B, Hkv, Nk, Dv]
  /// [B, Hq, Nq, Dv] of the kernel's o_dtype, or f32: CPU kernels look at its dtype, so
  /// that parts of a cut task stay f32 until they are merged
  GirihView o;
  float *lse;    ///< [B, Hq, Nq] contiguous f32, natural log; may be null
  int64_t num_q; ///< Nq
  int64_t num_k; ///< Nk
  /// Absolute position of query 0: Nk - Nq (bottom_right) or 0 (top_left).
  int64_t q_offset;
  /// Absolute query end: Nk (bottom_right) or Nq (top_left).
  int64_t q_end;
  int64_t heads_per_kv; ///< Hq / Hkv
  float scale;          ///< multiplies q.k, before the score function
  int32_t reserved;
  /// One bound table for each table of the map program, in its order.
  const GirihBoundTable *tables;
  /// girihTableLanes, for masks: code that was loaded at run time need not find it by name.
  uint32_t (*table_lanes)(const GirihBoundTable *table, int64_t h, int64_t q, int64_t k,
                          int32_t lanes);
} GirihLaunch;

/// One unit of work: a q-tile of one head, and a part of its key list.
typedef struct GirihTask {
  int64_t batch;
  int64_t head;
  int64_t q_tile; ///< index of the q-tile
  const GirihRun *runs;
  int64_t num_runs;
} GirihTask;

/// A compiled CPU kernel: computes one task. `scratch` is 64-byte aligned,
/// `scratch_bytes` long, and private to the calling thread.
typedef void (*GirihCpuEntry)(const GirihLaunch *launch, const GirihTask *task, void *scratch);

typedef enum GirihAlign {
  GIRIH_BOTTOM_RIGHT = 0,
  GIRIH_TOP_LEFT = 1,
} GirihAlign;

/// What a compiled kernel says about itself.
typedef struct GirihKernelDesc {
  uint32_t magic;       ///< GIRIH_MAGIC
  uint32_t abi_version; ///< GIRIH_ABI_VERSION
  const char *name;     ///< for messages
  int32_t dtype;        ///< GirihDType of q, k and v
  int32_t align;        ///< a GirihAlign
  int32_t head_dim;     ///< D
  int32_t v_dim;        ///< Dv
  int32_t tile_q;       ///< rows of a q-tile
  int32_t tile_k;       ///< keys of a k-tile
  int64_t scratch_bytes;
  const GirihMapProgram *map;
  GirihCpuEntry entry;
  int32_t o_dtype; ///< GirihDType of o: f32, or `dtype`
  int32_t reserved;
  uint64_t cpu_features; ///< what `entry` needs: bits of CpuFeatures.h
} GirihKernelDesc;

/// Fills `launch` and `params` for these operands after checking them against
/// the descriptor: magic, version, dtypes, strides, head counts, lengths. `lse`
/// may be null. Nothing is copied. The caller adds the run-time operands of the
/// map program to `params` (one `GirihOperand` for each operand index that the
/// program names); girihBlockMapBuild checks them. girihLaunchCpu attaches the
/// bound tables of its map. Returns GIRIH_OK, or GIRIH_INVALID /
/// GIRIH_UNSUPPORTED with a message that names the argument.
int girihPrepareLaunch(const GirihKernelDesc *kernel, const GirihView *q, const GirihView *k,
                       const GirihView *v, const GirihView *o, float *lse, float scale,
                       GirihLaunch *launch, GirihMapParams *params, GirihStatus *status);

/// Options of a CPU launch.
typedef struct GirihCpuOptions {
  int32_t threads; ///< 0: every core
  int32_t reserved;
} GirihCpuOptions;

/// Runs a prepared launch on the CPU over `map` (built from the same program
/// and lengths) and waits for it. With one thread tasks run in order where the
/// call was made; with more, KV head by KV head and longest first, and a q-tile
/// that would keep one thread longer than the others is cut along its list into
/// parts that are merged by their log-sum-exp. A task whose list is empty reaches
/// the kernel too, which writes output 0 and LSE -inf. Denormals are flushed while
/// kernels run. Safe to call from several threads. GIRIH_UNSUPPORTED when the
/// processor lacks an instruction set of the kernel.
int girihLaunchCpu(const GirihKernelDesc *kernel, const GirihLaunch *launch,
                   const GirihBlockMap *map, const GirihCpuOptions *options, GirihStatus *status);

/// Bytes of memory that girihLaunchCpu would take for these arguments until it returns:
/// scratch of each thread, the order of the tasks, and the results of parts of q-tiles.
int girihCpuWorkspace(const GirihKernelDesc *kernel, const GirihLaunch *launch,
                      const GirihBlockMap *map, const GirihCpuOptions *options, int64_t *bytes,
                      GirihStatus *status);

/// GFLOP/s of a register-only f32 FMA loop on `threads` threads at once, with
/// the widest vectors that the CPU has; about 20 ms.
double girihCpuPeakGflops(int32_t threads);

/// Cores that a launch with threads = 0 uses.
int32_t girihCpuThreads(void);

#ifdef __cplusplus
} // extern "C"
#endif

#endif // GIRIH_C_RUNTIME_H
