//===- KernelCuda.cpp - Launching on NVIDIA GPUs --------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Code is loaded once for each device, and shared by the kernels that differ in tables
// only. A plan with memory that launches write belongs to one stream, the others to all.
//
//===----------------------------------------------------------------------===//

#include "girih/CAPI/CudaDevices.h"
#include "girih/CAPI/Kernel.h"
#include "girih/CAPI/Recent.h"
#include "girih/JIT/CudaImage.h"

#include <chrono>
#include <set>

using namespace girih;
using namespace girih::capi;

namespace {

/// Code on one device.
struct Loaded {
  Loaded(std::shared_ptr<GirihCudaDevice> device, std::shared_ptr<const CudaCode> code,
         GirihCudaKernel *kernel)
      : device(std::move(device)), code(std::move(code)), kernel(kernel) {}
  Loaded(const Loaded &) = delete;
  ~Loaded() {
    // What was enqueued still runs it.
    girihCudaSynchronize(device.get(), nullptr);
    girihCudaUnload(kernel);
  }

  std::shared_ptr<GirihCudaDevice> device;
  std::shared_ptr<const CudaCode> code;
  GirihCudaKernel *kernel;
};

/// Code on all devices that it was launched on.
class Modules {
public:
  Modules(SessionRef session, Pattern pattern, CompileOptions options,
          std::shared_ptr<const CudaCode> code)
      : code(std::move(code)), session(std::move(session)), pattern(std::move(pattern)),
        options(std::move(options)) {}

  llvm::Expected<std::shared_ptr<Loaded>> on(int32_t ordinal);

  const std::shared_ptr<const CudaCode> code;

private:
  const SessionRef session;
  const Pattern pattern;
  const CompileOptions options;
  std::mutex mutex;
  std::map<int32_t, std::shared_ptr<Loaded>> loaded;
};

/// A plan of the runtime.
struct Plan {
  Plan(std::shared_ptr<Loaded> loaded, GirihCudaPlan *plan)
      : loaded(std::move(loaded)), plan(plan) {}
  Plan(const Plan &) = delete;
  ~Plan() { girihCudaPlanFree(plan); }

  std::shared_ptr<Loaded> loaded;
  GirihCudaPlan *plan;
  /// Held while a launch is enqueued, all of whose parts must follow one another.
  std::mutex enqueuing;
};

/// What a plan depends on besides tables: device, stream (-1: any), shapes and strides of
/// q, k, v and o, and where their data lie between multiples of 16 bytes.
using PlanKey = std::array<int64_t, 2 + 4 * 9>;
constexpr size_t streamOfKey = 1;
constexpr int64_t anyStream = -1;

PlanKey keyOf(const Tensors &tensors) {
  PlanKey key;
  int64_t *next = key.data();
  *next++ = tensors.device;
  *next++ = anyStream;
  for (const GirihView *view : {&tensors.q, &tensors.k, &tensors.v, &tensors.o}) {
    next = std::copy(view->shape, view->shape + 4, next);
    next = std::copy(view->stride, view->stride + 4, next);
    *next++ = static_cast<int64_t>(reinterpret_cast<uintptr_t>(view->data) % 16);
  }
  return key;
}

/// Plans that a kernel keeps; each takes device memory.
constexpr size_t mostPlans = 32;

class CudaKernel : public GirihKernel {
public:
  CudaKernel(SessionRef session, Tables tables, std::shared_ptr<Modules> modules)
      : GirihKernel(std::move(session), std::move(tables)), modules(std::move(modules)) {}

  double compileMs() const override { return modules->code->compileMs; }
  DLDeviceType deviceType() const override { return kDLCUDA; }
  const GirihKernelDesc &desc() const override { return modules->code->desc.base; }
  bool isCaptured() const override {
    std::lock_guard<std::mutex> lock(holding);
    return !captured.empty();
  }
  llvm::Error launch(const Tensors &tensors, const LaunchArguments &arguments,
                     GirihAttentionReport *report) override;
  std::unique_ptr<GirihKernel> rebound(Tables other) const override {
    return std::make_unique<CudaKernel>(session, std::move(other), modules);
  }

private:
  llvm::Expected<std::shared_ptr<Plan>> makePlan(std::shared_ptr<Loaded> loaded,
                                                 const Prepared &prepared, double &mapMs);

  /// Keeps what a CUDA graph may use for as long as the kernel lives.
  void hold(std::shared_ptr<Plan> plan) {
    std::lock_guard<std::mutex> lock(holding);
    captured.insert(std::move(plan));
  }

  std::shared_ptr<Modules> modules;
  Recent<PlanKey, Plan> plans{mostPlans};
  mutable std::mutex holding;
  std::set<std::shared_ptr<Plan>> captured;
};

} // namespace

llvm::Expected<std::shared_ptr<Loaded>> Modules::on(int32_t ordinal) {
  std::lock_guard<std::mutex> lock(mutex);
  std::shared_ptr<Loaded> &entry = loaded[ordinal];
  if (entry)
    return entry;
  auto device = session->devices->open(ordinal);
  if (!device)
    return device.takeError();
  auto image = withImageFor(device->get(), code, pattern, options);
  if (!image)
    return image.takeError();
  auto kernel = loadImage(device->get(), **image, options.chip);
  if (!kernel)
    return kernel.takeError();
  entry = std::make_shared<Loaded>(std::move(*device), std::move(*image), *kernel);
  return entry;
}

llvm::Expected<std::shared_ptr<Plan>>
CudaKernel::makePlan(std::shared_ptr<Loaded> loaded, const Prepared &prepared, double &mapMs) {
  if (llvm::Error error = checkLengths(tables.pattern, prepared.params))
    return std::move(error);
  const GirihCudaKernelDesc &desc = loaded->code->desc;
  auto start = std::chrono::steady_clock::now();
  GirihBlockMap *built = nullptr;
  GirihStatus status;
  if (girihBlockMapBuild(desc.base.map, &prepared.params, &built, &status) != GIRIH_OK)
    return statusError(status);
  std::unique_ptr<GirihBlockMap, void (*)(GirihBlockMap *)> map(built, girihBlockMapFree);
  mapMs =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  GirihCudaPlan *plan = nullptr;
  if (girihCudaPlanCreate(loaded->device.get(), &desc, built, desc.base.map, &prepared.launch,
                          &plan, &status) != GIRIH_OK)
    return statusError(status);
  return std::make_shared<Plan>(std::move(loaded), plan);
}

llvm::Error CudaKernel::launch(const Tensors &tensors, const LaunchArguments &arguments,
                               GirihAttentionReport *report) {
  auto loaded = modules->on(tensors.device);
  if (!loaded)
    return loaded.takeError();
  Prepared prepared;
  if (llvm::Error error = prepare(desc(), tensors, arguments.scale, tables.operands, prepared))
    return error;
  GirihStatus status;
  GirihCudaStreamInfo stream{};
  if (girihCudaStreamQuery((*loaded)->device.get(), arguments.stream, &stream, &status) != GIRIH_OK)
    return statusError(status);

  // Graphs run when and where their owner says: a launch that becomes part of one needs the
  // memory of a plan to itself.
  PlanKey key = keyOf(tensors), ofStream = key;
  ofStream[streamOfKey] = static_cast<int64_t>(stream.id);
  std::shared_ptr<Plan> plan = plans.find(key);
  if (!plan && !stream.capturing)
    plan = plans.find(ofStream);
  double mapMs = 0;
  const bool found = plan != nullptr;
  if (!found) {
    auto made = makePlan(*loaded, prepared, mapMs);
    if (!made)
      return made.takeError();
    if (girihCudaPlanMayOverlap((*made)->plan))
      plan = plans.insert(key, *made);
    else
      plan = stream.capturing ? *made : plans.insert(ofStream, *made);
  }
  {
    std::lock_guard<std::mutex> lock(plan->enqueuing);
    int code =
        girihCudaLaunch((*loaded)->kernel, &prepared.launch, plan->plan, arguments.stream, &status);
    // What failed may have left the first of its parts in the graph.
    if (stream.capturing && (code == GIRIH_OK || (!found && girihCudaPlanIsEnqueued(plan->plan))))
      hold(plan);
    if (code != GIRIH_OK)
      return statusError(status);
  }
  if (report) {
    report->map_cached = found;
    report->map_ms = mapMs;
    report->workspace_bytes = 0;
    report->copied_bytes = girihCudaPlanCopiedBytes(plan->plan);
  }
  return llvm::Error::success();
}

llvm::Expected<std::unique_ptr<GirihKernel>> capi::compileForCuda(const SessionRef &session,
                                                                  const Pattern &pattern,
                                                                  const CompileOptions &options,
                                                                  bool &cacheHit) {
  auto code = session->session->compileCuda(pattern, options, &cacheHit);
  if (!code)
    return code.takeError();
  auto modules = std::make_shared<Modules>(session, pattern, options, std::move(*code));
  return std::make_unique<CudaKernel>(session, Tables(pattern, options.score), std::move(modules));
}
