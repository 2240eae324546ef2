//===- Table.cpp - Results for people -------------------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Table.h"

#include "llvm/ADT/STLExtras.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

using namespace girih;
using Cells = std::vector<std::string>;

std::string girih::alignColumns(const std::vector<Cells> &lines) {
  std::vector<size_t> widths;
  std::vector<bool> numbers;
  for (const Cells &cells : lines)
    for (auto [i, cell] : llvm::enumerate(cells)) {
      if (i == widths.size()) {
        widths.push_back(0);
        numbers.push_back(true);
      }
      widths[i] = std::max(widths[i], cell.size());
      bool number = std::isdigit(static_cast<unsigned char>(cell[0])) || cell == "-";
      numbers[i] = numbers[i] && (number || &cells == &lines.front());
    }
  std::string out;
  for (const Cells &cells : lines) {
    std::string line;
    for (auto [i, cell] : llvm::enumerate(cells)) {
      std::string padding(widths[i] - cell.size(), ' ');
      line += (i ? "  " : "") + (numbers[i] ? padding + cell : cell + padding);
    }
    out += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return out;
}

/// Four significant digits, as a table of milliseconds from 0.01 to 10000 needs.
static std::string milliseconds(double ms) {
  int decimals = ms < 10 ? 3 : ms < 100 ? 2 : ms < 1000 ? 1 : 0;
  return fmt::format("{:.{}f}", ms, decimals);
}

static std::string share(const RowResult &row) {
  return row.peaks.empty() ? "-" : fmt::format("{:.2f}", row.shareOfPeak());
}

static std::string verdictText(RowComparison::Verdict verdict) {
  switch (verdict) {
  case RowComparison::Verdict::Within:
    return "same";
  case RowComparison::Verdict::Faster:
    return "FASTER";
  case RowComparison::Verdict::Slower:
    return "SLOWER";
  case RowComparison::Verdict::TooFew:
    return "not judged";
  case RowComparison::Verdict::NotThere:
    return "-";
  }
  return "";
}

static Cells cellsOf(const RowRecord &record, const EarlierResults *earlier) {
  const WorkloadRow &row = record.row;
  Cells cells = {row.name, row.dtype,
                 row.batch == 1 ? std::to_string(row.n) : fmt::format("{}x{}", row.batch, row.n),
                 std::to_string(row.heads), std::to_string(row.dim)};
  if (record.samplesMs.empty())
    cells.insert(cells.end(), {"-", "-", "-", "-", "-", "-"});
  else
    cells.insert(cells.end(),
                 {milliseconds(record.timeMs()), fmt::format("{:.1f} %", 100 * record.spread()),
                  fmt::format("{:.1f}", record.usefulGflops),
                  fmt::format("{:.1f}", record.computedGflops),
                  fmt::format("{:.3f}", record.tileEfficiency), share(record)});
  if (!earlier)
    return cells;
  RowComparison comparison = compareRow(record, *earlier);
  if (comparison.earlier)
    cells.insert(cells.end(),
                 {milliseconds(comparison.earlier->timeMs()), share(*comparison.earlier),
                  fmt::format("{:.3f}", comparison.ratio), verdictText(comparison.verdict)});
  else
    cells.insert(cells.end(), {"-", "-", "-", verdictText(comparison.verdict)});
  return cells;
}

/// The table of one target, its device above it.
static std::string targetTable(const BenchResults &results, llvm::StringRef target,
                               const EarlierResults *earlier) {
  std::vector<Cells> lines = {{"pattern", "dtype", "N", "heads", "dim", "ms", "spread", "useful",
                               "computed", "tile eff", "of peak"}};
  if (earlier)
    lines.front().insert(lines.front().end(), {"then ms", "of peak", "ratio", "change"});
  std::string device, troubles;
  double peak = 0;
  for (const RowRecord &record : results.rows) {
    if (record.row.target != target)
      continue;
    lines.push_back(cellsOf(record, earlier));
    if (!record.trouble.empty())
      troubles += fmt::format("{}: {}\n", record.title, record.trouble);
    if (record.samplesMs.empty())
      continue;
    device = record.device;
    if (record.threads)
      device += fmt::format(", {} thread{}", record.threads, record.threads == 1 ? "" : "s");
    peak = std::max(peak, record.peakGflops());
  }
  if (lines.size() == 1)
    return "";
  if (peak > 0)
    device += fmt::format(", f32 FMA peak {:.1f} GFLOP/s", peak);
  std::string head = device.empty() ? target.str() : target.str() + ": " + device;
  return head + "; useful and computed in GFLOP/s\n\n" + alignColumns(lines) + troubles + "\n";
}

/// Whether to believe the numbers.
static std::string machineText(const BenchResults &results, const std::vector<std::string> &noise) {
  double widest = 0;
  for (const RowRecord &record : results.rows)
    if (!record.samplesMs.empty())
      widest = std::max(widest, record.spread());
  std::string out = noise.empty() ? "quiet machine: " : "NOISY machine: ";
  out += fmt::format("others used {:.2f} of {} processor{} (load average {:.2f} before, {:.2f} "
                     "after), samples of a row within {:.1f} %; {:.0f} s, {}\n",
                     results.others, results.processors, results.processors == 1 ? "" : "s",
                     results.loadBefore, results.loadAfter, 100 * widest, results.seconds,
                     results.date);
  for (const std::string &clause : noise)
    out += "  " + clause + "\n";
  return out;
}

std::string girih::textResults(const BenchResults &results, const std::vector<std::string> &noise,
                               const EarlierResults *earlier) {
  std::string out = targetTable(results, "cpu", earlier) + targetTable(results, "cuda", earlier);
  out += machineText(results, noise);
  if (earlier)
    out += summarize(results, *earlier);
  return out;
}

std::string girih::textRows(const std::vector<WorkloadRow> &rows) {
  std::vector<Cells> lines;
  for (const WorkloadRow &row : rows)
    lines.push_back({row.title(), row.expression});
  return alignColumns(lines);
}
