//===- CapiCases.cpp - The C API of the compiler on GPUs ------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The CPU computes the same from the same bf16 numbers, with an o of f32.
//
//===----------------------------------------------------------------------===//

#include "CapiCases.h"

#include "Problem.h"

#include "girih-c/Compiler.h"
#include "girih/Reference/Rounding.h"
#include "girih/Reference/Tolerance.h"

#include <cmath>
#include <cstring>
#include <thread>

using namespace girih;
using namespace girih::gputest;

namespace {

/// What is launched: bf16 [1, heads, tokens, dim].
struct Case {
  const char *name;
  const char *pattern;
  int64_t heads, kvHeads, numQ, numK;
  int32_t dim;
};

/// "", or what a failed call said.
std::string said(int code, const GirihStatus &status) {
  return code == GIRIH_OK ? ""
                          : std::string("code ") + std::to_string(code) + ": " + status.message;
}

/// Numbers of a case and what the CPU makes of them.
struct Expected {
  std::vector<uint16_t> q, k, v;
  std::vector<float> o, lse;
};

DLTensor tensorOf(void *data, int64_t *shape, int rank, int bits, DLDevice device) {
  DLTensor tensor{};
  tensor.data = data;
  tensor.device = device;
  tensor.ndim = rank;
  tensor.dtype = {static_cast<uint8_t>(bits == 32 ? kDLFloat : kDLBfloat),
                  static_cast<uint8_t>(bits), 1};
  tensor.shape = shape;
  return tensor;
}

/// A session and the two kernels of a case.
class Kernels {
public:
  std::string make(const Case &given) {
    GirihStatus status;
    GirihSessionOptions options{sizeof(GirihSessionOptions), 0, "", -1};
    GirihSession *session = nullptr;
    GirihPattern *pattern = nullptr;
    int code = girihSessionCreate(&options, &session, &status);
    sessionOwner.reset(session);
    if (code == GIRIH_OK)
      code = girihPatternParse(session, given.pattern, nullptr, 0, &pattern, &status);
    patternOwner.reset(pattern);
    for (auto [device, owner] : {std::pair(kDLCPU, &cpu), std::pair(kDLCUDA, &gpu)}) {
      GirihCompileOptions compile{};
      compile.size = sizeof(compile);
      compile.device = device;
      compile.dtype = GIRIH_BF16;
      compile.o_dtype = device == kDLCPU ? GIRIH_F32 : GIRIH_BF16;
      compile.head_dim = given.dim;
      GirihKernel *kernel = nullptr;
      if (code == GIRIH_OK)
        code = girihCompile(session, pattern, &compile, &kernel, nullptr, &status);
      owner->reset(kernel);
    }
    return said(code, status);
  }

  Owned<GirihSession> sessionOwner{nullptr, girihSessionRelease};
  Owned<GirihPattern> patternOwner{nullptr, girihPatternRelease};
  Owned<GirihKernel> cpu{nullptr, girihKernelRelease}, gpu{nullptr, girihKernelRelease};
};

std::vector<uint16_t> numbers(int64_t size, uint32_t seed) {
  std::vector<uint16_t> values(static_cast<size_t>(size));
  for (uint16_t &value : values) {
    seed = seed * 1664525u + 1013904223u;
    value = toBf16(static_cast<float>(seed >> 8) / static_cast<float>(1 << 23) - 1.0f);
  }
  return values;
}

std::string computeOnCpu(const Kernels &kernels, const Case &given, Expected &expected) {
  int64_t qShape[] = {1, given.heads, given.numQ, given.dim};
  int64_t kShape[] = {1, given.kvHeads, given.numK, given.dim};
  expected.q = numbers(given.heads * given.numQ * given.dim, 1);
  expected.k = numbers(given.kvHeads * given.numK * given.dim, 2);
  expected.v = numbers(given.kvHeads * given.numK * given.dim, 3);
  expected.o.resize(expected.q.size());
  expected.lse.resize(static_cast<size_t>(given.heads * given.numQ));
  const DLDevice host = {kDLCPU, 0};
  DLTensor q = tensorOf(expected.q.data(), qShape, 4, 16, host);
  DLTensor k = tensorOf(expected.k.data(), kShape, 4, 16, host);
  DLTensor v = tensorOf(expected.v.data(), kShape, 4, 16, host);
  DLTensor o = tensorOf(expected.o.data(), qShape, 4, 32, host);
  DLTensor lse = tensorOf(expected.lse.data(), qShape, 3, 32, host);
  GirihAttentionArgs args{sizeof(args), 0, &q, &k, &v, &o, &lse, NAN, 0, nullptr};
  GirihStatus status;
  return said(girihAttention(kernels.cpu.get(), &args, nullptr, &status), status);
}

/// The tensors of a case on a GPU. Not to be copied.
class OnDevice {
public:
  OnDevice(const Case &given, int32_t ordinal)
      : given(given), qShape{1, given.heads, given.numQ, given.dim},
        kShape{1, given.kvHeads, given.numK, given.dim}, where{kDLCUDA, ordinal} {}
  OnDevice(const OnDevice &) = delete;

  std::string make(const Expected &expected) {
    GirihStatus status;
    GirihCudaDevice *opened = nullptr;
    int code = girihCudaOpen(where.device_id, &opened, &status);
    device.reset(opened);
    if (code != GIRIH_OK)
      return said(code, status);
    const std::vector<uint16_t> *inputs[] = {&expected.q, &expected.k, &expected.v};
    for (int i = 0; i != 3; ++i) {
      const int64_t bytes = static_cast<int64_t>(inputs[i]->size()) * 2;
      if (std::string trouble = buffers[i].allocate(opened, bytes); !trouble.empty())
        return trouble;
      if (girihCudaCopyIn(opened, buffers[i].memory, inputs[i]->data(), bytes, &status) != GIRIH_OK)
        return status.message;
    }
    if (std::string trouble = buffers[3].allocate(opened, buffers[0].bytes); !trouble.empty())
      return trouble;
    if (std::string trouble =
            buffers[4].allocate(opened, static_cast<int64_t>(expected.lse.size()) * 4);
        !trouble.empty())
      return trouble;
    q = tensorOf(buffers[0].memory, qShape, 4, 16, where);
    k = tensorOf(buffers[1].memory, kShape, 4, 16, where);
    v = tensorOf(buffers[2].memory, kShape, 4, 16, where);
    o = tensorOf(buffers[3].memory, qShape, 4, 16, where);
    lse = tensorOf(buffers[4].memory, qShape, 3, 32, where);
    return poison();
  }

  std::string poison() {
    GirihStatus status;
    for (Buffer *buffer : {&buffers[3], &buffers[4]})
      if (girihCudaFill(device.get(), buffer->memory, 0xff, buffer->bytes, &status) != GIRIH_OK)
        return status.message;
    return "";
  }

  int launch(const Kernels &kernels, void *stream, GirihStatus &status,
             GirihAttentionReport *report = nullptr) {
    GirihAttentionArgs args{sizeof(args), 0, &q, &k, &v, &o, &lse, NAN, 0, stream};
    return girihAttention(kernels.gpu.get(), &args, report, &status);
  }

  /// "", or how far the outputs are from the CPU's.
  std::string check(const Expected &expected) {
    GirihStatus status;
    std::vector<uint16_t> bits(expected.o.size());
    std::vector<float> values(bits.size()), logs(expected.lse.size());
    if (girihCudaSynchronize(device.get(), &status) != GIRIH_OK ||
        girihCudaCopyOut(device.get(), bits.data(), buffers[3].memory, buffers[3].bytes, &status) !=
            GIRIH_OK ||
        girihCudaCopyOut(device.get(), logs.data(), buffers[4].memory, buffers[4].bytes, &status) !=
            GIRIH_OK)
      return status.message;
    for (size_t i = 0; i != bits.size(); ++i)
      values[i] = fromBf16(bits[i]);
    const std::vector<double> wantedO(expected.o.begin(), expected.o.end()),
        wantedLse(expected.lse.begin(), expected.lse.end());
    Comparison result =
        compare(values.data(), wantedO.data(), static_cast<int64_t>(values.size()), logs.data(),
                wantedLse.data(), static_cast<int64_t>(logs.size()), GIRIH_BF16);
    return result.good ? "" : "relative error " + std::to_string(result.relError);
  }

  const Case &given;
  int64_t qShape[4], kShape[4];
  DLDevice where;
  Owned<GirihCudaDevice> device{nullptr, girihCudaClose};
  Buffer buffers[5];
  DLTensor q{}, k{}, v{}, o{}, lse{};
};

/// "", or that a call did not fail as it should.
std::string refusal(int actual, const GirihStatus &status, const char *part) {
  if (actual == GIRIH_INVALID && strstr(status.message, part))
    return "";
  return std::string("expected code 2 and '") + part + "', but got code " + std::to_string(actual) +
         " and '" + status.message + "'";
}

} // namespace

static std::string launchOnce(const Kernels &kernels, const Case &given, const Expected &expected,
                              int32_t ordinal, void *stream) {
  OnDevice tensors(given, ordinal);
  std::string trouble = tensors.make(expected);
  GirihStatus status;
  for (int i = 0; i != 2 && trouble.empty(); ++i) {
    GirihAttentionReport report{};
    report.size = sizeof(report);
    trouble = tensors.poison();
    if (trouble.empty())
      trouble = said(tensors.launch(kernels, stream, status, &report), status);
    if (trouble.empty())
      trouble = tensors.check(expected);
    if (trouble.empty() && i == 1 && !report.map_cached)
      trouble = "expected the second launch to find the plan";
  }
  return trouble;
}

/// Threads with streams of their own launch the kernel again and again, and nobody waits.
static std::string overlap(const GraphDriver &driver, const Kernels &kernels, const Case &given,
                           const Expected &expected) {
  std::string troubles[3];
  auto work = [&](std::string &trouble) {
    OwnStream stream(driver, 0);
    OnDevice tensors(given, 0);
    trouble = stream.trouble().empty() ? tensors.make(expected) : stream.trouble();
    GirihStatus status;
    for (int i = 0; i != 30 && trouble.empty(); ++i)
      trouble = said(tensors.launch(kernels, stream.get(), status), status);
    if (trouble.empty())
      trouble = stream.wait();
    if (trouble.empty())
      trouble = tensors.check(expected);
  };
  std::thread first(work, std::ref(troubles[1])), second(work, std::ref(troubles[2]));
  work(troubles[0]);
  first.join();
  second.join();
  for (const std::string &trouble : troubles)
    if (!trouble.empty())
      return trouble;
  return "";
}

/// Where plans belong to streams the captured launch makes its own; many other lengths come
/// between it and the replays.
static std::string capture(const GraphDriver &driver, const Kernels &kernels, const Case &given,
                           const Expected &expected, bool waitsForDefault) {
  OwnStream stream(driver, 0, waitsForDefault);
  if (!stream.trouble().empty())
    return stream.trouble();
  OnDevice tensors(given, 0);
  if (std::string trouble = tensors.make(expected); !trouble.empty())
    return trouble;
  Graph graph(driver);
  GirihStatus status;
  std::string trouble = graph.capture(
      stream, [&](void *on) { return said(tensors.launch(kernels, on, status), status); });
  OnDevice others(given, 0);
  if (trouble.empty())
    trouble = others.make(expected);
  for (int64_t tokens = 1; tokens != 50 && trouble.empty(); ++tokens) {
    others.qShape[2] = others.kShape[2] = tokens;
    trouble = said(others.launch(kernels, stream.get(), status), status);
  }
  for (int i = 0; i != 2 && trouble.empty(); ++i) {
    trouble = tensors.poison();
    if (trouble.empty())
      trouble = graph.launch(stream);
    if (trouble.empty())
      trouble = stream.wait();
    if (trouble.empty())
      trouble = tensors.check(expected);
  }
  return trouble;
}

static void checkDevices(const GraphDriver &driver, const Kernels &kernels, const Case &given,
                         const Expected &expected, Outcomes &outcomes) {
  const std::string name = std::string("C API, ") + given.name + ": ";
  OnDevice here(given, 0), there(given, 1);
  std::string trouble = here.make(expected);
  if (trouble.empty())
    trouble = there.make(expected);
  OwnStream stream(driver, 1);
  if (trouble.empty())
    trouble = stream.trouble();
  GirihStatus status;
  outcomes.record(name + "device 1", trouble.empty()
                                         ? launchOnce(kernels, given, expected, 1, stream.get())
                                         : trouble);
  outcomes.record(name + "a stream of another device",
                  refusal(here.launch(kernels, stream.get(), status), status,
                          "expected a stream of device 0, where the tensors are, but got one of "
                          "device 1"));
  here.k = there.k;
  outcomes.record(name + "k on another device",
                  refusal(here.launch(kernels, nullptr, status), status,
                          "expected k to be on CUDA device 0, as q is, but got one on CUDA device "
                          "1"));
}

void gputest::checkCapi(const GraphDriver &driver, Outcomes &outcomes) {
  // The second is split, the third copied: their plans have memory that launches write.
  const Case cases[] = {{"window", "causal & window(left=100)", 4, 2, 1000, 1000, 64},
                        {"long rows", "full", 2, 1, 100, 20000, 64},
                        {"narrow", "causal", 4, 2, 700, 1000, 20}};
  for (const Case &given : cases) {
    const std::string name = std::string("C API, ") + given.name + ": ";
    Kernels kernels;
    Expected expected;
    std::string trouble = kernels.make(given);
    if (trouble.empty())
      trouble = computeOnCpu(kernels, given, expected);
    if (!trouble.empty()) {
      outcomes.record(name + "kernels", trouble);
      continue;
    }
    // Null, the legacy stream and that of the thread: CU_STREAM_LEGACY, CU_STREAM_PER_THREAD.
    for (uintptr_t stream : {0, 1, 2})
      outcomes.record(name + "default stream " + std::to_string(stream),
                      launchOnce(kernels, given, expected, 0, reinterpret_cast<void *>(stream)));
    for (bool waits : {false, true})
      outcomes.record(name + (waits ? "graph, a stream that waits for the default" : "graph"),
                      capture(driver, kernels, given, expected, waits));
    outcomes.record(name + "three streams", overlap(driver, kernels, given, expected));
    if (girihCudaDeviceCount() > 1)
      checkDevices(driver, kernels, given, expected, outcomes);
  }
}
