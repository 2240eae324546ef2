//===- Report.h - What girih-run prints -------------------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_TOOLS_GIRIH_RUN_REPORT_H
#define GIRIH_TOOLS_GIRIH_RUN_REPORT_H

#include "Check.h"

#include "common/Measurement.h"

namespace girih {

/// What girih-run reports of one run.
struct RunReport : Measurement {
  std::optional<CheckResult> check;
};

/// One JSON object with the fields of the command-line contract, in its order.
std::string jsonReport(const Request &request, const RunReport &report);

/// A table and a picture for people.
std::string textReport(const Request &request, const RunReport &report);

} // namespace girih

#endif // GIRIH_TOOLS_GIRIH_RUN_REPORT_H
