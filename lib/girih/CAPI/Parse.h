//===- Parse.h - What texts are parsed with ---------------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_CAPI_PARSE_H
#define GIRIH_CAPI_PARSE_H

#include "girih-c/Compiler.h"
#include "girih/Frontend/Parser.h"

#include "llvm/Support/Error.h"

namespace girih::capi {

/// Copies the tables of a C caller. What the parser checks (names, values that are looked
/// up) is left to it.
llvm::Expected<ParseOptions> readTables(const GirihTable *tables, int64_t count);

} // namespace girih::capi

#endif // GIRIH_CAPI_PARSE_H
