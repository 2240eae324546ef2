//===- Draw.cpp - Drawing kernels and launches ----------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Mostly small and quick, with a tail of what is rare: large head dims, other
// vector widths, huge logits, strange strides. Only raw generator output is used,
// so that a seed means the same on every host.
//
//===----------------------------------------------------------------------===//

#include "Case.h"

#include "girih/Reference/Dice.h"
#include "girih/Reference/RandomPatterns.h"
#include "girih/Reference/RandomScores.h"

#include <random>

using namespace girih;
using namespace girih::differential;

namespace {

class Drawer : public Dice {
public:
  using Dice::Dice;

  int64_t length();
  int64_t dim();
  Layout layout(bool isInput);
  void heads(LaunchCase &launch, bool mayChangeHeads);
  KernelCase kernel();
  LaunchCase launch(const KernelCase &kernel);
};

} // namespace

int64_t Drawer::length() {
  if (oneIn(40))
    return between(300, 1200);
  switch (between(0, 6)) {
  case 0:
    return between(1, 8);
  case 1:
    return pick<int64_t>({13, 31, 61, 97, 127, 131, 191, 251, 257});
  case 2:
    return 16 * between(1, 16) + between(-1, 1);
  case 3:
    return between(1, 300);
  default:
    return between(1, 130);
  }
}

int64_t Drawer::dim() {
  switch (between(0, 9)) {
  case 0:
    return between(1, 8);
  case 1:
  case 2:
    return between(1, 96);
  case 3:
    return oneIn(2) ? between(97, 256) : pick<int64_t>({128, 256, 255, 129});
  default:
    return pick<int64_t>({8, 16, 24, 32, 40, 48, 64, 80, 96});
  }
}

Layout Drawer::layout(bool isInput) {
  if (!oneIn(3))
    return Layout::Contiguous;
  return static_cast<Layout>(between(1, isInput ? 4 : 3));
}

void Drawer::heads(LaunchCase &launch, bool mayChangeHeads) {
  if (mayChangeHeads)
    launch.heads = between(1, 4);
  do
    launch.kvHeads = between(1, launch.heads);
  while (launch.heads % launch.kvHeads);
  launch.batch = oneIn(3) ? 2 : 1;
}

LaunchCase Drawer::launch(const KernelCase &kernel) {
  LaunchCase launch;
  launch.numQ = length();
  // Neighbourhoods, and most use, want equal lengths.
  launch.numK = oneIn(2) ? launch.numQ : length();
  heads(launch, /*mayChangeHeads=*/true);
  launch.q = layout(true);
  launch.k = layout(true);
  launch.v = layout(true);
  launch.o = layout(false);
  launch.threads = oneIn(4) ? 2 : 1;
  launch.wantsLse = !oneIn(16);
  if (oneIn(6)) {
    launch.scale = pick({0.0f, -0.3f, 0.5f, 1.0f});
    launch.zeroScale = launch.scale == 0;
  }
  if (kernel.dtype != GIRIH_F16 && !kernel.score && oneIn(12))
    launch.magnitude = pick({30.0f, 1e3f, 1e4f});
  return launch;
}

KernelCase Drawer::kernel() {
  KernelCase kernel;
  kernel.dtype = pick({GIRIH_F32, GIRIH_F32, GIRIH_BF16, GIRIH_F16});
  kernel.dim = dim();
  kernel.vDim = oneIn(3) ? dim() : kernel.dim;
  kernel.topLeft = oneIn(3);
  if (oneIn(2)) {
    kernel.tileQ = pick<int64_t>({0, 16, 32, 48, 64});
    kernel.tileK = pick<int64_t>({0, 8, 16, 24, 64, 128});
  }
  if (oneIn(4))
    kernel.cpu = pick<const char *>({"x86-64-v3", "x86-64-v2", "x86-64"});
  if (oneIn(3))
    kernel.score = drawScore(random, static_cast<int>(between(0, 3)));
  return kernel;
}

Group differential::drawGroup(uint64_t seed, int64_t number) {
  std::mt19937_64 random(seed * 0x9e3779b97f4a7c15u + static_cast<uint64_t>(number));
  Drawer drawer(random);
  Group group;
  group.kernel = drawer.kernel();
  LaunchCase first = drawer.launch(group.kernel);
  DrawOptions options;
  options.shape = first.shape(group.kernel);
  options.maxDepth = static_cast<int>(drawer.between(0, 4));
  group.kernel.pattern = drawPattern(random, options);
  group.launches.push_back(first);
  while (static_cast<int64_t>(group.launches.size()) != launchesPerGroup) {
    LaunchCase next = drawer.launch(group.kernel);
    // Tables, grids and lists of heads fit some shapes only: keep those of the
    // first launch then, and vary the rest.
    if (!validateShape(group.kernel.pattern, next.shape(group.kernel)).empty()) {
      next.numQ = first.numQ;
      next.numK = first.numK;
      next.heads = first.heads;
      drawer.heads(next, /*mayChangeHeads=*/false);
    }
    group.launches.push_back(next);
  }
  group.kernel.roundsOutput = drawer.oneIn(2);
  for (int64_t i = 0; i != launchesPerGroup; ++i)
    group.launches[i].number = number * launchesPerGroup + i;
  return group;
}
