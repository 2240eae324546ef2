//===- AbiTest.cpp - Sizes and offsets that generated code relies on ------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A change here is a change of GIRIH_ABI_VERSION.
//
//===----------------------------------------------------------------------===//

#include "girih-c/Cuda.h"
#include "girih-c/Runtime.h"

#include <gtest/gtest.h>

#include <cstddef>

static_assert(sizeof(GirihView) == 80);
static_assert(offsetof(GirihView, data) == 0);
static_assert(offsetof(GirihView, shape) == 8);
static_assert(offsetof(GirihView, stride) == 40);
static_assert(offsetof(GirihView, dtype) == 72);

static_assert(sizeof(GirihLaunch) == 392);
static_assert(offsetof(GirihLaunch, q) == 0);
static_assert(offsetof(GirihLaunch, k) == 80);
static_assert(offsetof(GirihLaunch, v) == 160);
static_assert(offsetof(GirihLaunch, o) == 240);
static_assert(offsetof(GirihLaunch, lse) == 320);
static_assert(offsetof(GirihLaunch, num_q) == 328);
static_assert(offsetof(GirihLaunch, num_k) == 336);
static_assert(offsetof(GirihLaunch, q_offset) == 344);
static_assert(offsetof(GirihLaunch, q_end) == 352);
static_assert(offsetof(GirihLaunch, heads_per_kv) == 360);
static_assert(offsetof(GirihLaunch, scale) == 368);
static_assert(offsetof(GirihLaunch, tables) == 376);
static_assert(offsetof(GirihLaunch, table_lanes) == 384);

static_assert(sizeof(GirihRun) == 16);
static_assert(offsetof(GirihRun, begin) == 0);
static_assert(offsetof(GirihRun, end) == 4);
static_assert(offsetof(GirihRun, state) == 8);
static_assert(offsetof(GirihRun, view) == 12);

static_assert(sizeof(GirihTask) == 40);
static_assert(offsetof(GirihTask, batch) == 0);
static_assert(offsetof(GirihTask, head) == 8);
static_assert(offsetof(GirihTask, q_tile) == 16);
static_assert(offsetof(GirihTask, runs) == 24);
static_assert(offsetof(GirihTask, num_runs) == 32);

static_assert(sizeof(GirihBoundTable) == 96);
static_assert(offsetof(GirihBoundTable, per_head) == 4);
static_assert(offsetof(GirihBoundTable, unit) == 8);
static_assert(offsetof(GirihBoundTable, num_units) == 16);
static_assert(offsetof(GirihBoundTable, ids) == 24);
static_assert(offsetof(GirihBoundTable, row0) == 32);
static_assert(offsetof(GirihBoundTable, rows) == 40);
static_assert(offsetof(GirihBoundTable, indptr) == 48);
static_assert(offsetof(GirihBoundTable, indices) == 56);
static_assert(offsetof(GirihBoundTable, extent) == 64);

static_assert(sizeof(GirihMapNode) == 24);
static_assert(offsetof(GirihMapNode, imm) == 16);
static_assert(sizeof(GirihMapTable) == 32);
static_assert(offsetof(GirihMapTable, unit) == 8);
static_assert(offsetof(GirihMapTable, seed) == 24);
static_assert(sizeof(GirihMapTerm) == 16);
static_assert(sizeof(GirihMapProgram) == 72);
static_assert(offsetof(GirihMapProgram, num_nodes) == 40);
static_assert(offsetof(GirihMapProgram, root) == 60);
static_assert(sizeof(GirihOperand) == 64);
static_assert(offsetof(GirihOperand, size) == 8);
static_assert(offsetof(GirihOperand, name) == 16);
static_assert(offsetof(GirihOperand, type) == 24);
static_assert(offsetof(GirihOperand, rank) == 28);
static_assert(offsetof(GirihOperand, shape) == 32);
static_assert(sizeof(GirihMapParams) == 72);
static_assert(offsetof(GirihMapParams, tile_q) == 48);
static_assert(offsetof(GirihMapParams, operands) == 56);

static_assert(sizeof(GirihKernelDesc) == 80);
static_assert(offsetof(GirihKernelDesc, abi_version) == 4);
static_assert(offsetof(GirihKernelDesc, name) == 8);
static_assert(offsetof(GirihKernelDesc, dtype) == 16);
static_assert(offsetof(GirihKernelDesc, scratch_bytes) == 40);
static_assert(offsetof(GirihKernelDesc, map) == 48);
static_assert(offsetof(GirihKernelDesc, entry) == 56);
static_assert(offsetof(GirihKernelDesc, o_dtype) == 64);
static_assert(offsetof(GirihKernelDesc, cpu_features) == 72);

static_assert(sizeof(GirihCudaTask) == 32);
static_assert(offsetof(GirihCudaTask, batch) == 0);
static_assert(offsetof(GirihCudaTask, head) == 4);
static_assert(offsetof(GirihCudaTask, kv_head) == 8);
static_assert(offsetof(GirihCudaTask, q_tile) == 12);
static_assert(offsetof(GirihCudaTask, first_run) == 16);
static_assert(offsetof(GirihCudaTask, num_tiles) == 20);
static_assert(offsetof(GirihCudaTask, slot) == 24);

static_assert(sizeof(GirihCudaMerge) == 32);
static_assert(offsetof(GirihCudaMerge, batch) == 0);
static_assert(offsetof(GirihCudaMerge, head) == 4);
static_assert(offsetof(GirihCudaMerge, q_tile) == 8);
static_assert(offsetof(GirihCudaMerge, first_slot) == 12);
static_assert(offsetof(GirihCudaMerge, num_slots) == 16);

static_assert(sizeof(GirihCudaArguments) == 224);
static_assert(offsetof(GirihCudaArguments, o) == 0);
static_assert(offsetof(GirihCudaArguments, lse) == 8);
static_assert(offsetof(GirihCudaArguments, tasks) == 16);
static_assert(offsetof(GirihCudaArguments, runs) == 24);
static_assert(offsetof(GirihCudaArguments, tables) == 32);
static_assert(offsetof(GirihCudaArguments, o_stride) == 40);
static_assert(offsetof(GirihCudaArguments, num_q) == 64);
static_assert(offsetof(GirihCudaArguments, num_k) == 68);
static_assert(offsetof(GirihCudaArguments, q_offset) == 72);
static_assert(offsetof(GirihCudaArguments, q_end) == 76);
static_assert(offsetof(GirihCudaArguments, heads) == 80);
static_assert(offsetof(GirihCudaArguments, heads_per_kv) == 84);
static_assert(offsetof(GirihCudaArguments, num_merges) == 88);
static_assert(offsetof(GirihCudaArguments, scale) == 92);
static_assert(offsetof(GirihCudaArguments, block_begin) == 96);
static_assert(offsetof(GirihCudaArguments, merges) == 104);
static_assert(offsetof(GirihCudaArguments, partial_o) == 112);
static_assert(offsetof(GirihCudaArguments, partial_lse) == 120);
static_assert(offsetof(GirihCudaArguments, q) == 128);
static_assert(offsetof(GirihCudaArguments, k) == 136);
static_assert(offsetof(GirihCudaArguments, v) == 144);
static_assert(offsetof(GirihCudaArguments, q_stride) == 152);
static_assert(offsetof(GirihCudaArguments, k_stride) == 176);
static_assert(offsetof(GirihCudaArguments, v_stride) == 200);
static_assert(offsetof(GirihCudaArguments, q) == 128);
static_assert(offsetof(GirihCudaArguments, k) == 136);
static_assert(offsetof(GirihCudaArguments, v) == 144);
static_assert(offsetof(GirihCudaArguments, q_stride) == 152);
static_assert(offsetof(GirihCudaArguments, k_stride) == 176);
static_assert(offsetof(GirihCudaArguments, v_stride) == 200);

static_assert(sizeof(GirihCudaKernelDesc) == 136);
static_assert(offsetof(GirihCudaKernelDesc, function) == 80);
static_assert(offsetof(GirihCudaKernelDesc, merge_function) == 88);
static_assert(offsetof(GirihCudaKernelDesc, threads) == 96);
static_assert(offsetof(GirihCudaKernelDesc, shared_bytes) == 100);
static_assert(offsetof(GirihCudaKernelDesc, box_q) == 104);
static_assert(offsetof(GirihCudaKernelDesc, box_k) == 108);
static_assert(offsetof(GirihCudaKernelDesc, box_cols) == 112);
static_assert(offsetof(GirihCudaKernelDesc, blocks_per_multiprocessor) == 116);
static_assert(offsetof(GirihCudaKernelDesc, uses_tensor_maps) == 120);
static_assert(offsetof(GirihCudaKernelDesc, store_bytes) == 124);
static_assert(offsetof(GirihCudaKernelDesc, copy_function) == 128);

static_assert(sizeof(GirihCudaCopy) == 104);
static_assert(offsetof(GirihCudaCopy, from) == 0);
static_assert(offsetof(GirihCudaCopy, to) == 8);
static_assert(offsetof(GirihCudaCopy, from_stride) == 16);
static_assert(offsetof(GirihCudaCopy, to_stride) == 48);
static_assert(offsetof(GirihCudaCopy, lines) == 80);
static_assert(offsetof(GirihCudaCopy, heads) == 84);
static_assert(offsetof(GirihCudaCopy, rows) == 88);
static_assert(offsetof(GirihCudaCopy, columns) == 92);
static_assert(offsetof(GirihCudaCopy, element_bytes) == 96);
static_assert(offsetof(GirihCudaCopy, blocks_per_line) == 100);
static_assert(sizeof(GirihCudaCopies) == 3 * sizeof(GirihCudaCopy));

static_assert(sizeof(GirihStatus) == 1024);

TEST(Abi, MagicSpellsTheName) {
  EXPECT_EQ(GIRIH_MAGIC,
            uint32_t{'G'} << 24 | uint32_t{'I'} << 16 | uint32_t{'R'} << 8 | uint32_t{'I'});
  EXPECT_EQ(GIRIH_ABI_VERSION, 4u);
}
