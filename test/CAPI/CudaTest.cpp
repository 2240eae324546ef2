//===- CudaTest.cpp - Launches on GPUs, on a driver that runs nothing --===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The driver is FakeDriver.h of the runtime's tests: what would be launched is looked at.
//
//===----------------------------------------------------------------------===//

#include "../Runtime/FakeDriver.h"
#include "CapiTesting.h"

#include <dlfcn.h>

#include <cstring>

using namespace girih::testing;

namespace {

/// Loaded before the library looks for a driver: one of that name is in memory already.
FakeDriver &fake() {
  static FakeDriver &driver = []() -> FakeDriver & {
    void *library = dlopen(GIRIH_FAKE_DRIVER, RTLD_NOW | RTLD_GLOBAL);
    if (!library) {
      fprintf(stderr, "%s\n", dlerror());
      abort();
    }
    return *reinterpret_cast<FakeDriverEntry>(dlsym(library, "girihFakeDriver"))();
  }();
  return driver;
}

/// bf16 tensors on a device. Not to be copied.
struct GpuProblem {
  GpuProblem(int32_t ordinal, int64_t heads, int64_t numQ, int64_t numK, int64_t dim = 64,
             int64_t gap = 0)
      : qShape{1, heads, numQ, dim}, kShape{1, heads, numK, dim},
        qStride{heads * numQ * (dim + gap), numQ * (dim + gap), dim + gap, 1},
        kStride{heads * numK * (dim + gap), numK * (dim + gap), dim + gap, 1} {
    GirihCudaDevice *opened = nullptr;
    EXPECT_EQ(GIRIH_OK, girihCudaOpen(ordinal, &opened, nullptr));
    device.reset(opened);
    struct {
      DLTensor *tensor;
      int64_t *shape, *stride;
      int rank;
    } all[] = {{&q, qShape, qStride, 4},
               {&k, kShape, kStride, 4},
               {&v, kShape, kStride, 4},
               {&o, qShape, qStride, 4},
               {&lse, qShape, nullptr, 3}};
    for (auto &entry : all) {
      *entry.tensor = {};
      EXPECT_EQ(GIRIH_OK, girihCudaAllocate(opened, 4 * heads * entry.shape[2] * (dim + gap),
                                            &entry.tensor->data, nullptr));
      entry.tensor->device = {kDLCUDA, ordinal};
      entry.tensor->ndim = entry.rank;
      entry.tensor->dtype = {kDLBfloat, 16, 1};
      entry.tensor->shape = entry.shape;
      entry.tensor->strides = entry.stride;
    }
    lse.dtype = {kDLFloat, 32, 1};
  }
  ~GpuProblem() {
    for (DLTensor *tensor : {&q, &k, &v, &o, &lse})
      girihCudaFree(device.get(), tensor->data);
  }
  GpuProblem(const GpuProblem &) = delete;

  std::string launch(const KernelHandle &kernel, void *stream = nullptr,
                     GirihAttentionReport *report = nullptr) {
    GirihAttentionArgs args{sizeof(args), 0, &q, &k, &v, &o, &lse, NAN, 0, stream};
    GirihStatus status;
    return outcome(girihAttention(kernel.get(), &args, report, &status), status);
  }
  /// Launches; whether the plan was there.
  bool finds(const KernelHandle &kernel, void *stream = nullptr) {
    GirihAttentionReport report{};
    report.size = sizeof(report);
    EXPECT_EQ("OK", launch(kernel, stream, &report));
    return report.map_cached == 1;
  }

  int64_t qShape[4], kShape[4], qStride[4], kStride[4];
  Owned<GirihCudaDevice> device{nullptr, girihCudaClose};
  DLTensor q, k, v, o, lse;
};

GirihCompileOptions gpuOptions(int32_t dim = 64) {
  GirihCompileOptions options{};
  options.size = sizeof(options);
  options.device = kDLCUDA;
  options.dtype = options.o_dtype = GIRIH_BF16;
  options.head_dim = dim;
  // The fake devices are of another generation, so that PTX is what they load.
  options.chip = "sm_80";
  return options;
}

class Cuda : public ::testing::Test {
protected:
  static void SetUpTestSuite() {
    fake();
    session = new SessionHandle(makeSession());
  }
  static void TearDownTestSuite() { delete session; }
  void SetUp() override {
    before = fake().allocations;
    fake().launches.clear();
    kernel = compile(*session, parse(*session, "causal"), gpuOptions());
  }
  /// Whatever kernels and tensors took is given back.
  void TearDown() override {
    kernel.reset();
    EXPECT_EQ(before, fake().allocations);
    EXPECT_EQ(0, fake().streams);
  }

  static SessionHandle *session;
  KernelHandle kernel{nullptr, girihKernelRelease};
  int64_t before = 0;
};
SessionHandle *Cuda::session = nullptr;

} // namespace

TEST_F(Cuda, LaunchesTensorsAsTheyAre) {
  GpuProblem problem(0, 2, 100, 130);
  problem.q.byte_offset = 64; // elements of 2 bytes, 16-byte steps: no copy
  GirihAttentionReport report{};
  report.size = sizeof(report);
  ASSERT_EQ("OK", problem.launch(kernel, fakeStream(0, 3), &report));
  ASSERT_EQ(1u, fake().launches.size());
  const FakeLaunch &launch = fake().launches[0];
  EXPECT_EQ(fakeStream(0, 3), launch.stream);
  EXPECT_EQ(static_cast<char *>(problem.q.data) + 64, launch.arguments.q);
  EXPECT_EQ(problem.o.data, launch.arguments.o);
  EXPECT_EQ(problem.lse.data, launch.arguments.lse);
  EXPECT_EQ(100, launch.arguments.num_q);
  EXPECT_EQ(130, launch.arguments.num_k);
  EXPECT_FLOAT_EQ(0.125f, launch.arguments.scale);
  EXPECT_EQ(0, report.copied_bytes);
  EXPECT_EQ(0, report.map_cached);
  EXPECT_GT(report.map_ms, 0);
}

TEST_F(Cuda, SharesPlansThatLaunchesDoNotWrite) {
  GpuProblem problem(0, 2, 100, 100), other(0, 2, 101, 101);
  EXPECT_FALSE(problem.finds(kernel));
  const int64_t allocations = fake().allocations;
  EXPECT_TRUE(problem.finds(kernel));
  EXPECT_TRUE(problem.finds(kernel, fakeStream(0, 1)));
  EXPECT_TRUE(problem.finds(kernel, fakeStream(0, 2)));
  EXPECT_EQ(allocations, fake().allocations);
  EXPECT_FALSE(other.finds(kernel));
  EXPECT_EQ(allocations + 1, fake().allocations);
}

TEST_F(Cuda, GivesStreamsCopiesOfTheirOwn) {
  // Rows of 65 elements: every tensor is copied.
  GpuProblem problem(0, 2, 100, 100, 64, 1);
  EXPECT_FALSE(problem.finds(kernel, fakeStream(0, 1)));
  const int64_t allocations = fake().allocations;
  EXPECT_TRUE(problem.finds(kernel, fakeStream(0, 1)));
  EXPECT_FALSE(problem.finds(kernel, fakeStream(0, 2)));
  EXPECT_TRUE(problem.finds(kernel, fakeStream(0, 2)));
  EXPECT_TRUE(problem.finds(kernel, fakeStream(0, 1)));
  EXPECT_EQ(allocations + 1, fake().allocations);
  // The legacy stream by its two names, and the one of the thread.
  EXPECT_FALSE(problem.finds(kernel, nullptr));
  EXPECT_TRUE(problem.finds(kernel, reinterpret_cast<void *>(1)));
  EXPECT_FALSE(problem.finds(kernel, reinterpret_cast<void *>(2)));
  GirihAttentionReport report{};
  report.size = sizeof(report);
  ASSERT_EQ("OK", problem.launch(kernel, fakeStream(0, 1), &report));
  EXPECT_EQ(4 * 2 * 100 * 64 * 2, report.copied_bytes);
  // Launches of graphs have memory to themselves, even those of one stream.
  fake().capturing = fakeStream(0, 1);
  EXPECT_FALSE(problem.finds(kernel, fakeStream(0, 1)));
  EXPECT_FALSE(problem.finds(kernel, fakeStream(0, 1)));
  fake().capturing = nullptr;
  EXPECT_TRUE(problem.finds(kernel, fakeStream(0, 1)));
}

TEST_F(Cuda, KeepsThePlansUsedLastAndThoseOfGraphs) {
  std::vector<std::unique_ptr<GpuProblem>> problems;
  for (int64_t tokens = 1; tokens <= 40; ++tokens)
    problems.push_back(std::make_unique<GpuProblem>(0, 1, tokens, tokens));
  const int64_t before = fake().allocations;
  EXPECT_FALSE(problems[0]->finds(kernel));
  // Allocating for a plan is no part of the graph.
  fake().capturing = fakeStream(0, 5);
  EXPECT_FALSE(problems[1]->finds(kernel, fakeStream(0, 5)));
  fake().capturing = nullptr;
  for (size_t i = 2; i != problems.size(); ++i)
    EXPECT_FALSE(problems[i]->finds(kernel));
  constexpr int64_t recent = 32;
  EXPECT_EQ(before + recent + 1, fake().allocations);
  EXPECT_TRUE(problems.back()->finds(kernel));
  EXPECT_FALSE(problems[0]->finds(kernel));
}

TEST_F(Cuda, RunsOnEachDevice) {
  GpuProblem first(0, 2, 50, 50), second(1, 2, 50, 50);
  EXPECT_FALSE(first.finds(kernel));
  EXPECT_FALSE(second.finds(kernel, fakeStream(1, 0)));
  EXPECT_TRUE(first.finds(kernel));
  EXPECT_TRUE(second.finds(kernel));
}

TEST_F(Cuda, NamesWhatIsWrong) {
  GpuProblem problem(0, 2, 50, 50), other(1, 2, 50, 50);
  EXPECT_EQ("2: expected a stream of device 0, where the tensors are, but got one of device 1",
            problem.launch(kernel, fakeStream(1, 0)));
  EXPECT_EQ("2: could not use the stream 0x7770: a fake error (FAKE, 400)",
            problem.launch(kernel, reinterpret_cast<void *>(0x7770)));
  auto with = [&](auto change) {
    GpuProblem changed(0, 2, 50, 50);
    const GpuProblem &restored = changed;
    void *q = restored.q.data;
    change(changed);
    std::string result = changed.launch(kernel);
    changed.q.data = q;
    return result;
  };
  EXPECT_EQ("2: expected k to be on CUDA device 0, as q is, but got one on CUDA device 1",
            with([](GpuProblem &p) { p.k.device.device_id = 1; }));
  EXPECT_EQ("2: expected lse to be on CUDA device 0, as q is, but got one on CUDA device 1",
            with([](GpuProblem &p) { p.lse.device.device_id = 1; }));
  EXPECT_EQ("2: expected o to be on a CUDA device, where the kernel runs, but got one on the CPU",
            with([](GpuProblem &p) { p.o.device = {kDLCPU, 0}; }));
  uint16_t host[64];
  EXPECT_NE(std::string::npos,
            with([&](GpuProblem &p) {
              p.q.data = host;
            }).find("expected data of q to be memory of device 0, but got host"));
  EXPECT_EQ("2: expected data of q to be memory of device 0, but got memory of device 1",
            with([&](GpuProblem &p) { p.q.data = other.q.data; }));
  EXPECT_EQ("4: expected a device number below 2 (CUDA devices of this machine), but got 7",
            with([](GpuProblem &p) {
              for (DLTensor *tensor : {&p.q, &p.k, &p.v, &p.o, &p.lse})
                tensor->device.device_id = 7;
            }));
  EXPECT_EQ("2: expected the head dim of q to be 64, but got 32",
            with([](GpuProblem &p) { p.qShape[3] = 32; }));
}

TEST_F(Cuda, CompilesForTheDeviceOfTheOptions) {
  fake().capabilities[1] = 89;
  SessionHandle fresh = makeSession(); // which has not opened the devices yet
  PatternHandle pattern = parse(fresh, "causal");
  GirihCompileOptions options = gpuOptions();
  options.chip = nullptr;
  const char *targets[] = {".target sm_90a", ".target sm_89"};
  GirihStatus status;
  for (options.device_id = 0; options.device_id != 2; ++options.device_id) {
    char *text = nullptr;
    ASSERT_EQ("OK", outcome(girihEmit(fresh.get(), pattern.get(), &options, "ptx", &text, &status),
                            status));
    EXPECT_NE(nullptr, strstr(text, targets[options.device_id]));
    girihTextFree(text);
  }
  fake().capabilities[1] = 90;
  GirihKernel *made = nullptr;
  EXPECT_EQ(
      "4: expected a device number below 2 (CUDA devices of this machine), but got 2",
      outcome(girihCompile(fresh.get(), pattern.get(), &options, &made, nullptr, &status), status));
  options.device_id = -1;
  EXPECT_EQ(
      "2: expected device_id of options to be the number of a CUDA device, or 0 for the "
      "CPU, but got -1",
      outcome(girihCompile(fresh.get(), pattern.get(), &options, &made, nullptr, &status), status));
}

TEST_F(Cuda, KnowsWhetherAGraphHasALaunch) {
  GpuProblem problem(0, 1, 10, 10);
  EXPECT_EQ("OK", problem.launch(kernel, fakeStream(0, 1)));
  EXPECT_EQ(0, girihKernelIsCaptured(kernel.get()));
  fake().capturing = fakeStream(0, 1);
  EXPECT_EQ("OK", problem.launch(kernel, fakeStream(0, 2)));
  EXPECT_EQ(0, girihKernelIsCaptured(kernel.get()));
  EXPECT_EQ("OK", problem.launch(kernel, fakeStream(0, 1)));
  fake().capturing = nullptr;
  EXPECT_EQ(1, girihKernelIsCaptured(kernel.get()));
  EXPECT_EQ(0, girihKernelIsCaptured(nullptr));
}

TEST_F(Cuda, HoldsNothingForLaunchesThatFail) {
  GpuProblem copied(0, 2, 100, 100, 64, 1);
  const int64_t allocations = fake().allocations;
  fake().capturing = fakeStream(0, 1);
  fake().launchResult = 1;
  for (int i = 0; i < 3; ++i)
    EXPECT_NE("OK", copied.launch(kernel, fakeStream(0, 1)));
  EXPECT_EQ(allocations, fake().allocations);
  EXPECT_EQ(0, girihKernelIsCaptured(kernel.get()));
  // But for what comes after a copy that the graph has got.
  fake().launchResult = 0;
  fake().run = [](const FakeLaunch &) { fake().launchResult = 1; };
  EXPECT_NE("OK", copied.launch(kernel, fakeStream(0, 1)));
  fake().run = nullptr;
  fake().launchResult = 0;
  fake().capturing = nullptr;
  EXPECT_EQ(allocations + 1, fake().allocations);
  EXPECT_EQ(1, girihKernelIsCaptured(kernel.get()));
}

TEST_F(Cuda, KeepsThePlansOfStreamsWhileGraphsAreMade) {
  GpuProblem copied(0, 2, 100, 100, 64, 1);
  EXPECT_FALSE(copied.finds(kernel, fakeStream(0, 2)));
  fake().capturing = fakeStream(0, 1);
  for (int i = 0; i < 40; ++i)
    EXPECT_FALSE(copied.finds(kernel, fakeStream(0, 1)));
  fake().capturing = nullptr;
  EXPECT_TRUE(copied.finds(kernel, fakeStream(0, 2)));
}

TEST(Stream, IsAskedAbout) {
  fake();
  GirihCudaDevice *opened = nullptr;
  GirihStatus status;
  ASSERT_EQ(GIRIH_OK, girihCudaOpen(1, &opened, &status));
  Owned<GirihCudaDevice> device(opened, girihCudaClose);
  GirihCudaStreamInfo first{}, second{};
  fake().capturing = fakeStream(1, 1);
  EXPECT_EQ("OK", outcome(girihCudaStreamQuery(opened, fakeStream(1, 1), &first, &status), status));
  EXPECT_EQ("OK",
            outcome(girihCudaStreamQuery(opened, fakeStream(1, 2), &second, &status), status));
  fake().capturing = nullptr;
  EXPECT_EQ(0u, first.id);
  EXPECT_NE(0u, second.id);
  EXPECT_EQ(1, first.capturing);
  EXPECT_EQ(0, second.capturing);
  EXPECT_EQ("2: expected room for what a stream is, but got null",
            outcome(girihCudaStreamQuery(opened, nullptr, nullptr, &status), status));
  EXPECT_EQ("2: expected a device, but got null",
            outcome(girihCudaStreamQuery(nullptr, nullptr, &first, &status), status));
}
