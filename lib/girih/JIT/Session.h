//===- Session.h - Compile patterns to kernels and launch them --*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The embedding API of the compiler. A session owns an MLIR context and a JIT
// and hands out kernels. Lengths, batch and head counts are run-time values: a
// kernel serves every shape of its pattern, dtype and head dims.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_JIT_SESSION_H
#define GIRIH_JIT_SESSION_H

#include "girih-c/Cuda.h"
#include "girih/Frontend/Pattern.h"
#include "girih/Frontend/Score.h"

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace llvm {
class Function;
} // namespace llvm

namespace girih {

/// What a kernel is compiled for. Everything here is part of its key.
struct CompileOptions {
  GirihDType dtype = GIRIH_F32; ///< of q, k and v
  /// Of o: GIRIH_F32, or `dtype`, to which sums in f32 are rounded once (to nearest, ties
  /// to even). Unset: f32 on a CPU, `dtype` on a GPU.
  std::optional<GirihDType> oDtype;
  int64_t headDim = 64; ///< D of q and k, 1 to 256
  int64_t vDim = 0;     ///< Dv, 1 to 256; 0 means headDim
  GirihAlign align = GIRIH_BOTTOM_RIGHT;
  int64_t tileQ = 0, tileK = 0; ///< 0: chosen by girih-choose-tiling
  /// Empty: the host. Otherwise what CpuTarget::named takes: an LLVM CPU name such as
  /// "x86-64-v3", with features as in "sapphirerapids,-amx-bf16" if need be.
  std::string cpu;
  /// What kernels for cuda are for: "sm_90a" (Hopper), or "sm_80", "sm_86", "sm_89",
  /// which have the mma.sync path. Not read for the CPU.
  std::string chip = "sm_90a";
  Score score; ///< may be none
};

/// Timing and counts of one launch.
struct LaunchReport {
  double mapMs = 0; ///< deriving the block map; 0 when it was cached
  bool mapCached = false;
  int64_t workspaceBytes = 0; ///< memory that the launch took and gave back
};

/// A kernel that can be launched. Thread-safe; outlives its session.
class CompiledKernel {
public:
  virtual ~CompiledKernel() = default;

  /// The descriptor that the runtime reads. Owned by the kernel.
  virtual const GirihKernelDesc &desc() const = 0;

  /// Computes `o` and, unless null, `lse` (contiguous [B, Hq, Nq]). Views are
  /// borrowed for the call. `operands` are the run-time operands of the pattern
  /// in the order of `patternOperands`. `threads` 0 means every core.
  virtual llvm::Error launch(const GirihView &q, const GirihView &k, const GirihView &v,
                             const GirihView &o, float *lse, float scale,
                             llvm::ArrayRef<GirihOperand> operands, int threads,
                             LaunchReport *report = nullptr) = 0;

  /// The block map for these lengths: cached, shared by every launch of them.
  virtual llvm::Expected<std::shared_ptr<const GirihBlockMap>>
  blockMap(const GirihMapParams &params, double *mapMs = nullptr) = 0;

  /// Milliseconds from the pattern to callable code, and whether the code came
  /// from the session's or the disk's cache.
  virtual double compileMs() const = 0;
};

class MapProgram;

/// Digits of an id that symbols carry.
inline constexpr size_t shortIdDigits = 16;

/// A kernel for a CPU as an object file, to be linked elsewhere.
struct CpuCode {
  GirihKernelDesc desc{};    ///< `entry` null: it is a function of the object
  std::string id;            ///< 64 hex digits: hash of all that decides the code
  std::string cpu, features; ///< as LLVM names them
  llvm::SmallVector<char, 0> object;
  std::shared_ptr<MapProgram> program; ///< what desc.map points to
};

/// Adds to the optimised module of a CPU kernel, whose function is \p entry, what its
/// object file is to hold besides. `object` of the code is still empty.
using ObjectFinisher = llvm::function_ref<llvm::Error(llvm::Function &entry, const CpuCode &code)>;

/// A kernel for an NVIDIA GPU: what girihCudaLoad takes.
struct CudaCode {
  GirihCudaKernelDesc desc{}; ///< points into this object
  std::string id;             ///< 64 hex digits: hash of all that decides the code
  /// Symbols of the three kernels; they end in digits of `id`, so that a descriptor loads
  /// no image but its own.
  std::string function, mergeFunction, copyFunction;
  std::string ptx;         ///< empty when the cubin came from the disk cache
  std::vector<char> cubin; ///< empty where ptxas is not installed
  /// What ptxas complained about: spills, serialised products. Empty is good.
  std::vector<std::string> complaints;
  double compileMs = 0;
  std::shared_ptr<MapProgram> program; ///< what desc.base.map points to
};

/// A pattern as the map engine takes it, with its run-time operands, and the tile
/// that a kernel for the CPU has.
struct PatternProgram {
  std::shared_ptr<const GirihMapProgram> program;
  std::vector<GirihOperand> operands; ///< borrowed from the pattern's tree
  int32_t tileQ = 0, tileK = 0;
};

/// Settings of a session.
struct SessionOptions {
  /// Folder of the disk cache. Unset: the user's, as GIRIH_CACHE_DIR, XDG_CACHE_HOME
  /// and ~/.cache/girih say; empty: no disk cache.
  std::optional<std::string> cacheDir;
  /// Beyond this many bytes of kernels the least recently used go; 0: no limit.
  /// Unset: GIRIH_CACHE_SIZE, or 256 MiB.
  std::optional<uint64_t> cacheBytes = std::nullopt;

  /// Settings that leave the disk alone.
  static SessionOptions uncached() { return {"", std::nullopt}; }
};

/// Thread-safe. Concurrent requests for one kernel compile it once.
class Session {
public:
  /// Fails with GIRIH_INVALID when GIRIH_CACHE_SIZE is no size.
  static llvm::Expected<std::unique_ptr<Session>> create(const SessionOptions &options = {});
  virtual ~Session() = default;

  /// Compiles, or returns the kernel already compiled for an equal pattern and
  /// options. Values of run-time operands do not matter for that.
  /// `cacheHit`, unless null, tells whether nothing had to be compiled.
  virtual llvm::Expected<std::shared_ptr<CompiledKernel>>
  compile(const Pattern &pattern, const CompileOptions &options, bool *cacheHit = nullptr) = 0;

  /// The same as an object file, past all caches.
  virtual llvm::Expected<CpuCode>
  compileObject(const Pattern &pattern, const CompileOptions &options, ObjectFinisher finish) = 0;

  /// The same for an NVIDIA GPU (options.chip). Needs none. Inputs are bf16 or f16;
  /// f32, and a chip that has no path, are GIRIH_UNSUPPORTED.
  virtual llvm::Expected<std::shared_ptr<const CudaCode>>
  compileCuda(const Pattern &pattern, const CompileOptions &options, bool *cacheHit = nullptr) = 0;

  /// The first half of compile, up to block maps: a few milliseconds, no code.
  /// For reports, which ask about many patterns and launch none. With \p cuda the tiles are
  /// those that kernels for options.chip have.
  virtual llvm::Expected<PatternProgram>
  analyze(const Pattern &pattern, const CompileOptions &options, bool cuda = false) = 0;

  /// The IR after a stage: girih, blocks, tile, cpu, llvm, or asm; with \p cuda for
  /// options.chip: ws (Hopper only) instead of cpu, and ptx instead of asm.
  virtual llvm::Expected<std::string> emit(const Pattern &pattern, const CompileOptions &options,
                                           llvm::StringRef stage, bool cuda = false) = 0;

  /// How many kernels this session has really compiled.
  virtual int64_t compilations() const = 0;

  /// Why kernels could not be written to the disk cache, for people; empty while all
  /// were. No compilation fails for that.
  virtual std::string cacheProblem() const = 0;
};

/// A table that lookups read as a run-time operand, borrowed from it.
GirihOperand tableOperand(const TableData &table);

/// The run-time operands of a pattern and a score, borrowed from their trees: those of
/// `patternTables`, then `kernelLookups`.
std::vector<GirihOperand> patternOperands(const Pattern &pattern, const Score &score = {});

/// Lengths of a launch as the map engine takes them; operands are borrowed.
GirihMapParams mapParams(int64_t batch, int64_t heads, int64_t numQ, int64_t numK, GirihAlign align,
                         llvm::ArrayRef<GirihOperand> operands, const GirihKernelDesc &kernel);

} // namespace girih

#endif // GIRIH_JIT_SESSION_H
