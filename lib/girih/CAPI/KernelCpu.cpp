//===- KernelCpu.cpp - Launching on the CPU -------------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/CAPI/Kernel.h"
#include "girih/CAPI/Recent.h"

using namespace girih;
using namespace girih::capi;

namespace {

/// Maps that a kernel keeps beside those of its code: tables do not change here, so that
/// lengths alone find one.
constexpr size_t mostMaps = 16;

class CpuKernel : public GirihKernel {
public:
  CpuKernel(SessionRef session, Tables tables, std::shared_ptr<CompiledKernel> code)
      : GirihKernel(std::move(session), std::move(tables)), code(std::move(code)) {}

  double compileMs() const override { return code->compileMs(); }
  DLDeviceType deviceType() const override { return kDLCPU; }
  const GirihKernelDesc &desc() const override { return code->desc(); }
  llvm::Error launch(const Tensors &tensors, const LaunchArguments &arguments,
                     GirihAttentionReport *report) override;
  std::unique_ptr<GirihKernel> rebound(Tables other) const override {
    return std::make_unique<CpuKernel>(session, std::move(other), code);
  }

private:
  using Lengths = std::array<int64_t, 4>; ///< batch, heads, num_q, num_k
  llvm::Expected<std::shared_ptr<const GirihBlockMap>> map(const GirihMapParams &params,
                                                           double &milliseconds);

  std::shared_ptr<CompiledKernel> code;
  Recent<Lengths, const GirihBlockMap> maps{mostMaps};
};

} // namespace

llvm::Expected<std::shared_ptr<const GirihBlockMap>> CpuKernel::map(const GirihMapParams &params,
                                                                    double &milliseconds) {
  Lengths lengths{params.batch, params.heads, params.num_q, params.num_k};
  if (std::shared_ptr<const GirihBlockMap> known = maps.find(lengths))
    return known;
  if (llvm::Error error = checkLengths(tables.pattern, params))
    return std::move(error);
  auto made = code->blockMap(params, &milliseconds);
  if (!made)
    return made.takeError();
  return maps.insert(lengths, std::move(*made));
}

llvm::Error CpuKernel::launch(const Tensors &tensors, const LaunchArguments &arguments,
                              GirihAttentionReport *report) {
  const GirihKernelDesc &desc = code->desc();
  Prepared prepared;
  if (llvm::Error error = prepare(desc, tensors, arguments.scale, tables.operands, prepared))
    return error;
  double mapMs = 0;
  auto blocks = map(prepared.params, mapMs);
  if (!blocks)
    return blocks.takeError();
  prepared.launch.tables = girihBlockMapTables(blocks->get());
  GirihCpuOptions options{};
  options.threads = arguments.threads;
  GirihStatus status;
  if (report) {
    report->map_cached = mapMs == 0;
    report->map_ms = mapMs;
    report->copied_bytes = 0;
    if (girihCpuWorkspace(&desc, &prepared.launch, blocks->get(), &options,
                          &report->workspace_bytes, &status) != GIRIH_OK)
      return statusError(status);
  }
  if (girihLaunchCpu(&desc, &prepared.launch, blocks->get(), &options, &status) != GIRIH_OK)
    return statusError(status);
  return llvm::Error::success();
}

llvm::Expected<std::unique_ptr<GirihKernel>> capi::compileForCpu(const SessionRef &session,
                                                                 const Pattern &pattern,
                                                                 const CompileOptions &options,
                                                                 bool &cacheHit) {
  auto code = session->session->compile(pattern, options, &cacheHit);
  if (!code)
    return code.takeError();
  return std::make_unique<CpuKernel>(session, Tables(pattern, options.score), std::move(*code));
}
