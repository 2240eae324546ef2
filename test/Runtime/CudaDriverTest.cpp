//===- CudaDriverTest.cpp - The CUDA driver, and machines without one -----===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Proves that every entry point answers GIRIH_NO_DEVICE where there is no
// driver, and that our declarations are the driver's, where a toolkit is
// installed to say so.
//
//===----------------------------------------------------------------------===//

#include "girih-c/Cuda.h"
#include "src/cuda/Driver.h"

#include <gtest/gtest.h>

#include <cstring>
#include <type_traits>

// After Driver.h: it renames functions by macros.
#if __has_include(<cuda.h>)
#include <cuda.h>
#endif

using namespace girih::cuda;

#if defined(CUDA_VERSION) && CUDA_VERSION >= 12040

static_assert(sizeof(Result) == sizeof(CUresult));
static_assert(sizeof(DeviceId) == sizeof(CUdevice));
static_assert(sizeof(DevicePtr) == sizeof(CUdeviceptr));
static_assert(sizeof(TensorMap) == sizeof(CUtensorMap));
static_assert(alignof(TensorMap) >= alignof(CUtensorMap));

static_assert(kErrorOutOfMemory == CUDA_ERROR_OUT_OF_MEMORY);
static_assert(kErrorNoDevice == CUDA_ERROR_NO_DEVICE);
static_assert(kErrorInvalidDevice == CUDA_ERROR_INVALID_DEVICE);
static_assert(kErrorInvalidImage == CUDA_ERROR_INVALID_IMAGE);
static_assert(kErrorNoBinaryForGpu == CUDA_ERROR_NO_BINARY_FOR_GPU);
static_assert(kErrorInvalidPtx == CUDA_ERROR_INVALID_PTX);
static_assert(kErrorUnsupportedPtxVersion == CUDA_ERROR_UNSUPPORTED_PTX_VERSION);
static_assert(kErrorNotFound == CUDA_ERROR_NOT_FOUND);
static_assert(kDeviceMultiprocessorCount == CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
static_assert(kDeviceComputeCapabilityMajor == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
static_assert(kDeviceComputeCapabilityMinor == CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
static_assert(kDeviceMaxSharedMemoryPerBlockOptin ==
              CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN);
static_assert(kPointerMemoryType == CU_POINTER_ATTRIBUTE_MEMORY_TYPE);
static_assert(kPointerIsManaged == CU_POINTER_ATTRIBUTE_IS_MANAGED);
static_assert(kPointerDeviceOrdinal == CU_POINTER_ATTRIBUTE_DEVICE_ORDINAL);
static_assert(kMemoryTypeDevice == CU_MEMORYTYPE_DEVICE);
static_assert(kFunctionMaxThreadsPerBlock == CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK);
static_assert(kFunctionSharedSizeBytes == CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES);
static_assert(kFunctionMaxDynamicSharedSizeBytes ==
              CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES);
static_assert(kJitInfoLogBuffer == CU_JIT_INFO_LOG_BUFFER);
static_assert(kJitInfoLogBufferSizeBytes == CU_JIT_INFO_LOG_BUFFER_SIZE_BYTES);
static_assert(kJitErrorLogBuffer == CU_JIT_ERROR_LOG_BUFFER);
static_assert(kJitErrorLogBufferSizeBytes == CU_JIT_ERROR_LOG_BUFFER_SIZE_BYTES);
static_assert(kEventDefault == CU_EVENT_DEFAULT);
static_assert(kTensorMapFloat16 == CU_TENSOR_MAP_DATA_TYPE_FLOAT16);
static_assert(kTensorMapBFloat16 == CU_TENSOR_MAP_DATA_TYPE_BFLOAT16);
static_assert(kTensorMapInterleaveNone == CU_TENSOR_MAP_INTERLEAVE_NONE);
static_assert(kTensorMapSwizzle128B == CU_TENSOR_MAP_SWIZZLE_128B);
static_assert(kTensorMapL2Promotion256B == CU_TENSOR_MAP_L2_PROMOTION_L2_256B);
static_assert(kTensorMapFillZero == CU_TENSOR_MAP_FLOAT_OOB_FILL_NONE);

/// Whether two functions take arguments of the same sizes, pointers for
/// pointers.
template <typename... A, typename... B>
static constexpr bool sameAbi(Result (*)(A...), CUresult (*)(B...)) {
  if constexpr (sizeof...(A) == sizeof...(B))
    return ((sizeof(A) == sizeof(B) && std::is_pointer_v<A> == std::is_pointer_v<B>) && ...);
  return false;
}
#define GIRIH_CUDA_REQUIRED(name, exported, parameters)                                            \
  static_assert(sameAbi(static_cast<Result(*) parameters>(nullptr),                                \
                        static_cast<decltype(&::name)>(nullptr)),                                  \
                exported);
#include "src/cuda/DriverSymbols.def"

#endif

TEST(CudaDriver, ALibraryThatIsNotThereIsNoDevice) {
  Driver driver;
  GirihStatus status{};
  EXPECT_EQ(loadDriver("libgirih-no-such-driver.so.1", driver, &status), GIRIH_NO_DEVICE);
  EXPECT_EQ(status.code, GIRIH_NO_DEVICE);
  const char *expected = "expected an NVIDIA driver, but got none: libgirih-no-such-driver.so.1";
  EXPECT_EQ(strncmp(status.message, expected, strlen(expected)), 0) << status.message;
}

TEST(CudaDriver, ALibraryWithoutItsFunctionsIsNamed) {
  Driver driver;
  GirihStatus status{};
  EXPECT_EQ(loadDriver("libm.so.6", driver, &status), GIRIH_NO_DEVICE);
  EXPECT_STREQ(status.message, "expected libm.so.6 to be an NVIDIA driver for CUDA 12.0 or later, "
                               "but it has no cuInit");
}

TEST(CudaDriver, WithoutADeviceEveryCallSaysSo) {
  if (girihCudaDeviceCount() > 0)
    GTEST_SKIP() << "this machine has a CUDA device";
  GirihStatus status{};
  auto expectNoDevice = [&](int code) {
    EXPECT_EQ(code, GIRIH_NO_DEVICE);
    EXPECT_EQ(status.code, GIRIH_NO_DEVICE);
    EXPECT_NE(status.message[0], '\0');
    status = GirihStatus{};
  };
  GirihCudaDevice *device = reinterpret_cast<GirihCudaDevice *>(8);
  expectNoDevice(girihCudaOpen(0, &device, &status));
  EXPECT_EQ(device, nullptr);
  EXPECT_EQ(girihCudaOpen(0, &device, nullptr), GIRIH_NO_DEVICE);
  EXPECT_STREQ(girihCudaName(nullptr), "");
  EXPECT_EQ(girihCudaMultiprocessors(nullptr), 0);
  girihCudaClose(nullptr);

  void *memory = &status;
  expectNoDevice(girihCudaAllocate(nullptr, 16, &memory, &status));
  EXPECT_EQ(memory, nullptr);
  girihCudaFree(nullptr, nullptr);
  char byte = 0;
  expectNoDevice(girihCudaCopyIn(nullptr, &byte, &byte, 1, &status));
  expectNoDevice(girihCudaCopyOut(nullptr, &byte, &byte, 1, &status));
  expectNoDevice(girihCudaFill(nullptr, &byte, 0, 1, &status));
  expectNoDevice(girihCudaSynchronize(nullptr, &status));

  GirihCudaKernel *kernel = nullptr;
  expectNoDevice(girihCudaLoad(nullptr, nullptr, nullptr, 0, &kernel, &status));
  girihCudaUnload(nullptr);
  GirihCudaPlan *plan = nullptr;
  expectNoDevice(girihCudaPlanCreate(nullptr, nullptr, nullptr, nullptr, nullptr, &plan, &status));
  girihCudaPlanFree(nullptr);
  expectNoDevice(girihCudaLaunch(nullptr, nullptr, nullptr, nullptr, &status));
  double milliseconds = 0;
  expectNoDevice(girihCudaTime(nullptr, nullptr, nullptr, 1, 1, &milliseconds, &status));
}
