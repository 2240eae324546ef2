//===- Launch.cpp - Fuzzes kernel descriptors and tensor views ------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Bytes become a descriptor and four views. The runtime refuses what does not fit
// together; what it accepts is launched with a kernel that checks what it was given.
//
//===----------------------------------------------------------------------===//

#include "Fuzz.h"

#include "girih-c/Runtime.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <memory>
#include <vector>

using namespace girih::fuzz;

static std::atomic<int64_t> numTasks{0};
static int64_t tileRows = 1; // of the kernel that runs

/// Stands for compiled code: reads and writes the corners of its task.
static void touch(const GirihLaunch *launch, const GirihTask *task, void *scratch) {
  const GirihView &o = launch->o;
  int64_t rows = launch->num_q;
  if (task->batch < 0 || task->batch >= o.shape[0] || task->head < 0 || task->head >= o.shape[1] ||
      task->q_tile < 0 || task->q_tile >= rows || task->num_runs < 0)
    broken("a task is out of bounds");
  for (int64_t i = 0; i < task->num_runs; ++i)
    if (task->runs[i].begin >= task->runs[i].end)
      broken("a task has an empty run");
  if (reinterpret_cast<uintptr_t>(scratch) % 64 != 0)
    broken("scratch is not aligned");
  int64_t first = task->q_tile * tileRows, last = std::min(first + tileRows, rows) - 1;
  if (last < first)
    broken("a task has no rows");
  if (launch->lse)
    for (int64_t row : {first, last})
      launch->lse[(task->batch * o.shape[1] + task->head) * rows + row] = 0;
  ++numTasks;
}

namespace {

/// A view of `shape`, contiguous unless drawn otherwise.
GirihView readView(Bytes &in, int32_t dtype, std::vector<int64_t> shape) {
  GirihView view{};
  static char memory[64];
  view.data = in.below(32) ? memory : nullptr;
  view.dtype = in.below(32) ? dtype : static_cast<int32_t>(in.integer());
  int64_t stride = 1;
  for (int i = 3; i >= 0; --i) {
    view.shape[i] = in.below(32) ? shape[i] : in.integer();
    view.stride[i] = in.below(16) ? stride : in.integer();
    stride = static_cast<int64_t>(static_cast<uint64_t>(stride) * view.shape[i]);
  }
  return view;
}

/// Memory for what the runtime itself writes to \p o: it merges the parts of tasks that it
/// cut. False when strides reach too far for that; such a launch must not cut any.
bool backOutput(GirihLaunch &launch, std::vector<float> &memory) {
  constexpr int64_t largest = 1 << 20;
  int64_t first = 0, last = 0;
  for (int i = 0; i < 4; ++i) {
    int64_t stride = launch.o.stride[i], extent = launch.o.shape[i];
    if (stride < -largest || stride > largest || extent > largest)
      return false;
    (stride < 0 ? first : last) += stride * (extent - 1);
  }
  if (last - first > largest)
    return false;
  memory.resize(static_cast<size_t>(last - first + 1));
  launch.o.data = memory.data() - first;
  return true;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Bytes in(data, size);
  GirihMapNode nodes[] = {{GIRIH_MAP_VAR, -1, -1, 0, GIRIH_VAR_Q},
                          {GIRIH_MAP_VAR, -1, -1, 0, GIRIH_VAR_K},
                          {GIRIH_MAP_CONST, -1, -1, 0, -1},
                          {GIRIH_MAP_MUL, 1, 2, 0, 0},
                          {GIRIH_MAP_ADD, 0, 3, 0, 0},
                          {GIRIH_MAP_GE0, 4, -1, 0, 0}};
  GirihMapProgram program{};
  program.nodes = nodes;
  program.num_nodes = 6;
  program.root = 5;
  auto mostly = [&](int64_t value) { return in.below(32) ? value : in.integer(); };
  GirihKernelDesc desc{};
  desc.magic = static_cast<uint32_t>(mostly(GIRIH_MAGIC));
  desc.abi_version = static_cast<uint32_t>(mostly(GIRIH_ABI_VERSION));
  desc.name = "fuzzed";
  desc.dtype = static_cast<int32_t>(mostly(in.below(3)));
  desc.o_dtype = static_cast<int32_t>(mostly(in.below(2) ? desc.dtype : GIRIH_F32));
  desc.align = static_cast<int32_t>(mostly(in.below(2)));
  desc.head_dim = static_cast<int32_t>(mostly(1 + in.below(8)));
  desc.v_dim = static_cast<int32_t>(mostly(1 + in.below(8)));
  desc.tile_q = static_cast<int32_t>(mostly(1 + in.below(64)));
  desc.tile_k = static_cast<int32_t>(mostly(1 + in.below(64)));
  desc.scratch_bytes = std::min<int64_t>(mostly(in.byte()), 1 << 20);
  desc.map = in.below(32) ? &program : nullptr;
  desc.entry = in.below(32) ? touch : nullptr;
  int64_t batch = 1 + in.below(3), kvHeads = 1 + in.below(3), heads = kvHeads * (1 + in.below(3));
  int64_t numQ = 1 + in.below(80), numK = 1 + in.below(80);
  GirihView q = readView(in, desc.dtype, {batch, heads, numQ, desc.head_dim});
  GirihView k = readView(in, desc.dtype, {batch, kvHeads, numK, desc.head_dim});
  GirihView v = readView(in, desc.dtype, {batch, kvHeads, numK, desc.v_dim});
  GirihView o = readView(in, desc.o_dtype, {batch, heads, numQ, desc.v_dim});
  float scale = in.below(16) ? 0.5f : static_cast<float>(in.integer()) * 1e30f;
  GirihLaunch launch{};
  GirihMapParams params{};
  GirihStatus status{};
  int code = girihPrepareLaunch(&desc, &q, &k, &v, &o, nullptr, scale, &launch, &params, &status);
  if (code != status.code || (code != GIRIH_OK && !status.message[0]))
    broken("code and status do not agree");
  // What is accepted must end soon.
  if (code != GIRIH_OK || params.batch * params.heads > 1000 || params.num_q > 10000 ||
      params.num_k > 10000)
    return 0;
  std::vector<float> lse(static_cast<size_t>(params.batch * params.heads * params.num_q));
  launch.lse = lse.data();
  GirihBlockMap *map = nullptr;
  if (girihBlockMapBuild(desc.map, &params, &map, &status))
    broken(std::string("no block map of a prepared launch: ") + status.message);
  if (in.below(16) == 0)
    launch.num_q = in.integer(); // no longer the map's
  GirihCpuOptions options{static_cast<int32_t>(mostly(1)), 0};
  std::vector<float> output;
  options.threads = backOutput(launch, output) ? std::min(options.threads, 4) : 1;
  numTasks = 0;
  tileRows = desc.tile_q;
  code = girihLaunchCpu(&desc, &launch, map, &options, &status);
  if (code != status.code)
    broken("code and status of a launch do not agree");
  if (code == GIRIH_OK && numTasks < params.batch * params.heads * girihBlockMapRows(map))
    broken("tasks are missing");
  girihBlockMapFree(map);
  return 0;
}
