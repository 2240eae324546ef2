//===- Problem.cpp - A pattern, its kernel and operands on a device -------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Problem.h"

#include <cmath>
#include <random>

using namespace girih;
using namespace girih::gputest;

static constexpr int64_t kDim = 64;

std::string Buffer::allocate(GirihCudaDevice *on, int64_t size) {
  GirihStatus status{};
  device = on;
  bytes = size;
  girihCudaAllocate(device, bytes, &memory, &status);
  return status.message;
}

GirihView Problem::view(int operand, void *data) const {
  const Workload &w = *workload;
  bool ofKeys = operand == 1 || operand == 2;
  int64_t heads = ofKeys ? w.kvHeads : w.heads, tokens = ofKeys ? w.numK : w.numQ;
  int32_t dtype = operand == 3 ? w.code->desc.base.o_dtype : int32_t{GIRIH_BF16};
  return {
      data, {1, heads, tokens, kDim}, {heads * tokens * kDim, tokens * kDim, kDim, 1}, dtype, 0};
}

std::string Problem::open(const Workload &given, int32_t ordinal) {
  workload = &given;
  const GirihCudaKernelDesc &desc = given.code->desc;
  GirihStatus status{};
  GirihCudaDevice *opened = nullptr;
  if (girihCudaOpen(ordinal, &opened, &status) != GIRIH_OK)
    return status.message;
  device.reset(opened);
  const std::string &ptx = given.code->ptx;
  const std::vector<char> &cubin = given.code->cubin;
  GirihCudaKernel *loaded = nullptr;
  if (girihCudaLoad(opened, &desc, cubin.empty() ? ptx.c_str() : cubin.data(),
                    static_cast<int64_t>(cubin.empty() ? ptx.size() + 1 : cubin.size()), &loaded,
                    &status) != GIRIH_OK)
    return status.message;
  kernel.reset(loaded);

  std::vector<GirihOperand> operands = patternOperands(given.pattern);
  GirihMapParams params =
      mapParams(1, given.heads, given.numQ, given.numK, GIRIH_BOTTOM_RIGHT, operands, desc.base);
  GirihBlockMap *built = nullptr;
  if (girihBlockMapBuild(desc.base.map, &params, &built, &status) != GIRIH_OK)
    return status.message;
  map.reset(built);

  std::mt19937 random(17);
  for (int operand = 0; operand < 3; ++operand) {
    GirihView shape = view(operand, nullptr);
    std::vector<uint16_t> values(static_cast<size_t>(shape.shape[1] * shape.shape[2] * kDim));
    // bf16 from -2 to 2: sign, an exponent of 2^-3 to 2^0, and any fraction.
    for (uint16_t &value : values) {
      uint32_t bits = random();
      value =
          static_cast<uint16_t>((bits & 0x8000) | ((124 + (bits >> 16) % 4) << 7) | (bits & 0x7f));
    }
    auto bytes = static_cast<int64_t>(values.size() * sizeof(uint16_t));
    if (std::string trouble = inputs[operand].allocate(opened, bytes); !trouble.empty())
      return trouble;
    if (girihCudaCopyIn(opened, inputs[operand].memory, values.data(), bytes, &status) != GIRIH_OK)
      return status.message;
  }
  return "";
}

std::string Run::prepare(Problem &of) {
  problem = &of;
  GirihCudaDevice *device = of.device.get();
  const GirihCudaKernelDesc &desc = of.workload->code->desc;
  int64_t rows = of.workload->heads * of.workload->numQ;
  if (std::string trouble = o.allocate(device, rows * kDim * (desc.base.o_dtype ? 2 : 4));
      !trouble.empty())
    return trouble;
  if (std::string trouble = lse.allocate(device, rows * int64_t{sizeof(float)}); !trouble.empty())
    return trouble;
  GirihView views[] = {of.view(0, of.inputs[0].memory), of.view(1, of.inputs[1].memory),
                       of.view(2, of.inputs[2].memory), of.view(3, o.memory)};
  GirihMapParams params{};
  GirihStatus status{};
  if (girihPrepareLaunch(&desc.base, &views[0], &views[1], &views[2], &views[3],
                         static_cast<float *>(lse.memory), 1 / std::sqrt(float{kDim}), &arguments,
                         &params, &status) != GIRIH_OK)
    return status.message;
  GirihCudaPlan *created = nullptr;
  if (girihCudaPlanCreate(device, &desc, of.map.get(), desc.base.map, &arguments, &created,
                          &status) != GIRIH_OK)
    return status.message;
  plan.reset(created);
  return "";
}

std::string Run::poison() {
  GirihStatus status{};
  for (const Buffer *buffer : {&o, &lse})
    if (girihCudaFill(buffer->device, buffer->memory, 0xff, buffer->bytes, &status) != GIRIH_OK)
      return status.message;
  return "";
}

std::string Run::launch(void *stream) {
  GirihStatus status{};
  girihCudaLaunch(problem->kernel.get(), &arguments, plan.get(), stream, &status);
  return status.message;
}

std::string Run::read(std::vector<char> &bytes) {
  GirihStatus status{};
  bytes.resize(static_cast<size_t>(o.bytes + lse.bytes));
  if (girihCudaSynchronize(o.device, &status) == GIRIH_OK &&
      girihCudaCopyOut(o.device, bytes.data(), o.memory, o.bytes, &status) == GIRIH_OK)
    girihCudaCopyOut(o.device, bytes.data() + o.bytes, lse.memory, lse.bytes, &status);
  return status.message;
}

std::string gputest::compare(const std::vector<char> &bytes, const std::vector<char> &expected) {
  if (bytes.size() != expected.size())
    return "expected " + std::to_string(expected.size()) + " bytes of outputs, but got " +
           std::to_string(bytes.size());
  for (size_t i = 0; i < bytes.size(); ++i)
    if (bytes[i] != expected[i])
      return "expected the bits of the direct launch, but byte " + std::to_string(i) + " of " +
             std::to_string(bytes.size()) + " differs";
  return "";
}
