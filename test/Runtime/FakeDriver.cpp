//===- FakeDriver.cpp - A CUDA driver that runs nothing -------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Every function that the runtime requires. An image is text; it has the functions
// whose names it contains. In PTX parameters are counted; else a function with "copy" in
// its name takes copies, one with "merge" or "plain" the arguments only, others three
// tensor maps before them.
//
//===----------------------------------------------------------------------===//

#include "FakeDriver.h"

#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <utility>

using namespace girih::cuda;
using namespace girih::testing;

namespace {

struct Allocation {
  size_t bytes;
  int device;
};

struct LoadedFunction {
  std::string name;
  int maps;
};

struct Copy {
  DevicePtr to;
  const void *from;
  size_t bytes;
};

struct State {
  FakeDriver seen;
  std::map<Stream, std::vector<Copy>> copies; ///< enqueued; done when their stream is waited for
  std::map<DevicePtr, Allocation> memory;
  std::vector<int> contexts; ///< the stack, as device numbers
  int captureMode = 0;
  std::vector<std::unique_ptr<std::string>> images;
  std::vector<std::unique_ptr<LoadedFunction>> functions;
};

/// Tensor maps among the parameters of a function.
int countMaps(const std::string &image, const std::string &name) {
  const size_t entry = image.find(".entry " + name + "(");
  if (entry == std::string::npos) {
    auto has = [&](const char *part) { return name.find(part) != std::string::npos; };
    return has("merge") || has("plain") || has("copy") ? 0 : 3;
  }
  int parameters = 0;
  const size_t end = image.find(')', entry);
  for (size_t at = image.find(".param", entry); at < end; at = image.find(".param", at + 1))
    ++parameters;
  return parameters - 1;
}

State &state() {
  static State shared;
  return shared;
}

constexpr Result kErrorCaptureUnsupported = 900;

/// The device of a fakeStream; -1 of the default ones, -2 of anything else.
int deviceOf(Stream stream) {
  const auto address = reinterpret_cast<uintptr_t>(stream);
  if (address <= 2)
    return -1;
  return address >= 0x1000 && address < 0x1200 ? static_cast<int>((address - 0x1000) / 0x100) : -2;
}

/// Whether work on the stream waits for what is being captured: that on the default ones does,
/// and on all that were not made to be non-blocking.
bool meetsCapture(Stream stream) {
  return state().seen.capturing && (reinterpret_cast<uintptr_t>(stream) & 0xFF) != 0xFF;
}

/// The allocation that holds `pointer`, or null.
const Allocation *find(DevicePtr pointer) {
  auto it = state().memory.upper_bound(pointer);
  if (it == state().memory.begin())
    return nullptr;
  --it;
  return pointer < it->first + it->second.bytes ? &it->second : nullptr;
}

void *pointer(DevicePtr address) { return reinterpret_cast<void *>(uintptr_t{address}); }

} // namespace

// The names and parameters are the driver's.
#define GIRIH_FAKE extern "C" __attribute__((visibility("default")))

GIRIH_FAKE FakeDriver *girihFakeDriver() { return &state().seen; }

GIRIH_FAKE Result cuInit(unsigned) { return 0; }
GIRIH_FAKE Result cuDriverGetVersion(int *version) {
  *version = 12080;
  return 0;
}
GIRIH_FAKE Result cuGetErrorString(Result, const char **text) {
  *text = "a fake error";
  return 0;
}
GIRIH_FAKE Result cuGetErrorName(Result, const char **text) {
  *text = "FAKE";
  return 0;
}
GIRIH_FAKE Result cuDeviceGetCount(int *count) {
  *count = 2;
  return 0;
}
GIRIH_FAKE Result cuDeviceGet(DeviceId *device, int ordinal) {
  *device = ordinal;
  return 0;
}
GIRIH_FAKE Result cuDeviceGetName(char *name, int size, DeviceId) {
  strncpy(name, "Fake", static_cast<size_t>(size));
  return 0;
}
GIRIH_FAKE Result cuDeviceGetAttribute(int *value, int attribute, DeviceId device) {
  const int capability = state().seen.capabilities[device];
  *value = attribute == kDeviceMultiprocessorCount      ? state().seen.multiprocessors
           : attribute == kDeviceComputeCapabilityMajor ? capability / 10
           : attribute == kDeviceComputeCapabilityMinor ? capability % 10
                                                        : 232448;
  return 0;
}
GIRIH_FAKE Result cuDevicePrimaryCtxRetain(Context *context, DeviceId device) {
  *context = reinterpret_cast<Context>(static_cast<uintptr_t>(device) + 1);
  return 0;
}
GIRIH_FAKE Result cuDevicePrimaryCtxRelease_v2(DeviceId) { return 0; }
GIRIH_FAKE Result cuCtxPushCurrent_v2(Context context) {
  state().contexts.push_back(static_cast<int>(reinterpret_cast<uintptr_t>(context)) - 1);
  return 0;
}
GIRIH_FAKE Result cuCtxPopCurrent_v2(Context *) {
  state().contexts.pop_back();
  return 0;
}
GIRIH_FAKE Result cuCtxSynchronize() { return 0; }
GIRIH_FAKE Result cuCtxGetDevice(DeviceId *device) {
  *device = state().contexts.back();
  return 0;
}

GIRIH_FAKE Result cuMemAlloc_v2(DevicePtr *memory, size_t bytes) {
  if (state().seen.capturing && state().captureMode != kStreamCaptureModeRelaxed)
    return kErrorCaptureUnsupported;
  if (bytes > size_t{1} << 30)
    return kErrorOutOfMemory;
  void *block = aligned_alloc(256, (bytes + 255) / 256 * 256);
  // As uninitialised memory is: anything.
  memset(block, 0xa5, bytes);
  *memory = reinterpret_cast<uintptr_t>(block);
  state().memory[*memory] = {bytes, state().contexts.back()};
  ++state().seen.allocations;
  return 0;
}
GIRIH_FAKE Result cuMemFree_v2(DevicePtr memory) {
  state().memory.erase(memory);
  free(pointer(memory));
  --state().seen.allocations;
  return 0;
}
GIRIH_FAKE Result cuMemcpyHtoD_v2(DevicePtr to, const void *from, size_t bytes) {
  // On the default stream, which streams that wait for it may not meet in a capture.
  if (state().seen.capturing)
    return kErrorStreamCaptureImplicit;
  memcpy(pointer(to), from, bytes);
  return 0;
}
GIRIH_FAKE Result cuMemcpyHtoDAsync_v2(DevicePtr to, const void *from, size_t bytes,
                                       Stream stream) {
  if (meetsCapture(stream))
    return kErrorStreamCaptureImplicit;
  state().copies[stream].push_back({to, from, bytes});
  return 0;
}
GIRIH_FAKE Result cuMemcpyDtoH_v2(void *to, DevicePtr from, size_t bytes) {
  memcpy(to, pointer(from), bytes);
  return 0;
}
GIRIH_FAKE Result cuMemsetD8_v2(DevicePtr memory, unsigned char value, size_t bytes) {
  memset(pointer(memory), value, bytes);
  return 0;
}
GIRIH_FAKE Result cuPointerGetAttributes(unsigned, int *, void **values, DevicePtr address) {
  const Allocation *found = find(address);
  *static_cast<unsigned *>(values[0]) = found ? kMemoryTypeDevice : 0;
  *static_cast<int *>(values[1]) = 0;
  *static_cast<int *>(values[2]) = found ? found->device : -2;
  return 0;
}

GIRIH_FAKE Result cuModuleLoadDataEx(Module *module, const void *image, unsigned, int *, void **) {
  state().images.push_back(std::make_unique<std::string>(static_cast<const char *>(image)));
  *module = reinterpret_cast<Module>(state().images.back().get());
  return 0;
}
GIRIH_FAKE Result cuModuleUnload(Module) { return 0; }
GIRIH_FAKE Result cuModuleGetFunction(Function *function, Module module, const char *name) {
  if (reinterpret_cast<std::string *>(module)->find(name) == std::string::npos)
    return kErrorNotFound;
  state().functions.push_back(std::make_unique<LoadedFunction>(
      LoadedFunction{name, countMaps(*reinterpret_cast<std::string *>(module), name)}));
  *function = reinterpret_cast<Function>(state().functions.back().get());
  return 0;
}
GIRIH_FAKE Result cuFuncGetAttribute(int *value, int attribute, Function) {
  *value = attribute == kFunctionMaxThreadsPerBlock ? 1024 : 0;
  return 0;
}
GIRIH_FAKE Result cuFuncSetAttribute(Function, int, int) { return 0; }
GIRIH_FAKE Result cuFuncLoad(Function) { return 0; }

GIRIH_FAKE Result cuLaunchKernel(Function function, unsigned gridX, unsigned gridY, unsigned gridZ,
                                 unsigned blockX, unsigned blockY, unsigned blockZ,
                                 unsigned sharedBytes, Stream stream, void **parameters, void **) {
  const auto &loaded = *reinterpret_cast<LoadedFunction *>(function);
  FakeLaunch launch{
      loaded.name, {gridX, gridY, gridZ}, {blockX, blockY, blockZ}, sharedBytes, stream, {}, {},
      {}};
  for (int i = 0; i < loaded.maps; ++i)
    memcpy(&launch.maps[i], parameters[i], sizeof(FakeTensorMap));
  if (loaded.name.find("copy") != std::string::npos)
    memcpy(&launch.copies, parameters[0], sizeof(GirihCudaCopies));
  else
    memcpy(&launch.arguments, parameters[loaded.maps], sizeof(GirihCudaArguments));
  FakeDriver &seen = state().seen;
  const Result result = seen.launchResult; // of this launch; `run` may change it
  if (result == 0) {
    seen.launches.push_back(launch);
    if (seen.run)
      seen.run(launch);
  }
  return result;
}

GIRIH_FAKE Result cuTensorMapEncodeTiled(TensorMap *map, int type, uint32_t rank, void *address,
                                         const uint64_t *dims, const uint64_t *strides,
                                         const uint32_t *box, const uint32_t *, int, int, int,
                                         int) {
  if (rank != 4)
    return 1;
  FakeTensorMap fake{};
  fake.data = address;
  memcpy(fake.dims, dims, sizeof(fake.dims));
  memcpy(fake.strides, strides, sizeof(fake.strides));
  memcpy(fake.box, box, sizeof(fake.box));
  fake.type = type;
  memcpy(map, &fake, sizeof(fake));
  return 0;
}

GIRIH_FAKE Result cuStreamGetCtx(Stream stream, Context *context) {
  const int device = deviceOf(stream);
  if (device == -2)
    return kErrorInvalidHandle;
  *context = reinterpret_cast<Context>(
      static_cast<uintptr_t>(device == -1 ? state().contexts.back() : device) + 1);
  return 0;
}
GIRIH_FAKE Result cuStreamGetId(Stream stream, unsigned long long *id) {
  if (stream && stream == state().seen.capturing)
    return kErrorCaptureUnsupported;
  // Null is the legacy stream, 2 that of the thread.
  const auto address = reinterpret_cast<uintptr_t>(stream);
  *id = deviceOf(stream) == -1 ? (address == 2) + 2 * static_cast<unsigned>(state().contexts.back())
                               : address;
  return 0;
}
GIRIH_FAKE Result cuStreamIsCapturing(Stream stream, int *capturing) {
  *capturing = stream && stream == state().seen.capturing;
  return 0;
}
GIRIH_FAKE Result cuThreadExchangeStreamCaptureMode(int *mode) {
  std::swap(*mode, state().captureMode);
  return 0;
}
GIRIH_FAKE Result cuStreamCreate(Stream *stream, unsigned flags) {
  *stream = static_cast<Stream>(
      fakeStream(state().contexts.back(), flags == kStreamNonBlocking ? 0xFF : 0xFE));
  ++state().seen.streams;
  return 0;
}
GIRIH_FAKE Result cuStreamDestroy_v2(Stream stream) {
  state().copies.erase(stream);
  --state().seen.streams;
  return 0;
}
GIRIH_FAKE Result cuStreamSynchronize(Stream stream) {
  if (meetsCapture(stream))
    return kErrorStreamCaptureImplicit;
  for (const Copy &copy : std::exchange(state().copies[stream], {}))
    memcpy(pointer(copy.to), copy.from, copy.bytes);
  return 0;
}
GIRIH_FAKE Result cuEventCreate(Event *event, unsigned) {
  *event = nullptr;
  return 0;
}
GIRIH_FAKE Result cuEventDestroy_v2(Event) { return 0; }
GIRIH_FAKE Result cuEventRecord(Event, Stream) { return 0; }
GIRIH_FAKE Result cuEventSynchronize(Event) { return 0; }
GIRIH_FAKE Result cuEventElapsedTime(float *milliseconds, Event, Event) {
  *milliseconds = 1.5f;
  return 0;
}
