//===- FakeDriver.h - A CUDA driver that runs nothing -----------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A library that a test program finds under the name of the driver. It has two
// devices whose memory is host memory, and writes down what would be launched.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_TEST_RUNTIME_FAKEDRIVER_H
#define GIRIH_TEST_RUNTIME_FAKEDRIVER_H

#include "girih-c/Cuda.h"
#include "src/cuda/DriverTypes.h"

#include <functional>
#include <string>
#include <vector>

namespace girih::testing {

/// What the fake encoder writes into a tensor map.
struct FakeTensorMap {
  const void *data;
  uint64_t dims[4], strides[3];
  uint32_t box[4];
  int32_t type;
};
static_assert(sizeof(FakeTensorMap) <= sizeof(cuda::TensorMap));

/// One call of cuLaunchKernel.
struct FakeLaunch {
  std::string function;
  unsigned grid[3], block[3], sharedBytes;
  const void *stream;
  FakeTensorMap maps[3];        ///< none of a kernel without maps
  GirihCudaArguments arguments; ///< zeros of the copy kernel
  GirihCudaCopies copies;       ///< zeros of others
};

/// What tests see of the driver and tell it. Of one thread.
struct FakeDriver {
  int multiprocessors = 66;
  int capabilities[2] = {90, 90}; ///< of each device, read when it is opened
  std::vector<FakeLaunch> launches;
  /// Called for each launch, in order.
  std::function<void(const FakeLaunch &)> run;
  /// Result of every launch.
  int launchResult = 0;
  int64_t allocations = 0; ///< not yet freed
  int64_t streams = 0;     ///< made and not yet destroyed
  /// A stream that is being captured. Nothing is allocated meanwhile but by threads that
  /// exchanged their capture mode for the relaxed one, and nothing copied but on streams
  /// that do not wait for the default one.
  const void *capturing = nullptr;
};

/// The address of the fake stream `number` of a device.
inline void *fakeStream(int device, int number) {
  return reinterpret_cast<void *>(uintptr_t{0x1000} + 0x100 * static_cast<unsigned>(device) +
                                  static_cast<unsigned>(number));
}

/// The state of the library, which exports this function as girihFakeDriver.
using FakeDriverEntry = FakeDriver *(*)();

} // namespace girih::testing

#endif // GIRIH_TEST_RUNTIME_FAKEDRIVER_H
