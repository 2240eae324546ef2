//===- Cuda.h - Launching compiled kernels on NVIDIA GPUs -----------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The driver (libcuda.so.1) is loaded by dlopen when the first device is opened:
// a program that links the runtime starts on a machine without one, where
// girihCudaOpen says GIRIH_NO_DEVICE.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_C_CUDA_H
#define GIRIH_C_CUDA_H

#include "girih-c/Runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

/// A device, its primary context and what the runtime keeps there. Opaque.
typedef struct GirihCudaDevice GirihCudaDevice;
/// A loaded kernel. Opaque; belongs to the device it was loaded on.
typedef struct GirihCudaKernel GirihCudaKernel;
/// Task and run lists on the device for one block map. Opaque.
typedef struct GirihCudaPlan GirihCudaPlan;

/// A unit of work as the kernel reads it, in two 16-byte loads: `num_tiles`
/// k-tiles, at least one, of q-tile `q_tile` of (batch, head), listed by the runs
/// from `first_run` on. A row that sees nothing has one partial tile, whose mask
/// keeps no pair.
typedef struct GirihCudaTask {
  int32_t batch, head, kv_head, q_tile;
  int32_t first_run, num_tiles;
  /// -1: the task is the whole list of its q-tile, and writes o and lse. Else it
  /// is a part of it: where in `partial_o` and `partial_lse` its results go.
  int32_t slot;
  int32_t reserved;
} GirihCudaTask;

/// A q-tile whose list was split: merging the results of slots
/// [first_slot, first_slot + num_slots) gives its rows of o and lse.
typedef struct GirihCudaMerge {
  int32_t batch, head, q_tile;
  int32_t first_slot, num_slots;
  int32_t reserved[3];
} GirihCudaMerge;

/// What a compiled kernel reads besides the three tensor maps: its one other
/// parameter, by value. The generated code addresses it by byte offset.
typedef struct GirihCudaArguments {
  void *o;    ///< device, [B, Hq, Nq, Dv] of GirihKernelDesc::o_dtype
  float *lse; ///< device, contiguous [B, Hq, Nq] f32; may be null
  const GirihCudaTask *tasks;
  const GirihRun *runs;          ///< of every task; one empty run follows the last
  const GirihBoundTable *tables; ///< device copies, pointers into device memory
  int64_t o_stride[3];           ///< elements: batch, head, token
  int32_t num_q, num_k;
  int32_t q_offset, q_end;
  int32_t heads, heads_per_kv; ///< Hq, Hq / Hkv
  int32_t num_merges;
  float scale;
  /// Block i computes tasks [block_begin[i], block_begin[i + 1]), at least one.
  const int32_t *block_begin;
  const GirihCudaMerge *merges; ///< what the merge kernel does; null without splits
  /// [slots, tile_q, v_dim rounded up to a multiple of 8], each row normalised by its
  /// own sum; nobody reads the columns behind v_dim.
  float *partial_o;
  float *partial_lse; ///< [slots, tile_q], natural log, -inf for a row that saw nothing
  /// What kernels without tensor maps read instead of them: device, elements of 16
  /// bits; strides in elements: batch, head, token.
  const void *q, *k, *v;
  int64_t q_stride[3], k_stride[3], v_stride[3];
} GirihCudaArguments;

/// One tensor that is copied because its strides or its alignment are not what the
/// kernel can address. Rows are tokens; lines are heads of batches.
typedef struct GirihCudaCopy {
  const void *from; ///< device, elements of `element_bytes`
  void *to;
  int64_t from_stride[4], to_stride[4]; ///< elements: batch, head, row, column
  int32_t lines, heads;                 ///< batches * heads, heads
  int32_t rows, columns;
  int32_t element_bytes;   ///< 2; 4 for an o of f32
  int32_t blocks_per_line; ///< ceil(rows / GIRIH_CUDA_COPY_ROWS)
} GirihCudaCopy;

/// Rows that a block of the copy kernel copies.
#define GIRIH_CUDA_COPY_ROWS 32

/// The one parameter of the copy kernel, by value: up to three tensors.
typedef struct GirihCudaCopies {
  GirihCudaCopy copy[3];
} GirihCudaCopies;

/// What a compiled CUDA kernel says about itself.
typedef struct GirihCudaKernelDesc {
  GirihKernelDesc base; ///< `entry` null; `scratch_bytes` 0
  const char *function; ///< symbol of the kernel in the image
  /// Symbol of the kernel that merges split q-tiles: grid (tile_q / 4, num_merges),
  /// 128 threads, one warp a row; its one parameter is a GirihCudaArguments.
  /// Null: there is none, and plans split nothing.
  const char *merge_function;
  int32_t threads;                   ///< of a block
  int32_t shared_bytes;              ///< dynamic shared memory
  int32_t box_q, box_k;              ///< rows of a TMA box of q, and of k and v
  int32_t box_cols;                  ///< elements of a TMA box row: 64 (128 bytes)
  int32_t blocks_per_multiprocessor; ///< resident at a time; blocks are persistent
  /// 1: the parameters are three tensor maps (q, k, v) and a GirihCudaArguments.
  /// 0: the GirihCudaArguments alone; the boxes are not read.
  int32_t uses_tensor_maps;
  /// Bytes that data and strides of o are multiples of where the kernel and its merge
  /// function can store to it: a power of two from an element to 16.
  int32_t store_bytes;
  /// Symbol of the kernel that copies q, k and v that the kernel cannot read as they
  /// are, and an o that it cannot store to: grid (x, copies), 128 threads; its one
  /// parameter is a GirihCudaCopies. Block (x, y) copies, of tensor y, rows of line
  /// x / blocks_per_line from GIRIH_CUDA_COPY_ROWS * (x mod blocks_per_line) on;
  /// nothing where there is no such line. Null: there is none, and such tensors are
  /// refused.
  const char *copy_function;
} GirihCudaKernelDesc;

/// Number of devices; 0 without a driver.
int32_t girihCudaDeviceCount(void);

/// Opens device `ordinal`. GIRIH_NO_DEVICE without a driver or such a device,
/// GIRIH_UNSUPPORTED for a compute capability below 8.0.
int girihCudaOpen(int32_t ordinal, GirihCudaDevice **device, GirihStatus *status);
void girihCudaClose(GirihCudaDevice *device);
/// Name such as "NVIDIA H100 80GB HBM3"; borrowed from the device.
const char *girihCudaName(const GirihCudaDevice *device);
/// Ten times the compute capability: 90 for 9.0.
int32_t girihCudaCapability(const GirihCudaDevice *device);
int32_t girihCudaMultiprocessors(const GirihCudaDevice *device);

/// Device memory, for callers that have no allocator of their own.
int girihCudaAllocate(GirihCudaDevice *device, int64_t bytes, void **memory, GirihStatus *status);
void girihCudaFree(GirihCudaDevice *device, void *memory);
int girihCudaCopyIn(GirihCudaDevice *device, void *to, const void *from, int64_t bytes,
                    GirihStatus *status);
int girihCudaCopyOut(GirihCudaDevice *device, void *to, const void *from, int64_t bytes,
                     GirihStatus *status);
/// Sets every byte to `value`.
int girihCudaFill(GirihCudaDevice *device, void *memory, int value, int64_t bytes,
                  GirihStatus *status);
int girihCudaSynchronize(GirihCudaDevice *device, GirihStatus *status);

/// Loads a cubin, or PTX text (NUL-terminated; compiled by the driver). GIRIH_UNSUPPORTED
/// for an image that is not for this device: a cubin for another compute capability, PTX
/// for a higher one.
int girihCudaLoad(GirihCudaDevice *device, const GirihCudaKernelDesc *desc, const void *image,
                  int64_t image_bytes, GirihCudaKernel **kernel, GirihStatus *status);
/// The same for an image in a file, as girih-compile writes it.
int girihCudaLoadFile(GirihCudaDevice *device, const GirihCudaKernelDesc *desc, const char *path,
                      GirihCudaKernel **kernel, GirihStatus *status);
void girihCudaUnload(GirihCudaKernel *kernel);

/// Puts tasks, runs and bound tables of `map` on the device. Each task goes to the block
/// with the least work so far, longest first inside groups of heads that fit the L2 cache.
/// The map may be freed afterwards. `launch` was filled by girihPrepareLaunch.
///
/// When some q-tiles have far longer lists than a block has work on average, and the kernel
/// has a merge function, they are split, and the plan holds a workspace for their parts.
///
/// Kernels read q, k and v as they are when data and strides are multiples of 16 bytes,
/// strides are neither negative nor 2^40 bytes or more, and columns are contiguous (strides
/// of extents of 1 are not read); they store to o when columns are contiguous and all else
/// is a multiple of GirihCudaKernelDesc::store_bytes. Any other tensor is copied by every
/// launch, and the plan holds the copy: those of `launch` that have to be copied get room.
/// So a plan serves every launch with the same lengths and head counts, each of whose
/// tensors needs no copy or one no larger than that of the same tensor of this `launch`;
/// girihCudaLaunch refuses others. Strides and alignments matter, not addresses.
///
/// A plan with splits or copies has memory that a launch writes: its launches must run one
/// after another, on one stream or ordered by events. Launches that may overlap need plans
/// of their own. A plan can be made while a stream is captured to a CUDA graph: what that
/// does is no part of the graph.
int girihCudaPlanCreate(GirihCudaDevice *device, const GirihCudaKernelDesc *desc,
                        const GirihBlockMap *map, const GirihMapProgram *program,
                        const GirihLaunch *launch, GirihCudaPlan **plan, GirihStatus *status);
void girihCudaPlanFree(GirihCudaPlan *plan);
/// 1 when launches of the plan may overlap: it has neither splits nor copies.
int32_t girihCudaPlanMayOverlap(const GirihCudaPlan *plan);
/// 1 once a stream or a graph has got a part of a launch of the plan, be it of one that
/// failed later on: the plan's memory may be used.
int32_t girihCudaPlanIsEnqueued(const GirihCudaPlan *plan);
/// Bytes of q, k, v and o that a launch with the tensors that the plan was made for copies;
/// 0 when the kernel takes all of them as they are.
int64_t girihCudaPlanCopiedBytes(const GirihCudaPlan *plan);

/// What launches need to know of a stream.
typedef struct GirihCudaStreamInfo {
  uint64_t id;       ///< no other stream of the process has it, or had it; 0 while capturing
  int32_t capturing; ///< whether what is enqueued becomes part of a CUDA graph
  int32_t reserved;
} GirihCudaStreamInfo;

/// Asks the driver about `stream`: a CUstream, or null, 0x1 and 0x2 for the default stream,
/// the legacy one and that of the calling thread. GIRIH_INVALID for a stream of another device
/// or of another context than the primary one.
int girihCudaStreamQuery(GirihCudaDevice *device, void *stream, GirihCudaStreamInfo *info,
                         GirihStatus *status);

/// Enqueues on `stream` (a CUstream; null: the default stream) copies of the tensors that
/// the kernel cannot read as they are, if there are any, the kernel, the merge kernel if
/// the plan has split q-tiles, and the copy to an o that the kernel cannot store to. Views
/// are device memory, aligned to their elements. Nothing is allocated or waited for, so a
/// launch can be captured in a CUDA graph. `launch` was filled by girihPrepareLaunch.
int girihCudaLaunch(GirihCudaKernel *kernel, const GirihLaunch *launch, const GirihCudaPlan *plan,
                    void *stream, GirihStatus *status);

/// Milliseconds between two points of the default stream around `repeat` launches,
/// measured by events, one entry each. Warms up first.
int girihCudaTime(GirihCudaKernel *kernel, const GirihLaunch *launch, const GirihCudaPlan *plan,
                  int32_t warmup, int32_t repeat, double *milliseconds, GirihStatus *status);

#ifdef __cplusplus
} // extern "C"
#endif

#endif // GIRIH_C_CUDA_H
