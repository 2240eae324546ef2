//===- Artifact.h - Kernels compiled ahead of time --------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// An artifact is what a program that has the runtime but no compiler needs of a kernel:
// its code, a C header that declares it, and a manifest for build systems. Nothing here
// touches the file system but SharedLibrary.cpp, which has to call a linker.
//
// Code and descriptor are bound by name: the symbol that the header refers to, and those
// of GPU kernels that a descriptor asks for, end in digits of the hash of all that decides
// the code. A header and an object that do not belong together do not link; a descriptor
// and an image that do not, do not load.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_AOT_ARTIFACT_H
#define GIRIH_AOT_ARTIFACT_H

#include "girih/JIT/Session.h"

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <optional>
#include <string>

namespace girih {

enum class ArtifactFormat { Object, SharedLibrary, Ptx, Cubin };

/// "object", "shared", "ptx" or "cubin".
llvm::StringRef formatName(ArtifactFormat format);

/// Whether kernels of this format are for a GPU. The others hold their descriptor.
inline bool isForGpu(ArtifactFormat format) {
  return format == ArtifactFormat::Ptx || format == ArtifactFormat::Cubin;
}

/// What the files are called. Symbols start with `name`, an identifier of C.
struct ArtifactNames {
  std::string name;
  std::string codeFile;   ///< without folders: "libswa.so"
  std::string headerFile; ///< without folders: "swa.h"
};

struct Artifact {
  std::string code, header, manifest; ///< contents of the three files
};

/// Compiles `pattern`, past all caches. GIRIH_UNSUPPORTED where the format takes ptxas or
/// a linker and there is none.
llvm::Expected<Artifact> compileArtifact(const Pattern &pattern, const CompileOptions &options,
                                         ArtifactFormat format, const ArtifactNames &names);

} // namespace girih

#endif // GIRIH_AOT_ARTIFACT_H
