//===- attend.c - A kernel from a file against loops ----------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Launches a kernel that girih-compile made and compares it with loops over every pair.
//
// attend NUM_Q NUM_K        exit 0 good, 1 wrong numbers, else the runtime's code
//
// Built with -DKERNEL=name_kernel and -DHEADER='"name.h"', or -DLIBRARY='"./libname.so"'
// to load it while running, and -DMASK for one of the patterns below.
//
//===----------------------------------------------------------------------===//

#include "girih-c/Runtime.h"
#ifdef HEADER
#include HEADER
#else
#include <dlfcn.h>
#endif

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Patterns. BIGBIRD: blocks of 16, a window of one and a global block, or two random blocks
// of 8. PACKED, LOOKUP: causal, within three documents, by their offsets or ids. TABLE: the
// first block of 8 and one's own.
#define CAUSAL 0
#define BIGBIRD 1
#define PACKED 2
#define TABLE 3
#define LOOKUP 4

#define STRING(x) #x
#define NAME(x) STRING(x)

enum { B = 2, H = 4, G = 2, DIM = 24, VDIM = 40 };

#if MASK == PACKED || MASK == LOOKUP
static int64_t offsets[4];
static int document(int64_t token) {
  int found = 0;
  while (token >= offsets[found + 1])
    ++found;
  return found;
}
#endif

static int sees(int64_t h, int64_t q, int64_t k, int64_t num_k) {
#if MASK == BIGBIRD
  int64_t a = q / 16, b = k / 16, blocks[2];
  if ((a - b <= 1 && b - a <= 1) || a == 0 || b == 0)
    return 1;
  int64_t count = girihRandomBlocks(5, h, q / 8, (num_k + 7) / 8, 2, blocks);
  for (int64_t i = 0; i < count; ++i)
    if (blocks[i] == k / 8)
      return 1;
  return 0;
#elif MASK == PACKED || MASK == LOOKUP
  (void)h;
  (void)num_k;
  return k <= q && document(q) == document(k);
#elif MASK == TABLE
  (void)h;
  (void)num_k;
  return k / 8 == 0 || k / 8 == q / 8;
#else
  (void)h;
  (void)num_k;
  return k <= q;
#endif
}

static GirihView make_view(int64_t heads, int64_t tokens, int64_t dim, uint32_t seed) {
  GirihView view = {0};
  float *values = malloc(sizeof(float) * (size_t)(B * heads * tokens * dim));
  if (!values)
    exit(GIRIH_INTERNAL);
  for (int64_t i = 0; i < B * heads * tokens * dim; ++i) {
    seed = seed * 1664525u + 1013904223u;
    values[i] = (float)(seed >> 8) / (float)(1 << 22) - 2.0f;
  }
  view.data = values;
  const int64_t shape[4] = {B, heads, tokens, dim};
  memcpy(view.shape, shape, sizeof(shape));
  view.stride[3] = 1;
  for (int i = 2; i >= 0; --i)
    view.stride[i] = view.stride[i + 1] * shape[i + 1];
  return view;
}

static const float *row(const GirihView *view, int64_t b, int64_t h, int64_t token) {
  return (const float *)view->data + b * view->stride[0] + h * view->stride[1] +
         token * view->stride[2];
}

// The largest error of o and lse; rows that see nothing are zeros and -inf.
static double compare(const GirihView *q, const GirihView *k, const GirihView *v,
                      const GirihView *o, const float *lse, double scale) {
  const int64_t num_q = q->shape[2], num_k = k->shape[2];
  double largest = 0;
  for (int64_t b = 0; b < B; ++b)
    for (int64_t h = 0; h < H; ++h)
      for (int64_t i = 0; i < num_q; ++i) {
        double sum = 0, want[VDIM] = {0};
        for (int64_t j = 0; j < num_k; ++j) {
          if (!sees(h, i + num_k - num_q, j, num_k))
            continue;
          double score = 0;
          for (int d = 0; d < DIM; ++d)
            score += (double)row(q, b, h, i)[d] * row(k, b, h / (H / G), j)[d];
          double weight = exp(score * scale);
          sum += weight;
          for (int d = 0; d < VDIM; ++d)
            want[d] += weight * row(v, b, h / (H / G), j)[d];
        }
        for (int d = 0; d < VDIM; ++d)
          largest = fmax(largest, fabs((sum > 0 ? want[d] / sum : 0) - row(o, b, h, i)[d]));
        double got = lse[(b * H + h) * num_q + i];
        if (!(got == log(sum)))
          largest = fmax(largest, sum > 0 && isfinite(got) ? fabs(got - log(sum)) : INFINITY);
      }
  return largest;
}

// Ends the program where it stands, so that what it holds is no leak.
static void fail(const GirihStatus *status) {
  fprintf(stderr, "attend: error: %s\n", status->message);
  exit(status->code);
}

int main(int argc, char **argv) {
  if (argc != 3)
    return GIRIH_INVALID;
  const int64_t num_q = atoll(argv[1]), num_k = atoll(argv[2]);
  if (num_k > 500) // what the tables below have room for
    return GIRIH_INVALID;
#ifdef HEADER
  const GirihKernelDesc *kernel = KERNEL;
#else
  void *library = dlopen(LIBRARY, RTLD_NOW | RTLD_LOCAL);
  const GirihKernelDesc *kernel = library ? dlsym(library, NAME(KERNEL)) : NULL;
  if (!kernel) {
    fprintf(stderr, "attend: error: %s\n", dlerror());
    return GIRIH_INVALID;
  }
#endif
  GirihView q = make_view(H, num_q, DIM, 1), k = make_view(G, num_k, DIM, 2);
  GirihView v = make_view(G, num_k, VDIM, 3), o = make_view(H, num_q, VDIM, 4);
  float *lse = calloc((size_t)(B * H * num_q), sizeof(float));
  const double scale = 0.3;
  GirihStatus status = {0};
  GirihLaunch launch;
  GirihMapParams params;
  if (girihPrepareLaunch(kernel, &q, &k, &v, &o, lse, (float)scale, &launch, &params, &status))
    fail(&status);
#if MASK == LOOKUP
  const int64_t starts[4] = {0, num_k / 3, num_k / 2, num_k};
  memcpy(offsets, starts, sizeof(starts));
  int64_t ids[500];
  for (int64_t i = 0; i < num_k; ++i)
    ids[i] = document(i);
  GirihOperand operand = {.data = ids, .size = num_k, .name = "ids"};
  params.operands = &operand;
  params.num_operands = 1;
#elif MASK == PACKED
  const int64_t ends[4] = {0, num_k / 3, num_k / 2, num_k};
  memcpy(offsets, ends, sizeof(ends));
  GirihOperand operand = {.data = offsets, .size = 4};
  params.operands = &operand;
  params.num_operands = 1;
#elif MASK == TABLE
  int64_t indptr[64] = {0}, indices[128], rows = (num_k + 7) / 8, listed = 0;
  for (int64_t r = 0; r < rows; ++r) {
    indices[listed++] = 0;
    if (r > 0)
      indices[listed++] = r;
    indptr[r + 1] = listed;
  }
  GirihOperand operands[2] = {{.data = indptr, .size = rows + 1},
                              {.data = indices, .size = listed}};
  params.operands = operands;
  params.num_operands = 2;
#endif
  GirihBlockMap *map = NULL;
  if (girihBlockMapBuild(kernel->map, &params, &map, &status))
    fail(&status);
  GirihCpuOptions options = {2, 0};
  if (girihLaunchCpu(kernel, &launch, map, &options, &status))
    fail(&status);
  girihBlockMapFree(map);
  double error = compare(&q, &k, &v, &o, lse, (double)(float)scale);
  printf("%lld x %lld: %s\n", (long long)num_q, (long long)num_k, error < 1e-4 ? "right" : "wrong");
  free(q.data);
  free(k.data);
  free(v.data);
  free(o.data);
  free(lse);
  return error < 1e-4 ? GIRIH_OK : GIRIH_MISMATCH;
}
