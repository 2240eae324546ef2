//===- main.c - A compiled pattern inside a C program ----------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// girih-compile made swa.h and swa.o. This program launches the kernel for several
// lengths and compares it with loops over every pair; it has no compiler inside.
//
//===----------------------------------------------------------------------===//

#include "swa.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { HEADS = 4, KV_HEADS = 2, DIM = 64, LEFT = 99 };

// A contiguous f32 tensor [1, heads, tokens, DIM]; data is null without memory.
static GirihView make_tensor(int64_t heads, int64_t tokens) {
  GirihView view = {0};
  view.data = calloc((size_t)(heads * tokens * DIM), sizeof(float));
  view.dtype = GIRIH_F32;
  view.shape[0] = 1;
  view.shape[1] = heads;
  view.shape[2] = tokens;
  view.shape[3] = DIM;
  view.stride[3] = 1;
  for (int i = 2; i >= 0; --i)
    view.stride[i] = view.stride[i + 1] * view.shape[i + 1];
  return view;
}

// Numbers in [-1, 1), the same on every machine.
static void fill(GirihView *view, uint32_t seed) {
  float *values = view->data;
  for (int64_t i = 0; i < view->shape[1] * view->stride[1]; ++i) {
    seed = seed * 1664525u + 1013904223u;
    values[i] = (float)(seed >> 8) / (float)(1 << 23) - 1.0f;
  }
}

static const float *row(const GirihView *view, int64_t head, int64_t token) {
  return (const float *)view->data + head * view->stride[1] + token * view->stride[2];
}

// What the kernel is for, said in loops: query i sees keys i - LEFT to i.
static double largest_error(const GirihView *q, const GirihView *k, const GirihView *v,
                            const GirihView *o, double scale) {
  double largest = 0;
  for (int64_t h = 0; h < HEADS; ++h) {
    int64_t g = h / (HEADS / KV_HEADS);
    for (int64_t i = 0; i < q->shape[2]; ++i) {
      double sum = 0, want[DIM] = {0};
      for (int64_t j = i < LEFT ? 0 : i - LEFT; j <= i; ++j) {
        double score = 0;
        for (int d = 0; d < DIM; ++d)
          score += (double)row(q, h, i)[d] * row(k, g, j)[d];
        double weight = exp(score * scale);
        sum += weight;
        for (int d = 0; d < DIM; ++d)
          want[d] += weight * row(v, g, j)[d];
      }
      for (int d = 0; d < DIM; ++d)
        largest = fmax(largest, fabs(want[d] / sum - row(o, h, i)[d]));
    }
  }
  return largest;
}

// Launches the kernel: check the operands, derive the block map of these lengths, run.
static int attend(const GirihView *q, const GirihView *k, const GirihView *v, const GirihView *o,
                  float scale, GirihStatus *status) {
  GirihLaunch launch;
  GirihMapParams params;
  GirihBlockMap *map = NULL;
  if (girihPrepareLaunch(swa_kernel, q, k, v, o, /*lse=*/NULL, scale, &launch, &params, status))
    return status->code;
  if (girihBlockMapBuild(swa_kernel->map, &params, &map, status))
    return status->code; // a map serves all launches of the same lengths: keep it
  GirihCpuOptions options = {0};
  girihLaunchCpu(swa_kernel, &launch, map, &options, status);
  girihBlockMapFree(map);
  return status->code;
}

// Attends over `tokens` tokens and prints how far the result is off.
static int run(int64_t tokens) {
  GirihStatus status = {0};
  const double scale = 1 / sqrt((double)DIM);
  GirihView q = make_tensor(HEADS, tokens), o = make_tensor(HEADS, tokens);
  GirihView k = make_tensor(KV_HEADS, tokens), v = make_tensor(KV_HEADS, tokens);
  if (!q.data || !k.data || !v.data || !o.data) {
    status.code = GIRIH_INTERNAL;
    snprintf(status.message, sizeof(status.message), "out of memory");
  } else {
    fill(&q, 1);
    fill(&k, 2);
    fill(&v, 3);
    attend(&q, &k, &v, &o, (float)scale, &status);
  }
  if (status.code == GIRIH_OK) {
    double error = largest_error(&q, &k, &v, &o, scale);
    printf("%lld tokens: %s\n", (long long)tokens, error < 1e-5 ? "right" : "wrong");
    if (!(error < 1e-5))
      status.code = GIRIH_MISMATCH;
  } else {
    fprintf(stderr, "error: %s\n", status.message);
  }
  free(q.data);
  free(k.data);
  free(v.data);
  free(o.data);
  return status.code;
}

int main(void) {
  const int64_t lengths[] = {1, 63, 64, 777};
  for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); ++i) {
    int code = run(lengths[i]);
    if (code)
      return code;
  }
  return 0;
}
