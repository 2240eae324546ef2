//===- Problem.h - A pattern, its kernel and operands on a device -*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Calls return what went wrong as a string, empty if nothing.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_TEST_GPU_API_PROBLEM_H
#define GIRIH_TEST_GPU_API_PROBLEM_H

#include "girih-c/Cuda.h"
#include "girih/JIT/Session.h"

#include <memory>
#include <string>
#include <vector>

namespace girih::gputest {

/// What is launched, whatever the device. Batch 1, bf16.
struct Workload {
  std::string name;
  Pattern pattern;
  int64_t heads = 1, kvHeads = 1, numQ = 0, numK = 0;
  int64_t dim = 64, vDim = 64;
  std::shared_ptr<const CudaCode> code;
};

/// How the tensors of a problem lie in memory. The default is contiguous.
struct Layout {
  bool tokensOutside = false; ///< [N, H, D] instead of [H, N, D]
  int64_t step = 1;           ///< elements from a column to the next
  int64_t gap = 0;            ///< elements behind each row
  int64_t shift = 0;          ///< elements before the first row
};

template <typename T> using Owned = std::unique_ptr<T, void (*)(T *)>;

/// Device memory; freed with this.
class Buffer {
public:
  Buffer() = default;
  ~Buffer() { girihCudaFree(device, memory); }
  Buffer(const Buffer &) = delete;
  Buffer &operator=(const Buffer &) = delete;
  std::string allocate(GirihCudaDevice *on, int64_t size);

  GirihCudaDevice *device = nullptr;
  void *memory = nullptr;
  int64_t bytes = 0;
};

class Problem;

/// Outputs and plan of launches that may overlap with those of other runs.
class Run {
public:
  /// Allocates and plans.
  std::string prepare(Problem &problem);
  /// Fills the outputs with NaN.
  std::string poison();
  std::string launch(void *stream);
  /// Reads the bytes of o, its elements in order, and then of lse, after everything on
  /// the device is done. What lies between rows and columns of o must still be poison.
  std::string read(std::vector<char> &bytes);

  GirihLaunch arguments{};
  const GirihCudaPlan *planned() const { return plan.get(); }

private:
  Problem *problem = nullptr;
  Buffer o, lse;
  Owned<GirihCudaPlan> plan{nullptr, girihCudaPlanFree};
};

/// A workload on an open device, with inputs that depend on the workload only. What
/// lies between their rows and columns is NaN.
class Problem {
public:
  std::string open(const Workload &workload, int32_t ordinal, const Layout &layout = {});
  /// A view as q, k, v (0, 1, 2), or o of memory that begins at `memory`.
  GirihView view(int operand, void *memory) const;
  /// Bytes of that memory.
  int64_t bytes(int operand) const;

  const Workload *workload = nullptr;
  Layout layout;
  Owned<GirihCudaDevice> device{nullptr, girihCudaClose};
  Owned<GirihCudaKernel> kernel{nullptr, girihCudaUnload};
  Owned<GirihBlockMap> map{nullptr, girihBlockMapFree};
  Buffer inputs[3];
};

/// "", or that `bytes` of o (bf16) and lse differ from `expected`.
std::string compare(const std::vector<char> &bytes, const std::vector<char> &expected);

} // namespace girih::gputest

#endif // GIRIH_TEST_GPU_API_PROBLEM_H
