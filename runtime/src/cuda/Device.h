//===- Device.h - An open CUDA device ---------------------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Devices use the primary context, which is the one that the CUDA runtime and
// the frameworks on top of it use: their memory and streams work here.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_RUNTIME_CUDA_DEVICE_H
#define GIRIH_RUNTIME_CUDA_DEVICE_H

#include "girih-c/Cuda.h"

#include "Driver.h"

/// Unchanged once open, so threads may share it.
struct GirihCudaDevice {
  explicit GirihCudaDevice(const girih::cuda::Driver &driver) : driver(driver) {}

  const girih::cuda::Driver &driver;
  int32_t ordinal = 0;
  girih::cuda::DeviceId id = 0;
  girih::cuda::Context context = nullptr;
  int multiprocessors = 0;
  int major = 0, minor = 0;
  /// Most shared memory of a block.
  int sharedBytes = 0;
  char name[256] = {};
};

namespace girih::cuda {

/// What every call checks of a handle, `what` being "a device", "a kernel" or "a
/// plan": no driver comes before null, since nobody without one has a handle.
int checkHandle(const void *handle, const char *what, GirihStatus *status);

/// Makes the context of a device current while it lives, and then whatever was
/// before.
class Current {
public:
  explicit Current(const GirihCudaDevice &device) : device(device) {}
  ~Current();
  Current(const Current &) = delete;
  Current &operator=(const Current &) = delete;
  /// Returns a GirihCode.
  int enter(GirihStatus *status);

private:
  const GirihCudaDevice &device;
  bool entered = false;
};

/// Copies to device memory that nothing uses yet, and waits for it. The copy is on a stream
/// of its own: while a stream that waits for the default stream is captured to a CUDA
/// graph, the default one may not be used. Returns a GirihCode.
int upload(GirihCudaDevice &device, void *to, const void *from, int64_t bytes, GirihStatus *status);

/// Lets this thread allocate and free while it lives, though some stream is being captured
/// to a CUDA graph.
class RelaxedCapture {
public:
  explicit RelaxedCapture(const Driver &driver) : driver(driver) { exchange(); }
  ~RelaxedCapture() { exchange(); }
  RelaxedCapture(const RelaxedCapture &) = delete;
  RelaxedCapture &operator=(const RelaxedCapture &) = delete;

private:
  void exchange() { driver.cuThreadExchangeStreamCaptureMode(&mode); }

  const Driver &driver;
  int mode = kStreamCaptureModeRelaxed; ///< then the one before
};

} // namespace girih::cuda

#endif // GIRIH_RUNTIME_CUDA_DEVICE_H
