//===- GraphDriver.h - Streams and graphs of the driver ---------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What a framework brings to a launch and the runtime has no need of: streams and
// graph capture, from the same driver.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_TEST_GPU_API_GRAPHDRIVER_H
#define GIRIH_TEST_GPU_API_GRAPHDRIVER_H

#include <functional>
#include <string>

namespace girih::gputest {

/// Functions of libcuda by the names of <cuda.h>; each returns a CUresult.
struct GraphDriver {
  int (*cuDeviceGet)(int *device, int ordinal) = nullptr;
  int (*cuDevicePrimaryCtxRetain)(void **context, int device) = nullptr;
  int (*cuDevicePrimaryCtxRelease)(int device) = nullptr;
  int (*cuCtxSetCurrent)(void *context) = nullptr;
  int (*cuStreamCreate)(void **stream, unsigned flags) = nullptr;
  int (*cuStreamDestroy)(void *stream) = nullptr;
  int (*cuStreamSynchronize)(void *stream) = nullptr;
  int (*cuStreamBeginCapture)(void *stream, int mode) = nullptr;
  int (*cuStreamEndCapture)(void *stream, void **graph) = nullptr;
  int (*cuGraphInstantiateWithFlags)(void **executable, void *graph,
                                     unsigned long long flags) = nullptr;
  int (*cuGraphLaunch)(void *executable, void *stream) = nullptr;
  int (*cuGraphExecDestroy)(void *executable) = nullptr;
  int (*cuGraphDestroy)(void *graph) = nullptr;

  /// Loads them. Returns what is missing, or an empty string.
  std::string load();
};

/// A stream, which may wait for the default stream, and the primary context of its
/// device, current in the thread that makes it.
class OwnStream {
public:
  OwnStream(const GraphDriver &driver, int ordinal, bool waitsForDefault = false);
  ~OwnStream();
  OwnStream(const OwnStream &) = delete;
  OwnStream &operator=(const OwnStream &) = delete;

  /// What went wrong when it was made; empty if nothing.
  const std::string &trouble() const { return failure; }
  void *get() const { return stream; }
  /// Waits for it. Returns what went wrong.
  std::string wait() const;

private:
  const GraphDriver &driver;
  int device = 0;
  void *context = nullptr, *stream = nullptr;
  std::string failure;
};

/// A graph of what `enqueue` puts on a stream.
class Graph {
public:
  explicit Graph(const GraphDriver &driver) : driver(driver) {}
  ~Graph();
  Graph(const Graph &) = delete;
  Graph &operator=(const Graph &) = delete;

  /// Captures in the strictest mode: calls that could wait or allocate, by any
  /// thread, fail. Returns what went wrong.
  std::string capture(const OwnStream &stream, const std::function<std::string(void *)> &enqueue);
  std::string launch(const OwnStream &stream) const;

private:
  const GraphDriver &driver;
  void *graph = nullptr, *executable = nullptr;
};

} // namespace girih::gputest

#endif // GIRIH_TEST_GPU_API_GRAPHDRIVER_H
