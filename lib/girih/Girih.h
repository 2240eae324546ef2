//===- Girih.h - The compiler's C API as C++ objects ------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// For programs that link libgirih.so. Header-only over girih-c/Compiler.h, whose
// comments hold here: handles own what they hold, errors are exceptions, and the
// program needs no LLVM and the library's compiler need not be its own.
//
//   girih::api::Session session;
//   girih::api::Pattern pattern = session.pattern("causal & window(left=1023)");
//   girih::api::Kernel kernel = session.compile(pattern, {/*headDim=*/64});
//   kernel.attention(q, k, v, o);
//
// In namespace girih::api, since girih::Session is that of the library itself.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_GIRIH_H
#define GIRIH_GIRIH_H

#include "girih-c/Compiler.h"

#include <array>
#include <cmath>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace girih::api {

/// A failed call: its GirihCode, and its message as what().
class Error : public std::runtime_error {
public:
  explicit Error(const GirihStatus &status)
      : std::runtime_error(status.message), reason(static_cast<GirihCode>(status.code)) {}
  GirihCode code() const noexcept { return reason; }

private:
  GirihCode reason;
};

namespace detail {

/// Calls a function whose last parameter is a status; throws what it says.
template <typename Function, typename... Arguments>
void call(Function function, Arguments... arguments) {
  GirihStatus status;
  if (function(arguments..., &status) != GIRIH_OK)
    throw Error(status);
}

/// Takes a text that the library handed out.
inline std::string takeText(char *text) {
  std::unique_ptr<char, void (*)(char *)> owner(text, girihTextFree);
  return text ? text : "";
}

template <typename Handle, void (*releaseHandle)(Handle *)> struct Releaser {
  void operator()(Handle *handle) const noexcept { releaseHandle(handle); }
};
template <typename Handle, void (*releaseHandle)(Handle *)>
using Owner = std::unique_ptr<Handle, Releaser<Handle, releaseHandle>>;

} // namespace detail

/// A borrowed tensor [batch, heads, tokens, dim], or lse without the last.
class Tensor {
public:
  /// `strides` are in elements; empty: contiguous.
  Tensor(void *data, GirihDType dtype, std::vector<int64_t> shape,
         std::vector<int64_t> strides = {}, DLDevice device = {kDLCPU, 0})
      : data(data), dtype(dtype), shape(std::move(shape)), strides(std::move(strides)),
        device(device) {
    if (!this->strides.empty() && this->strides.size() != this->shape.size())
      throw std::invalid_argument("expected as many strides as extents, " +
                                  std::to_string(this->shape.size()) + ", but got " +
                                  std::to_string(this->strides.size()));
  }

  /// Contiguous, on the CPU.
  static Tensor f32(float *data, std::vector<int64_t> shape) {
    return Tensor(data, GIRIH_F32, std::move(shape));
  }

  /// As DLPack has it; points into this object. The library writes to no shape or stride.
  DLTensor dlpack() const {
    DLTensor tensor{};
    tensor.data = data;
    tensor.device = device;
    tensor.ndim = static_cast<int>(shape.size());
    tensor.dtype.code = static_cast<uint8_t>(dtype == GIRIH_BF16 ? kDLBfloat : kDLFloat);
    tensor.dtype.bits = dtype == GIRIH_F32 ? 32 : 16;
    tensor.dtype.lanes = 1;
    tensor.shape = const_cast<int64_t *>(shape.data());
    tensor.strides = strides.empty() ? nullptr : const_cast<int64_t *>(strides.data());
    return tensor;
  }

private:
  void *data;
  GirihDType dtype;
  std::vector<int64_t> shape, strides;
  DLDevice device;
};

/// An array that a pattern names as `@name`. Copied by whoever parses with it.
struct Table {
  std::string name;
  std::vector<int64_t> values;
  std::vector<int64_t> shape; ///< empty: one dimension
};

class Pattern {
public:
  /// In the pattern language.
  std::string text() const {
    char *text = nullptr;
    detail::call(girihPatternText, get(), &text);
    return detail::takeText(text);
  }
  const GirihPattern *get() const { return handle.get(); }

private:
  friend class Session;
  explicit Pattern(GirihPattern *handle) : handle(handle) {}
  detail::Owner<GirihPattern, girihPatternRelease> handle;
};

/// What a kernel is compiled for.
struct CompileOptions {
  int32_t headDim = 64;
  int32_t vDim = 0; ///< 0: headDim
  GirihDType dtype = GIRIH_F32;
  GirihDType outputDtype = GIRIH_F32;
  DLDeviceType device = kDLCPU;
  GirihAlign align = GIRIH_BOTTOM_RIGHT;
  int32_t tileQ = 0, tileK = 0; ///< 0: chosen
  std::string chip;             ///< empty: the host, or the first GPU
};

/// How one launch runs.
struct LaunchOptions {
  float scale = NAN;           ///< NaN: 1 / sqrt(head dim)
  int threads = 0;             ///< CPU; 0: every core, or GIRIH_NUM_THREADS
  void *stream = nullptr;      ///< CUDA
  const Tensor *lse = nullptr; ///< [batch, heads, tokens] f32; null: not wanted
  /// What the launch did besides; null: not wanted. Asking costs a small launch more.
  GirihAttentionReport *report = nullptr;
};

/// Thread-safe.
class Kernel {
public:
  /// Computes attention into `o`: done when it returns on the CPU, enqueued on a GPU.
  void attention(const Tensor &q, const Tensor &k, const Tensor &v, const Tensor &o,
                 const LaunchOptions &options = {}) {
    const DLTensor tensors[] = {q.dlpack(), k.dlpack(), v.dlpack(), o.dlpack()};
    DLTensor lse{};
    GirihAttentionArgs args{};
    args.size = sizeof(args);
    args.threads = options.threads;
    args.q = &tensors[0];
    args.k = &tensors[1];
    args.v = &tensors[2];
    args.o = &tensors[3];
    if (options.lse) {
      lse = options.lse->dlpack();
      args.lse = &lse;
    }
    args.scale = options.scale;
    args.stream = options.stream;
    if (options.report)
      options.report->size = sizeof(*options.report);
    detail::call(girihAttention, handle.get(), &args, options.report);
  }

  /// The same code with the tables of another pattern.
  Kernel rebound(const Pattern &pattern) const {
    GirihKernel *made = nullptr;
    detail::call(girihKernelRebind, handle.get(), pattern.get(),
                 static_cast<const GirihScore *>(nullptr), &made);
    return Kernel(made);
  }
  double compileMs() const { return girihKernelCompileMs(handle.get()); }
  GirihKernel *get() const { return handle.get(); }

private:
  friend class Session;
  explicit Kernel(GirihKernel *handle) : handle(handle) {}

  detail::Owner<GirihKernel, girihKernelRelease> handle;
};

/// A compiler. Thread-safe; patterns and kernels may outlive it.
class Session {
public:
  /// With the user's disk cache.
  Session() : Session(nullptr) {}
  /// With a disk cache in `cacheDir`; empty: none. `cacheBytes` negative: the default.
  explicit Session(const std::string &cacheDir, int64_t cacheBytes = -1)
      : Session(
            std::make_unique<GirihSessionOptions>(
                GirihSessionOptions{sizeof(GirihSessionOptions), 0, cacheDir.c_str(), cacheBytes})
                .get()) {}

  /// Parses an expression of the pattern language.
  Pattern pattern(const std::string &text, const std::vector<Table> &tables = {}) const {
    std::vector<GirihTable> given;
    for (const Table &table : tables) {
      GirihTable entry{};
      entry.name = table.name.c_str();
      entry.data = table.values.data();
      entry.dtype = GIRIH_TABLE_I64;
      std::vector<int64_t> shape = table.shape;
      if (shape.empty())
        shape.push_back(static_cast<int64_t>(table.values.size()));
      int64_t elements = 1;
      for (int64_t extent : shape)
        elements *= extent;
      if (shape.size() > 4 || elements != static_cast<int64_t>(table.values.size()))
        throw std::invalid_argument("expected the shape of table '" + table.name +
                                    "' to have up to 4 extents of " +
                                    std::to_string(table.values.size()) + " values together");
      entry.rank = static_cast<int32_t>(shape.size());
      for (size_t i = 0; i != shape.size(); ++i)
        entry.shape[i] = shape[i];
      given.push_back(entry);
    }
    GirihPattern *made = nullptr;
    detail::call(girihPatternParse, handle.get(), text.c_str(), given.data(),
                 static_cast<int64_t>(given.size()), &made);
    return Pattern(made);
  }

  Kernel compile(const Pattern &pattern, const CompileOptions &options = {}) const {
    GirihCompileOptions given{};
    given.size = sizeof(given);
    given.device = options.device;
    given.dtype = options.dtype;
    given.o_dtype = options.outputDtype;
    given.head_dim = options.headDim;
    given.v_dim = options.vDim;
    given.align = options.align;
    given.tile_q = options.tileQ;
    given.tile_k = options.tileK;
    given.chip = options.chip.empty() ? nullptr : options.chip.c_str();
    GirihKernel *made = nullptr;
    detail::call(girihCompile, handle.get(), pattern.get(), &given, &made,
                 static_cast<int32_t *>(nullptr));
    return Kernel(made);
  }

  /// How many kernels were really compiled.
  int64_t compilations() const { return girihSessionCompilations(handle.get()); }
  GirihSession *get() const { return handle.get(); }

private:
  explicit Session(const GirihSessionOptions *options) {
    GirihSession *made = nullptr;
    detail::call(girihSessionCreate, options, &made);
    handle.reset(made);
  }
  detail::Owner<GirihSession, girihSessionRelease> handle;
};

} // namespace girih::api

#endif // GIRIH_GIRIH_H
