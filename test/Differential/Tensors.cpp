//===- Tensors.cpp - Strided tensors in guarded memory --------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Tensors.h"

#include "girih/Reference/Rounding.h"

#include "llvm/Support/ErrorHandling.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cmath>
#include <cstring>

using namespace girih;
using namespace girih::differential;

static int64_t bytesOf(int32_t dtype) { return dtype == GIRIH_F32 ? 4 : 2; }

/// All bits set: a NaN in each dtype.
static constexpr int poison = 0xff;

GuardedTensor::GuardedTensor(std::array<int64_t, 4> shape, GirihDType dtype, Layout layout) {
  auto [batch, heads, tokens, dim] = shape;
  for (int i = 0; i != 4; ++i)
    tensor.shape[i] = shape[i];
  tensor.dtype = dtype;
  tensor.stride[3] = 1;
  int64_t row = layout == Layout::Padded ? dim + 3 : dim;
  if (layout == Layout::TokenMajor) {
    tensor.stride[1] = row;
    tensor.stride[2] = heads * row;
    tensor.stride[0] = tokens * heads * row;
  } else {
    tensor.stride[2] = row;
    tensor.stride[1] = tokens * row;
    tensor.stride[0] = heads * tokens * row;
  }
  int64_t stored = batch;
  if (layout == Layout::SharedBatch) {
    tensor.stride[0] = 0;
    stored = 1;
  }
  // The padding of the last row is behind the tensor: leave it out.
  extent = stored * heads * tokens * row - (row - dim);
  int64_t first0 = 0;
  if (layout == Layout::Reversed) {
    tensor.stride[2] = -row;
    first0 = (tokens - 1) * row;
  }

  auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  size_t bytes = static_cast<size_t>(extent * bytesOf(dtype));
  size_t usable = (bytes + page - 1) / page * page;
  mapped = usable + page;
  void *memory = mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED || mprotect(static_cast<char *>(memory) + usable, page, PROT_NONE))
    llvm::report_fatal_error("out of memory for a test tensor");
  pages = static_cast<char *>(memory);
  std::memset(pages, poison, usable);
  first = pages + usable - bytes;
  tensor.data = first + first0 * bytesOf(dtype);
}

GuardedTensor::~GuardedTensor() { munmap(pages, mapped); }

int64_t GuardedTensor::offsetOf(const std::array<int64_t, 4> &index) const {
  int64_t offset = 0;
  for (int i = 0; i != 4; ++i)
    offset += index[i] * tensor.stride[i];
  return offset;
}

float GuardedTensor::read(int64_t offset) const {
  if (tensor.dtype == GIRIH_F32)
    return static_cast<const float *>(tensor.data)[offset];
  uint16_t bits = static_cast<const uint16_t *>(tensor.data)[offset];
  return tensor.dtype == GIRIH_BF16 ? fromBf16(bits) : fromF16(bits);
}

float GuardedTensor::get(const std::array<int64_t, 4> &index) const {
  return read(offsetOf(index));
}

void GuardedTensor::set(const std::array<int64_t, 4> &index, float value) {
  int64_t offset = offsetOf(index);
  if (tensor.dtype == GIRIH_F32)
    static_cast<float *>(tensor.data)[offset] = value;
  else
    static_cast<uint16_t *>(tensor.data)[offset] =
        tensor.dtype == GIRIH_BF16 ? toBf16(value) : toF16(value);
}

/// Calls `body` with each index in the order of the shape.
template <typename Body> static void forEachIndex(const int64_t (&shape)[4], Body body) {
  std::array<int64_t, 4> i;
  for (i[0] = 0; i[0] != shape[0]; ++i[0])
    for (i[1] = 0; i[1] != shape[1]; ++i[1])
      for (i[2] = 0; i[2] != shape[2]; ++i[2])
        for (i[3] = 0; i[3] != shape[3]; ++i[3])
          body(i);
}

std::vector<float> GuardedTensor::values() const {
  std::vector<float> result;
  result.reserve(tensor.shape[0] * tensor.shape[1] * tensor.shape[2] * tensor.shape[3]);
  forEachIndex(tensor.shape, [&](const auto &index) { result.push_back(get(index)); });
  return result;
}

bool GuardedTensor::paddingIntact() const {
  int64_t size = bytesOf(tensor.dtype);
  std::vector<bool> isElement(extent);
  int64_t origin = (static_cast<const char *>(tensor.data) - first) / size;
  forEachIndex(tensor.shape,
               [&](const auto &index) { isElement[origin + offsetOf(index)] = true; });
  for (int64_t i = 0; i != extent; ++i)
    if (!isElement[i] && !std::isnan(read(i - origin)))
      return false;
  // The page that the tensor starts in.
  for (const char *byte = pages; byte != first; ++byte)
    if (static_cast<unsigned char>(*byte) != poison)
      return false;
  return true;
}
