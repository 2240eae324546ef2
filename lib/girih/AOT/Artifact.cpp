//===- Artifact.cpp - Kernels compiled ahead of time ----------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "girih/AOT/Artifact.h"

#include "girih/AOT/ArtifactParts.h"
#include "girih/Support/Error.h"

#include "llvm/IR/Function.h"
#include "llvm/IR/GlobalAlias.h"
#include "llvm/IR/Module.h"

using namespace girih;

llvm::StringRef girih::formatName(ArtifactFormat format) {
  switch (format) {
  case ArtifactFormat::Object:
    return "object";
  case ArtifactFormat::SharedLibrary:
    return "shared";
  case ArtifactFormat::Ptx:
    return "ptx";
  case ArtifactFormat::Cubin:
    return "cubin";
  }
  return "";
}

/// Leaves one thing visible in the module of a kernel: its descriptor, under two names.
static llvm::Error addDescriptor(llvm::Function &entry, const ArtifactInfo &info) {
  llvm::Module &module = *entry.getParent();
  for (llvm::Function &function : module)
    if (!function.isDeclaration())
      function.setLinkage(llvm::GlobalValue::InternalLinkage);
  std::string symbol = info.checkedSymbol();
  if (llvm::Error error =
          addStatic(describeKernel(info.desc, info.names.name, symbol, entry.getName()), module))
    return error;
  llvm::GlobalAlias::create(info.kernelSymbol(), module.getNamedGlobal(symbol));
  return llvm::Error::success();
}

static llvm::Expected<Artifact> compileForCpu(Session &session, const Pattern &pattern,
                                              const CompileOptions &options, ArtifactFormat format,
                                              const ArtifactNames &names) {
  auto infoOf = [&](const CpuCode &code) {
    return ArtifactInfo{pattern, options.score, format,   names,        code.desc,
                        nullptr, code.id,       code.cpu, code.features};
  };
  auto code = session.compileObject(pattern, options,
                                    [&](llvm::Function &entry, const CpuCode &unfinished) {
                                      return addDescriptor(entry, infoOf(unfinished));
                                    });
  if (!code)
    return code.takeError();
  Artifact artifact;
  if (format == ArtifactFormat::SharedLibrary) {
    auto library = linkSharedLibrary(code->object, names.codeFile);
    if (!library)
      return library.takeError();
    artifact.code = std::move(*library);
  } else {
    artifact.code.assign(code->object.begin(), code->object.end());
  }
  ArtifactInfo info = infoOf(*code);
  artifact.header = printHeader(info, {});
  artifact.manifest = printManifest(info, artifact.code, artifact.header);
  return artifact;
}

static llvm::Expected<Artifact> compileForGpu(Session &session, const Pattern &pattern,
                                              const CompileOptions &options, ArtifactFormat format,
                                              const ArtifactNames &names) {
  auto code = session.compileCuda(pattern, options);
  if (!code)
    return code.takeError();
  Artifact artifact;
  if (format == ArtifactFormat::Ptx)
    artifact.code = (*code)->ptx;
  else
    artifact.code.assign((*code)->cubin.begin(), (*code)->cubin.end());
  if (artifact.code.empty())
    return unsupportedError(
        "a cubin is not supported without ptxas of CUDA 12.0 or later, and none "
        "is on PATH or where CUDA puts it; supported without it: PTX");
  const GirihCudaKernelDesc &desc = (*code)->desc;
  ArtifactInfo info{pattern, options.score, format,       names, desc.base,
                    &desc,   (*code)->id,   options.chip, ""};
  artifact.header = printHeader(info, describeKernel(desc, names.name, info.checkedSymbol()));
  artifact.manifest = printManifest(info, artifact.code, artifact.header);
  return artifact;
}

llvm::Expected<Artifact> girih::compileArtifact(const Pattern &pattern,
                                                const CompileOptions &options,
                                                ArtifactFormat format, const ArtifactNames &names) {
  // Entries of the disk cache have neither descriptors nor PTX.
  auto session = Session::create(SessionOptions::uncached());
  if (!session)
    return session.takeError();
  return isForGpu(format) ? compileForGpu(**session, pattern, options, format, names)
                          : compileForCpu(**session, pattern, options, format, names);
}
