//===- ArtifactParts.h - The parts of an artifact ---------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_AOT_ARTIFACTPARTS_H
#define GIRIH_AOT_ARTIFACTPARTS_H

#include "girih/AOT/Artifact.h"
#include "girih/AOT/StaticData.h"

#include <vector>

namespace girih {

/// What header and manifest say of a compiled kernel.
struct ArtifactInfo {
  const Pattern &pattern;
  const Score &score; ///< may be none
  ArtifactFormat format;
  const ArtifactNames &names;
  const GirihKernelDesc &desc;
  const GirihCudaKernelDesc *cuda = nullptr; ///< null for a CPU; else `desc` is its base
  std::string id;                            ///< 64 hex digits
  std::string processor, features;           ///< LLVM's names, or the chip and nothing

  /// The descriptor under the name that programs look up when they run: `<name>_kernel`.
  std::string kernelSymbol() const { return names.name + "_kernel"; }
  /// The same with digits of the id, which headers refer to.
  std::string checkedSymbol() const { return kernelSymbol() + "_" + id.substr(0, shortIdDigits); }
};

/// "f32", "bf16" or "f16".
const char *dtypeText(int32_t dtype);

/// A run-time operand of the kernel, in order.
struct OperandInfo {
  std::string name = "unused"; ///< "offsets", "indptr", "indices", or "@name" of a lookup
  bool isTable = false;        ///< of a lookup; else a list of int64_t
  bool isFloat = false;        ///< values are float, else int64_t
  int32_t rank = 1;            ///< dimensions
  std::string meaning;         ///< one line
};
std::vector<OperandInfo> operandsOf(const ArtifactInfo &info);

/// What the kernel asks of a launch that the runtime does not check, one line each: heads
/// and lengths that the pattern is written for.
std::vector<std::string> shapesOf(const Pattern &pattern);

/// The text of the C header. `constants` are defined in it.
std::string printHeader(const ArtifactInfo &info, const std::vector<StaticObject> &constants);

/// The text of the manifest, a JSON object.
std::string printManifest(const ArtifactInfo &info, llvm::StringRef code, llvm::StringRef header);

/// Links one object to a shared library called `name`, with a C compiler that is found on
/// PATH: it knows where the C library is, and whoever calls kernels from C has one.
/// GIRIH_UNSUPPORTED without one.
llvm::Expected<std::string> linkSharedLibrary(llvm::ArrayRef<char> object, llvm::StringRef name);

} // namespace girih

#endif // GIRIH_AOT_ARTIFACTPARTS_H
