//===- NeighborhoodTest.cpp - Neighbourhoods by brute force ---------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Proves that every query sees exactly `kernel` keys a dimension, that the mask
// is the one of NATTEN's reference kernels, and that dimensions combine.
//
//===----------------------------------------------------------------------===//

#include "girih/Reference/Membership.h"

#include <algorithm>
#include <gtest/gtest.h>

using namespace girih;

/// The mask of one dimension as NATTEN's reference kernels write it
/// (csrc/include/natten/cuda/reference/mask.hpp).
static bool nattenSees(int64_t x, int64_t y, int64_t length, int64_t window, int64_t d, int64_t s,
                       bool causal) {
  int64_t i = x / d, group = x % d;
  if (y % d != group)
    return false;
  int64_t reduced = length / d + 1 - (group + d - length % d) / d;
  int64_t wl = window / 2, wr = window / 2 + window % 2 - 1, start, end;
  if (causal) {
    int64_t lead = std::min(i / s * s + s - 1, reduced - 1);
    start = std::max<int64_t>(lead - wl - wr, 0);
    end = std::min(i + 1, reduced);
  } else {
    int64_t lead = std::min(i / s * s + s / 2, reduced - 1);
    start = std::max<int64_t>(lead - wl, 0) + (lead + wr >= reduced ? reduced - wr - lead - 1 : 0);
    end = start + window;
  }
  return start <= y / d && y / d < end;
}

/// Calls `visit(kernel, dilation, stride)` for everything valid at this length.
template <typename Visitor> static void everyWindow(int64_t length, Visitor visit) {
  for (int64_t dilation = 1; dilation <= 4; ++dilation)
    for (int64_t kernel = 1; kernel * dilation <= length; ++kernel)
      for (int64_t stride = 1; stride <= kernel; ++stride)
        visit(kernel, dilation, stride);
}

TEST(Neighborhood, one_dimension_equals_natten) {
  for (int64_t length = 1; length <= 22; ++length) {
    Shape shape = makeShape(length, length, 1, false);
    everyWindow(length, [&](int64_t kernel, int64_t dilation, int64_t stride) {
      for (bool causal : {false, true}) {
        Pattern p = neighborhood({length}, {kernel}, {dilation}, {stride}, {causal});
        ASSERT_EQ(validateShape(p, shape), "");
        Membership membership(p, shape);
        for (int64_t q = 0; q < length; ++q)
          for (int64_t k = 0; k < length; ++k)
            ASSERT_EQ(membership.contains(0, 0, q, k),
                      nattenSees(q, k, length, kernel, dilation, stride, causal))
                << p.str() << " q " << q << " k " << k;
      }
    });
  }
}

TEST(Neighborhood, every_query_sees_exactly_kernel_keys) {
  for (int64_t length = 1; length <= 40; ++length) {
    Shape shape = makeShape(length, length, 1, false);
    std::vector<uint8_t> keys;
    everyWindow(length, [&](int64_t kernel, int64_t dilation, int64_t stride) {
      Pattern p = neighborhood({length}, {kernel}, {dilation}, {stride});
      Membership membership(p, shape);
      for (int64_t q = 0; q < length; ++q) {
        membership.row(0, 0, q, keys);
        ASSERT_EQ(std::count(keys.begin(), keys.end(), 1), kernel) << p.str() << " q " << q;
      }
    });
  }
}

TEST(Neighborhood, causal_queries_see_themselves_and_nothing_later) {
  for (int64_t length = 1; length <= 24; ++length) {
    Shape shape = makeShape(length, length, 1, false);
    everyWindow(length, [&](int64_t kernel, int64_t dilation, int64_t stride) {
      Pattern p = neighborhood({length}, {kernel}, {dilation}, {stride}, {true});
      Membership membership(p, shape);
      for (int64_t q = 0; q < length; ++q) {
        ASSERT_TRUE(membership.contains(0, 0, q, q)) << p.str();
        for (int64_t k = q + 1; k < length; ++k)
          ASSERT_FALSE(membership.contains(0, 0, q, k)) << p.str();
      }
    });
  }
}

TEST(Neighborhood, an_odd_window_shifts_inward_at_the_borders) {
  Membership membership(neighborhood({5}, {3}), makeShape(5, 5, 1, false));
  std::string mask;
  for (int64_t q = 0; q < 5; ++q) {
    for (int64_t k = 0; k < 5; ++k)
      mask += membership.contains(0, 0, q, k) ? '#' : '.';
    mask += '\n';
  }
  EXPECT_EQ(mask, "###..\n"
                  "###..\n"
                  ".###.\n"
                  "..###\n"
                  "..###\n");
}

TEST(Neighborhood, dimensions_are_row_major_and_independent) {
  const std::vector<int64_t> grid = {3, 5, 4}, kernel = {2, 3, 2}, dilation = {1, 1, 2},
                             stride = {1, 2, 1};
  const std::vector<bool> causal = {true, false, false};
  Pattern p = neighborhood(grid, kernel, dilation, stride, causal);
  Shape shape = makeShape(60, 60, 1, false);
  ASSERT_EQ(validateShape(p, shape), "");
  Membership membership(p, shape);
  auto coordinates = [](int64_t token) {
    return std::vector<int64_t>{token / 20, token / 4 % 5, token % 4};
  };
  for (int64_t q = 0; q < 60; ++q) {
    for (int64_t k = 0; k < 60; ++k) {
      std::vector<int64_t> x = coordinates(q), y = coordinates(k);
      bool expected = true;
      for (size_t d = 0; d < 3; ++d)
        expected &= nattenSees(x[d], y[d], grid[d], kernel[d], dilation[d], stride[d], causal[d]);
      ASSERT_EQ(membership.contains(0, 0, q, k), expected) << q << " " << k;
    }
  }
}

TEST(Neighborhood, positions_outside_the_grid_see_nothing) {
  Membership membership(neighborhood({2, 2}, {1, 1}), makeShape(4, 4, 1, false));
  EXPECT_FALSE(membership.contains(0, 0, -1, 3));
  EXPECT_FALSE(membership.contains(0, 0, 4, 0));
}
