//===- ApiTest.cpp - The runtime's C API on GPUs --------------------------===//
//
// Part of Girih, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Proves what no command line of girih-run reaches: that a launch can be captured
// in a graph and replayed with the same bits, that threads with streams of their own
// don't disturb each other, that every device of the host can be used, that strides and
// alignments of every kind give the same bits, and that wrong pointers are refused
// before they break anything. Whether numbers are right is the
// business of the rest of the suite, and for the C API of CapiCases.cpp. Exit code 4:
// no device.
//
//===----------------------------------------------------------------------===//

#include "CapiCases.h"
#include "GraphDriver.h"
#include "Outcomes.h"
#include "Problem.h"

#include "girih/Support/Error.h"

#include <cstdio>
#include <cstring>
#include <thread>

using namespace girih;
using namespace girih::gputest;

/// That a launch has written every number.
static std::string checkWritten(const Workload &workload, const std::vector<char> &bytes) {
  auto rows = static_cast<size_t>(workload.heads * workload.numQ);
  size_t oBytes = bytes.size() - rows * sizeof(float),
         size = workload.code->desc.base.o_dtype ? 2 : 4;
  for (size_t i = 0; i < bytes.size(); i += i < oBytes ? size : sizeof(float)) {
    // The poison is all ones; NaN, and unlike any NaN that arithmetic makes.
    static constexpr char ones[] = "\xff\xff\xff\xff";
    if (memcmp(&bytes[i], ones, i < oBytes ? size : sizeof(float)) == 0)
      return "expected every output to be written, but byte " + std::to_string(i) + " is poison";
  }
  return "";
}

/// Poisons, launches on a stream and reads.
static std::string launchAndRead(Run &run, const OwnStream &stream, std::vector<char> &bytes) {
  std::string trouble = run.poison();
  if (trouble.empty())
    trouble = run.launch(stream.get());
  if (trouble.empty())
    trouble = stream.wait();
  return trouble.empty() ? run.read(bytes) : trouble;
}

/// Opens `workload` on a device and launches it; fills the bits of its outputs.
static std::string launchDirectly(const GraphDriver &driver, const Workload &workload,
                                  int32_t ordinal, std::vector<char> &bytes, int32_t &processors) {
  Problem problem;
  Run run;
  std::string trouble = problem.open(workload, ordinal);
  if (trouble.empty())
    trouble = run.prepare(problem);
  if (!trouble.empty())
    return trouble;
  processors = girihCudaMultiprocessors(problem.device.get());
  OwnStream stream(driver, ordinal);
  if (!stream.trouble().empty())
    return stream.trouble();
  trouble = launchAndRead(run, stream, bytes);
  return trouble.empty() ? checkWritten(workload, bytes) : trouble;
}

static std::string replayGraph(const GraphDriver &driver, Problem &problem,
                               const std::vector<char> &expected) {
  Run run;
  if (std::string trouble = run.prepare(problem); !trouble.empty())
    return trouble;
  OwnStream stream(driver, 0);
  if (!stream.trouble().empty())
    return stream.trouble();
  // The very first launch of this kernel is the captured one.
  Graph graph(driver);
  std::string trouble = graph.capture(stream, [&](void *on) { return run.launch(on); });
  for (int i = 0; i < 3 && trouble.empty(); ++i) {
    std::vector<char> bytes;
    trouble = run.poison();
    if (trouble.empty())
      trouble = graph.launch(stream);
    if (trouble.empty())
      trouble = stream.wait();
    if (trouble.empty())
      trouble = run.read(bytes);
    if (trouble.empty())
      trouble = compare(bytes, expected);
    if (!trouble.empty())
      trouble += ", replay " + std::to_string(i + 1);
  }
  return trouble;
}

/// Two threads share device, kernel and map, each with a stream, plan and outputs.
static std::string launchFromThreads(const GraphDriver &driver, Problem &problem,
                                     const std::vector<char> &expected) {
  std::string troubles[2];
  auto work = [&](std::string &trouble) {
    Run run;
    trouble = run.prepare(problem);
    OwnStream stream(driver, 0);
    if (trouble.empty())
      trouble = stream.trouble();
    for (int i = 0; i < 20 && trouble.empty(); ++i) {
      std::vector<char> bytes;
      trouble = launchAndRead(run, stream, bytes);
      if (trouble.empty())
        trouble = compare(bytes, expected);
    }
  };
  std::thread other(work, std::ref(troubles[1]));
  work(troubles[0]);
  other.join();
  return troubles[0].empty() ? troubles[1] : troubles[0];
}

/// Expects `code` and a message with `part`, or says what came instead.
static std::string expectRefusal(int actual, int code, const GirihStatus &status,
                                 const char *part) {
  if (actual == code && strstr(status.message, part))
    return "";
  return "expected code " + std::to_string(code) + " and '" + part + "', but got code " +
         std::to_string(actual) + " and '" + status.message + "'";
}

/// Wrong operands are refused, and nothing is broken by them.
static void checkRefusals(Problem &problem, const std::vector<char> &expected,
                          const GraphDriver &driver, Outcomes &outcomes) {
  const std::string prefix = problem.workload->name + ": ";
  Run run;
  if (std::string trouble = run.prepare(problem); !trouble.empty())
    return outcomes.record(prefix + "wrong pointers", trouble);
  const GirihLaunch good = run.arguments;
  auto refused = [&](const char *name, int code, const char *part, auto change) {
    GirihLaunch launch = good;
    change(launch);
    GirihStatus status{};
    int actual = girihCudaLaunch(problem.kernel.get(), &launch, run.planned(), nullptr, &status);
    outcomes.record(prefix + name, expectRefusal(actual, code, status, part));
  };
  std::vector<char> host(static_cast<size_t>(problem.inputs[0].bytes));
  refused("q in host memory", GIRIH_INVALID, "host memory",
          [&](GirihLaunch &l) { l.q.data = host.data(); });
  refused("o in host memory", GIRIH_INVALID, "host memory",
          [&](GirihLaunch &l) { l.o.data = host.data(); });
  refused("lse in host memory", GIRIH_INVALID, "host memory",
          [&](GirihLaunch &l) { l.lse = static_cast<float *>(static_cast<void *>(host.data())); });
  if (girihCudaPlanCopiedBytes(run.planned()) == 0)
    refused("k beside a multiple of 16 bytes, which the plan has no room for", GIRIH_INVALID,
            "aligned to 16 bytes",
            [&](GirihLaunch &l) { l.k.data = static_cast<char *>(l.k.data) + 2; });
  refused("q beside its elements", GIRIH_UNSUPPORTED, "aligned to 2 bytes",
          [&](GirihLaunch &l) { l.q.data = static_cast<char *>(l.q.data) + 1; });
  refused("another length than the plan's", GIRIH_INVALID, "num_q",
          [&](GirihLaunch &l) { --l.num_q; });
  refused("another dtype of o than the kernel's", GIRIH_INVALID, "expected o to have dtype",
          [&](GirihLaunch &l) { l.o.dtype = GIRIH_F16; });
  GirihStatus status{};
  outcomes.record(
      "null for a plan",
      expectRefusal(girihCudaLaunch(problem.kernel.get(), &good, nullptr, nullptr, &status),
                    GIRIH_INVALID, status, "expected a plan, but got null"));
  if (girihCudaDeviceCount() > 1) {
    Problem elsewhere;
    std::string trouble = elsewhere.open(*problem.workload, 1);
    if (!trouble.empty())
      outcomes.record(prefix + "q on another device", trouble);
    else
      refused("q on another device", GIRIH_INVALID, "memory of device 1",
              [&](GirihLaunch &l) { l.q.data = elsewhere.inputs[0].memory; });
  }
  OwnStream stream(driver, 0);
  std::vector<char> bytes;
  std::string trouble = stream.trouble();
  if (trouble.empty())
    trouble = launchAndRead(run, stream, bytes);
  outcomes.record(prefix + "a launch after refusals",
                  trouble.empty() ? compare(bytes, expected) : trouble);
}

/// The same numbers, laid out otherwise, give the same bits, launched and replayed;
/// `copies` says whether the kernel cannot address that layout.
static std::string launchLaidOut(const GraphDriver &driver, const Workload &workload,
                                 const Layout &layout, bool copies,
                                 const std::vector<char> &expected) {
  Problem problem;
  Run run;
  std::string trouble = problem.open(workload, 0, layout);
  if (trouble.empty())
    trouble = run.prepare(problem);
  if (!trouble.empty())
    return trouble;
  int64_t copied = girihCudaPlanCopiedBytes(run.planned());
  if ((copied > 0) != copies)
    return "expected " + std::string(copies ? "copies" : "no copies") + ", but got " +
           std::to_string(copied) + " bytes";
  OwnStream stream(driver, 0);
  std::vector<char> bytes;
  trouble = stream.trouble();
  if (trouble.empty())
    trouble = launchAndRead(run, stream, bytes);
  if (trouble.empty())
    trouble = compare(bytes, expected);
  return trouble.empty() ? replayGraph(driver, problem, expected) : trouble;
}

static void checkLayouts(const GraphDriver &driver, const Workload &workload,
                         const std::vector<char> &expected, Outcomes &outcomes) {
  // Rows of all tensors are multiples of 16 bytes where this is their gap.
  const int64_t fill = (8 - workload.dim % 8) % 8;
  const bool isFilled = (workload.vDim + fill) % 8 == 0;
  const struct {
    const char *name;
    Layout layout;
    bool copies;
  } layouts[] = {
      {"tokens outside of heads", {true, 1, 0, 0}, workload.dim % 8 || workload.vDim % 8},
      {"rows of whole 16 bytes", {false, 1, fill, 0}, !isFilled},
      {"rows of whole 16 bytes, tokens outside", {true, 1, fill + 8, 8}, !isFilled},
      {"a gap of three elements", {false, 1, 3, 0}, true},
      {"shifted by one element", {false, 1, 0, 1}, true},
      {"every third column", {false, 3, 0, 0}, true},
      {"all of it", {true, 2, 5, 3}, true},
  };
  for (const auto &entry : layouts)
    outcomes.record(workload.name + ": " + entry.name,
                    launchLaidOut(driver, workload, entry.layout, entry.copies, expected));
}

static void checkWorkload(const GraphDriver &driver, const Workload &workload, Outcomes &outcomes) {
  std::vector<char> expected;
  int32_t processors = 0;
  std::string trouble = launchDirectly(driver, workload, 0, expected, processors);
  outcomes.record(workload.name + ": direct launch", trouble);
  if (!trouble.empty())
    return;
  {
    Problem problem;
    trouble = problem.open(workload, 0);
    outcomes.record(workload.name + ": graph",
                    trouble.empty() ? replayGraph(driver, problem, expected) : trouble);
    if (trouble.empty()) {
      outcomes.record(workload.name + ": two threads",
                      launchFromThreads(driver, problem, expected));
      checkRefusals(problem, expected, driver, outcomes);
    }
  }
  checkLayouts(driver, workload, expected, outcomes);
  for (int32_t ordinal = 1; ordinal < girihCudaDeviceCount(); ++ordinal) {
    std::vector<char> bytes;
    int32_t processorsHere = 0;
    trouble = launchDirectly(driver, workload, ordinal, bytes, processorsHere);
    // Where there are more or fewer multiprocessors, rows are split elsewhere.
    if (trouble.empty() && processorsHere == processors)
      trouble = compare(bytes, expected);
    outcomes.record(workload.name + ": device " + std::to_string(ordinal), trouble);
  }
}

int main() {
  if (girihCudaDeviceCount() == 0) {
    GirihCudaDevice *none = nullptr;
    GirihStatus status{};
    girihCudaOpen(0, &none, &status);
    fprintf(stderr, "girih-gpu-api-test: error: %s\n", status.message);
    return GIRIH_NO_DEVICE;
  }
  GraphDriver driver;
  Outcomes outcomes;
  if (std::string missing = driver.load(); !missing.empty()) {
    outcomes.record("driver", missing);
    return outcomes.finish();
  }
  auto session = Session::create(SessionOptions::uncached());
  if (!session) {
    outcomes.record("session", takeStatus(session.takeError()).message);
    return outcomes.finish();
  }
  CompileOptions options;
  options.dtype = GIRIH_BF16;
  // The second has two long rows of tiles for the whole device: they are split, and
  // a launch is two kernels and has a workspace. The others are copied, the last one
  // is split as well, and has rows that begin at odd places of o.
  Workload workloads[] = {{"window", causal() & window(100), 4, 2, 1000, 1000, 64, 64, nullptr},
                          {"long rows", full(), 2, 1, 100, 20000, 64, 64, nullptr},
                          {"narrow", causal(), 4, 2, 700, 1000, 20, 36, nullptr},
                          {"odd long rows", full(), 2, 1, 100, 20000, 33, 17, nullptr}};
  for (Workload &workload : workloads) {
    options.headDim = workload.dim;
    options.vDim = workload.vDim;
    auto code = (*session)->compileCuda(workload.pattern, options);
    if (!code) {
      outcomes.record(workload.name, takeStatus(code.takeError()).message);
      continue;
    }
    workload.code = *code;
    checkWorkload(driver, workload, outcomes);
  }
  checkCapi(driver, outcomes);
  return outcomes.finish();
}
