//===- Tensors.cpp - DLPack tensors as the runtime's views ----------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Shapes are compared with each other and with the kernel by girihPrepareLaunch;
// here stands what only a DLTensor can get wrong. No text is made unless something is
// wrong: this runs before every launch.
//
//===----------------------------------------------------------------------===//

#include "girih/CAPI/Tensors.h"

#include "girih/CAPI/Overlap.h"
#include "girih/CAPI/Status.h"

#include "llvm/ADT/StringExtras.h"

#include <algorithm>

using namespace girih;
using namespace girih::capi;

/// DLPack has it since 0.8.
static constexpr uint8_t boolCode = 6;

static std::string deviceName(DLDevice device) {
  switch (device.device_type) {
  case kDLCPU:
  case kDLCUDAHost:
    return "the CPU";
  case kDLCUDA:
    return "CUDA device " + std::to_string(device.device_id);
  default:
    return "a device of DLPack's type " + std::to_string(static_cast<int>(device.device_type));
  }
}

static std::string dtypeName(DLDataType type) {
  static constexpr const char *kinds[] = {"int",    "uint",    "float", "handle",
                                          "bfloat", "complex", "bool"};
  std::string name = type.code < std::size(kinds)
                         ? kinds[type.code]
                         : "dtype of code " + std::to_string(type.code) + ", bits ";
  name += std::to_string(type.bits);
  return type.lanes == 1 ? name : name + "x" + std::to_string(type.lanes);
}

static const char *dtypeName(int32_t dtype) {
  return dtype == GIRIH_F32 ? "float32" : dtype == GIRIH_BF16 ? "bfloat16" : "float16";
}

static bool hasDtype(const DLTensor &tensor, int32_t dtype) {
  const uint8_t code = dtype == GIRIH_BF16 ? kDLBfloat : kDLFloat;
  const uint8_t bits = dtype == GIRIH_F32 ? 32 : 16;
  return tensor.dtype.code == code && tensor.dtype.bits == bits && tensor.dtype.lanes == 1;
}

/// Whether the host reads the memory of a tensor (page-locked memory counts), or the GPU.
static bool isOn(DLDevice device, DLDeviceType type) {
  return device.device_type == type || (type == kDLCPU && device.device_type == kDLCUDAHost);
}

static llvm::Error problem(const char *name, const std::string &expected, const std::string &got) {
  return invalidError(std::string("expected ") + name + " " + expected + ", but got " + got);
}

static std::string shapeText(const DLTensor &tensor) {
  std::string text = "[";
  for (int i = 0; i < tensor.ndim; ++i)
    text += (i ? ", " : "") + std::to_string(tensor.shape[i]);
  return text + "]";
}

/// Rank, dtype, device and memory of one tensor.
static llvm::Error checkTensor(const char *name, const char *dims, int rank, const DLTensor *tensor,
                               int32_t dtype, DLDeviceType deviceType) {
  if (!tensor)
    return nullError(name);
  if (tensor->ndim != rank)
    return problem(name, "to have " + std::to_string(rank) + " dimensions " + dims,
                   std::to_string(tensor->ndim));
  if (!tensor->shape)
    return problem(name, "to have a shape", "null");
  if (!hasDtype(*tensor, dtype))
    return problem(name, std::string("to have dtype ") + dtypeName(dtype) + ", as the kernel has",
                   dtypeName(tensor->dtype));
  if (!isOn(tensor->device, deviceType))
    return problem(name,
                   deviceType == kDLCPU ? "to be on the CPU, where the kernel runs"
                                        : "to be on a CUDA device, where the kernel runs",
                   "one on " + deviceName(tensor->device));
  // Before data and strides, of which a tensor without elements may have any.
  for (int i = 0; i != rank; ++i)
    if (tensor->shape[i] < 1)
      return invalidError("expected extent " + std::to_string(i) + " of " + name +
                          " to be positive, but got " + std::to_string(tensor->shape[i]));
  if (!tensor->data)
    return problem(name, "to have data", "null");
  const uint64_t bytes = dtype == GIRIH_F32 ? 4 : 2;
  const uint64_t address = reinterpret_cast<uintptr_t>(tensor->data) + tensor->byte_offset;
  if (address % bytes != 0)
    return problem(name,
                   "to have data aligned to its elements of " + std::to_string(bytes) + " bytes",
                   "address 0x" + llvm::utohexstr(address, /*LowerCase=*/true));
  return llvm::Error::success();
}

/// Strides of a tensor without any: the last dimension runs fastest. Extents that would
/// overflow are refused by girihPrepareLaunch, whatever the strides.
static void fillStrides(const DLTensor &tensor, int64_t *strides) {
  uint64_t stride = 1;
  for (int i = tensor.ndim - 1; i >= 0; --i) {
    strides[i] = tensor.strides ? tensor.strides[i] : static_cast<int64_t>(stride);
    stride *= static_cast<uint64_t>(tensor.shape[i]);
  }
}

static llvm::Error readView(const char *name, const DLTensor *tensor, int32_t dtype,
                            DLDeviceType deviceType, GirihView &view) {
  if (llvm::Error error =
          checkTensor(name, "[batch, heads, tokens, dim]", 4, tensor, dtype, deviceType))
    return error;
  view.data = static_cast<char *>(tensor->data) + tensor->byte_offset;
  std::copy(tensor->shape, tensor->shape + 4, view.shape);
  fillStrides(*tensor, view.stride);
  // Frameworks leave anything in strides that are never taken.
  for (int i = 0; i != 4; ++i)
    if (view.shape[i] == 1)
      view.stride[i] = i == 3 ? 1 : 0;
  view.dtype = dtype;
  view.reserved = 0;
  return llvm::Error::success();
}

/// Whether each element of an output is written once. Usually, seen from the smallest stride to
/// the largest, a step in one dimension leaves behind all that the ones before reach.
static llvm::Error checkOutput(const char *name, const GirihView &view) {
  // Strides have not been checked yet.
  auto step = [&](int i) {
    const __int128 stride = view.stride[i];
    return stride < 0 ? -stride : stride;
  };
  int order[] = {0, 1, 2, 3};
  std::sort(order, order + 4, [&](int a, int b) { return step(a) < step(b); });
  __int128 reach = 0;
  for (int i : order) {
    if (view.shape[i] == 1)
      continue;
    if (step(i) <= reach && findSelfOverlap(view) != Overlap::None)
      return problem(name, "to have memory of its own for each element",
                     "stride " + std::to_string(view.stride[i]) + " in dimension " +
                         std::to_string(i));
    reach += step(i) * (view.shape[i] - 1);
  }
  return llvm::Error::success();
}

static llvm::Error checkApart(const char *output, const GirihView &written, const char *other,
                              const GirihView &read) {
  const Overlap overlap = findOverlap(written, read);
  if (overlap == Overlap::None)
    return llvm::Error::success();
  return invalidError(std::string("expected ") + output + " and " + other +
                      " to lie apart in memory, but got " +
                      (overlap == Overlap::Some
                           ? "tensors that overlap"
                           : "addresses that interleave, with strides of which it takes too long "
                             "to tell whether they meet"));
}

llvm::Error capi::checkOverlap(const Tensors &tensors) {
  const std::pair<const char *, const GirihView &> inputs[] = {
      {"q", tensors.q}, {"k", tensors.k}, {"v", tensors.v}};
  for (const auto &[name, view] : inputs)
    if (llvm::Error error = checkApart("o", tensors.o, name, view))
      return error;
  if (!tensors.lse)
    return llvm::Error::success();
  const int64_t *rows = tensors.q.shape;
  const GirihView lse = {
      tensors.lse, {1, 1, 1, rows[0] * rows[1] * rows[2]}, {0, 0, 0, 1}, GIRIH_F32, 0};
  if (llvm::Error error = checkApart("o", tensors.o, "lse", lse))
    return error;
  for (const auto &[name, view] : inputs)
    if (llvm::Error error = checkApart("lse", lse, name, view))
      return error;
  return llvm::Error::success();
}

static llvm::Error readLse(const DLTensor *tensor, const GirihView &q, DLDeviceType deviceType,
                           float *&lse) {
  lse = nullptr;
  if (!tensor)
    return llvm::Error::success();
  if (llvm::Error error =
          checkTensor("lse", "[batch, heads, tokens]", 3, tensor, GIRIH_F32, deviceType))
    return error;
  if (!std::equal(q.shape, q.shape + 3, tensor->shape))
    return problem("lse",
                   "to have batch, heads and tokens of q, [" + std::to_string(q.shape[0]) + ", " +
                       std::to_string(q.shape[1]) + ", " + std::to_string(q.shape[2]) + "]",
                   shapeText(*tensor));
  int64_t stride = 1;
  for (int i = 2; i >= 0; stride *= tensor->shape[i--])
    if (tensor->strides && tensor->shape[i] > 1 && tensor->strides[i] != stride)
      return problem("lse",
                     "to be contiguous, stride " + std::to_string(stride) + " in dimension " +
                         std::to_string(i),
                     std::to_string(tensor->strides[i]));
  lse = reinterpret_cast<float *>(static_cast<char *>(tensor->data) + tensor->byte_offset);
  return llvm::Error::success();
}

llvm::Error capi::readTensors(const GirihAttentionArgs &args, DLDeviceType deviceType,
                              int32_t dtype, int32_t oDtype, Tensors &tensors) {
  const struct {
    const char *name;
    const DLTensor *tensor;
    int32_t dtype;
    GirihView *view;
  } operands[] = {{"q", args.q, dtype, &tensors.q},
                  {"k", args.k, dtype, &tensors.k},
                  {"v", args.v, dtype, &tensors.v},
                  {"o", args.o, oDtype, &tensors.o}};
  for (const auto &operand : operands)
    if (llvm::Error error =
            readView(operand.name, operand.tensor, operand.dtype, deviceType, *operand.view))
      return error;
  if (llvm::Error error = checkOutput("o", tensors.o))
    return error;
  if (llvm::Error error = readLse(args.lse, tensors.q, deviceType, tensors.lse))
    return error;
  tensors.device = deviceType == kDLCPU ? 0 : args.q->device.device_id;
  if (deviceType == kDLCPU)
    return llvm::Error::success();
  const std::pair<const char *, const DLTensor *> others[] = {
      {"k", args.k}, {"v", args.v}, {"o", args.o}, {"lse", args.lse}};
  for (auto [name, tensor] : others)
    if (tensor && tensor->device.device_id != tensors.device)
      return problem(name, "to be on " + deviceName(args.q->device) + ", as q is",
                     "one on " + deviceName(tensor->device));
  return llvm::Error::success();
}

llvm::Expected<uint8_t *> capi::maskMemory(const DLTensor *mask, std::array<int64_t, 4> shape) {
  if (!mask)
    return nullError("mask");
  if (mask->ndim != 4 || !mask->shape)
    return problem("mask", "to have 4 dimensions [batch, heads, num_q, num_k]",
                   std::to_string(mask->ndim));
  if ((mask->dtype.code != boolCode && mask->dtype.code != kDLUInt) || mask->dtype.bits != 8 ||
      mask->dtype.lanes != 1)
    return problem("mask", "to have dtype bool or uint8", dtypeName(mask->dtype));
  if (!isOn(mask->device, kDLCPU))
    return problem("mask", "to be on the CPU", "one on " + deviceName(mask->device));
  if (!mask->data)
    return problem("mask", "to have data", "null");
  int64_t strides[4];
  fillStrides(*mask, strides);
  int64_t stride = 1;
  for (int i = 3; i >= 0; --i) {
    if (mask->shape[i] != shape[i])
      return problem("mask",
                     "to have extent " + std::to_string(shape[i]) + " in dimension " +
                         std::to_string(i),
                     std::to_string(mask->shape[i]));
    if (shape[i] > 1 && strides[i] != stride)
      return problem("mask",
                     "to be contiguous, stride " + std::to_string(stride) + " in dimension " +
                         std::to_string(i),
                     std::to_string(strides[i]));
    stride *= shape[i];
  }
  return static_cast<uint8_t *>(mask->data) + mask->byte_offset;
}
