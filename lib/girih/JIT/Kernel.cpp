//===- Kernel.cpp - A compiled kernel and its block maps ------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/JIT/Kernel.h"

#include "girih/Support/Error.h"

#include <algorithm>
#include <chrono>

using namespace girih;

JitKernel::JitKernel(GirihKernelDesc descriptor, std::unique_ptr<MapProgram> program,
                     std::shared_ptr<CodeLoader> code, double compileMs)
    : descriptor(descriptor), program(std::move(program)), code(std::move(code)),
      milliseconds(compileMs) {
  this->descriptor.map = &this->program->get();
}

/// The values of an operand; of one that will be refused, and is never cached, none.
static llvm::StringRef bytesOf(const GirihOperand &operand) {
  size_t width = operand.type == GIRIH_OPERAND_F32 ? sizeof(float) : sizeof(int64_t);
  if (!operand.data || operand.size < 0)
    return {};
  return {static_cast<const char *>(operand.data), static_cast<size_t>(operand.size) * width};
}

/// Everything of a launch that its map depends on but the values of operands.
static std::vector<int64_t> lengthsOf(const GirihMapParams &params) {
  std::vector<int64_t> lengths{params.batch, params.heads,    params.num_q,  params.num_k,
                               params.q_end, params.q_offset, params.tile_q, params.tile_k};
  for (int64_t i = 0; i != params.num_operands; ++i) {
    const GirihOperand &operand = params.operands[i];
    lengths.insert(lengths.end(), {operand.size, operand.type, operand.rank});
    lengths.insert(lengths.end(), operand.shape,
                   operand.shape + std::clamp<int32_t>(operand.rank, 0, 4));
  }
  return lengths;
}

bool JitKernel::CachedMap::matches(const std::vector<int64_t> &others,
                                   const GirihMapParams &params) const {
  if (lengths != others)
    return false;
  for (size_t i = 0; i != operands.size(); ++i)
    if (bytesOf(params.operands[i]) != llvm::StringRef(operands[i].data(), operands[i].size()))
      return false;
  return true;
}

llvm::Expected<std::shared_ptr<const GirihBlockMap>>
JitKernel::blockMap(const GirihMapParams &params, double *mapMs) {
  if (mapMs)
    *mapMs = 0;
  // Values of run-time operands belong to the key: a map may depend on each.
  const std::vector<int64_t> lengths = lengthsOf(params);
  std::lock_guard<std::mutex> lock(mutex);
  for (auto it = maps.begin(); it != maps.end(); ++it) {
    if (it->matches(lengths, params)) {
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
  std::vector<std::vector<char>> operands;
  for (int64_t i = 0; i != params.num_operands; ++i) {
    llvm::StringRef bytes = bytesOf(params.operands[i]);
    operands.emplace_back(bytes.begin(), bytes.end());
  }
  maps.push_front({lengths, std::move(operands), map});
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
