//===- Memory.cpp - Device memory -----------------------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// For tools and tests; frameworks bring their own memory. Every call here is
// done when it returns, whatever stream its result is used on.
//
//===----------------------------------------------------------------------===//

#include "Device.h"

#include "../Error.h"

#include <cinttypes>
#include <cstring>

using namespace girih;
using namespace girih::cuda;

static DevicePtr address(const void *memory) { return reinterpret_cast<uintptr_t>(memory); }

static int checkBytes(const GirihCudaDevice *device, int64_t bytes, GirihStatus *status) {
  if (int code = checkHandle(device, "a device", status))
    return code;
  if (bytes < 0)
    return fail(status, GIRIH_INVALID, "expected bytes not to be negative, but got %" PRId64,
                bytes);
  return GIRIH_OK;
}

/// Runs `body`, which returns a Result, with the device's context current, and
/// waits: copies from pageable memory and fills are still under way when the
/// driver returns. `memory` is on the device.
template <typename Body>
static int transfer(GirihCudaDevice *device, const char *what, const void *memory, int64_t bytes,
                    GirihStatus *status, Body body) {
  if (int code = checkBytes(device, bytes, status))
    return code;
  if (bytes == 0)
    return succeed(status);
  if (!memory)
    return fail(status, GIRIH_INVALID, "expected device memory, but got null");
  Current current(*device);
  if (int code = current.enter(status))
    return code;
  Result result = body();
  if (result == 0)
    result = device->driver.cuStreamSynchronize(nullptr);
  if (result != 0)
    return failCall(device->driver, result, status, "could not %s %" PRId64 " bytes on device %d",
                    what, bytes, device->ordinal);
  return succeed(status);
}

int girihCudaAllocate(GirihCudaDevice *device, int64_t bytes, void **memory, GirihStatus *status) {
  *memory = nullptr;
  if (int code = checkBytes(device, bytes, status))
    return code;
  Current current(*device);
  if (int code = current.enter(status))
    return code;
  DevicePtr allocated = 0;
  // The driver refuses empty allocations.
  if (Result result = device->driver.cuMemAlloc(&allocated, bytes ? static_cast<size_t>(bytes) : 1))
    return failCall(device->driver, result, status,
                    "could not allocate %" PRId64 " bytes on device %d", bytes, device->ordinal);
  static_assert(sizeof(allocated) == sizeof(*memory));
  memcpy(static_cast<void *>(memory), &allocated, sizeof(allocated));
  return succeed(status);
}

void girihCudaFree(GirihCudaDevice *device, void *memory) {
  if (!device || !memory)
    return;
  Current current(*device);
  if (current.enter(nullptr) == GIRIH_OK)
    device->driver.cuMemFree(address(memory));
}

int girihCudaCopyIn(GirihCudaDevice *device, void *to, const void *from, int64_t bytes,
                    GirihStatus *status) {
  return transfer(device, "copy in", to, bytes, status, [&] {
    return device->driver.cuMemcpyHtoD(address(to), from, static_cast<size_t>(bytes));
  });
}

int cuda::upload(GirihCudaDevice &device, void *to, const void *from, int64_t bytes,
                 GirihStatus *status) {
  Current current(device);
  if (int code = current.enter(status))
    return code;
  const Driver &driver = device.driver;
  Stream stream = nullptr;
  Result result = driver.cuStreamCreate(&stream, kStreamNonBlocking);
  if (result == 0) {
    result = driver.cuMemcpyHtoDAsync(address(to), from, static_cast<size_t>(bytes), stream);
    if (result == 0)
      result = driver.cuStreamSynchronize(stream);
    driver.cuStreamDestroy(stream);
  }
  if (result != 0)
    return failCall(driver, result, status, "could not copy in %" PRId64 " bytes on device %d",
                    bytes, device.ordinal);
  return GIRIH_OK;
}

int girihCudaCopyOut(GirihCudaDevice *device, void *to, const void *from, int64_t bytes,
                     GirihStatus *status) {
  return transfer(device, "copy out", from, bytes, status, [&] {
    return device->driver.cuMemcpyDtoH(to, address(from), static_cast<size_t>(bytes));
  });
}

int girihCudaFill(GirihCudaDevice *device, void *memory, int value, int64_t bytes,
                  GirihStatus *status) {
  return transfer(device, "fill", memory, bytes, status, [&] {
    return device->driver.cuMemsetD8(address(memory), static_cast<unsigned char>(value),
                                     static_cast<size_t>(bytes));
  });
}

int girihCudaSynchronize(GirihCudaDevice *device, GirihStatus *status) {
  if (int code = checkHandle(device, "a device", status))
    return code;
  Current current(*device);
  if (int code = current.enter(status))
    return code;
  if (Result result = device->driver.cuCtxSynchronize())
    return failCall(device->driver, result, status, "device %d (%s) stopped on earlier work",
                    device->ordinal, device->name);
  return succeed(status);
}
