//===- Compare.cpp - Results against earlier ones -------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Compare.h"

#include "llvm/ADT/STLExtras.h"

#include <fmt/format.h>

#include <cmath>
#include <map>

using namespace girih;

/// The row of that title; null when there was none.
static const RowResult *findRow(const EarlierResults &earlier, const std::string &title) {
  auto found = llvm::find_if(earlier.rows, [&](const RowResult &r) { return r.title == title; });
  return found == earlier.rows.end() ? nullptr : &*found;
}

RowComparison girih::compareRow(const RowResult &now, const EarlierResults &earlier) {
  RowComparison comparison;
  const RowResult *found = findRow(earlier, now.title);
  if (!found || found->pattern != now.pattern || now.samplesMs.empty())
    return comparison;
  using Verdict = RowComparison::Verdict;
  comparison.earlier = found;
  comparison.ratio = found->timeMs() / now.timeMs();
  // Three samples a side are apart by chance once in ten times, five once in 126.
  constexpr size_t fewest = 3;
  constexpr double negligible = 0.01;
  if (std::min(now.samplesMs.size(), found->samplesMs.size()) < fewest)
    comparison.verdict = Verdict::TooFew;
  else if (std::abs(comparison.ratio - 1) <= negligible)
    comparison.verdict = Verdict::Within;
  else if (now.mostMs() < found->leastMs())
    comparison.verdict = Verdict::Faster;
  else if (now.leastMs() > found->mostMs())
    comparison.verdict = Verdict::Slower;
  else
    comparison.verdict = Verdict::Within;
  return comparison;
}

std::string girih::summarize(const BenchResults &now, const EarlierResults &earlier) {
  size_t faster = 0, slower = 0, within = 0, few = 0, common = 0, threads = 0, patterns = 0;
  std::map<std::pair<std::string, std::string>, size_t> devices; // that differ, then and now
  double logs = 0, peakNow = 0, peakThen = 0;
  for (const RowRecord &row : now.rows) {
    RowComparison comparison = compareRow(row, earlier);
    if (!comparison.earlier) {
      const RowResult *found = findRow(earlier, row.title);
      patterns += found && found->pattern != row.pattern;
      continue;
    }
    ++common;
    logs += std::log(comparison.ratio);
    faster += comparison.verdict == RowComparison::Verdict::Faster;
    slower += comparison.verdict == RowComparison::Verdict::Slower;
    within += comparison.verdict == RowComparison::Verdict::Within;
    few += comparison.verdict == RowComparison::Verdict::TooFew;
    threads += row.threads != comparison.earlier->threads;
    if (row.device != comparison.earlier->device)
      ++devices[{comparison.earlier->device, row.device}];
    peakNow = std::max(peakNow, row.peakGflops());
    peakThen = std::max(peakThen, comparison.earlier->peakGflops());
  }
  std::string out = fmt::format("against {} ({}): ", earlier.file, earlier.date);
  std::string otherPatterns =
      patterns ? fmt::format("  {} rows were of another pattern then\n", patterns) : "";
  if (common == 0)
    return out + "no row in common\n" + otherPatterns;
  out += fmt::format("{} faster, {} slower, {} within the noise", faster, slower, within);
  if (few)
    out += fmt::format(", {} not judged (fewer than 3 samples)", few);
  out += fmt::format("; {:.3f} times as fast in the geometric mean\n",
                     std::exp(logs / static_cast<double>(common)));
  if (now.rows.size() != common || earlier.rows.size() != common)
    out += fmt::format("  not in both: {} rows of this run, {} of that one\n",
                       now.rows.size() - common, earlier.rows.size() - common);
  out += otherPatterns;
  for (const auto &[device, count] : devices)
    out += fmt::format("  {} rows ran on another device ({} then, {} now)\n", count, device.first,
                       device.second);
  if (threads)
    out += fmt::format("  {} rows had another number of threads then\n", threads);
  if (earlier.noisy)
    out += "  that run was a noisy one\n";
  if (peakThen > 0 && std::abs(peakNow / peakThen - 1) > 0.03)
    out +=
        fmt::format("  the FMA peak was {:.1f} GFLOP/s then and is {:.1f} now: compare the shares "
                    "of the peak\n",
                    peakThen, peakNow);
  return out;
}
