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
#include <memory>

using namespace girih;
using namespace girih::cuda;

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
  auto plan = std::make_unique<GirihCudaPlan>(GirihCudaPlan{device});
  if (int code = girihCudaAllocate(device, image.totalBytes, &plan->memory, status))
    return code;
  image.relocate(plan->memory);
  if (int code = girihCudaCopyIn(device, plan->memory, image.bytes.data(),
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
  return guarded(status,
                 [&] { return createPlan(device, *desc, *map, *program, *launch, plan, status); });
}

void girihCudaPlanFree(GirihCudaPlan *plan) {
  if (!plan)
    return;
  girihCudaFree(plan->device, plan->memory);
  delete plan;
}
