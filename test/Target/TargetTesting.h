//===- TargetTesting.h - What tests of the targets share --------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_TEST_TARGET_TARGETTESTING_H
#define GIRIH_TEST_TARGET_TARGETTESTING_H

#include "girih/Support/Error.h"
#include "girih/Target/Ptx.h"

#include "llvm/ADT/StringRef.h"
#include "gtest/gtest.h"

#include <string>

namespace girih::testing {

/// PTX of a module in LLVM's text form. A failure fails the test and gives "".
std::string toPtx(llvm::StringRef text, const PtxTarget &target = {});

/// The failure of compiling the module to PTX; success fails the test.
GirihStatus ptxFailure(llvm::StringRef text, const PtxTarget &target);

} // namespace girih::testing

#endif // GIRIH_TEST_TARGET_TARGETTESTING_H
