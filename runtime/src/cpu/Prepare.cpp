//===- Prepare.cpp - Checks of a launch -----------------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Everything that a compiled kernel takes for granted is checked here, against
// what the kernel says about itself. Messages name the argument.
//
//===----------------------------------------------------------------------===//

#include "girih-c/Runtime.h"

#include "../Error.h"
#include "../LaunchChecks.h"
#include "../map/BlockMapImpl.h"

#include <cinttypes>
#include <cmath>

using namespace girih;

static int checkDtype(const char *name, int32_t expected, int32_t actual, GirihStatus *status) {
  if (expected == actual)
    return GIRIH_OK;
  const char *actualName = dtypeName(actual);
  if (!actualName)
    return fail(status, GIRIH_INVALID, "expected %s to have dtype %s, but got unknown dtype %d",
                name, dtypeName(expected), actual);
  return fail(status, GIRIH_INVALID, "expected %s to have dtype %s, but got %s", name,
              dtypeName(expected), actualName);
}

/// What holds of every operand by itself.
static int checkView(const char *name, const GirihView *view, int32_t dtype, bool isOnCpu,
                     GirihStatus *status) {
  if (!view || !view->data)
    return fail(status, GIRIH_INVALID, "expected %s to have data, but got null", name);
  if (int code = checkDtype(name, dtype, view->dtype, status))
    return code;
  Wide reach = 0;
  Wide elements = 1;
  for (int i = 0; i < 4; ++i) {
    if (view->shape[i] <= 0)
      return fail(status, GIRIH_INVALID,
                  "expected extent %d of %s to be positive, but got %" PRId64, i, name,
                  view->shape[i]);
    Wide stride = view->stride[i] < 0 ? -Wide(view->stride[i]) : Wide(view->stride[i]);
    reach += stride * (view->shape[i] - 1);
    elements = elements > INT64_MAX ? elements : elements * view->shape[i];
  }
  if (view->stride[3] != 1 && isOnCpu)
    return fail(status, GIRIH_INVALID,
                "expected the innermost stride of %s to be 1, but got %" PRId64, name,
                view->stride[3]);
  // Byte offsets of the generated code are int64.
  if (reach > INT64_MAX / 8 || elements > INT64_MAX / 8)
    return fail(status, GIRIH_INVALID,
                "expected %s to fit 64-bit offsets, but got shape %" PRId64 " x %" PRId64
                " x %" PRId64 " x %" PRId64,
                name, view->shape[0], view->shape[1], view->shape[2], view->shape[3]);
  return GIRIH_OK;
}

static int checkExtent(const char *what, const char *name, int64_t expected, int64_t actual,
                       GirihStatus *status) {
  if (expected == actual)
    return GIRIH_OK;
  return fail(status, GIRIH_INVALID, "expected %s of %s to be %" PRId64 ", but got %" PRId64, what,
              name, expected, actual);
}

static int checkLength(const char *name, int64_t length, GirihStatus *status) {
  if (length <= GIRIH_MAX_TOKENS)
    return GIRIH_OK;
  return fail(status, GIRIH_UNSUPPORTED,
              "expected the length of %s to be at most %" PRId64 ", but got %" PRId64, name,
              GIRIH_MAX_TOKENS, length);
}

/// What must hold between the operands and of each with the kernel.
static int checkShapes(const GirihKernelDesc &kernel, const GirihView &q, const GirihView &k,
                       const GirihView &v, const GirihView &o, GirihStatus *status) {
  const struct {
    const char *what;
    const char *name;
    int64_t expected;
    int64_t actual;
  } extents[] = {
      {"the batch", "k", q.shape[0], k.shape[0]},
      {"the batch", "v", q.shape[0], v.shape[0]},
      {"the batch", "o", q.shape[0], o.shape[0]},
      {"the head dim", "q", kernel.head_dim, q.shape[3]},
      {"the head dim", "k", kernel.head_dim, k.shape[3]},
      {"the head dim", "v", kernel.v_dim, v.shape[3]},
      {"the head dim", "o", kernel.v_dim, o.shape[3]},
      {"the heads", "v", k.shape[1], v.shape[1]},
      {"the heads", "o", q.shape[1], o.shape[1]},
      {"the length", "v", k.shape[2], v.shape[2]},
      {"the length", "o", q.shape[2], o.shape[2]},
  };
  for (const auto &extent : extents)
    if (int code = checkExtent(extent.what, extent.name, extent.expected, extent.actual, status))
      return code;
  if (q.shape[1] % k.shape[1] != 0)
    return fail(status, GIRIH_INVALID,
                "expected heads of q to be a multiple of heads of k, but got "
                "%" PRId64 " and %" PRId64,
                q.shape[1], k.shape[1]);
  if (int code = checkLength("q", q.shape[2], status))
    return code;
  return checkLength("k", k.shape[2], status);
}

int girihPrepareLaunch(const GirihKernelDesc *kernel, const GirihView *q, const GirihView *k,
                       const GirihView *v, const GirihView *o, float *lse, float scale,
                       GirihLaunch *launch, GirihMapParams *params, GirihStatus *status) {
  if (int code = checkKernel(kernel, status))
    return code;
  const struct {
    const char *name;
    const GirihView *view;
    int32_t dtype;
  } operands[] = {{"q", q, kernel->dtype},
                  {"k", k, kernel->dtype},
                  {"v", v, kernel->dtype},
                  {"o", o, kernel->o_dtype}};
  for (const auto &operand : operands)
    if (int code = checkView(operand.name, operand.view, operand.dtype, kernel->entry, status))
      return code;
  if (int code = checkShapes(*kernel, *q, *k, *v, *o, status))
    return code;
  if (!std::isfinite(scale))
    return fail(status, GIRIH_INVALID, "expected scale to be finite, but got %g",
                static_cast<double>(scale));

  bool bottomRight = kernel->align == GIRIH_BOTTOM_RIGHT;
  *launch = GirihLaunch{};
  launch->q = *q;
  launch->k = *k;
  launch->v = *v;
  launch->o = *o;
  launch->lse = lse;
  launch->num_q = q->shape[2];
  launch->num_k = k->shape[2];
  launch->q_offset = bottomRight ? launch->num_k - launch->num_q : 0;
  launch->q_end = bottomRight ? launch->num_k : launch->num_q;
  launch->heads_per_kv = q->shape[1] / k->shape[1];
  launch->scale = scale;

  *params = GirihMapParams{};
  params->batch = q->shape[0];
  params->heads = q->shape[1];
  params->num_q = launch->num_q;
  params->num_k = launch->num_k;
  params->q_offset = launch->q_offset;
  params->q_end = launch->q_end;
  params->tile_q = kernel->tile_q;
  params->tile_k = kernel->tile_k;
  if (int code = checkParams(*params, status))
    return code;
  return succeed(status);
}
