//===- CudaTensorMapTest.cpp - Views in the terms of the copy engine ------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Proves which views become tensor maps, with which extents and byte strides,
// and what is said about the others. Needs no device.
//
//===----------------------------------------------------------------------===//

#include "girih-c/Runtime.h"
#include "src/cuda/TensorMap.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

using namespace girih::cuda;

namespace {

GirihView makeView(std::array<int64_t, 4> shape, std::array<int64_t, 4> stride,
                   uintptr_t address = 0x7000) {
  GirihView view{};
  view.data = reinterpret_cast<void *>(address);
  std::copy(shape.begin(), shape.end(), view.shape);
  std::copy(stride.begin(), stride.end(), view.stride);
  view.dtype = GIRIH_BF16;
  return view;
}

struct Described {
  explicit Described(const GirihView &view)
      : code(describeTensorMap("k", view, 128, 64, shape, &status)) {}
  TensorMapShape shape{};
  GirihStatus status{};
  int code;
};

using Extents = std::array<uint64_t, 4>;
using Strides = std::array<uint64_t, 3>;
Extents extents(const Described &d) {
  return {d.shape.dims[0], d.shape.dims[1], d.shape.dims[2], d.shape.dims[3]};
}
Strides strides(const Described &d) {
  return {d.shape.strides[0], d.shape.strides[1], d.shape.strides[2]};
}

} // namespace

TEST(CudaTensorMap, ReversesDimensionsAndCountsBytes) {
  Described d(makeView({2, 4, 1000, 128}, {512000, 128000, 128, 1}));
  ASSERT_EQ(d.code, GIRIH_OK) << d.status.message;
  EXPECT_EQ(extents(d), (Extents{128, 1000, 4, 2}));
  EXPECT_EQ(strides(d), (Strides{256, 256000, 1024000}));
  EXPECT_EQ(d.shape.box[0], 64u);
  EXPECT_EQ(d.shape.box[1], 128u);
  EXPECT_EQ(d.shape.box[2], 1u);
  EXPECT_EQ(d.shape.box[3], 1u);
}

TEST(CudaTensorMap, TakesTokensOutsideHeads) {
  Described d(makeView({2, 4, 1000, 96}, {384000, 96, 384, 1}));
  ASSERT_EQ(d.code, GIRIH_OK) << d.status.message;
  EXPECT_EQ(strides(d), (Strides{768, 192, 768000}));
}

TEST(CudaTensorMap, HeadDimsBelowABoxKeepTheirExtent) {
  Described d(makeView({1, 2, 10, 40}, {0, 400, 40, 1}));
  ASSERT_EQ(d.code, GIRIH_OK) << d.status.message;
  EXPECT_EQ(d.shape.dims[0], 40u);
  EXPECT_EQ(d.shape.box[0], 64u);
}

TEST(CudaTensorMap, IgnoresStridesOfSingleElements) {
  Described d(makeView({1, 1, 1, 20}, {-7, 3, 20, 1}));
  ASSERT_EQ(d.code, GIRIH_OK) << d.status.message;
  EXPECT_EQ(strides(d), (Strides{48, 48, 48}));
  EXPECT_EQ(Described(makeView({1, 2, 8, 1}, {0, 64, 8, 5})).code, GIRIH_OK);
}

TEST(CudaTensorMap, RefusesWhatTheCopyEngineCannotRead) {
  const struct {
    GirihView view;
    const char *message;
  } cases[] = {
      {makeView({1, 1, 8, 64}, {0, 0, 64, 1}, 0x7008),
       "expected data of k to be aligned to 16 bytes, but got address 0x7008"},
      {makeView({1, 1, 8, 20}, {0, 0, 20, 1}),
       "expected the token stride of k to be a multiple of 8 elements (16 bytes), but got 20"},
      {makeView({1, 3, 8, 64}, {0, 517, 64, 1}),
       "expected the head stride of k to be a multiple of 8 elements (16 bytes), but got 517"},
      {makeView({2, 1, 8, 64}, {-512, 0, 64, 1}),
       "expected the batch stride of k not to be negative, but got -512"},
      {makeView({2, 1, 8, 64}, {int64_t{1} << 39, 0, 64, 1}),
       "expected the batch stride of k to be below 549755813888 elements, but got 549755813888"},
      {makeView({1, 1, 8, 64}, {0, 0, 512, 8}),
       "expected the innermost stride of k to be 1, but got 8"},
      {makeView({int64_t{1} << 32, 1, 8, 64}, {0, 0, 64, 1}),
       "expected extent 0 of k to be below 2^32, but got 4294967296"},
  };
  for (const auto &entry : cases) {
    Described d(entry.view);
    EXPECT_EQ(d.code, GIRIH_UNSUPPORTED);
    EXPECT_STREQ(d.status.message, entry.message);
  }
}
