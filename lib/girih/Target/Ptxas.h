//===- Ptxas.h - PTX to machine code, and what ptxas says -------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// ptxas accepts kernels that run right and several times too slow: it spills, or
// gives up overlapping tensor-core instructions, and says so only in its remarks.
// The report makes those remarks something that a test can fail on.
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_TARGET_PTXAS_H
#define GIRIH_TARGET_PTXAS_H

#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <string>
#include <vector>

namespace girih {

/// What ptxas says about the kernels of one module.
struct PtxasReport {
  int registers = 0;   ///< of a thread, the largest of any function
  int spillBytes = 0;  ///< stored and loaded, over all functions
  int sharedBytes = 0; ///< static shared memory, the largest of any function
  std::string text;    ///< all of it
  /// Lines that mean a slow kernel: spills; C7507 and C7508 (setmaxnreg ignored);
  /// C7510 to C7519 (wgmma serialised). Empty for a kernel fit to ship.
  std::vector<std::string> complaints;
};

/// Reads the output of `ptxas -v`.
PtxasReport parsePtxasText(llvm::StringRef text);

/// Assembles `ptx` for `chip` and appends the cubin to `cubin`, with the first ptxas that
/// runs and is new enough: of $GIRIH_PTXAS, which must, else of PATH and of CUDA's folder
/// ($CUDA_HOME/bin, or /usr/local/cuda/bin without it). GIRIH_UNSUPPORTED when none of those
/// does: the driver can still compile PTX. Complaints are no failure. PTX that ptxas rejects
/// for another reason is an internal error with its text.
llvm::Expected<PtxasReport> assemblePtx(llvm::StringRef ptx, llvm::StringRef chip,
                                        llvm::SmallVectorImpl<char> &cubin);

/// Whether there is a ptxas that assembles for `chip`; fails as assemblePtx does.
llvm::Error checkPtxas(llvm::StringRef chip);

} // namespace girih

#endif // GIRIH_TARGET_PTXAS_H
