//===- DriverTypes.h - What the CUDA driver's ABI needs ---------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// The few types and numbers of the driver API that the runtime uses, so that it
// builds without a CUDA toolkit. The driver promises that they never change;
// test/Runtime/CudaDriverTest.cpp compares them with <cuda.h> where there is
// one.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_RUNTIME_CUDA_DRIVERTYPES_H
#define GIRIH_RUNTIME_CUDA_DRIVERTYPES_H

#include <cstddef>
#include <cstdint>

namespace girih::cuda {

/// CUresult; 0 is success. An int, since newer drivers return newer values.
using Result = int;
/// CUdevice.
using DeviceId = int;
/// CUdeviceptr.
using DevicePtr = unsigned long long;

using Context = struct ContextHandle *;
using Module = struct ModuleHandle *;
using Function = struct FunctionHandle *;
using Stream = struct StreamHandle *;
using Event = struct EventHandle *;

/// CUtensorMap.
struct alignas(128) TensorMap {
  uint64_t opaque[16];
};

constexpr Result kErrorOutOfMemory = 2;
constexpr Result kErrorNoDevice = 100;
constexpr Result kErrorInvalidDevice = 101;
constexpr Result kErrorInvalidImage = 200;
constexpr Result kErrorNoBinaryForGpu = 209;
constexpr Result kErrorInvalidPtx = 218;
constexpr Result kErrorUnsupportedPtxVersion = 222;
constexpr Result kErrorInvalidContext = 201;
constexpr Result kErrorInvalidHandle = 400;
constexpr Result kErrorNotFound = 500;
constexpr Result kErrorStreamCaptureImplicit = 906;

constexpr int kDeviceMultiprocessorCount = 16;
constexpr int kDeviceComputeCapabilityMajor = 75;
constexpr int kDeviceComputeCapabilityMinor = 76;
constexpr int kDeviceMaxSharedMemoryPerBlockOptin = 97;

constexpr int kPointerMemoryType = 2;
constexpr int kPointerIsManaged = 8;
constexpr int kPointerDeviceOrdinal = 9;
constexpr unsigned kMemoryTypeDevice = 2;

constexpr int kFunctionMaxThreadsPerBlock = 0;
constexpr int kFunctionSharedSizeBytes = 1;
constexpr int kFunctionMaxDynamicSharedSizeBytes = 8;

constexpr int kJitInfoLogBuffer = 3;
constexpr int kJitInfoLogBufferSizeBytes = 4;
constexpr int kJitErrorLogBuffer = 5;
constexpr int kJitErrorLogBufferSizeBytes = 6;

constexpr unsigned kEventDefault = 0;

constexpr unsigned kStreamNonBlocking = 1;
constexpr int kStreamCaptureNone = 0;
constexpr int kStreamCaptureModeRelaxed = 2;

constexpr int kTensorMapFloat16 = 6;
constexpr int kTensorMapBFloat16 = 9;
constexpr int kTensorMapInterleaveNone = 0;
constexpr int kTensorMapSwizzle128B = 3;
constexpr int kTensorMapL2Promotion256B = 3;
constexpr int kTensorMapFillZero = 0;

} // namespace girih::cuda

#endif // GIRIH_RUNTIME_CUDA_DRIVERTYPES_H
