//===- Kernel.cpp - Compiling, and kernels as handles ---------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/CAPI/Kernel.h"

#include "girih/CAPI/CudaDevices.h"
#include "girih/Frontend/EmitIR.h"
#include "girih/JIT/Threads.h"

#include <cmath>

using namespace girih;
using namespace girih::capi;

Tables::Tables(Pattern givenPattern, Score givenScore)
    : pattern(std::move(givenPattern)), score(std::move(givenScore)),
      operands(patternOperands(pattern, score)) {}

float capi::scaleOr(float scale, int64_t dim) {
  return std::isnan(scale) ? 1 / std::sqrt(static_cast<float>(dim)) : scale;
}

llvm::Error capi::prepare(const GirihKernelDesc &desc, const Tensors &tensors, float scale,
                          const std::vector<GirihOperand> &operands, Prepared &prepared) {
  GirihStatus status;
  if (girihPrepareLaunch(&desc, &tensors.q, &tensors.k, &tensors.v, &tensors.o, tensors.lse,
                         scaleOr(scale, desc.head_dim), &prepared.launch, &prepared.params,
                         &status) != GIRIH_OK)
    return statusError(status);
  if (llvm::Error error = checkOverlap(tensors))
    return error;
  prepared.params.operands = operands.data();
  prepared.params.num_operands = static_cast<int64_t>(operands.size());
  return llvm::Error::success();
}

llvm::Error capi::checkLengths(const Pattern &pattern, const GirihMapParams &params) {
  Shape shape;
  shape.numQ = params.num_q;
  shape.numK = params.num_k;
  shape.heads = params.heads;
  shape.qOffset = params.q_offset;
  shape.qEnd = params.q_end;
  if (std::string problem = validateShape(pattern, shape); !problem.empty())
    return invalidError(problem);
  return llvm::Error::success();
}

//===----------------------------------------------------------------------===//
// Options
//===----------------------------------------------------------------------===//

static llvm::Error expectField(const char *name, const char *expected, int64_t actual) {
  return invalidError(std::string("expected ") + name + " of options to be " + expected +
                      ", but got " + std::to_string(actual));
}

static llvm::Error checkOutputDtype(DLDeviceType device, int32_t dtype, int32_t oDtype) {
  if (oDtype != GIRIH_F32 && oDtype != dtype)
    return expectField("o_dtype", "f32 (0) or that of dtype", oDtype);
  // What inputs GPUs take, the compiler says.
  if (device == kDLCUDA && oDtype != dtype)
    return unsupportedError("o_dtype f32 is not supported on cuda; supported: that of dtype");
  return llvm::Error::success();
}

llvm::Expected<CompileRequest> capi::readCompileOptions(const SessionRef &session,
                                                        const GirihCompileOptions *given) {
  GirihCompileOptions read{};
  if (llvm::Error error = readStruct("options", given, read))
    return std::move(error);
  if (read.device != kDLCPU && read.device != kDLCUDA)
    return expectField("device", "kDLCPU (1) or kDLCUDA (2)", read.device);
  if (read.dtype != GIRIH_F32 && read.dtype != GIRIH_BF16 && read.dtype != GIRIH_F16)
    return expectField("dtype", "f32 (0), bf16 (1) or f16 (2)", read.dtype);
  if (read.align != GIRIH_BOTTOM_RIGHT && read.align != GIRIH_TOP_LEFT)
    return expectField("align", "0 (bottom right) or 1 (top left)", read.align);
  if (read.device_id < 0 || (read.device == kDLCPU && read.device_id > 0))
    return expectField("device_id", "the number of a CUDA device, or 0 for the CPU",
                       read.device_id);
  CompileRequest request;
  request.device = static_cast<DLDeviceType>(read.device);
  if (llvm::Error error = checkOutputDtype(request.device, read.dtype, read.o_dtype))
    return std::move(error);
  CompileOptions &options = request.options;
  options.dtype = static_cast<GirihDType>(read.dtype);
  options.oDtype = static_cast<GirihDType>(read.o_dtype);
  options.headDim = read.head_dim;
  options.vDim = read.v_dim;
  options.align = static_cast<GirihAlign>(read.align);
  options.tileQ = read.tile_q;
  options.tileK = read.tile_k;
  if (read.score) {
    if (llvm::Error error = checkMember(read.score, "a score", session))
      return std::move(error);
    options.score = read.score->score;
  }
  if (request.device == kDLCPU) {
    options.cpu = read.chip ? read.chip : "";
    return request;
  }
  if (read.chip) {
    options.chip = read.chip;
    return request;
  }
  auto chip = session->devices->chipOf(read.device_id);
  if (!chip)
    return chip.takeError();
  options.chip = *chip;
  return request;
}

//===----------------------------------------------------------------------===//
// The functions
//===----------------------------------------------------------------------===//

int girihCompile(GirihSession *session, const GirihPattern *pattern,
                 const GirihCompileOptions *options, GirihKernel **kernel, int32_t *cache_hit,
                 GirihStatus *status) {
  return guarded(status, [&]() -> llvm::Error {
    if (llvm::Error error = checkHandle(session, "a session"))
      return error;
    if (llvm::Error error = checkMember(pattern, "a pattern", session->state))
      return error;
    if (!kernel)
      return nullError("room for a kernel");
    auto request = readCompileOptions(session->state, options);
    if (!request)
      return request.takeError();
    bool hit = false;
    auto compile = request->device == kDLCPU ? compileForCpu : compileForCuda;
    auto made = compile(session->state, pattern->pattern, request->options, hit);
    if (!made)
      return made.takeError();
    *kernel = made->release();
    if (cache_hit)
      *cache_hit = hit;
    return llvm::Error::success();
  });
}

void girihKernelRelease(GirihKernel *kernel) { release(kernel); }

double girihKernelCompileMs(const GirihKernel *kernel) {
  return kernel && !kernel->isInherited() ? kernel->compileMs() : 0;
}

int32_t girihKernelIsCaptured(const GirihKernel *kernel) {
  return kernel && !kernel->isInherited() && kernel->isCaptured();
}

int girihEmit(GirihSession *session, const GirihPattern *pattern,
              const GirihCompileOptions *options, const char *stage, char **text,
              GirihStatus *status) {
  return guarded(status, [&]() -> llvm::Error {
    if (llvm::Error error = checkHandle(session, "a session"))
      return error;
    if (llvm::Error error = checkMember(pattern, "a pattern", session->state))
      return error;
    if (!stage || !text)
      return nullError(!stage ? "a stage" : "room for a text");
    auto request = readCompileOptions(session->state, options);
    if (!request)
      return request.takeError();
    auto emitted = session->state->session->emit(pattern->pattern, request->options, stage,
                                                 request->device == kDLCUDA);
    if (!emitted)
      return emitted.takeError();
    *text = copyText(*emitted);
    return llvm::Error::success();
  });
}

int girihAttention(GirihKernel *kernel, const GirihAttentionArgs *args,
                   GirihAttentionReport *report, GirihStatus *status) {
  return guarded(status, [&]() -> llvm::Error {
    if (llvm::Error error = checkHandle(kernel, "a kernel"))
      return error;
    GirihAttentionArgs read;
    if (llvm::Error error = readStruct("args", args, read))
      return error;
    GirihAttentionReport known{};
    if (report)
      if (llvm::Error error = readStruct("report", report, known))
        return error;
    if (read.threads < 0 || read.threads > maxThreads)
      return invalidError("expected threads of args to be from 0 to " + std::to_string(maxThreads) +
                          ", but got " + std::to_string(read.threads));
    if (read.reserved != 0)
      return invalidError("expected reserved of args to be 0, but got " +
                          std::to_string(read.reserved));
    Tensors tensors;
    const GirihKernelDesc &desc = kernel->desc();
    if (llvm::Error error =
            readTensors(read, kernel->deviceType(), desc.dtype, desc.o_dtype, tensors))
      return error;
    LaunchArguments arguments{read.scale, read.threads ? read.threads : kernel->session->threads,
                              read.stream};
    if (llvm::Error error = kernel->launch(tensors, arguments, report ? &known : nullptr))
      return error;
    if (report)
      *report = known;
    return llvm::Error::success();
  });
}

int girihKernelRebind(const GirihKernel *kernel, const GirihPattern *pattern,
                      const GirihScore *score, GirihKernel **rebound, GirihStatus *status) {
  return guarded(status, [&]() -> llvm::Error {
    if (llvm::Error error = checkHandle(kernel, "a kernel"))
      return error;
    if (!rebound)
      return nullError("room for a kernel");
    const Tables &old = kernel->tables;
    if (pattern)
      if (llvm::Error error = checkMember(pattern, "a pattern", kernel->session))
        return error;
    if (score)
      if (llvm::Error error = checkMember(score, "a score", kernel->session))
        return error;
    Tables tables(pattern ? pattern->pattern : old.pattern, score ? score->score : old.score);
    if (!differInTablesOnly(old.pattern, tables.pattern))
      return invalidError("expected a pattern that differs from the kernel's in tables only, "
                          "which is '" +
                          old.pattern.str() + "', but got '" + tables.pattern.str() + "'");
    // Both at once: a table that they share is one operand.
    if (!differInTablesOnly(old.pattern, tables.pattern, old.score, tables.score))
      return invalidError("expected a score that differs from the kernel's in tables only, "
                          "which is '" +
                          (old.score ? old.score.str() : "none") + "', but got '" +
                          (tables.score ? tables.score.str() : "none") + "'");
    *rebound = kernel->rebound(std::move(tables)).release();
    return llvm::Error::success();
  });
}
