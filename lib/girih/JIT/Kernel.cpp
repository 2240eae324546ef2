//===- Kernel.cpp - A compiled kernel and its block maps ------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/JIT/Kernel.h"

#include "girih/Support/Error.h"

#include <chrono>

using namespace girih;

JitKernel::JitKernel(GirihKernelDesc descriptor, std::unique_ptr<MapProgram> program,
                     std::shared_ptr<CodeLoader> code, double compileMs)
    : descriptor(descriptor), program(std::move(program)), code(std::move(code)),
      milliseconds(compileMs) {
  this->descriptor.map = &this->program->get();
}

llvm::Expected<std::shared_ptr<const GirihBlockMap>>
JitKernel::blockMap(const GirihMapParams &params, double *mapMs) {
  if (mapMs)
    *mapMs = 0;
  // Values of run-time operands belong to the key: a map may depend on each.
  std::vector<int64_t> key{params.batch, params.heads,    params.num_q,  params.num_k,
                           params.q_end, params.q_offset, params.tile_q, params.tile_k};
  for (int64_t i = 0; i != params.num_operands; ++i) {
    key.push_back(params.operands[i].size);
    if (!params.operands[i].data || params.operands[i].size < 0)
      continue; // refused below, and never cached
    key.insert(key.end(), params.operands[i].data,
               params.operands[i].data + params.operands[i].size);
  }
  std::lock_guard<std::mutex> lock(mutex);
  for (auto it = maps.begin(); it != maps.end(); ++it) {
    if (it->key == key) {
      maps.splice(maps.begin(), maps, it);
      return it->map;
    }
  }
  auto start = std::chrono::steady_clock::now();
  GirihBlockMap *built = nullptr;
  GirihStatus status{};
  girihBlockMapBuild(&program->get(), &params, &built, &status);
  if (llvm::Error error = statusError(status))
    return std::move(error);
  if (mapMs)
    *mapMs =
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  std::shared_ptr<const GirihBlockMap> map(
      built, [](const GirihBlockMap *m) { girihBlockMapFree(const_cast<GirihBlockMap *>(m)); });
  maps.push_front({std::move(key), map});
  if (maps.size() > maxCachedMaps)
    maps.pop_back();
  return map;
}

llvm::Error JitKernel::launch(const GirihView &q, const GirihView &k, const GirihView &v,
                              const GirihView &o, float *lse, float scale,
                              llvm::ArrayRef<GirihOperand> operands, int threads,
                              LaunchReport *report) {
  GirihStatus status{};
  GirihLaunch launch{};
  GirihMapParams params{};
  girihPrepareLaunch(&descriptor, &q, &k, &v, &o, lse, scale, &launch, &params, &status);
  if (llvm::Error error = statusError(status))
    return error;
  params.operands = operands.data();
  params.num_operands = operands.size();
  double mapMs = 0;
  auto map = blockMap(params, &mapMs);
  if (!map)
    return map.takeError();
  launch.tables = girihBlockMapTables(map->get());
  GirihCpuOptions options{};
  options.threads = threads;
  if (report) {
    report->mapMs = mapMs;
    report->mapCached = mapMs == 0;
    girihCpuWorkspace(&descriptor, &launch, map->get(), &options, &report->workspaceBytes, &status);
    if (llvm::Error error = statusError(status))
      return error;
  }
  girihLaunchCpu(&descriptor, &launch, map->get(), &options, &status);
  return statusError(status);
}
