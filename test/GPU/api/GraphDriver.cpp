//===- GraphDriver.cpp - Streams and graphs of the driver -----------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "GraphDriver.h"

#include <dlfcn.h>

#include <type_traits>

using namespace girih::gputest;

/// "NAME: error N", or nothing for success.
static std::string describe(const char *name, int result) {
  return result == 0 ? "" : std::string(name) + ": error " + std::to_string(result);
}

std::string GraphDriver::load() {
  // The runtime has opened it already.
  void *library = dlopen("libcuda.so.1", RTLD_NOW | RTLD_LOCAL);
  if (!library)
    return "expected libcuda.so.1, but got none";
  std::string missing;
  auto find = [&](auto &function, const char *name) {
    void *address = dlsym(library, name);
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(address);
    if (!address)
      missing += std::string(missing.empty() ? "" : ", ") + name;
  };
  find(cuDeviceGet, "cuDeviceGet");
  find(cuDevicePrimaryCtxRetain, "cuDevicePrimaryCtxRetain");
  find(cuDevicePrimaryCtxRelease, "cuDevicePrimaryCtxRelease_v2");
  find(cuCtxSetCurrent, "cuCtxSetCurrent");
  find(cuStreamCreate, "cuStreamCreate");
  find(cuStreamDestroy, "cuStreamDestroy_v2");
  find(cuStreamSynchronize, "cuStreamSynchronize");
  find(cuStreamBeginCapture, "cuStreamBeginCapture_v2");
  find(cuStreamEndCapture, "cuStreamEndCapture");
  find(cuGraphInstantiateWithFlags, "cuGraphInstantiateWithFlags");
  find(cuGraphLaunch, "cuGraphLaunch");
  find(cuGraphExecDestroy, "cuGraphExecDestroy");
  find(cuGraphDestroy, "cuGraphDestroy");
  return missing.empty() ? "" : "expected the driver to have " + missing;
}

OwnStream::OwnStream(const GraphDriver &driver, int ordinal, bool waitsForDefault)
    : driver(driver) {
  constexpr unsigned blocking = 0, nonBlocking = 1;
  failure = describe("cuDeviceGet", driver.cuDeviceGet(&device, ordinal));
  if (failure.empty())
    failure =
        describe("cuDevicePrimaryCtxRetain", driver.cuDevicePrimaryCtxRetain(&context, device));
  if (failure.empty())
    failure = describe("cuCtxSetCurrent", driver.cuCtxSetCurrent(context));
  if (failure.empty())
    failure = describe("cuStreamCreate",
                       driver.cuStreamCreate(&stream, waitsForDefault ? blocking : nonBlocking));
}

OwnStream::~OwnStream() {
  if (stream)
    driver.cuStreamDestroy(stream);
  driver.cuCtxSetCurrent(nullptr);
  if (context)
    driver.cuDevicePrimaryCtxRelease(device);
}

std::string OwnStream::wait() const {
  return describe("cuStreamSynchronize", driver.cuStreamSynchronize(stream));
}

Graph::~Graph() {
  if (executable)
    driver.cuGraphExecDestroy(executable);
  if (graph)
    driver.cuGraphDestroy(graph);
}

std::string Graph::capture(const OwnStream &stream,
                           const std::function<std::string(void *)> &enqueue) {
  constexpr int global = 0;
  std::string trouble =
      describe("cuStreamBeginCapture", driver.cuStreamBeginCapture(stream.get(), global));
  if (!trouble.empty())
    return trouble;
  trouble = enqueue(stream.get());
  // The capture ends in any case: a stream that still captures takes nothing else.
  int result = driver.cuStreamEndCapture(stream.get(), &graph);
  if (trouble.empty())
    trouble = describe("cuStreamEndCapture", result);
  if (trouble.empty())
    trouble = describe("cuGraphInstantiateWithFlags",
                       driver.cuGraphInstantiateWithFlags(&executable, graph, 0));
  return trouble;
}

std::string Graph::launch(const OwnStream &stream) const {
  return describe("cuGraphLaunch", driver.cuGraphLaunch(executable, stream.get()));
}
