//===- Tensors.cpp - The tensors of a run ---------------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "common/Tensors.h"

#include "girih/Reference/Rounding.h"
#include "girih/Support/Error.h"
#include "girih/Support/InputFile.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

using namespace girih;

//===----------------------------------------------------------------------===//
// Tensor
//===----------------------------------------------------------------------===//

Tensor::Tensor(std::array<int64_t, 4> shape, GirihDType dtype, std::vector<float> values)
    : shape(shape), dtype(dtype), rounded(std::move(values)) {
  if (dtype == GIRIH_F32)
    return;
  bits.resize(rounded.size());
  for (size_t i = 0; i < rounded.size(); ++i)
    bits[i] = dtype == GIRIH_BF16 ? toBf16(rounded[i]) : toF16(rounded[i]);
  readBack();
}

void Tensor::readBack() {
  for (size_t i = 0; i < bits.size(); ++i)
    rounded[i] = dtype == GIRIH_BF16 ? fromBf16(bits[i]) : fromF16(bits[i]);
}

GirihView Tensor::view() {
  GirihView view{};
  view.data = dtype == GIRIH_F32 ? static_cast<void *>(rounded.data()) : bits.data();
  view.dtype = dtype;
  int64_t stride = 1;
  for (int i = 3; i >= 0; --i) {
    view.shape[i] = shape[i];
    view.stride[i] = stride;
    stride *= shape[i];
  }
  return view;
}

//===----------------------------------------------------------------------===//
// Drawn inputs
//===----------------------------------------------------------------------===//

/// Quantile of the normal distribution for p in (0, 1): Acklam's rational
/// approximation, relative error below 1.2e-9.
static double normalQuantile(double p) {
  static const double a[] = {-3.969683028665376e+01, 2.209460984245205e+02,  -2.759285104469687e+02,
                             1.383577518672690e+02,  -3.066479806614716e+01, 2.506628277459239e+00};
  static const double b[] = {-5.447609879822406e+01, 1.615858368580409e+02, -1.556989798598866e+02,
                             6.680131188771972e+01, -1.328068155288572e+01};
  static const double c[] = {-7.784894002430293e-03, -3.223964580411365e-01, -2.400758277161838e+00,
                             -2.549732539343734e+00, 4.374664141464968e+00,  2.938163982698783e+00};
  static const double d[] = {7.784695709041462e-03, 3.224671290700398e-01, 2.445134137142996e+00,
                             3.754408661907416e+00};
  if (p > 0.5)
    return -normalQuantile(1 - p);
  if (p < 0.02425) {
    double q = std::sqrt(-2 * std::log(p));
    return (((((c[0] * q + c[1]) * q + c[2]) * q + c[3]) * q + c[4]) * q + c[5]) /
           ((((d[0] * q + d[1]) * q + d[2]) * q + d[3]) * q + 1);
  }
  double q = p - 0.5, r = q * q;
  return (((((a[0] * r + a[1]) * r + a[2]) * r + a[3]) * r + a[4]) * r + a[5]) * q /
         (((((b[0] * r + b[1]) * r + b[2]) * r + b[3]) * r + b[4]) * r + 1);
}

static uint64_t splitMix(uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

/// N(0, 1) by table: 16 bits choose a quantile, 16 more interpolate to the next.
/// Value i depends on nothing but (seed, stream, i), and hundreds of millions of
/// them take a second, which a long sequence needs.
static std::vector<float> drawNormal(int64_t count, uint64_t seed, uint64_t stream) {
  const int steps = 1 << 16;
  std::vector<float> table(steps + 1);
  for (int i = 0; i <= steps; ++i)
    table[i] = static_cast<float>(normalQuantile((i + 0.5) / (steps + 1)));
  uint64_t key = splitMix(seed ^ splitMix(stream));
  std::vector<float> values(count);
  for (int64_t i = 0; i < count; ++i) {
    uint64_t random = splitMix(key + static_cast<uint64_t>(i));
    uint32_t slot = random >> 48;
    float fraction = static_cast<float>((random >> 32) & 0xffff) * 0x1p-16f;
    values[i] = table[slot] + fraction * (table[slot + 1] - table[slot]);
  }
  return values;
}

/// Bytes of the random blocks of a pattern whose positions are blocks of `unit` tokens, as the
/// runtime draws them for one launch. Other tables are in memory by now.
static double randomBytes(const PatternNode &node, const Request &r, double unit) {
  auto size = static_cast<double>(node.size);
  if (node.kind == PatternKind::RandomBlocks) {
    double rows = static_cast<double>(r.numQ) / (unit * size) + 1;
    double units = static_cast<double>(r.numK) / (unit * size) + 1;
    double count = std::min(static_cast<double>(node.count), units);
    return static_cast<double>(r.heads) * rows * (count * sizeof(int32_t) + sizeof(int64_t));
  }
  double bytes = 0;
  for (const PatternRef &child : node.children)
    bytes += randomBytes(*child, r, node.kind == PatternKind::Blockwise ? unit * size : unit);
  return bytes;
}

static llvm::Error checkMemory(const Request &r) {
  double q = static_cast<double>(r.batch * r.heads) * static_cast<double>(r.numQ);
  double k = static_cast<double>(r.batch * r.kvHeads) * static_cast<double>(r.numK);
  double inputs = q * static_cast<double>(r.dim) + k * static_cast<double>(r.dim + r.vDim);
  double outputs = q * static_cast<double>(r.vDim);
  double bytes = inputs * (r.dtype == GIRIH_F32 ? 4 : 6) +
                 outputs * (r.oDtype.value_or(GIRIH_F32) == GIRIH_F32 ? 4 : 6) + q * 4;
  double tables = randomBytes(*r.pattern.get(), r, 1);
  bytes += tables;
  auto memory = static_cast<double>(physicalMemory());
  if (bytes > memory * 0.9)
    return unsupportedError(
        fmt::format("expected tensors{} that fit in this machine's memory ({:.1f} GiB), but they "
                    "need {:.1f} GiB",
                    tables > 0 ? " and random blocks" : "", memory / 0x1p30, bytes / 0x1p30));
  return llvm::Error::success();
}

llvm::Expected<Tensors> girih::makeTensors(const Request &r, InputData data, uint64_t seed) {
  if (llvm::Error error = checkMemory(r))
    return std::move(error);
  auto input = [&](int stream, std::array<int64_t, 4> shape) {
    std::vector<float> values = std::move(data[stream]);
    if (values.empty())
      values = drawNormal(shape[0] * shape[1] * shape[2] * shape[3], seed, stream);
    return Tensor(shape, r.dtype, std::move(values));
  };
  float nan = std::numeric_limits<float>::quiet_NaN();
  Tensors tensors;
  tensors.q = input(0, {r.batch, r.heads, r.numQ, r.dim});
  tensors.k = input(1, {r.batch, r.kvHeads, r.numK, r.dim});
  tensors.v = input(2, {r.batch, r.kvHeads, r.numK, r.vDim});
  std::vector<float> poison(r.batch * r.heads * r.numQ * r.vDim, nan);
  tensors.out =
      Tensor({r.batch, r.heads, r.numQ, r.vDim}, r.oDtype.value_or(GIRIH_F32), std::move(poison));
  tensors.lse.assign(r.batch * r.heads * r.numQ, nan);
  return tensors;
}
