//===- CudaDevices.cpp - The GPUs that a session has used -----------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/CAPI/CudaDevices.h"

#include "girih/JIT/CudaImage.h"
#include "girih/JIT/Session.h"
#include "girih/Support/Error.h"

using namespace girih;
using namespace girih::capi;

llvm::Expected<std::shared_ptr<GirihCudaDevice>> CudaDevices::open(int32_t ordinal) {
  std::lock_guard<std::mutex> lock(mutex);
  std::shared_ptr<GirihCudaDevice> &device = devices[ordinal];
  if (device)
    return device;
  GirihCudaDevice *opened = nullptr;
  GirihStatus status{};
  if (girihCudaOpen(ordinal, &opened, &status) != GIRIH_OK)
    return statusError(status);
  device.reset(opened, girihCudaClose);
  return device;
}

llvm::Expected<std::string> CudaDevices::chipOf(int32_t ordinal) {
  if (girihCudaDeviceCount() == 0)
    return CompileOptions().chip;
  auto device = open(ordinal);
  if (!device)
    return device.takeError();
  return girih::chipOf(device->get());
}
