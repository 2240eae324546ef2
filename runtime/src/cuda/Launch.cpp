//===- Launch.cpp - Enqueuing kernels on a device -------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Checks, three tensor maps (or none), one driver call, and one more each where tensors
// are copied before or after and where q-tiles were split. Nothing is allocated or waited for, and
// all parameters travel by value, so a CUDA graph can replay a launch.
//
//===----------------------------------------------------------------------===//

#include "Copies.h"
#include "Kernel.h"
#include "Plan.h"
#include "TensorMap.h"

#include "../Error.h"
#include "../LaunchChecks.h"

#include <algorithm>
#include <cinttypes>
#include <vector>

using namespace girih;
using namespace girih::cuda;

namespace {

/// What cuLaunchKernel is given.
struct Enqueue {
  TensorMap q, k, v;
  GirihCudaArguments arguments;
  unsigned blocks;
  unsigned mergeRows, merges; ///< blocks of the merge kernel; no launch when `merges` is 0
  CopyList before, after;
};

} // namespace

/// Whether the kernel can read `data` where it runs: a wrong pointer would break
/// the context for everybody who shares it.
static int checkPointer(const GirihCudaDevice &device, const char *name, const void *data,
                        GirihStatus *status) {
  unsigned type = 0;
  int managed = 0, ordinal = -1;
  int attributes[] = {kPointerMemoryType, kPointerIsManaged, kPointerDeviceOrdinal};
  void *values[] = {&type, &managed, &ordinal};
  Result result = device.driver.cuPointerGetAttributes(3, attributes, values,
                                                       reinterpret_cast<uintptr_t>(data));
  if (result != 0)
    return failCall(device.driver, result, status, "could not ask the driver about data of %s",
                    name);
  if (managed)
    return GIRIH_OK;
  if (type != kMemoryTypeDevice)
    return fail(status, GIRIH_INVALID,
                "expected data of %s to be memory of device %d, but got host memory at %p", name,
                device.ordinal, data);
  if (ordinal != device.ordinal)
    return fail(status, GIRIH_INVALID,
                "expected data of %s to be memory of device %d, but got memory of device %d", name,
                device.ordinal, ordinal);
  return GIRIH_OK;
}

/// Whether kernel, launch and plan belong together.
static int checkLaunch(const GirihCudaKernel &kernel, const GirihLaunch &launch,
                       const GirihCudaPlan &plan, GirihStatus *status) {
  const GirihKernelDesc &base = kernel.desc.base;
  if (plan.device != kernel.device)
    return fail(status, GIRIH_INVALID,
                "expected the plan to be on the kernel's device %d, but got one on device %d%s",
                kernel.device->ordinal, plan.device->ordinal,
                plan.device->ordinal == kernel.device->ordinal ? " that was opened again" : "");
  if (launch.q.dtype != base.dtype || launch.q.shape[3] != base.head_dim ||
      launch.v.shape[3] != base.v_dim)
    return fail(status, GIRIH_INVALID,
                "expected a launch prepared for kernel '%s' (dtype %d, head dims %d and %d), but "
                "got dtype %d, head dims %" PRId64 " and %" PRId64,
                kernel.name.c_str(), base.dtype, base.head_dim, base.v_dim, launch.q.dtype,
                launch.q.shape[3], launch.v.shape[3]);
  if (launch.o.dtype != base.o_dtype)
    return fail(status, GIRIH_INVALID, "expected o to have dtype %s, but got %s",
                dtypeName(base.o_dtype),
                dtypeName(launch.o.dtype) ? dtypeName(launch.o.dtype) : "an unknown one");
  if (int code = checkMapLengths(base, launch, plan.params, status))
    return code;
  if (plan.vDim != base.v_dim)
    return fail(status, GIRIH_INVALID,
                "expected the head dim of v of the plan to be %d, but got %d", base.v_dim,
                plan.vDim);
  if (plan.numMerges > 0 && !kernel.merge)
    return fail(status, GIRIH_INVALID,
                "expected a plan without split q-tiles for kernel '%s', which has no merge "
                "function, but got %d",
                kernel.name.c_str(), plan.numMerges);
  if (launch.heads_per_kv != plan.headsPerKv)
    return fail(status, GIRIH_INVALID,
                "expected heads_per_kv of the plan to be %" PRId64 ", but got %" PRId64,
                launch.heads_per_kv, plan.headsPerKv);
  return GIRIH_OK;
}

static int prepareEnqueue(const GirihCudaKernel &kernel, const GirihLaunch &given,
                          const GirihCudaPlan &plan, Enqueue &enqueue, GirihStatus *status) {
  if (int code = checkLaunch(kernel, given, plan, status))
    return code;
  GirihLaunch launch = given;
  const GirihCudaDevice &device = *kernel.device;
  const struct {
    const char *name;
    const void *data;
  } pointers[] = {{"q", launch.q.data},
                  {"k", launch.k.data},
                  {"v", launch.v.data},
                  {"o", launch.o.data},
                  {"lse", launch.lse}};
  for (const auto &pointer : pointers)
    if (pointer.data)
      if (int code = checkPointer(device, pointer.name, pointer.data, status))
        return code;
  if (int code =
          placeCopies(kernel.desc, plan.copies, launch, enqueue.before, enqueue.after, status))
    return code;
  const struct {
    const char *name;
    const GirihView &view;
    int32_t rows;
    TensorMap &map;
  } maps[] = {{"q", launch.q, kernel.desc.box_q, enqueue.q},
              {"k", launch.k, kernel.desc.box_k, enqueue.k},
              {"v", launch.v, kernel.desc.box_k, enqueue.v}};
  if (kernel.desc.uses_tensor_maps)
    for (const auto &map : maps)
      if (int code = encodeTensorMap(device.driver, map.name, map.view, map.rows,
                                     kernel.desc.box_cols, map.map, status))
        return code;

  GirihCudaArguments &arguments = enqueue.arguments;
  arguments.o = launch.o.data;
  arguments.lse = launch.lse;
  arguments.tasks = plan.tasks;
  arguments.block_begin = plan.blockBegin;
  arguments.runs = plan.runs;
  arguments.tables = plan.tables;
  arguments.q = launch.q.data;
  arguments.k = launch.k.data;
  arguments.v = launch.v.data;
  for (int i = 0; i < 3; ++i) {
    arguments.o_stride[i] = launch.o.stride[i];
    arguments.q_stride[i] = launch.q.stride[i];
    arguments.k_stride[i] = launch.k.stride[i];
    arguments.v_stride[i] = launch.v.stride[i];
  }
  // Lengths are within GIRIH_MAX_TOKENS, heads within the number of tasks.
  arguments.num_q = static_cast<int32_t>(launch.num_q);
  arguments.num_k = static_cast<int32_t>(launch.num_k);
  arguments.q_offset = static_cast<int32_t>(launch.q_offset);
  arguments.q_end = static_cast<int32_t>(launch.q_end);
  arguments.heads = static_cast<int32_t>(launch.q.shape[1]);
  arguments.heads_per_kv = static_cast<int32_t>(launch.heads_per_kv);
  arguments.num_merges = plan.numMerges;
  arguments.scale = launch.scale;
  arguments.merges = plan.merges;
  arguments.partial_o = plan.partialO;
  arguments.partial_lse = plan.partialLse;
  enqueue.blocks = static_cast<unsigned>(plan.numBlocks);
  enqueue.mergeRows = static_cast<unsigned>(kernel.desc.base.tile_q / kMergeRows);
  enqueue.merges = static_cast<unsigned>(plan.numMerges);
  return GIRIH_OK;
}

/// Says what could not be done with which kernel on which shapes.
static int failLaunch(const GirihCudaKernel &kernel, const GirihLaunch &launch,
                      const Enqueue &enqueue, Result result, const char *what,
                      GirihStatus *status) {
  const int64_t *q = launch.q.shape, *k = launch.k.shape;
  return failCall(kernel.device->driver, result, status,
                  "kernel '%s' %s on device %d (q [%" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64
                  "], k [%" PRId64 ", %" PRId64 ", %" PRId64 ", %" PRId64
                  "], %u blocks of %d threads, %d bytes of shared memory, %u split q-tiles)",
                  kernel.name.c_str(), what, kernel.device->ordinal, q[0], q[1], q[2], q[3], k[0],
                  k[1], k[2], k[3], enqueue.blocks, kernel.desc.threads, kernel.desc.shared_bytes,
                  enqueue.merges);
}

static Result enqueueCopies(const GirihCudaKernel &kernel, CopyList &list, Stream stream) {
  if (list.count == 0)
    return 0;
  void *parameters[] = {&list.copies};
  return kernel.device->driver.cuLaunchKernel(kernel.copy, list.blocks, list.count, 1, kCopyThreads,
                                              1, 1, 0, stream, parameters, nullptr);
}

/// The kernel and, on the same stream, copies before it, what merges its parts, and the
/// copy after it.
static Result enqueueKernel(const GirihCudaKernel &kernel, const GirihCudaPlan &plan,
                            Enqueue &enqueue, Stream stream) {
  const Driver &driver = kernel.device->driver;
  if (Result result = enqueueCopies(kernel, enqueue.before, stream))
    return result;
  if (enqueue.before.count > 0)
    plan.isEnqueued.store(true, std::memory_order_relaxed);
  void *all[] = {&enqueue.q, &enqueue.k, &enqueue.v, &enqueue.arguments};
  constexpr int numMaps = 3;
  void **parameters = kernel.desc.uses_tensor_maps ? all : all + numMaps;
  Result result = driver.cuLaunchKernel(
      kernel.function, enqueue.blocks, 1, 1, static_cast<unsigned>(kernel.desc.threads), 1, 1,
      static_cast<unsigned>(kernel.desc.shared_bytes), stream, parameters, nullptr);
  if (result != 0)
    return result;
  plan.isEnqueued.store(true, std::memory_order_relaxed);
  if (enqueue.merges > 0)
    result = driver.cuLaunchKernel(kernel.merge, enqueue.mergeRows, enqueue.merges, 1,
                                   kMergeThreads, 1, 1, 0, stream, all + numMaps, nullptr);
  return result == 0 ? enqueueCopies(kernel, enqueue.after, stream) : result;
}

/// What both entry points check first.
static int checkHandles(const GirihCudaKernel *kernel, const GirihLaunch *launch,
                        const GirihCudaPlan *plan, GirihStatus *status) {
  if (int code = checkHandle(kernel, "a kernel", status))
    return code;
  if (int code = checkHandle(launch, "a prepared launch", status))
    return code;
  return checkHandle(plan, "a plan", status);
}

int girihCudaLaunch(GirihCudaKernel *kernel, const GirihLaunch *launch, const GirihCudaPlan *plan,
                    void *stream, GirihStatus *status) {
  if (int code = checkHandles(kernel, launch, plan, status))
    return code;
  Current current(*kernel->device);
  if (int code = current.enter(status))
    return code;
  Enqueue enqueue;
  if (int code = prepareEnqueue(*kernel, *launch, *plan, enqueue, status))
    return code;
  if (Result result = enqueueKernel(*kernel, *plan, enqueue, static_cast<Stream>(stream)))
    return failLaunch(*kernel, *launch, enqueue, result, "could not be launched", status);
  return succeed(status);
}

namespace {

/// Events of one timing, destroyed with it.
class Events {
public:
  explicit Events(const Driver &driver) : driver(driver) {}
  ~Events() {
    for (Event event : events)
      driver.cuEventDestroy(event);
  }
  Events(const Events &) = delete;
  Events &operator=(const Events &) = delete;

  Result create(int64_t count) {
    events.reserve(static_cast<size_t>(count));
    for (int64_t i = 0; i < count; ++i) {
      Event event;
      if (Result result = driver.cuEventCreate(&event, kEventDefault))
        return result;
      events.push_back(event);
    }
    return 0;
  }
  Result record(int64_t i) { return driver.cuEventRecord(events[i], nullptr); }
  /// Waits for event i + 1 and reads the time since event i.
  Result elapsed(int64_t i, double &milliseconds) {
    float value = 0;
    Result result = driver.cuEventSynchronize(events[i + 1]);
    if (result == 0)
      result = driver.cuEventElapsedTime(&value, events[i], events[i + 1]);
    milliseconds = value;
    return result;
  }

private:
  const Driver &driver;
  std::vector<Event> events;
};

} // namespace

static int timeKernel(const GirihCudaKernel &kernel, const GirihLaunch &launch,
                      const GirihCudaPlan &plan, int32_t warmup, int32_t repeat,
                      double *milliseconds, GirihStatus *status) {
  Current current(*kernel.device);
  if (int code = current.enter(status))
    return code;
  Enqueue enqueue;
  if (int code = prepareEnqueue(kernel, launch, plan, enqueue, status))
    return code;
  const Driver &driver = kernel.device->driver;
  Events events(driver);
  if (Result result = events.create(int64_t{repeat} + 1))
    return failCall(driver, result, status, "could not make %d events", repeat + 1);
  Result result = 0;
  for (int32_t i = 0; i < warmup && result == 0; ++i)
    result = enqueueKernel(kernel, plan, enqueue, nullptr);
  // One event between launches: each interval is one launch of a busy device.
  if (result == 0)
    result = events.record(0);
  for (int32_t i = 0; i < repeat && result == 0; ++i) {
    result = enqueueKernel(kernel, plan, enqueue, nullptr);
    if (result == 0)
      result = events.record(i + 1);
  }
  if (result != 0)
    return failLaunch(kernel, launch, enqueue, result, "could not be launched", status);
  for (int32_t i = 0; i < repeat; ++i)
    if ((result = events.elapsed(i, milliseconds[i])))
      return failLaunch(kernel, launch, enqueue, result, "failed while it ran", status);
  return succeed(status);
}

int girihCudaTime(GirihCudaKernel *kernel, const GirihLaunch *launch, const GirihCudaPlan *plan,
                  int32_t warmup, int32_t repeat, double *milliseconds, GirihStatus *status) {
  if (int code = checkHandles(kernel, launch, plan, status))
    return code;
  if (warmup < 0 || repeat < 0 || repeat == INT32_MAX)
    return fail(status, GIRIH_INVALID,
                "expected warmup and repeat not to be negative or huge, but got %d and %d", warmup,
                repeat);
  return guarded(status, [&] {
    return timeKernel(*kernel, *launch, *plan, warmup, repeat, milliseconds, status);
  });
}
