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
#include <cstdint>
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

/// A text as C has it, which would end at a zero byte; throws where there is one.
inline const char *plain(const char *what, const std::string &text) {
  if (const size_t zero = text.find('\0'); zero != std::string::npos)
    throw std::invalid_argument(std::string("expected ") + what +
                                " without zero bytes, but got one at " + std::to_string(zero));
  return text.c_str();
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

/// An array that a text names as `@name`. Copied by whoever parses with it.
struct Table {
  std::string name;
  std::vector<int64_t> values;
  std::vector<int64_t> shape;  ///< empty: one dimension
  std::vector<float> floats{}; ///< in place of `values`, for score functions
};

/// Lengths that a pattern is asked about.
struct Lengths {
  int64_t numQ, numK;
  int64_t batch = 1, heads = 1, kvHeads = 1;
  GirihAlign align = GIRIH_BOTTOM_RIGHT;

  GirihLengths get() const {
    return {sizeof(GirihLengths), align, batch, heads, kvHeads, numQ, numK};
  }
};

class Pattern {
public:
  /// In the pattern language.
  std::string text() const {
    char *text = nullptr;
    detail::call(girihPatternText, get(), &text);
    return detail::takeText(text);
  }
  /// Whether each pair attends: [batch, heads, numQ, numK], for looking and for checking.
  std::vector<uint8_t> mask(const Lengths &lengths) const {
    const GirihLengths given = lengths.get();
    int64_t shape[] = {given.batch, given.heads, given.num_q, given.num_k};
    size_t pairs = 1;
    for (int64_t extent : shape) {
      if (extent < 1 || pairs > PTRDIFF_MAX / static_cast<size_t>(extent))
        throw std::invalid_argument(
            "expected lengths from 1 on with less than 2^63 pairs, but got " +
            std::to_string(extent));
      pairs *= static_cast<size_t>(extent);
    }
    std::vector<uint8_t> pixels(pairs);
    DLTensor tensor{};
    tensor.data = pixels.data();
    tensor.device = {kDLCPU, 0};
    tensor.ndim = 4;
    tensor.dtype = {kDLUInt, 8, 1};
    tensor.shape = shape;
    detail::call(girihPatternMask, get(), &given, &tensor);
    return pixels;
  }
  const GirihPattern *get() const { return handle.get(); }

private:
  friend class Session;
  explicit Pattern(GirihPattern *handle) : handle(handle) {}
  detail::Owner<GirihPattern, girihPatternRelease> handle;
};

/// A function of scores.
class Score {
public:
  const GirihScore *get() const { return handle.get(); }

private:
  friend class Session;
  explicit Score(GirihScore *handle) : handle(handle) {}
  detail::Owner<GirihScore, girihScoreRelease> handle;
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
  std::string chip;             ///< empty: the host, or what the GPU has
  int32_t deviceId = 0;         ///< which GPU that is
  const Score *score = nullptr; ///< null: none
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

  /// The same code with the tables of another pattern, and of another score unless null.
  Kernel rebound(const Pattern &pattern, const Score *score = nullptr) const {
    GirihKernel *made = nullptr;
    detail::call(girihKernelRebind, handle.get(), pattern.get(), score ? score->get() : nullptr,
                 &made);
    return Kernel(made);
  }
  /// Whether a CUDA graph has a launch of it (girihKernelIsCaptured).
  bool isCaptured() const { return girihKernelIsCaptured(handle.get()) != 0; }
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
      : Session(std::make_unique<GirihSessionOptions>(
                    GirihSessionOptions{sizeof(GirihSessionOptions), 0,
                                        detail::plain("cacheDir", cacheDir), cacheBytes})
                    .get()) {}

  /// Parses an expression of the pattern language.
  Pattern pattern(const std::string &text, const std::vector<Table> &tables = {}) const {
    return Pattern(parsed<GirihPattern>(girihPatternParse, text, tables));
  }

  /// Parses a score function.
  Score score(const std::string &text, const std::vector<Table> &tables = {}) const {
    return Score(parsed<GirihScore>(girihScoreParse, text, tables));
  }

  /// What a pattern keeps, skips and costs at these lengths, with f32 and head dim 64.
  std::string explain(const Pattern &pattern, const Lengths &lengths,
                      GirihReport report = GIRIH_REPORT_TEXT) const {
    const GirihLengths given = lengths.get();
    char *text = nullptr;
    detail::call(girihExplain, handle.get(), pattern.get(), &given,
                 static_cast<const GirihCompileOptions *>(nullptr), static_cast<int32_t>(report),
                 &text);
    return detail::takeText(text);
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
    given.device_id = options.deviceId;
    given.chip = options.chip.empty() ? nullptr : detail::plain("chip", options.chip);
    given.score = options.score ? options.score->get() : nullptr;
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

  /// As the C API takes it; points into `table`.
  static GirihTable entryOf(const Table &table) {
    const bool isFloat = !table.floats.empty();
    const size_t count = isFloat ? table.floats.size() : table.values.size();
    if (isFloat && !table.values.empty())
      throw std::invalid_argument("expected values or floats of table '" + table.name +
                                  "', but got both");
    std::vector<int64_t> shape = table.shape;
    if (shape.empty())
      shape.push_back(static_cast<int64_t>(count));
    bool fits = shape.size() <= 4;
    size_t elements = 1;
    for (int64_t extent : shape) {
      fits &= extent >= 0 && (extent == 0 || elements <= SIZE_MAX / static_cast<size_t>(extent));
      elements *= static_cast<size_t>(extent);
    }
    if (!fits || elements != count)
      throw std::invalid_argument("expected the shape of table '" + table.name +
                                  "' to have up to 4 extents of " + std::to_string(count) +
                                  " values together");
    GirihTable entry{};
    entry.name = detail::plain("the name of a table", table.name);
    entry.data = isFloat ? static_cast<const void *>(table.floats.data()) : table.values.data();
    entry.dtype = isFloat ? GIRIH_TABLE_F32 : GIRIH_TABLE_I64;
    entry.rank = static_cast<int32_t>(shape.size());
    for (size_t i = 0; i != shape.size(); ++i)
      entry.shape[i] = shape[i];
    return entry;
  }

  template <typename Handle, typename Function>
  Handle *parsed(Function parse, const std::string &text, const std::vector<Table> &tables) const {
    std::vector<GirihTable> given;
    for (const Table &table : tables)
      given.push_back(entryOf(table));
    Handle *made = nullptr;
    detail::call(parse, handle.get(), detail::plain("a text", text), given.data(),
                 static_cast<int64_t>(given.size()), &made);
    return made;
  }

  detail::Owner<GirihSession, girihSessionRelease> handle;
};

} // namespace girih::api

#endif // GIRIH_GIRIH_H
