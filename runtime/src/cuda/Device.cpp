//===- Device.cpp - Opening CUDA devices ----------------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Retains the primary context of a device and reads what launches need to know
// of it.
//
//===----------------------------------------------------------------------===//

#include "Device.h"

#include "../Error.h"

#include <memory>

using namespace girih;
using namespace girih::cuda;

int cuda::checkHandle(const void *handle, const char *what, GirihStatus *status) {
  if (handle)
    return GIRIH_OK;
  if (!sharedDriver(status))
    return GIRIH_NO_DEVICE;
  return fail(status, GIRIH_INVALID, "expected %s, but got null", what);
}

int Current::enter(GirihStatus *status) {
  if (Result result = device.driver.cuCtxPushCurrent(device.context))
    return failCall(device.driver, result, status, "could not use the context of device %d",
                    device.ordinal);
  entered = true;
  return GIRIH_OK;
}

Current::~Current() {
  Context popped;
  if (entered)
    device.driver.cuCtxPopCurrent(&popped);
}

int32_t girihCudaDeviceCount(void) {
  const Driver *driver = sharedDriver(nullptr);
  int count = 0;
  return driver && driver->cuDeviceGetCount(&count) == 0 ? count : 0;
}

/// Reads what the device says about itself.
static int readProperties(GirihCudaDevice &device, GirihStatus *status) {
  const Driver &driver = device.driver;
  if (Result result = driver.cuDeviceGet(&device.id, device.ordinal))
    return failCall(driver, result, status, "could not get device %d", device.ordinal);
  if (Result result =
          driver.cuDeviceGetName(device.name, static_cast<int>(sizeof(device.name)), device.id))
    return failCall(driver, result, status, "could not read the name of device %d", device.ordinal);
  const struct {
    const char *what;
    int attribute;
    int *value;
  } attributes[] = {
      {"multiprocessors", kDeviceMultiprocessorCount, &device.multiprocessors},
      {"compute capability", kDeviceComputeCapabilityMajor, &device.major},
      {"compute capability", kDeviceComputeCapabilityMinor, &device.minor},
      {"shared memory", kDeviceMaxSharedMemoryPerBlockOptin, &device.sharedBytes},
  };
  for (const auto &entry : attributes)
    if (Result result = driver.cuDeviceGetAttribute(entry.value, entry.attribute, device.id))
      return failCall(driver, result, status, "could not read the %s of device %d (%s)", entry.what,
                      device.ordinal, device.name);
  return GIRIH_OK;
}

static int openDevice(int32_t ordinal, GirihCudaDevice **opened, GirihStatus *status) {
  const Driver *driver = sharedDriver(status);
  if (!driver)
    return GIRIH_NO_DEVICE;
  int32_t count = girihCudaDeviceCount();
  if (ordinal < 0 || ordinal >= count)
    return fail(status, GIRIH_NO_DEVICE,
                "expected a device number below %d (CUDA devices of this machine), but got %d",
                count, ordinal);
  auto device = std::make_unique<GirihCudaDevice>(*driver);
  device->ordinal = ordinal;
  if (int code = readProperties(*device, status))
    return code;
  if (device->major < 8)
    return fail(status, GIRIH_UNSUPPORTED,
                "expected device %d (%s) to have compute capability 8.0 or higher, but got %d.%d",
                ordinal, device->name, device->major, device->minor);
  if (Result result = driver->cuDevicePrimaryCtxRetain(&device->context, device->id))
    return failCall(*driver, result, status, "could not make a context on device %d (%s)", ordinal,
                    device->name);
  *opened = device.release();
  return succeed(status);
}

int girihCudaOpen(int32_t ordinal, GirihCudaDevice **device, GirihStatus *status) {
  *device = nullptr;
  return guarded(status, [&] { return openDevice(ordinal, device, status); });
}

void girihCudaClose(GirihCudaDevice *device) {
  if (!device)
    return;
  device->driver.cuDevicePrimaryCtxRelease(device->id);
  delete device;
}

const char *girihCudaName(const GirihCudaDevice *device) { return device ? device->name : ""; }

int32_t girihCudaCapability(const GirihCudaDevice *device) {
  return device ? 10 * device->major + device->minor : 0;
}

int32_t girihCudaMultiprocessors(const GirihCudaDevice *device) {
  return device ? device->multiprocessors : 0;
}
