//===- map.c - What a descriptor in a header says -------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Prints what the descriptor of a CUDA kernel says, and the block map that the runtime
// derives from it for NUM_Q queries, NUM_K keys and HEADS heads. C11 and C++17.
//
// map NUM_Q NUM_K HEADS
//
//===----------------------------------------------------------------------===//

#include HEADER

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv) {
  if (argc != 4)
    return GIRIH_INVALID;
  const GirihKernelDesc *base = &KERNEL->base;
  printf("%s: magic %x, version %u\n", base->name, base->magic, base->abi_version);
  printf("dims %d %d, tile %d %d, dtypes %d %d, align %d\n", base->head_dim, base->v_dim,
         base->tile_q, base->tile_k, base->dtype, base->o_dtype, base->align);
  printf("function %s, merge function %s, copy function %s\n", KERNEL->function,
         KERNEL->merge_function, KERNEL->copy_function);
  printf("threads %d, shared %d, boxes %d %d %d, blocks %d, maps %d, store %d\n", KERNEL->threads,
         KERNEL->shared_bytes, KERNEL->box_q, KERNEL->box_k, KERNEL->box_cols,
         KERNEL->blocks_per_multiprocessor, KERNEL->uses_tensor_maps, KERNEL->store_bytes);
  GirihMapParams params;
  params.batch = 1;
  params.heads = atoll(argv[3]);
  params.num_q = atoll(argv[1]);
  params.num_k = atoll(argv[2]);
  params.q_offset = base->align == GIRIH_TOP_LEFT ? 0 : params.num_k - params.num_q;
  params.q_end = base->align == GIRIH_TOP_LEFT ? params.num_q : params.num_k;
  params.tile_q = base->tile_q;
  params.tile_k = base->tile_k;
  params.operands = NULL;
  params.num_operands = 0;
  GirihBlockMap *map = NULL;
  GirihMapStats stats;
  GirihStatus status;
  if (girihBlockMapBuild(base->map, &params, &map, &status) ||
      girihBlockMapStats(map, base->map, &params, &stats, &status)) {
    fprintf(stderr, "%s\n", status.message);
    return status.code;
  }
  girihBlockMapFree(map);
  printf("useful_pairs: %lld,\ntiles: %lld full, %lld partial\n", (long long)stats.useful_pairs,
         (long long)stats.listed_full, (long long)stats.listed_partial);
  return 0;
}
