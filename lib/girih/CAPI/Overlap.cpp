//===- Overlap.cpp - Which strided tensors share memory -------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Two elements share memory when the distance of their addresses, a sum of multiples of
// strides, is less than an element. Multiples are tried from the largest stride down;
// what the smaller strides reach together leaves few of them where tensors are nested as
// usual, and one subtraction decides for tensors that lie apart. In general this is
// integer programming, so that there is a limit.
//
//===----------------------------------------------------------------------===//

#include "girih/CAPI/Overlap.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"

#include <cstdlib>

using namespace girih;
using namespace girih::capi;

/// Addresses are sums of products of 64-bit numbers.
using Wide = __int128;

namespace {
/// stride * z for the integers z from least to most; stride > 0, in bytes.
struct Term {
  Wide stride, least, most;
};

/// Sums of one multiple of each stride.
class Sums {
public:
  void add(Wide stride, Wide least, Wide most) {
    if (least == most || stride == 0)
      return;
    if (stride < 0) {
      stride = -stride;
      std::swap(least, most);
      least = -least;
      most = -most;
    }
    totalLeast += stride * least;
    totalMost += stride * most;
    auto known = llvm::find_if(terms, [&](const Term &term) { return term.stride == stride; });
    if (known == terms.end()) {
      terms.push_back({stride, least, most});
    } else {
      known->least += least;
      known->most += most;
    }
  }

  /// Whether any sum is from `least` to `most`.
  Overlap reach(Wide least, Wide most) {
    if (totalMost < least || most < totalLeast) // before anything that takes time
      return Overlap::None;
    llvm::sort(terms, [](const Term &a, const Term &b) { return a.stride > b.stride; });
    const bool found = reach(0, least, most);
    return left < 0 ? Overlap::Unknown : found ? Overlap::Some : Overlap::None;
  }

private:
  bool reach(size_t first, Wide least, Wide most) {
    if (first == terms.size())
      return least <= 0 && 0 <= most;
    Wide restLeast = 0, restMost = 0;
    for (const Term &term : llvm::drop_begin(terms, first + 1)) {
      restLeast += term.stride * term.least;
      restMost += term.stride * term.most;
    }
    const Term &term = terms[first];
    const Wide begin = std::max(term.least, -floorOf(restMost - least, term.stride));
    const Wide end = std::min(term.most, floorOf(most - restLeast, term.stride));
    for (Wide z = begin; z <= end; ++z)
      if (--left < 0 || reach(first + 1, least - z * term.stride, most - z * term.stride))
        return true;
    return false;
  }

  static Wide floorOf(Wide a, Wide b) { return a / b - (a % b < 0 ? 1 : 0); }

  llvm::SmallVector<Term, 8> terms;
  Wide totalLeast = 0, totalMost = 0;
  /// Multiples to try: usual tensors take tens, and this many some 50 us.
  int left = 1 << 12;
};
} // namespace

static Wide bytesOf(const GirihView &view) { return view.dtype == GIRIH_F32 ? 4 : 2; }

Overlap capi::findOverlap(const GirihView &a, const GirihView &b) {
  Sums distances;
  for (int i = 0; i != 4; ++i) {
    distances.add(bytesOf(a) * a.stride[i], 0, a.shape[i] - 1);
    distances.add(bytesOf(b) * b.stride[i], 1 - b.shape[i], 0);
  }
  const Wide apart = static_cast<Wide>(reinterpret_cast<uintptr_t>(b.data)) -
                     static_cast<Wide>(reinterpret_cast<uintptr_t>(a.data));
  return distances.reach(apart - bytesOf(a) + 1, apart + bytesOf(b) - 1);
}

Overlap capi::findSelfOverlap(const GirihView &view) {
  // Neither has been checked yet, and sums must fit.
  for (int i = 0; i != 4; ++i)
    if (std::max(view.shape[i], std::abs(view.stride[i] / 2)) > int64_t(1) << 60)
      return Overlap::Unknown;
  // Indices of two elements differ first in some dimension, and there upwards.
  for (int first = 0; first != 4; ++first) {
    if (view.shape[first] == 1)
      continue;
    if (view.stride[first] == 0)
      return Overlap::Some;
    Sums distances;
    distances.add(view.stride[first], 0, view.shape[first] - 2);
    for (int i = first + 1; i != 4; ++i)
      distances.add(view.stride[i], 1 - view.shape[i], view.shape[i] - 1);
    const Wide step = view.stride[first];
    if (Overlap found = distances.reach(-step, -step); found != Overlap::None)
      return found;
  }
  return Overlap::None;
}
