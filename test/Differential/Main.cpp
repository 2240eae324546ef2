//===- Main.cpp - The differential test -----------------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Compiles random patterns, launches them on random shapes and compares with the
// f64 reference. A failing case is shrunk and printed as a command line. --cases,
// --seed, --case and --minutes; GIRIH_DIFFERENTIAL_CASES and GIRIH_TEST_SEED are
// the same for ctest.
//
//===----------------------------------------------------------------------===//

#include "Case.h"

#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/PrettyStackTrace.h"
#include "llvm/Support/Signals.h"
#include "llvm/Support/raw_ostream.h"

#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <mutex>
#include <thread>

using namespace girih;
using namespace girih::differential;
namespace cl = llvm::cl;

static cl::OptionCategory category("Differential test");
static cl::opt<int64_t> casesFlag("cases", cl::desc("Cases to run (default: 1000)"), cl::init(0),
                                  cl::cat(category));
static cl::opt<uint64_t> seedFlag("seed", cl::desc("Seed of every draw"), cl::init(0),
                                  cl::cat(category));
static cl::opt<int64_t> caseFlag("case", cl::desc("Run the group of this case only"), cl::init(-1),
                                 cl::cat(category));
static cl::opt<double> minutesFlag("minutes", cl::desc("Stop after this long (0: never)"),
                                   cl::init(0), cl::cat(category));
static cl::opt<double> shrinkFlag("shrink-seconds", cl::desc("Time to shrink a failing case"),
                                  cl::init(30), cl::cat(category));
static cl::opt<int> workersFlag("workers", cl::desc("Threads that run cases"), cl::init(2),
                                cl::cat(category));

static uint64_t fromEnvironment(const char *name, uint64_t usual) {
  const char *text = std::getenv(name);
  return text ? std::strtoull(text, nullptr, 10) : usual;
}

namespace {

using Clock = std::chrono::steady_clock;

class Tester {
public:
  Tester(uint64_t seed, int64_t firstGroup, int64_t endGroup)
      : seed(seed), nextGroup(firstGroup), endGroup(endGroup),
        total((endGroup - firstGroup) * launchesPerGroup), start(Clock::now()) {}

  /// Takes groups until none is left.
  void work();
  int finish();

private:
  void runGroup(Session &session, int64_t number);
  void report(const KernelCase &kernel, const LaunchCase &launch, const std::string &problem);
  bool isOver() const {
    double seconds = std::chrono::duration<double>(Clock::now() - start).count();
    return numFailed >= 5 || (minutesFlag > 0 && seconds > minutesFlag * 60);
  }

  uint64_t seed;
  std::atomic<int64_t> nextGroup;
  int64_t endGroup, total;
  Clock::time_point start;
  std::atomic<int64_t> numPassed{0}, numFailed{0}, numKernels{0};
  std::mutex output;
};

/// Says which case a crash was in.
class CaseTrace : public llvm::PrettyStackTraceEntry {
public:
  CaseTrace(uint64_t seed, const KernelCase &kernel, const LaunchCase &launch)
      : seed(seed), kernel(kernel), launch(launch) {}
  void print(llvm::raw_ostream &os) const override {
    os << "case " << launch.number << " of seed " << seed << ": " << commandLine(kernel, launch)
       << "\n";
  }

private:
  uint64_t seed;
  const KernelCase &kernel;
  const LaunchCase &launch;
};

} // namespace

void Tester::report(const KernelCase &kernelCase, const LaunchCase &launchCase,
                    const std::string &problem) {
  int64_t failures = ++numFailed;
  KernelCase kernel = kernelCase;
  LaunchCase launch = launchCase;
  // The first failures are looked at; the others are counted.
  if (failures <= 3)
    shrinkCase(seed, kernel, launch, shrinkFlag);
  std::lock_guard<std::mutex> lock(output);
  llvm::outs() << "FAILED case " << launch.number << ": " << problem
               << "\n  replay: --seed=" << seed << " --case=" << launch.number
               << "\n  drawn: " << commandLine(kernelCase, launchCase)
               << "\n  shrunk: " << commandLine(kernel, launch) << "\n";
  if (auto session = Session::create(SessionOptions::uncached())) {
    std::string rest = runAlone(seed, **session, kernel, launch);
    llvm::outs() << "  shrunk fails with: "
                 << (rest.empty() ? "nothing: only after other launches of its kernel" : rest)
                 << "\n";
  } else {
    llvm::consumeError(session.takeError());
  }
  llvm::outs().flush();
}

void Tester::runGroup(Session &session, int64_t number) {
  Group group = drawGroup(seed, number);
  int64_t compiledBefore = session.compilations();
  std::shared_ptr<CompiledKernel> kernel;
  for (const LaunchCase &launch : group.launches) {
    CaseTrace trace(seed, group.kernel, launch);
    // Asks anew for each launch: a shape must not compile anything.
    auto compiled = session.compile(group.kernel.pattern, compileOptions(group.kernel));
    if (!compiled) {
      report(group.kernel, launch, "compile: " + llvm::toString(compiled.takeError()));
      return;
    }
    kernel = *compiled;
    std::string problem = runLaunch(seed, *kernel, group.kernel, launch);
    if (problem.empty() && session.compilations() > compiledBefore + 1)
      problem = "a second shape compiled the kernel again";
    if (!problem.empty())
      report(group.kernel, launch, problem);
    else
      ++numPassed;
  }
  numKernels += session.compilations() - compiledBefore;
}

void Tester::work() {
  std::unique_ptr<Session> session;
  for (int64_t used = 0; !isOver(); ++used) {
    int64_t number = nextGroup.fetch_add(1);
    if (number >= endGroup)
      return;
    // A session keeps its kernels; let go of them now and then.
    if (used % 64 == 0) {
      auto created = Session::create(SessionOptions::uncached());
      if (!created) {
        llvm::errs() << llvm::toString(created.takeError()) << "\n";
        ++numFailed;
        return;
      }
      session = std::move(*created);
    }
    runGroup(*session, number);
    int64_t done = numPassed + numFailed;
    if (done / 250 != (done - launchesPerGroup) / 250) {
      std::lock_guard<std::mutex> lock(output);
      llvm::outs() << fmt::format("{} of {} cases, {:.0f} s\n", done, total,
                                  std::chrono::duration<double>(Clock::now() - start).count());
      llvm::outs().flush();
    }
  }
}

int Tester::finish() {
  llvm::outs() << fmt::format("{} kernels, {:.0f} s\n", numKernels.load(),
                              std::chrono::duration<double>(Clock::now() - start).count())
               << fmt::format("{} passed, {} failed\n", numPassed.load(), numFailed.load());
  return numFailed ? 1 : 0;
}

int main(int argc, char **argv) {
  llvm::sys::PrintStackTraceOnErrorSignal(argv[0]);
  llvm::EnablePrettyStackTrace();
  cl::HideUnrelatedOptions(category);
  cl::ParseCommandLineOptions(argc, argv, "random patterns against the f64 reference\n");
  constexpr uint64_t usualSeed = 20240229;
  uint64_t seed = seedFlag.getNumOccurrences() ? uint64_t(seedFlag)
                                               : fromEnvironment("GIRIH_TEST_SEED", usualSeed);
  int64_t cases = casesFlag > 0 ? int64_t(casesFlag)
                                : int64_t(fromEnvironment("GIRIH_DIFFERENTIAL_CASES", 1000));
  int64_t first = 0, end = (cases + launchesPerGroup - 1) / launchesPerGroup;
  if (caseFlag >= 0) {
    first = caseFlag / launchesPerGroup;
    end = first + 1;
  }
  llvm::outs() << "GIRIH_TEST_SEED=" << seed << "\n";
  llvm::outs().flush();
  Tester tester(seed, first, end);
  std::vector<std::thread> workers;
  for (int i = 1; i < workersFlag && end - first > 1; ++i)
    workers.emplace_back([&] { tester.work(); });
  tester.work();
  for (std::thread &worker : workers)
    worker.join();
  return tester.finish();
}
