//===- Plan.cpp - Task and run lists on a device --------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// One allocation and one copy for each plan.
//
//===----------------------------------------------------------------------===//

#include "Plan.h"

#include "../Error.h"
#include "../map/BlockMapImpl.h"
#include "Kernel.h"
#include "PlanImage.h"

#include <algorithm>
#include <array>
#include <cinttypes>
#include <memory>

using namespace girih;
using namespace girih::cuda;

/// Gives those views of `launch` room that kernels of `desc` do not take as they are.
static int addCopies(const GirihCudaKernelDesc &desc, const GirihLaunch &launch, PlanImage &image,
                     std::array<int64_t, kNumOperands> &places, GirihCudaPlan &plan,
                     GirihStatus *status) {
  for (int i = 0; i < kNumOperands; ++i) {
    const GirihView &view = launch.*kOperands[i].view;
    if (!desc.copy_function || checkDirect(desc, kOperands[i], view, nullptr) == GIRIH_OK)
      continue;
    CopyShape shape;
    if (int code = describeCopy(kOperands[i], view, shape, status))
      return code;
    if (Wide(image.totalBytes) + shape.bytes > INT64_MAX / 2)
      return fail(status, GIRIH_UNSUPPORTED,
                  "expected a plan of less than 2^62 bytes, but got copies of %" PRId64
                  " bytes and more",
                  image.totalBytes);
    places[i] = image.addWorkspace(shape.bytes);
    plan.copies.bytes[i] = shape.bytes;
    plan.copiedBytes += shape.moved;
  }
  return GIRIH_OK;
}

static int createPlan(GirihCudaDevice *device, const GirihCudaKernelDesc &desc,
                      const GirihBlockMap &map, const GirihMapProgram &program,
                      const GirihLaunch &launch, GirihCudaPlan **created, GirihStatus *status) {
  if (int code = checkCudaKernel(&desc, status))
    return code;
  PlanImage image;
  Wide blocks = Wide(device->multiprocessors) * desc.blocks_per_multiprocessor;
  if (int code = buildPlanImage(desc.base, map, program, launch,
                                static_cast<int32_t>(std::min<Wide>(blocks, INT32_MAX)),
                                desc.merge_function != nullptr, image, status))
    return code;
  auto plan = std::make_unique<GirihCudaPlan>();
  plan->device = device;
  std::array<int64_t, kNumOperands> copyPlaces{};
  if (int code = addCopies(desc, launch, image, copyPlaces, *plan, status))
    return code;
  if (int code = girihCudaAllocate(device, image.totalBytes, &plan->memory, status))
    return code;
  image.relocate(plan->memory);
  if (int code = upload(*device, plan->memory, image.bytes.data(),
                        static_cast<int64_t>(image.bytes.size()), status)) {
    girihCudaFree(device, plan->memory);
    return code;
  }
  auto *memory = static_cast<char *>(plan->memory);
  plan->tasks = reinterpret_cast<const GirihCudaTask *>(memory + image.tasksAt);
  plan->blockBegin = reinterpret_cast<const int32_t *>(memory + image.blocksAt);
  plan->numBlocks = image.numBlocks;
  plan->runs = reinterpret_cast<const GirihRun *>(memory + image.runsAt);
  plan->tables = reinterpret_cast<const GirihBoundTable *>(memory + image.tablesAt);
  plan->numTasks = image.numTasks;
  plan->numMerges = image.numMerges;
  plan->vDim = desc.base.v_dim;
  if (image.numMerges > 0) {
    plan->merges = reinterpret_cast<const GirihCudaMerge *>(memory + image.mergesAt);
    plan->partialO = reinterpret_cast<float *>(memory + image.partialOAt);
    plan->partialLse = reinterpret_cast<float *>(memory + image.partialLseAt);
  }
  for (int i = 0; i < kNumOperands; ++i)
    if (plan->copies.bytes[i] > 0)
      plan->copies.memory[i] = memory + copyPlaces[i];
  plan->params = map.params;
  plan->headsPerKv = launch.heads_per_kv;
  *created = plan.release();
  return succeed(status);
}

int girihCudaPlanCreate(GirihCudaDevice *device, const GirihCudaKernelDesc *desc,
                        const GirihBlockMap *map, const GirihMapProgram *program,
                        const GirihLaunch *launch, GirihCudaPlan **plan, GirihStatus *status) {
  *plan = nullptr;
  if (int code = checkHandle(device, "a device", status))
    return code;
  if (!desc || !map || !program || !launch)
    return fail(status, GIRIH_INVALID, "expected %s, but got null",
                !desc      ? "a kernel descriptor"
                : !map     ? "a block map"
                : !program ? "a map program"
                           : "a prepared launch");
  return guarded(status, [&] {
    RelaxedCapture relaxed(device->driver);
    return createPlan(device, *desc, *map, *program, *launch, plan, status);
  });
}

int32_t girihCudaPlanMayOverlap(const GirihCudaPlan *plan) {
  return plan->numMerges == 0 && plan->copiedBytes == 0;
}

int32_t girihCudaPlanIsEnqueued(const GirihCudaPlan *plan) {
  return plan->isEnqueued.load(std::memory_order_relaxed);
}

int64_t girihCudaPlanCopiedBytes(const GirihCudaPlan *plan) { return plan->copiedBytes; }

void girihCudaPlanFree(GirihCudaPlan *plan) {
  if (!plan)
    return;
  RelaxedCapture relaxed(plan->device->driver);
  girihCudaFree(plan->device, plan->memory);
  delete plan;
}
