//===- Attention.cpp - Attention as handlers of XLA -----------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// What girih.jax registers with XLA: operands q, k, v, results o and, when it is
// wanted, lse; attributes kernel (its name), scale and layout (bhnd or bnhd, of all
// but lse). Shapes and dtypes are checked when a function is traced, and once more by
// the launch.
//
//===----------------------------------------------------------------------===//

#include "Frame.h"
#include "Kernels.h"

#include <string>

using namespace girih::xla;

#define GIRIH_EXPORT extern "C" __attribute__((visibility("default")))

static XLA_FFI_Error *invalid(const XLA_FFI_CallFrame &frame, const char *message) {
  return makeError(frame, XLA_FFI_Error_Code_INVALID_ARGUMENT, message);
}

/// Says whose program this is: one that another process made, most likely.
static XLA_FFI_Error *unknownKernel(const XLA_FFI_CallFrame &frame, std::string_view name) {
  std::string message = "expected a kernel that this process has made, but got '";
  message += name;
  message += "' from a program that another process exported; call girih.jax.prepare with its "
             "pattern and options before";
  return makeError(frame, XLA_FFI_Error_Code_FAILED_PRECONDITION, message.c_str());
}

static XLA_FFI_Error *attention(XLA_FFI_CallFrame &frame, DLDevice device, void *stream) {
  const XLA_FFI_Args &operands = frame.args;
  const XLA_FFI_Rets &results = frame.rets;
  std::string_view name = textAttribute(frame, "kernel");
  std::string_view layout = textAttribute(frame, "layout");
  const float *scale = floatAttribute(frame, "scale");
  if (operands.size != 3 || results.size < 1 || results.size > 2 || name.empty() ||
      scale == nullptr || (layout != "bhnd" && layout != "bnhd"))
    return invalid(frame,
                   "expected operands q, k and v, results o and lse, and attributes kernel, "
                   "scale and layout, but got others: girih_attention is called by girih.jax");

  bool swapped = layout == "bnhd";
  Tensor q, k, v, o, lse;
  auto operand = [&](int i) -> const XLA_FFI_Buffer & {
    return *static_cast<const XLA_FFI_Buffer *>(operands.args[i]);
  };
  auto result = [&](int i) -> const XLA_FFI_Buffer & {
    return *static_cast<const XLA_FFI_Buffer *>(results.rets[i]);
  };
  if (!q.set(operand(0), 4, swapped, device) || !k.set(operand(1), 4, swapped, device) ||
      !v.set(operand(2), 4, swapped, device) || !o.set(result(0), 4, swapped, device) ||
      (results.size == 2 && !lse.set(result(1), 3, false, device)))
    return invalid(frame,
                   "expected 4-D tensors of f32, bf16 or f16, and a 3-D lse, but got others");

  NamedKernel kernel = findKernel(name);
  if (kernel.kernel == nullptr)
    return unknownKernel(frame, name);
  GirihAttentionArgs args{};
  args.size = sizeof args;
  args.q = q.get();
  args.k = k.get();
  args.v = v.get();
  args.o = o.get();
  args.lse = results.size == 2 ? lse.get() : nullptr;
  args.scale = *scale;
  args.stream = stream;
  GirihStatus status{};
  if (kernel.attention(kernel.kernel, &args, nullptr, &status) != GIRIH_OK)
    return makeError(frame, status);
  return nullptr;
}

/// The handler for XLA's platform "cpu". Returns when the output is written.
GIRIH_EXPORT XLA_FFI_Error *girihXlaAttentionCpu(XLA_FFI_CallFrame *frame) {
  if (answerMetadata(*frame))
    return nullptr;
  return attention(*frame, {kDLCPU, 0}, nullptr);
}

/// The handler for XLA's platform "CUDA". Enqueues on XLA's stream.
GIRIH_EXPORT XLA_FFI_Error *girihXlaAttentionCuda(XLA_FFI_CallFrame *frame) {
  if (answerMetadata(*frame))
    return nullptr;
  void *stream = nullptr;
  int32_t device = 0;
  if (XLA_FFI_Error *error = streamOf(*frame, stream))
    return error;
  if (XLA_FFI_Error *error = deviceOf(*frame, device))
    return error;
  return attention(*frame, {kDLCUDA, device}, stream);
}

/// Makes programs that name a kernel `name` (NUL-terminated) launch `kernel` by
/// `attention`, the girihAttention of its library. The caller never releases `kernel`.
/// Returns a GirihCode.
GIRIH_EXPORT int girihXlaKeepKernel(const char *name, GirihKernel *kernel,
                                    AttentionFunction attention) {
  return keepKernel(name, {kernel, attention}) ? GIRIH_OK : GIRIH_INTERNAL;
}
