//===- girih-bench.cpp - Time the workload table --------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Exit codes: 0 good, whatever the numbers are, 2 bad arguments, 3 a row is not
// supported, 4 no such device.
//
//===----------------------------------------------------------------------===//

#include "Machine.h"
#include "Measure.h"
#include "Table.h"

#include "common/Cpu.h"
#include "common/Cuda.h"
#include "common/ToolMain.h"

#include "girih/Support/Error.h"
#include "girih/Support/OutputFile.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Regex.h"
#include "llvm/Support/raw_ostream.h"

using namespace girih;

static const char usage[] =
    "usage: girih-bench [flags]\n\n"
    "Times a table of attention patterns, in rounds over all of it, and prints medians, how much\n"
    "the samples differ, and whether the machine was quiet. It checks no results: girih-run "
    "does.\n\n";

namespace {

struct Options {
  MeasureOptions measure;
  std::string target;
  std::optional<std::string> filter, jsonFile, compareFile;
  std::optional<int64_t> threads, repeat;
  std::optional<double> seconds;
  bool list = false, quick = false;
};

} // namespace

static void addFlags(Flags &flags, Options &o) {
  flags.choice("target", o.target, {"cpu", "cuda", "both"},
               "where to run (default: cpu, and cuda where there is a GPU)");
  addThreadsFlag(flags, o.threads);
  flags.text("filter", o.filter, "REGEX", "rows whose title matches; --list shows titles");
  flags.integer("repeat", o.repeat, 1, "R", "rounds, each a sample of every row (default: 5)",
                1000);
  flags.number("seconds", o.seconds, "S",
               "of launches of a row on the CPU, all rounds together (default: 3; --quick: 0.2)");
  flags.flag("quick", o.quick, "short sequences: seconds in all, for trying things");
  flags.text("json", o.jsonFile, "FILE", "write every number to it");
  flags.text("compare", o.compareFile, "FILE", "compare with what --json wrote earlier");
  flags.flag("list", o.list, "print the rows and their patterns, time nothing");
  addCacheFlags(flags, o.measure.common);
}

/// Which targets to run. A GPU that is asked for must be there; --list shows all.
static llvm::Expected<std::vector<std::string>> targetsOf(const Options &options) {
  if (options.target == "cpu")
    return std::vector<std::string>{"cpu"};
  llvm::Error error = options.list ? llvm::Error::success() : probeCuda();
  if (!options.target.empty()) {
    if (error)
      return std::move(error);
    return options.target == "cuda" ? std::vector<std::string>{"cuda"}
                                    : std::vector<std::string>{"cpu", "cuda"};
  }
  if (!error)
    return std::vector<std::string>{"cpu", "cuda"};
  if (GirihStatus status = takeStatus(std::move(error)); status.code != GIRIH_NO_DEVICE)
    llvm::errs() << "girih-bench: warning: cuda is left out: " << status.message << '\n';
  return std::vector<std::string>{"cpu"};
}

static llvm::Expected<std::vector<WorkloadRow>> chooseRows(const Options &options) {
  llvm::Expected<std::vector<std::string>> targets = targetsOf(options);
  if (!targets)
    return targets.takeError();
  std::vector<WorkloadRow> rows;
  for (const std::string &target : *targets)
    llvm::append_range(rows, workloadRows(target, options.quick));
  if (!options.filter)
    return rows;
  llvm::Regex regex(*options.filter);
  if (std::string problem; !regex.isValid(problem))
    return invalidError("--filter: expected a regular expression, but got '" + *options.filter +
                        "': " + problem);
  llvm::erase_if(rows, [&](const WorkloadRow &row) { return !regex.match(row.title()); });
  if (rows.empty())
    return invalidError("--filter: expected to match a row, but '" + *options.filter +
                        "' matches none; --list shows all");
  return rows;
}

/// Everything between the flags and the exit code.
static llvm::Expected<int> run(Options &options) {
  if (options.list && (options.jsonFile || options.compareFile))
    return invalidError(std::string("expected --list alone, but got it with ") +
                        (options.jsonFile ? "--json" : "--compare"));
  MeasureOptions &measure = options.measure;
  llvm::Expected<int> threads = launchThreads(options.threads);
  if (!threads)
    return threads.takeError();
  measure.threads = *threads;
  measure.rounds = options.repeat.value_or(measure.rounds);
  measure.seconds = options.seconds.value_or(options.quick ? 0.2 : measure.seconds);
  if (measure.seconds < 0)
    return invalidError("--seconds: expected at least 0, but got " +
                        std::to_string(measure.seconds));
  llvm::Expected<std::vector<WorkloadRow>> rows = chooseRows(options);
  if (!rows)
    return rows.takeError();
  if (options.list) {
    llvm::outs() << textRows(*rows);
    return 0;
  }
  std::optional<EarlierResults> earlier;
  if (options.compareFile) {
    llvm::Expected<EarlierResults> read = readEarlier(*options.compareFile);
    if (!read)
      return read.takeError();
    earlier = std::move(*read);
  }
  // Opened before a run of minutes, whose numbers would be lost if it could not be.
  std::optional<OutputFile> file;
  if (options.jsonFile) {
    llvm::Expected<OutputFile> opened = OutputFile::create(*options.jsonFile, "--json");
    if (!opened)
      return opened.takeError();
    file.emplace(std::move(*opened));
  }

  llvm::Expected<BenchResults> results = measureRows(*rows, measure);
  if (!results)
    return results.takeError();
  std::vector<std::string> noise = noiseOf(*results);
  // Before the table, whose reader may go away and end the program.
  if (file) {
    file->stream() << jsonResults(*results, noise);
    if (llvm::Error error = file->commit())
      return std::move(error);
  }
  llvm::outs() << textResults(*results, noise, earlier ? &*earlier : nullptr);
  for (const RowRecord &row : results->rows)
    if (row.code != GIRIH_OK)
      return row.code;
  return 0;
}

static llvm::Expected<int> runTool(llvm::ArrayRef<const char *> arguments) {
  Options options;
  Flags flags;
  addFlags(flags, options);
  if (llvm::Error error = flags.parse(arguments))
    return std::move(error);
  if (flags.helpWanted()) {
    llvm::outs() << usage << flags.describe();
    return 0;
  }
  return run(options);
}

int main(int argc, char **argv) {
  return toolMain("girih-bench", [&] { return runTool({argv + 1, argv + argc}); });
}
