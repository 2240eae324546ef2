//===- CapiTesting.h - Handles and tensors for tests of the C API -*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_TEST_CAPI_CAPITESTING_H
#define GIRIH_TEST_CAPI_CAPITESTING_H

#include "girih-c/Compiler.h"

#include <gtest/gtest.h>

#include <cmath>
#include <memory>
#include <string>
#include <vector>

namespace girih::testing {

template <typename T> using Owned = std::unique_ptr<T, void (*)(T *)>;
using SessionHandle = Owned<GirihSession>;
using PatternHandle = Owned<GirihPattern>;
using ScoreHandle = Owned<GirihScore>;
using KernelHandle = Owned<GirihKernel>;

/// "OK", or "CODE: message" of a call that returned `code`.
inline std::string outcome(int code, const GirihStatus &status) {
  EXPECT_EQ(code, status.code);
  if (code == GIRIH_OK)
    return status.message[0] ? std::string("OK, but: ") + status.message : "OK";
  return std::to_string(code) + ": " + status.message;
}

/// Without a disk cache.
inline SessionHandle makeSession() {
  GirihSessionOptions options{sizeof(GirihSessionOptions), 0, "", -1};
  GirihSession *session = nullptr;
  GirihStatus status;
  EXPECT_EQ("OK", outcome(girihSessionCreate(&options, &session, &status), status));
  return SessionHandle(session, girihSessionRelease);
}

inline PatternHandle parse(const SessionHandle &session, const std::string &text,
                           const std::vector<GirihTable> &tables = {}) {
  GirihPattern *pattern = nullptr;
  GirihStatus status;
  EXPECT_EQ("OK", outcome(girihPatternParse(session.get(), text.c_str(), tables.data(),
                                            static_cast<int64_t>(tables.size()), &pattern, &status),
                          status));
  return PatternHandle(pattern, girihPatternRelease);
}

/// For the CPU, f32, head dim 16.
inline GirihCompileOptions cpuOptions() {
  GirihCompileOptions options{};
  options.size = sizeof(options);
  options.device = kDLCPU;
  options.head_dim = 16;
  return options;
}

inline KernelHandle compile(const SessionHandle &session, const PatternHandle &pattern,
                            const GirihCompileOptions &options = cpuOptions(),
                            int32_t *cacheHit = nullptr) {
  GirihKernel *kernel = nullptr;
  GirihStatus status;
  EXPECT_EQ("OK", outcome(girihCompile(session.get(), pattern.get(), &options, &kernel, cacheHit,
                                       &status),
                          status));
  return KernelHandle(kernel, girihKernelRelease);
}

/// f32 q, k, v, o [batch, heads, tokens, dim] and lse on the CPU, contiguous, outputs NaN.
/// Not to be copied: its DLTensors point into it.
struct CpuProblem {
  CpuProblem(int64_t batch, int64_t heads, int64_t kvHeads, int64_t numQ, int64_t numK,
             int64_t dim = 16)
      : qShape{batch, heads, numQ, dim}, kShape{batch, kvHeads, numK, dim}, qData(elements(qShape)),
        kData(elements(kShape)), vData(elements(kShape)), oData(elements(qShape), NAN),
        lseData(static_cast<size_t>(batch * heads * numQ), NAN) {
    uint32_t seed = 1;
    for (std::vector<float> *data : {&qData, &kData, &vData})
      for (float &value : *data) {
        seed = seed * 1664525u + 1013904223u;
        value = static_cast<float>(seed >> 8) / static_cast<float>(1 << 23) - 1.0f;
      }
    q = tensor(qData, qShape, 4);
    k = tensor(kData, kShape, 4);
    v = tensor(vData, kShape, 4);
    o = tensor(oData, qShape, 4);
    lse = tensor(lseData, qShape, 3);
    args.size = sizeof(args);
    args.threads = 1;
    args.q = &q;
    args.k = &k;
    args.v = &v;
    args.o = &o;
    args.lse = &lse;
    args.scale = NAN;
  }
  CpuProblem(const CpuProblem &) = delete;

  std::string launch(const KernelHandle &kernel, GirihAttentionReport *report = nullptr) {
    GirihStatus status;
    return outcome(girihAttention(kernel.get(), &args, report, &status), status);
  }

  int64_t qShape[4], kShape[4];
  std::vector<float> qData, kData, vData, oData, lseData;
  DLTensor q, k, v, o, lse;
  GirihAttentionArgs args{};

private:
  static size_t elements(const int64_t (&shape)[4]) {
    return static_cast<size_t>(shape[0] * shape[1] * shape[2] * shape[3]);
  }
  static DLTensor tensor(std::vector<float> &data, int64_t (&shape)[4], int rank) {
    DLTensor tensor{};
    tensor.data = data.data();
    tensor.device = {kDLCPU, 0};
    tensor.ndim = rank;
    tensor.dtype = {kDLFloat, 32, 1};
    tensor.shape = shape;
    return tensor;
  }
};

} // namespace girih::testing

#endif // GIRIH_TEST_CAPI_CAPITESTING_H
