//===- Cpu.cpp - Run a request on this processor --------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "common/Cpu.h"

#include "girih/Analysis/Reachability.h"
#include "girih/JIT/Threads.h"
#include "girih/Support/Error.h"

#include <utility>

using namespace girih;

/// Derives the map and counts it.
static llvm::Error measureMap(CompiledKernel &kernel, const Request &r,
                              llvm::ArrayRef<GirihOperand> operands, Measurement &result) {
  const GirihKernelDesc &desc = kernel.desc();
  GirihMapParams params = mapParams(r.batch, r.heads, r.numQ, r.numK, r.align, operands, desc);
  auto map = kernel.blockMap(params, &result.mapMs);
  if (!map)
    return map.takeError();
  GirihStatus status{};
  if (girihBlockMapStats(map->get(), desc.map, &params, &result.stats, &status) != GIRIH_OK)
    return statusError(status);
  result.tileQ = desc.tile_q;
  result.tileK = desc.tile_k;
  result.picture = sampleTiles({map->get(), desc.map, &params}, 0, 0, 24);
  return llvm::Error::success();
}

void girih::addThreadsFlag(Flags &flags, std::optional<int64_t> &threads) {
  flags.integer("threads", threads, 0, "T",
                "threads; 0 means GIRIH_NUM_THREADS, or every core (default: 0)", maxThreads);
}

llvm::Expected<int> girih::launchThreads(std::optional<int64_t> given) {
  if (int64_t threads = given.value_or(0))
    return static_cast<int>(threads);
  return threadsOfEnvironment();
}

llvm::Error girih::runCpu(Session &session, const Request &r, Tensors &tensors, float scale,
                          int threads, const TimingBudget &budget, Measurement &result) {
  auto kernel = session.compile(r.pattern, r.compileOptions(), &result.cacheHit);
  if (!kernel)
    return kernel.takeError();
  result.compileMs = (*kernel)->compileMs();
  std::vector<GirihOperand> operands = patternOperands(r.pattern, r.score);
  if (llvm::Error error = measureMap(**kernel, r, operands, result))
    return error;

  result.device = cpuName();
  result.threads = threads ? threads : girihCpuThreads();
  LaunchReport first, *wanted = &first; // of the first launch
  auto launch = [&] {
    return (*kernel)->launch(tensors.q.view(), tensors.k.view(), tensors.v.view(),
                             tensors.out.view(), tensors.lse.data(), scale, operands, threads,
                             std::exchange(wanted, nullptr));
  };
  llvm::Expected<Timing> timing = timeLaunches(launch, result.threads, budget);
  if (!timing)
    return timing.takeError();
  tensors.out.readBack();
  result.timeMs = timing->medianMs;
  result.launches = timing->launches;
  result.workspaceBytes = first.workspaceBytes;
  result.peakGflops = timing->peakGflops;
  result.lowestPeakGflops = timing->lowestPeakGflops;
  return llvm::Error::success();
}
