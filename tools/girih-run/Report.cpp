//===- Report.cpp - What girih-run prints ---------------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Report.h"

#include "girih/Support/Json.h"

#include <fmt/format.h>

using namespace girih;

std::string girih::jsonReport(const Request &r, const RunReport &report) {
  return writeJson([&](llvm::json::OStream &json) {
    const GirihMapStats &stats = report.stats;
    json.attribute("pattern", jsonText(r.pattern.str()));
    json.attribute("target", r.cuda ? "cuda" : "cpu");
    json.attribute("dtype", dtypeName(r.dtype));
    json.attribute("batch", r.batch);
    json.attribute("heads", r.heads);
    json.attribute("kv_heads", r.kvHeads);
    json.attribute("q_len", r.numQ);
    json.attribute("k_len", r.numK);
    json.attribute("dim", r.dim);
    json.attribute("time_ms", jsonNumber(report.timeMs));
    json.attribute("compile_ms", jsonNumber(report.compileMs));
    json.attribute("cache_hit", report.cacheHit);
    json.attribute("useful_pairs", stats.useful_pairs);
    json.attribute("computed_pairs", stats.computed_pairs);
    json.attribute("tile_efficiency", jsonNumber(report.tileEfficiency()));
    json.attribute("useful_gflops", jsonNumber(report.gflops(r, stats.useful_pairs)));
    json.attribute("computed_gflops", jsonNumber(report.gflops(r, stats.computed_pairs)));
    json.attribute("peak_gflops", jsonNumber(report.peakGflops));
    json.attribute("map_ms", jsonNumber(report.mapMs));
    json.attribute("map_bytes", stats.map_bytes);
    const llvm::json::Value none(nullptr);
    json.attribute("rel_error",
                   report.check ? jsonNumber(report.check->comparison.relError) : none);
    json.attribute("max_error",
                   report.check ? jsonNumber(report.check->comparison.maxError) : none);
    json.attribute("threads", report.threads);
    json.attribute("device", report.device);
    // Beyond the contract: what the numbers above were taken from.
    json.attribute("v_dim", r.vDim);
    json.attribute("o_dtype", r.outDtype() == GIRIH_F32 ? "f32" : dtypeName(r.dtype));
    if (r.score)
      json.attribute("score", jsonText(r.score.str()));
    json.attribute("check", !report.check                   ? none
                            : report.check->comparison.good ? llvm::json::Value("pass")
                                                            : llvm::json::Value("fail"));
    json.attribute("checked_rows", report.check ? llvm::json::Value(report.check->rows) : none);
    if (report.check && report.check->comparison.bothNaN)
      json.attribute("nan_values", report.check->comparison.bothNaN);
    json.attribute("launches", report.launches);
    json.attribute("copied_bytes", report.copiedBytes);
    if (report.workspaceBytes)
      json.attribute("workspace_bytes", *report.workspaceBytes);
    if (report.launchUs)
      json.attribute("launch_us", jsonNumber(*report.launchUs));
  });
}

static std::string row(const std::string &name, const std::string &value) {
  return fmt::format("  {:<16} {}\n", name, value);
}

static std::string checkRow(const Request &r, const CheckResult &check) {
  std::string text =
      fmt::format("{}: relative error {:.2e} (allowed {:.0e}), largest {:.2e}, {} of {} rows",
                  check.comparison.good ? "good" : "WRONG", check.comparison.relError,
                  tolerance(r.dtype), check.comparison.maxError, check.rows, check.totalRows);
  if (check.comparison.mismatched)
    text += fmt::format(", {} values not finite where the reference is, or the reverse",
                        check.comparison.mismatched);
  if (check.comparison.bothNaN)
    text += fmt::format(", {} values NaN in both", check.comparison.bothNaN);
  return row("check", text);
}

std::string girih::textReport(const Request &r, const RunReport &report) {
  const GirihMapStats &stats = report.stats;
  std::string lengths = fmt::format("{} queries x {} keys, batch {}, heads {}/{}, dim {}", r.numQ,
                                    r.numK, r.batch, r.heads, r.kvHeads, r.dim);
  if (r.vDim != r.dim)
    lengths += fmt::format("/{}", r.vDim);
  double computed = report.gflops(r, stats.computed_pairs);
  double total = static_cast<double>(stats.total_pairs);
  double skipped = total > 0 ? 1 - static_cast<double>(stats.computed_pairs) / total : 0;

  // A `segments` table prints its offsets, and there may be thousands of them.
  std::string pattern = r.pattern.str();
  if (pattern.size() > 200)
    pattern = pattern.substr(0, 197) + "...";
  std::string out = pattern + "\n";
  std::string dtypes = dtypeName(r.dtype);
  if (r.oDtype)
    dtypes += r.outDtype() == GIRIH_F32 ? ", o f32" : std::string(", o ") + dtypeName(r.dtype);
  out += row("problem", lengths + ", " + dtypes);
  if (r.score)
    out += row("score", r.score.str());
  out += row("device", r.cuda ? report.device
                              : fmt::format("{}, {} thread{}", report.device, report.threads,
                                            report.threads == 1 ? "" : "s"));
  out += row("compile", fmt::format("{:.1f} ms{}", report.compileMs,
                                    report.cacheHit ? " (from the cache)" : ""));
  out += row("block map", fmt::format("{:.2f} ms, {} bytes", report.mapMs, stats.map_bytes));
  out += row("time", fmt::format("{:.3f} ms ({})", report.timeMs,
                                 report.launches == 1
                                     ? "one launch"
                                     : fmt::format("median of {} launches", report.launches)));
  if (report.copiedBytes > 0)
    out +=
        row("copied", fmt::format("{} bytes in each launch: rows that are no multiple of 16 bytes",
                                  report.copiedBytes));
  if (report.workspaceBytes)
    out += row("workspace", fmt::format("{} bytes", *report.workspaceBytes));
  if (report.launchUs)
    out += row("launch", fmt::format("{:.1f} us of the host", *report.launchUs));
  out += row("useful", fmt::format("{:.1f} GFLOP/s", report.gflops(r, stats.useful_pairs)));
  std::string ofPeak = report.peakGflops > 0
                           ? fmt::format(", {:.0f} % of the FMA peak ({:.1f})",
                                         100 * computed / report.peakGflops, report.peakGflops)
                           : "";
  out += row("computed", fmt::format("{:.1f} GFLOP/s{}", computed, ofPeak));
  out += row("tiles", fmt::format("{} full, {} partial of {} x {} tokens", stats.listed_full,
                                  stats.listed_partial, report.tileQ, report.tileK));
  out += row("tile efficiency", fmt::format("{:.1f} % of the computed pairs are useful",
                                            100 * report.tileEfficiency()));
  out += row("skipped", fmt::format("{:.1f} % of all pairs are never computed", 100 * skipped));
  if (report.check)
    out += checkRow(r, *report.check);
  out += fmt::format(
      "\n  . empty   + partial   # full   ({} tile{} a cell{})\n\n",
      report.picture.tilesPerCell == 1 ? std::string("one")
                                       : fmt::format("{0} x {0}", report.picture.tilesPerCell),
      report.picture.tilesPerCell == 1 ? "" : "s", stats.distinct_lists > 1 ? ", head 0" : "");
  return out + printAscii(report.picture, "    ");
}
