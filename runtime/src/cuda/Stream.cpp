//===- Stream.cpp - What launches need to know of a stream ----------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A stream of another device would run the kernel there, on addresses of here.
//
//===----------------------------------------------------------------------===//

#include "Device.h"

#include "../Error.h"

using namespace girih;
using namespace girih::cuda;

/// Says which device a stream of `context` is of.
static int failContext(const GirihCudaDevice &device, Context context, GirihStatus *status) {
  const Driver &driver = device.driver;
  DeviceId other = device.id;
  Context popped;
  if (driver.cuCtxPushCurrent(context) == 0) {
    driver.cuCtxGetDevice(&other);
    driver.cuCtxPopCurrent(&popped);
  }
  if (other == device.id)
    return fail(status, GIRIH_INVALID,
                "expected a stream of the primary context of device %d, but got one of another "
                "context",
                device.ordinal);
  return fail(status, GIRIH_INVALID,
              "expected a stream of device %d, where the tensors are, but got one of device %d",
              device.ordinal, other);
}

int girihCudaStreamQuery(GirihCudaDevice *device, void *stream, GirihCudaStreamInfo *info,
                         GirihStatus *status) {
  if (int code = checkHandle(device, "a device", status))
    return code;
  if (!info)
    return fail(status, GIRIH_INVALID, "expected room for what a stream is, but got null");
  Current current(*device);
  if (int code = current.enter(status))
    return code;
  const Driver &driver = device->driver;
  auto *handle = static_cast<Stream>(stream);
  Context context = nullptr;
  if (Result result = driver.cuStreamGetCtx(handle, &context))
    return failCall(driver, result, status, "could not use the stream %p", stream);
  if (context != device->context)
    return failContext(*device, context, status);
  unsigned long long id = 0;
  int capturing = kStreamCaptureNone;
  Result result = driver.cuStreamIsCapturing(handle, &capturing);
  // Asking a stream that is captured for its id fails, and the capture with it.
  if (result == 0 && capturing == kStreamCaptureNone)
    result = driver.cuStreamGetId(handle, &id);
  if (result != 0)
    return failCall(driver, result, status, "could not ask the driver about the stream %p", stream);
  *info = {id, capturing != kStreamCaptureNone, 0};
  return succeed(status);
}
