//===- Measure.cpp - Running the workload in rounds -----------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Measure.h"

#include "Machine.h"

#include "common/Cpu.h"
#include "common/Cuda.h"
#include "common/Layout.h"

#include "girih/Support/Error.h"

#include "llvm/Support/raw_ostream.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <ctime>
#include <map>
#include <thread>

using namespace girih;
using Clock = std::chrono::steady_clock;

namespace {

/// Says how far a run is: on a terminal in one line that changes, elsewhere a line a round.
class Progress {
public:
  Progress(int64_t rounds, size_t rows)
      : rounds(rounds), rows(rows), live(llvm::errs().is_displayed()) {}
  ~Progress() {
    if (live)
      llvm::errs() << "\r\x1b[K";
  }

  void at(int64_t round, size_t row, const std::string &title) {
    if (!live && row != 0)
      return;
    std::string text = fmt::format("round {} of {}", round + 1, rounds);
    if (live)
      text += fmt::format(", row {} of {}, {}", row + 1, rows, title);
    // The first round also compiles and draws inputs: what it took says little.
    if (round > 0) {
      double done =
          static_cast<double>(round) + static_cast<double>(row) / static_cast<double>(rows);
      text += fmt::format(", about {:.0f} s left",
                          seconds() * (static_cast<double>(rounds) / done - 1));
    }
    if (live)
      llvm::errs() << "\r\x1b[K" << text;
    else
      llvm::errs() << "girih-bench: " << text << '\n';
  }

  double seconds() const { return std::chrono::duration<double>(Clock::now() - start).count(); }

private:
  int64_t rounds;
  size_t rows;
  bool live;
  Clock::time_point start = Clock::now();
};

/// Rows of one shape and dtype share their tensors.
class TensorPool {
public:
  llvm::Expected<Tensors *> get(const WorkloadRow &row, const Request &request) {
    auto key = std::make_tuple(row.batch, row.heads, row.n, row.dim, row.dtype);
    auto found = pool.find(key);
    if (found == pool.end()) {
      llvm::Expected<Tensors> made = makeTensors(request, {}, /*seed=*/0);
      if (!made)
        return made.takeError();
      found = pool.emplace(key, std::move(*made)).first;
    }
    return &found->second;
  }

private:
  std::map<std::tuple<int64_t, int64_t, int64_t, int64_t, std::string>, Tensors> pool;
};

} // namespace

static llvm::Expected<Request> requestOf(const WorkloadRow &row, const MeasureOptions &options) {
  RequestFlags flags = options.common;
  flags.pattern = row.expression;
  flags.qLen = row.n;
  flags.batch = row.batch;
  flags.heads = row.heads;
  flags.dim = row.dim;
  flags.dtype = row.dtype;
  flags.target = row.target;
  return makeRequest(flags);
}

/// One sample of a row.
static llvm::Error measureOnce(Session &session, const Request &request, TensorPool &pool,
                               const MeasureOptions &options, RowRecord &record) {
  llvm::Expected<Tensors *> tensors = pool.get(record.row, request);
  if (!tensors)
    return tensors.takeError();
  float scale = static_cast<float>(1 / std::sqrt(static_cast<double>(request.dim)));
  TimingBudget budget{options.seconds * 1000 / static_cast<double>(options.rounds), /*least=*/1};
  Measurement sample;
  if (llvm::Error error = request.cuda ? runCuda(session, request, **tensors, scale, /*bench=*/true,
                                                 contiguousLayout, sample)
                                       : runCpu(session, request, **tensors, scale, options.threads,
                                                budget, sample))
    return error;
  record.samplesMs.push_back(sample.timeMs);
  if (!request.cuda) {
    record.peaks.push_back(sample.peakGflops);
    record.lowestPeaks.push_back(sample.lowestPeakGflops);
  }
  record.threads = sample.threads;
  record.device = sample.device;
  // The first round compiled.
  if (record.samplesMs.size() > 1) {
    sample.compileMs = record.last.compileMs;
    sample.mapMs = record.last.mapMs;
  }
  record.last = std::move(sample);
  return llvm::Error::success();
}

/// Rates in the median time.
static void finish(RowRecord &record, const Request &request) {
  if (record.samplesMs.empty())
    return;
  record.last.timeMs = record.timeMs();
  record.usefulGflops = record.last.gflops(request, record.last.stats.useful_pairs);
  record.computedGflops = record.last.gflops(request, record.last.stats.computed_pairs);
  record.tileEfficiency = record.last.tileEfficiency();
}

llvm::Expected<BenchResults> girih::measureRows(llvm::ArrayRef<WorkloadRow> rows,
                                                const MeasureOptions &options) {
  BenchResults results;
  std::vector<Request> requests;
  for (const WorkloadRow &row : rows) {
    llvm::Expected<Request> request = requestOf(row, options);
    if (!request)
      return request.takeError();
    requests.push_back(std::move(*request));
    RowRecord record;
    record.row = row;
    record.title = row.title();
    record.pattern = row.expression;
    results.rows.push_back(std::move(record));
  }
  auto session = Session::create({requests.front().cacheDir});
  if (!session)
    return session.takeError();

  char date[32];
  std::time_t now = std::time(nullptr);
  std::strftime(date, sizeof date, "%Y-%m-%d %H:%M UTC", std::gmtime(&now));
  results.date = date;
  results.processors = static_cast<int>(std::thread::hardware_concurrency());
  results.loadBefore = loadAverage();
  const double others = secondsOfOthers();
  TensorPool pool;
  Progress progress(options.rounds, rows.size());
  for (int64_t round = 0; round != options.rounds; ++round) {
    for (auto [i, record] : llvm::enumerate(results.rows)) {
      progress.at(round, i, record.title);
      if (!record.trouble.empty())
        continue;
      if (llvm::Error error = measureOnce(**session, requests[i], pool, options, record)) {
        GirihStatus status = takeStatus(std::move(error));
        record.trouble = status.message;
        record.code = status.code;
        record.samplesMs.clear();
      }
    }
  }
  for (auto [record, request] : llvm::zip(results.rows, requests))
    finish(record, request);
  results.seconds = progress.seconds();
  results.loadAfter = loadAverage();
  results.others = std::max(0.0, (secondsOfOthers() - others) / results.seconds);
  warnAboutCache("girih-bench", **session);
  return results;
}
