//===- Cuda.cpp - Run a request on an NVIDIA GPU --------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "common/Cuda.h"

#include "common/Layout.h"

#include "girih-c/Cuda.h"
#include "girih/Analysis/Reachability.h"
#include "girih/JIT/CudaImage.h"
#include "girih/Reference/Rounding.h"
#include "girih/Support/Error.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <memory>
#include <vector>

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

int64_t elementsOf(const GirihView &view) {
  return view.shape[0] * view.shape[1] * view.shape[2] * view.shape[3];
}

int64_t bytesOf(const GirihView &view) {
  return elementsOf(view) * (view.dtype == GIRIH_F32 ? 4 : 2);
}

} // namespace

/// Copies an output of any dtype and layout back as contiguous f32.
static llvm::Error copyOutput(GirihCudaDevice *device, const GirihView &onDevice,
                              std::vector<float> &values) {
  GirihStatus status{};
  std::vector<char> bytes(static_cast<size_t>(bytesOf(onDevice)));
  if (girihCudaCopyOut(device, bytes.data(), onDevice.data, bytesOf(onDevice), &status) != GIRIH_OK)
    return statusError(status);
  bytes = rearranged(onDevice, bytes.data(), contiguousLayout);
  if (onDevice.dtype == GIRIH_F32) {
    memcpy(values.data(), bytes.data(), bytes.size());
    return llvm::Error::success();
  }
  for (size_t i = 0; i != values.size(); ++i) {
    uint16_t bits;
    memcpy(&bits, &bytes[2 * i], sizeof(bits));
    values[i] = onDevice.dtype == GIRIH_BF16 ? fromBf16(bits) : fromF16(bits);
  }
  return llvm::Error::success();
}

/// The median time, in microseconds, that a call of girihCudaLaunch takes. Each call
/// finds the stream empty: one that has to wait for room would measure the kernel.
static llvm::Expected<double> timeLaunchCalls(GirihCudaDevice *device, GirihCudaKernel *kernel,
                                              const GirihLaunch &launch,
                                              const GirihCudaPlan *plan) {
  using Clock = std::chrono::steady_clock;
  constexpr int mostCalls = 200, fewestCalls = 20;
  constexpr std::chrono::milliseconds enough(500);
  std::vector<double> times;
  GirihStatus status{};
  auto begin = Clock::now();
  for (int i = 0; i != mostCalls && (i < fewestCalls || Clock::now() - begin < enough); ++i) {
    if (girihCudaSynchronize(device, &status) != GIRIH_OK)
      return statusError(status);
    auto start = Clock::now();
    if (girihCudaLaunch(kernel, &launch, plan, nullptr, &status) != GIRIH_OK)
      return statusError(status);
    times.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start).count());
  }
  if (girihCudaSynchronize(device, &status) != GIRIH_OK)
    return statusError(status);
  std::nth_element(times.begin(), times.begin() + times.size() / 2, times.end());
  return times[times.size() / 2];
}

llvm::Error girih::probeCuda() {
  GirihCudaDevice *opened = nullptr;
  GirihStatus status{};
  girihCudaOpen(0, &opened, &status);
  girihCudaClose(opened);
  return statusError(status);
}

llvm::Expected<std::string> girih::chipFor(const Request &r) {
  if (!r.chip.empty())
    return r.chip;
  GirihCudaDevice *opened = nullptr;
  GirihStatus status{};
  if (girihCudaOpen(0, &opened, &status) == GIRIH_NO_DEVICE)
    return CompileOptions().chip;
  if (!opened)
    return statusError(status);
  Owned<GirihCudaDevice> device(opened, girihCudaClose);
  return chipOf(opened);
}

llvm::Error girih::runCuda(Session &session, const Request &r, Tensors &tensors, float scale,
                           bool bench, llvm::StringRef layout, Measurement &result) {
  // A kernel is for the device, or what it is said to be for; without one it is
  // compiled all the same.
  GirihCudaDevice *opened = nullptr;
  GirihStatus status{};
  if (girihCudaOpen(0, &opened, &status) != GIRIH_OK && status.code != GIRIH_NO_DEVICE)
    return statusError(status);
  const GirihStatus noDevice = status;
  Owned<GirihCudaDevice> device(opened, girihCudaClose);
  CompileOptions options = r.compileOptions();
  if (opened && r.chip.empty()) {
    auto chip = chipOf(opened);
    if (!chip)
      return chip.takeError();
    options.chip = *chip;
  }
  auto code = session.compileCuda(r.pattern, options, &result.cacheHit);
  if (opened && code)
    code = withImageFor(opened, *code, r.pattern, options);
  if (!code)
    return code.takeError();
  const GirihCudaKernelDesc &desc = (*code)->desc;
  result.compileMs = (*code)->compileMs;
  result.tileQ = desc.base.tile_q;
  result.tileK = desc.base.tile_k;

  // The map.
  std::vector<GirihOperand> operands = patternOperands(r.pattern, r.score);
  GirihMapParams params = mapParams(r.batch, r.heads, r.numQ, r.numK, r.align, operands, desc.base);
  auto start = std::chrono::steady_clock::now();
  GirihBlockMap *built = nullptr;
  if (girihBlockMapBuild(desc.base.map, &params, &built, &status) != GIRIH_OK)
    return statusError(status);
  Owned<GirihBlockMap> map(built, girihBlockMapFree);
  result.mapMs =
      std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  if (girihBlockMapStats(map.get(), desc.base.map, &params, &result.stats, &status) != GIRIH_OK)
    return statusError(status);
  result.picture = sampleTiles({map.get(), desc.base.map, &params}, 0, 0, 24);

  // The device, from here on.
  if (!opened)
    return statusError(noDevice);
  result.device = girihCudaName(device.get());

  GirihView views[] = {tensors.q.view(), tensors.k.view(), tensors.v.view(), tensors.out.view()};
  views[3].dtype = desc.base.o_dtype;
  DeviceBuffer buffers[] = {DeviceBuffer(opened), DeviceBuffer(opened), DeviceBuffer(opened),
                            DeviceBuffer(opened)};
  DeviceBuffer lse(opened);
  int64_t lseBytes = static_cast<int64_t>(tensors.lse.size() * sizeof(float));
  for (int i = 0; i != 4; ++i) {
    int64_t bytes = bytesOf(views[i]);
    if (llvm::Error error = buffers[i].allocate(bytes))
      return error;
    if (i < 3)
      girihCudaCopyIn(opened, buffers[i].memory, rearranged(views[i], views[i].data, layout).data(),
                      bytes, &status);
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
    setLayout(onDevice[i], layout);
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
  result.copiedBytes = girihCudaPlanCopiedBytes(planned);

  auto image = loadImage(opened, **code, options.chip);
  if (!image)
    return image.takeError();
  GirihCudaKernel *loaded = *image;
  Owned<GirihCudaKernel> kernel(loaded, girihCudaUnload);

  // The first launch is the one that is checked.
  if (girihCudaTime(loaded, &launch, planned, 0, 1, &result.timeMs, &status) != GIRIH_OK)
    return statusError(status);
  if (llvm::Error error = copyOutput(opened, onDevice[3], tensors.out.values()))
    return error;
  if (girihCudaCopyOut(opened, tensors.lse.data(), lse.memory, lseBytes, &status) != GIRIH_OK)
    return statusError(status);
  if (bench) {
    constexpr int warmup = 5, repeat = 30;
    std::vector<double> times(repeat);
    if (girihCudaTime(loaded, &launch, planned, warmup, repeat, times.data(), &status) != GIRIH_OK)
      return statusError(status);
    std::sort(times.begin(), times.end());
    result.timeMs = times[repeat / 2];
    result.launches = repeat;
    auto launchUs = timeLaunchCalls(opened, loaded, launch, planned);
    if (!launchUs)
      return launchUs.takeError();
    result.launchUs = *launchUs;
  }
  return llvm::Error::success();
}
