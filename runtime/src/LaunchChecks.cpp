//===- LaunchChecks.cpp - What must hold before a kernel runs -------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Kernel, launch and block map come from different calls; these checks say that
// they belong together.
//
//===----------------------------------------------------------------------===//

#include "LaunchChecks.h"

#include "Error.h"

#include <cinttypes>

using namespace girih;

const char *girih::dtypeName(int32_t dtype) {
  switch (dtype) {
  case GIRIH_F32:
    return "f32";
  case GIRIH_BF16:
    return "bf16";
  case GIRIH_F16:
    return "f16";
  default:
    return nullptr;
  }
}

int girih::checkKernel(const GirihKernelDesc *kernel, GirihStatus *status) {
  if (!kernel)
    return fail(status, GIRIH_INVALID, "expected a kernel descriptor, but got null");
  if (kernel->magic != GIRIH_MAGIC)
    return fail(status, GIRIH_INVALID, "expected kernel magic 0x%08x, but got 0x%08x", GIRIH_MAGIC,
                kernel->magic);
  if (kernel->abi_version != GIRIH_ABI_VERSION)
    return fail(status, GIRIH_INVALID, "expected kernel ABI version %u, but got %u",
                GIRIH_ABI_VERSION, kernel->abi_version);
  if (!dtypeName(kernel->dtype))
    return fail(status, GIRIH_INVALID,
                "expected the kernel's dtype to be f32, bf16 or f16, but got %d", kernel->dtype);
  if (kernel->o_dtype != GIRIH_F32 && kernel->o_dtype != kernel->dtype)
    return fail(status, GIRIH_INVALID,
                "expected the kernel's o_dtype to be f32 (0) or its dtype %s (%d), but got %d",
                dtypeName(kernel->dtype), kernel->dtype, kernel->o_dtype);
  if (kernel->align != GIRIH_BOTTOM_RIGHT && kernel->align != GIRIH_TOP_LEFT)
    return fail(status, GIRIH_INVALID, "expected the kernel's align to be 0 or 1, but got %d",
                kernel->align);
  if (kernel->head_dim <= 0 || kernel->v_dim <= 0 || kernel->tile_q <= 0 || kernel->tile_k <= 0 ||
      kernel->scratch_bytes < 0 || !kernel->map)
    return fail(status, GIRIH_INVALID,
                "malformed kernel descriptor: head dims %d and %d, tiles %d x "
                "%d, scratch %" PRId64 "%s",
                kernel->head_dim, kernel->v_dim, kernel->tile_q, kernel->tile_k,
                kernel->scratch_bytes, kernel->map ? "" : ", no map program");
  return GIRIH_OK;
}

int girih::checkMapLengths(const GirihKernelDesc &kernel, const GirihLaunch &launch,
                           const GirihMapParams &built, GirihStatus *status) {
  const struct {
    const char *name;
    int64_t expected;
    int64_t actual;
  } pairs[] = {
      {"batch", launch.q.shape[0], built.batch},     {"heads", launch.q.shape[1], built.heads},
      {"num_q", launch.num_q, built.num_q},          {"num_k", launch.num_k, built.num_k},
      {"q_offset", launch.q_offset, built.q_offset}, {"q_end", launch.q_end, built.q_end},
      {"tile_q", kernel.tile_q, built.tile_q},       {"tile_k", kernel.tile_k, built.tile_k}};
  for (const auto &pair : pairs)
    if (pair.expected != pair.actual)
      return fail(status, GIRIH_INVALID,
                  "expected %s of the block map to be %" PRId64 ", but got %" PRId64, pair.name,
                  pair.expected, pair.actual);
  return GIRIH_OK;
}
