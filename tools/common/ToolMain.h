//===- ToolMain.h - How every tool starts and ends --------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_TOOLS_COMMON_TOOLMAIN_H
#define GIRIH_TOOLS_COMMON_TOOLMAIN_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/Error.h"

namespace girih {

/// What `main` returns: `body`'s exit code. An error of it is printed as `TOOL: error: MESSAGE`
/// and becomes its exit code, and so does memory that runs out. Where standard output does not
/// take what was printed (it is closed, a full disk) that is said, too, and the program's exit
/// code is GIRIH_INVALID if it was 0, even if `body` calls `exit`. `tool` is a literal.
int toolMain(const char *tool, llvm::function_ref<llvm::Expected<int>()> body);

} // namespace girih

#endif // GIRIH_TOOLS_COMMON_TOOLMAIN_H
