//===- Problem.cpp - A pattern, its kernel and operands on a device -------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Problem.h"

#include <cmath>
#include <cstring>
#include <random>

using namespace girih;
using namespace girih::gputest;

std::string Buffer::allocate(GirihCudaDevice *on, int64_t size) {
  GirihStatus status{};
  device = on;
  bytes = size;
  girihCudaAllocate(device, bytes, &memory, &status);
  return status.message;
}

static int64_t elementBytes(const GirihView &view) { return view.dtype == GIRIH_F32 ? 4 : 2; }

GirihView Problem::view(int operand, void *memory) const {
  const Workload &w = *workload;
  bool ofKeys = operand == 1 || operand == 2;
  int64_t heads = ofKeys ? w.kvHeads : w.heads, tokens = ofKeys ? w.numK : w.numQ;
  int64_t dim = operand < 2 ? w.dim : w.vDim, pitch = dim * layout.step + layout.gap;
  int32_t dtype = operand == 3 ? w.code->desc.base.o_dtype : int32_t{GIRIH_BF16};
  GirihView view{nullptr, {1, heads, tokens, dim}, {heads * tokens * pitch}, dtype, 0};
  view.stride[1] = layout.tokensOutside ? pitch : tokens * pitch;
  view.stride[2] = layout.tokensOutside ? heads * pitch : pitch;
  view.stride[3] = layout.step;
  view.data = static_cast<char *>(memory) + layout.shift * elementBytes(view);
  return view;
}

int64_t Problem::bytes(int operand) const {
  GirihView all = view(operand, nullptr);
  return (layout.shift + all.stride[0]) * elementBytes(all);
}

/// Calls `body` with the place of each element of a view, in bytes from its data, in the
/// order of a contiguous one.
template <typename Body> static void forEachElement(const GirihView &view, Body body) {
  for (int64_t h = 0; h < view.shape[1]; ++h)
    for (int64_t n = 0; n < view.shape[2]; ++n)
      for (int64_t d = 0; d < view.shape[3]; ++d)
        body((h * view.stride[1] + n * view.stride[2] + d * view.stride[3]) * elementBytes(view));
}

std::string Problem::open(const Workload &given, int32_t ordinal, const Layout &laidOut) {
  layout = laidOut;
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
    std::vector<char> image(static_cast<size_t>(bytes(operand)), '\xff');
    // bf16 from -2 to 2: sign, an exponent of 2^-3 to 2^0, and any fraction.
    char *data = image.data() + layout.shift * int64_t{sizeof(uint16_t)};
    forEachElement(view(operand, nullptr), [&](int64_t place) {
      uint32_t bits = random();
      auto value =
          static_cast<uint16_t>((bits & 0x8000) | ((124 + (bits >> 16) % 4) << 7) | (bits & 0x7f));
      memcpy(data + place, &value, sizeof(value));
    });
    auto size = static_cast<int64_t>(image.size());
    if (std::string trouble = inputs[operand].allocate(opened, size); !trouble.empty())
      return trouble;
    if (girihCudaCopyIn(opened, inputs[operand].memory, image.data(), size, &status) != GIRIH_OK)
      return status.message;
  }
  return "";
}

std::string Run::prepare(Problem &of) {
  problem = &of;
  GirihCudaDevice *device = of.device.get();
  const GirihCudaKernelDesc &desc = of.workload->code->desc;
  int64_t rows = of.workload->heads * of.workload->numQ;
  if (std::string trouble = o.allocate(device, of.bytes(3)); !trouble.empty())
    return trouble;
  if (std::string trouble = lse.allocate(device, rows * int64_t{sizeof(float)}); !trouble.empty())
    return trouble;
  GirihView views[] = {of.view(0, of.inputs[0].memory), of.view(1, of.inputs[1].memory),
                       of.view(2, of.inputs[2].memory), of.view(3, o.memory)};
  GirihMapParams params{};
  GirihStatus status{};
  if (girihPrepareLaunch(&desc.base, &views[0], &views[1], &views[2], &views[3],
                         static_cast<float *>(lse.memory),
                         1 / std::sqrt(static_cast<float>(of.workload->dim)), &arguments, &params,
                         &status) != GIRIH_OK)
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
  std::vector<char> image(static_cast<size_t>(o.bytes));
  GirihView view = problem->view(3, nullptr);
  const int64_t element = elementBytes(view), shift = problem->layout.shift * element;
  int64_t oBytes = view.shape[1] * view.shape[2] * view.shape[3] * element, at = 0;
  bytes.resize(static_cast<size_t>(oBytes + lse.bytes));
  if (girihCudaSynchronize(o.device, &status) == GIRIH_OK &&
      girihCudaCopyOut(o.device, image.data(), o.memory, o.bytes, &status) == GIRIH_OK)
    girihCudaCopyOut(o.device, bytes.data() + oBytes, lse.memory, lse.bytes, &status);
  if (status.code != GIRIH_OK)
    return status.message;
  forEachElement(view, [&](int64_t place) {
    memcpy(&bytes[at], &image[shift + place], static_cast<size_t>(element));
    memset(&image[shift + place], 0xff, static_cast<size_t>(element));
    at += element;
  });
  for (size_t i = 0; i < image.size(); ++i)
    if (image[i] != '\xff')
      return "expected what lies between the rows of o to stay as it was, but byte " +
             std::to_string(i) + " of its memory was written";
  return "";
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
