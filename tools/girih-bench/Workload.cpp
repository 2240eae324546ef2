//===- Workload.cpp - The problems that are timed -------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Workload.h"

#include "WorkloadText.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/JSON.h"

#include <fmt/format.h>

#include <algorithm>

using namespace girih;
using llvm::StringRef;

std::string WorkloadRow::title() const {
  return fmt::format("{} {} {} N={} B={} H={} D={}", target, name, dtype, n, batch, heads, dim);
}

/// A field of the table, which is part of this program: one that is missing is a bug.
template <typename T> static T require(T field, StringRef name) {
  if (!field)
    llvm::report_fatal_error("workload.json: expected " + llvm::Twine(name) + ", but got none");
  return field;
}

static const llvm::json::Object &object(const llvm::json::Object &parent, StringRef name) {
  return *require(parent.getObject(name), name);
}

static const llvm::json::Object &table() {
  static const llvm::json::Value value = llvm::cantFail(llvm::json::parse(workloadText));
  return *require(value.getAsObject(), "an object");
}

/// "[0, 2077, ...]": offsets of documents in n tokens, the last one cut.
static std::string documentOffsets(const llvm::json::Array &lengths, int64_t n) {
  std::string text = "[0";
  int64_t end = 0;
  for (size_t i = 0; end < n; ++i) {
    end = std::min(n, end + *lengths[i % lengths.size()].getAsInteger());
    text += fmt::format(", {}", end);
  }
  return text + "]";
}

static int64_t oddAtMost(int64_t limit, int64_t wanted) {
  int64_t size = std::min(limit, wanted);
  return size % 2 ? size : size - 1;
}

/// What every {name} of an expression stands for.
static llvm::StringMap<std::string> substitutions(const llvm::json::Object &distances,
                                                  const WorkloadRow &row) {
  llvm::StringMap<std::string> values;
  for (const auto &[name, value] : distances)
    if (std::optional<int64_t> distance = value.getAsInteger())
      values[name] = std::to_string(*distance);
  values["offsets"] =
      documentOffsets(*require(distances.getArray("documents"), "documents"), row.n);
  int64_t rows = 1, kernel = *require(distances.getInteger("kernel"), "kernel");
  for (int64_t r = 1; r * r <= row.n; ++r)
    if (row.n % r == 0)
      rows = r;
  values["rows"] = std::to_string(rows);
  values["cols"] = std::to_string(row.n / rows);
  values["kernel_rows"] = std::to_string(oddAtMost(rows, kernel));
  values["kernel_cols"] = std::to_string(oddAtMost(row.n / rows, kernel));
  values["low_last"] = std::to_string(row.heads / 2 - 1);
  values["high_first"] = std::to_string(row.heads / 2);
  values["high_last"] = std::to_string(row.heads - 1);
  return values;
}

static std::string expand(StringRef text, const llvm::StringMap<std::string> &values) {
  std::string out;
  while (!text.empty()) {
    auto [before, rest] = text.split('{');
    out += before;
    if (rest.empty())
      break;
    auto [name, after] = rest.split('}');
    auto value = values.find(name);
    require(value != values.end(), name);
    out += value->second;
    text = after;
  }
  return out;
}

std::vector<WorkloadRow> girih::workloadRows(StringRef target, bool quick) {
  const llvm::json::Object &distances =
      object(object(table(), "distances"), quick ? "short" : "long");
  const llvm::json::Object &defaults = object(object(table(), "defaults"), target);
  std::vector<WorkloadRow> rows;
  llvm::StringSet<> seen;
  for (const llvm::json::Value &entry :
       *require(object(table(), "rows").getArray(target), target)) {
    const llvm::json::Object &given = *require(entry.getAsObject(), "an object");
    auto integer = [&](StringRef name) {
      const llvm::json::Object &replaced = object(table(), "quick");
      for (const llvm::json::Object *from : {quick ? &replaced : &given, &given, &defaults})
        if (std::optional<int64_t> value = from->getInteger(name))
          return *value;
      return *require(std::optional<int64_t>(), name);
    };
    WorkloadRow row;
    row.target = target.str();
    row.name = require(given.getString("pattern"), "pattern")->str();
    row.dtype =
        given.getString("dtype").value_or(*require(defaults.getString("dtype"), "dtype")).str();
    row.n = integer("n");
    row.batch = integer("batch");
    row.heads = integer("heads");
    row.dim = integer("dim");
    StringRef text = *require(object(table(), "patterns").getString(row.name), row.name);
    row.expression = expand(text, substitutions(distances, row));
    if (seen.insert(row.title()).second)
      rows.push_back(std::move(row));
  }
  return rows;
}
