//===- CudaDevices.h - The GPUs that a session has used ---------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_CAPI_CUDADEVICES_H
#define GIRIH_CAPI_CUDADEVICES_H

#include "girih-c/Cuda.h"

#include "llvm/Support/Error.h"

#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace girih::capi {

/// Devices by number, opened when they are first needed: their primary contexts, which
/// frameworks use too. Thread-safe.
class CudaDevices {
public:
  /// Fails with GIRIH_NO_DEVICE where there is none.
  llvm::Expected<std::shared_ptr<GirihCudaDevice>> open(int32_t ordinal);

  /// The chip of kernels for a device; sm_90a where there is none at all.
  llvm::Expected<std::string> chipOf(int32_t ordinal);

private:
  std::mutex mutex;
  std::map<int32_t, std::shared_ptr<GirihCudaDevice>> devices;
};

} // namespace girih::capi

#endif // GIRIH_CAPI_CUDADEVICES_H
