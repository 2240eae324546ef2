//===- CudaImage.cpp - What of a kernel a GPU loads -----------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/JIT/CudaImage.h"

#include "girih/Support/Error.h"

using namespace girih;

// Code for 8.6 runs on 8.7, too.
llvm::Expected<std::string> girih::chipOf(const GirihCudaDevice *device) {
  int capability = girihCudaCapability(device);
  switch (capability) {
  case 80:
    return "sm_80";
  case 86:
  case 87:
    return "sm_86";
  case 89:
    return "sm_89";
  case 90:
    return "sm_90a";
  default:
    return unsupportedError(
        std::string("device ") + girihCudaName(device) + " of compute capability " +
        std::to_string(capability / 10) + "." + std::to_string(capability % 10) +
        " is not supported; supported: 8.0, 8.6, 8.7, 8.9, 9.0, or chip sm_80, which newer "
        "devices compile themselves");
  }
}

bool girih::runsCubin(const GirihCudaDevice *device, llvm::StringRef chip) {
  return chip.starts_with("sm_" + std::to_string(girihCudaCapability(device) / 10));
}

llvm::Expected<std::shared_ptr<const CudaCode>>
girih::withImageFor(const GirihCudaDevice *device, std::shared_ptr<const CudaCode> code,
                    const Pattern &pattern, const CompileOptions &options) {
  if (runsCubin(device, options.chip) || !code->ptx.empty())
    return code;
  auto fresh = Session::create(SessionOptions::uncached());
  if (!fresh)
    return fresh.takeError();
  return (*fresh)->compileCuda(pattern, options);
}

llvm::Expected<GirihCudaKernel *> girih::loadImage(GirihCudaDevice *device, const CudaCode &code,
                                                   llvm::StringRef chip) {
  const bool isText = code.cubin.empty() || !runsCubin(device, chip);
  const void *image = isText ? code.ptx.c_str() : code.cubin.data();
  // Text ends with NUL.
  const size_t bytes = isText ? code.ptx.size() + 1 : code.cubin.size();
  GirihCudaKernel *loaded = nullptr;
  GirihStatus status{};
  if (girihCudaLoad(device, &code.desc, image, static_cast<int64_t>(bytes), &loaded, &status) !=
      GIRIH_OK)
    return statusError(status);
  return loaded;
}
