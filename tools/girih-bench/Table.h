//===- Table.h - Results for people -----------------------------*- C++ -*-===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef GIRIH_TOOLS_GIRIH_BENCH_TABLE_H
#define GIRIH_TOOLS_GIRIH_BENCH_TABLE_H

#include "Compare.h"

namespace girih {

/// Lines of cells, padded to columns; the first line is the heading. Columns of
/// numbers are aligned right.
std::string alignColumns(const std::vector<std::vector<std::string>> &lines);

/// A table for each target, against `earlier` unless that is null, and whether the
/// machine was quiet.
std::string textResults(const BenchResults &results, const std::vector<std::string> &noise,
                        const EarlierResults *earlier);

/// What `--list` prints: titles and expressions.
std::string textRows(const std::vector<WorkloadRow> &rows);

} // namespace girih

#endif // GIRIH_TOOLS_GIRIH_BENCH_TABLE_H
