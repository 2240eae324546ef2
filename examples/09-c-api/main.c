//===- main.c - The compiler inside a C program ----------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Reads a pattern as text, compiles it, and attends to tensors of several lengths with
// the one kernel. A mask of the pattern says which pairs loops have to visit.
//
//===----------------------------------------------------------------------===//

#include "girih-c/Compiler.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { HEADS = 4, KV_HEADS = 2, DIM = 32 };

static GirihStatus status;

// Every call that fails says why.
static void must(int code, const char *what) {
  if (code == GIRIH_OK)
    return;
  fprintf(stderr, "%s: %s\n", what, status.message);
  exit(code);
}

// A DLPack tensor over memory of its own, and the extents that it points to.
typedef struct Tensor {
  DLTensor dl;
  int64_t shape[4];
} Tensor;

static void make_tensor(Tensor *tensor, int64_t heads, int64_t rows, int64_t columns, int code,
                        int bits) {
  tensor->shape[0] = 1;
  tensor->shape[1] = heads;
  tensor->shape[2] = rows;
  tensor->shape[3] = columns;
  tensor->dl = (DLTensor){0};
  tensor->dl.data = calloc((size_t)(heads * rows * columns), (size_t)bits / 8);
  tensor->dl.device.device_type = kDLCPU;
  tensor->dl.ndim = 4;
  tensor->dl.dtype.code = (uint8_t)code;
  tensor->dl.dtype.bits = (uint8_t)bits;
  tensor->dl.dtype.lanes = 1;
  tensor->dl.shape = tensor->shape;
  if (!tensor->dl.data)
    exit(GIRIH_INTERNAL);
}

// Numbers in [-1, 1), the same on every machine.
static void fill(Tensor *tensor, uint32_t seed) {
  float *values = tensor->dl.data;
  for (int64_t i = 0; i < tensor->shape[1] * tensor->shape[2] * tensor->shape[3]; ++i) {
    seed = seed * 1664525u + 1013904223u;
    values[i] = (float)(seed >> 8) / (float)(1 << 23) - 1.0f;
  }
}

static const float *row(const Tensor *tensor, int64_t head, int64_t token) {
  return (const float *)tensor->dl.data + (head * tensor->shape[2] + token) * tensor->shape[3];
}

// Attention in loops over every pair that the mask keeps.
static double largest_error(const Tensor *q, const Tensor *k, const Tensor *v, const Tensor *o,
                            const Tensor *mask) {
  double largest = 0;
  for (int64_t h = 0; h < HEADS; ++h) {
    int64_t g = h / (HEADS / KV_HEADS);
    for (int64_t i = 0; i < q->shape[2]; ++i) {
      double sum = 0, want[DIM] = {0};
      const uint8_t *keeps =
          (const uint8_t *)mask->dl.data + (h * mask->shape[2] + i) * mask->shape[3];
      for (int64_t j = 0; j < k->shape[2]; ++j) {
        double score = 0;
        if (!keeps[j])
          continue;
        for (int d = 0; d < DIM; ++d)
          score += (double)row(q, h, i)[d] * row(k, g, j)[d];
        double weight = exp(score / sqrt(DIM));
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

static void attend(GirihKernel *kernel, const GirihPattern *pattern, int64_t tokens) {
  Tensor q, k, v, o, mask;
  make_tensor(&q, HEADS, tokens, DIM, kDLFloat, 32);
  make_tensor(&k, KV_HEADS, tokens, DIM, kDLFloat, 32);
  make_tensor(&v, KV_HEADS, tokens, DIM, kDLFloat, 32);
  make_tensor(&o, HEADS, tokens, DIM, kDLFloat, 32);
  make_tensor(&mask, HEADS, tokens, tokens, kDLUInt, 8);
  fill(&q, 1);
  fill(&k, 2);
  fill(&v, 3);

  GirihAttentionArgs args = {0};
  args.size = sizeof(args);
  args.q = &q.dl;
  args.k = &k.dl;
  args.v = &v.dl;
  args.o = &o.dl;
  args.scale = NAN; // 1 / sqrt(DIM)
  must(girihAttention(kernel, &args, NULL, &status), "attention");

  GirihLengths lengths = {0};
  lengths.size = sizeof(lengths);
  lengths.batch = 1;
  lengths.heads = HEADS;
  lengths.kv_heads = KV_HEADS;
  lengths.num_q = lengths.num_k = tokens;
  must(girihPatternMask(pattern, &lengths, &mask.dl, &status), "mask");
  double error = largest_error(&q, &k, &v, &o, &mask);
  printf("%d tokens: %s\n", (int)tokens, error < 1e-5 ? "right" : "wrong");

  free(q.dl.data);
  free(k.dl.data);
  free(v.dl.data);
  free(o.dl.data);
  free(mask.dl.data);
}

int main(void) {
  GirihSession *session = NULL;
  GirihPattern *pattern = NULL;
  GirihKernel *kernel = NULL;
  must(girihSessionCreate(NULL, &session, &status), "session");
  if (girihPatternParse(session, "causal & windw(left=99)", NULL, 0, &pattern, &status))
    printf("%s\n", status.message);
  must(girihPatternParse(session, "causal & (window(left=99) | global(first=4))", NULL, 0, &pattern,
                         &status),
       "pattern");

  GirihCompileOptions options = {0};
  options.size = sizeof(options);
  options.device = kDLCPU;
  options.dtype = options.o_dtype = GIRIH_F32;
  options.head_dim = DIM;
  must(girihCompile(session, pattern, &options, &kernel, NULL, &status), "kernel");

  const int64_t lengths[] = {1, 63, 64, 777};
  for (int i = 0; i < 4; ++i)
    attend(kernel, pattern, lengths[i]);
  printf("compilations: %d\n", (int)girihSessionCompilations(session));

  girihKernelRelease(kernel);
  girihPatternRelease(pattern);
  girihSessionRelease(session);
  return 0;
}
