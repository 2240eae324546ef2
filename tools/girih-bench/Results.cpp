//===- Results.cpp - What a run of the workload measured ------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Results.h"

#include "girih/Support/Error.h"
#include "girih/Support/InputFile.h"
#include "girih/Support/Json.h"

#include <algorithm>
#include <cmath>

using namespace girih;

/// Of the files; one that reads differently gets another number.
static constexpr int64_t formatVersion = 1;

double RowResult::timeMs() const {
  std::vector<double> sorted = samplesMs;
  std::nth_element(sorted.begin(), sorted.begin() + sorted.size() / 2, sorted.end());
  return sorted[sorted.size() / 2];
}

double RowResult::leastMs() const { return *std::min_element(samplesMs.begin(), samplesMs.end()); }
double RowResult::mostMs() const { return *std::max_element(samplesMs.begin(), samplesMs.end()); }
double RowResult::spread() const { return (mostMs() - leastMs()) / timeMs(); }

double RowResult::peakGflops() const {
  return peaks.empty() ? 0 : *std::max_element(peaks.begin(), peaks.end());
}

double RowResult::shareOfPeak() const { return peaks.empty() ? 0 : computedGflops / peakGflops(); }

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

static void writeNumbers(llvm::json::OStream &json, llvm::StringRef name,
                         const std::vector<double> &values) {
  json.attributeArray(name, [&] {
    for (double value : values)
      json.value(jsonNumber(value));
  });
}

static void writeRow(llvm::json::OStream &json, const RowRecord &record) {
  const WorkloadRow &row = record.row;
  json.attribute("row", record.title);
  json.attribute("target", row.target);
  json.attribute("name", row.name);
  json.attribute("pattern", record.pattern);
  json.attribute("dtype", row.dtype);
  json.attribute("batch", row.batch);
  json.attribute("heads", row.heads);
  json.attribute("q_len", row.n);
  json.attribute("k_len", row.n);
  json.attribute("dim", row.dim);
  json.attribute("threads", record.threads);
  json.attribute("device", record.device);
  if (!record.trouble.empty())
    json.attribute("trouble", record.trouble);
  writeNumbers(json, "samples_ms", record.samplesMs);
  if (record.samplesMs.empty())
    return;
  const GirihMapStats &stats = record.last.stats;
  json.attribute("time_ms", jsonNumber(record.timeMs()));
  json.attribute("spread", jsonNumber(record.spread()));
  json.attribute("useful_pairs", stats.useful_pairs);
  json.attribute("computed_pairs", stats.computed_pairs);
  json.attribute("tile_efficiency", jsonNumber(record.tileEfficiency));
  json.attribute("useful_gflops", jsonNumber(record.usefulGflops));
  json.attribute("computed_gflops", jsonNumber(record.computedGflops));
  writeNumbers(json, "peak_gflops", record.peaks);
  writeNumbers(json, "lowest_peak_gflops", record.lowestPeaks);
  json.attribute("share_of_peak", record.peaks.empty() ? llvm::json::Value(nullptr)
                                                       : jsonNumber(record.shareOfPeak()));
  json.attribute("compile_ms", jsonNumber(record.last.compileMs));
  json.attribute("map_ms", jsonNumber(record.last.mapMs));
  json.attribute("map_bytes", stats.map_bytes);
}

std::string girih::jsonResults(const BenchResults &results, const std::vector<std::string> &noise) {
  return writeJson([&](llvm::json::OStream &json) {
    json.attribute("girih_bench", formatVersion);
    json.attribute("date", results.date);
    json.attribute("seconds", jsonNumber(results.seconds));
    json.attribute("processors", results.processors);
    json.attribute("load_before", jsonNumber(results.loadBefore));
    json.attribute("load_after", jsonNumber(results.loadAfter));
    json.attribute("others", jsonNumber(results.others));
    json.attributeArray("noise", [&] {
      for (const std::string &clause : noise)
        json.value(clause);
    });
    json.attributeArray("rows", [&] {
      for (const RowRecord &record : results.rows)
        json.object([&] { writeRow(json, record); });
    });
  });
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

namespace girih {

/// Found by argument-dependent lookup.
static bool fromJSON(const llvm::json::Value &value, RowResult &row, llvm::json::Path path) {
  llvm::json::ObjectMapper map(value, path);
  if (!map || !map.map("row", row.title) || !map.map("pattern", row.pattern) ||
      !map.map("device", row.device) || !map.map("threads", row.threads) ||
      !map.map("samples_ms", row.samplesMs))
    return false;
  if (row.samplesMs.empty())
    return true;
  if (!map.map("useful_gflops", row.usefulGflops) ||
      !map.map("computed_gflops", row.computedGflops) ||
      !map.map("tile_efficiency", row.tileEfficiency) || !map.map("peak_gflops", row.peaks) ||
      !map.map("lowest_peak_gflops", row.lowestPeaks))
    return false;
  for (const std::vector<double> &values : {row.samplesMs, row.peaks})
    for (double number : values)
      if (!std::isfinite(number) || number <= 0) {
        path.report("expected times and peaks above 0");
        return false;
      }
  return true;
}

} // namespace girih

llvm::Expected<EarlierResults> girih::readEarlier(const std::string &file) {
  auto foreign = [&](const llvm::Twine &what) {
    return invalidError(
        ("--compare: " + file + ": expected what girih-bench --json writes, but got " + what)
            .str());
  };
  constexpr uint64_t mostBytes = uint64_t{64} << 20;
  llvm::Expected<std::string> text = readFile(file, mostBytes);
  if (!text)
    return invalidError("--compare: " + llvm::toString(text.takeError()));
  llvm::Expected<llvm::json::Value> value = parseJson(*text);
  if (!value)
    return foreign("no JSON: " + llvm::toString(value.takeError()));
  const llvm::json::Object *object = value->getAsObject();
  std::optional<int64_t> version = object ? object->getInteger("girih_bench") : std::nullopt;
  if (!version)
    return foreign("JSON of something else");
  if (*version != formatVersion)
    return foreign("version " + llvm::Twine(*version) + " of it; supported: version " +
                   llvm::Twine(formatVersion));

  EarlierResults earlier;
  earlier.file = file;
  std::vector<std::string> noise;
  llvm::json::Path::Root root(file);
  llvm::json::ObjectMapper map(*value, root);
  if (!map || !map.map("date", earlier.date) || !map.map("noise", noise) ||
      !map.map("rows", earlier.rows))
    return foreign("a damaged one: " + llvm::toString(root.getError()));
  earlier.noisy = !noise.empty();
  llvm::erase_if(earlier.rows, [](const RowResult &row) { return row.samplesMs.empty(); });
  return earlier;
}
