//===- ReportTesting.h - What tests of reports share ------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_TEST_ANALYSIS_REPORT_REPORTTESTING_H
#define GIRIH_TEST_ANALYSIS_REPORT_REPORTTESTING_H

#include "girih/Analysis/Advice.h"
#include "girih/JIT/Session.h"

#include <memory>

namespace girih {

/// A pattern of the pattern language; a test fails and gets `empty` if it does not parse.
Pattern parsed(const std::string &text);

/// Lengths with queries aligned bottom right, and tiles of 64 x 64.
GirihMapParams lengthsOf(int64_t numQ, int64_t numK, int64_t heads = 1, int64_t batch = 1);

/// The compiler's front half, from one session that all tests share.
llvm::Expected<BoundPattern> boundPattern(const Pattern &pattern);

/// Kept pairs over batch and heads, pair by pair, from the reference.
int64_t bruteForcePairs(const Pattern &pattern, const GirihMapParams &lengths);

/// Everything that advice is given from, for a pattern and lengths.
std::vector<Advice> adviceFor(const std::string &pattern, const GirihMapParams &lengths,
                              std::optional<int64_t> layers = {});

} // namespace girih

#endif // GIRIH_TEST_ANALYSIS_REPORT_REPORTTESTING_H
