//===- Compiler.h - The compiler as a C library ---------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From the text of a pattern to attention over DLPack tensors, in plain C11.
// `libgirih.so` exports this header and the runtime's headers beside it, and
// nothing else.
//
// A session compiles. A pattern, and a score function, are parsed in a session
// and may carry tables: arrays of integers that are operands of a launch, so that
// other values compile nothing. A kernel is compiled code and the tables of the
// pattern and the score that it was compiled with.
//
// Versions. GIRIH_COMPILER_API_VERSION grows with every addition; version 1 is
// open until the first release. From then on, symbols,
// enumerators and fields at the end of structs that start with their size may be
// added; none is removed or changed. Structs whose first field is `size` are
// filled by the caller, who sets `size` to sizeof the struct as he knows it.
//
// Threads. Everything may be called from any thread at any time, unless a comment
// says otherwise; concurrent requests for one kernel compile it once. Releasing an
// object while another call uses it is an error of the caller.
//
// Forks. What was made before fork() cannot be used by the child: every call with
// it there is GIRIH_INVALID, releasing excepted. The child makes a session of its own.
//
// Ownership. A function that fills a pointer to an opaque object hands out a
// reference, which the function called ...Release gives back; null is ignored
// there. Patterns, scores and kernels keep alive what they need, so objects may be
// released in any order. Texts that are handed out are freed by girihTextFree.
// Arguments are borrowed for the call, unless a comment says otherwise.
//
// Errors. Functions that can fail return a GirihCode and, unless `status` is null,
// write it there with a message that names the argument. Outputs are written on
// GIRIH_OK only.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_C_COMPILER_H
#define GIRIH_C_COMPILER_H

#include "girih-c/Runtime.h"

#include <dlpack/dlpack.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// Version of this header.
#define GIRIH_COMPILER_API_VERSION 1u

/// What a library says about itself. Fields may be added at the end.
typedef struct GirihLibraryInfo {
  uint32_t magic;       ///< GIRIH_MAGIC
  uint32_t abi_version; ///< GIRIH_ABI_VERSION of the structs of compiled kernels
  uint32_t api_version; ///< GIRIH_COMPILER_API_VERSION
  uint32_t size;        ///< sizeof(GirihLibraryInfo) there
  const char *version;  ///< such as "0.1.0"
  const char *llvm;     ///< version of LLVM
} GirihLibraryInfo;

/// Never null; lives as long as the library.
const GirihLibraryInfo *girihLibraryInfo(void);

/// Frees a text that a function of this header handed out.
void girihTextFree(char *text);

//===----------------------------------------------------------------------===//
// Sessions
//===----------------------------------------------------------------------===//

/// A compiler: IR, JIT and the kernels that it has made.
typedef struct GirihSession GirihSession;

typedef struct GirihSessionOptions {
  uint32_t size;
  uint32_t reserved; ///< 0
  /// Folder of the disk cache. Null: the user's, as GIRIH_CACHE_DIR, XDG_CACHE_HOME
  /// and ~/.cache/girih say; empty: no disk cache.
  const char *cache_dir;
  /// Beyond this many bytes of kernels the least recently used go. Negative:
  /// GIRIH_CACHE_SIZE, or 256 MiB; 0: no limit.
  int64_t cache_bytes;
} GirihSessionOptions;

/// `options` may be null.
int girihSessionCreate(const GirihSessionOptions *options, GirihSession **session,
                       GirihStatus *status);
void girihSessionRelease(GirihSession *session);

/// How many kernels the session has really compiled, neither found in memory nor on disk.
int64_t girihSessionCompilations(const GirihSession *session);

/// Why kernels could not be written to the disk cache, for people; null while all were.
char *girihSessionCacheProblem(const GirihSession *session);

//===----------------------------------------------------------------------===//
// Patterns and scores
//===----------------------------------------------------------------------===//

/// A set of (batch, head, query, key) that attend. Immutable.
typedef struct GirihPattern GirihPattern;
/// A function of scores. Immutable.
typedef struct GirihScore GirihScore;

/// An array that a text names as `@name`: offsets of segments, lists of a block table, or
/// what `@name[...]` looks up. Contiguous in C order.
typedef struct GirihTable {
  const char *name; ///< a letter or _, then letters, digits, _
  const void *data; ///< host memory; int64, or f32 where `dtype` says so
  int32_t dtype;    ///< GIRIH_TABLE_I64 or GIRIH_TABLE_F32
  int32_t rank;     ///< 1 to 4
  int64_t shape[4]; ///< of the first `rank` dimensions
} GirihTable;

enum {
  GIRIH_TABLE_I64 = 0, ///< values that are looked up must fit 32 bits
  GIRIH_TABLE_F32 = 1, ///< looked up by score functions only
};

/// Parses an expression of the pattern language, which ends at a NUL. `tables` are copied. `@name`
/// that no table has is a file, as on command lines. Fails with GIRIH_INVALID and a message with
/// the line and a caret.
int girihPatternParse(GirihSession *session, const char *text, const GirihTable *tables,
                      int64_t num_tables, GirihPattern **pattern, GirihStatus *status);
void girihPatternRelease(GirihPattern *pattern);

/// The pattern in the pattern language.
int girihPatternText(const GirihPattern *pattern, char **text, GirihStatus *status);

/// Parses a score function: an expression over `score` (after scale), b, h, q, k, nq and
/// nk in the score language (README.md). `tables` as for patterns, of either dtype.
int girihScoreParse(GirihSession *session, const char *text, const GirihTable *tables,
                    int64_t num_tables, GirihScore **score, GirihStatus *status);
void girihScoreRelease(GirihScore *score);

/// Lengths that questions about a pattern are asked for.
typedef struct GirihLengths {
  uint32_t size;
  int32_t align; ///< a GirihAlign
  int64_t batch, heads, kv_heads;
  int64_t num_q, num_k;
} GirihLengths;

/// Writes whether each pair attends into `mask`: host memory, bool or uint8, [batch, heads,
/// num_q, num_k], contiguous. For looking at and for checking: it takes as long as there
/// are pairs. Fails where a launch of these lengths would, as for a table that is too short.
int girihPatternMask(const GirihPattern *pattern, const GirihLengths *lengths, const DLTensor *mask,
                     GirihStatus *status);

/// What girihExplain writes.
typedef enum GirihReport {
  GIRIH_REPORT_TEXT = 0, ///< for a terminal of 100 columns, with a picture
  GIRIH_REPORT_JSON = 1,
  GIRIH_REPORT_SVG = 2,
} GirihReport;

typedef struct GirihCompileOptions GirihCompileOptions;

/// What a pattern keeps, skips and costs at given lengths, as girih-explain says. Takes
/// seconds for a million tokens, and compiles no code. `options` may be null: f32, head dim
/// 64, on the CPU; its align is that of `lengths`, and tiles are those of its device.
int girihExplain(GirihSession *session, const GirihPattern *pattern, const GirihLengths *lengths,
                 const GirihCompileOptions *options, int32_t report, char **text,
                 GirihStatus *status);

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

/// Compiled code and the tables that it reads.
typedef struct GirihKernel GirihKernel;

struct GirihCompileOptions {
  uint32_t size;
  int32_t device;    ///< DLDeviceType: kDLCPU or kDLCUDA
  int32_t dtype;     ///< GirihDType of q, k and v
  int32_t o_dtype;   ///< GirihDType of o: f32, or `dtype`
  int32_t head_dim;  ///< D of q and k, 1 to 256
  int32_t v_dim;     ///< Dv, 1 to 256; 0: head_dim
  int32_t align;     ///< a GirihAlign
  int32_t tile_q;    ///< rows of a q-tile; 0: chosen
  int32_t tile_k;    ///< keys of a k-tile; 0: chosen
  int32_t device_id; ///< kDLCUDA: the device that `chip` null speaks of; else 0
  /// For kDLCPU an LLVM CPU name; null: the host. For kDLCUDA "sm_90a", "sm_80", "sm_86"
  /// or "sm_89"; null: what the device has, or sm_90a where there is none at all.
  const char *chip;
  const GirihScore *score; ///< of the same session; null: none
};

/// Compiles, or finds the kernel of an equal pattern, score and options in memory or on
/// disk. Lengths, batch, head counts and values of tables play no part. `pattern` is one
/// of this session. `cache_hit`, unless null: whether nothing was compiled.
int girihCompile(GirihSession *session, const GirihPattern *pattern,
                 const GirihCompileOptions *options, GirihKernel **kernel, int32_t *cache_hit,
                 GirihStatus *status);
/// Waits for what was enqueued on GPUs. Not while a stream of one of them is captured to a
/// CUDA graph: waiting would end the capture. Graphs that captured a launch of the kernel
/// need it for as long as they run.
void girihKernelRelease(GirihKernel *kernel);

/// Milliseconds from pattern to callable code.
double girihKernelCompileMs(const GirihKernel *kernel);

/// Whether a launch of the kernel has become part of a CUDA graph. Replays use memory of the
/// kernel: who cannot tell when the last of such graphs is gone does not release it.
int32_t girihKernelIsCaptured(const GirihKernel *kernel);

/// The IR after a stage, as `girih-run --emit` prints it: girih, blocks, tile, cpu, ws,
/// llvm, asm or ptx.
int girihEmit(GirihSession *session, const GirihPattern *pattern,
              const GirihCompileOptions *options, const char *stage, char **text,
              GirihStatus *status);

/// Tensors of one launch. All are on one device, which is the kernel's, and no extent is 0.
/// Strides are anything on a GPU; on the CPU the last dimension of each is contiguous. The
/// elements of o have memory of their own. From the first element of o to its last there is
/// no other tensor, nor an input in lse: outputs are written while inputs are still read.
typedef struct GirihAttentionArgs {
  uint32_t size;
  int32_t threads;     ///< CPU: up to 4096; 0: every core, or GIRIH_NUM_THREADS
  const DLTensor *q;   ///< [B, Hq, Nq, D]
  const DLTensor *k;   ///< [B, Hkv, Nk, D], Hq a multiple of Hkv
  const DLTensor *v;   ///< [B, Hkv, Nk, Dv]
  const DLTensor *o;   ///< [B, Hq, Nq, Dv] of the kernel's o_dtype; written
  const DLTensor *lse; ///< [B, Hq, Nq] f32, contiguous; written. Null: not wanted
  float scale;         ///< multiplies q.k; NaN: 1 / sqrt(D)
  uint32_t reserved;   ///< 0
  void *stream;        ///< a CUstream of the tensors' device; null: its default stream
} GirihAttentionArgs;

/// What a launch did besides. Fields may be added at the end.
typedef struct GirihAttentionReport {
  uint32_t size;
  int32_t map_cached;      ///< whether the block map of these lengths was there
  double map_ms;           ///< deriving it
  int64_t workspace_bytes; ///< CPU: memory that the launch took and gave back
  int64_t copied_bytes;    ///< GPU: of tensors that the kernel cannot address as they are
} GirihAttentionReport;

/// Computes attention: o = softmax(score(scale * q k^T)) v over the pairs of the pattern,
/// lse its natural log-sum-exp; a query that sees nothing gives 0 and -inf. Returns when
/// it is done on the CPU, and when it is enqueued on a GPU. `report` may be null. Launches
/// on different streams may overlap. o and lse share no element with q, k, v and each other,
/// but may be interleaved with them, as in a buffer [B, N, 4, H, D] of all four; nothing
/// else there is written. Nothing is copied but what copied_bytes says. NaN or
/// infinity in v at keys that a query does not attend to reach it if they share a tile.
int girihAttention(GirihKernel *kernel, const GirihAttentionArgs *args,
                   GirihAttentionReport *report, GirihStatus *status);

/// A kernel with the code of `kernel` and the tables of `pattern` and `score` (null: those
/// of `kernel`), which differ from its own in the values and lengths of tables only.
/// GIRIH_INVALID when they differ in more. Compiles nothing, and takes microseconds.
int girihKernelRebind(const GirihKernel *kernel, const GirihPattern *pattern,
                      const GirihScore *score, GirihKernel **rebound, GirihStatus *status);

#ifdef __cplusplus
} // extern "C"
#endif

#endif // GIRIH_C_COMPILER_H
