//===- Cuda.cpp - Run a request on an NVIDIA GPU --------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Cuda.h"

#include "girih-c/Cuda.h"
#include "girih/Analysis/Reachability.h"
#include "girih/Support/Error.h"

#include <algorithm>
#include <chrono>
#include <memory>

using namespace girih;

namespace {

template <typename T> using Owned = std::unique_ptr<T, void (*)(T *)>;

/// Device memory of one tensor.
class DeviceBuffer {
public:
  explicit DeviceBuffer(GirihCudaDevice *device) : device(device) {}
  DeviceBuffer(const DeviceBuffer &) = delete;
  ~DeviceBuffer() { girihCudaFree(device, memory); }

  llvm::Error allocate(int64_t bytes) {
    GirihStatus status{};
    girihCudaAllocate(device, bytes, &memory, &status);
    return statusError(status);
  }

  void *memory = nullptr;

private:
  GirihCudaDevice *device;
};

int64_t bytesOf(const GirihView &view) {
  int64_t elements = view.shape[0] * view.shape[1] * view.shape[2] * view.shape[3];
  return elements * (view.dtype == GIRIH_F32 ? 4 : 2);
}

} // namespace

llvm::Error girih::runCuda(Session &session, const Request &r, Tensors &tensors, float scale,
                           bool bench, RunReport &report) {
  auto code = session.compileCuda(r.pattern, r.compileOptions(), &report.cacheHit);
  if (!code)
    return code.takeError();
  const GirihCudaKernelDesc &desc = (*code)->desc;
  report.compileMs = (*code)->compileMs;
  report.tileQ = desc.base.tile_q;
  report.tileK = desc.base.tile_k;

  // The map.
  std::vector<GirihOperand> operands = patternOperands(r.pattern);
  GirihMapParams params = mapParams(r.batch, r.heads, r.numQ, r.numK, r.align, operands, desc.base);
  GirihStatus status{};
  auto start = std::chrono::steady_clock::now();
  GirihBlockMap *built = nullptr;
  if (girihBlockMapBuild(desc.base.map, &params, &built, &status) != GIRIH_OK)
    return statusError(status);
  Owned<GirihBlockMap> map(built, girihBlockMapFree);
  report.mapMs =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  if (girihBlockMapStats(map.get(), desc.base.map, &params, &report.stats, &status) != GIRIH_OK)
    return statusError(status);
  report.picture = sampleTiles({map.get(), desc.base.map, &params}, 0, 0, 24);

  // The device, from here on.
  GirihCudaDevice *opened = nullptr;
  if (girihCudaOpen(0, &opened, &status) != GIRIH_OK)
    return statusError(status);
  Owned<GirihCudaDevice> device(opened, girihCudaClose);
  report.device = girihCudaName(device.get());

  GirihView views[] = {tensors.q.view(), tensors.k.view(), tensors.v.view(), tensors.out.view()};
  DeviceBuffer buffers[] = {DeviceBuffer(opened), DeviceBuffer(opened), DeviceBuffer(opened),
                            DeviceBuffer(opened)};
  DeviceBuffer lse(opened);
  int64_t lseBytes = static_cast<int64_t>(tensors.lse.size() * sizeof(float));
  for (int i = 0; i != 4; ++i) {
    int64_t bytes = bytesOf(views[i]);
    if (llvm::Error error = buffers[i].allocate(bytes))
      return error;
    if (i < 3)
      girihCudaCopyIn(opened, buffers[i].memory, views[i].data, bytes, &status);
    else
      girihCudaFill(opened, buffers[i].memory, 0xff, bytes, &status); // NaN: nothing may stay
    if (status.code != GIRIH_OK)
      return statusError(status);
  }
  if (llvm::Error error = lse.allocate(lseBytes))
    return error;
  if (girihCudaFill(opened, lse.memory, 0xff, lseBytes, &status) != GIRIH_OK)
    return statusError(status);

  GirihView onDevice[4];
  for (int i = 0; i != 4; ++i) {
    onDevice[i] = views[i];
    onDevice[i].data = buffers[i].memory;
  }
  GirihLaunch launch{};
  GirihMapParams prepared{};
  if (girihPrepareLaunch(&desc.base, &onDevice[0], &onDevice[1], &onDevice[2], &onDevice[3],
                         static_cast<float *>(lse.memory), scale, &launch, &prepared,
                         &status) != GIRIH_OK)
    return statusError(status);
  GirihCudaPlan *planned = nullptr;
  if (girihCudaPlanCreate(opened, &desc, map.get(), desc.base.map, &launch, &planned, &status) !=
      GIRIH_OK)
    return statusError(status);
  Owned<GirihCudaPlan> plan(planned, girihCudaPlanFree);

  const std::vector<char> &cubin = (*code)->cubin;
  const void *image = cubin.empty() ? (*code)->ptx.c_str() : cubin.data();
  int64_t imageBytes = cubin.empty() ? (*code)->ptx.size() + 1 : cubin.size();
  GirihCudaKernel *loaded = nullptr;
  if (girihCudaLoad(opened, &desc, image, imageBytes, &loaded, &status) != GIRIH_OK)
    return statusError(status);
  Owned<GirihCudaKernel> kernel(loaded, girihCudaUnload);

  // The first launch is the one that is checked.
  if (girihCudaTime(loaded, &launch, planned, 0, 1, &report.timeMs, &status) != GIRIH_OK)
    return statusError(status);
  girihCudaCopyOut(opened, views[3].data, buffers[3].memory, bytesOf(views[3]), &status);
  if (status.code == GIRIH_OK)
    girihCudaCopyOut(opened, tensors.lse.data(), lse.memory, lseBytes, &status);
  if (status.code != GIRIH_OK)
    return statusError(status);
  if (bench) {
    constexpr int warmup = 5, repeat = 30;
    std::vector<double> times(repeat);
    if (girihCudaTime(loaded, &launch, planned, warmup, repeat, times.data(), &status) != GIRIH_OK)
      return statusError(status);
    std::sort(times.begin(), times.end());
    report.timeMs = times[repeat / 2];
    report.launches = repeat;
  }
  return llvm::Error::success();
}
